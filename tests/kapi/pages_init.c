// SPDX-License-Identifier: MIT
/*
 * test_pages of the kernel's lib/test_meminit.c under init_on_alloc=1 and init_on_free=1.
 * Sections of kernel-semantics.md in brackets.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <kmalloc/mm.h>

static bool is_zero(const unsigned char *p, size_t size)
{
	return !p[0] && !memcmp(p, p + 1, size - 1);
}

/* [13.4 test_pages], [10.9] */
static void test_init_on_alloc_clears_every_block(void **state)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	unsigned int order, i;

	(void)state;
	for (order = 0; order <= MAX_PAGE_ORDER; order++) {
		for (i = 0; i < 4; i++) {
			void *p = (void *)__get_free_pages(GFP_KERNEL, order);

			assert_non_null(p);
			assert_true(is_zero(p, page_bytes << order));
			memset(p, 0x9e, page_bytes << order);
			free_pages((unsigned long)p, order);
		}
	}
}

/* [10.9] Freed memory is not the caller's to read; a page that is free again at once still is ours. */
static void test_init_on_free_clears_what_is_freed(void **state)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	struct page *page = alloc_pages(GFP_KERNEL, 2);
	unsigned char *p = page_address(page);

	(void)state;
	memset(p, 0x9e, page_bytes << 2);
	get_page(page);
	__free_pages(page, 2);
	assert_true(is_zero(p + page_bytes, 3 * page_bytes));
	assert_int_equal(p[0], 0x9e);
	put_page(page);
	assert_true(is_zero(p, page_bytes));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init_on_alloc_clears_every_block),
		cmocka_unit_test(test_init_on_free_clears_what_is_freed),
	};

	/* options are read when the program starts */
	if (argc == 1) {
		setenv("KMALLOC_OPTIONS", "init_on_alloc=1 init_on_free=1", 1);
		execl("/proc/self/exe", argv[0], "run", (char *)NULL);
		return 99;
	}
	return cmocka_run_group_tests_name("pages_init", tests, NULL, NULL);
}

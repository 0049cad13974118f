// SPDX-License-Identifier: MIT
/* vmalloc as text books show it, against the kernel's headers (kernel-semantics.md 7.1). */
#include "linux.h"
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

/* What text books print as the definition of vmalloc(). */
static void *my_vmalloc(unsigned long size)
{
	return __vmalloc(size, GFP_KERNEL | __GFP_HIGHMEM, PAGE_KERNEL);
}

static int large_table(unsigned long size)
{
	char *buf;

	buf = vmalloc(size);
	if (!buf)
		return -ENOMEM;
	buf[0] = 1;
	buf[size / 2] = 2;
	buf[size - 1] = 3;
	if (buf[0] + buf[size / 2] + buf[size - 1] != 6 || !is_vmalloc_addr(buf + size / 3)) {
		vfree(buf);
		return -EFAULT;
	}
	vfree(buf);
	return 0;
}

static void a_hundred_mebibytes(void **state)
{
	(void)state;
	assert_int_equal(large_table(16 * PAGE_SIZE), 0);
	assert_int_equal(large_table(100ul << 20), 0);
	vfree(NULL);
}

static void three_arguments_and_two(void **state)
{
	char *p = my_vmalloc(3 * PAGE_SIZE), *q = __vmalloc(PAGE_SIZE, GFP_KERNEL | __GFP_ZERO);

	(void)state;
	assert_non_null(p);
	assert_non_null(q);
	assert_true(PAGE_ALIGNED(p));
	memset(p, 1, 3 * PAGE_SIZE);
	assert_null(memchr_inv(q, 0, PAGE_SIZE));
	vfree(p);
	vfree(q);
}

static void zeroed_arrays(void **state)
{
	u32 *table = vcalloc(10000, sizeof(*table)), *zeroed = vzalloc(PAGE_SIZE * 2);

	(void)state;
	assert_non_null(table);
	assert_non_null(zeroed);
	assert_null(memchr_inv(table, 0, 10000 * sizeof(*table)));
	assert_null(memchr_inv(zeroed, 0, PAGE_SIZE * 2));
	vfree(table);
	vfree(zeroed);
	assert_null(vmalloc_array(unknown_to_compiler(SIZE_MAX / 2), 4));
}

/* The pages of an area are pages like others. */
static void an_area_is_made_of_pages(void **state)
{
	char *p = vmalloc(4 * PAGE_SIZE);
	struct vm_struct *area = find_vm_area(p);
	struct page *page;
	char on_the_stack;
	unsigned long i;

	(void)state;
	assert_non_null(p);
	assert_non_null(area);
	assert_ptr_equal(area->addr, p);
	assert_true(get_vm_area_size(area) >= 4 * PAGE_SIZE);
	assert_null(find_vm_area(p + PAGE_SIZE));
	for (i = 0; i < 4; i++) {
		page = vmalloc_to_page(p + i * PAGE_SIZE);
		assert_non_null(page);
		p[i * PAGE_SIZE] = (char)i;
		assert_int_equal(*(char *)page_address(page), i);
	}
	assert_false(is_vmalloc_addr(&on_the_stack));
	vfree(p);
}

/* 1.12: whichever will do. */
static void kvmalloc_takes_what_there_is(void **state)
{
	static const size_t sizes[] = { 100, 20000, 9 << 20 };
	unsigned int i;
	char *p;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		p = kvzalloc(sizes[i], GFP_KERNEL);
		assert_non_null(p);
		assert_null(memchr_inv(p, 0, sizes[i]));
		memset(p, 1, sizes[i]);
		kvfree(p);
	}
	p = kvmalloc_array(1000, 4, GFP_KERNEL);
	assert_non_null(p);
	kvfree(p);
	kvfree(NULL);
}

/* Pages mapped again, one behind the other. */
static void pages_are_mapped_side_by_side(void **state)
{
	struct page *pages[3];
	char *window;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		pages[i] = alloc_page(GFP_KERNEL);
		assert_non_null(pages[i]);
	}
	window = vmap(pages, 3, VM_MAP, PAGE_KERNEL);
	assert_non_null(window);
	memset(window, 'a', PAGE_SIZE);
	memset(window + PAGE_SIZE, 'b', PAGE_SIZE);
	memset(window + 2 * PAGE_SIZE, 'c', PAGE_SIZE);
	for (i = 0; i < 3; i++)
		assert_null(memchr_inv(page_address(pages[i]), 'a' + i, PAGE_SIZE));
	vunmap(window);
	for (i = 0; i < 3; i++) {
		assert_null(memchr_inv(page_address(pages[i]), 'a' + i, PAGE_SIZE));
		__free_page(pages[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hundred_mebibytes),
		cmocka_unit_test(three_arguments_and_two),
		cmocka_unit_test(zeroed_arrays),
		cmocka_unit_test(an_area_is_made_of_pages),
		cmocka_unit_test(kvmalloc_takes_what_there_is),
		cmocka_unit_test(pages_are_mapped_side_by_side),
	};

	return cmocka_run_group_tests_name("textbook_vmalloc", tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
/*
 * The promises of the page API, through the public headers alone. Sections of kernel-semantics.md
 * in brackets.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <kmalloc/kmalloc.h>
#include <kmalloc/mm.h>

static unsigned long page_bytes;

static struct {
	int saved, read_end;
	char text[16384];
} caught;

static void catch_stderr(void)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	caught.saved = dup(STDERR_FILENO);
	assert_true(dup2(fds[1], STDERR_FILENO) >= 0);
	close(fds[1]);
	caught.read_end = fds[0];
}

/* Ends the catch; the lines that were written. */
static int caught_lines(void)
{
	size_t used = 0;
	int lines = 0;
	ssize_t n;
	char *c;

	dup2(caught.saved, STDERR_FILENO);
	close(caught.saved);
	while ((n = read(caught.read_end, caught.text + used, sizeof(caught.text) - 1 - used)) > 0)
		used += (size_t)n;
	close(caught.read_end);
	caught.text[used] = '\0';
	for (c = caught.text; *c; c++)
		lines += *c == '\n';
	return lines;
}

static bool all_bytes(const void *p, int value, size_t size)
{
	const unsigned char *b = p;

	return b[0] == (unsigned char)value && !memcmp(b, b + 1, size - 1);
}

static unsigned long next_random(unsigned long *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* [5.1] */
static void test_blocks_are_aligned_to_their_size_with_one_reference(void **state)
{
	unsigned int order;

	(void)state;
	for (order = 0; order <= MAX_PAGE_ORDER; order++) {
		struct page *page = alloc_pages(GFP_KERNEL, order);
		unsigned long addr = (unsigned long)page_address(page);

		assert_non_null(page);
		assert_int_equal(addr & ((page_bytes << order) - 1), 0);
		assert_int_equal(page_count(page), 1);
		memset((void *)addr, 0x5a, page_bytes << order);
		assert_ptr_equal(virt_to_page((void *)addr), page);
		__free_pages(page, order);
	}
}

/* [5.1] */
static void test_an_order_above_the_maximum_warns_once_and_is_null(void **state)
{
	(void)state;
	catch_stderr();
	assert_null(alloc_pages(GFP_KERNEL | __GFP_NOWARN, MAX_PAGE_ORDER + 1));
	assert_int_equal(caught_lines(), 0);
	catch_stderr();
	assert_null(alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER + 1));
	assert_int_equal(__get_free_pages(GFP_KERNEL, 4000000000u), 0);
	assert_null(alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER + 1));
	assert_int_equal(caught_lines(), 1);
	assert_non_null(strstr(caught.text, "order 11"));
}

/* [6.7] */
static void test_unknown_flag_bits_are_ignored_with_one_line(void **state)
{
	struct page *page;

	(void)state;
	catch_stderr();
	page = alloc_page(GFP_KERNEL | 0x80000000u);
	assert_non_null(page);
	__free_page(page);
	page = alloc_page(GFP_KERNEL | 0xfe000000u);
	assert_non_null(page);
	__free_page(page);
	assert_int_equal(caught_lines(), 1);
	assert_non_null(strstr(caught.text, "0x80000000"));
}

/* [6.6] */
static void test_flags_that_exclude_each_other_are_named_once(void **state)
{
	int i;

	(void)state;
	catch_stderr();
	for (i = 0; i < 3; i++)
		__free_page(alloc_page(GFP_KERNEL | __GFP_MOVABLE | __GFP_RECLAIMABLE));
	assert_int_equal(caught_lines(), 1);
	assert_int_equal(gfp_migratetype(GFP_KERNEL | __GFP_MOVABLE | __GFP_RECLAIMABLE), MIGRATE_TYPES);
	catch_stderr();
	for (i = 0; i < 3; i++) {
		struct page *page = alloc_page(GFP_KERNEL | __GFP_DMA32 | __GFP_HIGHMEM);

		if (page)	/* there may be no memory below 4 GiB */
			__free_page(page);
	}
	assert_non_null((caught_lines(), strstr(caught.text, "more than one zone")));
}

/* [5.5] */
static void test_zones_and_migrate_types_of_flags(void **state)
{
	(void)state;
	assert_int_equal(gfp_zone(GFP_KERNEL), ZONE_NORMAL);
	assert_int_equal(gfp_zone(GFP_KERNEL | __GFP_DMA), ZONE_DMA);
	assert_int_equal(gfp_zone(GFP_KERNEL | __GFP_DMA32), ZONE_DMA32);
	assert_int_equal(gfp_zone(GFP_HIGHUSER), ZONE_HIGHMEM);
	assert_int_equal(gfp_zone(GFP_KERNEL | __GFP_MOVABLE), ZONE_NORMAL);
	assert_int_equal(gfp_zone(GFP_HIGHUSER_MOVABLE), ZONE_MOVABLE);
	assert_int_equal(gfp_zone(__GFP_MOVABLE | __GFP_DMA), ZONE_DMA);
	assert_int_equal(gfp_zone(__GFP_MOVABLE | __GFP_DMA32), ZONE_DMA32);
	assert_int_equal(gfp_migratetype(GFP_KERNEL), MIGRATE_UNMOVABLE);
	assert_int_equal(gfp_migratetype(GFP_HIGHUSER_MOVABLE), MIGRATE_MOVABLE);
	assert_int_equal(gfp_migratetype(GFP_TEMPORARY), MIGRATE_RECLAIMABLE);
}

/* [5.1] __GFP_HIGHMEM is dropped without a word. */
static void test_get_free_pages_strips_highmem_silently(void **state)
{
	unsigned long addr;

	(void)state;
	catch_stderr();
	addr = __get_free_pages(GFP_HIGHUSER, 3);
	assert_true(addr);
	free_pages(addr, 3);
	addr = __get_free_pages(GFP_KERNEL | __GFP_HIGHMEM | __GFP_DMA32, 0);
	free_pages(addr, 0);
	assert_int_equal(caught_lines(), 0);
}

/* [5.1] */
static void test_zeroed_pages_are_zero_after_dirtying(void **state)
{
	unsigned long addr;
	unsigned int order;
	int i;

	(void)state;
	for (order = 0; order <= 6; order++) {
		for (i = 0; i < 20; i++) {
			addr = __get_free_pages(GFP_KERNEL | __GFP_ZERO, order);
			assert_true(all_bytes((void *)addr, 0, page_bytes << order));
			memset((void *)addr, 0xff, page_bytes << order);
			free_pages(addr, order);
			addr = get_zeroed_page(GFP_KERNEL);
			assert_true(all_bytes((void *)addr, 0, page_bytes));
			memset((void *)addr, 0xff, page_bytes);
			free_page(addr);
		}
	}
}

/* [5.1] */
static void test_free_pages_of_0_does_nothing(void **state)
{
	unsigned long before = nr_free_pages();

	(void)state;
	catch_stderr();
	free_pages(0, 3);
	free_page(0);
	assert_int_equal(caught_lines(), 0);
	assert_int_equal(nr_free_pages(), before);
}

/* [5.1] get_order(n) = ceil(log2(n / PAGE_SIZE)) */
static void test_get_order(void **state)
{
	int order;

	(void)state;
	assert_int_equal(get_order(1), 0);
	assert_int_equal(get_order(page_bytes), 0);
	assert_int_equal(get_order(page_bytes + 1), 1);
	for (order = 1; order < 40; order++) {
		assert_int_equal(get_order(page_bytes << order), order);
		assert_int_equal(get_order((page_bytes << order) - 1), order);
		assert_int_equal(get_order((page_bytes << order) + 1), order + 1);
	}
}

/* [5.1], [5.2] */
static void test_split_pages_are_adjacent_ascending_and_alone(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL, 5), *p;
	char *addr = page_address(page);
	unsigned long before = nr_free_pages();
	unsigned int i;

	(void)state;
	split_page(page, 5);
	for (i = 0; i < 32; i++) {
		p = virt_to_page(addr + i * page_bytes);
		if (page_bytes == 4096)
			assert_ptr_equal(p, page + i);
		assert_ptr_equal(page_address(p), addr + i * page_bytes);
		assert_int_equal(page_count(p), 1);
		assert_int_equal(page_to_pfn(p), page_to_pfn(page) + i);
		memset(page_address(p), (int)i, page_bytes);
	}
	for (i = 0; i < 32; i += 2)
		__free_page(virt_to_page(addr + i * page_bytes));
	assert_int_equal(nr_free_pages(), before + 16);
	for (i = 1; i < 32; i += 2) {
		assert_true(all_bytes(addr + i * page_bytes, (int)i, page_bytes));
		free_page((unsigned long)addr + i * page_bytes);
	}
	assert_int_equal(nr_free_pages(), before + 32);
}

/* [5.1] */
static void test_a_compound_block_is_not_split(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);

	(void)state;
	catch_stderr();
	split_page(page, 2);
	assert_int_equal(caught_lines(), 1);
	assert_int_equal(compound_order(page), 2);
	put_page(page);
}

/* [5.1], [13.7 number 13] */
static void test_alloc_pages_exact_frees_the_excess(void **state)
{
	static const unsigned int pages[] = { 1, 2, 3, 5, 7, 8, 17, 31, 100, 513, 1023, 1024 };
	unsigned long before;
	unsigned int i;
	void *p;

	(void)state;
	/* the zone has grown */
	free_pages_exact(alloc_pages_exact(1024 * page_bytes, GFP_KERNEL), 1024 * page_bytes);
	before = nr_free_pages();
	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		p = alloc_pages_exact(pages[i] * page_bytes - i, GFP_KERNEL | __GFP_ZERO);
		assert_non_null(p);
		assert_int_equal(nr_free_pages(), before - pages[i]);
		assert_true(all_bytes(p, 0, pages[i] * page_bytes));
		memset(p, 1, pages[i] * page_bytes);
		free_pages_exact(p, pages[i] * page_bytes - i);
		assert_int_equal(nr_free_pages(), before);
	}
	catch_stderr();
	assert_null(alloc_pages_exact(1024 * page_bytes + 1, GFP_KERNEL | __GFP_NOWARN));
	assert_null(alloc_pages_exact(0, GFP_KERNEL | __GFP_NOWARN));
	assert_int_equal(caught_lines(), 0);
}

/* [5.1] */
static void test_alloc_pages_exact_strips_comp_and_highmem_with_one_line(void **state)
{
	void *p, *q;

	(void)state;
	catch_stderr();
	p = alloc_pages_exact(3 * page_bytes, GFP_KERNEL | __GFP_COMP);
	q = alloc_pages_exact(3 * page_bytes, GFP_HIGHUSER);
	assert_int_equal(caught_lines(), 1);
	assert_false(PageCompound(virt_to_page(p)));
	free_pages_exact(p, 3 * page_bytes);
	free_pages_exact(q, 3 * page_bytes);
}

/* [5.1] */
static void test_bulk_fills_null_slots_alone(void **state)
{
	struct page *array[20] = { NULL }, *mine[3] = { NULL };
	unsigned long before = nr_free_pages();
	int i, k;

	(void)state;
	for (i = 0; i < 3; i++)
		array[i * 5] = mine[i] = alloc_page(GFP_KERNEL);
	assert_int_equal(alloc_pages_bulk(GFP_KERNEL | __GFP_ZERO, 20, array), 20);
	assert_int_equal(nr_free_pages(), before - 20);
	for (i = 0; i < 20; i++) {
		assert_non_null(array[i]);
		if (i % 5 == 0 && i < 15)
			assert_ptr_equal(array[i], mine[i / 5]);
		for (k = 0; k < i; k++)
			assert_ptr_not_equal(array[i], array[k]);
	}
	assert_int_equal(alloc_pages_bulk(GFP_KERNEL, 20, array), 20);
	assert_int_equal(alloc_pages_bulk(GFP_KERNEL, 0, NULL), 0);
	for (i = 0; i < 20; i++)
		__free_page(array[i]);
	assert_int_equal(nr_free_pages(), before);
}

/* [13.5 lib/test_free_pages.c] */
static void test_free_pages_with_an_extra_reference_leaks_nothing(void **state)
{
	static const gfp_t flags[] = { GFP_KERNEL, GFP_KERNEL | __GFP_COMP };
	unsigned long before;
	int i, k;

	(void)state;
	__free_pages(alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER), MAX_PAGE_ORDER);
	before = nr_free_pages();
	for (k = 0; k < 2; k++) {
		for (i = 0; i < 20000; i++) {
			unsigned long addr = __get_free_pages(flags[k], 3);
			struct page *page = virt_to_page((void *)addr);

			get_page(page);
			free_pages(addr, 3);
			put_page(page);
		}
		assert_int_equal(nr_free_pages(), before);
	}
}

/* [5.2] */
static void test_an_extra_reference_keeps_the_first_page_of_a_plain_block(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL, 3);
	unsigned long before = nr_free_pages();

	(void)state;
	memset(page_address(page), 0x42, page_bytes << 3);
	get_page(page);
	__free_pages(page, 3);
	assert_int_equal(nr_free_pages(), before + 7);
	assert_int_equal(page_count(page), 1);
	assert_true(all_bytes(page_address(page), 0x42, page_bytes));
	put_page(page);
	assert_int_equal(nr_free_pages(), before + 8);
	assert_int_equal(page_count(page), 0);
}

/* [5.2], [6.1 COMP] */
static void test_a_compound_block_lives_until_its_last_reference(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 4), *last;
	char *addr = page_address(page);
	unsigned long before = nr_free_pages();

	(void)state;
	last = virt_to_page(addr + 15 * page_bytes);
	assert_true(PageCompound(page) && PageHead(page) && !PageTail(page));
	assert_true(PageCompound(last) && !PageHead(last) && PageTail(last));
	assert_int_equal(compound_order(page), 4);
	assert_int_equal(page_size(page), page_bytes << 4);
	assert_ptr_equal(compound_head(last), page);
	assert_ptr_equal(virt_to_head_page(addr + 7 * page_bytes + 5), page);
	get_page(last);
	assert_int_equal(page_count(page), 2);
	put_page(page);
	assert_int_equal(nr_free_pages(), before);
	memset(addr, 1, page_bytes << 4);
	put_page(last);
	assert_int_equal(nr_free_pages(), before + 16);
}

/* [6.1 COMP] */
static void test_pages_of_a_plain_block_have_no_head(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL, 2), *second;
	struct page *one = alloc_pages(GFP_KERNEL | __GFP_COMP, 0);

	(void)state;
	second = virt_to_page((char *)page_address(page) + page_bytes);
	assert_ptr_equal(compound_head(second), second);
	assert_ptr_equal(virt_to_head_page(page_address(second)), second);
	assert_false(PageCompound(page) || PageCompound(second) || PageCompound(one));
	assert_int_equal(compound_order(page), 0);
	assert_int_equal(page_size(page), page_bytes);
	__free_pages(page, 2);
	__free_page(one);
}

/* [5.2] */
static void test_a_compound_block_freed_with_a_wrong_order_is_one_line(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 3);
	unsigned long before = nr_free_pages();

	(void)state;
	catch_stderr();
	__free_pages(page, 1);
	assert_int_equal(caught_lines(), 1);
	assert_non_null(strstr(caught.text, "BUG: Bad page state in process"));
	assert_int_equal(nr_free_pages(), before + 8);
}

/* [5.2] */
static void test_too_small_an_order_leaks_the_tail(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL, 3);
	unsigned long before = nr_free_pages();

	(void)state;
	catch_stderr();
	__free_pages(page, 1);
	assert_int_equal(caught_lines(), 0);
	assert_int_equal(nr_free_pages(), before + 2);
}

/* [5.2] Here the block stays; the kernel frees memory that is not the caller's. */
static void test_too_large_an_order_is_one_line_and_frees_nothing(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL, 1);
	unsigned long before = nr_free_pages();

	(void)state;
	catch_stderr();
	__free_pages(page, 4);
	assert_int_equal(caught_lines(), 1);
	assert_int_equal(nr_free_pages(), before);
	__free_pages(page, 1);
}

/* [5.2] */
static void test_what_alloc_pages_did_not_return_is_one_line_each(void **state)
{
	unsigned long addr = __get_free_pages(GFP_KERNEL, 2), before;
	int on_stack;
	void *object = kmalloc(100, GFP_KERNEL), *large = kmalloc(1 << 20, GFP_KERNEL);

	(void)state;
	free_pages(addr, 2);
	before = nr_free_pages();
	catch_stderr();
	free_pages(addr, 2);			/* again */
	free_page(addr + page_bytes);
	free_page((unsigned long)&on_stack);
	free_page((unsigned long)object);
	free_page((unsigned long)large);
	free_page(page_bytes);
	free_page(~0ul - 5);
	__free_pages(NULL, 0);
	put_page(NULL);
	get_page(NULL);
	get_page(virt_to_page(object));
	put_page(virt_to_page(object));
	assert_int_equal(caught_lines(), 12);
	assert_int_equal(nr_free_pages(), before);
	addr = __get_free_pages(GFP_KERNEL | __GFP_COMP, 2);
	catch_stderr();
	free_page(addr + page_bytes);		/* a tail */
	assert_int_equal(caught_lines(), 1);
	free_pages(addr, 2);
	kfree(object);
	kfree(large);
}

/* [5.2] In a process of its own: it uses up the minute. */
static void test_at_most_60_bad_pages_are_reported_a_minute(void **state)
{
	unsigned long addr = __get_free_page(GFP_KERNEL);
	int i, status;

	(void)state;
	free_page(addr);
	catch_stderr();
	if (!fork()) {
		for (i = 0; i < 500; i++)
			free_page(addr);
		_exit(0);
	}
	wait(&status);
	assert_int_equal(status, 0);
	i = caught_lines();
	assert_true(i > 30 && i <= 60);
}

/* [5.1] */
static void test_alloc_pages_nolock_is_zeroed_and_compound(void **state)
{
	struct page *page;

	(void)state;
	free_pages(__get_free_pages(GFP_KERNEL, 5), 5);
	catch_stderr();
	page = alloc_pages_nolock(0, -1, 3);
	assert_non_null(page);
	assert_true(all_bytes(page_address(page), 0, page_bytes << 3));
	assert_int_equal(compound_order(page), 3);
	memset(page_address(page), 1, page_bytes << 3);
	free_pages_nolock(page, 3);
	page = alloc_pages_nolock(__GFP_ACCOUNT, 0, 3);
	assert_true(all_bytes(page_address(page), 0, page_bytes << 3));
	put_page(page);
	assert_null(alloc_pages_nolock(__GFP_ACCOUNT | __GFP_NOWARN, 0, 11));
	assert_int_equal(caught_lines(), 0);
}

/* [5.1], [6.1 THISNODE] This machine has one node. */
static void test_nodes(void **state)
{
	static const int nids[] = { -1, 0, 1, 77 };
	struct page *page;
	int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		page = alloc_pages_node(nids[i], GFP_KERNEL, 1);
		assert_non_null(page);
		assert_int_equal(page_to_nid(page), 0);
		__free_pages(page, 1);
		page = alloc_pages_node(nids[i], GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN, 1);
		if (nids[i] <= 0)
			assert_non_null(page);
		else
			assert_null(page);
		if (page)
			__free_pages(page, 1);
	}
}

/* [5.2], issue: virt_addr_valid, high_memory and the zone of a page answer. */
static void test_addresses_pages_and_frame_numbers_lead_to_each_other(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL, 2);
	char *addr = page_address(page), *object = kmalloc(200, GFP_KERNEL);
	void *area = kmalloc(1 << 21, GFP_KERNEL);
	int on_stack;

	(void)state;
	assert_ptr_equal(virt_to_page(addr + 100), page);
	assert_ptr_equal(pfn_to_page(page_to_pfn(page)), page);
	assert_int_equal(page_to_pfn(page), (unsigned long)addr / page_bytes);
	assert_ptr_equal(page_address(pfn_to_page(page_to_pfn(page) + 3)), addr + 3 * page_bytes);
	assert_ptr_equal(page_to_virt(page), addr);
	assert_true(virt_addr_valid(addr) && virt_addr_valid(addr + 3 * page_bytes + 1));
	assert_true(virt_addr_valid(object));
	assert_false(virt_addr_valid(&on_stack) || virt_addr_valid(NULL) || virt_addr_valid((void *)~0ul));
	assert_true((void *)addr < kmalloc_high_memory() && (void *)object < kmalloc_high_memory());
	assert_int_equal(page_zonenum(page), ZONE_NORMAL);
	assert_true(PageSlab(virt_to_head_page(object)) && !PageSlab(page));
	assert_true((char *)page_address(virt_to_head_page(object)) <= object);
	assert_null(virt_to_page(&on_stack));
	assert_true(totalram_pages() >= nr_free_pages() + 4);
	kfree(object);
	kfree(area);
	__free_pages(page, 2);
	assert_true(virt_addr_valid(addr));
}

static _Atomic unsigned int handler_failures;

static void page_handler(int sig)
{
	unsigned long addr = get_zeroed_page(GFP_KERNEL);

	(void)sig;
	if (!addr || !all_bytes((void *)addr, 0, page_bytes))
		handler_failures++;
	else
		memset((void *)addr, 0xdd, page_bytes);
	free_page(addr);
}

static const char *hammer(unsigned long seed)
{
	struct page *pages[16];
	unsigned int orders[16], n = 0, i, step;

	for (step = 0; step < 5000; step++) {
		if (n < 16 && next_random(&seed) % 2) {
			orders[n] = (unsigned int)(next_random(&seed) % 5);
			pages[n] = alloc_pages(GFP_KERNEL | (step % 2 ? __GFP_COMP : 0), orders[n]);
			if (!pages[n])
				return "alloc_pages does not fail";
			memset(page_address(pages[n]), (int)(seed & 0xff), page_bytes << orders[n]);
			orders[n] |= (unsigned int)(seed & 0xff) << 8;
			n++;
		} else if (n) {
			i = (unsigned int)(next_random(&seed) % n);
			if (!all_bytes(page_address(pages[i]), (int)(orders[i] >> 8),
				       page_bytes << (orders[i] & 0xff)))
				return "contents survive";
			__free_pages(pages[i], orders[i] & 0xff);
			pages[i] = pages[--n];
			orders[i] = orders[n];
		}
		if (step % 500 == 0)
			raise(SIGUSR1);
	}
	while (n--)
		__free_pages(pages[n], orders[n] & 0xff);
	return NULL;
}

static void *hammer_thread(void *arg)
{
	return (void *)(uintptr_t)hammer((unsigned long)arg * 7919 + 12345);
}

/* Threads, signal handlers in the middle of them, and forks meanwhile. */
static void test_threads_handlers_and_forks_share_the_zone(void **state)
{
	unsigned long used = totalram_pages() - nr_free_pages();
	pthread_t threads[3];
	void *error;
	long i;
	int status;

	(void)state;
	signal(SIGUSR1, page_handler);
	for (i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer_thread, (void *)i), 0);
	for (i = 0; i < 10; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(hammer(99) != NULL);
		pthread_kill(threads[i % 3], SIGUSR1);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	for (i = 0; i < 3; i++) {
		pthread_join(threads[i], &error);
		if (error)
			fail_msg("%s", (const char *)error);
	}
	assert_int_equal(handler_failures, 0);
	/* takes in what was freed while a fork held the lock */
	__free_pages(alloc_pages(GFP_KERNEL, 3), 3);
	assert_int_equal(totalram_pages() - nr_free_pages(), used);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks_are_aligned_to_their_size_with_one_reference),
		cmocka_unit_test(test_an_order_above_the_maximum_warns_once_and_is_null),
		cmocka_unit_test(test_unknown_flag_bits_are_ignored_with_one_line),
		cmocka_unit_test(test_flags_that_exclude_each_other_are_named_once),
		cmocka_unit_test(test_zones_and_migrate_types_of_flags),
		cmocka_unit_test(test_get_free_pages_strips_highmem_silently),
		cmocka_unit_test(test_zeroed_pages_are_zero_after_dirtying),
		cmocka_unit_test(test_free_pages_of_0_does_nothing),
		cmocka_unit_test(test_get_order),
		cmocka_unit_test(test_split_pages_are_adjacent_ascending_and_alone),
		cmocka_unit_test(test_a_compound_block_is_not_split),
		cmocka_unit_test(test_alloc_pages_exact_frees_the_excess),
		cmocka_unit_test(test_alloc_pages_exact_strips_comp_and_highmem_with_one_line),
		cmocka_unit_test(test_bulk_fills_null_slots_alone),
		cmocka_unit_test(test_free_pages_with_an_extra_reference_leaks_nothing),
		cmocka_unit_test(test_an_extra_reference_keeps_the_first_page_of_a_plain_block),
		cmocka_unit_test(test_a_compound_block_lives_until_its_last_reference),
		cmocka_unit_test(test_pages_of_a_plain_block_have_no_head),
		cmocka_unit_test(test_a_compound_block_freed_with_a_wrong_order_is_one_line),
		cmocka_unit_test(test_too_small_an_order_leaks_the_tail),
		cmocka_unit_test(test_too_large_an_order_is_one_line_and_frees_nothing),
		cmocka_unit_test(test_what_alloc_pages_did_not_return_is_one_line_each),
		cmocka_unit_test(test_at_most_60_bad_pages_are_reported_a_minute),
		cmocka_unit_test(test_alloc_pages_nolock_is_zeroed_and_compound),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_addresses_pages_and_frame_numbers_lead_to_each_other),
		cmocka_unit_test(test_threads_handlers_and_forks_share_the_zone),
	};

	page_bytes = (unsigned long)sysconf(_SC_PAGESIZE);
	return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}

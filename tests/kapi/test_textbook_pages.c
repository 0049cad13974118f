// SPDX-License-Identifier: MIT
/* Pages as text books show them, against the kernel's headers (kernel-semantics.md 5.1, 5.2). */
#include "linux.h"
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

/* Eight pages. */
static int eight_pages(void)
{
	unsigned long page;

	page = __get_free_pages(GFP_KERNEL, 3);
	if (!page)
		return -ENOMEM;
	/* 'page' is now the address of eight pages that follow each other */
	memset((void *)page, 0x5a, 8 * PAGE_SIZE);
	if (!IS_ALIGNED(page, 8 * PAGE_SIZE)) {
		free_pages(page, 3);
		return -EFAULT;
	}
	free_pages(page, 3);
	return 0;
}

static void eight_pages_follow_each_other(void **state)
{
	(void)state;
	assert_int_equal(eight_pages(), 0);
}

static void a_zeroed_page_is_zero(void **state)
{
	unsigned long dirty, page;
	int i;

	(void)state;
	for (i = 0; i < 10; i++) {
		dirty = __get_free_page(GFP_KERNEL);
		assert_true(dirty != 0);
		memset((void *)dirty, 0xff, PAGE_SIZE);
		free_page(dirty);
		page = get_zeroed_page(GFP_KERNEL);
		assert_true(page != 0);
		assert_null(memchr_inv((void *)page, 0, PAGE_SIZE));
		free_page(page);
	}
	free_page(0);
}

static void a_page_has_an_address_and_a_number(void **state)
{
	struct page *page;
	void *addr;

	(void)state;
	page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	assert_non_null(page);
	addr = page_address(page);
	assert_non_null(addr);
	assert_true(PAGE_ALIGNED(addr));
	assert_null(memchr_inv(addr, 0, PAGE_SIZE));
	assert_ptr_equal(virt_to_page(addr), page);
	assert_ptr_equal(virt_to_page((char *)addr + 100), page);
	assert_ptr_equal(virt_to_page((unsigned long)addr), page);
	assert_ptr_equal(pfn_to_page(page_to_pfn(page)), page);
	assert_int_equal(page_to_pfn(page), __pa(addr) >> PAGE_SHIFT);
	assert_int_equal(page_count(page), 1);
	__free_page(page);
}

/* 5.2: the last reference frees. */
static void references_keep_a_page(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);
	char *addr;

	(void)state;
	assert_non_null(page);
	assert_int_equal(compound_order(page), 2);
	addr = page_address(page);
	assert_ptr_equal(virt_to_head_page(addr + 3 * PAGE_SIZE), page);
	memset(addr, 1, 4 * PAGE_SIZE);
	get_page(page);
	assert_int_equal(page_count(page), 2);
	__free_pages(page, 2);
	assert_int_equal(page_count(page), 1);
	assert_null(memchr_inv(addr, 1, 4 * PAGE_SIZE));
	put_page(page);
}

static void blocks_are_split(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL, 2);
	unsigned long pfn;
	int i;

	(void)state;
	assert_non_null(page);
	pfn = page_to_pfn(page);
	split_page(page, 2);
	for (i = 0; i < 4; i++) {
		assert_int_equal(page_count(pfn_to_page(pfn + (unsigned long)i)), 1);
		__free_page(pfn_to_page(pfn + (unsigned long)i));
	}
}

static void exact_sizes_are_whole_pages(void **state)
{
	char *p = alloc_pages_exact(5 * PAGE_SIZE, GFP_KERNEL);

	(void)state;
	assert_non_null(p);
	memset(p, 3, 5 * PAGE_SIZE);
	free_pages_exact(p, 5 * PAGE_SIZE);
	assert_int_equal(get_order(1), 0);
	assert_int_equal(get_order(PAGE_SIZE), 0);
	assert_int_equal(get_order(PAGE_SIZE + 1), 1);
	assert_int_equal(get_order(5 * PAGE_SIZE), 3);
}

static void bulk_fills_the_gaps(void **state)
{
	struct page *pages[16] = { NULL };
	unsigned long n;
	int i;

	(void)state;
	pages[3] = alloc_page(GFP_KERNEL);
	assert_non_null(pages[3]);
	n = alloc_pages_bulk(GFP_KERNEL, ARRAY_SIZE(pages), pages);
	assert_int_equal(n, ARRAY_SIZE(pages));
	for (i = 0; i < (int)ARRAY_SIZE(pages); i++) {
		clear_highpage(pages[i]);
		__free_page(pages[i]);
	}
}

static void pages_are_mapped_for_a_moment(void **state)
{
	struct page *from = alloc_page(GFP_HIGHUSER), *to = alloc_page(GFP_HIGHUSER);
	char *addr;

	(void)state;
	assert_non_null(from);
	assert_non_null(to);
	addr = kmap(from);
	memset(addr, 9, PAGE_SIZE);
	kunmap(from);
	copy_highpage(to, from);
	zero_user(to, 0, 10);
	addr = kmap_local_page(to);
	assert_int_equal(addr[9], 0);
	assert_int_equal(addr[10], 9);
	kunmap_local(addr);
	__free_page(from);
	__free_page(to);
}

/* virt_addr_valid, high_memory and the zone of a page. */
static void addresses_are_known(void **state)
{
	struct page *page = alloc_page(GFP_KERNEL), *low = alloc_page(GFP_KERNEL | GFP_DMA);
	void *addr, *object = kmalloc(100, GFP_KERNEL);
	int here;

	(void)state;
	assert_non_null(page);
	assert_non_null(low);
	addr = page_address(page);
	assert_true(virt_addr_valid(addr));
	assert_true(virt_addr_valid(object));
	assert_true(virt_addr_valid((unsigned long)addr));
	assert_false(virt_addr_valid(&here));
	assert_false(virt_addr_valid(NULL));
	assert_true(high_memory > addr);
	assert_true(high_memory > object);
	assert_int_equal(page_zonenum(page), ZONE_NORMAL);
	assert_int_equal(page_zonenum(low), ZONE_DMA);
	assert_true((unsigned long)page_address(low) < 1ul << 31);
	__free_page(page);
	__free_page(low);
	kfree(object);
}

static void dma_pages_are_low(void **state)
{
	unsigned long page = __get_dma_pages(GFP_KERNEL, 1);

	(void)state;
	assert_true(page != 0);
	assert_true(page < 1ul << 31);
	free_pages(page, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eight_pages_follow_each_other),
		cmocka_unit_test(a_zeroed_page_is_zero),
		cmocka_unit_test(a_page_has_an_address_and_a_number),
		cmocka_unit_test(references_keep_a_page),
		cmocka_unit_test(blocks_are_split),
		cmocka_unit_test(exact_sizes_are_whole_pages),
		cmocka_unit_test(bulk_fills_the_gaps),
		cmocka_unit_test(pages_are_mapped_for_a_moment),
		cmocka_unit_test(addresses_are_known),
		cmocka_unit_test(dma_pages_are_low),
	};

	return cmocka_run_group_tests_name("textbook_pages", tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
/*
 * Blocks smaller than a pageblock and the page API, from inside: free lists, dirty masks, what is
 * left in the struct pages, large kmallocs, page lists. Sections of kernel-semantics.md in brackets.
 */
#include "unit.h"
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include "heap_walk.h"
#include "kernel/printk.h"
#include "mm/pages.h"
#include "mm/reclaim.h"
#include "mm/util.h"
#include "mm/watermark.h"
#include "init/init.h"
#include "kmalloc/mm.h"

#define NR_BLOCKS	600

struct snapshot {
	unsigned long nr_free[MAX_PAGE_ORDER + 1], free_pages, managed_pages;
	long used;
};

/* What lies in the calling thread's page lists goes to the zone. */
static void flush_lists(void)
{
	struct pcpu *c = cpu_enter();

	page_lists_flush(c);	/* the busy and the empty slot have none */
	cpu_leave(c);
}

static struct snapshot snapshot(void)
{
	struct snapshot s;
	unsigned int o;

	flush_lists();
	assert_true(zone_validate());
	for (o = 0; o <= MAX_PAGE_ORDER; o++)
		s.nr_free[o] = zone_normal.free_area[o].nr_free;
	s.free_pages = zone_normal.free_pages;
	s.managed_pages = zone_normal.managed_pages;
	s.used = atomic_load(&purge_state.used);
	return s;
}

static void assert_unchanged(struct snapshot before)
{
	struct snapshot after = snapshot();

	assert_memory_equal(&before, &after, sizeof(before));
}

/* In free blocks: the right list, dirty masks that say where a frame may be other than zero. */
static void check_free_frames(void)
{
	unsigned int o, dirty;
	struct page *page;
	long on_lru = 0;

	for (o = 0; o <= MAX_PAGE_ORDER; o++) {
		for (dirty = 0; dirty < 2; dirty++) {
			list_for_each_entry(page, &zone_normal.free_area[o].free_list[dirty], list) {
				unsigned long a, addr = page_address(page);
				bool any = false;

				for (a = addr; a < addr + (PAGE_SIZE << o); a += FRAME_SIZE) {
					bool set = *dirty_mask(a) >> (a >> FRAME_SHIFT) % PAGEBLOCK_FRAMES & 1;

					any |= set;
					if (!set)
						assert_true(all_bytes((void *)a, 0, FRAME_SIZE));
				}
				assert_int_equal(any, dirty);
				if (any && o < PAGEBLOCK_ORDER)
					assert_true(page->on_lru);
			}
		}
	}
	list_for_each_entry(page, &zone_normal.lru, lru) {
		u16 mask = *dirty_mask(page_address(page));

		if (page->state == PAGE_FREE && page->order < PAGEBLOCK_ORDER)
			mask &= (u16)(bit_range(0, (unsigned int)(PAGE_SIZE >> FRAME_SHIFT) << page->order)
				      << (page_address(page) >> FRAME_SHIFT) % PAGEBLOCK_FRAMES);
		on_lru += hweight64(mask);
	}
	assert_int_equal(on_lru, atomic_load(&purge_state.dirty));
}

/* A slab keeps bitmaps in the struct pages of its pageblock: free ones must be zero there. */
static void check_struct_pages(void)
{
	static const struct page zero;
	unsigned int o, dirty;
	struct page *page;

	for (o = PAGEBLOCK_ORDER; o <= MAX_PAGE_ORDER; o++)
		for (dirty = 0; dirty < 2; dirty++)
			list_for_each_entry(page, &zone_normal.free_area[o].free_list[dirty], list) {
				unsigned long i;

				for (i = 1; i < (PAGE_SIZE << o) >> FRAME_SHIFT; i++)
					if (i % PAGEBLOCK_FRAMES)
						assert_memory_equal(&page[i], &zero, sizeof(zero));
			}
}

static void shuffle(struct page **pages, unsigned int *orders, unsigned int n)
{
	for (; n > 1; n--) {
		unsigned int k = (unsigned int)random_below(n), o = orders[k];
		struct page *p = pages[k];

		pages[k] = pages[n - 1];
		orders[k] = orders[n - 1];
		pages[n - 1] = p;
		orders[n - 1] = o;
	}
}

/* [13.7 number 12] */
static void test_any_permutation_of_small_orders_restores_the_free_areas(void **state)
{
	struct page *pages[NR_BLOCKS];
	unsigned int orders[NR_BLOCKS], i, round;
	struct snapshot before;

	(void)state;
	pages[0] = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
	assert_non_null(pages[0]);
	__free_pages(pages[0], MAX_PAGE_ORDER);
	before = snapshot();
	for (round = 0; round < 8; round++) {
		for (i = 0; i < NR_BLOCKS; i++) {
			orders[i] = (unsigned int)random_below(round % 2 ? MAX(PAGEBLOCK_ORDER, 1u) : 6);
			pages[i] = alloc_pages(GFP_KERNEL | (i % 2 ? __GFP_COMP : 0), orders[i]);
			assert_non_null(pages[i]);
			assert_true(IS_ALIGNED(page_address(pages[i]), PAGE_SIZE << orders[i]));
			if (i % 3)
				memset((void *)page_address(pages[i]), 0xa5, PAGE_SIZE << orders[i]);
			if (i % 50 == 0)
				check_free_frames();
		}
		shuffle(pages, orders, NR_BLOCKS);
		for (i = 0; i < NR_BLOCKS; i++) {
			__free_pages(pages[i], orders[i]);
			if (i % 50 == 0) {
				assert_true(zone_validate());
				check_free_frames();
			}
			if (round >= 6 && i % 40 == 0)
				zone_purge_oldest();
		}
		check_struct_pages();
		if (zone_normal.managed_pages != before.managed_pages)
			before = snapshot();	/* the zone grew */
		else
			assert_unchanged(before);
	}
	flush_lists();
	assert_int_equal(zone_normal.free_pages, zone_normal.managed_pages);
	assert_int_equal(atomic_load(&purge_state.used), 0);
}

/* [5.1] */
static void test_zeroed_pages_of_any_order_are_zero_after_any_use(void **state)
{
	struct page *pages[80], *page;
	unsigned int orders[80], step, n = 0, i;

	(void)state;
	for (step = 0; step < 3000; step++) {
		unsigned int order = (unsigned int)random_below(random_below(8) ? 4 : 8);

		if (n < 80 && random_below(2)) {
			page = alloc_pages(GFP_KERNEL | (random_below(2) ? __GFP_ZERO : 0), order);
			assert_non_null(page);
			if (random_below(2)) {
				__free_pages(page, order);
				page = alloc_pages(GFP_KERNEL | __GFP_ZERO, order);
				assert_true(all_bytes((void *)page_address(page), 0, PAGE_SIZE << order));
			}
			memset((void *)page_address(page), 0x77, PAGE_SIZE << order);
			pages[n] = page;
			orders[n++] = order;
		} else if (n) {
			i = (unsigned int)random_below(n);
			__free_pages(pages[i], orders[i]);
			pages[i] = pages[--n];
			orders[i] = orders[n];
		}
		if (step % 16 == 0)
			zone_purge_oldest();
		if (step % 100 == 0)
			check_free_frames();
	}
	while (n--)
		__free_pages(pages[n], orders[n]);
	flush_lists();
	assert_true(zone_validate());
	purge_all();
	check_free_frames();
	assert_int_equal(atomic_load(&purge_state.dirty), 0);
}

static void test_free_pages_between_used_ones_are_given_back(void **state)
{
	struct page *pages[64];
	unsigned int i;

	(void)state;
	for (i = 0; i < 64; i++) {
		pages[i] = alloc_page(GFP_KERNEL);
		memset((void *)page_address(pages[i]), 3, PAGE_SIZE);
	}
	for (i = 0; i < 64; i += 2)
		__free_page(pages[i]);
	flush_lists();
	purge_all();
	assert_int_equal(atomic_load(&purge_state.dirty), 0);
	for (i = 1; i < 64; i += 2)
		assert_true(all_bytes((void *)page_address(pages[i]), 3, PAGE_SIZE));
	check_free_frames();
	for (i = 1; i < 64; i += 2)
		__free_page(pages[i]);
	assert_true(zone_validate());
}

/* A slab made where pages were, with all of its invariants. */
static void test_slabs_and_pages_take_turns_in_one_place(void **state)
{
	void *objects[2000];
	struct page *pages[300];
	unsigned int i, round;

	(void)state;
	for (round = 0; round < 6; round++) {
		for (i = 0; i < 300; i++)
			pages[i] = alloc_pages(GFP_KERNEL, i % 5);
		for (i = 0; i < 300; i++)
			__free_pages(pages[i], i % 5);
		for (i = 0; i < 2000; i++)
			objects[i] = kvmalloc_size(16 + i % 700);
		assert_int_equal(heap_walk(), 0);
		for (i = 0; i < 2000; i++)
			slab_free(objects[i]);
		assert_int_equal(heap_walk(), 0);
		trim_memory();
	}
	check_struct_pages();
	check_free_frames();
}

/* [5.2] */
static void test_an_extra_reference_keeps_only_page_0(void **state)
{
	struct snapshot before = snapshot();
	unsigned int order;

	(void)state;
	for (order = 1; order <= MAX_PAGE_ORDER; order++) {
		struct page *page = alloc_pages(GFP_KERNEL, order);
		unsigned long free_before;

		assert_non_null(page);
		get_page(page);
		assert_int_equal(page_count(page), 2);
		free_before = zone_normal.free_pages;
		__free_pages(page, order);
		assert_int_equal(zone_normal.free_pages, free_before + (1ul << order) - 1);
		assert_int_equal(page_count(page), 1);
		assert_true(zone_validate());
		put_page(page);
		assert_int_equal(page_count(page), 0);
	}
	assert_unchanged(before);
	check_struct_pages();
}

/* [5.2] */
static void test_the_last_reference_to_a_compound_block_frees_all_of_it(void **state)
{
	struct snapshot before = snapshot();
	unsigned int order;

	(void)state;
	for (order = 1; order <= MAX_PAGE_ORDER; order++) {
		struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, order);
		unsigned long free_before = (flush_lists(), zone_normal.free_pages);
		struct page *last = virt_to_page(page_address(page) + (PAGE_SIZE << order) - PAGE_SIZE);

		assert_ptr_equal(compound_head(last), page);
		get_page(last);
		assert_int_equal(page_count(page), 2);
		__free_pages(page, order);
		assert_int_equal(zone_normal.free_pages, free_before);
		assert_int_equal(page_count(last), 1);
		put_page(last);
		flush_lists();
		assert_int_equal(zone_normal.free_pages, free_before + (1ul << order));
	}
	assert_unchanged(before);
	check_struct_pages();
}

static struct {
	_Atomic(struct page *) page;
	_Atomic bool stop;
} handed;

static void *put_handed_pages(void *arg)
{
	(void)arg;
	while (!atomic_load(&handed.stop)) {
		struct page *page = atomic_exchange(&handed.page, NULL);

		if (page)
			put_page(page);
		else
			sched_yield();
	}
	return NULL;
}

/* [13.5 lib/test_free_pages.c], by two threads at once. */
static void test_whoever_drops_the_last_reference_nothing_leaks(void **state)
{
	struct snapshot before = snapshot();
	pthread_t thread;
	unsigned int i;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, put_handed_pages, NULL), 0);
	for (i = 0; i < 3000; i++) {
		struct page *page = alloc_pages(GFP_KERNEL | (i % 2 ? __GFP_COMP : 0), i % 5);

		get_page(page);
		atomic_store(&handed.page, page);
		__free_pages(page, i % 5);
		while (atomic_load(&handed.page))
			sched_yield();
	}
	atomic_store(&handed.stop, true);
	pthread_join(thread, NULL);
	assert_unchanged(before);
	check_struct_pages();
	check_free_frames();
}

/* [13.7 number 13] */
static void test_alloc_pages_exact_of_5_pages_leaves_3_free(void **state)
{
	struct snapshot before;
	void *p;

	(void)state;
	__free_pages(alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER), MAX_PAGE_ORDER);
	before = snapshot();
	p = alloc_pages_exact(5 * PAGE_SIZE, GFP_KERNEL);
	assert_non_null(p);
	flush_lists();
	assert_int_equal(zone_normal.free_pages, before.free_pages - 5);
	assert_int_equal(virt_to_page((unsigned long)p + 5 * PAGE_SIZE)->state, PAGE_FREE);
	assert_int_equal(virt_to_page((unsigned long)p + 6 * PAGE_SIZE)->state, PAGE_FREE);
	assert_true(zone_validate());
	free_pages_exact(p, 5 * PAGE_SIZE);
	assert_unchanged(before);
}

/* [5.3] Of a large block the lower half is kept: pages come in ascending order, side by side. */
static void test_pages_split_off_one_block_ascend(void **state)
{
	struct page *all[4096 + PAGE_LIST_BYTES / FRAME_SIZE], *pages[16];
	unsigned int i, n = 0;

	(void)state;
	flush_lists();
	purge_all();
	/* nothing free below a pageblock is left */
	while (n < 4096) {
		bool small = false;

		for (i = 0; i < PAGEBLOCK_ORDER; i++)
			small |= zone_normal.free_area[i].nr_free != 0;
		if (!small)
			break;
		all[n++] = alloc_page(GFP_KERNEL);
	}
	while (own_cpu && own_cpu->page_list[0].nr)
		all[n++] = alloc_page(GFP_KERNEL);
	for (i = 0; i < 16; i++)
		pages[i] = alloc_page(GFP_KERNEL);
	for (i = 1; i < 16; i++)
		assert_int_equal(page_address(pages[i]), page_address(pages[i - 1]) + PAGE_SIZE);
	for (i = 0; i < 16; i++)
		__free_page(pages[i]);
	while (n)
		__free_page(all[--n]);
	assert_true(zone_validate());
}

static void test_a_page_freed_without_the_lock_comes_back(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL, 2), *large = alloc_pages(GFP_KERNEL, 5);
	unsigned long before;

	(void)state;
	flush_lists();
	before = zone_normal.free_pages;
	assert_true(spin_lock(&zone_normal.lock));
	__free_pages(large, 5);
	__free_pages(page, 2);
	flush_lists();
	spin_unlock(&zone_normal.lock);
	assert_int_equal(zone_normal.free_pages, before);
	assert_true(zone_validate());
	assert_int_equal(zone_normal.free_pages, before + 4 + 32);
	check_struct_pages();
}

/* A signal handler that interrupted the holder of the zone lock. */
static void test_pages_come_from_the_system_where_the_lock_cannot_be_had(void **state)
{
	unsigned long used = (flush_lists(), zone_normal.managed_pages - zone_normal.free_pages);
	struct page *pages[MAX_PAGE_ORDER + 1];
	unsigned int o;

	(void)state;
	assert_true(spin_lock(&zone_normal.lock));
	for (o = 0; o <= MAX_PAGE_ORDER; o++) {
		pages[o] = alloc_pages(GFP_KERNEL | __GFP_ZERO, o);
		assert_non_null(pages[o]);
		assert_true(IS_ALIGNED(page_address(pages[o]), PAGE_SIZE << o));
		assert_true(all_bytes((void *)page_address(pages[o]), 0, PAGE_SIZE << o));
		memset((void *)page_address(pages[o]), 9, PAGE_SIZE << o);
		assert_null(alloc_pages(GFP_ATOMIC, o));
		assert_null(alloc_pages_nolock(0, -1, o));
	}
	spin_unlock(&zone_normal.lock);
	assert_true(zone_validate());
	for (o = 0; o <= MAX_PAGE_ORDER; o++)
		__free_pages(pages[o], o);
	flush_lists();
	assert_true(zone_validate());
	assert_int_equal(zone_normal.managed_pages - zone_normal.free_pages, used);
	check_free_frames();
	check_struct_pages();
	purge_all();
	check_free_frames();
}

static void test_large_kmallocs_are_found_by_free_and_ksize(void **state)
{
	struct alloc_context ac = kernel_request;
	struct page *page;
	size_t size;
	char *p;

	(void)state;
	for (size = 1; size <= PAGE_SIZE << MAX_PAGE_ORDER; size = size * 3 + 1) {
		unsigned long before = zone_normal.free_pages;

		ac.gfp = GFP_KERNEL | __GFP_ZERO;
		page = alloc_large_kmalloc(size, &ac);
		assert_non_null(page);
		p = (char *)page_address(page);
		assert_true(kvsize(p) >= size && kvsize(p) >= PAGEBLOCK_SIZE);
		assert_int_equal(kvsize(p), page_size(page));
		assert_true(all_bytes(p, 0, kvsize(p)));
		memset(p, 0x31, kvsize(p));
		assert_ptr_equal(virt_to_head_page(p + size - 1), page);
		assert_int_equal(class_of(p), CLASS_OTHER);
		if (zone_normal.free_pages < before)
			before -= kvsize(p) / PAGE_SIZE;
		else
			before = zone_normal.free_pages;
		slab_free(p);
		assert_int_equal(class_of(p), CLASS_FOREIGN);
		assert_true(zone_normal.free_pages > before);
	}
	assert_null(alloc_large_kmalloc((PAGE_SIZE << MAX_PAGE_ORDER) + 1, &ac));
	assert_true(zone_validate());
	check_struct_pages();
}

static void test_a_large_kmalloc_is_reallocated(void **state)
{
	struct alloc_context ac = kernel_request;
	char *p = (char *)page_address(alloc_large_kmalloc(300000, &ac)), *q;

	(void)state;
	fill_block(p, 300000, 5);
	assert_ptr_equal(kvrealloc_size(p, 400000), p);
	q = kvrealloc_size(p, 3000000);
	assert_ptr_not_equal(p, q);
	assert_true(check_block(q, 300000, 5));
	slab_free(q);
	p = (char *)page_address(alloc_large_kmalloc(300000, &ac));
	fill_block(p, 300000, 6);
	q = kvrealloc_size(p, 100);
	assert_true(check_block(q, 96, 6));
	slab_free(q);
	purge_all();		/* the vmalloc area too */
	assert_true(zone_validate());
}

static void test_a_large_kmalloc_freed_twice_is_reported(void **state)
{
	struct alloc_context ac = kernel_request;
	struct page *page = alloc_large_kmalloc(200000, &ac);
	const char *text;

	(void)state;
	panic_on_bug = false;
	catch_stderr();
	slab_free((void *)page_address(page));
	slab_free((void *)page_address(page));
	text = caught_text();
	assert_int_equal(count_lines(text), 1);
	assert_true(zone_validate());
}

static const char *hammer_pages(void *arg)
{
	uint64_t seed = 77 + (uint64_t)(uintptr_t)arg;
	struct page *pages[24];
	unsigned int orders[24], n = 0, i, step;

	for (step = 0; step < 4000; step++) {
		if (n < 24 && next_random(&seed) % 2) {
			orders[n] = (unsigned int)(next_random(&seed) % 6);
			pages[n] = alloc_pages(GFP_KERNEL | (step % 2 ? __GFP_COMP : 0) |
					       (step % 3 ? 0 : __GFP_ZERO), orders[n]);
			if (!pages[n] || (step % 3 == 0 && !all_bytes((void *)page_address(pages[n]), 0,
								     PAGE_SIZE << orders[n])))
				return "a zeroed page is zero";
			fill_block((void *)page_address(pages[n]), PAGE_SIZE << orders[n],
				   (uint64_t)(uintptr_t)pages[n]);
			n++;
		} else if (n) {
			i = (unsigned int)(next_random(&seed) % n);
			if (!check_block((void *)page_address(pages[i]), PAGE_SIZE << orders[i],
					 (uint64_t)(uintptr_t)pages[i]))
				return "contents survive";
			if (step % 5 == 0)
				get_page(pages[i]);
			__free_pages(pages[i], orders[i]);
			if (step % 5 == 0)
				put_page(pages[i]);
			pages[i] = pages[--n];
			orders[i] = orders[n];
		}
		if (step % 64 == 0)
			zone_purge_oldest();
	}
	while (n--)
		__free_pages(pages[n], orders[n]);
	return NULL;
}

static void *hammer(void *arg)
{
	return (void *)(uintptr_t)hammer_pages(arg);
}

static void test_threads_never_share_a_page(void **state)
{
	pthread_t threads[4];
	void *error;
	long i;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, (void *)i), 0);
	for (i = 0; i < 20; i++)
		assert_true(zone_validate());
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], &error);
		if (error)
			fail_msg("%s", (const char *)error);
	}
	assert_true(zone_validate());
	check_free_frames();
	check_struct_pages();
}

/* ---- page lists ---- */

static unsigned long blocks_listed(unsigned int order)
{
	return own_cpu->page_list[order].nr;
}

static unsigned int nr_lists(void)
{
	return MIN(NR_PAGE_LISTS, PAGEBLOCK_ORDER);
}

static void test_lists_are_filled_and_emptied_in_batches(void **state)
{
	struct snapshot before = snapshot();
	unsigned int order, i;

	(void)state;
	for (order = 0; order < nr_lists(); order++) {
		unsigned int batch = (unsigned int)(PAGEBLOCK_SIZE / PAGE_SIZE) >> order;
		unsigned long free_before = zone_normal.free_pages, nr_free = nr_free_pages();
		struct page *pages[PAGEBLOCK_FRAMES * 2 + 1];

		for (i = 0; i < batch; i++) {
			pages[i] = alloc_pages(GFP_KERNEL, order);
			assert_int_equal(zone_normal.free_pages, free_before - (batch << order));
			assert_int_equal(blocks_listed(order), batch - 1 - i);
			assert_int_equal(nr_free_pages(), nr_free - ((i + 1ul) << order));
		}
		for (; i < 2 * batch + 1; i++)
			pages[i] = alloc_pages(GFP_KERNEL, order);
		assert_int_equal(zone_normal.free_pages, free_before - (3 * batch << order));
		while (blocks_listed(order))	/* an empty list, all of its blocks in use */
			__free_pages(alloc_pages(GFP_KERNEL, order), order), flush_lists();
		for (i = 0; i < 2 * batch; i++)
			__free_pages(pages[i], order);
		assert_int_equal(blocks_listed(order), 2 * batch);
		__free_pages(pages[i], order);
		assert_int_equal(blocks_listed(order), batch + 1);
		assert_int_equal(nr_free_pages(), nr_free);
		flush_lists();
		assert_int_equal(zone_normal.free_pages, free_before);
	}
	assert_unchanged(before);
	check_struct_pages();
}

/* The last one freed comes first, ready for the flags of the next request. */
static void test_a_listed_block_serves_any_flags(void **state)
{
	unsigned int order, i;

	(void)state;
	for (order = 0; order < nr_lists(); order++) {
		struct page *page = alloc_pages(GFP_KERNEL, order);

		for (i = 0; i < 16; i++) {
			gfp_t gfp = GFP_KERNEL | (i & 1 ? __GFP_COMP : 0) | (i & 2 ? __GFP_ZERO : 0);
			struct page *tail = page + ((PAGE_SIZE << order) - PAGE_SIZE) / FRAME_SIZE;

			memset((void *)page_address(page), 0x5c, PAGE_SIZE << order);
			__free_pages(page, order);
			assert_int_equal(page_count(page), 0);
			assert_ptr_equal(alloc_pages(i & 4 ? gfp : gfp & ~__GFP_RECLAIM, order), page);
			assert_int_equal(page_count(page), 1);
			assert_int_equal(compound_order(page), i & 1 ? order : 0);
			assert_int_equal(PageTail(tail), order && i & 1);
			assert_ptr_equal(compound_head(tail), i & 1 ? page : tail);
			if (i & 2)
				assert_true(all_bytes((void *)page_address(page), 0, PAGE_SIZE << order));
		}
		__free_pages(page, order);
	}
	flush_lists();
	assert_true(zone_validate());
	check_struct_pages();
}

static void test_a_listed_block_freed_again_is_reported(void **state)
{
	unsigned int order;

	(void)state;
	for (order = 0; order < nr_lists(); order++) {
		struct page *page = alloc_pages(GFP_KERNEL, order);
		unsigned long n;

		__free_pages(page, order);
		n = blocks_listed(order);
		catch_stderr();
		__free_pages(page, order);
		free_pages(page_address(page), order);
		get_page(page);
		put_page(page);
		assert_int_equal(count_lines(caught_text()), 4);
		assert_int_equal(blocks_listed(order), n);
	}
	flush_lists();
	assert_true(zone_validate());
}

static void test_requests_for_another_zone_pass_the_lists_by(void **state)
{
	struct page *page = alloc_page(GFP_KERNEL), *low;
	unsigned long n;

	(void)state;
	__free_page(page);
	n = blocks_listed(0);
	low = alloc_page(GFP_KERNEL | __GFP_DMA32);
	assert_non_null(low);
	assert_true(page_address(low) < ZONE_DMA32_END);
	assert_int_equal(blocks_listed(0), n);
	__free_page(low);
	assert_int_equal(blocks_listed(0), n);
	page = alloc_page(GFP_KERNEL);
	assert_true(page_address(page) >= ZONE_DMA32_END);
	__free_page(page);
}

/* What a batch brought and nobody used goes back as clean as it came. */
static void test_unused_blocks_of_a_batch_stay_clean(void **state)
{
	struct page *page;

	(void)state;
	flush_lists();
	purge_all();
	page = alloc_page(GFP_KERNEL);
	assert_true(blocks_listed(0) > 0);
	flush_lists();
	assert_int_equal(atomic_load(&purge_state.dirty), 0);
	__free_page(page);
	flush_lists();
	assert_int_equal(atomic_load(&purge_state.dirty), PAGE_SIZE >> FRAME_SHIFT);
	check_free_frames();
}

static void test_with_a_limit_there_are_no_lists(void **state)
{
	unsigned long committed;
	struct page *page;

	(void)state;
	flush_lists();
	committed = mem_committed();
	mem_state.limit = mem_state.managed = 1ul << 30;
	page = alloc_page(GFP_KERNEL);
	assert_int_equal(mem_committed(), committed + 1);
	assert_int_equal(blocks_listed(0), 0);
	/* the list has room from before */
	memset(own_cpu->page_list, 0, sizeof(own_cpu->page_list));
	__free_page(page);
	assert_int_equal(mem_committed(), committed);
	assert_int_equal(blocks_listed(0), 0);
	mem_state.limit = NO_LIMIT;
	mem_state.managed = 0;
}

static void test_who_asks_for_the_sheaves_gets_the_lists_too(void **state)
{
	unsigned long free_before;

	(void)state;
	flush_lists();
	free_before = zone_normal.free_pages;
	__free_pages(alloc_pages(GFP_KERNEL, 1), 1);
	assert_true(zone_normal.free_pages < free_before);
	trim_memory();
	assert_true(zone_normal.free_pages >= free_before);
	__free_pages(alloc_pages(GFP_KERNEL, 1), 1);
	WRITE_ONCE(own_cpu->flush_request, true);
	__free_pages(alloc_pages(GFP_KERNEL, 1), 1);	/* both hit */
	assert_true(own_cpu->flush_request);
	__free_pages(alloc_pages(GFP_KERNEL, 0), 0);	/* this one misses */
	assert_false(own_cpu->flush_request);
	assert_int_equal(blocks_listed(1), 0);
	flush_lists();
}

static _Atomic int listed_state;

static void *hold_listed_pages(void *arg)
{
	(void)arg;
	__free_pages(alloc_pages(GFP_KERNEL, 0), 0);
	atomic_store(&listed_state, 1);
	while (atomic_load(&listed_state) == 1)
		sched_yield();
	return NULL;
}

/* Nothing of the lists of threads that are gone can be trusted: lost, and counted. */
static int child_without_lists(unsigned long lost)
{
	struct pcpu *c;

	for_each_cpu(c)
		if (c != own_cpu && c->page_list[0].nr)
			return 1;
	if (own_cpu->page_list[0].nr != PAGEBLOCK_SIZE / PAGE_SIZE)
		return 2;
	if (atomic_load(&nr_lost_objects) < lost + PAGEBLOCK_SIZE / PAGE_SIZE)
		return 3;
	flush_lists();
	return zone_validate() ? 0 : 4;
}

static void test_a_child_has_the_lists_of_its_thread_alone(void **state)
{
	unsigned long lost = atomic_load(&nr_lost_objects), free_before;
	pthread_t thread;
	int status;
	pid_t pid;

	(void)state;
	start_kernel();
	flush_lists();
	free_before = zone_normal.free_pages;
	assert_int_equal(pthread_create(&thread, NULL, hold_listed_pages, NULL), 0);
	while (!atomic_load(&listed_state))
		sched_yield();
	__free_pages(alloc_pages(GFP_KERNEL, 0), 0);
	pid = fork();
	if (!pid)
		_exit(child_without_lists(lost));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	atomic_store(&listed_state, 2);
	pthread_join(thread, NULL);
	assert_int_equal(status, 0);
	flush_lists();
	assert_int_equal(zone_normal.free_pages, free_before);	/* the thread's end gave its own back */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages_split_off_one_block_ascend),
		cmocka_unit_test(test_any_permutation_of_small_orders_restores_the_free_areas),
		cmocka_unit_test(test_zeroed_pages_of_any_order_are_zero_after_any_use),
		cmocka_unit_test(test_free_pages_between_used_ones_are_given_back),
		cmocka_unit_test(test_slabs_and_pages_take_turns_in_one_place),
		cmocka_unit_test(test_an_extra_reference_keeps_only_page_0),
		cmocka_unit_test(test_the_last_reference_to_a_compound_block_frees_all_of_it),
		cmocka_unit_test(test_whoever_drops_the_last_reference_nothing_leaks),
		cmocka_unit_test(test_alloc_pages_exact_of_5_pages_leaves_3_free),
		cmocka_unit_test(test_a_page_freed_without_the_lock_comes_back),
		cmocka_unit_test(test_large_kmallocs_are_found_by_free_and_ksize),
		cmocka_unit_test(test_a_large_kmalloc_is_reallocated),
		cmocka_unit_test(test_a_large_kmalloc_freed_twice_is_reported),
		cmocka_unit_test(test_threads_never_share_a_page),
		cmocka_unit_test(test_pages_come_from_the_system_where_the_lock_cannot_be_had),
		cmocka_unit_test(test_lists_are_filled_and_emptied_in_batches),
		cmocka_unit_test(test_a_listed_block_serves_any_flags),
		cmocka_unit_test(test_a_listed_block_freed_again_is_reported),
		cmocka_unit_test(test_requests_for_another_zone_pass_the_lists_by),
		cmocka_unit_test(test_unused_blocks_of_a_batch_stay_clean),
		cmocka_unit_test(test_with_a_limit_there_are_no_lists),
		cmocka_unit_test(test_who_asks_for_the_sheaves_gets_the_lists_too),
		cmocka_unit_test(test_a_child_has_the_lists_of_its_thread_alone),
	};

	mm_init();
	return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}

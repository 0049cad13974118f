// SPDX-License-Identifier: MIT
/* The buddy allocator: blocks against a map of all frames, its counts, and what purging leaves. */
#include "unit.h"
#include "heap_walk.h"

#define MAX_BLOCKS 400

struct block {
	struct page *page;
	unsigned int order;
};

static void snapshot(unsigned long counts[MAX_PAGE_ORDER + 2])
{
	unsigned int o;

	assert_true(zone_validate());
	for (o = 0; o <= MAX_PAGE_ORDER; o++)
		counts[o] = zone_normal.free_area[o].nr_free;
	counts[o] = zone_normal.free_pages;
}

static struct block take(unsigned int order)
{
	struct block b = { alloc_block(order, &kernel_request), order };

	assert_non_null(b.page);
	assert_int_equal(b.page->state, PAGE_USED);
	assert_int_equal(b.page->order, order);
	assert_true(IS_ALIGNED(page_address(b.page), PAGE_SIZE << order));
	assert_ptr_equal(virt_to_page(page_address(b.page)), b.page);
	return b;
}

static bool overlap(struct block a, struct block b)
{
	unsigned long x = page_address(a.page), y = page_address(b.page);

	return x < y + (PAGE_SIZE << b.order) && y < x + (PAGE_SIZE << a.order);
}

static void put(struct block b)
{
	free_block(b.page, b.order);
	assert_true(atomic_load(&purge_state.dirty) >= 0);
}

/* The program used the block, and its holder says so. */
static void dirty_block(struct block b, int value)
{
	unsigned long a, addr = page_address(b.page);

	memset((void *)addr, value, PAGE_SIZE << b.order);
	for (a = addr; a < addr + (PAGE_SIZE << b.order); a += PAGEBLOCK_SIZE)
		*dirty_mask(a) = 0xffff;
}

static void any_order_of_frees_restores_the_counts(void **state)
{
	unsigned long before[MAX_PAGE_ORDER + 2], after[MAX_PAGE_ORDER + 2], chunks;
	struct block blocks[MAX_BLOCKS], tmp;
	unsigned int i, k, round;

	(void)state;
	for (i = 0; i < MAX_BLOCKS; i++)	/* the zone grows once */
		blocks[i] = take(i % (MAX_PAGE_ORDER + 1));
	for (i = 0; i < MAX_BLOCKS; i++)
		put(blocks[i]);
	snapshot(before);
	chunks = zone_normal.nr_chunks;
	for (round = 0; round < 6; round++) {
		for (i = 0; i < MAX_BLOCKS; i++) {
			/* large ones first: else fragments could make the zone grow */
			blocks[i] = take(MAX_PAGE_ORDER - i * (MAX_PAGE_ORDER + 1) / MAX_BLOCKS);
			if (i % 16 == 0)
				assert_true(zone_validate());
		}
		for (i = 0; i < MAX_BLOCKS; i++)
			for (k = 0; k < i; k++)
				assert_false(overlap(blocks[i], blocks[k]));
		for (i = MAX_BLOCKS - 1; i; i--) {
			k = (unsigned int)random_below(i + 1);
			tmp = blocks[i];
			blocks[i] = blocks[k];
			blocks[k] = tmp;
		}
		for (i = 0; i < MAX_BLOCKS; i++) {
			put(blocks[i]);
			if (i % 16 == 0)
				assert_true(zone_validate());
		}
		assert_int_equal(zone_normal.nr_chunks, chunks);
		snapshot(after);
		assert_memory_equal(before, after, sizeof(before));
	}
	assert_int_equal(zone_normal.free_pages, zone_normal.managed_pages);
	assert_int_equal(atomic_load(&purge_state.used), 0);
}

static void random_use_never_overlaps(void **state)
{
	struct block blocks[100];
	unsigned int i, k, step, n = 0;

	(void)state;
	for (step = 0; step < 4000; step++) {
		if (n < 100 && (n == 0 || random_below(2))) {
			blocks[n] = take((unsigned int)random_below(MAX_PAGE_ORDER - 1));
			for (i = 0; i < n; i++)
				assert_false(overlap(blocks[i], blocks[n]));
			n++;
		} else {
			k = (unsigned int)random_below(n);
			put(blocks[k]);
			blocks[k] = blocks[--n];
		}
		assert_true(zone_validate());
	}
	while (n)
		put(blocks[--n]);
	assert_true(zone_validate());
	assert_int_equal(zone_normal.free_pages, zone_normal.managed_pages);
}

static void a_clean_mask_means_that_the_frame_reads_zero(void **state)
{
	struct block blocks[40];
	unsigned int i, n = 0, step;

	(void)state;
	for (step = 0; step < 600; step++) {
		if (n < 40 && random_below(2)) {
			struct block b = take(PAGEBLOCK_ORDER + (unsigned int)random_below(5));
			unsigned long a, addr = page_address(b.page);

			for (a = addr; a < addr + (PAGE_SIZE << b.order); a += FRAME_SIZE)
				if (!(*dirty_mask(a) >> (a >> FRAME_SHIFT) % PAGEBLOCK_FRAMES & 1))
					assert_true(all_bytes((void *)a, 0, FRAME_SIZE));
			if (random_below(3))
				dirty_block(b, 0x55);
			blocks[n++] = b;
		} else if (n) {
			i = (unsigned int)random_below(n);
			put(blocks[i]);
			blocks[i] = blocks[--n];
		}
		if (step % 10 == 0)
			zone_purge_oldest();
		assert_true(zone_validate());
		assert_true(atomic_load(&purge_state.dirty) >= 0);
	}
	while (n)
		put(blocks[--n]);
	purge_all();
	assert_int_equal(atomic_load(&purge_state.dirty), 0);
}

static void purged_blocks_read_zero_and_are_clean(void **state)
{
	struct block b = take(MAX_PAGE_ORDER);
	unsigned long a, addr = page_address(b.page);

	(void)state;
	dirty_block(b, 0xee);
	put(b);
	assert_true(atomic_load(&purge_state.dirty) >= (long)(PAGE_SIZE >> FRAME_SHIFT) << MAX_PAGE_ORDER);
	assert_true(zone_oldest_seq() != ULONG_MAX);
	purge_all();
	assert_true(zone_oldest_seq() == ULONG_MAX);
	assert_int_equal(atomic_load(&purge_state.dirty), 0);
	for (a = addr; a < addr + (PAGE_SIZE << MAX_PAGE_ORDER); a += PAGEBLOCK_SIZE)
		assert_int_equal(*dirty_mask(a), 0);
	assert_true(all_bytes((void *)addr, 0, PAGE_SIZE << MAX_PAGE_ORDER));
	assert_true(zone_validate());
}

static void the_oldest_is_purged_first(void **state)
{
	struct block a = take(MAX_PAGE_ORDER), b = take(MAX_PAGE_ORDER), c = take(MAX_PAGE_ORDER);
	unsigned long frames = (PAGE_SIZE >> FRAME_SHIFT) << MAX_PAGE_ORDER;

	(void)state;
	dirty_block(a, 1);
	dirty_block(b, 2);
	dirty_block(c, 3);
	put(b);
	put(c);
	put(a);
	assert_int_equal(zone_purge_oldest(), frames);
	assert_int_equal(*dirty_mask(page_address(b.page)), 0);
	assert_int_equal(*dirty_mask(page_address(c.page)), 0xffff);
	assert_int_equal(zone_purge_oldest(), frames);
	assert_int_equal(*dirty_mask(page_address(c.page)), 0);
	assert_int_equal(*dirty_mask(page_address(a.page)), 0xffff);
	purge_all();
}

static void blocks_below_a_pageblock_keep_the_dirty_count(void **state)
{
	struct block b;
	unsigned int o;
	unsigned long addr;

	(void)state;
	purge_all();
	for (o = 0; o < PAGEBLOCK_ORDER; o++) {
		b = take(o);
		addr = page_address(b.page);
		memset((void *)addr, 1, PAGE_SIZE << o);
		*dirty_mask(addr) |= (u16)bit_range((unsigned int)(addr >> FRAME_SHIFT) % PAGEBLOCK_FRAMES,
						    (unsigned int)(PAGE_SIZE >> FRAME_SHIFT) << o);
		put(b);
		purge_all();
		assert_int_equal(atomic_load(&purge_state.dirty), 0);
	}
}

static void a_block_freed_without_the_lock_comes_back_with_the_next_holder(void **state)
{
	struct block b = take(6);
	unsigned long before = zone_normal.free_pages;

	(void)state;
	assert_true(spin_lock(&zone_normal.lock));
	free_block(b.page, b.order);		/* as a signal handler would, that interrupted the holder */
	assert_int_equal(zone_normal.free_pages, before);
	spin_unlock(&zone_normal.lock);
	assert_true(zone_validate());
	assert_int_equal(zone_normal.free_pages, before + (1ul << 6));
}

static void without_the_lock_there_is_no_block(void **state)
{
	(void)state;
	assert_true(spin_lock(&zone_normal.lock));
	assert_null(alloc_block(4, &kernel_request));
	spin_unlock(&zone_normal.lock);
	assert_true(zone_validate());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order_of_frees_restores_the_counts),
		cmocka_unit_test(random_use_never_overlaps),
		cmocka_unit_test(a_clean_mask_means_that_the_frame_reads_zero),
		cmocka_unit_test(purged_blocks_read_zero_and_are_clean),
		cmocka_unit_test(the_oldest_is_purged_first),
		cmocka_unit_test(a_block_freed_without_the_lock_comes_back_with_the_next_holder),
		cmocka_unit_test(without_the_lock_there_is_no_block),
		cmocka_unit_test(blocks_below_a_pageblock_keep_the_dirty_count),
	};

	return cmocka_run_group_tests_name("page_alloc", tests, NULL, NULL);
}

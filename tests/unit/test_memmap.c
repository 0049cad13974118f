// SPDX-License-Identifier: MIT
/* From an address to what is known of it: class map, leaves, mem_map. */
#include "unit.h"
#include "mm/memmap.h"
#include "mm/meta.h"

/* Made-up addresses: the maps take them for what they are told, nothing lies there. */
#define GIB	(1ul << 30)
#define PLACE	(0x123ul << LEAF_SHIFT)

static void foreign_pointers_have_class_zero_and_no_page(void **state)
{
	static int here;
	const void *foreign[] = { NULL, (void *)1, &here, &state, (void *)(PLACE - 1), (void *)~0ul, (void *)(1ul << 47),
				  (void *)((LEVEL1_ENTRIES << LEAF_SHIFT) - 1), (void *)(1ul << 63) };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(foreign); i++) {
		assert_int_equal(class_of(foreign[i]), CLASS_FOREIGN);
		if (!is_user_address(foreign[i]))
			assert_null(leaf_of((unsigned long)foreign[i]));
		assert_null(virt_to_page((unsigned long)foreign[i]));
	}
}

static void class_of_each_byte_of_a_pageblock_is_its_own(void **state)
{
	unsigned long a = PLACE + 5 * PAGEBLOCK_SIZE;

	(void)state;
	assert_true(memmap_add_leaves(a, PAGEBLOCK_SIZE));
	set_class(a, 17);
	assert_int_equal(class_of((void *)a), 17);
	assert_int_equal(class_of((void *)(a + PAGEBLOCK_SIZE - 1)), 17);
	assert_int_equal(class_of((void *)(a - 1)), CLASS_FOREIGN);
	assert_int_equal(class_of((void *)(a + PAGEBLOCK_SIZE)), CLASS_FOREIGN);
	assert_int_equal(class_of((void *)(a + GIB)), CLASS_FOREIGN);
	set_class(a, CLASS_FOREIGN);
	assert_int_equal(class_of((void *)a), CLASS_FOREIGN);
}

static void the_zero_leaf_stays_zero(void **state)
{
	unsigned long a = PLACE + 2 * GIB;

	(void)state;
	assert_true(memmap_add_leaves(a, PAGEBLOCK_SIZE));
	set_class(a, 3);
	assert_true(all_bytes(hot_data.zero, 0, sizeof(hot_data.zero)));
	assert_true(all_bytes(hot_data.busy, 0, sizeof(hot_data.busy)));
	set_class(a, 0);
}

static void ranges_get_every_leaf_and_section_they_touch(void **state)
{
	unsigned long a = PLACE + 10 * GIB - SECTION_SIZE - PAGEBLOCK_SIZE, b;

	(void)state;
	assert_null(leaf_of(a));
	assert_true(memmap_add_sections(a, 3 * SECTION_SIZE));
	assert_non_null(leaf_of(a));
	assert_non_null(leaf_of(a + 3 * SECTION_SIZE - 1));
	for (b = a; b < a + 3 * SECTION_SIZE; b += FRAME_SIZE)
		assert_non_null(virt_to_page(b));
	assert_null(virt_to_page(a - SECTION_SIZE));
	assert_null(virt_to_page(ALIGN_UP(a + 3 * SECTION_SIZE, SECTION_SIZE)));
}

static void frames_of_a_section_have_pages_side_by_side(void **state)
{
	unsigned long a = PLACE + 20 * GIB;
	struct page *first;
	unsigned long i;

	(void)state;
	assert_true(memmap_add_sections(a, SECTION_SIZE));
	first = virt_to_page(a);
	for (i = 0; i < SECTION_FRAMES; i++)
		assert_ptr_equal(virt_to_page(a + i * FRAME_SIZE + 123), first + i);
	assert_true(IS_ALIGNED((unsigned long)first, 64));
	assert_true(all_bytes(first, 0, SECTION_FRAMES * sizeof(struct page)));
}

static void adding_again_changes_nothing(void **state)
{
	unsigned long a = PLACE + 30 * GIB, bytes;
	struct map_leaf *leaf;
	struct page *page;

	(void)state;
	assert_true(memmap_add_sections(a, SECTION_SIZE));
	leaf = leaf_of(a);
	page = virt_to_page(a);
	*dirty_mask(a) = 0x1234;
	*vm_index(a) = 99;
	page->order = 7;
	bytes = meta_bytes();
	assert_true(memmap_add_sections(a, SECTION_SIZE));
	assert_true(memmap_add_leaves(a, GIB));
	assert_ptr_equal(leaf_of(a), leaf);
	assert_ptr_equal(virt_to_page(a), page);
	assert_int_equal(*dirty_mask(a), 0x1234);
	assert_int_equal(*vm_index(a), 99);
	assert_int_equal(page->order, 7);
	assert_int_equal(meta_bytes(), bytes);
}

static void what_no_program_can_have_is_refused(void **state)
{
	(void)state;
	assert_false(memmap_add_leaves(LEVEL1_ENTRIES << LEAF_SHIFT, PAGEBLOCK_SIZE));
	assert_false(memmap_add_leaves((LEVEL1_ENTRIES << LEAF_SHIFT) - PAGEBLOCK_SIZE, 2 * PAGEBLOCK_SIZE));
	assert_false(memmap_add_sections(~0ul - PAGEBLOCK_SIZE, 2 * PAGEBLOCK_SIZE));
}

static struct {
	unsigned long n, sum;
} seen;

static void count_block(struct page *page, unsigned long addr, void *arg)
{
	assert_ptr_equal(arg, &seen);
	assert_ptr_equal(virt_to_page(addr), page);
	if (addr >= PLACE + 40 * GIB && addr < PLACE + 41 * GIB) {
		seen.n++;
		seen.sum += addr;
	}
}

static void the_walk_visits_each_pageblock_once(void **state)
{
	unsigned long a = PLACE + 40 * GIB, n = 2 * SECTION_SIZE / PAGEBLOCK_SIZE;

	(void)state;
	assert_true(memmap_add_sections(a, SECTION_SIZE));
	assert_true(memmap_add_sections(a + 3 * SECTION_SIZE, SECTION_SIZE));
	memmap_for_each_block(count_block, &seen);
	assert_int_equal(seen.n, n);
	assert_int_equal(seen.sum, n / 2 * a + n / 2 * (a + 3 * SECTION_SIZE) +
			 2 * PAGEBLOCK_SIZE * (n / 2 * (n / 2 - 1) / 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(foreign_pointers_have_class_zero_and_no_page),
		cmocka_unit_test(class_of_each_byte_of_a_pageblock_is_its_own),
		cmocka_unit_test(the_zero_leaf_stays_zero),
		cmocka_unit_test(ranges_get_every_leaf_and_section_they_touch),
		cmocka_unit_test(frames_of_a_section_have_pages_side_by_side),
		cmocka_unit_test(adding_again_changes_nothing),
		cmocka_unit_test(what_no_program_can_have_is_refused),
		cmocka_unit_test(the_walk_visits_each_pageblock_once),
	};

	return cmocka_run_group_tests_name("memmap", tests, NULL, NULL);
}

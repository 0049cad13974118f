// SPDX-License-Identifier: MIT
/* The kmalloc size classes, default and classic: every size, every offset, the limits of a slab. */
#include "unit.h"
#include "mm/pcpu.h"

static const unsigned int default_sizes[] = {
#define KMALLOC_SIZE(n) n,
#include "mm/kmalloc_sizes.h"
#undef KMALLOC_SIZE
};

/* Stand behind the default ones and serve malloc from there on, where no alignment is asked for. */
static const unsigned int staggered_sizes[] = {
#define KMALLOC_STAGGERED_SIZE(n) n,
#include "mm/kmalloc_sizes.h"
#undef KMALLOC_STAGGERED_SIZE
};

static const unsigned int classic_sizes[] = {
#define KMALLOC_CLASSIC_SIZE(n) n,
#include "mm/kmalloc_sizes.h"
#undef KMALLOC_CLASSIC_SIZE
};

struct set {
	const unsigned int *sizes;
	unsigned int n;
	bool classic;
	unsigned int staggered;		/* classes behind the n */
};

static const struct set sets[] = {
	{ classic_sizes, ARRAY_SIZE(classic_sizes), true, 0 },
	{ default_sizes, ARRAY_SIZE(default_sizes), false, ARRAY_SIZE(staggered_sizes) },	/* last: the process goes on with it */
};

#define for_each_set(s) for (s = sets; s < sets + ARRAY_SIZE(sets) && (kmalloc_caches_init(s->classic), true); s++)

static void sizes_ascend_and_number_at_most_62(void **state)
{
	const struct set *s;
	unsigned int i;

	(void)state;
	for_each_set(s) {
		assert_true(s->n + s->staggered <= 62);
		assert_int_equal(nr_kmalloc_caches, s->n + s->staggered);
		for (i = 0; i < nr_kmalloc_caches; i++) {
			unsigned int size = i < s->n ? s->sizes[i] : staggered_sizes[i - s->n];

			assert_true(!i || i == s->n || size > kmalloc_caches[i].size);
			assert_int_equal(kmalloc_caches[i + 1].size, size);
			assert_int_equal(kmalloc_caches[i + 1].index, i + 1);
		}
		assert_int_equal(s->sizes[0], 8);
		assert_int_equal(s->sizes[s->n - 1], KMALLOC_MAX_CACHE_SIZE);
	}
}

static void every_size_has_the_smallest_natural_class_that_holds_it(void **state)
{
	const struct set *s;
	unsigned int class;
	size_t size;

	(void)state;
	for_each_set(s) {
		for (size = 0, class = 1; size <= KMALLOC_MAX_CACHE_SIZE; size++) {
			while (kmalloc_caches[class].size < size)
				class++;
			if (natural_size_class(size) != class)
				fail_msg("size %zu has class %u, not %u", size, natural_size_class(size), class);
		}
	}
}

/* Without an alignment: the natural class, or the smallest staggered one that holds it, a little larger. */
static void every_size_has_a_class_that_holds_it_and_little_more(void **state)
{
	const struct set *s;
	size_t size;

	(void)state;
	for_each_set(s) {
		bool staggered = false;

		for (size = 0; size <= KMALLOC_MAX_CACHE_SIZE; size++) {
			unsigned int class = size_class(size);

			assert_true(class >= 1 && class <= nr_kmalloc_caches);
			if (class <= s->n) {
				assert_int_equal(class, natural_size_class(size));
				assert_false(staggered);
				continue;
			}
			staggered = true;
			if (kmalloc_caches[class].size < size || (class > s->n + 1 && kmalloc_caches[class - 1].size >= size))
				fail_msg("size %zu has class %u of %u", size, class, kmalloc_caches[class].size);
			assert_true(kmalloc_caches[class].size <= kmalloc_caches[natural_size_class(size)].size + 128);
		}
		assert_int_equal(staggered, s->staggered != 0);
	}
}

static void objects_above_eight_bytes_are_aligned_to_sixteen(void **state)
{
	const struct set *s;
	unsigned int i;

	(void)state;
	for_each_set(s)
		for (i = 2; i <= nr_kmalloc_caches; i++)
			assert_int_equal(kmalloc_caches[i].size % 16, 0);
}

static void a_multiple_of_a_power_of_two_has_a_class_that_is_one(void **state)
{
	const struct set *s;
	size_t align, size;

	(void)state;
	for_each_set(s)
		for (align = 1; align <= KMALLOC_MAX_CACHE_SIZE; align *= 2)
			for (size = align; size <= KMALLOC_MAX_CACHE_SIZE; size += align)
				assert_int_equal(kmalloc_caches[natural_size_class(size)].size % align, 0);
}

static void default_classes_waste_at_most_a_fifth(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 9; i < ARRAY_SIZE(default_sizes); i++)
		assert_true((default_sizes[i] - default_sizes[i - 1] - 1) * 5 <= default_sizes[i]);
}

static void reciprocal_gives_the_object_of_every_offset(void **state)
{
	const struct set *s;
	unsigned int i;

	(void)state;
	for_each_set(s) {
		for (i = 1; i <= nr_kmalloc_caches; i++) {
			struct kmem_cache *c = &kmalloc_caches[i];
			unsigned long end = c->blocks * PAGEBLOCK_SIZE, offset, number = 0, rest = 0;

			for (offset = 0; offset < end; offset++) {
				if ((offset * c->reciprocal >> 40) != number)
					fail_msg("%s: offset %lu gives object %lu", c->name, offset,
						 (unsigned long)(offset * c->reciprocal >> 40));
				if (++rest == c->size) {
					rest = 0;
					number++;
				}
			}
		}
	}
}

static void slabs_and_sheaves_keep_their_limits(void **state)
{
	const struct set *s;
	unsigned int i;

	(void)state;
	for_each_set(s) {
		for (i = 1; i <= nr_kmalloc_caches; i++) {
			struct kmem_cache *c = &kmalloc_caches[i];

			assert_true(is_power_of_2(c->blocks));
			assert_true((unsigned long)c->objects * c->size <= c->blocks * PAGEBLOCK_SIZE);
			assert_true(c->objects >= SLAB_MIN_OBJECTS && c->objects <= SLAB_MAX_OBJECTS);
			/* no room for one more, unless the bitmaps are full */
			assert_true(c->objects == SLAB_MAX_OBJECTS ||
				    (c->objects + 1ul) * c->size > c->blocks * PAGEBLOCK_SIZE);
			/* one pageblock less (a half) would not do */
			assert_true(c->blocks == 1 ||
				    c->blocks / 2 * PAGEBLOCK_SIZE < (unsigned long)SLAB_MIN_OBJECTS * c->size);
			assert_true(PAGEBLOCK_ORDER + ilog2(c->blocks) <= MAX_PAGE_ORDER);
			assert_true(c->sheaf_capacity >= 2 && c->sheaf_capacity <= SHEAF_MOST);
			assert_true(c->sheaf_capacity == 2 || c->sheaf_capacity * c->size <= SHEAF_MAX_BYTES);
			assert_true(c->max_objects >= 1 && c->max_objects <= BARN_MAX_OBJECTS);
			assert_true(c->max_objects == 1 || c->max_objects * c->size <= BARN_MAX_BYTES);
		}
	}
}

static void names_tell_the_size(void **state)
{
	unsigned int i;

	(void)state;
	kmalloc_caches_init(false);
	for (i = 1; i <= nr_kmalloc_caches; i++) {
		struct kmem_cache *c = &kmalloc_caches[i];
		unsigned int n = 0;
		char unit = '\0';

		assert_true(sscanf(c->name, "kmalloc-%u%c", &n, &unit) >= 1);
		assert_int_equal(unit == 'k' ? n * 1024 : n, c->size);
	}
}

static void the_bitmaps_hold_the_largest_slab(void **state)
{
	(void)state;
	assert_true(SLAB_HEAD_SIZE + 2 * SLAB_MAP_WORDS * 8 <= PAGEBLOCK_FRAMES * sizeof(struct page));
	assert_true(SLAB_MAX_OBJECTS == SLAB_MAP_WORDS * 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_ascend_and_number_at_most_62),
		cmocka_unit_test(every_size_has_the_smallest_natural_class_that_holds_it),
		cmocka_unit_test(every_size_has_a_class_that_holds_it_and_little_more),
		cmocka_unit_test(objects_above_eight_bytes_are_aligned_to_sixteen),
		cmocka_unit_test(a_multiple_of_a_power_of_two_has_a_class_that_is_one),
		cmocka_unit_test(default_classes_waste_at_most_a_fifth),
		cmocka_unit_test(reciprocal_gives_the_object_of_every_offset),
		cmocka_unit_test(slabs_and_sheaves_keep_their_limits),
		cmocka_unit_test(names_tell_the_size),
		cmocka_unit_test(the_bitmaps_hold_the_largest_slab),
	};

	return cmocka_run_group_tests_name("size classes", tests, NULL, NULL);
}

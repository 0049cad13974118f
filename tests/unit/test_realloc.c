// SPDX-License-Identifier: MIT
/* realloc: contents against a shadow, what stays in place, what moves, what fails. */
#include "unit.h"
#include "heap_walk.h"
#include "mm/area_cache.h"
#include "mm/gfp_policy.h"
#include "mm/reclaim.h"
#include "mm/util.h"
#include "kernel/params.h"
#include "kernel/printk.h"

#include <errno.h>

#define KIB 1024ul
#define MIB (1024 * KIB)

static void resize_checked(size_t from, size_t to)
{
	char *p = kvmalloc_size(from), *q;

	assert_non_null(p);
	fill_block(p, from & ~7ul, from);
	q = kvrealloc_size(p, to);
	assert_non_null(q);
	if (!check_block(q, MIN(from, to) & ~7ul, from))
		fail_msg("contents lost from %zu to %zu", from, to);
	memset(q, 1, to);
	assert_true(kvsize(q) >= to);
	slab_free(q);
}

static void contents_survive_between_all_kinds_of_sizes(void **state)
{
	static const size_t sizes[] = { 1, 8, 9, 100, 1024, 1025, 4096, 20000, 131072, 131073, 200000, 262144, 300000,
					MIB, MIB + 1, 3 * MIB, 9 * MIB };
	unsigned int i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (k = 0; k < ARRAY_SIZE(sizes); k++)
			resize_checked(sizes[i], sizes[k]);
	assert_int_equal(heap_walk(), 0);
	assert_int_equal(all_live_objects(), 0);
}

static void the_same_class_stays_in_place(void **state)
{
	size_t size;
	char *p;

	(void)state;
	for (size = 1; size <= KMALLOC_MAX_CACHE_SIZE; size += 1 + size / 7) {
		p = kvmalloc_size(size);
		assert_ptr_equal(kvrealloc_size(p, size), p);
		slab_free(p);
	}
}

static void a_block_grows_in_place_to_its_usable_size(void **state)
{
	static const size_t aligns[] = { 1, 4096 };
	size_t size;
	char *p, *q;
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(aligns); i++) {
		for (size = 1; size <= KMALLOC_MAX_CACHE_SIZE; size += 1 + size / 7) {
			p = kvmalloc_aligned(aligns[i], size);
			q = kvrealloc_size(p, kvsize(p));
			slab_free(q);
			assert_ptr_equal(q, p);
		}
		p = kvmalloc_aligned(aligns[i], KMALLOC_MAX_CACHE_SIZE);
		q = kvrealloc_size(p, kvsize(p));
		slab_free(q);
		assert_ptr_equal(q, p);
	}
}

static void random_resizing_follows_the_shadow(void **state)
{
	static struct { char *p; size_t size; uint64_t seed; } shadow[100];
	unsigned int i, k;

	(void)state;
	for (i = 0; i < 12000; i++) {
		size_t size = 1 + (random_below(10) ? random_below(5000) : random_below(600 * KIB));
		char *p;

		k = (unsigned int)random_below(ARRAY_SIZE(shadow));
		if (!shadow[k].p) {
			shadow[k].p = kvmalloc_size(size);
		} else {
			if (!check_block(shadow[k].p, shadow[k].size & ~7ul, shadow[k].seed))
				fail_msg("a block of %zu bytes was overwritten", shadow[k].size);
			p = kvrealloc_size(shadow[k].p, size);
			assert_non_null(p);
			if (!check_block(p, MIN(size, shadow[k].size) & ~7ul, shadow[k].seed))
				fail_msg("contents lost from %zu to %zu", shadow[k].size, size);
			shadow[k].p = p;
		}
		shadow[k].size = size;
		shadow[k].seed = i;
		fill_block(shadow[k].p, size & ~7ul, i);
		if (i % 1000 == 0)
			assert_int_equal(heap_walk(), 0);
	}
	for (k = 0; k < ARRAY_SIZE(shadow); k++)
		slab_free(shadow[k].p);
	trim_memory();
	assert_int_equal(heap_walk(), 0);
	assert_int_equal(all_live_objects(), 0);
	assert_int_equal(atomic_load(&purge_state.used), 0);
	assert_int_equal(atomic_load(&purge_state.dirty), 0);
}

static void growth_step_by_step_keeps_every_byte(void **state)
{
	size_t size = 1, done = 0;
	unsigned char *p = kvmalloc_size(1), *wall;

	(void)state;
	while (size < 40 * MIB) {
		for (; done < size; done++)
			p[done] = (unsigned char)(done * 7 + (done >> 8));
		wall = kvmalloc_size(150 * KIB);
		size += size / 3 + 1;
		p = kvrealloc_size(p, size);
		assert_non_null(p);
		assert_int_equal(p[done - 1], (unsigned char)((done - 1) * 7 + ((done - 1) >> 8)));
		slab_free(wall);
	}
	for (size = 0; size < done; size++)
		if (p[size] != (unsigned char)(size * 7 + (size >> 8)))
			fail_msg("byte %zu was lost", size);
	slab_free(p);
}

static void two_areas_growing_in_turn_keep_their_contents(void **state)
{
	size_t size = 200 * KIB;
	char *a = kvmalloc_size(size), *b = kvmalloc_size(size);

	(void)state;
	while (size < 12 * MIB) {
		size_t more = size + 90 * KIB;

		fill_block(a, size, 1);
		fill_block(b, size, 2);
		a = kvrealloc_size(a, more);
		b = kvrealloc_size(b, more);
		assert_true(a && b);
		assert_true(check_block(a, size, 1));
		assert_true(check_block(b, size, 2));
		size = more + size / 4;
		size &= ~7ul;
		a = kvrealloc_size(a, size);
		b = kvrealloc_size(b, size);
	}
	slab_free(a);
	slab_free(b);
	assert_int_equal(heap_walk(), 0);
}

static void what_cannot_be_leaves_the_block_as_it_was(void **state)
{
	static const size_t from[] = { 100, 50000, 400000 };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(from); i++) {
		char *p = kvmalloc_size(from[i]);

		fill_block(p, from[i], 9);
		errno = 0;
		assert_null(kvrealloc_size(p, SIZE_MAX - 100));
		assert_int_equal(errno, ENOMEM);
		errno = 0;
		assert_null(kvrealloc_size(p, 1ul << 60));
		assert_int_equal(errno, ENOMEM);
		assert_true(check_block(p, from[i], 9));
		slab_free(p);
	}
	assert_int_equal(heap_walk(), 0);
	assert_int_equal(all_live_objects(), 0);
}

static void interior_and_foreign_pointers_are_reported(void **state)
{
	static int here;
	char *p = kvmalloc_size(300), *q = kvmalloc_size(500000);

	(void)state;
	catch_stderr();
	assert_null(kvrealloc_size(p + 16, 301));
	assert_null(kvrealloc_size(q + 65536, 100));
	assert_null(kvrealloc_size(&here, 100));
	assert_int_equal(count_lines(caught_text()), 3);
	slab_free(p);
	slab_free(q);
	assert_int_equal(heap_walk(), 0);
	assert_int_equal(all_live_objects(), 0);
}

/* The same for a new size of another class: nothing may be copied from the middle of an object. */
static void an_interior_pointer_is_reported_before_it_is_copied(void **state)
{
	char *p = kvmalloc_size(300);
	const char *text;
	void *q;

	(void)state;
	catch_stderr();
	q = kvrealloc_size(p + 16, 3000);
	trim_memory();
	text = caught_text();
	assert_non_null(strstr(text, "16 bytes inside the object at"));
	assert_null(q);
	slab_free(p);
	trim_memory();
	assert_int_equal(all_live_objects(), 0);
}

/* Memory that was used before lies behind the blocks; what they grow by must not show it. */
static void grow_over_old_contents(void)
{
	char *p, *old = kvmalloc_size(4 * MIB);
	size_t size = 200 * KIB, i;

	memset(old, 0xee, 4 * MIB);
	slab_free(old);
	p = kvmalloc_size(size);
	memset(p, 1, size);
	while (size < 3 * MIB) {
		size_t more = size + size / 50 + 5000;

		p = kvrealloc_size(p, more);
		assert_non_null(p);
		for (i = size; i < more; i++)
			if (p[i])
				fail_msg("byte %zu is old after the growth from %zu to %zu", i, size, more);
		memset(p, 1, more);
		size = more;
	}
	slab_free(p);
}

/* 6.7: every block zeroed; 10.9 */
static void what_a_block_grows_by_is_zero_where_all_memory_is(void **state)
{
	(void)state;
	params_init("init_on_alloc");
	area_cache_blocks = 0;	/* as with these from the start */
	area_cache_flush(own_cpu);
	grow_over_old_contents();
	params_init(NULL);
	gfp_policy_init("GFP_KERNEL|__GFP_ZERO");
	grow_over_old_contents();
	gfp_policy_init(NULL);
	area_cache_init();
}

/* A staggered class is larger than the largest that a typed cache has. */
static void a_policy_chooses_a_cache_for_the_largest_size_too(void **state)
{
	void *p;

	(void)state;
	gfp_policy_init("+__GFP_ACCOUNT");
	p = kvmalloc_size(128 * KIB);
	gfp_policy_init(NULL);
	assert_non_null(p);
	assert_in_range(kvsize(p), 128 * KIB, 129 * KIB);
	slab_free(p);
}

static void the_class_alone_tells_where_objects_begin(void **state)
{
	unsigned long base, offset;
	unsigned int i;
	void *p;

	(void)state;
	for (i = 1; i <= nr_kmalloc_caches; i++) {
		struct kmem_cache *s = &kmalloc_caches[i];

		if (s->size > KMALLOC_MAX_CACHE_SIZE)
			continue;
		p = slab_alloc(i, s->size, s->size % 1024 ? GFP_MALLOC : GFP_MALLOC | __GFP_NATURAL);
		assert_non_null(p);
		base = virt_to_slab((unsigned long)p)->base;
		for (offset = 0; offset < s->blocks * PAGEBLOCK_SIZE; offset++) {
			bool starts = offset % s->size == 0 && offset / s->size < s->objects;

			if ((class_info_at((void *)(base + offset)) != NULL) != starts)
				fail_msg("%lu bytes into a slab of %s", offset, s->name);
		}
		slab_free(p);
	}
}

#define T(f) cmocka_unit_test_setup(f, quiet_heap)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(contents_survive_between_all_kinds_of_sizes),
		T(the_same_class_stays_in_place),
		T(a_block_grows_in_place_to_its_usable_size),
		T(the_class_alone_tells_where_objects_begin),
		T(random_resizing_follows_the_shadow),
		T(growth_step_by_step_keeps_every_byte),
		T(two_areas_growing_in_turn_keep_their_contents),
		T(what_cannot_be_leaves_the_block_as_it_was),
		T(interior_and_foreign_pointers_are_reported),
		T(an_interior_pointer_is_reported_before_it_is_copied),
		T(a_policy_chooses_a_cache_for_the_largest_size_too),
		T(what_a_block_grows_by_is_zero_where_all_memory_is),
	};

	return cmocka_run_group_tests_name("realloc", tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
/*
 * What the system may refuse: the calls of os.h are wrapped (ld --wrap), so that each can be made to fail. mremap fails
 * here as it does in kernels before 6.17: the place that was to be replaced is unmapped already.
 */
#include "unit.h"
#include "heap_walk.h"
#include "mm/reclaim.h"
#include "mm/util.h"

#include <errno.h>

#define KIB 1024ul
#define MIB (1024 * KIB)

static unsigned int refuse_remap, refuse_dontneed, refuse_unmap, refuse_map;	/* as many calls fail */
static unsigned int refused;

bool wrapped_remap(void *from, size_t from_size, void *to, size_t to_size) __asm__("__wrap_km_os_remap");
bool real_remap(void *from, size_t from_size, void *to, size_t to_size) __asm__("__real_km_os_remap");
bool wrapped_dontneed(void *p, size_t size) __asm__("__wrap_km_os_dontneed");
bool real_dontneed(void *p, size_t size) __asm__("__real_km_os_dontneed");
bool wrapped_unmap(void *p, size_t size) __asm__("__wrap_km_os_unmap");
bool real_unmap(void *p, size_t size) __asm__("__real_km_os_unmap");
void *wrapped_map(void *hint, size_t size) __asm__("__wrap_km_os_map");
void *real_map(void *hint, size_t size) __asm__("__real_km_os_map");
void *wrapped_map_aligned(size_t size, size_t align) __asm__("__wrap_km_os_map_aligned");
void *real_map_aligned(size_t size, size_t align) __asm__("__real_km_os_map_aligned");

static bool refuse(unsigned int *left)
{
	if (!*left)
		return false;
	--*left;
	refused++;
	return true;
}

bool wrapped_remap(void *from, size_t from_size, void *to, size_t to_size)
{
	if (!refuse(&refuse_remap))
		return real_remap(from, from_size, to, to_size);
	real_unmap(to, to_size);
	return false;
}

bool wrapped_dontneed(void *p, size_t size)
{
	return !refuse(&refuse_dontneed) && real_dontneed(p, size);
}

bool wrapped_unmap(void *p, size_t size)
{
	return !refuse(&refuse_unmap) && real_unmap(p, size);
}

void *wrapped_map(void *hint, size_t size)
{
	return refuse(&refuse_map) ? NULL : real_map(hint, size);
}

void *wrapped_map_aligned(size_t size, size_t align)
{
	return refuse(&refuse_map) ? NULL : real_map_aligned(size, align);
}

static int quiet(void **state)
{
	(void)state;
	refuse_remap = refuse_dontneed = refuse_unmap = refuse_map = 0;
	slab_free(kvmalloc_size(1));
	trim_memory();
	refused = 0;
	return heap_walk() || all_live_objects() ? -1 : 0;
}

/* Every byte of every area is there: a missing page would end the test. */
static void touch_free_areas(void)
{
	void *p[80];
	unsigned int i;

	for (i = 0; i < 80; i++) {
		p[i] = kvmalloc_size(140 * KIB + i * 20 * KIB);
		memset(p[i], 1, kvsize(p[i]));
	}
	for (i = 0; i < 80; i++)
		slab_free(p[i]);
}

static void a_move_that_is_refused_loses_nothing(void **state)
{
	unsigned int times;

	(void)state;
	for (times = 1; times <= 20; times++) {
		size_t size = 700 * KIB + times * 100 * KIB;
		char *p = kvmalloc_size(size), *wall = kvmalloc_size(140 * KIB), *q;

		fill_block(p, size, times);
		refused = 0;
		refuse_remap = times;
		q = kvrealloc_size(p, 3 * size);
		refuse_remap = 0;
		assert_non_null(q);
		assert_true(q == p || refused > 0);
		assert_true(check_block(q, size, times));
		memset(q, 2, kvsize(q));
		touch_free_areas();
		assert_true(all_bytes(q, 2, kvsize(q)));
		slab_free(q);
		slab_free(wall);
		assert_int_equal(heap_walk(), 0);
	}
}

static void memory_that_cannot_be_given_back_stays_usable(void **state)
{
	static char *p[200];
	unsigned int i, round;

	(void)state;
	for (round = 0; round < 6; round++) {
		for (i = 0; i < 200; i++) {
			p[i] = kvmalloc_size(i % 2 ? 20000 : 300000);
			memset(p[i], 0xff, kvsize(p[i]));
		}
		for (i = 0; i < 200; i++)
			slab_free(p[i]);
		refused = 0;
		refuse_dontneed = 1u << round;
		refuse_unmap = round;
		alarm(20);
		trim_memory();		/* must end */
		alarm(0);
		assert_true(refused > 0);
		refuse_dontneed = refuse_unmap = 0;
		for (i = 0; i < 200; i++) {
			size_t size = i % 2 ? 20000 : 300000;

			p[i] = kvzalloc_size(size);
			assert_true(all_bytes(p[i], 0, size));
		}
		for (i = 0; i < 200; i++)
			slab_free(p[i]);
		alarm(20);
		trim_memory();
		alarm(0);
		assert_int_equal(heap_walk(), 0);
	}
}

static void without_memory_requests_fail_and_the_heap_is_whole(void **state)
{
	static char *p[3000];
	unsigned int i, n = 0, times;

	(void)state;
	for (times = 1; times <= 12; times++) {
		for (i = 0; i < 3000; i++) {
			size_t size = i % 100 == 0 ? 3 * MIB : i % 3 ? 100 : 30000;

			if (i == 50)
				refuse_map = 100000;
			if (i == 50 + times * 100)
				refuse_map = 0;
			errno = 0;
			p[i] = i % 2 ? kvmalloc_size(size) : kvzalloc_size(size);
			if (!p[i]) {
				assert_int_equal(errno, ENOMEM);
				n++;
				continue;
			}
			fill_block(p[i], size, i);
		}
		refuse_map = 0;
		for (i = 0; i < 3000; i++) {
			assert_true(!p[i] || check_block(p[i], i % 100 == 0 ? 3 * MIB : i % 3 ? 100 : 30000, i));
			slab_free(p[i]);
		}
		trim_memory();
		assert_int_equal(heap_walk(), 0);
		assert_int_equal(all_live_objects(), 0);
	}
	assert_true(n > 0);
}

static void a_failed_growth_leaves_the_block(void **state)
{
	char *p = kvmalloc_size(500 * KIB);

	(void)state;
	fill_block(p, 500 * KIB, 3);
	refuse_map = 1000;
	errno = 0;
	assert_null(kvrealloc_size(p, 900 * MIB));
	assert_int_equal(errno, ENOMEM);
	refuse_map = 0;
	assert_true(check_block(p, 500 * KIB, 3));
	slab_free(p);
	assert_int_equal(heap_walk(), 0);
}

static void shrinking_works_without_memory(void **state)
{
	char *p = kvmalloc_size(5 * MIB), *q;

	(void)state;
	fill_block(p, 5 * MIB, 3);
	refuse_map = 1000;
	q = kvrealloc_size(p, 100);
	assert_non_null(q);
	assert_true(check_block(q, 96, 3));
	q = kvrealloc_size(q, 10);
	assert_non_null(q);
	assert_true(check_block(q, 8, 3));
	refuse_map = 0;
	slab_free(q);
	assert_int_equal(heap_walk(), 0);
}

#define T(f) cmocka_unit_test_setup(f, quiet)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_failed_growth_leaves_the_block),
		T(shrinking_works_without_memory),
		T(without_memory_requests_fail_and_the_heap_is_whole),
		T(memory_that_cannot_be_given_back_stays_usable),
		T(a_move_that_is_refused_loses_nothing),
	};

	return cmocka_run_group_tests_name("refused", tests, NULL, NULL);
}

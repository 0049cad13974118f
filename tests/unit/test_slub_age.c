// SPDX-License-Identifier: MIT
/* What lies in sheaves and barns that nobody uses any more: it goes back, and what is used stays. */
#include "unit.h"
#include "heap_walk.h"
#include "kernel/printk.h"
#include "mm/reclaim.h"
#include "mm/util.h"
#include "kmalloc/slab.h"

#include <pthread.h>

#define BATCH		300u	/* more than the sheaves of a slot hold at first: it misses */
#define TURNS		2000u	/* batches, in which a slot looks at all of its caches often */

static struct kmem_cache *class_of_size(size_t size)
{
	return &kmalloc_caches[size_class(size)];
}

static unsigned int held(struct kmem_cache *s)
{
	struct cpu_cache *cc = cpu_cache(own_cpu, s);

	return (unsigned int)(cc->top - cc->start) + (cc->spare ? cc->spare->count : 0);
}

static void batch(size_t size, unsigned int n)
{
	void *p[BATCH];
	unsigned int i;

	for (i = 0; i < n; i++)
		p[i] = kvmalloc_size(size);
	for (i = 0; i < n; i++)
		slab_free(p[i]);
}

/* Misses of other classes than those of the tests; between also calls work. */
static void miss(unsigned int turns, void (*between)(unsigned int turn))
{
	void *p[BATCH];
	unsigned int i, k;

	for (i = 0; i < turns; i++) {
		/* each time others, so that sheaves which grow do not hide it */
		size_t size = 1500 + i % 8 * 300;

		for (k = 0; k < BATCH; k++)
			p[k] = kvmalloc_size(size);
		for (k = 0; k < BATCH; k++)
			slab_free(p[k]);
		if (between)
			between(i);
	}
}

static void sheaves_that_are_not_used_any_more_go(void **state)
{
	struct kmem_cache *s = class_of_size(100);
	struct slab_sheaf *main, *spare;

	(void)state;
	batch(100, BATCH);
	main = main_sheaf(cpu_cache(own_cpu, s));
	spare = cpu_cache(own_cpu, s)->spare;
	assert_int_not_equal(held(s), 0);
	miss(TURNS, NULL);
	assert_int_equal(held(s), 0);
	/* their records stay, and serve again */
	assert_ptr_equal(main_sheaf(cpu_cache(own_cpu, s)), main);
	assert_ptr_equal(cpu_cache(own_cpu, s)->spare, spare);
	batch(100, 1);
	assert_int_not_equal(held(s), 0);
}

static void *kept[TURNS];
static unsigned int missing;

/* One object more each time: what is in use never stands still. */
static void take_one(unsigned int turn)
{
	missing += !held(class_of_size(200));	/* before: the request would fill it again */
	kept[turn] = kvmalloc_size(200);
}

static void sheaves_that_are_used_stay(void **state)
{
	struct kmem_cache *s = class_of_size(200);
	unsigned int i;

	(void)state;
	batch(200, BATCH);
	missing = 0;
	/* until one sheaf is used up: then none would be there anyway */
	miss(cpu_cache(own_cpu, s)->top - cpu_cache(own_cpu, s)->start - 1, take_one);
	assert_int_equal(missing, 0);
	for (i = 0; kept[i]; i++)
		slab_free(kept[i]);
	assert_true(i > 20);
}

static void those_of_a_cache_of_the_api_go_too(void **state)
{
	struct kmem_cache *s = kmem_cache_create("age", 72, 0, 0, NULL);
	void *p[8];

	(void)state;
	assert_non_null(s);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, ARRAY_SIZE(p), p), ARRAY_SIZE(p));
	kmem_cache_free_bulk(s, ARRAY_SIZE(p), p);
	assert_int_not_equal(held(s), 0);
	miss(TURNS, NULL);
	assert_int_equal(held(s), 0);
	kmem_cache_destroy(s);
}

/* All locks are taken then: what was flushed would go object by object, into inboxes. */
static void nothing_goes_while_a_fork_is_under_way(void **state)
{
	struct kmem_cache *s = class_of_size(100);
	unsigned int i, before;

	(void)state;
	batch(100, BATCH);
	before = held(s);
	assert_int_not_equal(before, 0);
	fork_under_way = true;
	for (i = 0; i < 1000; i++)
		slab_look_around(own_cpu);
	fork_under_way = false;
	assert_int_equal(held(s), before);
	for (i = 0; i < 1000; i++)
		slab_look_around(own_cpu);
	assert_int_equal(held(s), 0);
}

static void *fill_barn(void *arg)
{
	enum { N = 4000 };
	static void *p[N];
	unsigned int i;

	for (i = 0; i < N; i++)
		p[i] = kvmalloc_size(300);
	for (i = 0; i < N; i++)
		slab_free(p[i]);
	return arg;
}

static void a_barn_that_is_not_used_any_more_goes(void **state)
{
	struct kmem_cache *s = class_of_size(300);
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, fill_barn, NULL), 0);
	pthread_join(thread, NULL);
	assert_int_not_equal(s->barn.nr_full, 0);
	miss(TURNS, NULL);
	assert_int_equal(s->barn.nr_full, 0);
	assert_int_equal(s->barn.nr_objects, 0);
}

static void a_request_that_may_not_block_flushes_nothing(void **state)
{
	struct kmem_cache *s = class_of_size(100);
	static void *p[20000];
	unsigned int i;
	u8 misses;

	(void)state;
	batch(100, BATCH);
	misses = own_cpu->misses;
	for (i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = kmalloc(64, GFP_NOWAIT);
	assert_int_equal(own_cpu->misses, misses);
	assert_int_not_equal(held(s), 0);
	for (i = 0; i < ARRAY_SIZE(p); i++)
		kfree(p[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(sheaves_that_are_not_used_any_more_go, quiet_heap),
		cmocka_unit_test_setup(sheaves_that_are_used_stay, quiet_heap),
		cmocka_unit_test_setup(those_of_a_cache_of_the_api_go_too, quiet_heap),
		cmocka_unit_test_setup(nothing_goes_while_a_fork_is_under_way, quiet_heap),
		cmocka_unit_test_setup(a_barn_that_is_not_used_any_more_goes, quiet_heap),
		cmocka_unit_test_setup(a_request_that_may_not_block_flushes_nothing, quiet_heap),
	};

	return cmocka_run_group_tests_name("slub_age", tests, NULL, NULL);
}

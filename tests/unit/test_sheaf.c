// SPDX-License-Identifier: MIT
/* Sheaves and barns: last in first out, contents untouched, stock for other threads, bounds. */
#include "unit.h"
#include "heap_walk.h"
#include "mm/reclaim.h"
#include "mm/util.h"
#include "kernel/printk.h"

#include <pthread.h>

/* Full sheaves. */
static unsigned int in_barn(struct kmem_cache *s)
{
	unsigned int n = 0, objects = 0;
	struct slab_sheaf *sheaf;

	for (sheaf = s->barn.full; sheaf; sheaf = sheaf->next) {
		assert_true(sheaf->count && sheaf->count <= sheaf->capacity);
		assert_true(sheaf->capacity <= s->sheaf_capacity);
		objects += sheaf->count;
		n++;
	}
	assert_int_equal(n, s->barn.nr_full);
	assert_int_equal(objects, s->barn.nr_objects);
	assert_true(n <= 1 || objects <= s->max_objects);
	return n;
}

static void what_was_freed_last_is_allocated_first_with_its_contents(void **state)
{
	static const size_t sizes[] = { 8, 24, 64, 1000, 4096, 100000, 131072 };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *p = kvmalloc_size(sizes[i]);

		fill_block(p, sizes[i], i);
		slab_free(p);
		assert_ptr_equal(kvmalloc_size(sizes[i]), p);
		assert_true(check_block(p, sizes[i], i));
		slab_free(p);
	}
}

static void frees_come_back_in_reverse_order(void **state)
{
	void *p[8], *q;
	int i;

	(void)state;
	for (i = 0; i < 8; i++)
		p[i] = kvmalloc_size(48);
	for (i = 0; i < 8; i++)
		slab_free(p[i]);
	for (i = 7; i >= 0; i--) {
		q = kvmalloc_size(48);
		assert_ptr_equal(q, p[i]);
	}
	for (i = 0; i < 8; i++)
		slab_free(p[i]);
}

static unsigned int in_slot(struct cpu_cache *cc)
{
	return (unsigned int)(cc->top - cc->start) + (cc->spare ? cc->spare->count : 0);
}

static void a_full_sheaf_is_kept_beside_the_main_one(void **state)
{
	struct kmem_cache *s = &kmalloc_caches[size_class(256)];
	struct cpu_cache *cc;
	static void *p[2 * SHEAF_USUAL];
	unsigned int n = 2 * s->sheaf_usual, i;

	(void)state;
	for (i = 0; i < n; i++)
		p[i] = kvmalloc_size(256);
	for (i = 0; i < n; i++)
		slab_free(p[i]);
	cc = &own_cpu->cache[s->index];
	assert_non_null(cc->spare);
	assert_true(in_slot(cc) >= s->sheaf_usual);
	/* allocating and freeing around that boundary needs no slab */
	for (i = 0; i < n; i++)
		assert_ptr_equal(kvmalloc_size(256), p[n - 1 - i]);
	for (i = 0; i < n; i++)
		slab_free(p[i]);
}

static void caches_of_a_slot_stay_within_two_sheaves(void **state)
{
	static const size_t sizes[] = { 16, 500, 3000, 30000, 131072 };
	static void *p[4000];
	unsigned int i, k;

	(void)state;
	for (k = 0; k < ARRAY_SIZE(sizes); k++) {
		struct kmem_cache *s = &kmalloc_caches[size_class(sizes[k])];
		struct cpu_cache *cc = &own_cpu->cache[s->index];
		unsigned int n = sizes[k] > 4000 ? 200 : 4000;

		for (i = 0; i < n; i++)
			p[i] = kvmalloc_size(sizes[k]);
		for (i = 0; i < n; i++) {
			slab_free(p[i]);
			assert_true(cc->top >= cc->start && cc->top <= cc->end);
			assert_true(cc->end - cc->start <= s->sheaf_capacity);
			assert_true(!cc->spare || cc->spare->count <= cc->spare->capacity);
		}
		in_barn(s);
		assert_int_equal(heap_walk(), 0);
		assert_int_equal(live_objects(s), 0);
	}
}

/* All at once, then all of them freed; the largest that a sheaf got. */
static unsigned int churn(size_t size, unsigned int n, unsigned int rounds)
{
	struct cpu_cache *cc = &own_cpu->cache[size_class(size)];
	static void *p[3000];
	unsigned int i, most = 0;

	while (rounds--) {
		for (i = 0; i < n; i++)
			p[i] = kvmalloc_size(size);
		for (i = 0; i < n; i++) {
			slab_free(p[i]);
			most = MAX(most, (unsigned int)(cc->end - cc->start));
		}
	}
	return most;
}

static void a_slot_that_takes_few_objects_has_a_small_sheaf(void **state)
{
	struct kmem_cache *s = &kmalloc_caches[size_class(112)];

	(void)state;
	if (!own_cpu->cache[s->index].start)
		assert_int_equal(churn(112, 2, 10), SHEAF_FIRST);
}

static void sheaves_grow_to_what_is_freed_and_allocated_in_turn(void **state)
{
	struct kmem_cache *s = &kmalloc_caches[size_class(40)];
	struct cpu_cache *cc = &own_cpu->cache[s->index];

	(void)state;
	churn(40, 1500, 20);
	assert_true(in_slot(cc) + s->barn.nr_objects >= 1500);	/* no slab is needed any more */
	assert_true(cc->end - cc->start <= s->sheaf_capacity);
	assert_true(churn(40, 3000, 20) <= SHEAF_MOST);
	assert_int_equal(heap_walk(), 0);
	assert_int_equal(live_objects(s), 0);
}

/* Frees alone, as of a consumer: no larger than usual. */
static void sheaves_that_are_only_emptied_stay_small(void **state)
{
	struct kmem_cache *s = &kmalloc_caches[size_class(208)];
	struct cpu_cache *cc = &own_cpu->cache[s->index];
	static void *p[3000];
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = kvmalloc_size(208);
	main_sheaf(cc)->flushes = 1;
	if (cc->spare)
		cc->spare->flushes = 1;
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		slab_free(p[i]);
		assert_true(cc->end - cc->start <= s->sheaf_usual);
	}
}

#define SHARED 2000

static void *shared[SHARED];

static void *free_all(void *arg)
{
	unsigned int i;

	for (i = 0; i < SHARED; i++)
		slab_free(shared[i]);
	return arg;
}

static void a_barn_brings_one_threads_frees_to_another(void **state)
{
	struct kmem_cache *s = &kmalloc_caches[size_class(64)];
	unsigned int i, k, n, before, found = 0;
	pthread_t thread;

	(void)state;
	for (i = 0; i < SHARED; i++) {
		shared[i] = kvmalloc_size(64);
		fill_block(shared[i], 64, 5);
	}
	/* our own sheaf is empty from here on */
	while (own_cpu->cache[s->index].top != own_cpu->cache[s->index].start)
		kvmalloc_size(64);
	assert_int_equal(pthread_create(&thread, NULL, free_all, NULL), 0);
	pthread_join(thread, NULL);
	before = in_barn(s);
	assert_true(before > 0);
	n = s->barn.full->count;
	for (i = 0; i < n; i++) {
		void *p = kvmalloc_size(64);

		for (k = 0; k < SHARED; k++)
			found += shared[k] == p;
		assert_true(check_block(p, 64, 5));
		slab_free(p);
		p = kvmalloc_size(64);
	}
	assert_int_equal(found, n);
	assert_int_equal(in_barn(s), before - 1);
	assert_int_equal(heap_walk(), 0);
}

static void trimming_empties_barns_and_sheaves(void **state)
{
	struct kmem_cache *s = &kmalloc_caches[size_class(80)];
	struct slab_sheaf *sheaf = alloc_empty_sheaf(s, 0);
	unsigned int i;

	(void)state;
	for (i = 0; i < SHARED; i++)
		shared[i] = kvmalloc_size(80);
	for (sheaf->count = 0; sheaf->count < sheaf->capacity; sheaf->count++)
		sheaf->objects[sheaf->count] = kvmalloc_size(80);
	assert_non_null(barn_put_full(s, sheaf));	/* as with other threads */
	free_all(NULL);
	assert_true(in_barn(s) > 0);
	trim_memory();
	assert_int_equal(in_barn(s), 0);
	assert_true(own_cpu->cache[s->index].top == own_cpu->cache[s->index].start);
	assert_int_equal(atomic_load(&s->nr_slabs), 0);
}

static void barns_trade_full_for_empty_up_to_their_bound(void **state)
{
	struct kmem_cache *s = &kmalloc_caches[size_class(131072)];
	struct slab_sheaf *mine[BARN_MAX_BYTES / 131072 + 2], *got;
	unsigned int i, put = 0;

	(void)state;
	assert_null(barn_get_full(s, NULL));
	for (i = 0; i < ARRAY_SIZE(mine); i++) {
		mine[i] = alloc_empty_sheaf(s, 0);
		assert_non_null(mine[i]);
		mine[i]->count = s->sheaf_capacity;
	}
	for (i = 0; i < ARRAY_SIZE(mine); i++)
		put += barn_put_full(s, mine[i]) != NULL;
	assert_int_equal(put, MAX(1u, s->max_objects / s->sheaf_capacity));
	in_barn(s);
	for (i = 0; i < put; i++) {
		got = barn_get_full(s, NULL);
		assert_ptr_equal(got, mine[put - 1 - i]);
		got->count = 0;
	}
	assert_null(barn_get_full(s, NULL));
	assert_int_equal(s->barn.nr_objects, 0);
}

/* Puts as many sheaves of n objects as it takes. */
static unsigned int fill_barn(struct kmem_cache *s, unsigned int n)
{
	struct slab_sheaf *sheaf;
	unsigned int put = 0;

	for (;;) {
		sheaf = alloc_empty_sheaf(s, n);
		assert_non_null(sheaf);
		sheaf->count = n;
		if (!barn_put_full(s, sheaf))
			return put;
		put++;
	}
}

static void a_barn_takes_more_once_its_sheaves_are_asked_for(void **state)
{
	struct kmem_cache *s = &kmalloc_caches[size_class(64)];
	unsigned int first, n = s->sheaf_usual, rounds = 0;
	struct slab_sheaf *got;

	(void)state;
	first = fill_barn(s, n);
	assert_in_range(first, 1, s->max_objects / BARN_FIRST_SHARE / n + 1);
	do {
		got = barn_get_full(s, NULL);
		assert_non_null(got);
		got->count = 0;
		fill_barn(s, n);
		assert_true(in_barn(s) * n <= s->max_objects);
	} while (in_barn(s) * n < s->max_objects - n && ++rounds < 10);
	assert_in_range(rounds, 1, 6);
	while ((got = barn_get_full(s, NULL)))
		got->count = 0;
	assert_int_equal(s->barn.nr_objects, 0);
}

/* What waits in the sheaves of such a thread are scattered objects, each of which keeps a page. */
static void who_frees_and_never_allocates_holds_few_objects(void **state)
{
	enum { N = 20000 };
	struct kmem_cache *s = &kmalloc_caches[size_class(1000)];
	struct cpu_cache *cc = &own_cpu->cache[s->index];
	static void *p[N];
	unsigned int i, k, held, most = 0;
	void *q;

	(void)state;
	for (i = 0; i < N; i++)
		p[i] = kvmalloc_size(1000);
	for (i = 0; i < N; i++) {
		k = i + random_below(N - i);
		q = p[k];
		p[k] = p[i];
		slab_free(q);
		held = (unsigned int)(cc->top - cc->start) + (cc->spare ? cc->spare->count : 0);
		if (i >= N / 2)
			most = MAX(most, held);
	}
	assert_in_range(most, 1, 13);
	/* who allocates again has all of the sheaf */
	for (i = 0; i < 100; i++)
		p[i] = kvmalloc_size(1000);
	assert_true(cc->end == cc->start + main_sheaf(cc)->capacity);
	for (i = 0; i < 100; i++)
		slab_free(p[i]);
	assert_int_equal(heap_walk(), 0);
}

static void a_request_to_flush_is_honoured_at_the_next_miss(void **state)
{
	struct kmem_cache *s = &kmalloc_caches[size_class(700)];
	void *p = kvmalloc_size(700);
	struct cpu_cache *cc = &own_cpu->cache[s->index];

	(void)state;
	slab_free(p);
	assert_true(cc->top != cc->start);
	atomic_store(&own_cpu->flush_request, true);
	slab_free(kvmalloc_size(5000));		/* a miss of another class */
	assert_false(atomic_load(&own_cpu->flush_request));
	assert_true(cc->top == cc->start);
	assert_int_equal(heap_walk(), 0);
}

/* Caches above the classes are flushed under the home's lock. */
static void a_flush_that_had_no_lock_is_tried_again(void **state)
{
	struct kmem_cache *s = kmem_cache_create("flushed-later", 72, 0, SLAB_NO_MERGE, NULL);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);
	struct pcpu *c = own_cpu;
	struct cpu_cache *cc = cpu_cache(c, s);

	(void)state;
	kmem_cache_free(s, p);
	assert_true(cc->top != cc->start);
	assert_true(spin_trylock(&c->home->lock));
	atomic_store(&c->flush_request, true);
	slab_free(kvmalloc_size(6000));
	assert_true(atomic_load(&c->flush_request));
	assert_true(cc->top != cc->start);
	spin_unlock(&c->home->lock);
	slab_free(kvmalloc_size(7000));		/* a miss of yet another class */
	assert_false(atomic_load(&c->flush_request));
	assert_true(cc->top == cc->start);
	kmem_cache_destroy(s);
}

#define T(f) cmocka_unit_test_setup(f, quiet_heap)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_was_freed_last_is_allocated_first_with_its_contents),
		T(frees_come_back_in_reverse_order),
		T(a_full_sheaf_is_kept_beside_the_main_one),
		T(a_slot_that_takes_few_objects_has_a_small_sheaf),
		T(caches_of_a_slot_stay_within_two_sheaves),
		T(sheaves_grow_to_what_is_freed_and_allocated_in_turn),
		T(sheaves_that_are_only_emptied_stay_small),
		T(trimming_empties_barns_and_sheaves),
		T(barns_trade_full_for_empty_up_to_their_bound),
		T(a_barn_takes_more_once_its_sheaves_are_asked_for),
		T(who_frees_and_never_allocates_holds_few_objects),
		T(a_request_to_flush_is_honoured_at_the_next_miss),
		T(a_flush_that_had_no_lock_is_tried_again),
		T(a_barn_brings_one_threads_frees_to_another),	/* last: it keeps objects */
	};

	return cmocka_run_group_tests_name("sheaf", tests, NULL, NULL);
}

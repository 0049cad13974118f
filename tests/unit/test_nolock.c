// SPDX-License-Identifier: MIT
/* Inside the allocator: what a signal handler gets that interrupted it. cpu_enter() puts the test in its place. */
#include "unit.h"
#include "heap_walk.h"
#include "mm/reclaim.h"
#include "mm/util.h"
#include "kernel/printk.h"

#include <pthread.h>
#include <signal.h>

#define N 400

static bool is_nolock(void *p)
{
	struct slab *slab = virt_to_slab((unsigned long)p);

	return slab && slab->nolock;
}

static unsigned long nr_nolock(struct kmem_cache *s)
{
	struct slab *slab;
	unsigned long n = 0;

	for (slab = atomic_load(&s->nolock_slabs); slab; slab = slab->next_nolock)
		n++;
	return n;
}

static void every_size_is_served_inside(void **state)
{
	static char *p[N];
	static size_t size[N];
	struct pcpu *c = cpu_enter();
	unsigned int i;

	(void)state;
	for (i = 0; i < N; i++) {
		size[i] = i % 10 ? random_below(3000) : random_below(400000);
		p[i] = i % 3 ? kvmalloc_size(size[i]) : kvzalloc_size(size[i]);
		assert_ptr_equal(this_cpu, &busy_cpu);
		assert_non_null(p[i]);
		if (i % 3 == 0)
			assert_true(all_bytes(p[i], 0, size[i]));
		assert_true(size[i] > KMALLOC_MAX_CACHE_SIZE || is_nolock(p[i]));
		assert_true(kvsize(p[i]) >= size[i]);
		fill_block(p[i], kvsize(p[i]), i);
	}
	for (i = 0; i < N; i++) {
		assert_true(check_block(p[i], kvsize(p[i]), i));
		slab_free(p[i]);
		assert_ptr_equal(this_cpu, &busy_cpu);
	}
	cpu_leave(c);
	assert_int_equal(heap_walk(), 0);
	assert_int_equal(all_live_objects(), 0);
}

static void the_busy_slot_stays_zero(void **state)
{
	struct pcpu *c = cpu_enter();
	void *p[50];
	unsigned int i;

	(void)state;
	for (i = 0; i < 50; i++)
		p[i] = kvmalloc_size(i * 40);
	for (i = 0; i < 50; i++)
		slab_free(p[i]);
	cpu_leave(c);
	assert_true(all_bytes(hot_data.busy, 0, sizeof(hot_data.busy)));
	assert_true(all_bytes(&empty_cpu, 0, sizeof(empty_cpu)));
}

static void what_was_freed_inside_is_used_again_inside(void **state)
{
	struct kmem_cache *s = &kmalloc_caches[size_class(112)];
	unsigned long slabs;
	struct pcpu *c = cpu_enter();
	unsigned int i;

	(void)state;
	slab_free(kvmalloc_size(112));
	slabs = atomic_load(&s->nr_slabs);
	for (i = 0; i < 10000; i++)
		slab_free(kvmalloc_size(112));
	cpu_leave(c);
	assert_int_equal(atomic_load(&s->nr_slabs), slabs);
}

static void objects_from_outside_are_freed_inside_and_come_home(void **state)
{
	static char *p[N];
	struct kmem_cache *s = &kmalloc_caches[size_class(500)];
	struct pcpu *c;
	unsigned int i;

	(void)state;
	for (i = 0; i < N; i++)
		p[i] = kvmalloc_size(500);
	c = cpu_enter();
	for (i = 0; i < N; i++)
		slab_free(p[i]);
	cpu_leave(c);
	assert_non_null(atomic_load(&c->home->inbox));
	assert_int_equal(heap_walk(), 0);	/* pending = remote bits + debt, in one inbox each */
	assert_true(spin_lock(&c->home->lock));
	home_drain_inbox(c->home);
	spin_unlock(&c->home->lock);
	assert_null(atomic_load(&c->home->inbox));
	assert_int_equal(heap_walk(), 0);
	assert_int_equal(live_objects(s), 0);
	trim_memory();
	assert_int_equal(atomic_load(&s->nr_slabs), nr_nolock(s));
}

static void objects_from_inside_are_freed_outside(void **state)
{
	static char *p[N];
	struct kmem_cache *s = &kmalloc_caches[size_class(200)];
	struct pcpu *c = cpu_enter();
	unsigned int i;

	(void)state;
	for (i = 0; i < N; i++)
		p[i] = kvmalloc_size(200);
	cpu_leave(c);
	for (i = 0; i < N; i++) {
		assert_true(is_nolock(p[i]));
		memset(p[i], 0xff, 200);
		slab_free(p[i]);
	}
	assert_int_equal(heap_walk(), 0);
	/* they went through a sheaf and are ordinary objects */
	assert_ptr_equal(kvmalloc_size(200), p[N - 1]);
	slab_free(p[N - 1]);
	trim_memory();
	assert_int_equal(live_objects(s), 0);
	assert_int_equal(heap_walk(), 0);
	for (i = 0; i < N; i++) {	/* and zeroed ones are zero */
		c = cpu_enter();
		p[i] = kvzalloc_size(200);
		cpu_leave(c);
		assert_true(all_bytes(p[i], 0, 200));
	}
	for (i = 0; i < N; i++)
		slab_free(p[i]);
}

static void double_and_invalid_frees_inside_are_reported(void **state)
{
	struct pcpu *c = cpu_enter();
	char *p = kvmalloc_size(64), expect[300], *q;

	(void)state;
	cpu_leave(c);
	q = kvmalloc_size(64);
	c = cpu_enter();
	catch_stderr();
	slab_free(p);
	slab_free(p);
	slab_free(p + 8);
	slab_free(q);
	slab_free(q);
	snprintf(expect, sizeof(expect), "kmalloc: BUG: kmalloc-64: double free of %p\n"
		 "kmalloc: BUG: kmalloc-64: invalid free of %p, 8 bytes inside the object at %p\n"
		 "kmalloc: BUG: kmalloc-64: double free of %p\n",
		 (void *)p, (void *)(p + 8), (void *)p, (void *)q);
	assert_string_equal(caught_text(), expect);
	cpu_leave(c);
	trim_memory();
	assert_int_equal(heap_walk(), 0);
	assert_int_equal(all_live_objects(), 0);
}

static void trimming_gives_back_the_pages_of_nolock_slabs(void **state)
{
	static char *p[100];
	struct pcpu *c = cpu_enter();
	unsigned int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		p[i] = kvmalloc_size(4096);
		fill_block(p[i], 4096, i);
	}
	for (i = 0; i < 100; i += 2)
		slab_free(p[i]);
	cpu_leave(c);
	assert_true(trim_memory() >= 50 * 4096);
	for (i = 1; i < 100; i += 2) {
		assert_true(check_block(p[i], 4096, i));
		slab_free(p[i]);
	}
	trim_memory();
	assert_int_equal(heap_walk(), 0);
}

static void a_realloc_inside_keeps_the_contents(void **state)
{
	struct pcpu *c = cpu_enter();
	size_t size = 100;
	char *p = kvmalloc_size(size);

	(void)state;
	for (; size < 2000000; size += size / 2) {
		fill_block(p, size & ~7ul, 4);
		p = kvrealloc_size(p, size + size / 2);
		assert_non_null(p);
		assert_true(check_block(p, size & ~7ul, 4));
	}
	slab_free(p);
	cpu_leave(c);
	assert_true(vmap_validate());
	assert_int_equal(all_live_objects(), 0);
}

static void nothing_is_trimmed_or_reclaimed_inside(void **state)
{
	struct pcpu *c = cpu_enter();

	(void)state;
	assert_int_equal(trim_memory(), 0);
	assert_ptr_equal(this_cpu, &busy_cpu);
	cpu_leave(c);
}

/* Other threads free what a handler took, and the other way round. */
static void *_Atomic handed[64];
static _Atomic unsigned int wrong;

static void *cross(void *arg)
{
	unsigned int i;
	uint64_t rnd = (uint64_t)(uintptr_t)arg * 77 + 1;

	for (i = 0; i < 20000; i++) {
		bool inside = next_random(&rnd) % 2;
		struct pcpu *c = inside ? cpu_enter() : NULL;
		size_t size = 16 + next_random(&rnd) % 1500;
		char *p = kvmalloc_size(size), *q;

		fill_block(p, size, 16);
		memcpy(p, &size, sizeof(size));
		q = atomic_exchange_explicit(&handed[next_random(&rnd) % 64], p, memory_order_acq_rel);
		if (q) {
			memcpy(&size, q, sizeof(size));
			if (size < 16 || size > 1516 || !check_block(q + 8, size - 8, 24))
				wrong++;
			slab_free(q);
		}
		if (inside)
			cpu_leave(c);
	}
	return NULL;
}

static void objects_cross_between_threads_inside_and_outside(void **state)
{
	pthread_t thread[3];
	unsigned long i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, cross, (void *)(i + 1)), 0);
	for (i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	for (i = 0; i < 64; i++)
		slab_free(handed[i]);
	assert_int_equal(wrong, 0);
	trim_memory();
	assert_int_equal(heap_walk(), 0);
	assert_int_equal(all_live_objects(), 0);
}

/* A thread whose slot is gone, at its very end, still allocates and frees. */
static void *after_the_end(void *arg)
{
	void **p = arg;
	unsigned int i;

	for (i = 0; i < 20; i++)
		p[i] = kvmalloc_size(i * 50);
	cpu_exit();
	for (i = 0; i < 20; i += 2)
		slab_free(p[i]);
	for (i = 0; i < 20; i += 2)
		p[i] = kvmalloc_size(300);
	return NULL;
}

static void a_thread_without_a_slot_allocates_and_frees(void **state)
{
	void *p[20];
	pthread_t thread;
	unsigned int i;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, after_the_end, p), 0);
	pthread_join(thread, NULL);
	for (i = 0; i < 20; i++) {
		memset(p[i], 1, kvsize(p[i]));
		slab_free(p[i]);
	}
	trim_memory();
	assert_int_equal(heap_walk(), 0);
	assert_int_equal(all_live_objects(), 0);
}

#define T(f) cmocka_unit_test_setup(f, quiet_heap)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_size_is_served_inside),
		T(the_busy_slot_stays_zero),
		T(what_was_freed_inside_is_used_again_inside),
		T(objects_from_outside_are_freed_inside_and_come_home),
		T(objects_from_inside_are_freed_outside),
		T(double_and_invalid_frees_inside_are_reported),
		T(trimming_gives_back_the_pages_of_nolock_slabs),
		T(a_realloc_inside_keeps_the_contents),
		T(nothing_is_trimmed_or_reclaimed_inside),
		T(objects_cross_between_threads_inside_and_outside),
		T(a_thread_without_a_slot_allocates_and_frees),
	};

	return cmocka_run_group_tests_name("nolock", tests, NULL, NULL);
}

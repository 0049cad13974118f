// SPDX-License-Identifier: MIT
/* The areas that a slot keeps: what is handed out again, what bounds them, who empties them. */
#include "unit.h"
#include "heap_walk.h"
#include "kmalloc/fault.h"
#include "kernel/printk.h"
#include "mm/area_cache.h"
#include "mm/fault_inject.h"
#include "mm/reclaim.h"
#include "mm/util.h"
#include "init/init.h"

#include <pthread.h>
#include <sys/wait.h>

#define KIB 1024ul
#define MIB (1024 * KIB)

static int emptied(void **state)
{
	(void)state;
	panic_on_bug = false;
	slab_free(kvmalloc_size(1));
	trim_memory();
	return heap_walk() || own_cpu->areas.nr ? -1 : 0;
}

static size_t busy_areas(void)
{
	struct vmap_stats st;

	vmap_get_stats(&st);
	return st.nr_busy;
}

static void a_block_comes_back_without_the_lock(void **state)
{
	char *p = kvmalloc_size(200 * KIB), *q;
	unsigned int i;

	(void)state;
	slab_free(p);		/* the first chooses how many there may be */
	assert_true(spin_trylock(&vmap_lock));
	for (i = 0; i < 100; i++) {
		q = kvmalloc_size(200 * KIB);
		if (q != p)
			break;
		slab_free(q);
	}
	spin_unlock(&vmap_lock);
	assert_int_equal(i, 100);
	assert_int_equal(own_cpu->areas.nr, 1);
}

static void another_size_of_as_many_pageblocks_will_do(void **state)
{
	char *p = kvmalloc_size(200 * KIB), *q;

	(void)state;
	memset(p, 7, 200 * KIB);
	slab_free(p);
	q = kvmalloc_size(230 * KIB);
	assert_ptr_equal(q, p);
	assert_int_equal(kvsize(q), 232 * KIB);
	memset(q, 8, 232 * KIB);
	slab_free(q);
}

/* The one block of no size is an aligned one. */
static void no_size_is_too_large_for_the_last_block(void **state)
{
	void *volatile p = kvmalloc_aligned(256 * KIB, 0);
	unsigned int i;

	(void)state;
	assert_non_null(p);
	assert_int_not_equal(kvsize(p), 0);
	slab_free(p);
	slab_free(kvmalloc_aligned(256 * KIB, 0));
	for (i = 0; i < 5000; i += 37)
		assert_null(kvmalloc_size(SIZE_MAX - i));
}

static void a_miss_empties_the_slot(void **state)
{
	char *p = kvmalloc_size(200 * KIB), *q;

	(void)state;
	slab_free(p);
	assert_int_equal(own_cpu->areas.nr, 1);
	q = kvmalloc_size(130 * KIB);
	assert_int_equal(own_cpu->areas.nr, 0);
	slab_free(q);
}

static void a_zeroed_block_is_zero(void **state)
{
	static const size_t sizes[] = { 200 * KIB, 193 * KIB, 251 * KIB, 200 * KIB };
	unsigned int i;
	char *p = kvmalloc_size(251 * KIB), *q;

	(void)state;
	memset(p, 9, 251 * KIB);
	slab_free(p);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		q = kvzalloc_size(sizes[i]);
		assert_ptr_equal(q, p);
		assert_true(all_bytes(q, 0, sizes[i]));
		memset(q, 9, kvsize(q));
		slab_free(q);
	}
}

static void what_was_kept_is_known_to_be_dirty_afterwards(void **state)
{
	char *p = kvmalloc_size(250 * KIB), *q;

	(void)state;
	memset(p, 5, 250 * KIB);
	slab_free(p);
	q = kvmalloc_size(193 * KIB);	/* uses less of it */
	assert_ptr_equal(q, p);
	slab_free(q);
	area_cache_flush(own_cpu);
	q = kvzalloc_size(250 * KIB);
	assert_true(all_bytes(q, 0, 250 * KIB));
	slab_free(q);
}

static void a_kept_block_is_no_block(void **state)
{
	char *p = kvmalloc_size(400 * KIB), expect[200];
	size_t busy = busy_areas();

	(void)state;
	slab_free(p);
	assert_int_equal(own_cpu->areas.nr, 1);
	assert_int_equal(busy_areas(), busy - 1);
	assert_null(find_vmap_area(p));
	assert_null(find_vmap_area_inside(p + 5000));
	catch_stderr();
	slab_free(p);
	snprintf(expect, sizeof(expect), "kmalloc: BUG: free of %p, which is not allocated: freed before, or "
		 "never ours\n", (void *)p);
	assert_string_equal(caught_text(), expect);
	assert_int_equal(own_cpu->areas.nr, 1);
	catch_stderr();
	assert_null(kvrealloc_size(p, 500 * KIB));
	assert_int_equal(count_lines(caught_text()), 1);
}

static void there_are_few_and_the_newest(void **state)
{
	char *p[40];
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = kvmalloc_size(150 * KIB + i * 20 * KIB);
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		slab_free(p[i]);
		assert_true(own_cpu->areas.nr <= CPU_AREAS);
		assert_true(own_cpu->areas.sum <= own_cpu->areas.max);
	}
	assert_int_equal(heap_walk(), 0);
	trim_memory();
	p[0] = kvmalloc_size(MIB);
	p[1] = kvmalloc_size(MIB);
	p[2] = kvmalloc_size(3 * MIB);
	for (i = 0; i < 3; i++)
		slab_free(p[i]);
	assert_int_equal(own_cpu->areas.nr, 1);
	assert_ptr_equal(own_cpu->areas.area[0]->addr, p[1]);
}

static void a_flush_of_sheaves_is_one_of_areas(void **state)
{
	char *p = kvmalloc_size(150 * KIB);

	(void)state;
	slab_free(p);
	trim_memory();
	assert_int_equal(own_cpu->areas.nr, 0);
	assert_int_equal(class_of(p), CLASS_FOREIGN);
	p = kvmalloc_size(150 * KIB);
	slab_free(p);
	assert_int_equal(own_cpu->areas.nr, 1);
	p = kvmalloc_size(500 * KIB);
	own_cpu->flush_request = true;	/* as malloc_trim() of another thread */
	slab_free(p);
	assert_false(own_cpu->flush_request);
	assert_int_equal(own_cpu->areas.nr, 1);
	assert_ptr_equal(own_cpu->areas.area[0]->addr, p);
}

static void *free_one(void *arg)
{
	struct pcpu **c = arg;
	char *p = kvmalloc_size(400 * KIB);

	*c = own_cpu;
	slab_free(p);
	return (void *)(uintptr_t)own_cpu->areas.nr;
}

static void a_thread_that_ends_keeps_none(void **state)
{
	struct pcpu *c = NULL;
	size_t busy = busy_areas();
	pthread_t t;
	void *nr;

	(void)state;
	assert_int_equal(pthread_create(&t, NULL, free_one, &c), 0);
	pthread_join(t, &nr);
	assert_int_equal((uintptr_t)nr, 1);
	assert_int_equal(c->areas.nr, 0);
	assert_int_equal(busy_areas(), busy);
}

static struct {
	pthread_mutex_t lock;
	pthread_barrier_t kept;
} other = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void *keep_one(void *arg)
{
	free_one(arg);
	pthread_barrier_wait(&other.kept);
	pthread_mutex_lock(&other.lock);
	pthread_mutex_unlock(&other.lock);
	return NULL;
}

/* In the child: what the other thread kept is free memory. */
static int look_in_child(struct pcpu *c, size_t busy)
{
	char *p = kvmalloc_size(200 * KIB);

	slab_free(p);
	if (c->areas.nr || heap_walk() || !vmap_validate())
		return 1;
	return busy_areas() == busy && vmap_state.nr_busy == busy + own_cpu->areas.nr ? 0 : 2;
}

static void a_fork_child_has_those_of_other_threads(void **state)
{
	struct pcpu *c = NULL;
	pthread_t t;
	int status;
	size_t busy;
	pid_t pid;

	(void)state;
	busy = busy_areas();
	pthread_barrier_init(&other.kept, NULL, 2);
	pthread_mutex_lock(&other.lock);
	assert_int_equal(pthread_create(&t, NULL, keep_one, &c), 0);
	pthread_barrier_wait(&other.kept);
	fork_prepare();
	pid = fork();
	if (!pid) {
		fork_child();
		_exit(look_in_child(c, busy));
	}
	fork_parent();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(c->areas.nr, 1);
	pthread_mutex_unlock(&other.lock);
	pthread_join(t, NULL);
}

static void where_requests_may_fail_nothing_is_kept(void **state)
{
	struct fault_attr attr = FAULT_ATTR_INITIALIZER, off = FAULT_ATTR_INITIALIZER;
	char *p = kvmalloc_size(200 * KIB);

	(void)state;
	slab_free(p);
	assert_int_equal(own_cpu->areas.nr, 1);
	attr.probability = 100;
	attr.interval = 1000000;
	off.probability = 0;
	catch_stderr();
	assert_true(fault_attr_set("fail_page_alloc", &attr));
	assert_int_equal(own_cpu->areas.nr, 0);
	slab_free(kvmalloc_size(200 * KIB));
	assert_int_equal(own_cpu->areas.nr, 0);
	assert_true(fault_attr_set("fail_page_alloc", &off));
	caught_text();
	slab_free(kvmalloc_size(200 * KIB));
	assert_int_equal(own_cpu->areas.nr, 1);
}

#define T(f) cmocka_unit_test_setup(f, emptied)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_block_comes_back_without_the_lock),
		T(another_size_of_as_many_pageblocks_will_do),
		T(no_size_is_too_large_for_the_last_block),
		T(a_miss_empties_the_slot),
		T(a_zeroed_block_is_zero),
		T(what_was_kept_is_known_to_be_dirty_afterwards),
		T(a_kept_block_is_no_block),
		T(there_are_few_and_the_newest),
		T(a_flush_of_sheaves_is_one_of_areas),
		T(a_thread_that_ends_keeps_none),
		T(a_fork_child_has_those_of_other_threads),
		T(where_requests_may_fail_nothing_is_kept),
	};

	start_kernel();
	return cmocka_run_group_tests_name("area_cache", tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
/* Mempools where their lock is not to be had, and the guard of a sleep (kernel-semantics 8.2). */
#include "unit.h"
#include "kernel/spinlock.h"
#include "kmalloc/mempool.h"
#include "os/os.h"

#include <pthread.h>
#include <sys/wait.h>

static int nr_out;		/* elements that the source gave and has not back */
static int left = -1;
static void (*while_asleep)(void);
static unsigned int last_timeout;

void __real_km_os_futex_wait(const u32 *word, u32 expected, unsigned int timeout_ms);
void __wrap_km_os_futex_wait(const u32 *word, u32 expected, unsigned int timeout_ms);

/* A sleep that is over at once. */
void __wrap_km_os_futex_wait(const u32 *word, u32 expected, unsigned int timeout_ms)
{
	if (!while_asleep) {
		__real_km_os_futex_wait(word, expected, timeout_ms);
		return;
	}
	last_timeout = timeout_ms;
	while_asleep();
}

static void *give(gfp_t gfp, void *pool_data)
{
	(void)gfp;
	(void)pool_data;
	if (!left)
		return NULL;
	left -= left > 0;
	nr_out++;
	return malloc(32);
}

static void take_back(void *element, void *pool_data)
{
	(void)pool_data;
	nr_out--;
	free(element);
}

static mempool_t *pool;

static int create(void **state)
{
	(void)state;
	left = -1;
	nr_out = 0;
	while_asleep = NULL;
	pool = mempool_create(3, give, take_back, NULL);
	left = 0;
	return pool ? 0 : -1;
}

static int destroy(void **state)
{
	(void)state;
	mempool_destroy(pool);
	return nr_out;
}

static spinlock_t *pool_lock(void)
{
	return (spinlock_t *)(void *)pool->kmalloc_private.lock;
}

static unsigned int nr_in_pocket(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < 8; i++)
		n += pool->kmalloc_private.pocket[i] != NULL;
	return n;
}

/* As a signal handler that interrupted the pool's own code. */
static void what_is_freed_without_the_lock_is_not_lost(void **state)
{
	void *p[3];
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		p[i] = mempool_alloc(pool, GFP_ATOMIC);
	assert_true(spin_trylock(pool_lock()));
	assert_null(mempool_alloc(pool, GFP_ATOMIC));
	for (i = 0; i < 3; i++)
		mempool_free(p[i], pool);
	assert_int_equal(pool->curr_nr, 0);
	assert_int_equal(nr_in_pocket(), 3);
	assert_non_null(mempool_alloc_preallocated(pool));
	spin_unlock(pool_lock());
	mempool_free(p[0], pool);
	assert_int_equal(nr_in_pocket(), 0);
	assert_int_equal(pool->curr_nr, 3);
	assert_true(pool->elements[0] != pool->elements[1] &&
		    pool->elements[0] != pool->elements[2] &&
		    pool->elements[1] != pool->elements[2]);
}

static void a_full_pocket_frees_to_the_source(void **state)
{
	void *p[20];
	int i;

	(void)state;
	left = -1;
	assert_int_equal(mempool_resize(pool, 20), 0);
	left = 0;
	for (i = 0; i < 20; i++)
		p[i] = mempool_alloc(pool, GFP_ATOMIC);
	assert_true(spin_trylock(pool_lock()));
	for (i = 0; i < 20; i++)
		mempool_free(p[i], pool);
	assert_int_equal(nr_in_pocket(), 8);
	assert_int_equal(nr_out, 8);
	assert_int_equal(mempool_resize(pool, 5), -16);
	spin_unlock(pool_lock());
	for (i = 0; i < 8; i++) {
		p[i] = mempool_alloc_preallocated(pool);
		assert_non_null(p[i]);
		take_back(p[i], NULL);
	}
	assert_null(mempool_alloc_preallocated(pool));
}

static void allocator_recovers(void)
{
	left = 1;
}

static void a_sleep_ends_after_five_seconds(void **state)
{
	void *p[4];
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		p[i] = mempool_alloc(pool, GFP_KERNEL);
	while_asleep = allocator_recovers;
	p[3] = mempool_alloc(pool, GFP_KERNEL);
	assert_non_null(p[3]);
	assert_int_equal(last_timeout, 5000);
	assert_int_equal(pool->kmalloc_private.waiters, 0);
	for (i = 0; i < 4; i++)
		mempool_free(p[i], pool);
}

static void a_blocking_caller_without_the_lock_asks_the_allocator_again(void **state)
{
	void *p;

	(void)state;
	assert_true(spin_trylock(pool_lock()));
	while_asleep = allocator_recovers;
	p = mempool_alloc(pool, GFP_KERNEL);
	assert_non_null(p);
	assert_true(last_timeout < 100);
	spin_unlock(pool_lock());
	assert_int_equal(pool->curr_nr, 3);
	mempool_free(p, pool);
}

static _Atomic int holding;

static void *hold_the_lock(void *arg)
{
	(void)arg;
	assert_true(spin_trylock(pool_lock()));
	holding = 1;
	while (holding != 2)
		usleep(100);
	spin_unlock(pool_lock());
	return NULL;
}

static int reserve_in_child(void)
{
	void *p[3];
	int i;

	alarm(10);
	for (i = 0; i < 3; i++) {
		p[i] = mempool_alloc(pool, GFP_ATOMIC);
		if (!p[i])
			return 1;
	}
	if (mempool_alloc(pool, GFP_ATOMIC))
		return 2;
	for (i = 0; i < 3; i++)
		mempool_free(p[i], pool);
	return pool->curr_nr == 3 && nr_in_pocket() == 0 ? 0 : 3;
}

static void a_child_frees_the_lock_of_a_thread_that_is_not_there(void **state)
{
	pthread_t thread;
	int status;
	pid_t pid;

	(void)state;
	holding = 0;
	assert_int_equal(pthread_create(&thread, NULL, hold_the_lock, NULL), 0);
	while (!holding)
		usleep(100);
	pid = fork();
	if (!pid)
		_exit(reserve_in_child());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	holding = 2;
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(status, 0);
}

/* A handler that interrupted the pool forks: the interrupted code gives the lock back. */
static void a_child_leaves_the_lock_to_its_own_thread(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	assert_true(spin_trylock(pool_lock()));
	pid = fork();
	if (!pid) {
		alarm(10);
		if (mempool_alloc(pool, GFP_ATOMIC) || !spin_is_mine(pool_lock()))
			_exit(1);
		spin_unlock(pool_lock());
		_exit(reserve_in_child());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	spin_unlock(pool_lock());
	assert_int_equal(status, 0);
}

/* Stores of other threads that did not reach the child: curr_nr counts an empty place. */
static void an_empty_place_is_passed_over(void **state)
{
	void *p = pool->elements[1], *q = pool->elements[2], *first;

	(void)state;
	pool->elements[1] = pool->elements[2] = NULL;
	first = mempool_alloc(pool, GFP_ATOMIC);
	assert_non_null(first);
	mempool_free(p, pool);
	mempool_free(q, pool);
	assert_ptr_equal(mempool_alloc(pool, GFP_ATOMIC), q);
	assert_ptr_equal(mempool_alloc(pool, GFP_ATOMIC), p);
	assert_null(mempool_alloc(pool, GFP_ATOMIC));
	take_back(first, NULL);
	take_back(p, NULL);
	take_back(q, NULL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, create, destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_freed_without_the_lock_is_not_lost),
		T(a_full_pocket_frees_to_the_source),
		T(a_sleep_ends_after_five_seconds),
		T(a_blocking_caller_without_the_lock_asks_the_allocator_again),
		T(a_child_frees_the_lock_of_a_thread_that_is_not_there),
		T(a_child_leaves_the_lock_to_its_own_thread),
		T(an_empty_place_is_passed_over),
	};

	return cmocka_run_group_tests_name("mempool", tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
/* Mempools: sleeping and waking, many threads, fork, no system call. kernel-semantics 8.2, 8.3. */
#include "mempool_test.h"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <time.h>

static struct source src;

static unsigned int waiters(mempool_t *pool)
{
	/* the upper half counts those that want several once more */
	return __atomic_load_n(&pool->kmalloc_private.waiters, __ATOMIC_SEQ_CST) & 0xffff;
}

static void wait_for_waiters(mempool_t *pool, unsigned int n)
{
	while (waiters(pool) != n)
		usleep(200);
	usleep(2000);		/* counted; now asleep too */
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static _Atomic int nr_done;

static void *take_one(void *arg)
{
	void *p = mempool_alloc(arg, GFP_NOIO);

	nr_done++;
	return p;
}

/* 13.7 number 11, 8.7 */
static void a_blocking_caller_sleeps_until_a_free(void **state)
{
	mempool_t *pool = new_pool(&src, 1);
	pthread_t thread;
	double start;
	void *p, *q;
	int tries;

	(void)state;
	source_forget(&src, 0);
	nr_done = 0;
	p = mempool_alloc(pool, GFP_KERNEL);
	assert_int_equal(pthread_create(&thread, NULL, take_one, pool), 0);
	wait_for_waiters(pool, 1);
	tries = src.nr_tries;
	usleep(30000);
	assert_int_equal(nr_done, 0);
	assert_int_equal(src.nr_tries, tries);	/* asleep, not polling */
	start = seconds();
	mempool_free(p, pool);
	assert_int_equal(pthread_join(thread, &q), 0);
	assert_true(seconds() - start < 4);	/* woken, not found by the guard of 5 s */
	assert_ptr_equal(q, p);
	assert_int_equal(waiters(pool), 0);
	mempool_free(q, pool);
	end_pool(pool, &src);
}

/* 8.2 step 7: exclusive waiters */
static void a_free_wakes_one_sleeper(void **state)
{
	mempool_t *pool = new_pool(&src, 1);
	pthread_t thread[3];
	void *p, *q[3];
	unsigned int i;
	int tries;

	(void)state;
	source_forget(&src, 0);
	nr_done = 0;
	p = mempool_alloc(pool, GFP_KERNEL);
	for (i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, take_one, pool), 0);
	wait_for_waiters(pool, 3);
	for (i = 1; i <= 3; i++) {
		tries = src.nr_tries;
		mempool_free(p, pool);
		while (nr_done < (int)i)
			usleep(200);
		usleep(5000);
		assert_int_equal(nr_done, i);
		assert_int_equal(waiters(pool), 3 - i);
		assert_true(src.nr_tries - tries <= 1);	/* of the one that was woken */
	}
	for (i = 0; i < 3; i++) {
		assert_int_equal(pthread_join(thread[i], &q[i]), 0);
		assert_ptr_equal(q[i], p);
	}
	mempool_free(p, pool);
	end_pool(pool, &src);
}

/* 8.3: the one place of a pool with min_nr 0 */
static void a_sleeper_of_a_pool_that_keeps_nothing_is_woken(void **state)
{
	mempool_t *pool = new_pool(&src, 0);
	pthread_t thread;
	void *p, *q;

	(void)state;
	p = mempool_alloc(pool, GFP_KERNEL);
	src.left = 0;
	assert_int_equal(pthread_create(&thread, NULL, take_one, pool), 0);
	wait_for_waiters(pool, 1);
	mempool_free(p, pool);
	assert_int_equal(pthread_join(thread, &q), 0);
	assert_ptr_equal(q, p);
	mempool_free(q, pool);
	end_pool(pool, &src);
}

static void *take_three(void *arg)
{
	static void *p[3];

	assert_int_equal(mempool_alloc_bulk(arg, p, 3, 0), 0);
	nr_done++;
	return p;
}

/* 8.4: all of the rest or nothing */
static void bulk_sleeps_until_the_reserve_has_all(void **state)
{
	mempool_t *pool = new_pool(&src, 3);
	pthread_t thread;
	void *p[2], *result;

	(void)state;
	source_forget(&src, 0);
	nr_done = 0;
	p[0] = mempool_alloc(pool, GFP_KERNEL);
	p[1] = mempool_alloc(pool, GFP_KERNEL);
	assert_int_equal(pthread_create(&thread, NULL, take_three, pool), 0);
	wait_for_waiters(pool, 1);
	mempool_free(p[0], pool);
	usleep(10000);
	assert_int_equal(nr_done, 0);
	assert_int_equal(pool->curr_nr, 2);
	mempool_free(p[1], pool);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_int_equal(pool->curr_nr, 0);
	assert_int_equal(mempool_free_bulk(pool, result, 3), 3);
	end_pool(pool, &src);
}

/* ---- many threads ---- */

#define THREADS		4
#define RESERVE		3
#define ROUNDS		20000

static _Atomic int out;			/* elements in use */
static _Atomic int wrong;
static _Atomic int stop;

/* Every element has one owner at a time. */
static void use_element(void *p, long me)
{
	_Atomic long *owner = p;
	long expect = 0;

	if (!__atomic_compare_exchange_n((long *)owner, &expect, me, 0, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		wrong++;
	if (++out > RESERVE)
		wrong++;
	out--;
	expect = me;
	if (!__atomic_compare_exchange_n((long *)owner, &expect, 0, 0, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		wrong++;
}

static void *contend(void *arg)
{
	mempool_t *pool = arg;
	long me = syscall(SYS_gettid);
	int i;

	for (i = 0; i < ROUNDS && !stop; i++) {
		void *p = i % 3 ? mempool_alloc(pool, GFP_KERNEL) :
				  mempool_alloc(pool, GFP_ATOMIC);

		if (!p) {
			wrong += i % 3 != 0;
			continue;
		}
		use_element(p, me);
		mempool_free(p, pool);
	}
	return NULL;
}

static void *zeroed_source(gfp_t gfp, void *pool_data)
{
	void *p = source_alloc(gfp, pool_data);

	return p ? memset(p, 0, 64) : NULL;
}

static mempool_t *contended_pool(void)
{
	mempool_t *pool;

	source_reset(&src, RESERVE);	/* and not one more */
	pool = mempool_create(RESERVE, zeroed_source, source_free, &src);
	assert_non_null(pool);
	wrong = stop = 0;
	return pool;
}

static void threads_share_the_reserve_and_lose_nothing(void **state)
{
	mempool_t *pool = contended_pool();
	pthread_t thread[THREADS];
	int i, left;

	(void)state;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, contend, pool), 0);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	assert_int_equal(wrong, 0);
	assert_int_equal(waiters(pool), 0);
	/* none went to the allocator, none is missing */
	left = RESERVE - src.nr_frees;
	for (i = 0; i < left; i++) {
		void *p = mempool_alloc_preallocated(pool);

		assert_non_null(p);
		source_free(p, &src);
	}
	assert_null(mempool_alloc_preallocated(pool));
	mempool_destroy(pool);
}

/* ---- fork ---- */

static int use_in_child(mempool_t *pool)
{
	void *p[RESERVE];
	int i, n = 0;

	alarm(10);
	src.left = 0;
	for (i = 0; i < RESERVE; i++) {
		p[n] = mempool_alloc(pool, GFP_ATOMIC);
		n += p[n] != NULL;
	}
	/* the others' elements are gone with them: at most one a thread */
	for (i = 0; i < n; i++)
		mempool_free(p[i], pool);
	if (n && pool->curr_nr != n)
		return 1;
	src.left = -1;
	for (i = 0; i < 100; i++) {
		void *q = mempool_alloc(pool, GFP_KERNEL);

		if (!q)
			return 2;
		mempool_free(q, pool);
	}
	return wrong ? 3 : 0;
}

static void a_fork_child_of_a_busy_pool_does_not_hang(void **state)
{
	mempool_t *pool = contended_pool();
	pthread_t thread[THREADS];
	int i, status;

	(void)state;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, contend, pool), 0);
	for (i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(use_in_child(pool));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	stop = 1;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	assert_int_equal(wrong, 0);
	mempool_destroy(pool);
}

/* ---- no system call ---- */

static void *nothing(gfp_t gfp, void *pool_data)
{
	(void)gfp;
	(void)pool_data;
	return NULL;
}

/* 6.7: without __GFP_DIRECT_RECLAIM no system call; any but exit and write kills the child. */
static void atomic_allocations_make_no_system_call(void **state)
{
	mempool_t *pool;
	void *p[5];
	int status;
	pid_t pid;

	(void)state;
	if (UNDER_TSAN)
		skip();		/* its run time makes system calls of its own */
	pool = new_pool(&src, 4);
	pid = fork();
	if (!pid) {
		int i, n = 0;

		alarm(10);
		pool->alloc = nothing;
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
			_exit(77);
		for (i = 0; i < 4; i++)
			n += (p[i] = mempool_alloc(pool, i % 2 ? GFP_ATOMIC : GFP_NOWAIT)) != NULL;
		p[4] = mempool_alloc(pool, GFP_ATOMIC);
		for (i = 0; i < 4; i++)
			mempool_free(p[i], pool);
		n += mempool_alloc_preallocated(pool) != NULL;
		syscall(SYS_exit, n == 5 && !p[4] ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
	end_pool(pool, &src);
}

static void *take_three_of_four(void *arg)
{
	static void *elems[3];

	mempool_alloc_bulk(arg, elems, 3, 0);
	return elems;
}

/* 8.3, 8.4: a free wakes who can use it, although one that wants more has waited for longer. */
static void a_bulk_sleeper_does_not_keep_others_asleep(void **state)
{
	mempool_t *pool = new_pool(&src, 4);
	pthread_t bulk, single;
	void *p[4], **elems, *q;
	double start;
	int i;

	(void)state;
	source_forget(&src, 0);
	for (i = 0; i < 4; i++)
		p[i] = mempool_alloc(pool, GFP_KERNEL);
	assert_int_equal(pthread_create(&bulk, NULL, take_three_of_four, pool), 0);
	wait_for_waiters(pool, 1);
	assert_int_equal(pthread_create(&single, NULL, take_one, pool), 0);
	wait_for_waiters(pool, 2);
	start = seconds();
	mempool_free(p[0], pool);
	pthread_join(single, &q);
	assert_true(seconds() - start < 2);	/* a sleep is 5 s at the longest */
	for (i = 1; i < 4; i++)
		mempool_free(p[i], pool);
	pthread_join(bulk, (void **)&elems);
	for (i = 0; i < 3; i++)
		mempool_free(elems[i], pool);
	mempool_free(q, pool);
	end_pool(pool, &src);
}

static pthread_barrier_t both;

static void *grow_much(void *arg)
{
	pthread_barrier_wait(&both);
	mempool_resize(arg, 2000);
	return arg;
}

/* 8.5: of two that grow a pool at once the larger number stays. */
static void two_resizes_at_once_leave_room_for_all_elements(void **state)
{
	pthread_t thread;
	int round;

	(void)state;
	pthread_barrier_init(&both, NULL, 2);
	for (round = 0; round < 200; round++) {
		mempool_t *pool = new_pool(&src, 4);

		assert_int_equal(pthread_create(&thread, NULL, grow_much, pool), 0);
		pthread_barrier_wait(&both);
		mempool_resize(pool, 8);
		pthread_join(thread, NULL);
		assert_true(pool->curr_nr <= pool->min_nr);
		assert_true(ksize(pool->elements) >= (size_t)pool->curr_nr * sizeof(void *));
		end_pool(pool, &src);
	}
	pthread_barrier_destroy(&both);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_blocking_caller_sleeps_until_a_free),
		cmocka_unit_test(a_free_wakes_one_sleeper),
		cmocka_unit_test(a_sleeper_of_a_pool_that_keeps_nothing_is_woken),
		cmocka_unit_test(bulk_sleeps_until_the_reserve_has_all),
		cmocka_unit_test(a_bulk_sleeper_does_not_keep_others_asleep),
		cmocka_unit_test(two_resizes_at_once_leave_room_for_all_elements),
		cmocka_unit_test(threads_share_the_reserve_and_lose_nothing),
		cmocka_unit_test(a_fork_child_of_a_busy_pool_does_not_hang),
		cmocka_unit_test(atomic_allocations_make_no_system_call),
	};

	return cmocka_run_group_tests_name("mempool threads", tests, NULL, NULL);
}

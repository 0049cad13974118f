// SPDX-License-Identifier: MIT
/* fork while other threads are in the middle of everything: the child's heap is whole and goes on working. */
#include "unit.h"
#include "heap_walk.h"
#include "mm/reclaim.h"
#include "mm/util.h"
#include "init/init.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define THREADS	3
#define MAILBOX	128
#define FORKS	10

static void *_Atomic mailbox[MAILBOX];
static _Atomic bool stop;
static _Atomic unsigned int wrong;

static bool block_is_right(char *p)
{
	size_t size;

	memcpy(&size, p, sizeof(size));
	return size >= 16 && size <= 400000 && check_block(p + 8, (size - 8) & ~7ul, size);
}

static char *new_block(size_t size)
{
	char *p = kvmalloc_size(size);

	if (!p)
		return NULL;
	memcpy(p, &size, sizeof(size));
	fill_block(p + 8, (size - 8) & ~7ul, size);
	return p;
}

static void *churn(void *arg)
{
	uint64_t rnd = (uint64_t)(uintptr_t)arg * 12345 + 1;
	char *own[64] = { NULL };
	unsigned int i;

	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		size_t size = 16 + next_random(&rnd) % (next_random(&rnd) % 50 ? 1500 : 300000);
		char *p = new_block(size);

		if (p)
			p = atomic_exchange_explicit(&mailbox[next_random(&rnd) % MAILBOX], p, memory_order_acq_rel);
		i = next_random(&rnd) % 64;
		if (own[i]) {
			wrong += !block_is_right(own[i]);
			slab_free(own[i]);
		}
		own[i] = p;
	}
	for (i = 0; i < 64; i++)
		slab_free(own[i]);
	return NULL;
}

/* In the child; the exit status tells what was wrong. */
static int child(void)
{
	static char *p[500];
	unsigned int i;

	if (!zone_validate())
		return 10;
	if (!vmap_validate())
		return 11;
	/* what was handed over before the fork is the child's too */
	for (i = 0; i < MAILBOX; i++) {
		char *q = atomic_load(&mailbox[i]);

		if (q && !block_is_right(q))
			return 12;
		slab_free(q);
	}
	for (i = 0; i < 500; i++) {
		p[i] = new_block(16 + random_below(i % 20 ? 2000 : 300000));
		if (!p[i])
			return 13;
	}
	for (i = 0; i < 500; i++) {
		if (!block_is_right(p[i]))
			return 14;
		slab_free(p[i]);
	}
	trim_memory();
	if (atomic_load(&fork_under_way))
		return 15;
	if (heap_walk())
		return 16;
	return 0;
}

static void run_children(pid_t (*make)(void))
{
	pthread_t thread[THREADS];
	unsigned long i, k;
	int status = 0;

	start_kernel();
	stop = false;
	wrong = 0;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, churn, (void *)(i + 1)), 0);
	for (i = 0; i < FORKS; i++) {
		unsigned int n = (unsigned int)random_below(200);
		pid_t pid;

		while (n--)
			slab_free(kvmalloc_size(random_below(3000)));
		pid = make();
		if (!pid)
			_exit(child());
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			break;		/* a failure ends the threads first */
	}
	stop = true;
	for (k = 0; k < THREADS; k++)
		pthread_join(thread[k], NULL);
	for (k = 0; k < MAILBOX; k++)
		slab_free(atomic_exchange(&mailbox[k], NULL));
	if (status)
		fail_msg("child %lu ended with status 0x%x", i, (unsigned int)status);
	assert_true(i > 0);
	assert_int_equal(wrong, 0);
	trim_memory();
	assert_int_equal(heap_walk(), 0);
	assert_int_equal(all_live_objects(), 0);
}

static pid_t make_fork(void)
{
	return fork();
}

static void a_child_of_a_busy_process_has_a_whole_heap(void **state)
{
	(void)state;
	run_children(make_fork);
}

static void grandchildren_have_one_too(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (!pid) {
		slab_free(kvmalloc_size(100));
		pid = fork();
		if (!pid)
			_exit(child());
		if (waitpid(pid, &status, 0) != pid)
			_exit(20);
		_exit(status ? 21 : child());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static pid_t in_a_handler(void)
{
	struct pcpu *c = cpu_enter();	/* as if a signal handler had interrupted the allocator */
	pid_t pid = fork();

	cpu_leave(c);
	return pid;
}

static void a_child_forked_inside_the_allocator_has_one(void **state)
{
	(void)state;
	run_children(in_a_handler);
}

/* Locks that the forking thread holds itself stay held in the child, and are given back by the code that goes on. */
static void own_locks_survive_the_fork(void **state)
{
	struct pcpu *c;
	int status;
	pid_t pid;

	(void)state;
	slab_free(kvmalloc_size(1));
	c = cpu_enter();
	assert_true(spin_lock(&c->home->lock));
	pid = fork();
	if (!pid) {
		if (!spin_is_mine(&c->home->lock))
			_exit(30);
		spin_unlock(&c->home->lock);
		cpu_leave(c);
		_exit(child());
	}
	assert_true(spin_is_mine(&c->home->lock));
	spin_unlock(&c->home->lock);
	cpu_leave(c);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(heap_walk(), 0);
}

#if !UNIT_TSAN
static pid_t make_raw(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static int raw_child(void)
{
	static char *p[500];
	unsigned int i;

	for (i = 0; i < 500; i++) {
		p[i] = new_block(16 + random_below(i % 20 ? 2000 : 300000));
		if (!p[i])
			return 13;
	}
	for (i = 0; i < 500; i++) {
		if (!block_is_right(p[i]))
			return 14;
		slab_free(p[i]);
	}
	return 0;
}

/* No handler runs in such a child; locks that others held are lost. It must work all the same. */
static void a_child_without_handlers_allocates_and_frees(void **state)
{
	pthread_t thread[THREADS];
	unsigned long i, k;
	int status = 0;

	(void)state;
	stop = false;
	wrong = 0;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, churn, (void *)(i + 1)), 0);
	for (i = 0; i < FORKS; i++) {
		pid_t pid = make_raw();

		if (!pid)
			_exit(raw_child());
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			break;		/* a failure ends the threads first */
	}
	stop = true;
	for (k = 0; k < THREADS; k++)
		pthread_join(thread[k], NULL);
	for (k = 0; k < MAILBOX; k++)
		slab_free(atomic_exchange(&mailbox[k], NULL));
	if (status)
		fail_msg("child %lu ended with status 0x%x", i, (unsigned int)status);
	assert_true(i > 0);
	assert_int_equal(wrong, 0);
	trim_memory();
	assert_int_equal(heap_walk(), 0);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_of_a_busy_process_has_a_whole_heap),
		cmocka_unit_test(grandchildren_have_one_too),
		cmocka_unit_test(a_child_forked_inside_the_allocator_has_one),
		cmocka_unit_test(own_locks_survive_the_fork),
#if !UNIT_TSAN	/* its run time does not survive a fork without its handlers */
		cmocka_unit_test(a_child_without_handlers_allocates_and_frees),
#endif
	};

	return cmocka_run_group_tests_name("fork", tests, NULL, NULL);
}

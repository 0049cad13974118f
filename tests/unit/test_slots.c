// SPDX-License-Identifier: MIT
/* Slots and homes: taken again, shared, counted. */
#include "unit.h"
#include "heap_walk.h"
#include "mm/reclaim.h"
#include "mm/util.h"
#include "os/os.h"

#include <pthread.h>

#define STARTERS	8u
#define STARTS		300u

static void *use_some(void *arg)
{
	void *p[40];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = kvmalloc_size(16 + i * 24);
	for (i = 0; i < ARRAY_SIZE(p); i++)
		slab_free(p[i]);
	return arg;
}

static void *start_in_turn(void *arg)
{
	unsigned int i;
	pthread_t thread;

	for (i = 0; i < STARTS; i++)
		if (!pthread_create(&thread, NULL, use_some, NULL))
			pthread_join(thread, NULL);
	return arg;
}

static void slots_of_threads_that_ended_are_taken_again(void **state)
{
	pthread_t thread[STARTERS];
	unsigned int i;

	(void)state;
	for (i = 0; i < STARTERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, start_in_turn, NULL), 0);
	for (i = 0; i < STARTERS; i++)
		pthread_join(thread[i], NULL);
	/* at a time no more than these, those that they started, and this one */
	assert_in_range(nr_cpus, 1, 2 * STARTERS + 1);
	assert_int_equal(heap_walk(), 0);	/* which counts those that live and those that do not */
}

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned int there;
	bool over;
} meeting = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false };

static void *wait_for_the_end(void *arg)
{
	use_some(arg);
	*(struct slab_home **)arg = own_cpu->home;
	pthread_mutex_lock(&meeting.lock);
	meeting.there++;
	pthread_cond_broadcast(&meeting.changed);
	while (!meeting.over)
		pthread_cond_wait(&meeting.changed, &meeting.lock);
	pthread_mutex_unlock(&meeting.lock);
	return NULL;
}

static void come(pthread_t *thread, struct slab_home **home, unsigned int n)
{
	unsigned int i;

	meeting.there = 0;
	meeting.over = false;
	for (i = 0; i < n; i++) {
		assert_int_equal(pthread_create(&thread[i], NULL, wait_for_the_end, &home[i]), 0);
		pthread_mutex_lock(&meeting.lock);
		while (meeting.there <= i)
			pthread_cond_wait(&meeting.changed, &meeting.lock);
		pthread_mutex_unlock(&meeting.lock);
	}
}

static void go(pthread_t *thread, unsigned int n)
{
	unsigned int i;

	pthread_mutex_lock(&meeting.lock);
	meeting.over = true;
	pthread_cond_broadcast(&meeting.changed);
	pthread_mutex_unlock(&meeting.lock);
	for (i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
}

static void threads_share_homes_evenly(void **state)
{
	unsigned int most = MAX(2 * os_nr_cpus(), 4u), n = MIN(3 * most, 64u), i, k;
	struct slab_home *home[64];
	pthread_t thread[64];

	(void)state;
	come(thread, home, n);
	assert_in_range(nr_homes, 1, most);
	for (i = 0; i < n; i++) {
		unsigned int same = 0;

		for (k = 0; k < n; k++)
			same += home[k] == home[i];
		assert_in_range(same, 1, DIV_ROUND_UP(n, nr_homes) + 2);
	}
	go(thread, n);
	assert_int_equal(heap_walk(), 0);
}

static void a_thread_prefers_a_home_that_no_thread_uses(void **state)
{
	struct slab_home *home[2];
	pthread_t thread[2];

	(void)state;
	use_some(NULL);
	come(thread, home, 2);
	assert_ptr_not_equal(home[0], home[1]);
	assert_ptr_not_equal(home[0], own_cpu->home);
	assert_ptr_not_equal(home[1], own_cpu->home);
	go(thread, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_of_threads_that_ended_are_taken_again),
		cmocka_unit_test(threads_share_homes_evenly),
		cmocka_unit_test(a_thread_prefers_a_home_that_no_thread_uses),
	};

	return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}

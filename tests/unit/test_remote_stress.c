// SPDX-License-Identifier: MIT
/*
 * The protocol between slots, in the real code: threads that come and go hand blocks to each other, a timer's signal
 * handler allocates and frees wherever it hits, one thread trims and reads the totals meanwhile. Every block knows
 * what it holds. At the quiet end everything is freed and all invariants hold.
 * KMALLOC_TEST_SECONDS: how long in all (2).
 */
#include "unit.h"
#include "heap_walk.h"
#include "mm/reclaim.h"
#include "mm/util.h"
#include "init/init.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#define MAILBOX	512
#define OWN	48
#define PATIENCE_MS	60000

static void *_Atomic mailbox[MAILBOX];
static _Atomic bool stop;
static _Atomic unsigned int wrong, failed, errno_changed;
static _Atomic unsigned long handed, in_handler, threads_started;

struct head {
	uint32_t size, seed;
};

static void *new_block(uint64_t *rnd)
{
	uint64_t r = next_random(rnd);
	/* few classes, so that threads meet in the same slabs; now and then a large one or an area */
	static const uint16_t usual[] = { 8, 16, 24, 48, 64, 64, 64, 100, 256, 512 };
	uint32_t size = r % 64 ? usual[r / 64 % ARRAY_SIZE(usual)] :
			r % 4096 ? (uint32_t)(r >> 20) % 20000 + 8 : (uint32_t)(r >> 20) % 200000 + 8;
	struct head *h = r % 5 ? kvmalloc_size(size) : kvzalloc_size(size);

	if (!h) {
		atomic_fetch_add_explicit(&failed, 1, memory_order_relaxed);
		return NULL;
	}
	if (r % 5 == 0 && !all_bytes(h, 0, size))
		atomic_fetch_add_explicit(&wrong, 1, memory_order_relaxed);
	h->size = size;
	h->seed = (uint32_t)(r >> 32);
	fill_block(h + 1, (size - 8) & ~7u, h->seed);
	return h;
}

static void drop_block(struct head *h)
{
	if (!h)
		return;
	if (h->size < 8 || h->size > 200008 || !check_block(h + 1, (h->size - 8) & ~7u, h->seed))
		atomic_fetch_add_explicit(&wrong, 1, memory_order_relaxed);
	h->size = 0;
	slab_free(h);
}

static void *trade(void *block, uint64_t *rnd)
{
	return atomic_exchange_explicit(&mailbox[next_random(rnd) % MAILBOX], block, memory_order_acq_rel);
}

static __thread uint64_t handler_random;

static void on_signal(int sig)
{
	int saved = errno;
	unsigned int i;

	(void)sig;
	if (!handler_random)
		return;		/* not one of our threads */
	for (i = 0; i < 4; i++) {
		errno = 77;
		drop_block(trade(new_block(&handler_random), &handler_random));
		if (errno != 77)
			atomic_fetch_add_explicit(&errno_changed, 1, memory_order_relaxed);
	}
	errno = saved;
	atomic_fetch_add_explicit(&in_handler, 1, memory_order_relaxed);
}

/* Lives for some thousand steps, so that slots die full of others' objects and are adopted. */
static void *worker(void *arg)
{
	uint64_t rnd = (uint64_t)(uintptr_t)arg * 0x9e3779b97f4a7c15ull + 1;
	unsigned long steps = 500 + next_random(&rnd) % 20000, i, k;
	void *own[OWN] = { NULL };
	sigset_t set;

	handler_random = rnd ^ 0x5555;
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);	/* so that the kernel has nobody else to choose */
	for (i = 0; i < steps && !atomic_load_explicit(&stop, memory_order_relaxed); i++) {
		k = next_random(&rnd) % OWN;
		switch (next_random(&rnd) % 8) {
		case 0:		/* free own, often of another thread's slab */
			drop_block(own[k]);
			own[k] = NULL;
			break;
		case 1:		/* a burst in one direction */
			for (k = 0; k < OWN; k++)
				own[k] = trade(own[k], &rnd);
			break;
		case 2:
			for (k = 0; k < OWN; k += 2) {
				drop_block(own[k]);
				own[k] = new_block(&rnd);
			}
			break;
		default:
			drop_block(own[k]);
			own[k] = trade(new_block(&rnd), &rnd);
		}
		atomic_fetch_add_explicit(&handed, 1, memory_order_relaxed);
	}
	for (k = 0; k < OWN; k++)
		drop_block(own[k]);
	return NULL;
}

static unsigned long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (unsigned long)ts.tv_sec * 1000 + (unsigned long)ts.tv_nsec / 1000000;
}

static unsigned long test_ms(void)
{
	const char *s = getenv("KMALLOC_TEST_SECONDS");
	double seconds = s ? atof(s) : 2;

	return (unsigned long)((seconds > 0 ? seconds : 2) * 1000);
}

/* Keeps up: each worker that ended is replaced. */
static void *foreman(void *arg)
{
	unsigned long nr = (unsigned long)(uintptr_t)arg;
	pthread_t thread;

	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		nr += 100;
		if (pthread_create(&thread, NULL, worker, (void *)nr)) {
			atomic_fetch_add_explicit(&failed, 1, memory_order_relaxed);
			break;
		}
		atomic_fetch_add_explicit(&threads_started, 1, memory_order_relaxed);
		pthread_join(thread, NULL);
	}
	return NULL;
}

static bool all_took_part(unsigned int threads, unsigned long rounds)
{
	return threads_started >= threads && handed > 1000 && in_handler > 0 && rounds > 0;
}

static void stress(unsigned int threads)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART }, old;
	struct itimerval tick = { .it_interval.tv_usec = 500, .it_value.tv_usec = 500 }, none = { .it_value.tv_sec = 0 };
	unsigned long end = now_ms() + test_ms() / 3, i, rounds = 0;
	struct heap_usage usage;
	pthread_t foremen[8];
	sigset_t set, saved;

	start_kernel();
	atomic_store(&stop, false);
	atomic_store(&handed, 0);
	atomic_store(&in_handler, 0);
	atomic_store(&threads_started, 0);
	sigaction(SIGALRM, &sa, &old);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, &saved);	/* the workers take it */
	for (i = 0; i < threads; i++)
		assert_int_equal(pthread_create(&foremen[i], NULL, foreman, (void *)(i + 1)), 0);
	setitimer(ITIMER_REAL, &tick, NULL);
	/* on a busy machine as long as it takes, within reason, until each has done something */
	while (now_ms() < end || (now_ms() < end + PATIENCE_MS && !all_took_part(threads, rounds))) {
		struct timespec nap = { .tv_nsec = 2000000 };

		nanosleep(&nap, NULL);
		trim_memory();
		heap_get_usage(&usage);
		assert_true(usage.slab_in_use <= usage.slab_system);
		slab_free(kvmalloc_size(64));
		rounds++;
	}
	setitimer(ITIMER_REAL, &none, NULL);
	atomic_store(&stop, true);
	for (i = 0; i < threads; i++)
		pthread_join(foremen[i], NULL);
	while (sigtimedwait(&set, NULL, &(struct timespec){ .tv_nsec = 0 }) > 0)
		;	/* one that nobody took */
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	sigaction(SIGALRM, &old, NULL);
	for (i = 0; i < MAILBOX; i++)
		drop_block(atomic_exchange(&mailbox[i], NULL));

	printf("# %u threads at once, %lu in all: %lu steps, %lu signals, %lu trims\n", threads, threads_started, handed,
	       in_handler, rounds);
	assert_int_equal(wrong, 0);
	assert_int_equal(failed, 0);
	assert_int_equal(errno_changed, 0);
	assert_true(all_took_part(threads, rounds));
	assert_int_equal(heap_walk(), 0);		/* with full inboxes and sheaves */
	trim_memory();					/* empties every inbox */
	assert_int_equal(heap_walk(), 0);
	assert_int_equal(all_live_objects(), 0);
}

static void two_threads_lose_nothing(void **state)
{
	(void)state;
	stress(2);
}

static void four_threads_lose_nothing(void **state)
{
	(void)state;
	stress(4);
}

static void eight_threads_lose_nothing(void **state)
{
	(void)state;
	stress(8);
}

static void in_the_end_nothing_is_in_use(void **state)
{
	struct kmem_cache *s;
	struct slab *slab;
	long nolock = 0;

	(void)state;
	trim_memory();
	trim_memory();
	assert_int_equal(heap_walk(), 0);
	for (s = &kmalloc_caches[1]; s <= &kmalloc_caches[nr_kmalloc_caches]; s++)
		for (slab = atomic_load(&s->nolock_slabs); slab; slab = slab->next_nolock)
			nolock += (long)(s->blocks * PAGEBLOCK_SIZE >> FRAME_SHIFT);
	assert_int_equal(atomic_load(&purge_state.used), nolock);
	assert_int_equal(atomic_load(&purge_state.dirty), 0);
	assert_int_equal(atomic_load(&nolock_frees_in_flight), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_threads_lose_nothing),
		cmocka_unit_test(four_threads_lose_nothing),
		cmocka_unit_test(eight_threads_lose_nothing),
		cmocka_unit_test(in_the_end_nothing_is_in_use),
	};

	return cmocka_run_group_tests_name("remote stress", tests, NULL, NULL);
}

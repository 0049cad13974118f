// SPDX-License-Identifier: MIT
/*
 * threads.c - benchmarks: threads that keep what they allocate
 *
 * Private churn, servers whose threads come and go, false sharing, and a thread
 * at work among many that sleep.  threads_exchange.c has those that pass blocks on.
 */
#include "server.h"
#include "threads.h"

#include <pthread.h>
#include <stdatomic.h>

#define CHURN_BLOCKS	1000

static void replace_one(struct block *set, unsigned int n, unsigned int high, uint64_t *seed)
{
	struct block *b = &set[rnd_below(seed, n)];

	block_drop(b);
	block_new(b, rnd_size(seed, 4, high), *seed);
}

static struct block *fill_set(unsigned int n, unsigned int high, uint64_t *seed)
{
	struct block *set = bench_table(n * sizeof(*set));

	for (unsigned int i = 0; i < n; i++)
		block_new(&set[i], rnd_size(seed, 4, high), *seed);
	return set;
}

static void drop_set(struct block *set, unsigned int n)
{
	drop_all(set, n);
	bench_table_free(set, n * sizeof(*set));
}

/* churn: each thread replaces blocks of its own set, 16 B to 2 KiB, at random */

static void churn(struct bench_state *state)
{
	uint64_t seed = thread_seed(state);
	struct block *set = fill_set(CHURN_BLOCKS, 11, &seed);

	BENCH_LOOP(state)
		replace_one(set, CHURN_BLOCKS, 11, &seed);
	drop_set(set, CHURN_BLOCKS);
	bench_set_items(state, bench_iterations(state));
}

/* server: each thread of the row is a service (server.h) */

struct service {
	struct block *set;
	uint64_t seed, items;
};

static void *serve(void *arg)
{
	struct service *service = arg;
	uint64_t seed = service->seed;

	for (uint64_t i = 0; i < service->items; i++)
		replace_one(service->set, SERVER_BLOCKS, SERVER_HIGH, &seed);
	service->seed = seed;
	return NULL;
}

static void server(struct bench_state *state)
{
	struct service service = { .seed = thread_seed(state) };
	pthread_t thread;

	service.set = fill_set(SERVER_BLOCKS, SERVER_HIGH, &service.seed);
	for (uint64_t left = bench_begin(state); left; left -= service.items) {
		service.items = left < SERVER_LIFE ? left : SERVER_LIFE;
		if (pthread_create(&thread, NULL, serve, &service))
			bench_die("server: pthread_create failed");
		pthread_join(thread, NULL);
	}
	bench_end(state);
	drop_set(service.set, SERVER_BLOCKS);
	bench_set_items(state, bench_iterations(state));
}

/*
 * false_sharing: each thread writes to a small block many times and replaces it.
 * Active, the allocator itself may give two threads parts of one cache line.
 * Passive, the first block of each came from one thread, side by side with those of
 * the others: will the allocator give a thread that frees it the same place again?
 */

#define SHARED_SIZE	16
#define SHARED_WRITES	64

static char *shared_blocks[MAX_THREADS];

/*
 * Atomic, as a counter of references is.  Plain writes to a line that another core
 * wants wait in the store buffer and go out many at once, so they show next to
 * nothing; plain additions change their speed fourfold from run to run.
 */
static void write_often(char *p)
{
	_Atomic uint64_t *word = (_Atomic uint64_t *)(void *)p;

	atomic_init(word, 0);
	for (unsigned int i = 0; i < SHARED_WRITES; i++)
		atomic_fetch_add_explicit(word, 1, memory_order_relaxed);
	if (atomic_load_explicit(word, memory_order_relaxed) != SHARED_WRITES)
		bench_die("false_sharing: a block does not hold what was written to it");
}

static void false_sharing_active(struct bench_state *state)
{
	BENCH_LOOP(state) {
		char *p = must(malloc(SHARED_SIZE));

		write_often(p);
		free(p);
	}
	bench_set_items(state, bench_iterations(state));
}

static void false_sharing_passive(struct bench_state *state)
{
	char *p = NULL;

	for (unsigned int i = 0; bench_thread(state) == 0 && i < bench_threads(state); i++)
		shared_blocks[i] = must(malloc(SHARED_SIZE));
	BENCH_LOOP(state) {
		p = p ? must(malloc(SHARED_SIZE)) : shared_blocks[bench_thread(state)];
		write_often(p);
		free(p);
	}
	bench_set_items(state, bench_iterations(state));
}

/*
 * idle_threads: one thread churns; others, which each used malloc a little before,
 * sleep.  A run scaled down has fewer of them.  What memory they cost is a row of
 * bench-memory, BM_threads_idle.
 */

#define IDLE_ITEMS	800000
#define IDLE_BLOCKS	32
#define IDLE_STACK	(128 * KIB)

static struct {
	pthread_mutex_t lock;
	pthread_cond_t one_more, end;
	unsigned int asleep;
	bool over;
} idle = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.one_more = PTHREAD_COND_INITIALIZER,
	.end = PTHREAD_COND_INITIALIZER,
};

static void *sleep_on(void *arg)
{
	struct block set[IDLE_BLOCKS];
	uint64_t seed = (uintptr_t)arg + 1;

	for (unsigned int i = 0; i < IDLE_BLOCKS; i++)
		block_new(&set[i], rnd_size(&seed, 4, 9), seed);
	drop_all(set, IDLE_BLOCKS);
	pthread_mutex_lock(&idle.lock);
	idle.asleep++;
	pthread_cond_signal(&idle.one_more);
	while (!idle.over)
		pthread_cond_wait(&idle.end, &idle.lock);
	pthread_mutex_unlock(&idle.lock);
	return NULL;
}

static void wait_until_asleep(unsigned int n)
{
	pthread_mutex_lock(&idle.lock);
	while (idle.asleep < n)
		pthread_cond_wait(&idle.one_more, &idle.lock);
	pthread_mutex_unlock(&idle.lock);
}

/* In turn: else how many of them allocate at once would be left to chance. */
static void idle_begin(pthread_t *thread, unsigned int n, bool in_turn)
{
	pthread_attr_t attr;

	idle.asleep = 0;
	idle.over = false;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, IDLE_STACK);
	for (unsigned int i = 0; i < n; i++) {
		if (pthread_create(&thread[i], &attr, sleep_on, (void *)(uintptr_t)i))
			bench_die("idle_threads: pthread_create failed");
		if (in_turn)
			wait_until_asleep(i + 1);
	}
	wait_until_asleep(n);
	pthread_attr_destroy(&attr);
}

static void idle_end(pthread_t *thread, unsigned int n)
{
	pthread_mutex_lock(&idle.lock);
	idle.over = true;
	pthread_cond_broadcast(&idle.end);
	pthread_mutex_unlock(&idle.lock);
	for (unsigned int i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
}

static void idle_threads(struct bench_state *state)
{
	uint64_t scaled = (uint64_t)bench_arg(state, 0) * bench_iterations(state) / IDLE_ITEMS;
	unsigned int n = (unsigned int)scaled;
	uint64_t seed = thread_seed(state);
	struct block *set = fill_set(CHURN_BLOCKS, 11, &seed);
	pthread_t *thread = bench_table((n + 1) * sizeof(*thread));

	idle_begin(thread, n, true);
	BENCH_LOOP(state)
		replace_one(set, CHURN_BLOCKS, 11, &seed);
	idle_end(thread, n);
	drop_set(set, CHURN_BLOCKS);
	bench_table_free(thread, (n + 1) * sizeof(*thread));
	bench_set_items(state, bench_iterations(state));
}

/* Threads that used malloc begin, or end, all at once; an item is a thread. */
static void threads_begin(struct bench_state *state)
{
	unsigned int n = (unsigned int)bench_iterations(state);
	pthread_t *thread = bench_table_resident(n * sizeof(*thread));

	bench_begin(state);
	idle_begin(thread, n, false);
	bench_end(state);
	idle_end(thread, n);
	bench_table_free(thread, n * sizeof(*thread));
	bench_set_items(state, n);
}

static void threads_end(struct bench_state *state)
{
	unsigned int n = (unsigned int)bench_iterations(state);
	pthread_t *thread = bench_table(n * sizeof(*thread));

	idle_begin(thread, n, false);
	bench_begin(state);
	idle_end(thread, n);
	bench_end(state);
	bench_table_free(thread, n * sizeof(*thread));
	bench_set_items(state, n);
}

void bench_register_all(void)
{
	static const int64_t sleepers[] = { 0, 100, 1000 };

	register_curve(&(struct bench){ .name = "BM_churn", .run = churn }, 1, 1600000);
	register_curve(&(struct bench){ .name = "BM_server", .run = server }, 1, 1600000);
	register_curve(&(struct bench){ .name = "BM_false_sharing/active",
					.run = false_sharing_active }, 1, 96000);
	register_curve(&(struct bench){ .name = "BM_false_sharing/passive",
					.run = false_sharing_passive }, 1, 96000);
	register_exchange();
	for (unsigned int i = 0; i < ARRAY_SIZE(sleepers); i++)
		bench_register(&(struct bench){
			.name = "BM_idle_threads", .run = idle_threads, .args = { sleepers[i] },
			.nr_args = 1, .iterations = IDLE_ITEMS, .flags = BENCH_PROCESS_CPU,
		});
	bench_register(&(struct bench){ .name = "BM_idle_threads/begin", .run = threads_begin,
					.iterations = 1000, .flags = BENCH_PROCESS_CPU });
	bench_register(&(struct bench){ .name = "BM_idle_threads/end", .run = threads_end,
					.iterations = 1000, .flags = BENCH_PROCESS_CPU });
}

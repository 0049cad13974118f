/* SPDX-License-Identifier: MIT */
/*
 * The life of threads: turnover, keys, destructors, cross-thread frees.
 * Traps C22, C23, C24, C27, C30, C82.
 */
#include "trap.h"

#include <limits.h>

enum { KEYS = 900, DESTRUCTOR_ROUNDS = 4 };

static void *allocate_a_little(void *arg)
{
	void *p = malloc(100), *q = malloc(5000);

	(void)arg;
	CHECK(p && q);
	memset(p, 1, 100);
	memset(q, 1, 5000);
	free(p);
	/* The joiner frees this one. */
	return q;
}

static void check_growth(size_t before, size_t allowed)
{
	size_t after = trap_rss();

	if (after > before + allowed) {
		trap_note("%zu bytes resident at first, %zu at the end\n", before, after);
		_exit(1);
	}
}

static void turnover_has_constant_rss(void)
{
	unsigned int i, rounds = trap_long() ? 100000 : 10000;
	size_t before = 0;

	for (i = 0; i < rounds; i++) {
		pthread_t t;
		void *p;

		CHECK(pthread_create(&t, NULL, allocate_a_little, NULL) == 0);
		CHECK(pthread_join(t, &p) == 0);
		free(p);
		if (i == 1000)
			before = trap_rss();
	}
	check_growth(before, 2 << 20);
}

static void *free_mail(void *arg)
{
	unsigned int i;
	void **mail = (void **)arg;

	for (i = 0; i < 32; i++) {
		free(mail[i]);
		mail[i] = malloc(64 + i * 8);
		CHECK(mail[i]);
	}
	return NULL;
}

/* Each thread frees what its predecessor, dead by now, allocated; TLS addresses recur. */
static void frees_reach_dead_threads(void)
{
	unsigned int i, rounds = trap_long() ? 50000 : 5000;
	void *mail[3][32] = { { NULL } };
	size_t before = 0;

	for (i = 0; i < rounds; i++) {
		pthread_t t[3];
		int j;

		for (j = 0; j < 3; j++)
			CHECK(pthread_create(&t[j], NULL, free_mail, mail[(i + j) % 3]) == 0);
		for (j = 0; j < 3; j++)
			CHECK(pthread_join(t[j], NULL) == 0);
		if (i == 500)
			before = trap_rss();
	}
	check_growth(before, 2 << 20);
}

static unsigned int detached_done;

static void *detached(void *arg)
{
	churn_once((uintptr_t)arg + 1, 20);
	__atomic_add_fetch(&detached_done, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void detached_threads(void)
{
	unsigned int i, rounds = trap_long() ? 20000 : 2000;
	pthread_attr_t attr;

	CHECK(pthread_attr_init(&attr) == 0);
	CHECK(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0);
	for (i = 0; i < rounds; i++) {
		pthread_t t;

		CHECK(pthread_create(&t, &attr, detached, (void *)(uintptr_t)i) == 0);
		while (i + 1 - __atomic_load_n(&detached_done, __ATOMIC_ACQUIRE) > 16)
			sched_yield();
	}
	while (__atomic_load_n(&detached_done, __ATOMIC_ACQUIRE) < rounds)
		sched_yield();
}

static pthread_key_t keys[KEYS];
static unsigned int destructor_calls;

struct key_value {
	pthread_key_t key;
	unsigned int rounds_left;
	void *blocks[4];
};

/* Allocates and frees, and sets its key again: destructors run in up to four rounds. */
static void destructor(void *arg)
{
	struct key_value *kv = (struct key_value *)arg;
	unsigned int i;

	__atomic_add_fetch(&destructor_calls, 1, __ATOMIC_RELAXED);
	for (i = 0; i < 4; i++) {
		free(kv->blocks[i]);
		kv->blocks[i] = malloc((size_t)24 << i * 3);
		CHECK(kv->blocks[i]);
		block_fill(kv->blocks[i], (size_t)24 << i * 3, i);
	}
	if (--kv->rounds_left) {
		struct key_value *again = (struct key_value *)malloc(sizeof(*again));

		CHECK(again);
		*again = *kv;
		free(kv);
		CHECK(pthread_setspecific(again->key, again) == 0);
		return;
	}
	for (i = 0; i < 4; i++)
		free(kv->blocks[i]);
	free(kv);
}

static void *set_all_keys(void *arg)
{
	unsigned int i;

	(void)arg;
	for (i = 0; i < KEYS; i++) {
		struct key_value *kv = (struct key_value *)calloc(1, sizeof(*kv));

		CHECK(kv);
		kv->key = keys[i];
		kv->rounds_left = DESTRUCTOR_ROUNDS;
		CHECK(pthread_setspecific(keys[i], kv) == 0);
	}
	churn_once(1, 100);
	return NULL;
}

static void key_destructors_allocate(void)
{
	unsigned int i, rounds = trap_long() ? 1000 : 60;
	size_t before = 0;

	for (i = 0; i < KEYS; i++)
		CHECK(pthread_key_create(&keys[i], destructor) == 0);
	for (i = 0; i < rounds; i++) {
		pthread_t t[2];

		CHECK(pthread_create(&t[0], NULL, set_all_keys, NULL) == 0);
		CHECK(pthread_create(&t[1], NULL, set_all_keys, NULL) == 0);
		CHECK(pthread_join(t[0], NULL) == 0);
		CHECK(pthread_join(t[1], NULL) == 0);
		if (i == 20)
			before = trap_rss();
	}
	CHECK(destructor_calls == rounds * 2 * KEYS * DESTRUCTOR_ROUNDS);
	/* how far the two threads overlap differs; a leak of what comes late was 20 MB a round */
	check_growth(before, 32 << 20);
}

/* The first allocation of a thread comes from glibc's own table of keys. */
static void *first_act_sets_a_high_key(void *arg)
{
	static int value;
	unsigned int i;

	(void)arg;
	for (i = KEYS; i-- > KEYS - 200;)
		CHECK(pthread_setspecific(keys[i], &value) == 0);
	churn_once(3, 50);
	return NULL;
}

static void high_keys_set_before_the_first_malloc(void)
{
	unsigned int i;

	for (i = 0; i < KEYS; i++)
		CHECK(pthread_key_create(&keys[i], NULL) == 0);
	for (i = 0; i < 200; i++) {
		pthread_t t;

		CHECK(pthread_create(&t, NULL, first_act_sets_a_high_key, NULL) == 0);
		CHECK(pthread_join(t, NULL) == 0);
	}
}

static void no_key_is_left(void)
{
	unsigned int i, rounds = trap_long() ? 20000 : 2000;
	size_t before = 0;
	pthread_key_t key;

	while (pthread_key_create(&key, NULL) == 0)
		;
	for (i = 0; i < rounds; i++) {
		pthread_t t;
		void *p;

		CHECK(pthread_create(&t, NULL, allocate_a_little, NULL) == 0);
		CHECK(pthread_join(t, &p) == 0);
		free(p);
		if (i == 500)
			before = trap_rss();
	}
	check_growth(before, 2 << 20);
}

/* As a library loaded before us does that takes all keys in its constructor. */
static pthread_key_t grabbed[PTHREAD_KEYS_MAX];
static unsigned int nr_grabbed;

__attribute__((constructor(101))) static void grab_keys_first(void)
{
	if (!getenv("TRAP_GRAB_KEYS"))
		return;
	while (nr_grabbed < PTHREAD_KEYS_MAX &&
	       pthread_key_create(&grabbed[nr_grabbed], NULL) == 0)
		nr_grabbed++;
}

/* Runs itself once more, so that the keys are gone before main. */
static void no_key_is_left_before_main(void)
{
	char program[] = "/proc/self/exe", flag[] = "--case", number[] = "0";
	char *argv[] = { program, flag, number, NULL };
	pid_t pid;

	CHECK(setenv("TRAP_GRAB_KEYS", "1", 1) == 0);
	pid = fork();
	if (pid == 0) {
		execv(program, argv);
		_exit(99);
	}
	trap_reap(pid);
}

static void *only_frees(void *arg)
{
	free(arg);
	return NULL;
}

static void threads_that_only_free(void)
{
	unsigned int i, rounds = trap_long() ? 30000 : 3000;
	size_t before = 0;

	for (i = 0; i < rounds; i++) {
		void *p = malloc((size_t)16 << i % 15);
		pthread_t t;

		CHECK(p);
		CHECK(pthread_create(&t, NULL, only_frees, p) == 0);
		CHECK(pthread_join(t, NULL) == 0);
		if (i == 500)
			before = trap_rss();
	}
	check_growth(before, 2 << 20);
}

/* A ring from one thread to another; the consumer frees all that the producer makes. */
enum { RING = 256 };
static void *ring[RING];
static unsigned long produced, consumed;

static void *producer(void *arg)
{
	unsigned long total = *(unsigned long *)arg, i;
	uint64_t random = 1;

	for (i = 0; i < total; i++) {
		size_t n = trap_random(&random) % 2000 + 1;
		void *p = malloc(n);

		CHECK(p);
		memset(p, 1, n);
		while (i - __atomic_load_n(&consumed, __ATOMIC_ACQUIRE) >= RING)
			sched_yield();
		ring[i % RING] = p;
		__atomic_store_n(&produced, i + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void producer_and_consumer(void)
{
	unsigned long total = trap_long() ? 20000000 : 1000000, i;
	size_t before = 0;
	pthread_t t;

	CHECK(pthread_create(&t, NULL, producer, &total) == 0);
	for (i = 0; i < total; i++) {
		while (i >= __atomic_load_n(&produced, __ATOMIC_ACQUIRE))
			sched_yield();
		free(ring[i % RING]);
		__atomic_store_n(&consumed, i + 1, __ATOMIC_RELEASE);
		if (i == total / 10)
			before = trap_rss();
	}
	CHECK(pthread_join(t, NULL) == 0);
	check_growth(before, 4 << 20);
}

/* The consumer never allocates and ends before the producer asks again. */
static void *free_batch(void *arg)
{
	void **batch = (void **)arg;
	unsigned int i;

	for (i = 0; i < 1000; i++)
		free(batch[i]);
	return NULL;
}

static void batches_freed_elsewhere(void)
{
	unsigned int round, rounds = trap_long() ? 3000 : 300, i;
	size_t before = 0;

	for (round = 0; round < rounds; round++) {
		static void *batch[1000];
		pthread_t t;

		for (i = 0; i < 1000; i++) {
			batch[i] = malloc(i + 1);
			CHECK(batch[i]);
			memset(batch[i], 1, i + 1);
		}
		CHECK(pthread_create(&t, NULL, free_batch, batch) == 0);
		CHECK(pthread_join(t, NULL) == 0);
		if (round == 20)
			before = trap_rss();
	}
	check_growth(before, 2 << 20);
}

/* Growth by realloc where every step happens in another thread. */
static void *grow(void *arg)
{
	void **p = (void **)arg;
	size_t n = malloc_usable_size(*p);

	*p = realloc(*p, n + n / 2 + 16);
	CHECK(*p);
	return NULL;
}

static void realloc_in_other_threads(void)
{
	void *p = malloc(24);
	unsigned int i;

	CHECK(p);
	block_fill(p, 24, 3);
	for (i = 0; i < 32; i++) {
		pthread_t t;

		CHECK(pthread_create(&t, NULL, grow, &p) == 0);
		CHECK(pthread_join(t, NULL) == 0);
		CHECK(block_intact(p, 24, 24, 3));
	}
	free(p);
}

static void *wait_for_stop(void *arg)
{
	void *p = malloc(1000);

	(void)arg;
	CHECK(p);
	while (!__atomic_load_n(&trap_churners.stop, __ATOMIC_ACQUIRE))
		usleep(1000);
	free(p);
	return NULL;
}

/* More threads at once than any table of slots may have thought of. */
static void a_thousand_threads_at_once(void)
{
	static pthread_t t[1000];
	pthread_attr_t attr;
	unsigned int i, nr;

	CHECK(pthread_attr_init(&attr) == 0);
	CHECK(pthread_attr_setstacksize(&attr, 64 << 10) == 0);
	for (nr = 0; nr < 1000; nr++)
		if (pthread_create(&t[nr], &attr, wait_for_stop, NULL) != 0)
			break;
	if (nr < 300) {
		trap_note("only %u threads are allowed here", nr);
		_exit(TRAP_SKIP_STATUS);
	}
	__atomic_store_n(&trap_churners.stop, 1, __ATOMIC_RELEASE);
	for (i = 0; i < nr; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	churn_once(1, 1000);
}

static void no_helper_thread(void)
{
	char line[256];
	bool found = false;
	FILE *f;

	churn_once(1, 10000);
	f = fopen("/proc/self/status", "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, "Threads:", 8) == 0) {
			found = true;
			CHECK(atoi(line + 8) == 1);
		}
	fclose(f);
	CHECK(found);
}

static const struct trap_case cases[] = {
	{ .name = "threads created and joined leave the resident size constant",
	  .run = turnover_has_constant_rss },
	{ .name = "frees of blocks of dead threads leave the resident size constant",
	  .run = frees_reach_dead_threads },
	{ .name = "detached threads allocate", .run = detached_threads },
	{ .name = "900 key destructors allocate and free in four rounds",
	  .run = key_destructors_allocate },
	{ .name = "keys set before a thread's first malloc",
	  .run = high_keys_set_before_the_first_malloc },
	{ .name = "all keys are taken before the first thread starts", .run = no_key_is_left },
	{ .name = "all keys are taken before main", .run = no_key_is_left_before_main },
	{ .name = "threads whose only act is free", .run = threads_that_only_free },
	{ .name = "a producer and a consumer stay bounded in memory",
	  .run = producer_and_consumer },
	{ .name = "batches freed by other threads stay bounded in memory",
	  .run = batches_freed_elsewhere },
	{ .name = "a block grows by realloc in one thread after another",
	  .run = realloc_in_other_threads },
	{ .name = "a thousand threads at once hold memory", .run = a_thousand_threads_at_once },
	{ .name = "a plain program has one thread", .run = no_helper_thread },
};

TRAP_MAIN(cases)

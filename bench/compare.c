// SPDX-License-Identifier: MIT
/*
 * compare.c - one allocation pattern, timed, under whichever malloc is loaded
 *
 *	compare PATTERN [SCALE]		run it; SCALE multiplies the work (1)
 *	compare --list			the names of the patterns, one a line
 *	compare --list-all		the same and the parts of combined ones
 *
 * Nothing here knows an allocator: bench/compare.py runs this program under
 * each one by preloading and puts the lines side by side.  A run prints
 *
 *	PATTERN ns=WALL_PER_OPERATION cpu=SECONDS rss=PEAK_KIB ops=COUNT
 *
 * An operation is one block got and, sooner or later, freed; in the realloc
 * patterns it is one call of realloc.  Every run does the same work: the seeds
 * are fixed, and what a pattern needs for itself (tables, permutations) is
 * static and made before the clock starts.  Blocks are written as a program
 * would (first and last word, all of the small ones where they would be text
 * or a record, one word a page of large ones) and checked before they go, so
 * that an allocator that hands memory out twice is found, not timed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define KIB		((size_t)1 << 10)
#define MIB		((size_t)1 << 20)
#define TOUCH_STEP	4096
#define NR_WORKERS	4
#define CACHELINE	64

struct block {
	char *p;
	size_t size;
	uint64_t tag;
};

struct pattern {
	const char *name;
	uint64_t (*run)(void);
	bool part;		/* of another one: only run when named */
};

static struct {
	const char *pattern;
	double scale;
	struct timespec wall, cpu;
} bench;

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "compare: %s: %s\n", bench.pattern, what);
	exit(1);
}

/* The clock: a pattern calls start() when its own tables are ready. */

static void start(void)
{
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &bench.cpu);
	clock_gettime(CLOCK_MONOTONIC, &bench.wall);
}

static double since(clockid_t clock, const struct timespec *from)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)(now.tv_sec - from->tv_sec) + (double)(now.tv_nsec - from->tv_nsec) * 1e-9;
}

static unsigned long scaled(unsigned long count)
{
	unsigned long n = (unsigned long)((double)count * bench.scale);

	return n ? n : 1;
}

/* Random numbers: xorshift64, one state a thread. */

static inline uint64_t rnd(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*state = x;
	return x;
}

/* Uniform in 0..n-1; multiplies, as a division would cost more than a malloc. */
static inline unsigned int rnd_below(uint64_t *state, unsigned int n)
{
	return (unsigned int)(((rnd(state) >> 32) * n) >> 32);
}

/* 2^low <= size < 2^high: every doubling is as likely, sizes in it are too. */
static inline size_t rnd_size(uint64_t *state, unsigned int low, unsigned int high)
{
	uint64_t x = rnd(state);
	unsigned int shift = low + (unsigned int)(((x >> 32) * (high - low)) >> 32);

	return ((size_t)1 << shift) + (x & (((size_t)1 << shift) - 1));
}

/* Blocks */

static inline char *must(void *p)
{
	if (!p)
		die("out of memory");
	return p;
}

static inline void put_word(char *p, uint64_t word)
{
	memcpy(p, &word, sizeof(word));
}

static inline uint64_t get_word(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* Below 16 bytes the two words would overlap: only the first is used. */
static inline void mark(char *p, size_t size, uint64_t tag)
{
	put_word(p, tag);
	if (size >= 2 * sizeof(tag))
		put_word(p + size - sizeof(tag), tag);
}

static inline void check(const char *p, size_t size, uint64_t tag)
{
	if (get_word(p) != tag ||
	    (size >= 2 * sizeof(tag) && get_word(p + size - sizeof(tag)) != tag))
		die("a block does not hold what was written to it");
}

/* A tag is 8 bytes, so size >= 8 everywhere. */
static inline void block_new(struct block *b, size_t size, uint64_t tag)
{
	b->p = must(malloc(size));
	b->size = size;
	b->tag = tag;
	mark(b->p, size, tag);
}

static inline void block_drop(struct block *b)
{
	if (!b->p)
		return;
	check(b->p, b->size, b->tag);
	free(b->p);
	b->p = NULL;
}

static void touch_pages(char *p, size_t from, size_t to, uint64_t tag)
{
	for (size_t at = from; at + sizeof(tag) <= to; at += TOUCH_STEP)
		put_word(p + at, tag);
}

static void drop_all(struct block *set, size_t n)
{
	for (size_t i = 0; i < n; i++)
		block_drop(&set[i]);
}

/* pair: a block is got, written and freed at once */

static uint64_t run_pair(void)
{
	static const size_t sizes[] = { 16, 24, 32, 48, 64, 100, 128, 200, 256, 400, 512, 1024 };
	unsigned long rounds = scaled(30000);
	uint64_t ops = 0;

	start();
	for (unsigned long r = 0; r < rounds; r++) {
		size_t size = sizes[r % ARRAY_SIZE(sizes)];

		for (unsigned int i = 0; i < 1000; i++) {
			char *p = must(malloc(size));

			mark(p, size, r + i);
			check(p, size, r + i);
			free(p);
		}
		ops += 1000;
	}
	return ops;
}

/* random: a working set of 50,000 blocks of 8 B to 8 KiB */

#define RANDOM_SET 50000

static uint64_t run_random(void)
{
	static struct block set[RANDOM_SET];
	unsigned long n = scaled(2500000);
	uint64_t seed = 0x9e3779b97f4a7c15;

	memset(set, 0, sizeof(set));
	start();
	for (unsigned int i = 0; i < RANDOM_SET; i++)
		block_new(&set[i], rnd_size(&seed, 3, 13), i);
	for (unsigned long i = 0; i < n; i++) {
		struct block *b = &set[rnd_below(&seed, RANDOM_SET)];

		block_drop(b);
		block_new(b, rnd_size(&seed, 3, 13), i);
	}
	drop_all(set, RANDOM_SET);
	return n + RANDOM_SET;
}

/* batchN-ORDER: N blocks of one size are got, then all are freed */

#define BATCH_MAX	1600
#define BATCH_ORDERS	16

enum batch_order { IN_ORDER, REVERSE, AT_RANDOM };

static void make_order(uint16_t *order, unsigned int n, enum batch_order how, uint64_t *seed)
{
	for (unsigned int i = 0; i < n; i++)
		order[i] = (uint16_t)(how == REVERSE ? n - 1 - i : i);
	if (how != AT_RANDOM)
		return;
	for (unsigned int i = n - 1; i > 0; i--) {
		unsigned int j = rnd_below(seed, i + 1);
		uint16_t t = order[i];

		order[i] = order[j];
		order[j] = t;
	}
}

static uint64_t run_batch(unsigned int n, enum batch_order how)
{
	static const size_t sizes[] = { 64, 200 };
	static uint16_t orders[BATCH_ORDERS][BATCH_MAX];
	static char *block[BATCH_MAX];
	unsigned long rounds = scaled(10000000 / n);
	uint64_t seed = 0xd1b54a32d192ed03 + n;

	for (unsigned int i = 0; i < BATCH_ORDERS; i++)
		make_order(orders[i], n, how, &seed);
	memset(block, 0, sizeof(block));
	start();
	for (unsigned long r = 0; r < rounds; r++) {
		const uint16_t *order = orders[r % BATCH_ORDERS];
		size_t size = sizes[r & 1];

		for (unsigned int i = 0; i < n; i++) {
			block[i] = must(malloc(size));
			mark(block[i], size, r + i);
		}
		for (unsigned int i = 0; i < n; i++) {
			check(block[order[i]], size, r + order[i]);
			free(block[order[i]]);
		}
	}
	return (uint64_t)rounds * n;
}

#define BATCH(n)							\
static uint64_t run_batch##n##_order(void)				\
{									\
	return run_batch(n, IN_ORDER);					\
}									\
static uint64_t run_batch##n##_reverse(void)				\
{									\
	return run_batch(n, REVERSE);					\
}									\
static uint64_t run_batch##n##_random(void)				\
{									\
	return run_batch(n, AT_RANDOM);					\
}

BATCH(25)
BATCH(100)
BATCH(400)
BATCH(1600)

/* prodcons: one thread gets and fills blocks, another checks and frees them */

#define RING_SIZE 1024

static struct {
	struct block slot[RING_SIZE];
	alignas(CACHELINE) _Atomic unsigned long head;	/* written by the producer */
	alignas(CACHELINE) _Atomic unsigned long tail;	/* written by the consumer */
	alignas(CACHELINE) unsigned long total;
} ring;

static inline void wait_a_little(unsigned int *spins)
{
	if (++*spins % 64 == 0)
		sched_yield();
	else
		atomic_signal_fence(memory_order_seq_cst);
}

static void *consume(void *arg)
{
	unsigned long tail = 0, head;
	unsigned int spins = 0;

	while (tail < ring.total) {
		/* pairs with the release in run_prodcons() */
		head = atomic_load_explicit(&ring.head, memory_order_acquire);
		if (head == tail) {
			wait_a_little(&spins);
			continue;
		}
		for (; tail < head; tail++)
			block_drop(&ring.slot[tail % RING_SIZE]);
		/* pairs with the acquire in run_prodcons() */
		atomic_store_explicit(&ring.tail, tail, memory_order_release);
	}
	return arg;
}

static uint64_t run_prodcons(void)
{
	unsigned long total = scaled(4000000), head = 0, tail;
	uint64_t seed = 0x94d049bb133111eb;
	unsigned int spins = 0;
	pthread_t consumer;

	memset(ring.slot, 0, sizeof(ring.slot));
	ring.total = total;
	start();
	if (pthread_create(&consumer, NULL, consume, NULL))
		die("pthread_create failed");
	while (head < total) {
		/* pairs with the release in consume() */
		tail = atomic_load_explicit(&ring.tail, memory_order_acquire);
		if (head - tail == RING_SIZE) {
			wait_a_little(&spins);
			continue;
		}
		for (; head < total && head - tail < RING_SIZE; head++) {
			block_new(&ring.slot[head % RING_SIZE], rnd_size(&seed, 4, 9), head);
			/* in small lots, so that the line does not travel for each */
			if (head % 16 == 15)
				atomic_store_explicit(&ring.head, head, memory_order_release);
		}
		/* pairs with the acquire in consume() */
		atomic_store_explicit(&ring.head, head, memory_order_release);
	}
	pthread_join(consumer, NULL);
	return total;
}

/* server: short-lived threads serve requests; clients outlive their thread */

#define SERVER_CLIENTS	2048
#define SERVER_REQUESTS	300
#define REQUEST_BLOCKS	30

struct client {
	size_t size;
	uint64_t id;
};

static struct {
	_Atomic(struct client *) table[SERVER_CLIENTS];
	_Atomic uint64_t ops;
} server;

static void client_end(struct client *cl)
{
	if (!cl)
		return;
	if (get_word((char *)cl + cl->size - sizeof(cl->id)) != cl->id)
		die("a client does not hold what was written to it");
	free(cl);
}

/* Replaces a client, mostly one that another thread made, dead by now. */
static void client_begin(uint64_t *seed)
{
	size_t size = 64 + rnd_below(seed, 960);
	struct client *cl = (struct client *)must(malloc(size));

	cl->size = size;
	cl->id = rnd(seed);
	put_word((char *)cl + size - sizeof(cl->id), cl->id);
	/* the exchange hands the new one over and takes the old one's content */
	client_end(atomic_exchange_explicit(&server.table[rnd_below(seed, SERVER_CLIENTS)], cl,
					    memory_order_acq_rel));
}

static void *serve(void *arg)
{
	uint64_t seed = (uint64_t)(uintptr_t)arg * 0x9e3779b97f4a7c15 + 1;
	struct block block[REQUEST_BLOCKS];
	uint64_t ops = 0;

	for (unsigned int r = 0; r < SERVER_REQUESTS; r++) {
		unsigned int n = 5 + rnd_below(&seed, REQUEST_BLOCKS - 5 + 1);

		for (unsigned int i = 0; i < n; i++)
			block_new(&block[i], rnd_size(&seed, 4, 11), seed);
		if (r % 4 == 0)
			client_begin(&seed);
		drop_all(block, n);
		ops += n + (r % 4 == 0);
	}
	atomic_fetch_add_explicit(&server.ops, ops, memory_order_relaxed);
	return NULL;
}

static uint64_t run_server(void)
{
	unsigned long threads = scaled(2000);
	pthread_t worker[NR_WORKERS];

	memset(&server, 0, sizeof(server));
	start();
	for (unsigned long i = 0; i < threads + NR_WORKERS; i++) {
		pthread_t *w = &worker[i % NR_WORKERS];

		if (i >= NR_WORKERS && i - NR_WORKERS < threads)
			pthread_join(*w, NULL);
		if (i < threads && pthread_create(w, NULL, serve, (void *)(uintptr_t)(i + 1)))
			die("pthread_create failed");
	}
	for (unsigned int i = 0; i < SERVER_CLIENTS; i++)
		client_end(atomic_load_explicit(&server.table[i], memory_order_relaxed));
	return atomic_load_explicit(&server.ops, memory_order_relaxed);
}

/* k32 and large: a few big blocks, replaced at random */

static uint64_t run_big(unsigned int nr, size_t low, size_t high, unsigned long n)
{
	static struct block set[64];
	uint64_t seed = 0xbf58476d1ce4e5b9;

	memset(set, 0, sizeof(set));
	start();
	for (unsigned long i = 0; i < n; i++) {
		struct block *b = &set[rnd_below(&seed, nr)];
		size_t size = low;

		if (high > low)
			size += rnd_below(&seed, (unsigned int)(high - low + 1));
		block_drop(b);
		block_new(b, size, i);
		touch_pages(b->p, TOUCH_STEP, size, i);
		mark(b->p, size, i);
	}
	drop_all(set, nr);
	return n;
}

static uint64_t run_k32(void)
{
	return run_big(64, 32 * KIB, 32 * KIB, scaled(6000000));
}

static uint64_t run_large(void)
{
	return run_big(10, 5 * MIB, 25 * MIB, scaled(300));
}

/* realloc: vectors, a file read to its end, strings */

static void regrow(struct block *b, size_t size)
{
	size_t old = b->size;

	check(b->p, old, b->tag);
	b->p = must(realloc(b->p, size));
	check(b->p, old, b->tag);
	touch_pages(b->p, (old + TOUCH_STEP - 1) / TOUCH_STEP * TOUCH_STEP, size, b->tag);
	b->size = size;
	mark(b->p, size, b->tag);
}

static uint64_t grow_vectors(unsigned long rounds)
{
	uint64_t ops = 0;

	for (unsigned long r = 0; r < rounds; r++) {
		struct block v[2];

		block_new(&v[0], 16, r);
		block_new(&v[1], 16, ~r);
		for (size_t size = 16; size < 4 * MIB; ops += 2) {
			size = size / 2 * 3;
			regrow(&v[0], size);
			regrow(&v[1], size);
		}
		drop_all(v, ARRAY_SIZE(v));
	}
	return ops;
}

static uint64_t grow_steps(unsigned long rounds)
{
	uint64_t ops = 0;

	for (unsigned long r = 0; r < rounds; r++) {
		struct block b;

		block_new(&b, 4 * KIB, r);
		for (size_t size = 8 * KIB; size <= 64 * MIB; size += 4 * KIB, ops++)
			regrow(&b, size);
		block_drop(&b);
	}
	return ops;
}

static uint64_t grow_strings(unsigned long rounds)
{
	uint64_t seed = 0x2545f4914f6cdd1d, ops = 0;
	struct block s[16];

	for (unsigned long r = 0; r < rounds; r++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(s); i++)
			block_new(&s[i], 8, r + i);
		for (unsigned int i = 0; i < 2000; i++, ops++) {
			struct block *b = &s[rnd_below(&seed, ARRAY_SIZE(s))];

			regrow(b, b->size + 1 + rnd_below(&seed, 12));
		}
		drop_all(s, ARRAY_SIZE(s));
	}
	return ops;
}

static uint64_t run_realloc_vectors(void)
{
	start();
	return grow_vectors(scaled(150));
}

static uint64_t run_realloc_steps(void)
{
	start();
	return grow_steps(scaled(5));
}

static uint64_t run_realloc_strings(void)
{
	start();
	return grow_strings(scaled(3000));
}

static uint64_t run_realloc(void)
{
	start();
	return grow_vectors(scaled(50)) + grow_steps(scaled(3)) + grow_strings(scaled(1500));
}

/* calloc: blocks of 16 B to 16 KiB that must come zeroed, and go dirty */

#define CALLOC_SET 4000

static inline void block_new_zeroed(struct block *b, size_t size, uint64_t tag)
{
	char *p = must(calloc(1, size));

	if (get_word(p) | get_word(p + size / 2) | get_word(p + size - sizeof(tag)))
		die("a block from calloc is not zero");
	if (size <= 512) {
		memset(p, (int)tag | 1, size);
	} else {
		touch_pages(p, TOUCH_STEP, size, tag | 1);
		put_word(p + size / 2, tag | 1);
	}
	b->p = p;
	b->size = size;
	b->tag = tag;
	mark(p, size, tag);
}

static uint64_t run_calloc(void)
{
	static struct block set[CALLOC_SET];
	unsigned long n = scaled(1500000);
	uint64_t seed = 0x853c49e6748fea9b;

	memset(set, 0, sizeof(set));
	start();
	for (unsigned long i = 0; i < n; i++) {
		struct block *b = &set[rnd_below(&seed, CALLOC_SET)];

		block_drop(b);
		block_new_zeroed(b, rnd_size(&seed, 4, 14), i);
	}
	drop_all(set, CALLOC_SET);
	return n;
}

/* tree: binary trees and lists of small nodes, built and dropped */

struct node {
	struct node *left, *right;
	uint64_t depth;
	char payload[];		/* nodes are 24 to 64 bytes */
};

static struct node *node_new(size_t size, struct node *left, struct node *right, uint64_t depth)
{
	struct node *n = (struct node *)must(malloc(size));

	n->left = left;
	n->right = right;
	n->depth = depth;
	memset(n->payload, (int)depth, size - sizeof(*n));
	return n;
}

static struct node *tree_build(unsigned int depth, uint64_t *seed)
{
	size_t size = 24 + 8 * rnd_below(seed, 6);
	struct node *left = NULL, *right = NULL;

	if (depth) {
		left = tree_build(depth - 1, seed);
		right = tree_build(depth - 1, seed);
	}
	return node_new(size, left, right, depth);
}

static uint64_t tree_drop(struct node *n, unsigned int depth)
{
	uint64_t count = 1;

	if (n->depth != depth)
		die("a tree does not hold what was written to it");
	if (depth)
		count += tree_drop(n->left, depth - 1) + tree_drop(n->right, depth - 1);
	free(n);
	return count;
}

static uint64_t list_round(unsigned int n, uint64_t *seed)
{
	struct node *list = NULL;

	for (unsigned int i = 0; i < n; i++)
		list = node_new(24 + 8 * rnd_below(seed, 6), list, NULL, i);
	/* every second one first, as a filter would */
	for (struct node *at = list; at && at->left; at = at->left) {
		struct node *gone = at->left;

		at->left = gone->left;
		free(gone);
	}
	while (list) {
		struct node *gone = list;

		list = gone->left;
		if (gone->depth >= n)
			die("a list does not hold what was written to it");
		free(gone);
	}
	return n;
}

static uint64_t run_tree(void)
{
	unsigned long rounds = scaled(80);
	uint64_t seed = 0xda942042e4dd58b5, ops = 0;
	struct node *kept;

	start();
	kept = tree_build(15, &seed);
	for (unsigned long r = 0; r < rounds; r++) {
		unsigned int depth = 8 + r % 8;

		for (unsigned int i = 0; i < 1u << (15 - depth); i++)
			ops += tree_drop(tree_build(depth, &seed), depth);
		ops += list_round(20000, &seed);
	}
	return ops + tree_drop(kept, 15);
}

/* strings: an interpreter's mixture; most die at once, a few live on */

#define STRINGS_RECENT	16
#define STRINGS_KEPT	20000

static inline void string_new(struct block *b, uint64_t *seed)
{
	uint64_t x = rnd(seed);
	size_t size = 24 + (x & 63);

	if ((x >> 8) % 16 == 0)		/* a line of text now and then */
		size += (x >> 16) & 511;
	b->p = must(malloc(size));
	b->size = size;
	b->tag = 0x0101010101010101 * ((x >> 40) & 0xff);
	memset(b->p, (int)b->tag & 0xff, size);
}

static uint64_t run_strings(void)
{
	static struct block recent[STRINGS_RECENT], kept[STRINGS_KEPT];
	unsigned long n = scaled(12000000);
	uint64_t seed = 0xaf251af3b0f025b5;

	memset(recent, 0, sizeof(recent));
	memset(kept, 0, sizeof(kept));
	start();
	for (unsigned long i = 0; i < n; i++) {
		struct block *b = &recent[i % STRINGS_RECENT];

		if (i % 64 == 0) {
			struct block *k = &kept[rnd_below(&seed, STRINGS_KEPT)];

			block_drop(k);
			*k = *b;
			b->p = NULL;
		}
		block_drop(b);
		string_new(b, &seed);
	}
	drop_all(recent, STRINGS_RECENT);
	drop_all(kept, STRINGS_KEPT);
	return n;
}

/* threads4: four threads, each with a working set of its own */

#define CHURN_SET 2000

static struct {
	struct block set[NR_WORKERS][CHURN_SET];
	unsigned long n;
} churn;

static void *churn_thread(void *arg)
{
	struct block *set = arg;
	uint64_t seed = 0x9e3779b97f4a7c15 + (uint64_t)(set - churn.set[0]);

	for (unsigned long i = 0; i < churn.n; i++) {
		struct block *b = &set[rnd_below(&seed, CHURN_SET)];

		block_drop(b);
		block_new(b, rnd_size(&seed, 4, 11), i);
	}
	drop_all(set, CHURN_SET);
	return NULL;
}

static uint64_t run_threads4(void)
{
	pthread_t thread[NR_WORKERS];

	memset(&churn, 0, sizeof(churn));
	churn.n = scaled(2000000);
	start();
	for (unsigned int i = 0; i < NR_WORKERS; i++)
		if (pthread_create(&thread[i], NULL, churn_thread, churn.set[i]))
			die("pthread_create failed");
	for (unsigned int i = 0; i < NR_WORKERS; i++)
		pthread_join(thread[i], NULL);
	return (uint64_t)churn.n * NR_WORKERS;
}

static const struct pattern patterns[] = {
	{ "pair", run_pair, false },
	{ "random", run_random, false },
	{ "batch25-order", run_batch25_order, false },
	{ "batch25-reverse", run_batch25_reverse, false },
	{ "batch25-random", run_batch25_random, false },
	{ "batch100-order", run_batch100_order, false },
	{ "batch100-reverse", run_batch100_reverse, false },
	{ "batch100-random", run_batch100_random, false },
	{ "batch400-order", run_batch400_order, false },
	{ "batch400-reverse", run_batch400_reverse, false },
	{ "batch400-random", run_batch400_random, false },
	{ "batch1600-order", run_batch1600_order, false },
	{ "batch1600-reverse", run_batch1600_reverse, false },
	{ "batch1600-random", run_batch1600_random, false },
	{ "prodcons", run_prodcons, false },
	{ "server", run_server, false },
	{ "k32", run_k32, false },
	{ "large", run_large, false },
	{ "realloc", run_realloc, false },
	{ "realloc-vectors", run_realloc_vectors, true },
	{ "realloc-steps", run_realloc_steps, true },
	{ "realloc-strings", run_realloc_strings, true },
	{ "calloc", run_calloc, false },
	{ "tree", run_tree, false },
	{ "strings", run_strings, false },
	{ "threads4", run_threads4, false },
};

/* The peak, read before anything is printed: stdio has buffers too. */
static long peak_kib(void)
{
	static char text[8192];
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	const char *at;
	ssize_t n = -1;

	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	if (n <= 0)
		die("cannot read /proc/self/status");
	at = strstr(text, "VmHWM:");
	if (!at)
		die("no VmHWM in /proc/self/status");
	return strtol(at + strlen("VmHWM:"), NULL, 10);
}

static void list_patterns(bool parts)
{
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		if (parts || !patterns[i].part)
			puts(patterns[i].name);
}

static int run_pattern(const struct pattern *pt)
{
	double wall, cpu;
	uint64_t ops;
	long rss;

	ops = pt->run();
	wall = since(CLOCK_MONOTONIC, &bench.wall);
	cpu = since(CLOCK_PROCESS_CPUTIME_ID, &bench.cpu);
	rss = peak_kib();
	printf("%s ns=%.3f cpu=%.4f rss=%ld ops=%llu\n", pt->name, wall * 1e9 / (double)ops, cpu,
	       rss, (unsigned long long)ops);
	return 0;
}

int main(int argc, char **argv)
{
	bench.pattern = argc > 1 ? argv[1] : "";
	bench.scale = argc > 2 ? strtod(argv[2], NULL) : 1.0;
	if (argc < 2 || argc > 3 || !(bench.scale > 0)) {
		fprintf(stderr, "usage: compare PATTERN [SCALE] | --list | --list-all\n");
		return 2;
	}
	if (!strcmp(argv[1], "--list") || !strcmp(argv[1], "--list-all")) {
		list_patterns(argv[1][6] != '\0');
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		if (!strcmp(argv[1], patterns[i].name))
			return run_pattern(&patterns[i]);
	fprintf(stderr, "compare: no pattern is named \"%s\"; see --list\n", argv[1]);
	return 2;
}

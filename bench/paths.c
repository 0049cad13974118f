// SPDX-License-Identifier: MIT
/*
 * paths.c - fixed paths through the malloc API, for the gate (paths.h)
 *
 * Linked with no allocator; what is preloaded is measured.
 */
#define _GNU_SOURCE
#include "paths.h"

#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#define MAX_BATCH	1600
#define BLOCK		64
#define SEED		0x9e3779b97f4a7c15ull

const void *paths_function(void)
{
	void *(*function)(size_t) = malloc;
	const void *p;

	memcpy(&p, &function, sizeof(p));
	return p;
}

/* ---- pairs: the block that was just freed comes back ---- */

static void pairs(unsigned long n, size_t size)
{
	struct block b;

	for (unsigned long i = 0; i < n; i++) {
		block_new(&b, size, i);
		bench_keep(b.p);
		block_drop(&b);
	}
}

static void run_malloc_16(unsigned long n)
{
	pairs(n, 16);
}

static void run_malloc_64(unsigned long n)
{
	pairs(n, 64);
}

static void run_malloc_512(unsigned long n)
{
	pairs(n, 512);
}

static void run_malloc_4096(unsigned long n)
{
	pairs(n, 4096);
}

static void run_malloc_32k(unsigned long n)
{
	pairs(n, 32 * KIB);
}

static void run_malloc_256k(unsigned long n)
{
	pairs(n, 256 * KIB);
}

/* All pages touched: what is kept between the rounds shows in the faults. */
static void run_malloc_1m(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		char *p = must(malloc(MIB));

		touch_pages(p, 0, MIB, i);
		free(p);
	}
}

/* ---- batches: n of them; more than a thread's cache holds, or less ---- */

static void batches(unsigned long n, unsigned int count, enum free_order how)
{
	static struct block blocks[MAX_BATCH];
	static uint32_t order[MAX_BATCH];
	uint64_t seed = SEED;

	make_order(order, count, how, &seed);
	for (unsigned long i = 0; i < n; i++) {
		for (unsigned int j = 0; j < count; j++)
			block_new(&blocks[j], BLOCK, i + j);
		for (unsigned int j = 0; j < count; j++)
			block_drop(&blocks[order[j]]);
	}
}

static void run_batch_100(unsigned long n)
{
	batches(n, 100, IN_ORDER);
}

static void run_batch_100_reverse(unsigned long n)
{
	batches(n, 100, REVERSE);
}

static void run_batch_100_random(unsigned long n)
{
	batches(n, 100, AT_RANDOM);
}

static void run_batch_1600(unsigned long n)
{
	batches(n, 1600, IN_ORDER);
}

static void run_batch_1600_reverse(unsigned long n)
{
	batches(n, 1600, REVERSE);
}

static void run_batch_1600_random(unsigned long n)
{
	batches(n, 1600, AT_RANDOM);
}

/* ---- mixtures ---- */

/* In a set of blocks a random one is replaced by one of a random size. */
static void replace_at_random(unsigned long n, struct block *set, unsigned int count,
			      unsigned int low, unsigned int high)
{
	uint64_t seed = SEED;

	for (unsigned long i = 0; i < n; i++) {
		struct block *b = &set[rnd_below(&seed, count)];

		block_drop(b);
		block_new(b, rnd_size(&seed, low, high), i);
	}
	drop_all(set, count);
}

static void run_mixed_small(unsigned long n)
{
	static struct block set[1000];

	replace_at_random(n, set, ARRAY_SIZE(set), 4, 12);
}

static void run_mixed_large(unsigned long n)
{
	static struct block set[16];

	replace_at_random(n, set, ARRAY_SIZE(set), 16, 24);
}

/* ---- calloc ---- */

static void calloc_one(size_t size, bool keep)
{
	char *p = must(calloc(1, size));

	check(p, size, 0);
	mark(p, size, ~0ull);
	if (!keep)
		free(p);
}

static void run_calloc_64(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		calloc_one(64, false);
}

static void run_calloc_4096(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		calloc_one(4096, false);
}

/* Nothing is ever freed, so the memory of each is new. */
static void run_calloc_64_fresh(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		calloc_one(64, true);
}

static void run_calloc_4096_fresh(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		calloc_one(4096, true);
}

/* ---- realloc ---- */

static void run_realloc_in_place(unsigned long n)
{
	char *p = must(malloc(BLOCK));

	for (unsigned long i = 0; i < n; i++) {
		p = must(realloc(p, BLOCK - i % 8));
		put_word(p, i);
	}
	free(p);
}

static void grow(size_t from, size_t to, size_t step)
{
	char *p = NULL;

	for (size_t size = from; size <= to; size += step) {
		p = must(realloc(p, size));
		if (size > from)
			check(p, size - step, size - step);
		mark(p, size, size);
	}
	free(p);
}

static void run_realloc_grow_small(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		grow(16, KIB, 16);
}

static void run_realloc_grow_large(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		grow(256 * KIB, 8 * MIB, 256 * KIB);
}

/* ---- alignment, usable size ---- */

static void aligned(unsigned long n, size_t align, size_t size)
{
	for (unsigned long i = 0; i < n; i++) {
		char *p = must(aligned_alloc(align, size));

		mark(p, size, i);
		free(p);
	}
}

static void run_memalign_64(unsigned long n)
{
	aligned(n, 64, 192);
}

static void run_memalign_4096(unsigned long n)
{
	aligned(n, 4096, 8192);
}

static void run_usable_size(unsigned long n)
{
	void *blocks[] = { must(malloc(24)), must(malloc(5000)), must(malloc(MIB)) };
	size_t sum = 0;

	for (unsigned long i = 0; i < n; i++)
		sum += malloc_usable_size(blocks[i % ARRAY_SIZE(blocks)]);
	if (n && sum < 24)
		bench_die("malloc_usable_size() is below what was asked for");
	for (unsigned int i = 0; i < ARRAY_SIZE(blocks); i++)
		free(blocks[i]);
}

/* ---- other threads ---- */

#define REMOTE_BLOCKS	500

/* A thread that fills the table whenever it is told to, and lives on. */
static struct {
	int to_owner[2], from_owner[2];
	struct block blocks[REMOTE_BLOCKS];
	unsigned long round;
	bool runs;
} remote;

void measured_owner(void);

__attribute__((noinline)) void measured_owner(void)
{
	for (unsigned int i = 0; i < REMOTE_BLOCKS; i++)
		block_new(&remote.blocks[i], BLOCK, remote.round + i);
	bench_keep(remote.blocks);
}

/* The same in the rounds before, which are not counted. */
static void unmeasured_owner(void)
{
	for (unsigned int i = 0; i < REMOTE_BLOCKS; i++)
		block_new(&remote.blocks[i], BLOCK, remote.round + i);
}

static void send_byte(int fd)
{
	if (write(fd, "", 1) != 1)
		bench_die("cannot write to a pipe");
}

static void await_byte(int fd)
{
	char byte;

	if (read(fd, &byte, 1) != 1)
		bench_die("cannot read from a pipe");
}

static void *owner(void *arg)
{
	for (;;) {
		await_byte(remote.to_owner[0]);
		if (paths_measuring)
			measured_owner();
		else
			unmeasured_owner();
		send_byte(remote.from_owner[1]);
	}
	return arg;
}

static void start_owner(void)
{
	pthread_t thread;

	if (remote.runs)
		return;
	if (pipe(remote.to_owner) || pipe(remote.from_owner) ||
	    pthread_create(&thread, NULL, owner, NULL))
		bench_die("cannot start a thread");
	remote.runs = true;
}

static void run_remote_free(unsigned long n)
{
	start_owner();
	for (remote.round = 0; remote.round < n; remote.round++) {
		send_byte(remote.to_owner[1]);
		await_byte(remote.from_owner[0]);
		drop_all(remote.blocks, REMOTE_BLOCKS);
	}
}

static void *heir(void *arg)
{
	unmeasured_owner();
	return arg;
}

/* What a thread left is freed when it is gone. */
static void run_orphan_free(unsigned long n)
{
	pthread_t thread;

	for (remote.round = 0; remote.round < n; remote.round++) {
		if (pthread_create(&thread, NULL, heir, NULL) || pthread_join(thread, NULL))
			bench_die("cannot run a thread");
		drop_all(remote.blocks, REMOTE_BLOCKS);
	}
}

static void *short_thread(void *arg)
{
	struct block b;

	block_new(&b, BLOCK, 1);
	block_drop(&b);
	return arg;
}

static void run_thread(unsigned long n)
{
	pthread_t thread;

	for (unsigned long i = 0; i < n; i++)
		if (pthread_create(&thread, NULL, short_thread, NULL) ||
		    pthread_join(thread, NULL))
			bench_die("cannot run a thread");
}

/* ---- the table ---- */

const struct path paths_table[] = {
	{ "malloc-16", run_malloc_16, 5000, "malloc and free of 16 bytes" },
	{ "malloc-64", run_malloc_64, 5000, "malloc and free of 64 bytes" },
	{ "malloc-512", run_malloc_512, 5000, "malloc and free of 512 bytes" },
	{ "malloc-4096", run_malloc_4096, 5000, "malloc and free of 4 KiB" },
	{ "malloc-32k", run_malloc_32k, 5000, "malloc and free of 32 KiB" },
	{ "malloc-256k", run_malloc_256k, 2000, "malloc and free of 256 KiB" },
	{ "malloc-1m", run_malloc_1m, 200, "malloc, touch and free of 1 MiB" },
	{ "batch-100", run_batch_100, 100, "100 blocks, freed in order" },
	{ "batch-100-reverse", run_batch_100_reverse, 100, "100 blocks, freed in reverse" },
	{ "batch-100-random", run_batch_100_random, 100, "100 blocks, freed at random" },
	{ "batch-1600", run_batch_1600, 10, "1600 blocks, freed in order" },
	{ "batch-1600-reverse", run_batch_1600_reverse, 10, "1600 blocks, freed in reverse" },
	{ "batch-1600-random", run_batch_1600_random, 10, "1600 blocks, freed at random" },
	{ "mixed-small", run_mixed_small, 20000, "one of 1000 blocks of 16 to 4095 bytes replaced" },
	{ "mixed-large", run_mixed_large, 1000, "one of 16 blocks of 64 KiB to 16 MiB replaced" },
	{ "calloc-64", run_calloc_64, 5000, "calloc and free of 64 bytes" },
	{ "calloc-4096", run_calloc_4096, 1000, "calloc and free of 4 KiB" },
	{ "calloc-64-fresh", run_calloc_64_fresh, 20000, "calloc of 64 bytes of new memory" },
	{ "calloc-4096-fresh", run_calloc_4096_fresh, 1000, "calloc of 4 KiB of new memory" },
	{ "realloc-in-place", run_realloc_in_place, 5000, "realloc to about the same size" },
	{ "realloc-grow-small", run_realloc_grow_small, 100, "realloc from 16 to 1024 bytes by 16" },
	{ "realloc-grow-large", run_realloc_grow_large, 20, "realloc up to 8 MiB by 256 KiB" },
	{ "memalign-64", run_memalign_64, 5000, "aligned_alloc(64, 192) and free" },
	{ "memalign-4096", run_memalign_4096, 5000, "aligned_alloc(4096, 8192) and free" },
	{ "usable-size", run_usable_size, 5000, "malloc_usable_size of a block" },
	{ "remote-free", run_remote_free, 20, "500 blocks freed for a thread that lives" },
	{ "orphan-free", run_orphan_free, 20, "500 blocks freed for a thread that ended" },
	{ "thread", run_thread, 100, "a thread with one malloc and free" },
	{ NULL, NULL, 0, NULL }
};

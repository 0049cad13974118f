// SPDX-License-Identifier: MIT
/*
 * micro.c - bench-micro: pairs, batches, aligned blocks, usable size, trimming
 *
 *	BM_pair/SIZE		a block is got, written, checked and freed at once
 *	BM_batch/ORDER/N	N blocks are got, then all freed in that order; in turn
 *				of 64 and of 200 bytes; one block has one order
 *	BM_aligned/ALIGN/SIZE	the oldest of 64 aligned blocks is replaced
 *	BM_usable_size/SIZE	malloc_usable_size() of one of 1024 blocks
 *	BM_trim			malloc_trim(0) when a random half of 8 MiB in small blocks
 *				was freed; the time is of the call
 */
#include "micro.h"

#include <malloc.h>

static void pair(struct bench_state *state)
{
	size_t size = (size_t)bench_arg(state, 0);
	uint64_t tag = 0;

	BENCH_LOOP(state) {
		char *p = must(malloc(size));

		mark(p, size, ++tag);
		bench_keep(p);
		check(p, size, tag);
		free(p);
	}
	bench_set_items(state, bench_iterations(state));
}

static void register_pair(void)
{
	static const struct micro_size sizes[] = {
		{ 8, 2000000 }, { 16, 2000000 }, { 32, 2000000 }, { 48, 2000000 },
		{ 64, 2000000 }, { 100, 2000000 }, { 128, 2000000 }, { 256, 2000000 },
		{ 512, 2000000 }, { 1024, 2000000 }, { 2048, 1000000 }, { 4096, 1000000 },
		{ 16384, 1000000 }, { 65536, 300000 }, { 131072, 300000 }, { 200000, 200000 },
	};

	micro_rows("BM_pair", pair, sizes, ARRAY_SIZE(sizes));
}

/* Several permutations, so that no branch predictor learns one; little memory for them. */
#define BATCH_ORDERS		16
#define BATCH_ORDER_WORDS	25600

struct batch {
	unsigned int n, nr_orders;
	uint32_t *orders;
	char **block;
};

static void batch_prepare(struct batch *b, unsigned int n, enum free_order how)
{
	uint64_t seed = 0xd1b54a32d192ed03 + n;

	b->n = n;
	b->nr_orders = BATCH_ORDERS * n <= BATCH_ORDER_WORDS ? BATCH_ORDERS :
			BATCH_ORDER_WORDS / n;
	b->orders = bench_table((size_t)b->nr_orders * n * sizeof(*b->orders));
	b->block = bench_table_resident(n * sizeof(*b->block));
	for (unsigned int i = 0; i < b->nr_orders; i++)
		make_order(b->orders + (size_t)i * n, n, how, &seed);
}

static void batch(struct bench_state *state)
{
	static const size_t sizes[] = { 64, 200 };
	const enum free_order *how = bench_data(state);
	unsigned int n = (unsigned int)bench_arg(state, 0), round = 0, turn = 0;
	struct batch b;

	batch_prepare(&b, n, *how);
	BENCH_LOOP(state) {
		const uint32_t *order = b.orders + (size_t)turn * n;
		size_t size = sizes[round++ & 1];

		if (++turn == b.nr_orders)
			turn = 0;
		for (unsigned int i = 0; i < n; i++) {
			b.block[i] = must(malloc(size));
			mark(b.block[i], size, round + i);
		}
		for (unsigned int i = 0; i < n; i++) {
			check(b.block[order[i]], size, round + order[i]);
			free(b.block[order[i]]);
		}
	}
	bench_set_items(state, bench_iterations(state) * n);
}

static void register_batch(void)
{
	static const struct {
		const char *name;
		enum free_order how;
	} orders[] = {
		{ "BM_batch/order", IN_ORDER },
		{ "BM_batch/reverse", REVERSE },
		{ "BM_batch/random", AT_RANDOM },
	};
	static const unsigned int ns[] = { 1, 25, 100, 400, 1600, 6400 };

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
		for (size_t j = orders[i].how == IN_ORDER ? 0 : 1; j < ARRAY_SIZE(ns); j++)
			bench_register(&(struct bench){
				.name = orders[i].name, .run = batch, .data = &orders[i].how,
				.args = { ns[j] }, .nr_args = 1, .iterations = 1280000 / ns[j],
			});
}

#define ALIGNED_LIVE 64

static void aligned(struct bench_state *state)
{
	size_t align = (size_t)bench_arg(state, 0), size = (size_t)bench_arg(state, 1);
	struct block live[ALIGNED_LIVE] = { 0 };
	uint64_t tag = 0;

	for (uint64_t left = bench_begin(state); left; left--) {
		struct block *b = &live[tag % ALIGNED_LIVE];
		void *p;

		block_drop(b);
		if (posix_memalign(&p, align, size))
			bench_die("out of memory");
		if ((uintptr_t)p & (align - 1))
			bench_die("posix_memalign: not aligned");
		*b = (struct block){ .p = p, .size = size, .tag = tag++ };
		mark(b->p, size, b->tag);
	}
	drop_all(live, ALIGNED_LIVE);
	bench_end(state);
	bench_set_items(state, bench_iterations(state));
}

static void register_aligned(void)
{
	static const struct {
		unsigned int align, size;
		uint64_t iterations;
	} rows[] = {
		{ 64, 64, 1000000 }, { 64, 200, 1000000 }, { 64, 4096, 600000 },
		{ 4096, 64, 500000 }, { 4096, 4096, 500000 }, { 4096, 65536, 200000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		bench_register(&(struct bench){
			.name = "BM_aligned", .run = aligned,
			.args = { rows[i].align, rows[i].size }, .nr_args = 2,
			.iterations = rows[i].iterations,
		});
}

#define USABLE_BLOCKS 1024

static void usable_size(struct bench_state *state)
{
	size_t size = (size_t)bench_arg(state, 0), sum = 0;
	struct block *set = bench_table(USABLE_BLOCKS * sizeof(*set));
	unsigned int at = 0;

	for (unsigned int i = 0; i < USABLE_BLOCKS; i++)
		block_new(&set[i], size, i);
	BENCH_LOOP(state)
		sum += malloc_usable_size(set[at++ % USABLE_BLOCKS].p);
	if (sum < size * bench_iterations(state))
		bench_die("malloc_usable_size: less than what was asked for");
	drop_all(set, USABLE_BLOCKS);
	bench_set_items(state, bench_iterations(state));
}

static void register_usable_size(void)
{
	static const struct micro_size sizes[] = {
		{ 64, 6000000 }, { 4096, 6000000 }, { 200000, 6000000 },
	};

	micro_rows("BM_usable_size", usable_size, sizes, ARRAY_SIZE(sizes));
}

/*
 * jemalloc and mimalloc export no malloc_trim: under them the call goes to
 * glibc's, which has nothing to trim.  That is what a program sees that calls it,
 * and it must not be read as "trims in no time".  What each gives back is the
 * counter: KiB of RSS less per call, read from /proc with the clock stopped.
 */
#define TRIM_BLOCKS	(32 * KIB)	/* of 256 bytes in the mean */

static void trim_refill(struct block *set, uint64_t *seed)
{
	for (size_t i = 0; i < TRIM_BLOCKS; i++)
		if (!set[i].p)
			block_new(&set[i], 16 + rnd_below(seed, 481), i);
	for (size_t i = 0; i < TRIM_BLOCKS; i++)
		if (rnd(seed) & 1)
			block_drop(&set[i]);
}

static void trim(struct bench_state *state)
{
	struct block *set = bench_table(TRIM_BLOCKS * sizeof(*set));
	uint64_t seed = 0x8cb92ba72f3d8dd7;
	long returned = 0;

	BENCH_LOOP(state) {
		bench_pause(state);
		trim_refill(set, &seed);
		returned += bench_rss_kib();
		bench_resume(state);
		malloc_trim(0);
		bench_pause(state);
		returned -= bench_rss_kib();
		bench_resume(state);
	}
	drop_all(set, TRIM_BLOCKS);
	bench_counter(state, "returned_kib", (double)returned / (double)bench_iterations(state),
		      BENCH_SUM);
	bench_set_items(state, bench_iterations(state));
}

void bench_register_all(void)
{
	register_pair();
	register_batch();
	register_sets();
	register_calloc();
	register_realloc();
	register_aligned();
	register_usable_size();
	register_new();
	micro_row("BM_trim", trim, NULL, 20);
	register_apps();
}

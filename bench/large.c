// SPDX-License-Identifier: MIT
/*
 * large.c - benchmarks: blocks from 64 KiB, which come from pages
 *
 * Their time is mostly what the kernel does for the pages, so the rows differ in
 * how many pages are touched: each one, as a program would that fills a buffer, or
 * few, as one would that reserves much and uses the beginning.  Each block is got
 * and freed while the clock runs, the last ones too, as freeing them is dear.
 */
#include "threads.h"

struct sizes {
	size_t low, high;
	bool uniform;		/* else every doubling is as likely */
	unsigned int blocks;	/* in the sets of all threads together */
	size_t every;		/* a page in so many bytes is touched, of the first DENSE each */
};

#define DENSE		(256 * KIB)
#define SPARSE		(16 * TOUCH_STEP)

static unsigned int log2_of(size_t size)
{
	return (unsigned int)__builtin_ctzl(size);
}

static size_t pick_size(const struct sizes *sizes, uint64_t *seed)
{
	if (sizes->uniform)
		return sizes->low + rnd_below(seed, (unsigned int)(sizes->high - sizes->low + 1));
	return rnd_size(seed, log2_of(sizes->low), log2_of(sizes->high));
}

static void touch(struct block *b, size_t every)
{
	size_t dense = b->size < DENSE ? b->size : DENSE;

	touch_pages(b->p, TOUCH_STEP, dense, b->tag);
	for (size_t at = DENSE; at + sizeof(b->tag) <= b->size; at += every)
		put_word(b->p + at, b->tag);
	mark(b->p, b->size, b->tag);	/* again: a touched page may have held the last word */
}

/* A set of blocks, replaced at random. */
static void replace_large(struct bench_state *state)
{
	const struct sizes *sizes = bench_data(state);
	unsigned int n = sizes->blocks / bench_threads(state);	/* 1 at the least */
	struct block *set = bench_table_resident(n * sizeof(*set));
	uint64_t seed = thread_seed(state), bytes = 0;

	for (uint64_t left = bench_begin(state); left; left--) {
		struct block *b = &set[rnd_below(&seed, n)];

		block_drop(b);
		block_new(b, pick_size(sizes, &seed), seed);
		touch(b, sizes->every);
		bytes += b->size;
	}
	drop_all(set, n);
	bench_end(state);
	bench_table_free(set, n * sizeof(*set));
	bench_set_items(state, bench_iterations(state));
	bench_set_bytes(state, bytes);
}

/*
 * What of replace_large() is no allocator's: the same bytes are touched and checked, in
 * memory that is mapped once, with the page faults of the first time each is touched.
 * Under every allocator the same.
 */
static void touch_alone(struct bench_state *state)
{
	const struct sizes *sizes = bench_data(state);
	unsigned int n = sizes->blocks;
	struct block *set = bench_table_resident(n * sizeof(*set));
	char *area = bench_table(n * sizes->high);
	uint64_t seed = thread_seed(state);

	BENCH_LOOP(state) {
		unsigned int i = rnd_below(&seed, n);
		struct block *b = &set[i];

		if (b->p)
			check(b->p, b->size, b->tag);
		b->p = area + i * sizes->high;
		b->size = pick_size(sizes, &seed);
		b->tag = seed;
		mark(b->p, b->size, b->tag);
		touch(b, sizes->every);
	}
	bench_table_free(area, n * sizes->high);
	bench_table_free(set, n * sizeof(*set));
	bench_set_items(state, bench_iterations(state));
}

/* The same block again and again, as a server has it for each request. */
static void same(struct bench_state *state)
{
	size_t size = *(const size_t *)bench_data(state);
	struct block b;

	BENCH_LOOP(state) {
		block_new(&b, size, bench_left);
		touch(&b, TOUCH_STEP);
		bench_keep(b.p);
		block_drop(&b);
	}
	bench_set_items(state, bench_iterations(state));
	bench_set_bytes(state, bench_iterations(state) * size);
}

/* A buffer that grows from 1 MiB to most, again and again; an item is a realloc. */
struct growth {
	size_t add;		/* at each step */
	unsigned int divide;	/* and the size divided by this; 0: nothing */
	size_t most;
};

static void grow(struct bench_state *state)
{
	const struct growth *growth = bench_data(state);
	struct block b;

	block_new(&b, MIB, 1);
	BENCH_LOOP(state) {
		size_t old = b.size, size = old + growth->add;

		if (growth->divide)
			size += old / growth->divide;
		if (size > growth->most) {
			block_drop(&b);
			block_new(&b, MIB, bench_left);
			continue;
		}
		check(b.p, old, b.tag);
		b.p = must(realloc(b.p, size));
		check(b.p, old, b.tag);
		touch_pages(b.p, old, size, b.tag);
		b.size = size;
		mark(b.p, size, b.tag);
		bench_keep(b.p);
	}
	block_drop(&b);
	bench_set_items(state, bench_iterations(state));
}

static const struct random_row {
	const char *name;
	uint64_t items;
	struct sizes sizes;
} random_rows[] = {
	{ "BM_large/random/64k_1m/touched", 2400,
	  { 64 * KIB, MIB, false, 16, TOUCH_STEP } },
	{ "BM_large/random/1m_8m/touched", 160,
	  { MIB, 8 * MIB, false, 16, TOUCH_STEP } },
	{ "BM_large/random/64k_64m/touched", 80,
	  { 64 * KIB, 64 * MIB, false, 16, TOUCH_STEP } },
	{ "BM_large/random/64k_64m/sparse", 320,
	  { 64 * KIB, 64 * MIB, false, 16, SPARSE } },
};

#define ITEMS_5TO25M	48

static const struct same_row {
	const char *name;
	uint64_t items;
	size_t size;
} same_rows[] = {
	{ "BM_large/same/256k", 48000, 256 * KIB },
	{ "BM_large/same/1m", 16000, MIB },
	{ "BM_large/same/16m", 32, 16 * MIB },
};

static const struct growth by_steps = { .add = MIB, .most = 64 * MIB },
			   by_half = { .divide = 2, .most = 64 * MIB },
			   doubled = { .divide = 1, .most = 1024 * MIB };

static const struct sizes of_5to25m = { 5 * MIB, 25 * MIB, true, 10, TOUCH_STEP };
static const struct sizes of_threads = { 128 * KIB, 4 * MIB, false, MAX_THREADS, TOUCH_STEP };

void bench_register_all(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(random_rows); i++)
		bench_register(&(struct bench){
			.name = random_rows[i].name, .run = replace_large,
			.data = &random_rows[i].sizes, .iterations = random_rows[i].items,
		});
	bench_register(&(struct bench){
		.name = "BM_large/5to25m", .run = replace_large,
		.data = &of_5to25m, .iterations = ITEMS_5TO25M,
	});
	bench_register(&(struct bench){
		.name = "BM_large/5to25m/touch_only", .run = touch_alone,
		.data = &of_5to25m, .iterations = ITEMS_5TO25M,
	});
	for (size_t i = 0; i < ARRAY_SIZE(same_rows); i++)
		bench_register(&(struct bench){
			.name = same_rows[i].name, .run = same,
			.data = &same_rows[i].size, .iterations = same_rows[i].items,
		});
	bench_register(&(struct bench){ .name = "BM_large/realloc/steps", .run = grow,
					.data = &by_steps, .iterations = 64 });
	bench_register(&(struct bench){ .name = "BM_large/realloc/half", .run = grow,
					.data = &by_half, .iterations = 22 });
	bench_register(&(struct bench){ .name = "BM_large/realloc/grow_1gib", .run = grow,
					.data = &doubled, .iterations = 10 });
	register_curve(&(struct bench){ .name = "BM_large/threads", .run = replace_large,
					.data = &of_threads }, 1, 384);
}

// SPDX-License-Identifier: MIT
/*
 * micro_realloc.c - bench-micro: realloc
 *
 *	BM_realloc/grow1/one	a vector grows by one byte at a time, from 8 to 4096
 *	BM_realloc/grow1/many	256 vectors do so in turn, from 8 to 1024
 *	BM_realloc/grow1.5/one	a vector grows by a half at a time, from 16 bytes to 4 MiB
 *	BM_realloc/grow1.5/many	256 vectors do so in turn, from 16 bytes to 64 KiB
 *	BM_realloc/last		a file is read to its end: one buffer, the last thing that
 *				was got, grows by 4 KiB at a time, from 4 KiB to 16 MiB
 *	BM_realloc/strings	16 strings grow by 1 to 12 bytes at random to some 800
 *	BM_realloc/shrink	a line is read into 4096 bytes, which are cut to its length;
 *				1000 lines live, a random one is replaced
 *
 * An item is a call of realloc.  What was written before the call is checked
 * behind it, and each page that it added is written to.
 */
#include "micro.h"

static inline void resize(struct block *b, size_t size)
{
	size_t old = b->size;

	check(b->p, old, b->tag);
	b->p = must(realloc(b->p, size));
	check(b->p, old < size ? old : sizeof(b->tag), b->tag);
	touch_pages(b->p, (old + TOUCH_STEP - 1) / TOUCH_STEP * TOUCH_STEP, size, b->tag);
	b->size = size;
	mark(b->p, size, b->tag);
}

enum growth { BY_ONE, BY_HALF, BY_PAGE };

struct vectors {
	const char *name;
	unsigned int nr;
	size_t from, to;
	enum growth growth;
	uint64_t iterations;
};

static inline size_t grown(size_t size, enum growth growth)
{
	return growth == BY_ONE ? size + 1 : growth == BY_HALF ? size + size / 2 : size + 4 * KIB;
}

/* An iteration is the life of all vectors. */
static void vectors(struct bench_state *state)
{
	const struct vectors *v = bench_data(state);
	struct block *set = bench_table_resident(v->nr * sizeof(*set));
	uint64_t items = 0, tag = 0;

	BENCH_LOOP(state) {
		for (unsigned int i = 0; i < v->nr; i++)
			block_new(&set[i], v->from, ++tag);
		for (size_t size = v->from; size < v->to; items += v->nr) {
			size = grown(size, v->growth);
			for (unsigned int i = 0; i < v->nr; i++)
				resize(&set[i], size);
		}
		drop_all(set, v->nr);
	}
	bench_set_items(state, items);
}

#define STRINGS		16
#define APPENDS		2000

/* An iteration is the life of 16 strings. */
static void strings(struct bench_state *state)
{
	uint64_t seed = 0x2545f4914f6cdd1d, tag = 0;
	struct block s[STRINGS];

	BENCH_LOOP(state) {
		for (unsigned int i = 0; i < STRINGS; i++)
			block_new(&s[i], 8, ++tag);
		for (unsigned int i = 0; i < APPENDS; i++) {
			struct block *b = &s[rnd_below(&seed, STRINGS)];

			resize(b, b->size + 1 + rnd_below(&seed, 12));
		}
		drop_all(s, STRINGS);
	}
	bench_set_items(state, bench_iterations(state) * APPENDS);
}

#define LINES		1000
#define LINE_BUFFER	4096

static void shrink(struct bench_state *state)
{
	struct block *set = bench_table_resident(LINES * sizeof(*set));
	uint64_t seed = 0xe7037ed1a0b428db, tag = 0;

	for (uint64_t left = bench_begin(state); left; left--) {
		struct block *b = &set[rnd_below(&seed, LINES)];

		block_drop(b);
		block_new(b, LINE_BUFFER, tag++);
		resize(b, rnd_size(&seed, 4, 11));
	}
	drop_all(set, LINES);
	bench_end(state);
	bench_set_items(state, bench_iterations(state));
}

void register_realloc(void)
{
	static const struct vectors rows[] = {
		{ "BM_realloc/grow1/one", 1, 8, 4096, BY_ONE, 600 },
		{ "BM_realloc/grow1/many", 256, 8, 1024, BY_ONE, 6 },
		{ "BM_realloc/grow1.5/one", 1, 16, 4 * MIB, BY_HALF, 60 },
		{ "BM_realloc/grow1.5/many", 256, 16, 64 * KIB, BY_HALF, 8 },
		{ "BM_realloc/last", 1, 4 * KIB, 16 * MIB, BY_PAGE, 5 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		micro_row(rows[i].name, vectors, &rows[i], rows[i].iterations);
	micro_row("BM_realloc/strings", strings, NULL, 800);
	micro_row("BM_realloc/shrink", shrink, NULL, 300000);
}

/* SPDX-License-Identifier: MIT */
/*
 * micro.h - what the files of bench-micro share: their rows, and touched blocks
 *
 * Every row runs in one thread, and in a process of its own when bench/compare
 * runs it.  Counts of iterations are chosen for 20 to 100 ms under glibc.  Where
 * filling a set is within the clock, so is freeing it, but in BM_calloc/fresh.
 */
#ifndef BENCH_MICRO_H
#define BENCH_MICRO_H

#include "common.h"

#ifdef __cplusplus
extern "C" {
#endif

void register_sets(void);
void register_calloc(void);
void register_realloc(void);
void register_new(void);
void register_apps(void);

/* Rows of NAME, or of NAME/ARGUMENT, that differ in the size and in how often they run. */
struct micro_size {
	size_t size;
	uint64_t iterations;
};

static inline void micro_row(const char *name, bench_fn *run, const void *data,
			     uint64_t iterations)
{
	struct bench row;

	memset(&row, 0, sizeof(row));
	row.name = name;
	row.run = run;
	row.data = data;
	row.iterations = iterations;
	bench_register(&row);
}

static inline void micro_rows(const char *name, bench_fn *run, const struct micro_size *sizes,
			      size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct bench row;

		memset(&row, 0, sizeof(row));
		row.name = name;
		row.run = run;
		row.args[0] = (int64_t)sizes[i].size;
		row.nr_args = 1;
		row.iterations = sizes[i].iterations;
		bench_register(&row);
	}
}

/* As block_new(), and every page of the block is written to. */
static inline void block_new_touched(struct block *b, size_t size, uint64_t tag)
{
	b->p = (char *)must(malloc(size));
	b->size = size;
	b->tag = tag;
	touch_pages(b->p, TOUCH_STEP, size, tag);
	mark(b->p, size, tag);
}

#ifdef __cplusplus
}
#endif

#endif

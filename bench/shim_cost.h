/* SPDX-License-Identifier: MIT */
/*
 * shim_cost.h - what shim_c.c and shim_cpp.cc run: the inside of the same loops
 *
 * The two differ in nothing but the loop around it, BENCH_LOOP in C and a range
 * over benchmark::State in C++.  Each row is there with few and with many
 * iterations: the difference of the two runs is the loop's and its body's alone,
 * without what starting a program and a row costs.  See bench/tests/shim_cost.sh.
 */
#ifndef BENCH_SHIM_COST_H
#define BENCH_SHIM_COST_H

#include "common.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SHIM_SIZE	64
#define SHIM_BATCH	100

/* F(body, iterations of the row "few", iterations more of the row "many") */
#define SHIM_ROWS(F)		\
	F(loop, 1000, 2000000)	\
	F(pair, 1000, 200000)	\
	F(batch, 20, 4000)

/* What a body keeps between its iterations; in memory, where no compiler makes one
 * counter of the tag and the loop's. */
struct shim_vars {
	uint64_t tag;
	char *block[SHIM_BATCH];
};

static inline void shim_loop(struct shim_vars *vars)
{
	bench_keep(vars);
}

static inline void shim_pair(struct shim_vars *vars)
{
	char *p = (char *)must(malloc(SHIM_SIZE));

	vars->tag++;
	bench_keep(vars);
	mark(p, SHIM_SIZE, vars->tag);
	bench_keep(p);
	check(p, SHIM_SIZE, vars->tag);
	free(p);
}

static inline void shim_batch(struct shim_vars *vars)
{
	vars->tag++;
	bench_keep(vars);
	for (unsigned int i = 0; i < SHIM_BATCH; i++) {
		vars->block[i] = (char *)must(malloc(SHIM_SIZE));
		mark(vars->block[i], SHIM_SIZE, vars->tag + i);
	}
	for (unsigned int i = 0; i < SHIM_BATCH; i++) {
		check(vars->block[i], SHIM_SIZE, vars->tag + i);
		free(vars->block[i]);
	}
}

/* Adds the rows BM_cpp/BODY/few and BM_cpp/BODY/many. */
void register_cpp(void);

#ifdef __cplusplus
}
#endif

#endif

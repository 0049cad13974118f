/* SPDX-License-Identifier: MIT */
/*
 * threads.h - what the benchmarks with several threads share
 *
 * All rows of a scaling curve do the same number of items, which a row divides among
 * its threads.  Where a thread has a set of its own (churn, server), each has one of
 * the same size, so what is live grows with the threads, as it does in programs.
 */
#ifndef BENCH_THREADS_H
#define BENCH_THREADS_H

#include "common.h"

#define MAX_THREADS	32

/* Rows for from, 2 * from, ... MAX_THREADS threads of row, which does items in all. */
static inline void register_curve(const struct bench *row, unsigned int from, uint64_t items)
{
	for (unsigned int n = from; n <= MAX_THREADS; n *= 2) {
		struct bench one = *row;

		one.threads_from = n;
		one.threads_to = n;
		one.iterations = items / n;
		one.flags |= BENCH_PROCESS_CPU;
		bench_register(&one);
	}
}

/* Of one thread of the row: the same in every run, never 0. */
static inline uint64_t thread_seed(const struct bench_state *state)
{
	return 0x9e3779b97f4a7c15 * (bench_thread(state) + 1);
}

/* Rows of threads_exchange.c. */
void register_exchange(void);

#endif

// SPDX-License-Identifier: MIT
/*
 * micro.c - benchmarks: single-thread
 */
#include "common.h"

static void pair(struct bench_state *state)
{
	size_t size = (size_t)bench_arg(state, 0);

	BENCH_LOOP(state) {
		char *p = must(malloc(size));

		mark(p, size, 1);
		check(p, size, 1);
		free(p);
	}
	bench_set_items(state, bench_iterations(state));
}

void bench_register_all(void)
{
	bench_register(&(struct bench){
		.name = "BM_pair", .run = pair, .range_from = 16, .range_to = 1024,
		.range_step = 4, .iterations = 1000000,
	});
}

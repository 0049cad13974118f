// SPDX-License-Identifier: MIT
/*
 * shim_c.c - bench-shim: loops in C through the shim, BM_c/BODY/few and /many
 */
#include "shim_cost.h"

#define C_BODY(body, few, more)						\
static void c_##body(struct bench_state *state)				\
{									\
	struct shim_vars vars = { 0 };					\
									\
	BENCH_LOOP(state)						\
		shim_##body(&vars);					\
	bench_set_items(state, bench_iterations(state));		\
}

SHIM_ROWS(C_BODY)

static void register_c(const char *name, bench_fn *run, uint64_t iterations)
{
	bench_register(&(struct bench){ .name = name, .run = run, .iterations = iterations });
}

#define C_REGISTER(body, few, more)					\
	register_c("BM_c/" #body "/few", c_##body, few);		\
	register_c("BM_c/" #body "/many", c_##body, (few) + (more));

void bench_register_all(void)
{
	SHIM_ROWS(C_REGISTER)
	register_cpp();
}

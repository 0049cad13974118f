// SPDX-License-Identifier: MIT
/*
 * shim_c.c - bench-shim: loops in C through the shim, BM_c/BODY/few and /many
 *
 * BM_fail rows are for bench/tests/rows.sh: some or all of a row's threads fail, and
 * return at once or come to the loop, while the others work.
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

enum { FAILING_THREADS = 4 };

static void fail_before(struct bench_state *state)
{
	const unsigned int *failing = bench_data(state);
	unsigned int thread = bench_thread(state);
	uint64_t n = 0;

	if (thread < *failing) {
		bench_fail(state, "made to fail");
		if (thread % 2 == 0)
			return;
	}
	BENCH_LOOP(state)
		n++;
	if (n != (thread < *failing ? 0 : bench_iterations(state)))
		bench_die("a thread did not run what it should");
	bench_set_items(state, n);
}

static void register_fail(const char *name, const unsigned int *failing)
{
	bench_register(&(struct bench){
		.name = name, .run = fail_before, .data = failing, .iterations = 10,
		.threads_from = FAILING_THREADS, .threads_to = FAILING_THREADS,
	});
}

static void register_c(const char *name, bench_fn *run, uint64_t iterations)
{
	bench_register(&(struct bench){ .name = name, .run = run, .iterations = iterations });
}

#define C_REGISTER(body, few, more)					\
	register_c("BM_c/" #body "/few", c_##body, few);		\
	register_c("BM_c/" #body "/many", c_##body, (few) + (more));

void bench_register_all(void)
{
	static const unsigned int none = 0, some = 2, all = FAILING_THREADS;

	SHIM_ROWS(C_REGISTER)
	register_cpp();
	register_fail("BM_fail/some", &some);
	register_fail("BM_fail/all", &all);
	register_fail("BM_fail/none", &none);
}

// SPDX-License-Identifier: MIT
/*
 * shim_cpp.cc - bench-shim: the loops of shim_c.c in C++, without the shim
 */
#include "shim_cost.h"

/* As benchmarks are compiled for release: without it the loop has an assert(). */
#ifndef NDEBUG
#define NDEBUG
#endif
#include <benchmark/benchmark.h>

#define CPP_BODY(body, few, more)					\
static void cpp_##body(benchmark::State &state)				\
{									\
	struct shim_vars vars = {};					\
									\
	for (auto _ : state)						\
		shim_##body(&vars);					\
	state.SetItemsProcessed(state.iterations());			\
}

SHIM_ROWS(CPP_BODY)

#define CPP_REGISTER(body, few, more)					\
	benchmark::RegisterBenchmark("BM_cpp/" #body "/few", cpp_##body)	\
		->Iterations(few)->UseRealTime();			\
	benchmark::RegisterBenchmark("BM_cpp/" #body "/many", cpp_##body)	\
		->Iterations((few) + (more))->UseRealTime();

void register_cpp()
{
	SHIM_ROWS(CPP_REGISTER)
}

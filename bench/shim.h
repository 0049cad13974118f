/* SPDX-License-Identifier: MIT */
/*
 * shim.h - Google Benchmark for benchmark bodies written in C
 *
 * A program defines bench_register_all(), which calls bench_register() once a
 * row or family of rows; main() is in shim.cc.  It knows every option of Google
 * Benchmark (--help), and
 *
 *	--scale=X	multiply each fixed number of iterations (1; tests use 0.01)
 *
 * A body is
 *
 *	static void pair(struct bench_state *state)
 *	{
 *		size_t size = bench_arg(state, 0);
 *
 *		BENCH_LOOP(state) {
 *			char *p = malloc(size);
 *			...
 *			free(p);
 *		}
 *		bench_set_items(state, bench_iterations(state));
 *	}
 *
 * Everything before BENCH_LOOP is set-up and everything behind it is cleaning up;
 * neither is timed.  With several threads the body runs in each of them, and the
 * beginning and the end of the loop are barriers: what thread 0 sets up before
 * the loop the others may use in it, and what it tears down behind the loop no
 * one uses any more.  An *item* is what the row's time is divided by: in nearly
 * all rows a block that was got and, sooner or later, freed.  Each thread counts
 * its own items; Google Benchmark adds them up.
 *
 * The loop costs what a C++ loop over benchmark::State costs, a decrement and a
 * branch: bench/tests/shim_cost.sh holds both side by side.
 *
 * When all rows ran, the program prints one more line behind what Google Benchmark
 * printed, a JSON object about the process: the library that malloc came from
 * (malloc_from), peak and present RSS in KiB (peak_rss_kib, rss_kib), minor_faults,
 * major_faults, voluntary_switches, involuntary_switches, mappings.
 */
#ifndef BENCH_SHIM_H
#define BENCH_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BENCH_MAX_ARGS	4

/* Of one thread's run of one row; valid until the body returns. */
struct bench_state;

typedef void bench_fn(struct bench_state *state);

enum bench_flags {
	/* The time is what the body reported with bench_set_seconds(). */
	BENCH_MANUAL_TIME	= 1 << 0,
	/* The CPU time is the process's, not the first thread's: for all threaded rows. */
	BENCH_PROCESS_CPU	= 1 << 1,
	/* After a range of rows print the complexity that fits them; see bench_set_n(). */
	BENCH_COMPLEXITY	= 1 << 2,
};

/*
 * A row, or a family of them.  Rows are named as Google Benchmark names them:
 * NAME, then /ARGUMENT for each argument, then /threads:N.  A name may have parts
 * of its own: "BM_batch/random" with the argument 400 is BM_batch/random/400.
 */
struct bench {
	const char *name;
	bench_fn *run;
	const void *data;		/* the body's bench_data() */
	/* Arguments of a single row, or, where range_to is not 0, the first one
	 * goes from range_from to range_to, each time multiplied by range_step. */
	int64_t args[BENCH_MAX_ARGS];
	unsigned int nr_args;
	int64_t range_from, range_to;
	unsigned int range_step;	/* 0: 8 */
	/* A row for threads_from threads, twice as many, ... up to threads_to; 0: 1 thread,
	 * and no /threads:1 in the name. */
	unsigned int threads_from, threads_to;
	/* Of each thread.  0: as many as take the time of --benchmark_min_time.
	 * Fixed ones make every allocator do the same work; compare needs them. */
	uint64_t iterations;
	unsigned int flags;		/* enum bench_flags */
};

/* Add the rows.  A mistake in them is one line on stderr and exit status 2. */
void bench_register(const struct bench *bench);

/* The program's: calls bench_register(). */
void bench_register_all(void);

/* What the row was registered with. */
int64_t bench_arg(const struct bench_state *state, unsigned int index);
const void *bench_data(const struct bench_state *state);
unsigned int bench_thread(const struct bench_state *state);	/* 0 .. threads - 1 */
unsigned int bench_threads(const struct bench_state *state);

/* Of this thread; known from the beginning. */
uint64_t bench_iterations(const struct bench_state *state);

/*
 * The timed loop.  The body must come to its end: neither break nor return.  For
 * bodies that want to count themselves bench_begin() starts the clock and returns
 * the number of iterations, and bench_end(), which returns false, stops it.
 */
uint64_t bench_begin(struct bench_state *state);
bool bench_end(struct bench_state *state);
#define BENCH_LOOP(state)						\
	for (uint64_t bench_left = bench_begin(state), bench_more = 1;	\
	     bench_more; bench_more = bench_end(state))			\
		for (; bench_left; bench_left--)

/* Stop the clock inside the loop and let it go on.  Each costs about a microsecond. */
void bench_pause(struct bench_state *state);
void bench_resume(struct bench_state *state);

/* BENCH_MANUAL_TIME: what this iteration took. */
void bench_set_seconds(struct bench_state *state, double seconds);

/* Behind the loop; of this thread. */
void bench_set_items(struct bench_state *state, uint64_t items);
void bench_set_bytes(struct bench_state *state, uint64_t bytes);
void bench_set_label(struct bench_state *state, const char *label);
void bench_set_n(struct bench_state *state, int64_t n);	/* the n of O(n) */

enum bench_counter_kind {
	BENCH_SUM,		/* over the threads */
	BENCH_MEAN,		/* over the threads */
	BENCH_RATE,		/* summed, per second of the loop */
};

/* A figure of the body's own, reported beside the time. */
void bench_counter(struct bench_state *state, const char *name, double value,
		   enum bench_counter_kind kind);

/*
 * The row failed: report why and run no iteration.  Before the loop, after which the body
 * may return at once or come to the loop, or behind it.
 */
void bench_fail(struct bench_state *state, const char *why);

/* Memory of this process now, in KiB, from /proc without an allocation. */
long bench_rss_kib(void);
long bench_peak_rss_kib(void);

/* The compiler may not drop p, or what was stored where it points. */
static inline void bench_keep(const void *p)
{
	__asm__ volatile("" : : "r"(p) : "memory");
}

#ifdef __cplusplus
}
#endif

#endif

// SPDX-License-Identifier: MIT
/*
 * shim.cc - the C interface of shim.h on Google Benchmark, and main()
 *
 * The timed loop calls nothing here: bench_begin() takes all iterations at once
 * (KeepRunningBatch), the caller's own counter runs them, and bench_end() asks
 * for more, which stops the clock.
 */
#include "shim.h"
#include "process.h"

#include <benchmark/benchmark.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <mutex>
#include <string>
#include <sys/resource.h>
#include <vector>

struct bench_state {
	benchmark::State *state;
	const void *data;
	bool begun;		/* bench_begin() was called */
	bool failed;		/* the loop does not run, so it must not be ended either */
};

namespace {

double scale = 1.0;

[[noreturn]] void die(const char *name, const char *what)
{
	std::fprintf(stderr, "bench: %s: %s\n", name ? name : "a row without a name", what);
	std::exit(2);
}

/* Read before our line is printed: printing needs memory too. */
struct process {
	long peak_rss, rss, mappings;
	struct rusage usage;
	const char *malloc_from;

	void measure()
	{
		Dl_info info;
		void *entry = dlsym(RTLD_DEFAULT, "malloc");

		peak_rss = bench_peak_rss_kib();
		rss = bench_rss_kib();
		mappings = count_mappings();
		getrusage(RUSAGE_SELF, &usage);
		malloc_from = entry && dladdr(entry, &info) ? info.dli_fname : "";
	}

	void print() const
	{
		std::printf("{\"malloc_from\": \"%s\", \"peak_rss_kib\": %ld, \"rss_kib\": %ld, "
			    "\"mappings\": %ld, \"minor_faults\": %ld, \"major_faults\": %ld, "
			    "\"voluntary_switches\": %ld, \"involuntary_switches\": %ld}\n",
			    malloc_from, peak_rss, rss, mappings, usage.ru_minflt, usage.ru_majflt,
			    usage.ru_nvcsw, usage.ru_nivcsw);
	}
};

void check_row(const struct bench *bench)
{
	if (!bench->name || !bench->run)
		die(bench->name, "a row needs a name and a body");
	if (bench->nr_args > BENCH_MAX_ARGS)
		die(bench->name, "more arguments than BENCH_MAX_ARGS");
	if (bench->range_to && (bench->range_from < 1 || bench->range_to < bench->range_from))
		die(bench->name, "a range goes from 1 or more to what is not less");
	if (bench->threads_to < bench->threads_from)
		die(bench->name, "threads_to is less than threads_from");
}

/* The arguments of each row of the family. */
std::vector<std::vector<int64_t>> rows_of(const struct bench *bench)
{
	std::vector<int64_t> args(bench->args, bench->args + bench->nr_args);
	std::vector<std::vector<int64_t>> rows;
	int64_t step = bench->range_step > 1 ? bench->range_step : 8;

	if (!bench->range_to)
		return {args};
	if (args.empty())
		args.resize(1);
	for (int64_t at = bench->range_from; at <= bench->range_to; at *= step) {
		args[0] = at;
		rows.push_back(args);
	}
	return rows;
}

/*
 * Google Benchmark's barriers lie outside of each thread's clock, and the time of a
 * row is the mean over its threads.  With more threads than cores a thread that was
 * woken last would start its clock last, and one that is done first would stop its
 * clock first: in a row of 60 ms, 32 threads on 2 cores, the mean was 0.4 of what had
 * passed.  So the threads meet once more within their clocks, before the first
 * iteration and behind the last one.
 */
class Team {
	std::mutex lock;
	std::condition_variable all_here;
	int here = 0, absent = 0;
	unsigned int meeting = 0;	/* even between rows */

public:
	void meet(int threads)
	{
		std::unique_lock<std::mutex> guard(lock);
		unsigned int mine = meeting;

		if (threads < 2)
			return;
		if (++here + absent == threads) {
			here = 0;
			if (++meeting % 2 == 0)
				absent = 0;
			all_here.notify_all();
		}
		all_here.wait(guard, [this, mine] { return meeting != mine; });
	}

	/* This thread failed and does not come, neither to the beginning nor to the end.
	 * Said before the others get through Google Benchmark's first barrier, which this
	 * one passes, or is taken out of when its body returns, later. */
	void leave(int threads)
	{
		std::unique_lock<std::mutex> guard(lock);

		if (++absent == threads)
			absent = 0;
	}
} team;

benchmark::IterationCount scaled(uint64_t iterations)
{
	double n = static_cast<double>(iterations) * scale;

	return n < 1 ? 1 : static_cast<benchmark::IterationCount>(n);
}

} // namespace

void bench_register(const struct bench *bench)
{
	bench_fn *run = bench->run;
	const void *data = bench->data;
	benchmark::internal::Benchmark *row;

	check_row(bench);
	row = benchmark::RegisterBenchmark(bench->name, [run, data](benchmark::State &state) {
		struct bench_state mine = {&state, data, false, false};

		run(&mine);
	});
	for (const auto &args : rows_of(bench))
		if (!args.empty())
			row->Args(args);
	if (bench->threads_to)
		for (unsigned int n = bench->threads_from ? bench->threads_from : 1;
		     n <= bench->threads_to; n *= 2)
			row->Threads(static_cast<int>(n));
	if (bench->iterations)
		row->Iterations(scaled(bench->iterations));
	if (bench->flags & BENCH_MANUAL_TIME)
		row->UseManualTime();
	else
		row->UseRealTime();
	if (bench->flags & BENCH_PROCESS_CPU)
		row->MeasureProcessCPUTime();
	if (bench->flags & BENCH_COMPLEXITY)
		row->Complexity();
}

int64_t bench_arg(const struct bench_state *state, unsigned int index)
{
	return state->state->range(index);
}

const void *bench_data(const struct bench_state *state)
{
	return state->data;
}

unsigned int bench_thread(const struct bench_state *state)
{
	return static_cast<unsigned int>(state->state->thread_index());
}

unsigned int bench_threads(const struct bench_state *state)
{
	return static_cast<unsigned int>(state->state->threads());
}

uint64_t bench_iterations(const struct bench_state *state)
{
	return static_cast<uint64_t>(state->state->max_iterations);
}

uint64_t bench_begin(struct bench_state *state)
{
	benchmark::IterationCount all = state->state->max_iterations;

	state->begun = true;
	state->failed = !state->state->KeepRunningBatch(all);
	if (!state->failed)
		team.meet(state->state->threads());
	return state->failed ? 0 : static_cast<uint64_t>(all);
}

bool bench_end(struct bench_state *state)
{
	if (state->failed)
		return false;
	team.meet(state->state->threads());
	state->state->KeepRunningBatch(state->state->max_iterations);
	return false;
}

void bench_pause(struct bench_state *state)
{
	state->state->PauseTiming();
}

void bench_resume(struct bench_state *state)
{
	state->state->ResumeTiming();
}

void bench_set_seconds(struct bench_state *state, double seconds)
{
	state->state->SetIterationTime(seconds);
}

void bench_set_items(struct bench_state *state, uint64_t items)
{
	state->state->SetItemsProcessed(static_cast<int64_t>(items));
}

void bench_set_bytes(struct bench_state *state, uint64_t bytes)
{
	state->state->SetBytesProcessed(static_cast<int64_t>(bytes));
}

void bench_set_label(struct bench_state *state, const char *label)
{
	state->state->SetLabel(label);
}

void bench_set_n(struct bench_state *state, int64_t n)
{
	state->state->SetComplexityN(n);
}

void bench_counter(struct bench_state *state, const char *name, double value,
		   enum bench_counter_kind kind)
{
	static const benchmark::Counter::Flags flags[] = {
		benchmark::Counter::kDefaults,
		benchmark::Counter::kAvgThreads,
		benchmark::Counter::kIsRate,
	};

	state->state->counters[name] = benchmark::Counter(value, flags[kind]);
}

void bench_fail(struct bench_state *state, const char *why)
{
	if (!state->begun && !state->failed)
		team.leave(state->state->threads());
	state->failed = true;
	state->state->SkipWithError(why);
}

long bench_rss_kib(void)
{
	return status_kib("VmRSS:");
}

long bench_peak_rss_kib(void)
{
	return status_kib("VmHWM:");
}

/* Take --scale=X out of the arguments, for Google Benchmark does not know it. */
static void take_scale(int *argc, char **argv)
{
	static const char option[] = "--scale=";
	int kept = 1;

	for (int i = 1; i < *argc; i++) {
		char *end = nullptr;

		if (std::strncmp(argv[i], option, sizeof(option) - 1)) {
			argv[kept++] = argv[i];
			continue;
		}
		scale = std::strtod(argv[i] + sizeof(option) - 1, &end);
		if (*end || !(scale > 0)) {
			std::fprintf(stderr, "bench: %s: expected a number above 0\n", argv[i]);
			std::exit(2);
		}
	}
	*argc = kept;
	argv[kept] = nullptr;
}

int main(int argc, char **argv)
{
	struct process process;
	bool listing = false;

	for (int i = 1; i < argc; i++)
		listing |= !std::strncmp(argv[i], "--benchmark_list_tests", 22);
	take_scale(&argc, argv);
	benchmark::Initialize(&argc, argv);
	if (benchmark::ReportUnrecognizedArguments(argc, argv))
		return 2;
	bench_register_all();
	if (!benchmark::RunSpecifiedBenchmarks())
		return 2;
	if (!listing) {
		process.measure();
		std::fflush(nullptr);
		process.print();
	}
	benchmark::Shutdown();
	return 0;
}

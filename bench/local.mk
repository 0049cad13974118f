# SPDX-License-Identifier: MIT
# The benchmarks (bench/README.md), and the tests of resident memory and of what
# starting costs. All of these programs run under whatever is preloaded, so the
# compiler must not know what malloc is.

NO_BUILTIN_MALLOC = -fno-builtin-malloc -fno-builtin-calloc -fno-builtin-realloc \
	-fno-builtin-free -fno-builtin-aligned_alloc
ALLOC_CFLAGS = $(AM_CFLAGS) -pthread $(NO_BUILTIN_MALLOC)

# Bodies in C, driven by Google Benchmark through the shim. Linked with no allocator
# but for bench-api, which has the API of ours.

bench_commands = bench/measure bench/replay bench/latency bench/paths bench/paths-api \
	bench/nothing
if HAVE_BENCHMARK
bench_commands += bench/bench-micro bench/bench-threads bench/bench-large bench/bench-memory \
	bench/bench-api bench/bench-shim
endif
check_PROGRAMS += $(bench_commands)

bench_shim = bench/base.h bench/common.h bench/process.h bench/shim.h bench/shim.cc
bench_bench_micro_SOURCES = bench/micro.c bench/micro_sets.c bench/micro_realloc.c \
	bench/micro_app.c bench/micro_new.cc bench/micro.h bench/histograms.h $(bench_shim)
bench_bench_micro_CFLAGS = $(ALLOC_CFLAGS)
bench_bench_micro_CXXFLAGS = $(AM_CXXFLAGS) -fsized-deallocation
bench_bench_micro_LDADD = -lbenchmark
bench_bench_threads_SOURCES = bench/threads.c bench/threads_exchange.c bench/threads.h \
	bench/server.h $(bench_shim)
bench_bench_threads_CFLAGS = $(ALLOC_CFLAGS)
bench_bench_threads_LDADD = -lbenchmark
bench_bench_large_SOURCES = bench/large.c bench/threads.h $(bench_shim)
bench_bench_large_CFLAGS = $(ALLOC_CFLAGS)
bench_bench_large_LDADD = -lbenchmark
bench_bench_memory_SOURCES = bench/memory.c $(bench_shim)
bench_bench_memory_CFLAGS = $(ALLOC_CFLAGS)
bench_bench_memory_LDADD = -lbenchmark
bench_bench_api_SOURCES = bench/api.c $(bench_shim)
bench_bench_api_CFLAGS = $(ALLOC_CFLAGS)
bench_bench_api_LDADD = src/libkmalloc.la -lbenchmark
bench_bench_api_LDFLAGS = -no-install
# One body in C through the shim, and the same in C++ without it.
bench_bench_shim_SOURCES = bench/shim_c.c bench/shim_cpp.cc bench/shim_cost.h $(bench_shim)
bench_bench_shim_CFLAGS = $(ALLOC_CFLAGS)
bench_bench_shim_LDADD = -lbenchmark
# C++ bodies are compiled as the C ones are.
AM_CXXFLAGS += $(NO_BUILTIN_MALLOC)

bench_measure_SOURCES = bench/measure.c
bench_nothing_SOURCES = bench/nothing.c
bench_latency_SOURCES = bench/latency.c bench/base.h bench/common.h bench/process.h bench/server.h
bench_latency_CFLAGS = $(ALLOC_CFLAGS)
bench_paths_SOURCES = bench/paths.c bench/paths_main.c bench/paths.h bench/base.h bench/common.h
bench_paths_CFLAGS = $(ALLOC_CFLAGS)
bench_paths_api_SOURCES = bench/paths_api.c bench/paths_main.c bench/paths.h \
	bench/base.h bench/common.h
bench_paths_api_CFLAGS = $(ALLOC_CFLAGS)
bench_paths_api_LDADD = src/libkmalloc.la
bench_paths_api_LDFLAGS = -no-install
# A clock that stands still, so that what the gate counts does not depend on time.
check_LTLIBRARIES += bench/libbench-clock.la
bench_libbench_clock_la_SOURCES = bench/clock.c
bench_libbench_clock_la_LDFLAGS = -module -avoid-version -shared -rpath /nowhere

# A malloc that is at times slow: does bench/latency see it?
check_LTLIBRARIES += bench/libbench-slow.la
bench_libbench_slow_la_SOURCES = bench/slow.c
bench_libbench_slow_la_CFLAGS = $(ALLOC_CFLAGS)
bench_libbench_slow_la_LDFLAGS = -module -avoid-version -shared -rpath /nowhere

# The recorder of malloc calls, a preloadable library, and the player.

check_LTLIBRARIES += bench/libbench-record.la
bench_libbench_record_la_SOURCES = bench/record.c bench/trace.h
bench_libbench_record_la_CFLAGS = $(ALLOC_CFLAGS) -fvisibility=hidden -ftls-model=initial-exec
bench_libbench_record_la_LDFLAGS = -module -avoid-version -shared -rpath /nowhere
bench_replay_SOURCES = bench/replay.c bench/replay_load.c bench/replay.h bench/trace_read.c \
	bench/trace.h bench/base.h bench/process.h
bench_replay_CFLAGS = $(ALLOC_CFLAGS)

# Resident memory ----------------------------------------------------------

check_PROGRAMS += \
	tests/memory/burst \
	tests/memory/idle_threads \
	tests/memory/prodcons_rss \
	tests/memory/startup
tests_memory_burst_SOURCES = tests/memory/burst.c tests/memory/memory.h
tests_memory_burst_CFLAGS = $(ALLOC_CFLAGS)
tests_memory_idle_threads_SOURCES = tests/memory/idle_threads.c tests/memory/memory.h
tests_memory_idle_threads_CFLAGS = $(ALLOC_CFLAGS)
tests_memory_prodcons_rss_SOURCES = tests/memory/prodcons_rss.c tests/memory/memory.h
tests_memory_prodcons_rss_CFLAGS = $(ALLOC_CFLAGS)
tests_memory_startup_SOURCES = tests/memory/startup.c tests/memory/memory.h
tests_memory_startup_CFLAGS = $(ALLOC_CFLAGS)

# Tests --------------------------------------------------------------------

bench_tests = \
	bench/tests/compare.sh \
	bench/tests/gate.sh \
	bench/tests/latency.sh \
	bench/tests/real.sh \
	bench/tests/replay.sh \
	bench/tests/report.sh \
	bench/tests/rows.sh \
	bench/tests/servers.sh \
	bench/tests/targets.sh
memory_tests = \
	tests/memory/burst.sh \
	tests/memory/idle_threads.sh \
	tests/memory/prodcons_rss.sh \
	tests/memory/startup.sh
memory_long_tests = \
	bench/tests/shim_cost.sh \
	tests/memory/burst_cost.sh \
	tests/memory/startup_time.sh
TESTS += $(bench_tests) $(memory_tests)
CHECK_ALL_TESTS += $(memory_long_tests)

bench_python = \
	bench/compare \
	bench/check \
	bench/histogram \
	bench/kmbench/__init__.py \
	bench/kmbench/allocators.py \
	bench/kmbench/bench_jobs.py \
	bench/kmbench/gate.py \
	bench/kmbench/job.py \
	bench/kmbench/latency_jobs.py \
	bench/kmbench/machine.py \
	bench/kmbench/measure.py \
	bench/kmbench/plots.py \
	bench/kmbench/real/__init__.py \
	bench/kmbench/real/gcc.py \
	bench/kmbench/real/idle.py \
	bench/kmbench/real/make.py \
	bench/kmbench/real/perl.py \
	bench/kmbench/real/postgres.py \
	bench/kmbench/real/program.py \
	bench/kmbench/real/python.py \
	bench/kmbench/real/redis.py \
	bench/kmbench/real/solver.py \
	bench/kmbench/real/sqlite.py \
	bench/kmbench/real/tools.py \
	bench/kmbench/real/xz.py \
	bench/kmbench/replay_jobs.py \
	bench/kmbench/report.py \
	bench/kmbench/run.py \
	bench/kmbench/selection.py \
	bench/kmbench/servers.py \
	bench/kmbench/stats.py \
	bench/kmbench/targets.py \
	bench/tests/compare_test.py \
	bench/tests/made_results.py \
	bench/tests/tap.py \
	bench/tests/report_checks.py \
	bench/tests/targets_checks.py
bench_real = \
	bench/real/words.pl \
	bench/real/words.rb \
	bench/real/workload.py
bench_traces = \
	bench/traces/compiler.xz \
	bench/traces/database.xz \
	bench/traces/interpreter.xz \
	bench/traces/make.sh \
	bench/traces/server.xz \
	bench/traces/xml.xz
bench_baseline = \
	bench/baseline/x86_64-gcc-12.2.0.json
bench_documents = bench/README.md bench/results/README.md \
	bench/results/2026-11-22-2-cores/overview.svg bench/results/2026-11-22-2-cores/report.md
EXTRA_DIST += $(bench_tests) $(memory_tests) $(memory_long_tests) tests/memory/lib.sh \
	$(bench_python) $(bench_real) $(bench_traces) $(bench_baseline) $(bench_documents)

# Commands -----------------------------------------------------------------

# make bench BENCH_OPTIONS='--rows pair,server --budget 5m'
bench_environment = PYTHONDONTWRITEBYTECODE=1 abs_top_builddir='$(abs_top_builddir)' \
	abs_top_srcdir='$(abs_top_srcdir)'
bench_ready = preload/libkmalloc-preload.la $(bench_commands) bench/libbench-record.la
bench: $(bench_ready)
	@$(bench_environment) python3 '$(top_srcdir)/bench/compare' $(BENCH_OPTIONS)
bench-quick: $(bench_ready)
	@$(bench_environment) python3 '$(top_srcdir)/bench/compare' --quick $(BENCH_OPTIONS)

# Instructions, system calls and page faults against bench/baseline; fails where one rose.
gate_ready = preload/libkmalloc-preload.la bench/paths bench/paths-api bench/nothing \
	bench/replay bench/libbench-clock.la
bench-check: $(gate_ready)
	@$(bench_environment) python3 '$(top_srcdir)/bench/check' $(BENCH_OPTIONS)
# What it says is for the message of the commit, which the baseline has of its own.
bench-baseline: $(gate_ready)
	@$(bench_environment) python3 '$(top_srcdir)/bench/check' --update $(BENCH_OPTIONS)

.PHONY: bench bench-quick bench-check bench-baseline

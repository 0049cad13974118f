# SPDX-License-Identifier: MIT
# The comparison with other allocators, and the tests of resident memory and of
# what starting costs. All of these programs run under whatever is preloaded, so
# the compiler must not know what malloc is.

ALLOC_CFLAGS = $(AM_CFLAGS) -pthread -fno-builtin-malloc -fno-builtin-calloc \
	-fno-builtin-realloc -fno-builtin-free

check_PROGRAMS += bench/compare
bench_compare_SOURCES = bench/compare.c
bench_compare_CFLAGS = $(ALLOC_CFLAGS)

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

memory_tests = \
	bench/patterns.sh \
	tests/memory/burst.sh \
	tests/memory/idle_threads.sh \
	tests/memory/prodcons_rss.sh \
	tests/memory/startup.sh
memory_long_tests = \
	tests/memory/burst_cost.sh \
	tests/memory/startup_time.sh
TESTS += $(memory_tests)
CHECK_ALL_TESTS += $(memory_long_tests)
EXTRA_DIST += $(memory_tests) $(memory_long_tests) tests/memory/lib.sh bench/compare.py

# make bench BENCH_OPTIONS='--patterns pair,server --rounds 3'
compare_allocators = abs_top_builddir='$(abs_top_builddir)' \
	python3 '$(top_srcdir)/bench/compare.py'
bench: all bench/compare$(EXEEXT)
	@$(compare_allocators) $(BENCH_OPTIONS)

# The same, and the limits that the project keeps; fails where one is not kept.
bench-check: all bench/compare$(EXEEXT)
	@$(compare_allocators) --check $(BENCH_OPTIONS)

.PHONY: bench bench-check

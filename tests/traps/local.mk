# SPDX-License-Identifier: MIT
# Tests of the known traps, run under the preload by tests/run-test; each file
# names its traps. The long forms are run by make check-all.

TRAP_TESTS = \
	tests/traps/exit_paths \
	tests/traps/fork_family \
	tests/traps/gfp_policies \
	tests/traps/load_library \
	tests/traps/misuse \
	tests/traps/options \
	tests/traps/own_malloc \
	tests/traps/own_names \
	tests/traps/refusals \
	tests/traps/regressions \
	tests/traps/signal_handlers \
	tests/traps/small_stacks \
	tests/traps/threads

TRAP_LONG_TESTS = \
	tests/traps/long_exit_paths.sh \
	tests/traps/long_fork_family.sh \
	tests/traps/long_load_library.sh \
	tests/traps/long_refusals.sh \
	tests/traps/long_signal_handlers.sh \
	tests/traps/long_threads.sh

if HAVE_CXX
TRAP_TESTS += tests/traps/threads_cxx
TRAP_LONG_TESTS += tests/traps/long_threads_cxx.sh
endif

check_PROGRAMS += $(TRAP_TESTS) tests/traps/plain
check_LTLIBRARIES += tests/traps/audit.la tests/traps/interposer.la tests/traps/plugin.la
TESTS += $(TRAP_TESTS) tests/traps/surroundings.sh
CHECK_ALL_TESTS += $(TRAP_LONG_TESTS)
EXTRA_DIST += \
	tests/traps/long.sh \
	tests/traps/long_exit_paths.sh \
	tests/traps/long_fork_family.sh \
	tests/traps/long_load_library.sh \
	tests/traps/long_refusals.sh \
	tests/traps/long_signal_handlers.sh \
	tests/traps/long_threads.sh \
	tests/traps/long_threads_cxx.sh \
	tests/traps/surroundings.sh

# No compiler may know what malloc does, or it leaves out what is tested.
TRAP_CFLAGS = $(AM_CFLAGS) -fno-builtin -pthread
TRAP_CXXFLAGS = $(AM_CXXFLAGS) -fno-builtin -pthread -Wno-missing-field-initializers
TRAP_MODULE = -module -avoid-version -shared -rpath /nowhere

tests_traps_exit_paths_SOURCES = tests/traps/exit_paths.c tests/traps/trap.h
tests_traps_exit_paths_CFLAGS = $(TRAP_CFLAGS)

tests_traps_fork_family_SOURCES = tests/traps/fork_family.c tests/traps/trap.h
tests_traps_fork_family_CFLAGS = $(TRAP_CFLAGS)

# The API's calls bind to the preload's copy at run time: the library is linked for their names.
tests_traps_gfp_policies_SOURCES = tests/traps/gfp_policies.c tests/traps/trap.h
tests_traps_gfp_policies_CFLAGS = $(TRAP_CFLAGS)
tests_traps_gfp_policies_LDADD = src/libkmalloc.la

tests_traps_load_library_SOURCES = tests/traps/load_library.c tests/traps/trap.h
tests_traps_load_library_CFLAGS = $(TRAP_CFLAGS)

tests_traps_misuse_SOURCES = tests/traps/misuse.c tests/traps/trap.h
tests_traps_misuse_CFLAGS = $(TRAP_CFLAGS)

tests_traps_options_SOURCES = tests/traps/options.c tests/traps/trap.h
tests_traps_options_CFLAGS = $(TRAP_CFLAGS)

# -rdynamic: the program's functions are there for libraries to bind to.
tests_traps_own_malloc_SOURCES = tests/traps/own_malloc.c
tests_traps_own_malloc_CFLAGS = $(TRAP_CFLAGS)
tests_traps_own_malloc_LDFLAGS = -Wl,--export-dynamic

tests_traps_own_names_SOURCES = tests/traps/own_names.c tests/traps/trap.h
tests_traps_own_names_CFLAGS = $(TRAP_CFLAGS)
tests_traps_own_names_LDFLAGS = -Wl,--export-dynamic

tests_traps_plain_SOURCES = tests/traps/plain.c tests/traps/trap.h
tests_traps_plain_CFLAGS = $(TRAP_CFLAGS)

tests_traps_refusals_SOURCES = tests/traps/refusals.c tests/traps/trap.h
tests_traps_refusals_CFLAGS = $(TRAP_CFLAGS)

tests_traps_regressions_SOURCES = tests/traps/regressions.c tests/traps/trap.h
tests_traps_regressions_CFLAGS = $(TRAP_CFLAGS)

tests_traps_signal_handlers_SOURCES = tests/traps/signal_handlers.c tests/traps/trap.h
tests_traps_signal_handlers_CFLAGS = $(TRAP_CFLAGS)

tests_traps_small_stacks_SOURCES = tests/traps/small_stacks.c tests/traps/trap.h
tests_traps_small_stacks_CFLAGS = $(TRAP_CFLAGS)

tests_traps_threads_SOURCES = tests/traps/threads.c tests/traps/trap.h
tests_traps_threads_CFLAGS = $(TRAP_CFLAGS)

tests_traps_threads_cxx_SOURCES = tests/traps/threads_cxx.cc tests/traps/trap.h
tests_traps_threads_cxx_CXXFLAGS = $(TRAP_CXXFLAGS)

tests_traps_audit_la_SOURCES = tests/traps/audit.c
tests_traps_audit_la_CFLAGS = $(TRAP_CFLAGS)
tests_traps_audit_la_LIBTOOLFLAGS = --tag=disable-static
tests_traps_audit_la_LDFLAGS = $(TRAP_MODULE)
tests_traps_interposer_la_SOURCES = tests/traps/interposer.c
tests_traps_interposer_la_CFLAGS = $(TRAP_CFLAGS)
tests_traps_interposer_la_LIBTOOLFLAGS = --tag=disable-static
tests_traps_interposer_la_LDFLAGS = $(TRAP_MODULE)
tests_traps_plugin_la_SOURCES = tests/traps/plugin.c
tests_traps_plugin_la_CFLAGS = $(TRAP_CFLAGS)
tests_traps_plugin_la_LIBTOOLFLAGS = --tag=disable-static
tests_traps_plugin_la_LDFLAGS = $(TRAP_MODULE)

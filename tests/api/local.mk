# SPDX-License-Identifier: MIT
# Tests of the malloc interface, run under the preload by tests/run-test.

API_TESTS = \
	tests/api/contents \
	tests/api/failures \
	tests/api/free_errno \
	tests/api/statistics

if HAVE_CXX
API_TESTS += tests/api/fail_nth tests/api/operator_new
endif

check_PROGRAMS += $(API_TESTS)
TESTS += $(API_TESTS)

# No compiler may know what malloc does, or it leaves out what is tested.
API_CFLAGS = $(AM_CFLAGS) -fno-builtin -pthread
API_CXXFLAGS = $(AM_CXXFLAGS) -fno-builtin -pthread -Wno-missing-field-initializers

tests_api_contents_SOURCES = tests/api/contents.c tests/api/entry_points.h
tests_api_contents_CFLAGS = $(API_CFLAGS)
tests_api_contents_LDADD = $(CMOCKA_LIBS)

tests_api_failures_SOURCES = tests/api/failures.c tests/api/entry_points.h
tests_api_failures_CFLAGS = $(API_CFLAGS)
tests_api_failures_LDADD = $(CMOCKA_LIBS)

tests_api_free_errno_SOURCES = tests/api/free_errno.c tests/traps/trap.h
tests_api_free_errno_CFLAGS = $(API_CFLAGS)

tests_api_statistics_SOURCES = tests/api/statistics.c tests/traps/trap.h
tests_api_statistics_CFLAGS = $(API_CFLAGS)

tests_api_operator_new_SOURCES = tests/api/operator_new.cc tests/traps/trap.h
tests_api_operator_new_CXXFLAGS = $(API_CXXFLAGS)

# Under the preload the functions of the API library are those of the preload library.
tests_api_fail_nth_SOURCES = tests/api/fail_nth.cc tests/kapi/fail_nth.h tests/traps/trap.h
tests_api_fail_nth_CXXFLAGS = $(API_CXXFLAGS)
tests_api_fail_nth_LDADD = src/libkmalloc.la
tests_api_fail_nth_LDFLAGS = -no-install

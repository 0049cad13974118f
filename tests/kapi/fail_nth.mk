# SPDX-License-Identifier: MIT
# Injected failures in the kernel API: public headers alone, linked with the API library.

kapi_fail_tests = tests/kapi/test_fail_nth tests/kapi/test_fail_sheaves

check_PROGRAMS += $(kapi_fail_tests)
TESTS += $(kapi_fail_tests)

kapi_fail_cflags = $(AM_CFLAGS) -fno-builtin -pthread -Wno-alloc-size-larger-than

tests_kapi_test_fail_nth_SOURCES = tests/kapi/test_fail_nth.c tests/kapi/fail_nth.h \
	tests/kapi/kapi.h tests/traps/trap.h
tests_kapi_test_fail_nth_CFLAGS = $(kapi_fail_cflags)
tests_kapi_test_fail_nth_LDADD = src/libkmalloc.la

tests_kapi_test_fail_sheaves_SOURCES = tests/kapi/test_fail_sheaves.c tests/kapi/fail_nth.h \
	tests/kapi/kapi.h tests/traps/trap.h
tests_kapi_test_fail_sheaves_CFLAGS = $(kapi_fail_cflags)
tests_kapi_test_fail_sheaves_LDADD = src/libkmalloc.la

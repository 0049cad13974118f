# SPDX-License-Identifier: MIT
# fail_nth = 1, 2, 3, ... over the kernel API: public headers alone, linked with the API library.

check_PROGRAMS += tests/kapi/test_fail_nth
TESTS += tests/kapi/test_fail_nth

tests_kapi_test_fail_nth_SOURCES = tests/kapi/test_fail_nth.c tests/kapi/kapi.h tests/traps/trap.h
tests_kapi_test_fail_nth_CFLAGS = $(AM_CFLAGS) -fno-builtin -pthread -Wno-alloc-size-larger-than
tests_kapi_test_fail_nth_LDADD = src/libkmalloc.la

# SPDX-License-Identifier: MIT
# Tests of the kernel API through the public headers: mempool, mm_types, stats.

kapi_mempool_tests = \
	tests/kapi/test_mempool \
	tests/kapi/test_mempool_threads \
	tests/kapi/test_mm_struct \
	tests/kapi/test_stats

check_PROGRAMS += $(kapi_mempool_tests)
TESTS += $(kapi_mempool_tests)

tests_kapi_test_mempool_SOURCES = tests/kapi/test_mempool.c tests/kapi/mempool_test.h
tests_kapi_test_mempool_CFLAGS = $(AM_CFLAGS) -pthread
tests_kapi_test_mempool_LDADD = src/libkmalloc.la $(CMOCKA_LIBS)

tests_kapi_test_mempool_threads_SOURCES = tests/kapi/test_mempool_threads.c \
	tests/kapi/mempool_test.h
tests_kapi_test_mempool_threads_CFLAGS = $(AM_CFLAGS) -pthread
tests_kapi_test_mempool_threads_LDADD = src/libkmalloc.la $(CMOCKA_LIBS)

tests_kapi_test_mm_struct_SOURCES = tests/kapi/test_mm_struct.c
tests_kapi_test_mm_struct_CFLAGS = $(AM_CFLAGS) -pthread
tests_kapi_test_mm_struct_LDADD = src/libkmalloc.la $(CMOCKA_LIBS)

tests_kapi_test_stats_SOURCES = tests/kapi/test_stats.c
tests_kapi_test_stats_CFLAGS = $(AM_CFLAGS) -pthread
tests_kapi_test_stats_LDADD = src/libkmalloc.la $(CMOCKA_LIBS)

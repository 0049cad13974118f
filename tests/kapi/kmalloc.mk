# SPDX-License-Identifier: MIT
# Tests of the kmalloc family: public headers alone, linked with the API library.

kapi_kmalloc_tests = tests/kapi/test_kmalloc tests/kapi/test_kmalloc_misuse

check_PROGRAMS += $(kapi_kmalloc_tests)
TESTS += $(kapi_kmalloc_tests) tests/kapi/kmalloc_preloaded.sh tests/kapi/kmalloc_misuse_preloaded.sh
EXTRA_DIST += tests/kapi/kmalloc_preloaded.sh tests/kapi/kmalloc_misuse_preloaded.sh

kapi_kmalloc_cflags = $(AM_CFLAGS) -fno-builtin -pthread -Wno-alloc-size-larger-than

tests_kapi_test_kmalloc_SOURCES = tests/kapi/test_kmalloc.c tests/kapi/kapi.h tests/traps/trap.h
tests_kapi_test_kmalloc_CFLAGS = $(kapi_kmalloc_cflags)
tests_kapi_test_kmalloc_LDADD = src/libkmalloc.la

tests_kapi_test_kmalloc_misuse_SOURCES = tests/kapi/test_kmalloc_misuse.c tests/kapi/kapi.h \
	tests/traps/trap.h
tests_kapi_test_kmalloc_misuse_CFLAGS = $(kapi_kmalloc_cflags)
tests_kapi_test_kmalloc_misuse_LDADD = src/libkmalloc.la

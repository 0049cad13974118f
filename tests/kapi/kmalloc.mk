# SPDX-License-Identifier: MIT
# Tests of the kmalloc family: public headers alone, linked with the API library.

check_PROGRAMS += tests/kapi/test_kmalloc
TESTS += tests/kapi/test_kmalloc tests/kapi/kmalloc_preloaded.sh
EXTRA_DIST += tests/kapi/kmalloc_preloaded.sh

tests_kapi_test_kmalloc_SOURCES = tests/kapi/test_kmalloc.c tests/kapi/kapi.h tests/traps/trap.h
tests_kapi_test_kmalloc_CFLAGS = $(AM_CFLAGS) -fno-builtin -pthread -Wno-alloc-size-larger-than
tests_kapi_test_kmalloc_LDADD = src/libkmalloc.la

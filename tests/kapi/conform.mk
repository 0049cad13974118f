# SPDX-License-Identifier: MIT
# Conformance tests that complete those of the parts: public headers alone. README.md has the table.

kapi_conform_tests = tests/kapi/test_conform_gfp tests/kapi/test_conform_pages \
	tests/kapi/test_conform_slab

kapi_conform_scripts = tests/kapi/conform_gfp_preloaded.sh tests/kapi/conform_pages_preloaded.sh \
	tests/kapi/conform_slab_preloaded.sh

check_PROGRAMS += $(kapi_conform_tests)
TESTS += $(kapi_conform_tests) $(kapi_conform_scripts)
EXTRA_DIST += $(kapi_conform_scripts) tests/kapi/README.md

kapi_conform_cflags = $(AM_CFLAGS) -fno-builtin -pthread -Wno-alloc-size-larger-than
kapi_conform_headers = tests/kapi/conform.h tests/kapi/kapi.h tests/traps/trap.h

tests_kapi_test_conform_gfp_SOURCES = tests/kapi/test_conform_gfp.c $(kapi_conform_headers)
tests_kapi_test_conform_gfp_CFLAGS = $(kapi_conform_cflags)
tests_kapi_test_conform_gfp_LDADD = src/libkmalloc.la

tests_kapi_test_conform_slab_SOURCES = tests/kapi/test_conform_slab.c $(kapi_conform_headers)
tests_kapi_test_conform_slab_CFLAGS = $(kapi_conform_cflags)
tests_kapi_test_conform_slab_LDADD = src/libkmalloc.la

tests_kapi_test_conform_pages_SOURCES = tests/kapi/test_conform_pages.c $(kapi_conform_headers)
tests_kapi_test_conform_pages_CFLAGS = $(kapi_conform_cflags)
tests_kapi_test_conform_pages_LDADD = src/libkmalloc.la

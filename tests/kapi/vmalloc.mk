# SPDX-License-Identifier: MIT
# Tests of the kernel API through the public headers: vmalloc and vmap.

kapi_vmalloc_tests = \
	tests/kapi/test_vmalloc \
	tests/kapi/test_vmap \
	tests/kapi/test_vmalloc_guard

check_PROGRAMS += $(kapi_vmalloc_tests)
TESTS += $(kapi_vmalloc_tests)

kapi_vmalloc_cflags = $(AM_CFLAGS) -fno-builtin -pthread -Wno-alloc-size-larger-than

tests_kapi_test_vmalloc_SOURCES = tests/kapi/test_vmalloc.c tests/kapi/vmalloc_test.h
tests_kapi_test_vmalloc_CFLAGS = $(kapi_vmalloc_cflags)
tests_kapi_test_vmalloc_LDADD = src/libkmalloc.la $(CMOCKA_LIBS)

tests_kapi_test_vmap_SOURCES = tests/kapi/test_vmap.c tests/kapi/vmalloc_test.h
tests_kapi_test_vmap_CFLAGS = $(kapi_vmalloc_cflags)
tests_kapi_test_vmap_LDADD = src/libkmalloc.la $(CMOCKA_LIBS)

tests_kapi_test_vmalloc_guard_SOURCES = tests/kapi/test_vmalloc_guard.c tests/kapi/vmalloc_test.h
tests_kapi_test_vmalloc_guard_CFLAGS = $(kapi_vmalloc_cflags)
tests_kapi_test_vmalloc_guard_LDADD = src/libkmalloc.la $(CMOCKA_LIBS)

# SPDX-License-Identifier: MIT
# Conformance tests of the page API.

check_PROGRAMS += tests/kapi/pages tests/kapi/pages_init
TESTS += tests/kapi/pages tests/kapi/pages_init

tests_kapi_pages_SOURCES = tests/kapi/pages.c
tests_kapi_pages_CFLAGS = $(AM_CFLAGS) -pthread
tests_kapi_pages_LDADD = src/libkmalloc.la $(CMOCKA_LIBS)

tests_kapi_pages_init_SOURCES = tests/kapi/pages_init.c
tests_kapi_pages_init_CFLAGS = $(AM_CFLAGS)
tests_kapi_pages_init_LDADD = src/libkmalloc.la $(CMOCKA_LIBS)

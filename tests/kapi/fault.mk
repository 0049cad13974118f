# SPDX-License-Identifier: MIT
# Fault injection and shrinkers by the public headers, linked with the API library.

check_PROGRAMS += tests/kapi/fault
TESTS += tests/kapi/fault

tests_kapi_fault_SOURCES = tests/kapi/fault.c
tests_kapi_fault_CPPFLAGS = -I$(top_srcdir)/include
tests_kapi_fault_CFLAGS = $(AM_CFLAGS) -pthread
tests_kapi_fault_LDADD = src/libkmalloc.la $(CMOCKA_LIBS)

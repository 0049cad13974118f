# SPDX-License-Identifier: MIT
# Tests of the <linux/*.h> of kmalloc-linux that need no allocator; textbook.mk has the others.

linux_tests = tests/kapi/test_linux_lib tests/kapi/test_linux_list
linux_scripts = tests/kapi/test_linux_module.sh

check_PROGRAMS += $(linux_tests)
TESTS += $(linux_tests) $(linux_scripts)
EXTRA_DIST += $(linux_scripts) tests/kapi/test_examples.sh tests/kapi/textbook.mk

linux_cppflags = -I$(top_srcdir)/include/kmalloc-linux $(AM_CPPFLAGS)
linux_cflags = $(AM_CFLAGS) -pthread

tests_kapi_test_linux_lib_SOURCES = tests/kapi/test_linux_lib.c tests/kapi/linux.h
tests_kapi_test_linux_lib_CPPFLAGS = $(linux_cppflags)
tests_kapi_test_linux_lib_CFLAGS = $(linux_cflags)
tests_kapi_test_linux_lib_LDADD = $(CMOCKA_LIBS)

tests_kapi_test_linux_list_SOURCES = tests/kapi/test_linux_list.c tests/kapi/linux.h
tests_kapi_test_linux_list_CPPFLAGS = $(linux_cppflags)
tests_kapi_test_linux_list_CFLAGS = $(linux_cflags)
tests_kapi_test_linux_list_LDADD = $(CMOCKA_LIBS)

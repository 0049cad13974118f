# SPDX-License-Identifier: MIT
# Sources as text books show them, against the headers of kmalloc-linux, linked with the library.

textbook_tests = \
	tests/kapi/test_textbook_mempool \
	tests/kapi/test_textbook_pages \
	tests/kapi/test_textbook_slab \
	tests/kapi/test_textbook_vmalloc

check_PROGRAMS += $(textbook_tests)
TESTS += $(textbook_tests) tests/kapi/test_examples.sh

textbook_libs = src/libkmalloc.la $(CMOCKA_LIBS)

tests_kapi_test_textbook_mempool_SOURCES = tests/kapi/test_textbook_mempool.c tests/kapi/linux.h
tests_kapi_test_textbook_mempool_CPPFLAGS = $(linux_cppflags)
tests_kapi_test_textbook_mempool_CFLAGS = $(linux_cflags)
tests_kapi_test_textbook_mempool_LDADD = $(textbook_libs)

tests_kapi_test_textbook_pages_SOURCES = tests/kapi/test_textbook_pages.c tests/kapi/linux.h
tests_kapi_test_textbook_pages_CPPFLAGS = $(linux_cppflags)
tests_kapi_test_textbook_pages_CFLAGS = $(linux_cflags)
tests_kapi_test_textbook_pages_LDADD = $(textbook_libs)

tests_kapi_test_textbook_slab_SOURCES = tests/kapi/test_textbook_slab.c tests/kapi/linux.h
tests_kapi_test_textbook_slab_CPPFLAGS = $(linux_cppflags)
tests_kapi_test_textbook_slab_CFLAGS = $(linux_cflags)
tests_kapi_test_textbook_slab_LDADD = $(textbook_libs)

tests_kapi_test_textbook_vmalloc_SOURCES = tests/kapi/test_textbook_vmalloc.c tests/kapi/linux.h
tests_kapi_test_textbook_vmalloc_CPPFLAGS = $(linux_cppflags)
tests_kapi_test_textbook_vmalloc_CFLAGS = $(linux_cflags)
tests_kapi_test_textbook_vmalloc_LDADD = $(textbook_libs)

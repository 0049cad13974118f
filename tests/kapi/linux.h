/* SPDX-License-Identifier: MIT */
/* What the tests of kmalloc-linux share: cmocka, beside the names of the kernel. */
#ifndef TESTS_KAPI_LINUX_H
#define TESTS_KAPI_LINUX_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A number that the compiler does not know: it warns about sizes that can not be. */
static inline size_t unknown_to_compiler(size_t n)
{
	__asm__("" : "+r"(n));
	return n;
}

#endif

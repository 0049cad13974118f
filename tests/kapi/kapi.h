/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the kernel API share: the harness of the traps, without its demand that malloc
 * be ours. Each case is a process of its own, whose library has started under its options.
 */
#ifndef TESTS_KAPI_KAPI_H
#define TESTS_KAPI_KAPI_H

#include "../traps/trap.h"

__attribute__((constructor)) static void any_malloc(void)
{
	setenv("KMALLOC_TEST_ANY", "1", 1);
}

/* The program breaks rules on purpose; no compiler may know what the functions do. */
static inline bool kapi_all(const void *p, unsigned char value, size_t n)
{
	const unsigned char *b = (const unsigned char *)p;
	size_t i;

	__asm__("" : "+r"(b));	/* nor how large an object is: -fsanitize=object-size */
	for (i = 0; i < n; i++)
		if (b[i] != value)
			return false;
	return true;
}

static inline bool kapi_aligned(const void *p, size_t align)
{
	return (uintptr_t)p % align == 0;
}

#endif

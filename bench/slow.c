// SPDX-License-Identifier: MIT
/*
 * slow.c - a preloadable malloc that is at times slow, for the test of bench/latency
 *
 * That of the C library, but each 50th malloc of a thread takes 20 microseconds longer,
 * and each 50th free 10.
 */
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define EACH	50

void *__libc_malloc(size_t size);
void __libc_free(void *p);
void *malloc(size_t size);
void free(void *p);

static _Thread_local unsigned int mallocs, frees;

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void wait_for(int64_t ns)
{
	for (int64_t end = now() + ns; now() < end;)
		;
}

void *malloc(size_t size)
{
	if (++mallocs % EACH == 0)
		wait_for(20000);
	return __libc_malloc(size);
}

void free(void *p)
{
	if (++frees % EACH == 0)
		wait_for(10000);
	__libc_free(p);
}

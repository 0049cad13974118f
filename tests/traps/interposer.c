/* SPDX-License-Identifier: MIT */
/*
 * Another library to preload, as profilers and fakers are: it wraps the malloc
 * family, finds the next definition with dlsym at the first call, counts, and
 * serves what dlsym itself may allocate from a small buffer. Traps C2, C3, C73.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

extern unsigned long interposer_calls;
unsigned long interposer_calls;

static char first_aid[4096] __attribute__((aligned(16)));
static size_t first_aid_used;
static int looking_up;

static void *from_buffer(size_t n)
{
	void *p = first_aid + first_aid_used;

	n = (n + 15) & ~(size_t)15;
	if (n > sizeof(first_aid) - first_aid_used)
		abort();
	first_aid_used += n;
	return p;
}

static int is_first_aid(const void *p)
{
	return (uintptr_t)p - (uintptr_t)first_aid < sizeof(first_aid);
}

static void *next(const char *name)
{
	void *sym;

	looking_up++;
	sym = dlsym(RTLD_NEXT, name);
	looking_up--;
	if (!sym)
		abort();
	return sym;
}

#define NEXT(type, name)                                 \
	static type fn;                                  \
	if (!fn)                                         \
		fn = (type)next(name);                   \
	__atomic_add_fetch(&interposer_calls, 1, __ATOMIC_RELAXED)

typedef void *(*malloc_fn)(size_t n);
typedef void *(*calloc_fn)(size_t nr, size_t n);
typedef void *(*realloc_fn)(void *p, size_t n);
typedef void (*free_fn)(void *p);

void *malloc(size_t n)
{
	if (looking_up)
		return from_buffer(n);
	NEXT(malloc_fn, "malloc");
	return fn(n);
}

void *calloc(size_t nr, size_t n)
{
	if (looking_up)
		return from_buffer(nr * n);
	NEXT(calloc_fn, "calloc");
	return fn(nr, n);
}

void *realloc(void *p, size_t n)
{
	if (is_first_aid(p)) {
		void *q = malloc(n);

		if (q)
			memcpy(q, p, n);
		return q;
	}
	NEXT(realloc_fn, "realloc");
	return fn(p, n);
}

void free(void *p)
{
	if (is_first_aid(p) || looking_up)
		return;
	NEXT(free_fn, "free");
	fn(p);
}

/*
 * A name that is missing makes dlsym compose, and so allocate, a message. All
 * four are looked up before: a dlsym inside dlerror would take its message away.
 */
__attribute__((constructor)) static void miss_a_name(void)
{
	free(realloc(malloc(10), 20));
	free(calloc(1, 10));
	if (dlsym(RTLD_NEXT, "interposer_missing_name") || !dlerror())
		abort();
}

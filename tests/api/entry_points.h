/* SPDX-License-Identifier: MIT */
/*
 * entry_points.h: every way to ask for n bytes, as one table, for tests that
 * hold for all of them. The functions are called through pointers, so that no
 * compiler knows what they are.
 */
#ifndef ENTRY_POINTS_H
#define ENTRY_POINTS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct entry_point {
	const char *name;
	void *(*alloc)(size_t n);
	size_t align;		/* what the caller asked for, or 0 for the usual */
};

static inline void *by_malloc(size_t n)
{
	return malloc(n);
}

static inline void *by_calloc(size_t n)
{
	return calloc(1, n);
}

static inline void *by_calloc_turned(size_t n)
{
	return calloc(n, 1);
}

static inline void *by_realloc(size_t n)
{
	return realloc(NULL, n);
}

static inline void *by_reallocarray(size_t n)
{
	return reallocarray(NULL, n, 1);
}

static inline void *by_memalign(size_t n)
{
	return memalign(64, n);
}

static inline void *by_memalign_large(size_t n)
{
	return memalign((size_t)2 << 20, n);
}

static inline void *by_aligned_alloc(size_t n)
{
	return aligned_alloc(32, n);
}

static inline void *by_aligned_alloc_page(size_t n)
{
	return aligned_alloc(4096, n);
}

static inline void *by_valloc(size_t n)
{
	return valloc(n);
}

static inline void *by_pvalloc(size_t n)
{
	return pvalloc(n);
}

/* Its error becomes errno, so that it answers as the others do. */
static inline void *by_posix_memalign(size_t n)
{
	void *p = NULL;
	int err = posix_memalign(&p, 128, n);

	if (err)
		errno = err;
	return err ? NULL : p;
}

static const struct entry_point entry_points[] = {
	{ "malloc(n)", by_malloc, 0 },
	{ "calloc(1, n)", by_calloc, 0 },
	{ "calloc(n, 1)", by_calloc_turned, 0 },
	{ "realloc(NULL, n)", by_realloc, 0 },
	{ "reallocarray(NULL, n, 1)", by_reallocarray, 0 },
	{ "memalign(64, n)", by_memalign, 64 },
	{ "memalign(2 MiB, n)", by_memalign_large, (size_t)2 << 20 },
	{ "aligned_alloc(32, n)", by_aligned_alloc, 32 },
	{ "aligned_alloc(4096, n)", by_aligned_alloc_page, 4096 },
	{ "valloc(n)", by_valloc, 4096 },
	{ "pvalloc(n)", by_pvalloc, 4096 },
	{ "posix_memalign(128, n)", by_posix_memalign, 128 },
};

enum { NR_ENTRY_POINTS = sizeof(entry_points) / sizeof(entry_points[0]) };

#define for_each_entry_point(ep)                             \
	for (const struct entry_point *ep = entry_points; \
	     ep < entry_points + NR_ENTRY_POINTS; ep++)

/* The tests are tried out under other mallocs, which promise less. */
static inline bool other_malloc(void)
{
	return getenv("KMALLOC_TEST_ANY") != NULL;
}

#endif

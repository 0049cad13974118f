/* SPDX-License-Identifier: MIT */
/*
 * Reference counts: taking one that is no longer held, or giving back one too many, is warned
 * about, and the count then stays where it is (the object leaks).
 */
#ifndef KMALLOC_LINUX_REFCOUNT_H
#define KMALLOC_LINUX_REFCOUNT_H

#include <linux/atomic.h>
#include <linux/bug.h>

typedef struct refcount_struct {
	atomic_t refs;
} refcount_t;

#define REFCOUNT_INIT(n)	{ .refs = ATOMIC_INIT(n) }
#define REFCOUNT_SATURATED	((int)(~0u << 30))

static inline void refcount_set(refcount_t *r, int n)
{
	atomic_set(&r->refs, n);
}

static inline unsigned int refcount_read(const refcount_t *r)
{
	return (unsigned int)atomic_read(&r->refs);
}

static inline bool __must_check refcount_inc_not_zero(refcount_t *r)
{
	int old = atomic_fetch_add_unless(&r->refs, 1, 0);

	if (WARN_ON_ONCE(old < 0))
		atomic_set(&r->refs, REFCOUNT_SATURATED);
	return old != 0;
}

static inline void refcount_inc(refcount_t *r)
{
	if (WARN_ON_ONCE(atomic_fetch_inc(&r->refs) <= 0))
		atomic_set(&r->refs, REFCOUNT_SATURATED);
}

/** refcount_dec_and_test - true for the one that gave back the last reference. */
static inline bool __must_check refcount_dec_and_test(refcount_t *r)
{
	int old = atomic_fetch_dec(&r->refs);

	if (WARN_ON_ONCE(old <= 0))
		atomic_set(&r->refs, REFCOUNT_SATURATED);
	return old == 1;
}

#endif

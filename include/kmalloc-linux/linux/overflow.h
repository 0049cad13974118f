/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic that tells or stops at the end: the check_ functions are true where the result does
 * not fit, the size_ ones give SIZE_MAX, which no allocation grants.
 */
#ifndef KMALLOC_LINUX_OVERFLOW_H
#define KMALLOC_LINUX_OVERFLOW_H

#include <stdint.h>
#include <linux/compiler.h>
#include <linux/limits.h>

static inline bool __must_check __must_check_overflow(bool overflow)
{
	return overflow;
}

#define check_add_overflow(a, b, d)	__must_check_overflow(__builtin_add_overflow(a, b, d))
#define check_sub_overflow(a, b, d)	__must_check_overflow(__builtin_sub_overflow(a, b, d))
#define check_mul_overflow(a, b, d)	__must_check_overflow(__builtin_mul_overflow(a, b, d))

static inline size_t __must_check size_mul(size_t a, size_t b)
{
	size_t bytes;

	return __builtin_mul_overflow(a, b, &bytes) ? SIZE_MAX : bytes;
}

static inline size_t __must_check size_add(size_t a, size_t b)
{
	size_t bytes;

	return __builtin_add_overflow(a, b, &bytes) ? SIZE_MAX : bytes;
}

/** size_sub - a - b; SIZE_MAX where it would be negative or where an operand is SIZE_MAX. */
static inline size_t __must_check size_sub(size_t a, size_t b)
{
	return a == SIZE_MAX || b == SIZE_MAX || b > a ? SIZE_MAX : a - b;
}

#define array_size(a, b)	size_mul(a, b)
#define array3_size(a, b, c)	size_mul(size_mul(a, b), c)

/** flex_array_size - bytes of count elements of the array that ends the structure at p. */
#define flex_array_size(p, member, count) \
	size_mul(count, sizeof(*(p)->member) + BUILD_BUG_ON_ZERO(__same_type((p)->member, \
									 &(p)->member[0])))
/** struct_size - bytes of the structure at p with count elements in the array that ends it. */
#define struct_size(p, member, count) \
	size_add(sizeof(*(p)), flex_array_size(p, member, count))
#define struct_size_t(type, member, count)	struct_size((type *)NULL, member, count)

#endif

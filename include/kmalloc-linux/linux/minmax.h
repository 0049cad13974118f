/* SPDX-License-Identifier: MIT */
/*
 * min, max and clamp: every argument is evaluated once, and comparing a signed with an unsigned
 * value does not compile, unless one of them is a constant that is not negative.
 */
#ifndef KMALLOC_LINUX_MINMAX_H
#define KMALLOC_LINUX_MINMAX_H

#include <linux/compiler.h>

#define __is_signed_value(x)	((__typeof__((x) + 0))-1 < (__typeof__((x) + 0))1)
/* Whether the compiler sees that x is not negative. */
#define __is_natural(x) \
	(__builtin_choose_expr(__builtin_constant_p(x), (x), -1) >= 0)
#define __may_compare(x, y) \
	(__is_signed_value(x) == __is_signed_value(y) || __is_natural(x) || __is_natural(y))

#define __pick(op, x, y, a, b) ({								\
	__typeof__(1 ? (x) : (y)) a = (x);							\
	__typeof__(1 ? (x) : (y)) b = (y);							\
	_Static_assert(__may_compare(x, y), "min/max of a signed and an unsigned value: min_t");	\
	a op b ? a : b;										\
})
#define min(x, y)	__pick(<, x, y, __UNIQUE_ID(x_), __UNIQUE_ID(y_))
#define max(x, y)	__pick(>, x, y, __UNIQUE_ID(x_), __UNIQUE_ID(y_))

#define __pick_t(type, op, x, y, a, b) ({							\
	type a = (type)(x);									\
	type b = (type)(y);									\
	a op b ? a : b;										\
})
#define min_t(type, x, y)	__pick_t(type, <, x, y, __UNIQUE_ID(x_), __UNIQUE_ID(y_))
#define max_t(type, x, y)	__pick_t(type, >, x, y, __UNIQUE_ID(x_), __UNIQUE_ID(y_))

#define min3(x, y, z)		min(min(x, y), z)
#define max3(x, y, z)		max(max(x, y), z)
#define clamp(value, low, high)	min(max(value, low), high)
#define clamp_t(type, value, low, high)	min_t(type, max_t(type, value, low), high)
#define clamp_val(value, low, high)	clamp_t(__typeof__(value), value, low, high)

#define __min_not_zero(x, y, a, b) ({								\
	__typeof__(x) a = (x);									\
	__typeof__(y) b = (y);									\
	a == 0 ? b : (b == 0 ? a : min(a, b));							\
})
#define min_not_zero(x, y)	__min_not_zero(x, y, __UNIQUE_ID(x_), __UNIQUE_ID(y_))

#define __swap(a, b, old) \
	do { __typeof__(a) old = (a); (a) = (b); (b) = old; } while (0)
#define swap(a, b)		__swap(a, b, __UNIQUE_ID(old_))

/* For constants: sizes of arrays, initialisers. <sys/param.h> has the same. */
#ifndef MIN
#define MIN(a, b)		(((a) < (b)) ? (a) : (b))
#endif
#ifndef MAX
#define MAX(a, b)		(((a) > (b)) ? (a) : (b))
#endif

#endif

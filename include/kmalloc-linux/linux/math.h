/* SPDX-License-Identifier: MIT */
/* Rounding. round_up and round_down want a power of two, the others any number. */
#ifndef KMALLOC_LINUX_MATH_H
#define KMALLOC_LINUX_MATH_H

#include <linux/compiler.h>

#define __round_mask(x, y)	((__typeof__(x))((y) - 1))
#define round_up(x, y)		((((x) - 1) | __round_mask(x, y)) + 1)
#define round_down(x, y)	((x) & ~__round_mask(x, y))

#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define DIV_ROUND_UP_ULL(n, d)	DIV_ROUND_UP((unsigned long long)(n), (d))
#define DIV_ROUND_DOWN_ULL(n, d) ((unsigned long long)(n) / (d))

#define __div_round_closest(x, divisor, n, d) ({						\
	__typeof__(x) n = (x);									\
	__typeof__(divisor) d = (divisor);							\
	(__typeof__(x))-1 > 0 || (__typeof__(divisor))-1 > 0 || (n > 0) == (d > 0) ?		\
		(n + d / 2) / d : (n - d / 2) / d;						\
})
#define DIV_ROUND_CLOSEST(x, divisor) \
	__div_round_closest(x, divisor, __UNIQUE_ID(x_), __UNIQUE_ID(divisor_))

/* <sys/param.h> has the first one too. */
#ifndef roundup
#define __roundup(x, y, d) ({									\
	__typeof__(y) d = (y);									\
	((x) + (d - 1)) / d * d;								\
})
#define roundup(x, y)		__roundup(x, y, __UNIQUE_ID(y_))
#endif
#define __rounddown(x, y, n) ({									\
	__typeof__(x) n = (x);									\
	n - n % (y);										\
})
#define rounddown(x, y)		__rounddown(x, y, __UNIQUE_ID(x_))

/* How far apart two values of one type are; abs() stays that of libc. */
#define __abs_diff(a, b, x, y) ({								\
	__auto_type x = (a);									\
	__auto_type y = (b);									\
	x > y ? x - y : y - x;									\
})
#define abs_diff(a, b)		__abs_diff(a, b, __UNIQUE_ID(a_), __UNIQUE_ID(b_))

#endif

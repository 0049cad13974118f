/* SPDX-License-Identifier: MIT */
/* Logarithms and powers of two; constants in, constants out. */
#ifndef KMALLOC_LINUX_LOG2_H
#define KMALLOC_LINUX_LOG2_H

#include <linux/types.h>
#include <linux/bitops.h>

/** ilog2 - the number of the highest bit set in n, which is not 0. */
#define ilog2(n) \
	((int)(sizeof(n) <= 4 ? 31 - __builtin_clz((unsigned int)(n)) : \
				63 - __builtin_clzll((unsigned long long)(n))))

static inline bool is_power_of_2(unsigned long n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

/** order_base_2 - the smallest order with 1 << order at least n; 0 for 0 and 1. */
#define order_base_2(n)		((n) > 1 ? ilog2((unsigned long)(n) - 1) + 1 : 0)

/** roundup_pow_of_two - the smallest power of two that is at least n, which is not 0. */
#define roundup_pow_of_two(n)	(1UL << order_base_2(n))
/** rounddown_pow_of_two - the largest power of two that is at most n, which is not 0. */
#define rounddown_pow_of_two(n)	(1UL << ilog2((unsigned long)(n)))

#endif

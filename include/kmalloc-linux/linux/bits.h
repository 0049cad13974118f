/* SPDX-License-Identifier: MIT */
/* Masks of bits; the system's header of this name first, where there is one. */
#if defined(__has_include_next)
#if __has_include_next(<linux/bits.h>)
#include_next <linux/bits.h>
#endif
#endif

#if !defined(KMALLOC_LINUX_BITS_H) && !defined(__cplusplus) && !defined(__ASSEMBLY__)
#define KMALLOC_LINUX_BITS_H

#include <linux/compiler.h>

#define BITS_PER_BYTE		8
#ifndef BITS_PER_LONG
#define BITS_PER_LONG		((int)(sizeof(long) * BITS_PER_BYTE))
#endif
#define BITS_PER_LONG_LONG	64
#define BITS_PER_TYPE(type)	(sizeof(type) * BITS_PER_BYTE)
#define BITS_TO_LONGS(n)	(((n) + BITS_PER_LONG - 1) / BITS_PER_LONG)

#define BIT(nr)			(1UL << (nr))
#define BIT_ULL(nr)		(1ULL << (nr))
#define BIT_MASK(nr)		(1UL << ((nr) % BITS_PER_LONG))
#define BIT_WORD(nr)		((nr) / BITS_PER_LONG)
#define GENMASK(high, low)	((~0UL << (low)) & (~0UL >> (BITS_PER_LONG - 1 - (high))))
#define GENMASK_ULL(high, low)	((~0ULL << (low)) & (~0ULL >> (63 - (high))))

#endif

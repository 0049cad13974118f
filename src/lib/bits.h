/* SPDX-License-Identifier: MIT */
/* Bit operations, powers of two, bitmaps of 64-bit words. Layer: lib. */
#ifndef KM_LIB_BITS_H
#define KM_LIB_BITS_H

#include "lib/types.h"

static __always_inline unsigned int __ffs64(u64 w)		/* w != 0 */
{
	return (unsigned int)__builtin_ctzll(w);
}

static __always_inline unsigned int fls_long(unsigned long w)	/* 0 for 0, else 1 + highest bit */
{
	return w ? 64u - (unsigned int)__builtin_clzl(w) : 0;
}

static __always_inline unsigned int hweight64(u64 w)
{
#if defined(__x86_64__) && !defined(__POPCNT__)
	/* sums of 2, 4, 8 bits side by side: the builtin would be a call */
	w -= w >> 1 & 0x5555555555555555ull;
	w = (w & 0x3333333333333333ull) + (w >> 2 & 0x3333333333333333ull);
	w = (w + (w >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return (unsigned int)(w * 0x0101010101010101ull >> 56);
#else
	return (unsigned int)__builtin_popcountll(w);
#endif
}

static __always_inline unsigned int ilog2(unsigned long w)	/* w != 0 */
{
	return fls_long(w) - 1;
}

static __always_inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

/* The smallest power of two that is not below n; n in 1 .. 2^63. */
static __always_inline unsigned long roundup_pow_of_two(unsigned long n)
{
	return n <= 1 ? 1 : 1ul << fls_long(n - 1);
}

#define ALIGN_UP(x, a)		(((x) + (__typeof__(x))(a) - 1) & ~((__typeof__(x))(a) - 1))
#define ALIGN_DOWN(x, a)	((x) & ~((__typeof__(x))(a) - 1))
#define IS_ALIGNED(x, a)	(((x) & ((__typeof__(x))(a) - 1)) == 0)
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define MIN(a, b)		((a) < (b) ? (a) : (b))
#define MAX(a, b)		((a) > (b) ? (a) : (b))

/* Bits lo .. lo + n - 1 of one word; n in 1..64, lo + n <= 64. */
static __always_inline u64 bit_range(unsigned int lo, unsigned int n)
{
	return (~0ull >> (64 - n)) << lo;
}

static __always_inline bool test_bit(unsigned int nr, const u64 *map)
{
	return map[nr / 64] >> (nr % 64) & 1;
}

/* True if all of bits from .. to - 1 are set. */
static inline bool bitmap_all_set(const u64 *map, unsigned int from, unsigned int to)
{
	while (from < to) {
		unsigned int bit = from % 64, n = MIN(64 - bit, to - from);
		u64 mask = bit_range(bit, n);

		if ((map[from / 64] & mask) != mask)
			return false;
		from += n;
	}
	return true;
}

/* The first nbits bits set, the rest of the last word clear. */
static inline void bitmap_fill(u64 *map, unsigned int nbits)
{
	unsigned int i, words = nbits / 64;

	for (i = 0; i < words; i++)
		map[i] = ~0ull;
	if (nbits % 64)
		map[words] = bit_range(0, nbits % 64);
}

#endif

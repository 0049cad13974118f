/* SPDX-License-Identifier: MIT */
/* The line of a cache: 64 bytes. */
#ifndef KMALLOC_LINUX_CACHE_H
#define KMALLOC_LINUX_CACHE_H

#include <linux/align.h>

#define L1_CACHE_SHIFT			6
#define L1_CACHE_BYTES			(1 << L1_CACHE_SHIFT)
#define SMP_CACHE_BYTES			L1_CACHE_BYTES
#define L1_CACHE_ALIGN(x)		ALIGN(x, L1_CACHE_BYTES)
#define cache_line_size()		L1_CACHE_BYTES
#define ____cacheline_aligned		__aligned(L1_CACHE_BYTES)
#define ____cacheline_aligned_in_smp	____cacheline_aligned
#define __cacheline_aligned		____cacheline_aligned

#endif

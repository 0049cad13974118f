/* SPDX-License-Identifier: MIT */
/* Populated memory for requests that may not block. Layer: mm. */
#ifndef KM_MM_RESERVE_H
#define KM_MM_RESERVE_H

#include "mm/watermark.h"

/*
 * min_free_kbytes= was given, or the base policy may not block: as many pages as the high mark
 * says are kept populated on the free lists of zone Normal. Constant after mm_init().
 */
extern bool reserve_kept __km(reserve_kept);

/* Decides whether one is kept. From mm_init(), after options and policy were read. */
void reserve_setup(void) __km(reserve_setup);
/*
 * Fills it the first time, with what its records need; the caller may block, is inside the
 * allocator (its first entries) or at start-up, and holds no lock.
 */
void reserve_init(void) __km(reserve_init);
/* Up to the high mark again if it is below the low one. The caller may block, holds no lock. */
void reserve_refill(void) __km(reserve_refill);
/* Who was filling it is not in the child. */
void reserve_fork_child(void) __km(reserve_fork_child);
unsigned long reserve_target(void) __km(reserve_target);	/* pages */

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Memory for the allocator's own records. Layer: mm. Lock-free and for ever: what comes from
 * here is never unmapped, so a stale pointer to a record stays readable.
 */
#ifndef KM_MM_META_H
#define KM_MM_META_H

#include "lib/types.h"

/*
 * Zeroed; align a power of two up to 4096; NULL if the system has no memory, or where the thread's
 * request may not block and what is mapped is used up.
 */
void *meta_alloc(size_t size, size_t align) __km(meta_alloc);
/* The next size bytes of records need no system call and no page fault. */
bool meta_prefault(size_t size) __km(meta_prefault);
/* Every mapping of records. */
void meta_for_each_mapping(void (*fn)(unsigned long addr, size_t size, void *arg), void *arg)
	__km(meta_for_each_mapping);
unsigned long meta_bytes(void) __km(meta_bytes);	/* address space taken so far */

#endif

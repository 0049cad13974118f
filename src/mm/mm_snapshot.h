/* SPDX-License-Identifier: MIT */
/* What of the address space is ours, for mm_snapshot(). Layer: mm. */
#ifndef KM_MM_MM_SNAPSHOT_H
#define KM_MM_MM_SNAPSHOT_H

#include "kmalloc/mm_types.h"
#include "lib/types.h"

struct own_range {
	unsigned long start, end;
	enum kmalloc_vma_kind kind;
	const void *caller;
	size_t size;
};

/* Grows by mapping anew; what finds no memory is left out. */
struct own_ranges {
	struct own_range *range;
	size_t nr, bytes;
};

/*
 * Adds what is ours in [start, end) and is no record, in any order, possibly reaching beyond.
 * Without locks: what changes meanwhile may be missing, or be there although it has gone.
 */
void own_ranges_add(struct own_ranges *r, unsigned long start, unsigned long end)
	__km(own_ranges_add);
/* The records of the allocator. */
void own_ranges_add_metadata(struct own_ranges *r) __km(own_ranges_add_metadata);
void own_ranges_sort(struct own_ranges *r) __km(own_ranges_sort);
void own_ranges_free(struct own_ranges *r) __km(own_ranges_free);

#endif

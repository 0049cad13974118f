// SPDX-License-Identifier: MIT
/*
 * Records: a bump pointer in regions from the system. Layer: mm.
 *
 * A region's head is its first bytes. Takers move `used` forward by compare-and-swap; whoever
 * finds the region too short maps the next one and swings `current` from the old one; who loses
 * that race unmaps his. The rest of the old region is lost (at most the size of one record that
 * did not fit).
 */
#include "mm/meta.h"
#include "mm/mm_types.h"

#define REGION_SIZE	(256ul << 10)
#define LARGE		(32ul << 10)	/* records from here on get a mapping of their own */

struct region {
	_Atomic unsigned long used;
};

static struct {
	_Atomic(struct region *) current;
	_Atomic unsigned long bytes;
} meta;

static void *map_counted(size_t size)
{
	void *p = os_map(NULL, size);

	if (p)
		atomic_fetch_add_explicit(&meta.bytes, size, memory_order_relaxed);
	return p;
}

static bool new_region(struct region *old)
{
	struct region *r = map_counted(REGION_SIZE);

	if (!r)
		return false;
	atomic_store_explicit(&r->used, sizeof(struct region), memory_order_relaxed);
	/* pairs: the load in meta_alloc */
	if (atomic_compare_exchange_strong_explicit(&meta.current, &old, r,
						    memory_order_release, memory_order_relaxed))
		return true;
	os_unmap(r, REGION_SIZE);
	atomic_fetch_sub_explicit(&meta.bytes, REGION_SIZE, memory_order_relaxed);
	return true;
}

void *meta_alloc(size_t size, size_t align)
{
	unsigned long used, start;
	struct region *r;

	if (size >= LARGE)
		return map_counted(ALIGN_UP(size, PAGE_SIZE));
	for (;;) {
		r = atomic_load_explicit(&meta.current, memory_order_acquire);
		if (r) {
			used = atomic_load_explicit(&r->used, memory_order_relaxed);
			do {
				start = ALIGN_UP(used, align);
				if (start + size > REGION_SIZE)
					break;
			} while (!atomic_compare_exchange_weak_explicit(
				&r->used, &used, start + size, memory_order_relaxed,
				memory_order_relaxed));
			if (start + size <= REGION_SIZE)
				return (char *)r + start;
		}
		if (!new_region(r))
			return NULL;
	}
}

unsigned long meta_bytes(void)
{
	return atomic_load_explicit(&meta.bytes, memory_order_relaxed);
}

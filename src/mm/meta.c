// SPDX-License-Identifier: MIT
/*
 * Records: a bump pointer in regions from the system. Layer: mm.
 *
 * A region's head is its first bytes. Takers move `used` forward by compare-and-swap; whoever
 * finds the region too short maps the next one and swings `current` from the old one; who loses
 * that race unmaps his. The rest of the old region is lost (at most the size of one record that
 * did not fit). All mappings are on a list that only grows.
 */
#include "mm/meta.h"
#include "mm/gfp.h"
#include "mm/gfp_policy.h"
#include "mm/mm_types.h"

#define REGION_SIZE	(256ul << 10)
#define LARGE		(32ul << 10)	/* records from here on get a mapping of their own */

struct mapping {
	struct mapping *next;	/* constant, as the rest, once it is on the list */
	unsigned long addr;
	size_t size;
};

struct region {
	_Atomic unsigned long used;
	unsigned long size;		/* constant */
	struct mapping mapping;
};

static struct {
	_Atomic(struct region *) current;
	_Atomic unsigned long bytes;
	_Atomic(struct mapping *) mappings;
	bool prefaulted;
} meta;

/*
 * Whether the thread's present request may call the system. Records are made far below the
 * flags; a thread's first one, which knows none yet, counts as the base policy says.
 */
static bool may_map(void)
{
	if (unlikely(task_flags & PF_KM_NONBLOCK))
		return false;
	return likely(!gfp_base_nonblocking) || !READ_ONCE(meta.prefaulted) ||
	       task_flags & PF_KM_BLOCKS;
}

static void list_mapping(struct mapping *m, void *p, size_t size)
{
	m->addr = (unsigned long)p;
	m->size = size;
	m->next = atomic_load_explicit(&meta.mappings, memory_order_relaxed);
	/* pairs: meta_for_each_mapping */
	while (!atomic_compare_exchange_weak_explicit(&meta.mappings, &m->next, m,
						      memory_order_release, memory_order_relaxed))
		;
}

static void *map_counted(size_t size)
{
	void *p = os_map(NULL, size);

	if (p)
		atomic_fetch_add_explicit(&meta.bytes, size, memory_order_relaxed);
	return p;
}

static bool new_region(struct region *old, size_t size, bool prefault)
{
	struct region *r = map_counted(size);

	if (!r)
		return false;
	if (prefault)
		os_populate(r, size);
	WRITE_ONCE(r->size, size);
	atomic_store_explicit(&r->used, sizeof(struct region), memory_order_relaxed);
	/* pairs: the load in meta_alloc */
	if (atomic_compare_exchange_strong_explicit(&meta.current, &old, r,
						    memory_order_release, memory_order_relaxed)) {
		list_mapping(&r->mapping, r, size);
		return true;
	}
	os_unmap(r, size);
	atomic_fetch_sub_explicit(&meta.bytes, size, memory_order_relaxed);
	return true;
}

bool meta_prefault(size_t size)
{
	struct region *old = atomic_load_explicit(&meta.current, memory_order_relaxed);

	size = ALIGN_UP(size, REGION_SIZE);
	if (!new_region(old, size, true))
		return false;
	WRITE_ONCE(meta.prefaulted, true);
	return true;
}

static void *alloc_large(size_t size)
{
	struct mapping *m = meta_alloc(sizeof(*m), sizeof(void *));
	void *p = m ? map_counted(size) : NULL;

	if (p)
		list_mapping(m, p, size);
	return p;
}

void *meta_alloc(size_t size, size_t align)
{
	bool map = may_map();
	unsigned long used, start;
	struct region *r;

	if (size >= LARGE && map)
		return alloc_large(ALIGN_UP(size, PAGE_SIZE));
	for (;;) {
		r = atomic_load_explicit(&meta.current, memory_order_acquire);
		if (r) {
			used = atomic_load_explicit(&r->used, memory_order_relaxed);
			do {
				start = ALIGN_UP(used, align);
				if (start + size > READ_ONCE(r->size))
					break;
			} while (!atomic_compare_exchange_weak_explicit(
				&r->used, &used, start + size, memory_order_relaxed,
				memory_order_relaxed));
			if (start + size <= READ_ONCE(r->size))
				return (char *)r + start;
		}
		if (!map || !new_region(r, REGION_SIZE, false))
			return NULL;
	}
}

unsigned long meta_bytes(void)
{
	return atomic_load_explicit(&meta.bytes, memory_order_relaxed);
}

void meta_for_each_mapping(void (*fn)(unsigned long addr, size_t size, void *arg), void *arg)
{
	struct mapping *m = atomic_load_explicit(&meta.mappings, memory_order_acquire);

	for (; m; m = m->next)
		fn(m->addr, m->size, arg);
}

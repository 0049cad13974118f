/* SPDX-License-Identifier: MIT */
/*
 * The limit of the heap, what is committed of it, and the marks. Layer: mm. No lock: `committed`
 * changes by compare-and-swap, the rest is constant after watermark_init().
 *
 * committed counts pages that were handed out (slabs, page users, vmalloc areas), not those on
 * free lists. With mem= free = limit - committed. Where a reserve is kept, a request that may not
 * block has free = populated pages on the free lists of zone Normal as well; see reserve.c.
 */
#ifndef KM_MM_WATERMARK_H
#define KM_MM_WATERMARK_H

#include "mm/gfp.h"

enum { WMARK_MIN, WMARK_LOW, WMARK_HIGH, NR_WMARK };

#define NO_LIMIT	0ul

struct mem_state {
	unsigned long limit;		/* pages; NO_LIMIT */
	unsigned long managed;		/* what the marks follow from: the limit or physical RAM */
	unsigned long watermark[NR_WMARK];	/* pages */
	_Atomic unsigned long committed;	/* pages */
};

extern struct mem_state mem_state __km(mem_state);

enum vm_event {
	ALLOCSTALL,		/* requests that reclaimed */
	KSWAPD_WAKE,
	KSWAPD_STEAL,		/* pages that kswapd reclaimed */
	PGSTEAL_DIRECT,		/* pages that requests reclaimed */
	OOM_NOTIFY,		/* the notifier chain was called */
	OOM_KILL,		/* the OOM policy was reached */
	PGALLOC_FAIL,		/* requests that failed */
	NOFAIL_SLEEP,		/* sleeps of __GFP_NOFAIL requests */
	RESERVE_FILL,		/* pages populated for the reserve */
	NR_VM_EVENTS
};

extern _Atomic unsigned long vm_events[NR_VM_EVENTS] __km(vm_events);

static inline void count_vm_events(enum vm_event item, unsigned long n)
{
	atomic_fetch_add_explicit(&vm_events[item], n, memory_order_relaxed);
}

/* Reads mem= and min_free_kbytes=, a line on stderr for a mistake. From mm_init(). */
void watermark_init(void) __km(watermark_init);
/* Fills in what without mem= and a reserve is only shown: managed and the marks of physical RAM. */
void watermark_show(void) __km(watermark_show);
/* The marks of a heap of that many pages; min_free_kbytes 0: by the formula alone. */
void setup_watermarks(unsigned long managed, unsigned long min_free_kbytes,
		      unsigned long watermark[NR_WMARK]) __km(setup_watermarks);
/* The mark of these flags, reductions applied; 0 with ALLOC_NO_WATERMARKS. */
unsigned long effective_watermark(unsigned int alloc_flags) __km(effective_watermark);
/* Whether `pages` of `free` may be taken. */
bool watermark_ok(unsigned long free, unsigned long pages, unsigned int alloc_flags)
	__km(watermark_ok);
/* mem= lets these pages through now, nothing charged. */
bool mem_allows(unsigned long pages, unsigned int alloc_flags) __km(mem_allows);

static inline bool mem_limited(void)
{
	return mem_state.limit != NO_LIMIT;
}

static inline unsigned long mem_committed(void)
{
	return atomic_load_explicit(&mem_state.committed, memory_order_relaxed);
}

/* Another number of pages than was charged, where there is no limit. */
static inline void mem_recharge(unsigned long old, unsigned long new)
{
	if (old != new)
		atomic_fetch_add_explicit(&mem_state.committed, new - old, memory_order_relaxed);
}

/*
 * For watermark_init() and its test: the limit in bytes of the memory cgroup that the text of
 * /proc/self/cgroup names, v2 below root or v1 below root/memory, the least on the way up; 0:
 * none; ULONG_MAX: nothing could be read.
 */
unsigned long cgroup_memory_limit(const char *text, const char *root) __km(cgroup_memory_limit);

#endif

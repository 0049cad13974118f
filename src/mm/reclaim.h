/* SPDX-License-Identifier: MIT */
/* Getting memory back from where it is cached. Layer: mm. */
#ifndef KM_MM_RECLAIM_H
#define KM_MM_RECLAIM_H

#include "mm/entry.h"
#include "mm/gfp.h"

#define DEF_PRIORITY		12u
#define SWAP_CLUSTER_MAX	32ul	/* pages: enough for one round */

/*
 * One round of reclaim; the calling thread is in the slow entry e, not nested, and holds no lock.
 * Shrinkers run outside the allocator, so e->cpu may be another one afterwards. unmap: free pages
 * go back to the system too, which does not help where mem= is what refused. Pages that came free.
 */
unsigned long try_to_free_pages(gfp_t gfp, struct slow_entry *e, bool unmap)
	__km(try_to_free_pages);
/* __GFP_NORETRY: the thread's own caches and one pass of the shrinkers at the lowest pressure. */
unsigned long reclaim_lightly(gfp_t gfp, struct slow_entry *e) __km(reclaim_lightly);
/* Bytes that reclaim could yield at the very most: a larger request is hopeless. */
size_t reclaimable_memory(void) __km(reclaimable_memory);
/* Objects that others freed go home, so that counts are exact; tries every slot. */
void settle_memory(void) __km(settle_memory);
/*
 * malloc_trim: everything that holds no live object goes back to the system. Any thread; bytes
 * given back.
 */
size_t trim_memory(void) __km(trim_memory);

/* ---- kswapd ---- */

struct kswapd_state {
	_Atomic bool wanted;	/* the word that a request sets: free is below low */
	_Atomic bool running;
};

extern struct kswapd_state kswapd_state __km(kswapd_state);

/* What the thread does once it is woken: reclaims up to the high mark, refills the reserve. */
void balance_memory(void) __km(balance_memory);
/* In init/, reached by name: starts the thread, if the option is given, outside the allocator. */
void kswapd_run(void) __km(kswapd_run);
void kswapd_fork_child(void) __km(kswapd_fork_child);

#endif

/* SPDX-License-Identifier: MIT */
/* How much free memory we keep. Layer: mm. Frames of 4 KiB throughout. */
#ifndef KM_MM_PURGE_H
#define KM_MM_PURGE_H

#include "mm/mm_types.h"

struct purge_state {
	_Atomic long used;	/* in slabs and vmalloc areas, resident or not */
	/* free, held back from the system: what is on zone->lru and vmap_state.lru */
	_Atomic long dirty;
	_Atomic long extra;	/* what the budget gained because purged memory was needed again */
	_Atomic long recent;	/* purged and not needed again yet */
	_Atomic unsigned long recent_ms;	/* when, last */
	/* when the period began over which extra must show its use */
	_Atomic unsigned long period_ms;
	_Atomic long idle_min;	/* the least that was dirty since then */
	_Atomic unsigned long seq;	/* counts frees of pageblocks and areas: their age */
	_Atomic long peak_used;
	_Atomic unsigned long nr_purged;	/* ever */
};

extern struct purge_state purge_state __km(purge_state);

/* Memory left the free lists: `frames` of it, of which `dirty` may be resident. */
void purge_account_alloc(long frames, long dirty) __km(purge_account_alloc);
/* Memory came back to the free lists. */
void purge_account_free(long frames) __km(purge_account_free);
/* Onto an lru, or off (negative). */
void purge_account_dirty(long frames) __km(purge_account_dirty);
/* Dirty frames that are free now; the limit follows from what is in use. */
long purge_limit(void) __km(purge_limit);
/* Gives back the oldest until the budget holds. Call with no zone or vmap lock held. */
void purge_check(void) __km(purge_check);
/*
 * The same on the way of a request, which may not be one to call the system; and the reserve is
 * refilled.
 */
struct alloc_context;
void purge_check_for(const struct alloc_context *ac) __km(purge_check_for);
/* Gives back everything; frames. */
unsigned long purge_all(void) __km(purge_all);
/* Frames were given back; some of those are needed again. */
void purge_account_purged(long frames) __km(purge_account_purged);
void purge_account_refault(long frames) __km(purge_account_refault);
bool purge_is_always(void) __km(purge_is_always);

static inline unsigned long purge_next_seq(void)
{
	return atomic_fetch_add_explicit(&purge_state.seq, 1, memory_order_relaxed) + 1;
}

#endif

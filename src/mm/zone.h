/* SPDX-License-Identifier: MIT */
/*
 * What the files of the buddy allocator share: page_alloc.c (free lists, requests), zone_chunk.c
 * (memory from the system), zone_purge.c (memory back to it). Layer: mm, for these alone.
 *
 * All of these are called with the lock of the zone held, but for zone_lock(), zone_trylock(),
 * defer() and those that say so.
 */
#ifndef KM_MM_ZONE_H
#define KM_MM_ZONE_H

#include "mm/page_alloc.h"

/* Makes a zone that is all zero ready for its first use. */
void zone_init(struct zone *z) __km(zone_init);
/* Frees what deferred frees left. */
void drain_deferred(struct zone *z) __km(drain_deferred);
/*
 * Frees a block and merges it with its buddies. keep_lru false: its dirty frames are such that the
 * system does not take.
 */
void __free_block(struct zone *z, unsigned long addr, unsigned int order, bool keep_lru)
	__km(__free_block);
/*
 * A free block of the order, taken off its list. Dirty memory of any order before clean memory:
 * what is touched once serves again. kinds: 2, or 1 for clean memory alone.
 */
struct page *rmqueue(struct zone *z, unsigned int order, unsigned int kinds) __km(rmqueue);
/*
 * Splits a block that is on no list down to the order; of its halves, one with dirty frames is
 * kept, else the lower.
 */
unsigned long expand(struct zone *z, unsigned long addr, unsigned int from, unsigned int order)
	__km(expand);
void del_from_free_area(struct zone *z, struct page *page) __km(del_from_free_area);
/* Off the lru, if it is there: a pageblock, or a free block that is smaller. */
void lru_del(unsigned long addr, unsigned int order) __km(lru_del);
/* Dirty frames of a block. */
long count_dirty(unsigned long addr, unsigned int order) __km(count_dirty);

/* zone_chunk.c: maps a chunk that holds a block of the order; false: refused. */
bool zone_grow(struct zone *z, unsigned int order) __km(zone_grow);

/*
 * zone_purge.c: puts a block that is on no list away until the lock is back; and puts it back,
 * which takes the lock itself. keep_lru as of __free_block().
 */
void isolate(struct zone *z, struct page *page, unsigned int order) __km(isolate);
void put_back(struct zone *z, struct page *page, bool keep_lru) __km(put_back);

static inline struct zone *addr_zone(unsigned long addr)
{
	return &zones[addr_zonenum(addr)];
}

/* In the dirty mask of its pageblock, the bits of a block of an order up to that. */
static inline u16 frame_bits(unsigned long addr, unsigned int order)
{
	return (u16)bit_range((unsigned int)(addr >> FRAME_SHIFT) % PAGEBLOCK_FRAMES,
			      (unsigned int)(PAGE_SIZE >> FRAME_SHIFT) << order);
}

/* The lock was had just now. */
static inline void zone_locked(struct zone *z)
{
	if (unlikely(!z->ready))
		zone_init(z);
	if (unlikely(atomic_load_explicit(&z->donated, memory_order_relaxed)))
		WRITE_ONCE(z->managed_pages,
			   z->managed_pages + atomic_exchange_explicit(&z->donated, 0,
								       memory_order_relaxed));
	if (unlikely(atomic_load_explicit(&z->deferred.first, memory_order_relaxed)))
		drain_deferred(z);
}

static inline bool zone_lock(struct zone *z)
{
	if (!spin_lock(&z->lock))
		return false;
	zone_locked(z);
	return true;
}

static inline bool zone_trylock(struct zone *z)
{
	if (!spin_trylock(&z->lock))
		return false;
	zone_locked(z);
	return true;
}

/* To be freed by the next holder of the lock. */
static inline void defer(struct zone *z, struct page *page)
{
	llist_add((struct llist_node *)(void *)&page->lru, &z->deferred);
}

#endif

/* SPDX-License-Identifier: MIT */
/* The buddy allocator of the direct map. Layer: mm. Leads in: alloc_block, free_block. */
#ifndef KM_MM_PAGE_ALLOC_H
#define KM_MM_PAGE_ALLOC_H

#include "kernel/spinlock.h"
#include "mm/gfp.h"
#include "mm/memmap.h"

struct free_area {
	struct list_head free_list[2];	/* blocks [0] that are clean, [1] with dirty frames */
	unsigned long nr_free;
};

struct zone {
	spinlock_t lock;		/* all fields but those that say otherwise */
	bool ready;
	struct free_area free_area[MAX_PAGE_ORDER + 1];
	struct list_head lru;		/* free pageblocks with dirty frames, oldest first */
	/* blocks whose pages are being given back, outside the lock */
	struct list_head isolated;
	unsigned long managed_pages;
	unsigned long free_pages;	/* on free_area */
	unsigned long nr_chunks;
	struct llist_head deferred;	/* no lock: blocks freed while the lock was not to be had */
	_Atomic unsigned long donated;	/* no lock: pages mapped without it, not managed yet */
};

extern struct zone zone_normal __km(zone_normal);

/*
 * A block of 2^order pages, aligned to its size; its dirty masks tell which frames read as
 * zero, below a pageblock page->was_dirty does (all of its frames count as dirty while it is
 * used). NULL without memory, or where the zone lock cannot be had (the caller then takes the
 * nolock path).
 */
struct page *alloc_block(unsigned int order, const struct alloc_context *ac) __km(alloc_block);
/* The same straight from the system, where the lock cannot be had; the zone owns it once freed. */
struct page *alloc_block_nolock(unsigned int order, const struct alloc_context *ac)
	__km(alloc_block_nolock);
void free_block(struct page *page, unsigned int order) __km(free_block);
/* Waits for no lock. */
void free_block_nolock(struct page *page, unsigned int order) __km(free_block_nolock);
unsigned long page_address(const struct page *page) __km(page_address);

/*
 * Gives the free block that was freed first back to the system; frames purged, 0 if there is
 * none.
 */
unsigned long zone_purge_oldest(void) __km(zone_purge_oldest);
/* When its oldest dirty pageblock was freed; ULONG_MAX if there is none. Racy. */
unsigned long zone_oldest_seq(void) __km(zone_oldest_seq);

/* Unmaps the free blocks of a pageblock and more, for a process at its limit; bytes. */
size_t zone_unmap_free(void) __km(zone_unmap_free);

/*
 * fork: the child owns every lock that the parent took; blocks in flight come back as dirty
 * ones.
 */
void zone_fork_child(void) __km(zone_fork_child);

/* Debug: free_area against mem_map; false if an invariant is broken. Takes the lock. */
bool zone_validate(void) __km(zone_validate);

#endif

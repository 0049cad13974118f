/* SPDX-License-Identifier: MIT */
/*
 * The buddy allocator of the direct map. Layer: mm. Leads in: alloc_block, free_block.
 *
 * A zone is a range of addresses: DMA below 2 GiB, DMA32 from there to 4 GiB, Normal above. So
 * the zone of a page follows from its address. The two low ones are mapped when a request that
 * may block first names them; Normal requests never fall back into them.
 */
#ifndef KM_MM_PAGE_ALLOC_H
#define KM_MM_PAGE_ALLOC_H

#include "kernel/spinlock.h"
#include "mm/gfp.h"
#include "mm/memmap.h"

struct free_area {
	struct list_head free_list[2];	/* blocks [0] that are clean, [1] with dirty frames */
	unsigned long nr_free;
};

#define MAX_NR_ZONES	(ZONE_NORMAL + 1)	/* of those that have memory */

#define ZONE_DMA_END	(2ul << 30)
#define ZONE_DMA32_END	(4ul << 30)

/* Nobody holds two zone locks but fork, which takes them in the order of enum zone_type. */
struct zone {
	spinlock_t lock;		/* all fields but those that say otherwise */
	bool ready;
	struct free_area free_area[MAX_PAGE_ORDER + 1];
	struct list_head lru;		/* free pageblocks with dirty frames, oldest first */
	/* blocks whose pages are being given back, outside the lock */
	struct list_head isolated;
	unsigned long managed_pages;
	unsigned long free_pages;	/* on free_area */
	unsigned long dirty;		/* frames of lru: free, and there without a page fault */
	unsigned long nr_chunks;
	struct llist_head deferred;	/* no lock: blocks freed while the lock was not to be had */
	_Atomic unsigned long donated;	/* no lock: pages mapped without it, not managed yet */
};

extern struct zone zones[MAX_NR_ZONES] __km(zones);
#define zone_normal zones[ZONE_NORMAL]

static inline enum zone_type addr_zonenum(unsigned long addr)
{
	return addr >= ZONE_DMA32_END ? ZONE_NORMAL : addr >= ZONE_DMA_END ? ZONE_DMA32 : ZONE_DMA;
}

/* The highest zone that the flags allow; of a contradiction, warned of once, the lowest named. */
enum zone_type gfp_zonenum(gfp_t gfp) __km(gfp_zonenum);
const char *zone_name(enum zone_type type) __km(zone_name);

/*
 * A block of 2^order pages, aligned to its size, charged to the limit; its dirty masks tell which
 * frames read as zero, below a pageblock page->was_dirty does (all of its frames count as dirty
 * while it is used). NULL without memory, where ac's mark forbids it, or where the zone lock
 * cannot be had (the caller then takes the nolock path). A request that may not block gets what
 * is on the free lists alone, without a system call.
 */
struct page *alloc_block(unsigned int order, const struct alloc_context *ac) __km(alloc_block);
/*
 * For who may not block: size bytes above the largest block, as free blocks of that order that
 * lie side by side. page->order is MAX_PAGE_ORDER + 1, page->nr_neighbours says how many. The
 * other struct pages stay zero.
 */
struct page *alloc_neighbours(size_t size, const struct alloc_context *ac) __km(alloc_neighbours);
void free_neighbours(struct page *page) __km(free_neighbours);
/*
 * alloc_block() straight from the system, where the lock cannot be had; the zone owns the block
 * once it is freed.
 */
struct page *alloc_block_nolock(unsigned int order, const struct alloc_context *ac)
	__km(alloc_block_nolock);
void free_block(struct page *page, unsigned int order) __km(free_block);
/*
 * Up to n blocks of zone Normal of an order below a pageblock, a pageblock's worth at most, under
 * one hold of the lock, linked by page->next in the order of their addresses where they come of
 * one block; their number, 0 as alloc_block(). Not for a zone with a reserve. And such blocks, of
 * any orders, back.
 */
unsigned int alloc_blocks(unsigned int order, unsigned int n, const struct alloc_context *ac,
			  struct page **first) __km(alloc_blocks);
void free_blocks(struct page *first) __km(free_blocks);
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

/* The first chunk of zone Normal, untouched, so that requests that may not block find one. */
void zone_map_first(void) __km(zone_map_first);

/* For the reserve (reserve.c), zone Normal; no lock held. */
unsigned long zone_populated(void) __km(zone_populated);	/* pages, free; racy */
/* Maps and populates a chunk of at least size bytes; pages, 0 if the system refuses. */
unsigned long zone_add_populated(size_t size) __km(zone_add_populated);
/* Populates one clean free block of at most max pages; pages, 0 if there is none. */
unsigned long zone_populate_one(unsigned long max) __km(zone_populate_one);

/*
 * fork: the child owns the lock that the parent took; blocks in flight come back as dirty ones.
 */
void zone_fork_child(struct zone *z) __km(zone_fork_child);

/* Debug: free_area against mem_map; false if an invariant is broken. Takes the lock. */
bool zone_validate(void) __km(zone_validate);

#endif

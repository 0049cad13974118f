/* SPDX-License-Identifier: MIT */
/*
 * Frames, pages and pageblocks. Layer: mm.
 *
 * A frame is 4 KiB of address space, the grain of all metadata; a page is the system's page
 * size (4, 16 or 64 KiB), the grain of orders and of the operating system; a pageblock is 64
 * KiB, the grain of the class map. Every frame of a section has a struct page, but only the
 * first frame of a page, block or slab uses it.
 */
#ifndef KM_MM_MM_TYPES_H
#define KM_MM_MM_TYPES_H

#include "lib/bits.h"
#include "lib/list.h"
#include "os/os.h"

#define FRAME_SHIFT		12
#define FRAME_SIZE		(1ul << FRAME_SHIFT)
#define PAGEBLOCK_SHIFT		16
#define PAGEBLOCK_SIZE		(1ul << PAGEBLOCK_SHIFT)
#define PAGEBLOCK_FRAMES	16u	/* FRAMES in a pageblock: as many bits has a dirty mask */
#define SECTION_SHIFT		27
#define SECTION_SIZE		(1ul << SECTION_SHIFT)
#define SECTION_FRAMES		(1ul << (SECTION_SHIFT - FRAME_SHIFT))
#define MAX_PAGE_ORDER		10u
#define PAGEBLOCK_ORDER		((unsigned int)(PAGEBLOCK_SHIFT - os_page_shift))

enum page_state {
	PAGE_NONE,	/* not ours, or a frame inside a block */
	PAGE_FREE,	/* first of a free block, on its free_area */
	PAGE_ISOLATED,	/* first of a free block that is being purged, on zone->isolated */
	PAGE_USED,	/* first of an allocated block */
	PAGE_SLAB,	/* first of a slab: struct slab lies here */
	PAGE_SLAB_TAIL,	/* first frame of a further pageblock of a slab, but of a class's */
	PAGE_ALLOC,	/* first of a block that alloc_pages() handed out */
	PAGE_KMALLOC,	/* first of a large kmalloc: compound, its first pageblock is CLASS_OTHER */
	PAGE_TAIL,	/* first frame of a further page of either */
	PAGE_LISTED,	/* first of a free block on a slot's page list (page_list.h) */
};

/* page->flags */
#define PG_compound	0x1u	/* one reference for the whole block, known to all of its pages */

struct page {
	u8 state;		/* enum page_state */
	u8 order;		/* of the block, in pages */
	/*
	 * of a pageblock's first frame: free, wholly, and not known to be clean; of the first of
	 * a smaller free block: not known to be clean
	 */
	bool on_lru;
	/* back to the first: PAGE_SLAB_TAIL in pageblocks, PAGE_TAIL in frames */
	u32 head_offset;
	union {
		unsigned long seq;	/* on the lru: when it was freed */
		struct {		/* PAGE_ALLOC, PAGE_KMALLOC, PAGE_TAIL, PAGE_LISTED */
			_Atomic s32 refcount;
			union {
				/* below a pageblock: the frames that were dirty when handed out */
				u16 was_dirty;
				/* of order MAX_PAGE_ORDER + 1: blocks of the order below */
				u16 nr_neighbours;
			};
			u8 flags;	/* PG_ */
		};
	};
	union {
		/* PAGE_FREE: free_area; PAGE_ISOLATED: zone->isolated; pcp list */
		struct list_head list;
		struct page *next;	/* PAGE_LISTED, and batches on their way */
	};
	struct list_head lru;	/* on_lru: zone->lru, oldest first */
	/* address, where a block or a pageblock on the lru begins; of a PAGE_TAIL its own */
	unsigned long virtual;
} __aligned(64);

static_assert(sizeof(struct page) == 64, "mem_map is 2 MiB a section");

#endif

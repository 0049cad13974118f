/* SPDX-License-Identifier: MIT */
/*
 * A slot's lists of free blocks of pages, as the kernel's per-CPU page lists. Layer: mm. Leads in:
 * alloc_pages() and __free_pages() by page_list_pop() and page_list_push(), which are their hit
 * paths: no lock, no counter that threads share.
 *
 * There is a list for each order up to NR_PAGE_LISTS - 1 that is below a pageblock. It belongs to
 * the slot's thread alone, as sheaves do, and is emptied where they are, by
 * slab_flush_all_sheaves(). So a fork child loses what lies in the lists of other threads, at most
 * PAGE_LIST_BYTES each.
 *
 * A block on a list is PAGE_LISTED; all else of it is as of a PAGE_ALLOC block of zone Normal
 * whose last reference is gone: its tails are set, flags say whether they are compound, was_dirty
 * which of its frames may hold something. For the zone and the purger it is in use, and it stays
 * charged, but it is shown as free.
 *
 * A list without room and blocks, as those of the busy and the empty slot, always misses. No list
 * ever has room where each block must be looked at or counted exactly: with mem=, a reserve,
 * init_on_alloc, init_on_free, purge=always.
 */
#ifndef KM_MM_PAGE_LIST_H
#define KM_MM_PAGE_LIST_H

#include "mm/mm_types.h"

#define NR_PAGE_LISTS	4u			/* orders 0 to 3 */
/* What a list holds at most; it is filled and emptied by half of that. */
#define PAGE_LIST_BYTES	(2 * PAGEBLOCK_SIZE)

struct page_list {
	struct page *first;	/* the last one freed; linked by page->next */
	unsigned int nr;	/* blocks; others read it */
	unsigned int room;	/* how many more */
};

struct pcpu;
struct alloc_context;

/* The list is the calling thread's, which is inside the allocator; NULL: a miss. */
static __always_inline struct page *page_list_pop(struct page_list *l)
{
	struct page *page = l->first;

	if (unlikely(!page))
		return NULL;
	l->first = page->next;
	WRITE_ONCE(l->nr, l->nr - 1);
	l->room++;
	return page;
}

/* The list has room; the block is as above but for its state. */
static __always_inline void page_list_push(struct page_list *l, struct page *page)
{
	WRITE_ONCE(page->state, PAGE_LISTED);
	page->next = l->first;
	l->first = page;
	WRITE_ONCE(l->nr, l->nr + 1);
	l->room--;
}

/*
 * The slot is the calling thread's own, without a lock: a batch of blocks of zone Normal into its
 * empty list, as alloc_block() would give them. False: none, or there is to be no list.
 */
bool page_list_refill(struct pcpu *c, unsigned int order, const struct alloc_context *ac)
	__km(page_list_refill);
/* Room for a block of zone Normal, if there is to be any. */
bool page_list_make_room(struct pcpu *c, unsigned int order) __km(page_list_make_room);
/* Empties all lists: by the slot's own thread, or of a slot that has none any more. */
void page_lists_flush(struct pcpu *c) __km(page_lists_flush);
/* What is committed but does not lie in a list; racy. */
unsigned long pages_handed_out(void) __km(pages_handed_out);
/* Of a thread that is gone, perhaps in the middle of something: nothing of it can be trusted. */
unsigned long page_lists_drop(struct pcpu *c) __km(page_lists_drop);	/* blocks lost */

#endif

/* SPDX-License-Identifier: MIT */
/* Blocks of pages that are not slabs: alloc_pages() and large kmallocs. Layer: mm. */
#ifndef KM_MM_PAGES_H
#define KM_MM_PAGES_H

#include "mm/page_alloc.h"

/*
 * A compound block of at least size bytes and a pageblock, whose pointer free() and ksize() find.
 * Above MAX_PAGE_ORDER, for who may not block alone, neighbours that are no compound page. NULL
 * where there are none; the caller is inside the allocator and goes up the ladder. Honours
 * __GFP_ZERO of ac->gfp and init_on_alloc.
 */
struct page *alloc_large_kmalloc(size_t size, const struct alloc_context *ac)
	__km(alloc_large_kmalloc);
/* page: what large_kmalloc_page() found. Inside the allocator. */
void free_large_kmalloc(struct page *page) __km(free_large_kmalloc);

/* The block of the large kmalloc that returned p; NULL if none did. */
static inline struct page *large_kmalloc_page(const void *p)
{
	struct page *page;

	if (!IS_ALIGNED((unsigned long)p, PAGEBLOCK_SIZE))
		return NULL;
	page = virt_to_page((unsigned long)p);
	return page && READ_ONCE(page->state) == PAGE_KMALLOC ? page : NULL;
}

/* The struct page of the n-th page behind this one, in one block. */
static inline struct page *nth_page(struct page *page, unsigned long n)
{
	return page + (n << (os_page_shift - FRAME_SHIFT));
}

/* The pages of a block but the first, which is the caller's alone; flags: PG_. And back. */
static inline void set_tails(struct page *page, unsigned int order, u8 flags)
{
	unsigned long addr = page->virtual, i;

	for (i = 1; i < 1ul << order; i++) {
		struct page *tail = nth_page(page, i);

		tail->head_offset = (u32)(tail - page);
		tail->seq = 0;
		tail->flags = flags;
		tail->virtual = addr + (i << os_page_shift);
		WRITE_ONCE(tail->state, PAGE_TAIL);
	}
}

static inline void clear_tails(struct page *page, unsigned int order)
{
	unsigned long i;

	for (i = 1; i < 1ul << order; i++)
		memset(nth_page(page, i), 0, sizeof(*page));
}

static inline size_t large_kmalloc_size(const struct page *page)
{
	if (unlikely(page->order > MAX_PAGE_ORDER))
		return page->nr_neighbours * (PAGE_SIZE << MAX_PAGE_ORDER);
	return PAGE_SIZE << page->order;
}

#endif

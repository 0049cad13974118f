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

static inline size_t large_kmalloc_size(const struct page *page)
{
	if (unlikely(page->order > MAX_PAGE_ORDER))
		return page->nr_neighbours * (PAGE_SIZE << MAX_PAGE_ORDER);
	return PAGE_SIZE << page->order;
}

#endif

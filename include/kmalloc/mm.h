/* SPDX-License-Identifier: MIT */
/**
 * Pages: what a struct page, an address or a frame number stands for, references, compound
 * blocks. How to get pages: <kmalloc/gfp.h>. Follows include/linux/mm.h, mm_types.h,
 * page-flags.h, mmzone.h and asm-generic/getorder.h of the kernel.
 *
 * Pages are the system's pages (4, 16 or 64 KiB). "Not ours" below: no memory of the direct map,
 * which is where the page allocator and the slab caches get their memory; blocks of vmalloc(),
 * stacks and other mappings are not in it.
 */
#ifndef KMALLOC_MM_H
#define KMALLOC_MM_H

#include <kmalloc/gfp.h>

/* Inside of the library these have another declaration. */
#ifndef KM_MM_MM_TYPES_H

/**
 * A page frame of 4 KiB. The whole of it is the library's; it is complete here so that, where
 * pages are 4 KiB, page + 1 is the next page of a block (elsewhere: pfn_to_page()).
 */
struct page {
	unsigned long __words[8];
} __attribute__((__aligned__(64)));

enum {
	/** The largest order of a block. */
	MAX_PAGE_ORDER = 10,
	NR_PAGE_ORDERS = MAX_PAGE_ORDER + 1,
	/** Above it, requests give up early: see gfp(7). */
	PAGE_ALLOC_COSTLY_ORDER = 3
};

KMALLOC_BEGIN_DECLS

/**
 * virt_to_page - the page of an address in the direct map; for memory of a slab the slab's first
 * page. NULL if it is not ours.
 */
struct page *virt_to_page(const void *addr) KMALLOC_LINK_NAME(virt_to_page);

/** page_to_virt - the address of a page of an allocated block or slab. */
void *page_to_virt(const struct page *page) KMALLOC_LINK_NAME(page_to_virt);

/** page_address - the same. */
static inline void *page_address(const struct page *page)
{
	return page_to_virt(page);
}

/** page_zonenum - the zone that the page's block came from. */
enum zone_type page_zonenum(const struct page *page) KMALLOC_LINK_NAME(page_zonenum);

KMALLOC_END_DECLS

#endif

KMALLOC_BEGIN_DECLS

/** virt_to_head_page - the first page of the compound block or slab that holds addr, or NULL. */
struct page *virt_to_head_page(const void *addr) KMALLOC_LINK_NAME(virt_to_head_page);

/** page_to_pfn - the number of the page's frame: its address in pages. */
unsigned long page_to_pfn(const struct page *page) KMALLOC_LINK_NAME(page_to_pfn);

/** pfn_to_page - back again; NULL if it is not ours. */
struct page *pfn_to_page(unsigned long pfn) KMALLOC_LINK_NAME(pfn_to_page);

/** virt_addr_valid - whether addr is in the direct map, allocated or free. */
bool virt_addr_valid(const void *addr) KMALLOC_LINK_NAME(virt_addr_valid);

/** The kernel's high_memory: no address of the direct map is above. It may grow. */
void *kmalloc_high_memory(void) KMALLOC_LINK_NAME(kmalloc_high_memory);

/**
 * get_page - one reference more, to the whole of a compound block. The page must be allocated;
 * slabs and kmalloc'ed memory have no references. A mistake is one line on stderr.
 */
void get_page(struct page *page) KMALLOC_LINK_NAME(get_page);

/**
 * put_page - one reference less; the last one frees the compound block, or the one page. Mistakes
 * as in __free_pages().
 */
void put_page(struct page *page) KMALLOC_LINK_NAME(put_page);

/** page_count - references to the page or its compound block; 0 where it is free. */
int page_count(const struct page *page) KMALLOC_LINK_NAME(page_count);

/**
 * split_page - makes 2^order pages of a block that is not compound, each with one reference and
 * to be freed alone.
 */
void split_page(struct page *page, unsigned int order) KMALLOC_LINK_NAME(split_page);

/** compound_head - the first page of the compound block; page itself where there is none. */
struct page *compound_head(const struct page *page) KMALLOC_LINK_NAME(compound_head);

/** PageHead, PageTail - first and further pages of a compound block; a slab has a PageHead. */
bool PageHead(const struct page *page) KMALLOC_LINK_NAME(PageHead);
bool PageTail(const struct page *page) KMALLOC_LINK_NAME(PageTail);

static inline bool PageCompound(const struct page *page)
{
	return PageHead(page) || PageTail(page);
}

/** PageSlab - whether page is the first of a slab. */
bool PageSlab(const struct page *page) KMALLOC_LINK_NAME(PageSlab);

/** compound_order - the order of the compound block that begins with page, else 0. */
unsigned int compound_order(const struct page *page) KMALLOC_LINK_NAME(compound_order);

/** page_size - bytes of the compound block that begins with page; else of one page. */
unsigned long page_size(const struct page *page) KMALLOC_LINK_NAME(page_size);

/** page_to_nid - the node of the page: 0. */
int page_to_nid(const struct page *page) KMALLOC_LINK_NAME(page_to_nid);

/** get_order - the smallest order whose block holds size bytes; size 0 has none: 52 and less. */
int get_order(unsigned long size) KMALLOC_LINK_NAME(get_order);

/** totalram_pages, nr_free_pages - pages that the zones have from the system; those not in use. */
unsigned long totalram_pages(void) KMALLOC_LINK_NAME(totalram_pages);
unsigned long nr_free_pages(void) KMALLOC_LINK_NAME(nr_free_pages);

KMALLOC_END_DECLS

#endif

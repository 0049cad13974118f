/* SPDX-License-Identifier: MIT */
/* Temporary mappings of pages: every page has its address here, so they are that address. */
#ifndef KMALLOC_LINUX_HIGHMEM_H
#define KMALLOC_LINUX_HIGHMEM_H

#include <string.h>
#include <linux/mm.h>

static inline void *kmap(struct page *page)
{
	return page_address(page);
}

static inline void kunmap(struct page *page)
{
	(void)page;
}

#define kmap_atomic(page)		kmap(page)
#define kmap_local_page(page)		kmap(page)
#define kunmap_atomic(addr)		do { (void)(addr); } while (0)
#define kunmap_local(addr)		do { (void)(addr); } while (0)

static inline void clear_highpage(struct page *page)
{
	clear_page(page_address(page));
}

static inline void copy_highpage(struct page *to, struct page *from)
{
	copy_page(page_address(to), page_address(from));
}

static inline void zero_user(struct page *page, unsigned int start, unsigned int size)
{
	memset((char *)page_address(page) + start, 0, size);
}

static inline void memcpy_from_page(char *to, struct page *page, size_t offset, size_t size)
{
	memcpy(to, (char *)page_address(page) + offset, size);
}

static inline void memcpy_to_page(struct page *page, size_t offset, const char *from, size_t size)
{
	memcpy((char *)page_address(page) + offset, from, size);
}

#endif

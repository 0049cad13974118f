// SPDX-License-Identifier: MIT
/* Stand-ins for what other parts bring. Layer: mm. */
#include "mm/kmalloc_standin.h"
#include "lib/format.h"
#include "mm/entry.h"
#include "mm/gfp_policy.h"
#include "mm/page_alloc.h"
#include "mm/util.h"
#include "mm/vmalloc.h"

#define LARGE_KMALLOC	0x6b6d616cu	/* in head_offset of a block of pages */

__weak struct kmem_cache *kmalloc_slab(size_t size, gfp_t flags)
{
	(void)flags;
	if (!atomic_load_explicit(&mm_ready, memory_order_acquire))
		mm_init();
	return &kmalloc_caches[natural_size_class(size)];
}

__weak void *slab_alloc_cache(struct kmem_cache *s, gfp_t gfp, size_t size)
{
	void *p = slab_alloc(s->index, size, gfp | __GFP_NATURAL);

	if (p && gfp & __GFP_ZERO)
		memset(p, 0, s->size);
	return p;
}

__weak unsigned int kmem_cache_size(struct kmem_cache *s)
{
	return s->size;
}

__weak void *alloc_large_kmalloc(size_t size, const struct alloc_context *ac)
{
	struct page *page = alloc_block(ac->order, ac);

	(void)size;
	if (!page)
		return NULL;
	page->head_offset = LARGE_KMALLOC;
	if (ac->gfp & __GFP_ZERO)
		memset((void *)page_address(page), 0, PAGE_SIZE << page->order);
	return (void *)page_address(page);
}

__weak void free_large_kmalloc(struct page *page)
{
	page->head_offset = 0;
	free_block(page, page->order);
}

__weak struct page *large_kmalloc_page(const void *p)
{
	struct page *page = virt_to_page((unsigned long)p);

	return page && IS_ALIGNED((unsigned long)p, PAGE_SIZE) && page->state == PAGE_USED &&
	       page->head_offset == LARGE_KMALLOC ? page : NULL;
}

__weak void *kvmalloc_area(size_t size, gfp_t flags)
{
	struct alloc_context ac;
	struct slow_entry e;
	void *p;

	slow_enter_alloc(&e, cpu_enter());
	alloc_context_init(&ac, flags, 0);
	do
		p = vmap_alloc(size, 1, &ac, !e.nested);
	while (!p && alloc_slowpath(&ac, &e));
	slow_leave(&e);
	return p;
}

__weak void vfree(const void *p)
{
	slab_free((void *)(uintptr_t)p);
}

__weak void *vrealloc(const void *p, size_t size, gfp_t flags)
{
	size_t old = kvsize(p);
	void *new;

	if (!size) {
		vfree(p);
		return NULL;
	}
	if (size <= old)
		return (void *)(uintptr_t)p;
	new = kvmalloc_area(size, flags);
	if (!new)
		return NULL;
	memcpy(new, p, old);
	vfree(p);
	return new;
}

__weak size_t gfp_format(char *buf, size_t size, gfp_t gfp)
{
	return scnprintf(buf, size, "0x%x", gfp);
}

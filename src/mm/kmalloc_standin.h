/* SPDX-License-Identifier: MIT */
/*
 * What kmalloc.c wants of slab caches, large blocks and vmalloc. Layer: mm. Stand-ins until those
 * have it in headers of their own.
 */
#ifndef KM_MM_KMALLOC_STANDIN_H
#define KM_MM_KMALLOC_STANDIN_H

#include "kmalloc/slab.h"
#include "mm/gfp.h"

/* The cache for size <= KMALLOC_MAX_CACHE_SIZE and the type bits; NULL without memory. */
struct kmem_cache *kmalloc_slab(size_t size, gfp_t flags) __km(kmalloc_slab);
/* One object of any cache for a request of size bytes, zeroed if so asked; NULL on failure. */
void *slab_alloc_cache(struct kmem_cache *s, gfp_t gfp, size_t size) __km(slab_alloc_cache);
/* A block of pages; __GFP_ZERO is honoured. The busy mark is set for both. */
void *alloc_large_kmalloc(size_t size, const struct alloc_context *ac) __km(alloc_large_kmalloc);
void free_large_kmalloc(struct page *page) __km(free_large_kmalloc);
/* The first page of the block of kmalloc() that starts at p; NULL if there is none. */
struct page *large_kmalloc_page(const void *p) __km(large_kmalloc_page);

/* vmalloc() for kvmalloc(). */
void *kvmalloc_area(size_t size, gfp_t flags) __km(kvmalloc_area);
void vfree(const void *p) __km(vfree);
void *vrealloc(const void *p, size_t size, gfp_t flags) __km(vrealloc);

#endif

// SPDX-License-Identifier: MIT
/* The pairs of alloc_fn and free_fn that come with mempools. Layer: mm. */
#include "lib/small.h"
#include "kmalloc/gfp.h"
#include "kmalloc/mempool.h"
#include "kmalloc/mm.h"
#include "kmalloc/slab.h"
#include "lib/compiler.h"

__km_export __hot void *mempool_alloc_slab(gfp_t gfp, void *pool_data)
{
	return kmem_cache_alloc((struct kmem_cache *)pool_data, gfp);
}

__km_export __hot void mempool_free_slab(void *element, void *pool_data)
{
	kmem_cache_free((struct kmem_cache *)pool_data, element);
}

__km_export __hot void *mempool_kmalloc(gfp_t gfp, void *pool_data)
{
	return kmalloc((size_t)pool_data, gfp);
}

__km_export __hot void mempool_kfree(void *element, void *pool_data)
{
	(void)pool_data;
	kfree(element);
}

__km_export void *mempool_alloc_pages(gfp_t gfp, void *pool_data)
{
	return alloc_pages(gfp, (unsigned int)(uintptr_t)pool_data);
}

__km_export void mempool_free_pages(void *element, void *pool_data)
{
	__free_pages((struct page *)element, (unsigned int)(uintptr_t)pool_data);
}

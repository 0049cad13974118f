// SPDX-License-Identifier: MIT
/* The public kmalloc family, as far as it goes. Layer: mm. */
#include "kmalloc/kmalloc.h"
#include "mm/util.h"

__km_export const char *kmalloc_version(void)
{
	return PACKAGE_VERSION;
}

/* Up to 128 KiB from a slab cache, aligned as its size is; above from the vmalloc region. */
__km_export void *kmalloc(size_t size, gfp_t flags)
{
	void *p;

	if (!size)
		return ZERO_SIZE_PTR;
	if (unlikely(size > KMALLOC_MAX_SIZE))
		return NULL;
	if (size <= SMALL_SIZE_MAX || size > KMALLOC_MAX_CACHE_SIZE)
		return flags & __GFP_ZERO ? kvzalloc_size(size) : kvmalloc_size(size);
	p = slab_alloc(natural_size_class(size), size, flags | __GFP_NATURAL);
	if (p && flags & __GFP_ZERO)
		memset(p, 0, size);
	return p;
}

__km_export void *kzalloc(size_t size, gfp_t flags)
{
	return kmalloc(size, flags | __GFP_ZERO);
}

__km_export void kfree(const void *p)
{
	if (p != ZERO_SIZE_PTR)
		slab_free((void *)(uintptr_t)p);
}

__km_export size_t ksize(const void *p)
{
	return p == ZERO_SIZE_PTR ? 0 : kvsize(p);
}

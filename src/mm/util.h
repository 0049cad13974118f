/* SPDX-License-Identifier: MIT */
/*
 * malloc and friends as kvmalloc: the only place that chooses between slabs and vmalloc. Layer: mm.
 * Sizes in bytes; results NULL with errno ENOMEM on failure. Products are the caller's to check.
 */
#ifndef KM_MM_UTIL_H
#define KM_MM_UTIL_H

#include "mm/slub_fast.h"

void *malloc_large(size_t size) __km(malloc_large);		/* size > SMALL_SIZE_MAX */
void *kvzalloc_large(size_t size) __km(kvzalloc_large);		/* the same, zeroed */
/* The miss of kvzalloc_size(); c: what slab_take() said. */
void *kvzalloc_miss(size_t size, struct pcpu *c) __km(kvzalloc_miss);
/* align: a power of two */
void *kvmalloc_aligned(size_t align, size_t size) __km(kvmalloc_aligned);
void *kvrealloc_size(void *p, size_t size) __km(kvrealloc_size);	/* p not NULL, size not 0 */
/* the general case of kvsize() */
size_t kvsize_slow(const void *p) __km(kvsize_slow);

/* free() of what no sheaf takes: large blocks, foreign and wild pointers. */
void free_other(struct pcpu *c, unsigned int class, void *p) __km(free_other);

/*
 * One warning line: func was called with p, which is no start of an object of kmalloc() or of a
 * slab cache, and what it is instead.
 */
void warn_not_kmalloc(const char *func, const void *p) __km(warn_not_kmalloc);

extern _Atomic unsigned long nr_foreign_frees __km(nr_foreign_frees);

/* The hit path of malloc. */
static __always_inline void *kvmalloc_size(size_t size)
{
	if (unlikely(size > SMALL_SIZE_MAX))
		return malloc_large(size);
	return slab_alloc_at(hot_data.size_cache_small[(size + 7) / 8], size, GFP_MALLOC);
}

/*
 * The hit path of calloc: up to SMALL_SIZE_MAX clearing is cheaper than knowing whether an object
 * is zero.
 */
static __always_inline void *kvzalloc_size(size_t size)
{
	struct pcpu *c;
	void *p;

	if (unlikely(size > SMALL_SIZE_MAX))
		return kvzalloc_large(size);
	p = slab_take(hot_data.size_cache_small[(size + 7) / 8], &c);
	return likely(p) ? memset(p, 0, size) : kvzalloc_miss(size, c);
}

/* Usable bytes; 0 for NULL; reports what is not ours. */
static __always_inline size_t kvsize(const void *p)
{
	const struct class_info *info = class_info_at(p);

	return likely(info) ? info->size : kvsize_slow(p);
}

#endif

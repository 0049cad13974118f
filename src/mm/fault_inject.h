/* SPDX-License-Identifier: MIT */
/*
 * failslab and fail_page_alloc. Layer: mm.
 *
 * Candidates are what callers hand to should_failslab() and should_fail_alloc_page(): not what a
 * handler inside the allocator or the nolock path takes, nor the library's own records.
 */
#ifndef KM_MM_FAULT_INJECT_H
#define KM_MM_FAULT_INJECT_H

#include "mm/gfp.h"

struct kmem_cache;

/* Some injector is on, or a thread counts for fail_nth; read on slow paths alone. */
extern _Atomic bool fault_slab_active __km(fault_slab_active);
extern _Atomic bool fault_page_active __km(fault_page_active);

/* Reads the options. From mm_init(). */
void fault_init(void) __km(fault_init);
/* This allocation of an object must fail. marked: the cache has SLAB_FAILSLAB. */
bool should_failslab(size_t object_size, gfp_t gfp, bool marked) __km(should_failslab);
/* Objects of such a cache may be candidates: it must have no sheaves. */
bool fault_reaches_cache(bool marked) __km(fault_reaches_cache);
/* This allocation of 2^order pages must fail. */
bool should_fail_alloc_page(gfp_t gfp, unsigned int order) __km(should_fail_alloc_page);
/* The request's turn to fail, where pages are to be got for it: nothing more is tried then. */
static inline bool page_alloc_fails(const struct alloc_context *ac, unsigned int order)
{
	return unlikely(atomic_load_explicit(&fault_page_active, memory_order_relaxed)) &&
	       should_fail_alloc_page(ac->gfp, order);
}
/* failslab.cache-filter: the cache of that name is to be marked. */
bool fault_cache_is_marked(const char *cache_name) __km(fault_cache_is_marked);

/* A thread ends, or is the only one of a fork child: its fail_nth is over. */
void fault_thread_exit(void) __km(fault_thread_exit);
void fault_fork_child(void) __km(fault_fork_child);

/* In slub: all sheaves are put away as their threads next miss, the caller's at once. */
void slab_sheaves_changed(void) __km(slab_sheaves_changed);

#endif

/* SPDX-License-Identifier: MIT */
/* KMALLOC_GFP: what malloc and its family may do, by cache, size, program and thread. Layer: mm. */
#ifndef KM_MM_GFP_POLICY_H
#define KM_MM_GFP_POLICY_H

#include "mm/gfp.h"

struct kmem_cache;

/* Any block but the default was given; read on slow paths alone. Constant after mm_init(). */
extern bool gfp_policy_active __km(gfp_policy_active);
/* The base policy may not block: nothing is given back to the system, a reserve is kept. */
extern bool gfp_base_nonblocking __km(gfp_base_nonblocking);

/* Parses text (NULL: nothing given), a line on stderr for each mistake. From mm_init(). */
void gfp_policy_init(const char *text) __km(gfp_policy_init);
/* For option verbose: the flags in force, where any but the default were given. */
void gfp_policy_show(void) __km(gfp_policy_show);
/* A line for each selector that names no cache of malloc. After kmalloc_caches_init(). */
void gfp_policy_check_names(void) __km(gfp_policy_check_names);
/*
 * The flags for a malloc of size bytes from the cache named name (NULL: the vmalloc region) in
 * the calling thread: GFP_KERNEL | __GFP_MALLOC changed by the blocks that match.
 */
gfp_t gfp_policy(const char *cache_name, size_t size) __km(gfp_policy);
/*
 * Objects of this cache, which serves requests of lo to hi bytes, need a look at the policy one
 * by one: it must have no sheaves.
 */
bool gfp_policy_per_object(const char *cache_name, size_t lo, size_t hi)
	__km(gfp_policy_per_object);

/*
 * "GFP_KERNEL|__GFP_ZERO", as the kernel prints masks: "none" for 0, "0x..." for bits without a
 * name, internal bits left out. The number of characters, at most size - 1.
 */
size_t gfp_format(char *buf, size_t size, gfp_t gfp) __km(gfp_format);

#endif

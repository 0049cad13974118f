/* SPDX-License-Identifier: MIT */
/**
 * The types that the headers of libkmalloc share. Defines no name that a program could want for
 * itself: u8, list_head and their like come with <linux/types.h> of the package kmalloc-linux.
 */
#ifndef KMALLOC_TYPES_H
#define KMALLOC_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <kmalloc/api.h>

/** What an allocation may do to get its memory: __GFP_ bits, see <kmalloc/gfp.h>. */
typedef unsigned int gfp_t;
/** SLAB_ bits, see <kmalloc/slab.h>. */
typedef unsigned int slab_flags_t;

/** A page frame; the whole of it is the library's, but for the functions of <kmalloc/mm.h>. */
struct page;
/** A slab cache; opaque. */
struct kmem_cache;
/** An area of the vmalloc region, see <kmalloc/vmalloc.h>. */
struct vm_struct;

#ifdef __cplusplus
#define KMALLOC_BEGIN_DECLS	extern "C" {
#define KMALLOC_END_DECLS	}
#else
#define KMALLOC_BEGIN_DECLS
#define KMALLOC_END_DECLS
#endif

#endif

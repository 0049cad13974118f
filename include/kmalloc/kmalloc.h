/* SPDX-License-Identifier: MIT */
/**
 * libkmalloc: the Linux kernel's allocators in user space.
 *
 * This header has the smallest useful part of the kernel's API. Sizes are in bytes. All
 * functions may be called from any thread and from signal handlers. Run under
 * libkmalloc-preload.so they use the heap of malloc().
 */
#ifndef KMALLOC_KMALLOC_H
#define KMALLOC_KMALLOC_H

#include <kmalloc/gfp.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What kmalloc(0) returns: distinct from NULL, may be passed to kfree(), must not be accessed. */
#define ZERO_SIZE_PTR	((void *)16)

/** Largest size that kmalloc() serves. */
#define KMALLOC_MAX_SIZE ((size_t)1 << 22)

/** "MAJOR.MINOR.PATCH" of the library that runs, which is the preloaded one if there is one. */
const char *kmalloc_version(void) KMALLOC_LINK_NAME(kmalloc_version);

/**
 * kmalloc - memory of at least size bytes, aligned to 8 bytes, to 16 from 9 bytes on. Result:
 * NULL without memory or above KMALLOC_MAX_SIZE; ZERO_SIZE_PTR for size 0. Honours __GFP_ZERO.
 * Follows mm/slub.c of the kernel.
 */
void *kmalloc(size_t size, gfp_t flags) KMALLOC_LINK_NAME(kmalloc)
	__attribute__((__malloc__, __alloc_size__(1)));

/** kzalloc - kmalloc() of zeroed memory. */
void *kzalloc(size_t size, gfp_t flags) KMALLOC_LINK_NAME(kzalloc)
	__attribute__((__malloc__, __alloc_size__(1)));

/** kfree - gives back what kmalloc() or kzalloc() returned; NULL and ZERO_SIZE_PTR are ignored. */
void kfree(const void *p) KMALLOC_LINK_NAME(kfree);

/** ksize - the bytes that may be used of the object at p; 0 for NULL and ZERO_SIZE_PTR. */
size_t ksize(const void *p) KMALLOC_LINK_NAME(ksize);

#ifdef __cplusplus
}
#endif

#endif

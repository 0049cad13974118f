/* SPDX-License-Identifier: MIT */
/**
 * libkmalloc: the Linux kernel's allocators in user space. This header includes all others.
 *
 * Functions may be called from any thread and from signal handlers. Run under
 * libkmalloc-preload.so they use the heap of malloc().
 */
#ifndef KMALLOC_KMALLOC_H
#define KMALLOC_KMALLOC_H

#include <kmalloc/types.h>
#include <kmalloc/gfp.h>
#include <kmalloc/slab.h>
#include <kmalloc/mm.h>
#include <kmalloc/mm_types.h>
#include <kmalloc/vmalloc.h>
#include <kmalloc/mempool.h>
#include <kmalloc/shrinker.h>
#include <kmalloc/fault.h>
#include <kmalloc/stats.h>

KMALLOC_BEGIN_DECLS

/** "MAJOR.MINOR.PATCH" of the library that runs, which is the preloaded one if there is one. */
const char *kmalloc_version(void) KMALLOC_LINK_NAME(kmalloc_version);

KMALLOC_END_DECLS

#endif

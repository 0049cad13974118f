/* SPDX-License-Identifier: MIT */
/*
 * Large blocks: areas of whole pageblocks of address space outside the direct map. Layer: mm.
 * Sizes in bytes. The busy mark is set for all but the pure look-ups.
 */
#ifndef KM_MM_VMALLOC_H
#define KM_MM_VMALLOC_H

#include "kmalloc/vmalloc.h"
#include "kernel/spinlock.h"
#include "lib/rbtree.h"
#include "mm/gfp.h"
#include "mm/memmap.h"

enum vm_state {
	VM_UNUSED,	/* a record without an area */
	VM_FREE,	/* in the tree */
	VM_BUSY,	/* the program's */
	VM_CACHED,	/* freed, and kept by a slot: area_cache.c */
	VM_FREEING,	/* on its way to the tree, perhaps on vmap_state.deferred */
	VM_PURGING,	/* on vmap_state.purging: pages are being given back, outside the lock */
	VM_UNMAPPING,	/* the same, its addresses too */
	VM_LAZY,	/* on vmap_state.lazy: without memory and access, kept from reuse */
};

void vmap_init(void) __km(vmap_init);	/* once, before all else */

struct vmap_area {
	struct rb_node node;		/* VM_FREE: tree by size, then address */
	/* VM_FREE with dirty frames, oldest first; VM_PURGING: vmap_state.purging */
	struct list_head lru;
	struct llist_node deferred;
	unsigned long addr;
	size_t bytes;			/* address space, whole pageblocks, the guard included */
	size_t size;			/* VM_BUSY: what may be used, whole pages */
	size_t charged;			/* VM_BUSY: pages taken of the limit of mem= */
	unsigned long seq;		/* when it was freed */
	long dirty;			/* VM_FREE: frames that are not known to be zero */
	u32 nr;
	/*
	 * Mappings in it, about, that mremap put there, and that the system merges with no
	 * neighbour; all areas together have vmap_state.nr_seams
	 */
	u32 seams;
	bool keep;			/* VM_FREE: the system refused to unmap it */
	/*
	 * VM_BUSY: not plain memory at a place like any other (vmap(), vmalloc_32(), address
	 * space alone): freed, it goes back to the system and never to the tree
	 */
	bool once;
	bool huge, fresh;		/* VM_BUSY: see vmap_huge.c */
	bool grows;			/* VM_BUSY: realloc() enlarged it */
	bool guard;			/* VM_BUSY: nobody can touch what lies behind size */
	/* enum vm_state; vmap_state.lock, but for areas not yet or no longer shared */
	_Atomic u8 state;
	/* VM_BUSY: what find_vm_area() shows; flags 0: made by malloc, the rest is not set */
	struct vm_struct pub;
	struct page **put_pages;	/* VM_MAP_PUT_PAGES: the array that is to be freed too */
	unsigned int nr_addrs;		/* VM_MAP: see vmap.c */
};

/*
 * align: a power of two. __GFP_ZERO: the memory reads as zero. __GFP_DMA32 and __GFP_DMA: below 4
 * and 2 GiB. NULL without memory or at the limit of mem=. may_wait: for the lock; else it is tried,
 * and where it is not to be had the area comes straight from the system. Without
 * __GFP_DIRECT_RECLAIM there is no system call: mapped memory or NULL.
 */
void *vmap_alloc(size_t size, size_t align, const struct alloc_context *ac, bool may_wait)
	__km(vmap_alloc);
/* The busy area that starts at p, or NULL. */
struct vmap_area *find_vmap_area(const void *p) __km(find_vmap_area);
/* The busy area that p lies in, or NULL; slow, for reports. */
struct vmap_area *find_vmap_area_inside(const void *p) __km(find_vmap_area_inside);
/* False: someone else freed it first, or it is one of vmap() whose lock cannot be had. */
bool vmap_free(struct vmap_area *vm, bool may_wait) __km(vmap_free);
/* vmap.c: that was so, and the area is there still; who wanted it freed is told. */
void vm_warn_kept(const char *function, const void *addr) __km(vm_warn_kept);
static inline bool vm_is_busy(struct vmap_area *vm)
{
	return atomic_load_explicit(&vm->state, memory_order_relaxed) == VM_BUSY;
}
/* The same without a system call or a wait: what must be given back is, by the next who may. */
bool vmap_free_atomic(struct vmap_area *vm) __km(vmap_free_atomic);
/* Grows or shrinks; in place or by moving pages. NULL: not possible so, the area is as it was. */
void *vmap_resize(struct vmap_area *vm, size_t size) __km(vmap_resize);

/* Out of a slot's areas; nothing happens where it is in none, VM_CACHED no more. */
void vmap_free_cached(struct vmap_area *vm, bool may_wait) __km(vmap_free_cached);

struct pcpu;
/* area_cache.c: gives back what a slot keeps. */
void area_cache_flush(struct pcpu *c) __km(area_cache_flush);
/* The same of a slot whose thread is gone; waits for nothing. */
void area_cache_drop(struct pcpu *c) __km(area_cache_drop);
/* What all slots keep. */
void area_cache_get_stats(size_t *nr, size_t *bytes) __km(area_cache_get_stats);

unsigned long vmap_purge_oldest(void) __km(vmap_purge_oldest);	/* frames, 0: none */
unsigned long vmap_oldest_seq(void) __km(vmap_oldest_seq);
/* vmalloc_guard=1: the addresses of all freed areas may be used again; bytes. */
size_t vmap_purge_lazy(void) __km(vmap_purge_lazy);
/* Unmaps what is free, for a process at its limit; bytes. */
size_t vmap_unmap_free(void) __km(vmap_unmap_free);
void vmap_fork_child(void) __km(vmap_fork_child);
bool vmap_validate(void) __km(vmap_validate);

struct vmap_stats {
	size_t nr_busy, busy_bytes, free_bytes, dirty_bytes;
};
void vmap_get_stats(struct vmap_stats *st) __km(vmap_get_stats);

extern spinlock_t vmap_lock __km(vmap_lock);
/* vmap.c: what vmap() shows. */
extern spinlock_t vmap_share_lock __km(vmap_share_lock);

#endif

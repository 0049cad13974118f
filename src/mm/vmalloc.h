/* SPDX-License-Identifier: MIT */
/*
 * Large blocks: areas of whole pageblocks of address space outside the direct map. Layer: mm.
 * Sizes in bytes. The busy mark is set for all but the pure look-ups.
 */
#ifndef KM_MM_VMALLOC_H
#define KM_MM_VMALLOC_H

#include "kernel/spinlock.h"
#include "lib/rbtree.h"
#include "mm/gfp.h"
#include "mm/memmap.h"

enum vm_state { VM_UNUSED, VM_FREE, VM_BUSY, VM_PURGING };

struct vm_struct {
	struct rb_node node;		/* VM_FREE: tree by size, then address */
	struct list_head lru;		/* VM_FREE with dirty frames, oldest first; VM_PURGING: vmap.purging */
	struct llist_node deferred;
	unsigned long addr;
	size_t bytes;			/* address space, whole pageblocks, the guard included */
	size_t size;			/* VM_BUSY: what may be used, whole pages */
	unsigned long seq;		/* when it was freed */
	long dirty;			/* VM_FREE: frames that are not known to be zero */
	u32 nr;
	_Atomic u8 state;		/* enum vm_state; vmap.lock, but for areas not yet or no longer shared */
};

/* align: a power of two. zero: the memory reads as zero. NULL without memory. */
void *vmap_alloc(size_t size, size_t align, bool zero, gfp_t gfp) __km(vmap_alloc);
/* The same without locks: one mapping from the system. */
void *vmap_alloc_nolock(size_t size, size_t align) __km(vmap_alloc_nolock);
/* The busy area that starts at p, or NULL. */
struct vm_struct *find_vm_area(const void *p) __km(find_vm_area);
/* The busy area that p lies in, or NULL; slow, for reports. */
struct vm_struct *find_vm_area_inside(const void *p) __km(find_vm_area_inside);
void vmap_free(struct vm_struct *vm, bool may_lock) __km(vmap_free);
/* Grows or shrinks; in place or by moving pages. NULL: not possible so, the area is as it was. */
void *vmap_resize(struct vm_struct *vm, size_t size) __km(vmap_resize);

unsigned long vmap_purge_oldest(void) __km(vmap_purge_oldest);	/* frames, 0: none */
unsigned long vmap_oldest_seq(void) __km(vmap_oldest_seq);
/* Unmaps what is free, for a process at its limit; bytes. */
size_t vmap_unmap_free(void) __km(vmap_unmap_free);
void vmap_fork_child(void) __km(vmap_fork_child);
bool vmap_validate(void) __km(vmap_validate);

struct vmap_stats {
	unsigned long nr_busy, busy_bytes, free_bytes;
};
void vmap_get_stats(struct vmap_stats *st) __km(vmap_get_stats);

extern spinlock_t vmap_lock __km(vmap_lock);

#endif

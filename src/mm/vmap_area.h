/* SPDX-License-Identifier: MIT */
/*
 * Areas of the vmalloc region, between vmalloc.c (what the program gets) and the system. Layer: mm.
 * vmap_lock is held for all of these that do not say otherwise.
 */
#ifndef KM_MM_VMAP_AREA_H
#define KM_MM_VMAP_AREA_H

#include "kernel/params.h"
#include "mm/vmalloc.h"

/* areas of that size are aligned to it for transparent huge pages */
#define HUGE_PAGE	(2ul << 20)
#define UNMAP_MIN	(32ul << 20)	/* of memory: unmapped, not kept clean */
/* of an area counts as used: more may well be address space alone */
#define USED_MAX	(128ul << 20)

#define VMAP_CHUNKS	4096u
#define CHUNK_STRUCTS	1024u	/* of each */

struct vmap_state {
	bool ready;
	bool limited;			/* address space is: the program needs it itself */
	struct rb_root free;
	struct list_head lru, purging;
	struct list_head lazy;		/* vmalloc_guard=1: freed, oldest first */
	size_t lazy_bytes;
	struct vmap_area *unused;	/* records, linked by lru.next */
	size_t mapped;			/* bytes in all areas */
	size_t busy_bytes;
	size_t largest;			/* no lock: bytes of the largest busy area ever */
	unsigned long nr_busy;
	long dirty;			/* frames, of all on the lru */
	long nr_seams;			/* VMAP_ADD: of all areas */
	long nr_guards;			/* VMAP_ADD: areas with a guard that faults */
	_Atomic u32 next_nr;		/* no lock: records never used yet */
	struct llist_head deferred;	/* no lock: areas for the next holder */
	struct llist_head spare;	/* no lock: records given back without it */
	_Atomic(struct vmap_area *) chunks[VMAP_CHUNKS];
};

extern struct vmap_state vmap_state __km(vmap_state);

/* Of areas made without the lock too. */
#define VMAP_ADD(field, n)	__atomic_fetch_add(&vmap_state.field, n, __ATOMIC_RELAXED)

static inline void vm_set_seams(struct vmap_area *vm, unsigned int seams)
{
	if (likely(vm->seams == seams))
		return;
	VMAP_ADD(nr_seams, (long)seams - (long)vm->seams);
	vm->seams = seams;
}

static inline long used_frames(size_t bytes)
{
	return (long)(MIN(bytes, USED_MAX) >> FRAME_SHIFT);
}

/* may_wait: with a bound; else the lock is tried. Empties vmap_state.deferred. */
bool lock_vmap(bool may_wait) __km(lock_vmap);
void unlock_vmap(void) __km(unlock_vmap);

/* Address space for size usable bytes and the guard; 0 if that overflows. No lock. */
size_t vm_area_bytes(size_t size) __km(vm_area_bytes);
static inline size_t __vm_area_bytes(size_t size)	/* of one that does not overflow */
{
	return ALIGN_UP(ALIGN_UP(size, PAGE_SIZE) + PAGE_SIZE, PAGEBLOCK_SIZE);
}
/* vmap_huge.c: a block of malloc() begins, ends. No lock held; the area is the caller's. */
void vm_begin_huge(struct vmap_area *vm) __km(vm_begin_huge);
void vm_end_huge(struct vmap_area *vm) __km(vm_end_huge);

/* An area that is on nothing: from the tree, else from the system. */
struct vmap_area *vm_alloc_area(size_t bytes, size_t align) __km(vm_alloc_area);
/* The same for a block that has grown and may go on: room behind it. NULL: there is none. */
struct vmap_area *vm_alloc_area_to_grow(size_t bytes, size_t align) __km(vm_alloc_area_to_grow);
/* One mapping from the system, below limit unless that is 0; locked: the caller has the lock. */
struct vmap_area *vm_alloc_area_alone(size_t bytes, size_t align, unsigned long limit, bool locked)
	__km(vm_alloc_area_alone);
/*
 * The same without a system call: NULL where no free area will do. touched: all of its first size
 * bytes hold memory.
 */
struct vmap_area *vm_alloc_area_mapped(size_t size, size_t bytes, size_t align, bool touched)
	__km(vm_alloc_area_mapped);
/*
 * Gives the addresses of an area that is on nothing back to the system; all that we keep about
 * them goes before, as the next moment they may be another's. False: the system refused, and the
 * area is as it was, all of it dirty. No lock.
 */
bool vm_unmap(struct vmap_area *vm) __km(vm_unmap);
/* Fresh memory instead of what lies there; false: the system refused. No lock. */
bool vm_renew(struct vmap_area *vm, unsigned long addr, size_t bytes) __km(vm_renew);
/* A record, or NULL without memory. */
struct vmap_area *vm_get_record(void) __km(vm_get_record);
void vm_put_record(struct vmap_area *vm) __km(vm_put_record);
/*
 * An area from the above is the program's from now on, with size usable bytes, and counted.
 */
void vm_make_busy(struct vmap_area *vm, size_t size) __km(vm_make_busy);
/* With vmalloc_guard=1 what lies behind a busy area's size faults from now on. A system call. */
void vm_make_guard(struct vmap_area *vm) __km(vm_make_guard);
/* What find_vm_area() shows of a busy area, but for flags and caller. */
void vm_show(struct vmap_area *vm, size_t requested_size) __km(vm_show);
static inline struct vmap_area *vm_by_nr(u32 nr)
{
	struct vmap_area *chunk =
		atomic_load_explicit(&vmap_state.chunks[nr / CHUNK_STRUCTS], memory_order_acquire);

	return &chunk[nr % CHUNK_STRUCTS];
}

/* The index at the first and last pageblock. */
void vm_set_tags(struct vmap_area *vm) __km(vm_set_tags);
void vm_clear_tags(struct vmap_area *vm) __km(vm_clear_tags);
/* The area that begins or ends with the pageblock at addr, or NULL. Needs no lock. */
static inline struct vmap_area *vm_at(unsigned long addr)
{
	struct map_leaf *leaf = leaf_of(addr);
	u32 nr = leaf ? READ_ONCE(leaf->vm[leaf_block(addr)]) : 0;

	return nr ? vm_by_nr(nr - 1) : NULL;
}
static inline struct vmap_area *__find_vmap_area(const void *p)	/* find_vmap_area() */
{
	struct vmap_area *vm = vm_at((unsigned long)p);

	return vm && vm->addr == (unsigned long)p && vm->state == VM_BUSY ? vm : NULL;
}
/* Out of the tree; into it, merged with free neighbours. */
void vm_unlink_free(struct vmap_area *vm) __km(vm_unlink_free);
void vm_insert_free(struct vmap_area *vm) __km(vm_insert_free);
/*
 * Cuts an unlinked free area down; the rest goes back. False without memory: all of it went
 * back.
 */
bool vm_carve(struct vmap_area *vm, unsigned long addr, size_t bytes) __km(vm_carve);
/* The end of a VM_FREEING area: into the tree, or where vmalloc_guard=1 keeps it. */
void vm_free_locked(struct vmap_area *vm) __km(vm_free_locked);

/* Purges once too much address space is kept from reuse. No lock held. */
void vm_check_lazy(void) __km(vm_check_lazy);

/*
 * vmap.c: gives the pages of a vmap() area back their own memory. False: cannot be done here, the
 * area stays. No lock held.
 */
bool vm_unshare(struct vmap_area *vm) __km(vm_unshare);
/* The address of a page, also where nobody filled in its virtual; 0: it is no page of ours. */
unsigned long vm_page_address(const struct page *page) __km(vm_page_address);

/* For what is said once a process. */
static inline bool vm_first_time(_Atomic bool *warned)
{
	return !atomic_exchange_explicit(warned, true, memory_order_relaxed);
}

/* Dirty masks, of areas that are the caller's; no lock. */
long vm_count_dirty(unsigned long addr, size_t bytes) __km(vm_count_dirty);
void vm_set_dirty(unsigned long addr, size_t bytes, u16 mask) __km(vm_set_dirty);
/* Clears the frames of a busy area that are not known to be zero. */
void vm_clear_dirty(struct vmap_area *vm, bool may_block) __km(vm_clear_dirty);
/* What the program could touch from offset on may hold memory. */
void vm_mark_used_dirty(struct vmap_area *vm, size_t offset) __km(vm_mark_used_dirty);

#endif

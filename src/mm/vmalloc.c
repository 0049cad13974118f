// SPDX-License-Identifier: MIT
/*
 * Large blocks. Layer: mm. Leads in: vmap_alloc, vmap_free, vmap_resize. Leads down: vmap_area.c.
 *
 * A block is an area, VM_BUSY; at least one page at its end is the guard, address space that
 * nobody touches. An area that mremap made is a mapping of its own for ever (its page offsets
 * fit no neighbour): it is mapped anew when it is freed, and so is the place that pages moved
 * away from, so that the number of mappings follows what is in use.
 */
#include "mm/vmap_area.h"
#include "mm/purge.h"

#define MOVE_MIN	(256ul << 10)	/* moving pages is cheaper than copying from here on */
/* dirty runs from here on are zeroed by giving them back: most are not touched soon */
#define ZERO_BY_SYSTEM	(8ul << 20)
#define SHRINK_MIN	(128ul << 10)	/* a tail that is worth splitting off, */
#define SHRINK_SHARE	8		/* if it is that part of the block */

static void publish(struct vmap_area *vm, size_t size)
{
	vm->size = ALIGN_UP(size, PAGE_SIZE);
	vm->state = VM_BUSY;
	vm_set_tags(vm);
	set_class(vm->addr, CLASS_OTHER);
}

/* Clears the frames that are not known to be zero. */
static void clear_dirty(struct vmap_area *vm)
{
	unsigned long a = vm->addr, end = vm->addr + vm->size;

	while (a < end) {
		unsigned long start = a;

		while (a < end && *dirty_mask(a))
			a += PAGEBLOCK_SIZE;
		if (a == start)
			a += PAGEBLOCK_SIZE;
		else if (a - start < ZERO_BY_SYSTEM || a > end ||
			 !os_dontneed((void *)start, a - start))
			memset((void *)start, 0, MIN(a, end) - start);
	}
}

void *vmap_alloc(size_t size, size_t align, const struct alloc_context *ac, bool may_wait)
{
	size_t bytes = vm_area_bytes(size);
	struct vmap_area *vm;
	bool locked;

	if (!bytes)
		return NULL;
	if (align < HUGE_PAGE && size >= HUGE_PAGE)
		align = HUGE_PAGE;
	align = MAX(align, PAGEBLOCK_SIZE);
	locked = lock_vmap(may_wait);
	vm = locked ? vm_alloc_area(bytes, align) : vm_alloc_area_nolock(bytes, align);
	if (vm) {
		publish(vm, size);
		VMAP_ADD(nr_busy, 1);
		VMAP_ADD(busy_bytes, vm->bytes);
	}
	if (locked)
		unlock_vmap();
	if (!vm)
		return NULL;
	purge_account_alloc(used_frames(vm->bytes), MIN(vm->dirty, used_frames(vm->bytes)));
	if (ac->gfp & __GFP_ZERO && vm->dirty)
		clear_dirty(vm);
	return (void *)vm->addr;
}

/* ---- look-up ---- */

struct vmap_area *find_vmap_area(const void *p)
{
	struct vmap_area *vm = vm_at((unsigned long)p);

	return vm && vm->addr == (unsigned long)p && vm->state == VM_BUSY ? vm : NULL;
}

struct vmap_area *find_vmap_area_inside(const void *p)
{
	unsigned long addr = ALIGN_DOWN((unsigned long)p, PAGEBLOCK_SIZE), a;

	for (a = addr; a && addr - a < LEAF_SIZE && leaf_of(a); a -= PAGEBLOCK_SIZE) {
		struct vmap_area *vm = vm_at(a);

		if (vm && vm->state != VM_UNUSED)
			return vm->state == VM_BUSY && (unsigned long)p - vm->addr < vm->bytes ?
				       vm :
				       NULL;
	}
	return NULL;
}

/* ---- freeing ---- */

/*
 * A mapping that mremap made is replaced by a fresh one, which merges with its neighbours', or
 * unmapped where it is large (false then: there is no area any more). Where the system refuses,
 * it is an area like others.
 */
static bool renew_mapping(struct vmap_area *vm)
{
	vm->moved = false;
	if (vm->bytes >= UNMAP_MIN) {
		vm_clear_tags(vm);
		vm_set_dirty(vm->addr, vm->bytes, 0);
		if (os_unmap((void *)vm->addr, vm->bytes))
			return false;
		vm_set_dirty(vm->addr, vm->bytes, 0xffff);
		vm_set_tags(vm);
	} else if (os_map_over((void *)vm->addr, vm->bytes)) {
		vm_set_dirty(vm->addr, vm->bytes, 0);
	}
	return true;
}

/* Without the lock: an area that nobody else knows goes back to the system. */
static bool unmap_now(struct vmap_area *vm)
{
	vm_clear_tags(vm);
	vm_set_dirty(vm->addr, vm->bytes, 0);
	if (!os_unmap((void *)vm->addr, vm->bytes)) {
		vm_set_dirty(vm->addr, vm->bytes, 0xffff);
		vm->dirty = vm_count_dirty(vm->addr, vm->bytes);
		vm_set_tags(vm);
		return false;
	}
	VMAP_ADD(nr_busy, -1);
	VMAP_ADD(busy_bytes, -vm->bytes);
	VMAP_ADD(mapped, -vm->bytes);
	vm->state = VM_UNUSED;
	return true;
}

/* After it returns, another thread may own the addresses. */
bool vmap_free(struct vmap_area *vm, bool may_wait)
{
	u8 busy = VM_BUSY;

	if (!atomic_compare_exchange_strong_explicit(&vm->state, &busy, VM_FREEING,
						     memory_order_acq_rel, memory_order_relaxed))
		return false;
	set_class(vm->addr, CLASS_FOREIGN);
	purge_account_free(used_frames(vm->bytes));
	vm_mark_used_dirty(vm, 0);
	if (vm->moved && !renew_mapping(vm)) {
		VMAP_ADD(nr_busy, -1);
		VMAP_ADD(busy_bytes, -vm->bytes);
		VMAP_ADD(mapped, -vm->bytes);
		vm->state = VM_UNUSED;
	} else {
		vm->dirty = vm_count_dirty(vm->addr, vm->bytes);
	}
	if (!lock_vmap(may_wait)) {
		/* a fork is under way, a handler interrupted the holder, or the holder is lost */
		if (vm->state == VM_UNUSED || unmap_now(vm))
			llist_add(&vm->deferred, &vmap_state.spare);
		else
			llist_add(&vm->deferred, &vmap_state.deferred);
		return true;
	}
	if (vm->state == VM_UNUSED)
		vm_put_record(vm);
	else
		vm_free_locked(vm);
	unlock_vmap();
	return true;
}

/* ---- resizing ---- */

/* Takes what is missing from the free area behind; lock held. */
static bool grow_in_place(struct vmap_area *vm, size_t bytes)
{
	struct vmap_area *next = vm_at(vm->addr + vm->bytes);
	size_t more = bytes - vm->bytes;
	long dirty;

	if (!next || next->state != VM_FREE || next->addr != vm->addr + vm->bytes ||
	    next->bytes < more)
		return false;
	vm_unlink_free(next);
	if (!vm_carve(next, next->addr, more))
		return false;
	dirty = next->dirty;
	vm_clear_tags(vm);
	vm->bytes = bytes;
	vm_set_tags(vm);
	vm_put_record(next);
	VMAP_ADD(busy_bytes, more);
	purge_account_alloc(used_frames(bytes) - used_frames(bytes - more), dirty);
	return true;
}

static void shrink_in_place(struct vmap_area *vm, size_t size, size_t bytes)
{
	struct vmap_area *tail = vm_get_record();
	size_t less = vm->bytes - bytes;

	if (!tail)
		return;
	vm_clear_tags(vm);
	tail->addr = vm->addr + bytes;
	tail->bytes = less;
	vm_mark_used_dirty(vm, size);
	if (vm->moved && os_map_over((void *)tail->addr, less))
		vm_set_dirty(tail->addr, less, 0);
	tail->dirty = vm_count_dirty(tail->addr, less);
	tail->seq = purge_next_seq();
	vm->bytes = bytes;
	vm->size = ALIGN_UP(size, PAGE_SIZE);
	vm_set_tags(vm);
	VMAP_ADD(busy_bytes, -less);
	purge_account_free(used_frames(bytes + less) - used_frames(bytes));
	vm_insert_free(tail);
}

/*
 * An area half as large again as needed, so that the next growth stays in place; what is not
 * touched costs address space.
 */
static struct vmap_area *area_to_move_to(size_t bytes)
{
	size_t align = bytes >= HUGE_PAGE ? HUGE_PAGE : PAGEBLOCK_SIZE;
	struct vmap_area *vm = vm_alloc_area(ALIGN_UP(bytes + bytes / 2, PAGEBLOCK_SIZE), align);

	return vm ? vm : vm_alloc_area(bytes, align);
}

/* A refused mremap has unmapped the target all the same where the kernel is older than 6.17. */
static bool remap_or_restore(unsigned long from, size_t size, unsigned long to, size_t to_size)
{
	if (os_remap((void *)from, size, (void *)to, to_size))
		return true;
	os_map_over((void *)to, to_size);
	return false;
}

/*
 * Moves size bytes of pages. A mapping that grew together from several (of which mremap takes
 * one at a time) is moved in halves of halves; what is then small is copied. Nothing is lost
 * where the system refuses.
 */
static void move_pages(unsigned long from, unsigned long to, size_t size)
{
	size_t half = ALIGN_UP(size / 2, PAGEBLOCK_SIZE);

	if (os_is_one_mapping((void *)from, size) && remap_or_restore(from, size, to, size))
		return;
	if (size < MOVE_MIN) {
		memcpy((void *)to, (void *)from, size);
		os_unmap((void *)from, size);
		return;
	}
	move_pages(from, to, half);
	move_pages(from + half, to + half, size - half);
}

/*
 * The pages of the area are about to move: from then on anyone may map something at the old
 * addresses, so all that we keep about them goes before, and the unused end with it. Lock held.
 */
static void forget_area(struct vmap_area *vm)
{
	vm_clear_tags(vm);
	set_class(vm->addr, CLASS_FOREIGN);
	vm_set_dirty(vm->addr, vm->bytes, 0);
	os_unmap((void *)(vm->addr + vm->size), vm->bytes - vm->size);
	VMAP_ADD(mapped, -vm->bytes);
	VMAP_ADD(busy_bytes, -vm->bytes);
	VMAP_ADD(nr_busy, -1);
	purge_account_free(used_frames(vm->bytes));
}

/*
 * Takes the place that the pages left again, as a clean free area, unless someone else was
 * faster. Lock held.
 */
static void reclaim_place(struct vmap_area *vm)
{
	if (!os_map_at((void *)vm->addr, vm->bytes)) {
		vm_put_record(vm);
		return;
	}
	VMAP_ADD(mapped, vm->bytes);
	vm_set_dirty(vm->addr, vm->bytes, 0);
	vm->dirty = 0;
	vm->moved = false;
	vm_insert_free(vm);
}

static void *move_area(struct vmap_area *vm, size_t size, size_t bytes)
{
	struct vmap_area *to = area_to_move_to(bytes);
	bool whole;

	if (!to)
		return NULL;
	whole = os_is_one_mapping((void *)vm->addr, vm->size);
	forget_area(vm);
	/*
	 * the moved mapping grows over the whole new area, so that it can be moved again in one
	 * piece
	 */
	if (!whole || !remap_or_restore(vm->addr, vm->size, to->addr, to->bytes))
		move_pages(vm->addr, to->addr, vm->size);
	/* the pages came along */
	purge_account_alloc(used_frames(to->bytes), used_frames(to->bytes));
	to->moved = true;
	publish(to, size);
	VMAP_ADD(nr_busy, 1);
	VMAP_ADD(busy_bytes, to->bytes);
	reclaim_place(vm);
	return (void *)to->addr;
}

void *vmap_resize(struct vmap_area *vm, size_t size)
{
	size_t bytes = vm_area_bytes(size);
	void *p = NULL;

	if (!bytes || !lock_vmap(true))
		return NULL;
	if (bytes < vm->bytes && size < vm->size &&
	    vm->size - size >= MAX(SHRINK_MIN, vm->size / SHRINK_SHARE)) {
		shrink_in_place(vm, size, bytes);
		p = (void *)vm->addr;
	} else if (bytes <= vm->bytes) {
		vm_mark_used_dirty(vm, MIN(size, vm->size));
		vm->size = ALIGN_UP(size, PAGE_SIZE);
		p = (void *)vm->addr;
	} else if (grow_in_place(vm, bytes)) {
		vm->size = ALIGN_UP(size, PAGE_SIZE);
		p = (void *)vm->addr;
	} else if (vm->size >= MOVE_MIN) {
		p = move_area(vm, size, bytes);
	}
	unlock_vmap();
	return p;
}

// SPDX-License-Identifier: MIT
/*
 * Large blocks. Layer: mm. Leads in: vmap_alloc, vmap_free, vmap_resize. Leads down: vmap_area.c,
 * vmap.c.
 *
 * A block is an area, VM_BUSY; at least one page at its end is the guard, address space that
 * nobody touches. A block that realloc() enlarges is put where there is room to grow in place, and
 * what is allocated next keeps away from there (vm_alloc_area_to_grow). Where its pages move all
 * the same, the mapping that mremap made is one of its own (its page offsets fit no neighbour),
 * also in a free area around it: such seams are counted, and go when the area is purged, as it is
 * mapped anew then; beyond SEAMS_MAX of them, when it is freed. The place that pages moved away
 * from is mapped anew at once.
 *
 * vmalloc_guard=1: the guard is without access, areas are resized by nobody, and a freed one loses
 * memory and access and goes to vmap_state.lazy instead of the tree.
 *
 * Locks: vmap_lock around what vmap_area.c does; memory is given back, and cleared, outside.
 */
#include "mm/vmap_area.h"
#include "mm/gfp_policy.h"
#include "mm/purge.h"

#define MOVE_MIN	(256ul << 10)	/* moving pages is cheaper than copying from here on */
/* dirty runs from here on are zeroed by giving them back: most are not touched soon */
#define ZERO_BY_SYSTEM	(8ul << 20)
#define SHRINK_MIN	(128ul << 10)	/* a tail that is worth splitting off, */
#define SHRINK_SHARE	8		/* if it is that part of the block */

/*
 * Guards that fault at most: each makes two mappings of one, and a process may have 65,530
 * (vm.max_map_count), most of which are the program's. Areas beyond have address space there.
 */
#define GUARDS_MAX	16384
/* Mappings more than areas would need, because mremap made them, until they are mapped anew. */
#define SEAMS_MAX	1024
#define DMA_LIMIT	(1ul << 31)	/* GFP_DMA and GFP_DMA32 of design section 2 */
#define DMA32_LIMIT	(1ul << 32)

/* ---- allocation ---- */

void vm_show(struct vmap_area *vm, size_t requested_size)
{
	vm->pub.addr = (void *)vm->addr;
	vm->pub.size = vm->size + PAGE_SIZE;
	vm->pub.nr_pages = (unsigned int)(vm->size >> os_page_shift);
	vm->pub.requested_size = requested_size;
}

void vm_make_guard(struct vmap_area *vm)
{
	if (likely(!param_yes(PARAM_vmalloc_guard)) ||
	    READ_ONCE(vmap_state.nr_guards) >= GUARDS_MAX ||
	    !os_protect((void *)(vm->addr + vm->size), vm->bytes - vm->size, OS_NONE))
		return;
	VMAP_ADD(nr_guards, 1);
	vm->guard = true;
}

/* Before anyone is told of an area of that size. */
static void note_size(size_t bytes)
{
	size_t old = READ_ONCE(vmap_state.largest);

	while (unlikely(bytes > old) &&
	       !__atomic_compare_exchange_n(&vmap_state.largest, &old, bytes, true,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

static void publish(struct vmap_area *vm, size_t size)
{
	note_size(vm->bytes);
	vm->size = ALIGN_UP(size, PAGE_SIZE);
	vm->charged = 0;
	vm->once = false;
	vm->grows = false;
	vm->huge = false;
	vm->fresh = false;
	vm->guard = false;
	vm->pub.flags = 0;
	vm->state = VM_BUSY;
	vm_set_tags(vm);
	set_class(vm->addr, CLASS_OTHER);
}

void vm_make_busy(struct vmap_area *vm, size_t size)
{
	publish(vm, size);
	VMAP_ADD(nr_busy, 1);
	VMAP_ADD(busy_bytes, vm->bytes);
}

void vm_clear_dirty(struct vmap_area *vm, bool may_block)
{
	unsigned long a = vm->addr, end = vm->addr + vm->size;

	while (a < end) {
		unsigned long start = a;

		while (a < end && *dirty_mask(a))
			a += PAGEBLOCK_SIZE;
		if (a == start)
			a += PAGEBLOCK_SIZE;
		else if (a - start < ZERO_BY_SYSTEM || a > end || !may_block ||
			 !os_dontneed((void *)start, a - start))
			memset((void *)start, 0, MIN(a, end) - start);
	}
}

static unsigned long address_limit(gfp_t gfp)
{
	if (likely(!(gfp & (__GFP_DMA | __GFP_DMA32))))
		return 0;
	return gfp & __GFP_DMA ? DMA_LIMIT : DMA32_LIMIT;
}

/* Where there is a reserve, who may not block gets memory alone that no page fault can follow. */
static bool only_touched(void)
{
	return gfp_base_nonblocking || param_number(PARAM_min_free_kbytes);
}

static struct vmap_area *get_area(size_t size, size_t align, const struct alloc_context *ac,
				  bool locked)
{
	size_t bytes = vm_area_bytes(size);
	unsigned long limit = address_limit(ac->gfp);
	struct vmap_area *vm = NULL;

	if (likely(locked && !limit && may_block(ac))) {
		if (unlikely(ac->gfp & __GFP_GROWS))
			vm = vm_alloc_area_to_grow(bytes, align);
		return vm ? vm : vm_alloc_area(bytes, align);
	}
	if (may_block(ac))
		return vm_alloc_area_alone(bytes, align, limit, locked);
	if (!locked || limit)
		return NULL;
	return vm_alloc_area_mapped(size, bytes, align, only_touched());
}

void *vmap_alloc(size_t size, size_t align, const struct alloc_context *ac, bool may_wait)
{
	size_t pages = ALIGN_UP(size, PAGE_SIZE) >> os_page_shift;
	struct vmap_area *vm;
	bool locked;

	if (!vm_area_bytes(size) || !mem_charge(pages, ac))
		return NULL;
	if (align < HUGE_PAGE && size >= HUGE_PAGE)
		align = HUGE_PAGE;
	align = MAX(align, PAGEBLOCK_SIZE);
	locked = lock_vmap(may_wait && may_block(ac));
	vm = get_area(size, align, ac, locked);
	if (vm) {
		vm_make_busy(vm, size);
		vm->charged = pages;
		vm->once = address_limit(ac->gfp) != 0;
		vm->grows = ac->gfp & __GFP_GROWS;
	}
	if (locked)
		unlock_vmap();
	if (!vm) {
		mem_uncharge(pages);
		return NULL;
	}
	if (ac->gfp & __GFP_MALLOC && may_block(ac))
		vm_begin_huge(vm);
	if (may_block(ac))
		vm_make_guard(vm);
	purge_account_alloc(used_frames(vm->bytes), MIN(vm->dirty, used_frames(vm->bytes)));
	if (vm->dirty && (ac->gfp & __GFP_ZERO || param_yes(PARAM_init_on_alloc)))
		vm_clear_dirty(vm, may_block(ac));
	return (void *)vm->addr;
}

/* ---- look-up ---- */

struct vmap_area *find_vmap_area(const void *p)
{
	return __find_vmap_area(p);
}

/*
 * Back to the nearest tag of an area: p is in that one or in none. The walk is at most as long as
 * the largest area ever was, 4 bytes for a pageblock.
 */
struct vmap_area *find_vmap_area_inside(const void *p)
{
	unsigned long addr = (unsigned long)p, left = READ_ONCE(vmap_state.largest), n, i, base;
	struct map_leaf *leaf;

	for (left >>= PAGEBLOCK_SHIFT; left && (leaf = leaf_of(addr)); left -= n) {
		n = MIN(leaf_block(addr) + 1ul, left);
		base = ALIGN_DOWN(addr, LEAF_SIZE);
		for (i = leaf_block(addr) + 1; i-- > leaf_block(addr) + 1 - n; ) {
			struct vmap_area *vm =
				READ_ONCE(leaf->vm[i]) ? vm_at(base + (i << PAGEBLOCK_SHIFT)) : NULL;

			if (vm && vm->state != VM_UNUSED)
				return vm->state == VM_BUSY &&
					(unsigned long)p - vm->addr < vm->bytes ? vm : NULL;
		}
		if (!base)
			break;
		addr = base - 1;
	}
	return NULL;
}

/* ---- freeing ---- */

/*
 * Freeing begins: from here on the area, which was VM_BUSY or VM_CACHED, is ours. False: someone
 * else was first.
 */
static bool take_back(struct vmap_area *vm, u8 from)
{
	if (!atomic_compare_exchange_strong_explicit(&vm->state, &from, VM_FREEING,
						     memory_order_acq_rel, memory_order_relaxed))
		return false;
	if (unlikely(vm->pub.flags & VM_MAP) && !vm_unshare(vm)) {
		vm->state = VM_BUSY;
		return false;
	}
	set_class(vm->addr, CLASS_FOREIGN);
	purge_account_free(used_frames(vm->bytes));
	mem_uncharge(vm->charged);
	if (unlikely(vm->guard))
		VMAP_ADD(nr_guards, -1);
	return true;
}

static bool unmap_and_count(struct vmap_area *vm)
{
	if (!vm_unmap(vm))
		return false;
	VMAP_ADD(nr_busy, -1);
	VMAP_ADD(busy_bytes, -vm->bytes);
	vm->state = VM_UNUSED;
	return true;
}

/*
 * The system's part of freeing, outside the lock. A guarded area loses its memory and all access.
 * What is no plain mapping is replaced by one, which merges with its neighbours', or unmapped
 * where it is large or no place for others. False: there is no area any more.
 */
static bool settle(struct vmap_area *vm)
{
	bool renew;

	vm_end_huge(vm);
	vm_mark_used_dirty(vm, 0);
	renew = vm->once || (vm->seams && READ_ONCE(vmap_state.nr_seams) > SEAMS_MAX);

	if (unlikely(param_yes(PARAM_init_on_free)) && vm->charged && !renew && !vm->guard &&
	    !os_dontneed((void *)vm->addr, vm->size))
		memset((void *)vm->addr, 0, vm->size);
	if (unlikely(vm->guard)) {
		if (os_map_none_over((void *)vm->addr, vm->bytes)) {
			vm_set_dirty(vm->addr, vm->bytes, 0);
			vm->dirty = 0;
			return true;
		}
		vm->guard = false;
		vm->once = renew = true;
	}
	if (renew && !vm->once)
		purge_account_purged(vm_count_dirty(vm->addr, vm->bytes));
	if (renew && (vm->once || vm->bytes >= UNMAP_MIN) && unmap_and_count(vm))
		return false;
	if (renew && vm_renew(vm, vm->addr, vm->bytes))
		vm->once = false;
	vm->dirty = vm_count_dirty(vm->addr, vm->bytes);
	return true;
}

/* After it returns, another thread may own the addresses. */
static void finish_free(struct vmap_area *vm, bool may_wait)
{
	bool alive = settle(vm);

	if (!lock_vmap(may_wait)) {
		/* a fork is under way, a handler interrupted the holder, or the holder is lost */
		if (!alive || (!vm->guard && unmap_and_count(vm)))
			llist_add(&vm->deferred, &vmap_state.spare);
		else
			llist_add(&vm->deferred, &vmap_state.deferred);
		return;
	}
	if (alive)
		vm_free_locked(vm);
	else
		vm_put_record(vm);
	unlock_vmap();
	if (unlikely(READ_ONCE(vmap_state.lazy_bytes)) && may_wait)
		vm_check_lazy();
}

bool vmap_free(struct vmap_area *vm, bool may_wait)
{
	if (unlikely(gfp_base_nonblocking))
		return vmap_free_atomic(vm);
	if (!take_back(vm, VM_BUSY))
		return false;
	finish_free(vm, may_wait);
	return true;
}

static void finish_free_atomic(struct vmap_area *vm)
{
	vm_mark_used_dirty(vm, 0);
	vm->dirty = vm_count_dirty(vm->addr, vm->bytes);
	if (!lock_vmap(false)) {
		llist_add(&vm->deferred, &vmap_state.deferred);
		return;
	}
	vm_free_locked(vm);
	unlock_vmap();
}

void vmap_free_cached(struct vmap_area *vm, bool may_wait)
{
	if (!take_back(vm, VM_CACHED))
		return;
	if (may_wait)
		finish_free(vm, true);
	else
		finish_free_atomic(vm);
}

/*
 * An area with a guard or a place of its own goes to the lazy ones, and is unmapped by who next
 * frees one and may.
 */
bool vmap_free_atomic(struct vmap_area *vm)
{
	if (!take_back(vm, VM_BUSY))
		return false;
	if (unlikely(param_yes(PARAM_init_on_free)) && vm->charged)
		memset((void *)vm->addr, 0, vm->size);
	finish_free_atomic(vm);
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
	vm->fresh = false;
	vm_clear_tags(vm);
	note_size(bytes);
	vm->bytes = bytes;
	vm_set_tags(vm);
	vm->seams += next->seams;
	next->seams = 0;
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
	vm->fresh = false;
	vm_end_huge(vm);
	vm_clear_tags(vm);
	tail->addr = vm->addr + bytes;
	tail->bytes = less;
	vm_mark_used_dirty(vm, size);
	vm_set_seams(tail, vm->seams ? 1 : 0);
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
	size_t more = ALIGN_UP(bytes + bytes / 2, PAGEBLOCK_SIZE);
	struct vmap_area *vm = vm_alloc_area_to_grow(more, align);

	if (!vm)
		vm = vm_alloc_area(more, align);
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
	vm_set_seams(vm, 0);
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
	vm_insert_free(vm);
}

static struct vmap_area *move_area(struct vmap_area *vm, size_t size, size_t bytes)
{
	struct vmap_area *to = area_to_move_to(bytes);
	bool whole;

	if (!to)
		return NULL;
	vm->fresh = false;
	vm_end_huge(vm);
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
	vm_set_seams(to, 1);
	vm_make_busy(to, size);
	to->grows = true;
	to->pub = vm->pub;
	reclaim_place(vm);
	return to;
}

/* The area that has that size then, perhaps another one; NULL: not possible so. Lock held. */
static struct vmap_area *resize_locked(struct vmap_area *vm, size_t size, size_t bytes)
{
	if (bytes < vm->bytes && size < vm->size && !gfp_base_nonblocking &&
	    vm->size - size >= MAX(SHRINK_MIN, vm->size / SHRINK_SHARE)) {
		shrink_in_place(vm, size, bytes);
		return vm;
	}
	if (bytes <= vm->bytes)
		vm_mark_used_dirty(vm, MIN(size, vm->size));
	else if (gfp_base_nonblocking)
		return NULL;
	else if (grow_in_place(vm, bytes))
		vm->grows = true;
	else
		return vm->size >= MOVE_MIN ? move_area(vm, size, bytes) : NULL;
	vm->size = ALIGN_UP(size, PAGE_SIZE);
	return vm;
}

/* What an area grows by must be zero, which it is where all is copied to a new one. */
static bool growth_is_cleared(size_t size)
{
	return param_yes(PARAM_init_on_alloc) ||
	       (unlikely(gfp_policy_active) && gfp_policy(NULL, size) & __GFP_ZERO);
}

void *vmap_resize(struct vmap_area *vm, size_t size)
{
	size_t bytes = vm_area_bytes(size), charged = vm->charged, more;
	size_t pages = ALIGN_UP(size, PAGE_SIZE) >> os_page_shift;
	struct alloc_context ac;
	struct vmap_area *to;

	if (unlikely(vm->once || vm->guard || !bytes))
		return bytes && ALIGN_UP(size, PAGE_SIZE) == vm->size ? (void *)vm->addr : NULL;
	if (size > vm->size && unlikely(growth_is_cleared(size)))
		return NULL;
	more = pages > charged ? pages - charged : 0;
	if (more) {
		alloc_context_init(&ac, GFP_MALLOC, 0);
		if (!mem_charge(more, &ac))
			return NULL;
	}
	if (!lock_vmap(true)) {
		mem_uncharge(more);
		return NULL;
	}
	to = resize_locked(vm, size, bytes);
	if (to) {
		to->charged = to->size >> os_page_shift;
		mem_uncharge(charged + more - to->charged);
		if (to->pub.flags)
			vm_show(to, size);
	} else {
		mem_uncharge(more);
	}
	unlock_vmap();
	return to ? (void *)to->addr : NULL;
}

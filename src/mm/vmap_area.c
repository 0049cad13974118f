// SPDX-License-Identifier: MIT
/*
 * Areas of the vmalloc region: records, index, tree, and what goes back to the system. Layer:
 * mm. Leads in: vm_alloc_area, vm_free_locked, vmap_purge_oldest. Leads down: os_map,
 * os_dontneed, os_unmap.
 *
 * An area is a run of pageblocks in one of the states of enum vm_state. The index of memmap
 * names an area at its first and last pageblock: a freed area finds its neighbours there and
 * merges with those that are free, clean or dirty; the dirty masks remember which frames hold
 * memory. Free areas are in a tree by size and, if dirty, on an lru. Those with UNMAP_MIN of
 * memory and more are unmapped when purged: their address space is worth more than the next mmap.
 * Whatever we keep about an address is cleared before it is unmapped: the next moment it may be
 * another's.
 *
 * vmap_lock (rank LOCK_VMAP) guards all but the records of areas that only one thread knows.
 * Who cannot have it pushes an area on vmap_state.deferred, for the next holder.
 */
#include "mm/vmap_area.h"
#include "mm/meta.h"
#include "mm/purge.h"
#include "kernel/bug.h"
#include "lib/overflow.h"

/* mapped at once for small areas: an eighth of what is there, */
#define GROW_MIN	(1ul << 20)
#define GROW_MAX	(32ul << 20)	/* within these */
#define GROW_SHARE	8
/* areas looked at for one whose aligned part is large enough */
#define FIT_TRIES	8u
/* frames given back a time (8 MiB), so that no more goes than must */
#define PURGE_AT_ONCE	2048ul
/*
 * A block that grows is put where there is room for it to do so in place, in a free area of so
 * many times its size, else in a new mapping: address space alone, which a limit may refuse.
 */
#define ROOM_LEAST	4ul
#define ROOM_NEW	4ul
#define ROOM_MIN	(64ul << 20)
#define ROOM_MAX	(16ul << 20)	/* of the block: mremap costs little beside its growth */

struct vmap_state vmap_state;
spinlock_t vmap_lock;

/* ---- records ---- */

/* Who takes one takes all, and puts the rest back: so nobody's next can be stale. */
static struct vmap_area *spare_record(void)
{
	struct llist_node *n = llist_del_all(&vmap_state.spare), *rest, *next;

	if (!n)
		return NULL;
	for (rest = n->next; rest; rest = next) {
		next = rest->next;
		llist_add(rest, &vmap_state.spare);
	}
	return container_of(n, struct vmap_area, deferred);
}

/* A record without the lock; may_map: records may be made. */
static struct vmap_area *new_record(bool may_map)
{
	u32 nr = atomic_load_explicit(&vmap_state.next_nr, memory_order_relaxed);
	struct vmap_area *chunk, *expect, *spare = spare_record();
	_Atomic(struct vmap_area *) *slot;

	if (spare)
		return spare;
	do {
		expect = NULL;
		if (nr >= CHUNK_STRUCTS * VMAP_CHUNKS)
			return NULL;
		slot = &vmap_state.chunks[nr / CHUNK_STRUCTS];
		if (atomic_load_explicit(slot, memory_order_acquire))
			continue;
		chunk = may_map ? meta_alloc(CHUNK_STRUCTS * sizeof(struct vmap_area), 64) : NULL;
		if (!chunk)
			return NULL;
		atomic_compare_exchange_strong_explicit(slot, &expect, chunk, memory_order_release,
							memory_order_relaxed);
	} while (!atomic_compare_exchange_weak_explicit(&vmap_state.next_nr, &nr, nr + 1,
							memory_order_relaxed,
							memory_order_relaxed));
	vm_by_nr(nr)->nr = nr;
	return vm_by_nr(nr);
}

/* Two records to carve with are at hand, without a system call; lock held. */
static bool have_two_records(void)
{
	struct vmap_area *vm;
	unsigned int n = 0;

	for (vm = vmap_state.unused; vm && n < 2; n++)
		vm = (struct vmap_area *)(void *)vm->lru.next;
	for (; n < 2; n++) {
		vm = new_record(false);
		if (!vm)
			return false;
		vm_put_record(vm);
	}
	return true;
}

struct vmap_area *vm_get_record(void)
{
	struct vmap_area *vm = vmap_state.unused;

	if (!vm)
		return new_record(true);
	vmap_state.unused = (struct vmap_area *)(void *)vm->lru.next;
	return vm;
}

void vm_put_record(struct vmap_area *vm)
{
	vm_set_seams(vm, 0);
	vm->state = VM_UNUSED;
	vm->lru.next = (struct list_head *)(void *)vmap_state.unused;
	vmap_state.unused = vm;
}

/* ---- index and tree ---- */

void vm_set_tags(struct vmap_area *vm)
{
	WRITE_ONCE(*vm_index(vm->addr), vm->nr + 1);
	WRITE_ONCE(*vm_index(vm->addr + vm->bytes - PAGEBLOCK_SIZE), vm->nr + 1);
}

void vm_clear_tags(struct vmap_area *vm)
{
	WRITE_ONCE(*vm_index(vm->addr), 0);
	WRITE_ONCE(*vm_index(vm->addr + vm->bytes - PAGEBLOCK_SIZE), 0);
}

static bool is_less(const struct vmap_area *a, size_t bytes, unsigned long addr)
{
	return a->bytes < bytes || (a->bytes == bytes && a->addr < addr);
}

static void tree_insert(struct vmap_area *vm)
{
	struct rb_node **link = &vmap_state.free.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		if (is_less(rb_entry(parent, struct vmap_area, node), vm->bytes, vm->addr))
			link = &parent->right;
		else
			link = &parent->left;
	}
	rb_link_node(&vm->node, parent, link);
	rb_insert_color(&vm->node, &vmap_state.free);
}

/* The smallest free area of at least that size. */
static struct vmap_area *tree_best_fit(size_t bytes)
{
	struct rb_node *n = vmap_state.free.rb_node;
	struct vmap_area *best = NULL;

	while (n) {
		struct vmap_area *vm = rb_entry(n, struct vmap_area, node);

		if (is_less(vm, bytes, 0)) {
			n = n->right;
		} else {
			best = vm;
			n = n->left;
		}
	}
	return best;
}

/* The masks of the pageblocks of [addr, end) that follow each other, n of them: those of a leaf. */
static u16 *dirty_masks(unsigned long addr, unsigned long end, size_t *n)
{
	*n = MIN((end - addr) >> PAGEBLOCK_SHIFT, (size_t)LEAF_BLOCKS - leaf_block(addr));
	return dirty_mask(addr);
}

static long count_bits(const u16 *mask, size_t n)
{
	long sum = 0;
	u64 four;

	/* mostly all or nothing */
	for (; n >= 4; mask += 4, n -= 4) {
		memcpy(&four, mask, sizeof(four));
		sum += !~four ? 64 : !four ? 0 : hweight64(four);
	}
	for (; n; mask++, n--)
		sum += hweight64(*mask);
	return sum;
}

long vm_count_dirty(unsigned long addr, size_t bytes)
{
	unsigned long end = addr + bytes;
	long sum = 0;
	size_t n;

	for (; addr < end; addr += n << PAGEBLOCK_SHIFT) {
		u16 *mask = dirty_masks(addr, end, &n);

		sum += count_bits(mask, n);
	}
	return sum;
}

void vm_set_dirty(unsigned long addr, size_t bytes, u16 mask)
{
	unsigned long end = addr + bytes;
	size_t n;

	VM_BUG_ON(mask && mask != 0xffff);
	for (; addr < end; addr += n << PAGEBLOCK_SHIFT) {
		u16 *first = dirty_masks(addr, end, &n);

		memset(first, mask & 0xff, n * sizeof(*first));
	}
}

/*
 * Frames from offset on, as far as the program could touch them, may hold memory; what lies
 * behind is as it was when the area was made.
 */
void vm_mark_used_dirty(struct vmap_area *vm, size_t offset)
{
	unsigned long a = vm->addr + ALIGN_DOWN(offset, PAGEBLOCK_SIZE), end = vm->addr + vm->size;
	unsigned long last = ALIGN_DOWN(end, PAGEBLOCK_SIZE);

	if (a < last)
		vm_set_dirty(a, last - a, 0xffff);
	if (a < end && last < end)
		*dirty_mask(last) |= (u16)bit_range(0, (unsigned int)((end - last) >> FRAME_SHIFT));
}

void vm_unlink_free(struct vmap_area *vm)
{
	rb_erase(&vm->node, &vmap_state.free);
	if (vm->dirty) {
		list_del(&vm->lru);
		VMAP_ADD(dirty, -vm->dirty);
		purge_account_dirty(-vm->dirty);
	}
	vm_clear_tags(vm);
}

/* Into the tree as it is: addr, bytes, dirty, seq are set. */
static void link_free(struct vmap_area *vm)
{
	vm->state = VM_FREE;
	vm_set_tags(vm);
	tree_insert(vm);
	if (vm->dirty) {
		list_add_tail(&vm->lru, &vmap_state.lru);
		VMAP_ADD(dirty, vm->dirty);
		purge_account_dirty(vm->dirty);
	}
}

static void take_seams(struct vmap_area *vm, struct vmap_area *from)
{
	vm->seams += from->seams;
	from->seams = 0;
}

/* Merges with free neighbours and links; vm is on nothing. */
void vm_insert_free(struct vmap_area *vm)
{
	struct vmap_area *left = vm_at(vm->addr - PAGEBLOCK_SIZE);
	struct vmap_area *right = vm_at(vm->addr + vm->bytes);

	if (left && left->state == VM_FREE && left->addr + left->bytes == vm->addr) {
		vm_unlink_free(left);
		vm->addr = left->addr;
		vm->bytes += left->bytes;
		vm->dirty += left->dirty;
		take_seams(vm, left);
		vm_put_record(left);
	}
	if (right && right->state == VM_FREE && right->addr == vm->addr + vm->bytes) {
		vm_unlink_free(right);
		vm->bytes += right->bytes;
		vm->dirty += right->dirty;
		take_seams(vm, right);
		vm_put_record(right);
	}
	link_free(vm);
}

/* ---- lock ---- */

static void drain_deferred(void)
{
	struct llist_node *n = llist_del_all(&vmap_state.deferred), *next;

	for (; n; n = next) {
		struct vmap_area *vm = container_of(n, struct vmap_area, deferred);

		next = n->next;
		if (vm->state == VM_PURGING || vm->state == VM_UNMAPPING)
			list_del(&vm->lru);
		if (vm->state == VM_PURGING)
			vm_insert_free(vm);
		else if (vm->state == VM_FREEING)
			vm_free_locked(vm);
		else
			vm_put_record(vm);
	}
}

bool lock_vmap(bool may_wait)
{
	if (!(may_wait ? spin_lock(&vmap_lock) : spin_trylock(&vmap_lock)))
		return false;
	if (unlikely(!vmap_state.ready)) {
		INIT_LIST_HEAD(&vmap_state.lru);
		INIT_LIST_HEAD(&vmap_state.purging);
		INIT_LIST_HEAD(&vmap_state.lazy);
		vmap_state.ready = true;
	}
	if (unlikely(atomic_load_explicit(&vmap_state.deferred.first, memory_order_relaxed)))
		drain_deferred();
	return true;
}

void unlock_vmap(void)
{
	spin_unlock(&vmap_lock);
}

/* ---- allocation ---- */

size_t vm_area_bytes(size_t size)
{
	size_t bytes;

	if (check_add_overflow(size, 2 * PAGE_SIZE + PAGEBLOCK_SIZE, &bytes))
		return 0;
	return __vm_area_bytes(size);
}

/* Where they are nobody knows: each part has one, and the largest, mostly, the rest. */
static void share_seams(struct vmap_area *vm, struct vmap_area *head, struct vmap_area *tail)
{
	unsigned int left = vm->seams;

	vm_set_seams(vm, 1);
	left--;
	if (head) {
		vm_set_seams(head, tail || !left ? 1 : left);
		left -= MIN(left, head->seams);
	}
	if (tail)
		vm_set_seams(tail, MAX(left, 1u));
}

/*
 * Splits [addr, addr + bytes) out of a free area (which is unlinked); the rest goes back to the
 * tree.
 */
bool vm_carve(struct vmap_area *vm, unsigned long addr, size_t bytes)
{
	size_t before = addr - vm->addr, after = vm->bytes - before - bytes;
	struct vmap_area *head = before ? vm_get_record() : NULL,
			 *tail = after ? vm_get_record() : NULL;
	bool counted;
	long rest;

	if ((before && !head) || (after && !tail)) {
		if (head)
			vm_put_record(head);
		if (tail)
			vm_put_record(tail);
		link_free(vm);
		return false;
	}
	if (unlikely(vm->seams))
		share_seams(vm, head, tail);
	/* the rest is what is left: it may be a GiB of masks */
	rest = vm->dirty;
	vm->dirty = vm_count_dirty(addr, bytes);
	/* not so where the system refused to take frames */
	counted = vm->dirty <= rest;
	rest = MAX(rest - vm->dirty, 0l);
	if (head) {
		head->addr = vm->addr;
		head->bytes = before;
		head->dirty = tail ? MIN(vm_count_dirty(head->addr, before), rest) : rest;
		rest -= head->dirty;
		head->seq = vm->seq;
		link_free(head);
	}
	if (tail) {
		tail->addr = addr + bytes;
		tail->bytes = after;
		tail->dirty = likely(counted) ? rest : vm_count_dirty(tail->addr, after);
		tail->seq = vm->seq;
		link_free(tail);
	}
	vm->addr = addr;
	vm->bytes = bytes;
	return true;
}

static bool fits(const struct vmap_area *vm, size_t bytes, size_t align)
{
	return vm->bytes >= bytes && ALIGN_UP(vm->addr, align) - vm->addr <= vm->bytes - bytes;
}

/* What lies below is in use, and has grown: it will need what is free behind it. */
static bool is_room_of_another(const struct vmap_area *vm)
{
	struct vmap_area *left = vm_at(vm->addr - PAGEBLOCK_SIZE);

	return left && left->grows && left->state == VM_BUSY &&
	       left->addr + left->bytes == vm->addr;
}

/* Where in a free area that fits: at its start, or as far from who needs that as may be. */
static unsigned long place_in(const struct vmap_area *vm, size_t bytes, size_t align)
{
	if (likely(!is_room_of_another(vm)))
		return ALIGN_UP(vm->addr, align);
	return ALIGN_DOWN(vm->addr + vm->bytes - bytes, align);
}

/*
 * Among the areas freed last, one that fits and is mostly dirty: touching it again costs no
 * page faults.
 */
static struct vmap_area *recent_dirty_fit(size_t bytes, size_t align)
{
	struct list_head *pos = vmap_state.lru.prev;
	unsigned int tries;

	for (tries = 0; pos != &vmap_state.lru && tries < FIT_TRIES; tries++, pos = pos->prev) {
		struct vmap_area *vm = list_entry(pos, struct vmap_area, lru);

		if (fits(vm, bytes, align) && (size_t)vm->dirty << FRAME_SHIFT > bytes / 2)
			return vm;
	}
	return NULL;
}

/* Best fit among the free areas, but dirty memory before clean; NULL if none fits. */
static struct vmap_area *take_free(size_t bytes, size_t align)
{
	struct vmap_area *vm = tree_best_fit(bytes);
	unsigned long addr;
	unsigned int tries;

	for (tries = 0; vm; tries++) {
		struct rb_node *next;

		if (fits(vm, bytes, align)) {
			struct vmap_area *dirty = NULL;

			if ((size_t)vm->dirty << FRAME_SHIFT <= bytes / 2)
				dirty = recent_dirty_fit(bytes, align);
			if (dirty)
				vm = dirty;
			addr = place_in(vm, bytes, align);
			vm_unlink_free(vm);
			return vm_carve(vm, addr, bytes) ? vm : NULL;
		}
		if (tries == FIT_TRIES) {
			vm = tree_best_fit(bytes + align);
			continue;
		}
		next = rb_next(&vm->node);
		vm = next ? rb_entry(next, struct vmap_area, node) : NULL;
	}
	return NULL;
}

/* A new area straight from the system, linked nowhere. */
static struct vmap_area *map_area(struct vmap_area *vm, size_t bytes, size_t align,
				  unsigned long limit)
{
	unsigned long addr;

	if (!vm)
		return NULL;
	align = MAX(align, PAGEBLOCK_SIZE);
	if (unlikely(limit))
		addr = (unsigned long)os_map_below(bytes, align, limit);
	else
		addr = (unsigned long)os_map_aligned(bytes, align);
	if (!addr || !memmap_add_leaves(addr, bytes)) {
		if (addr)
			os_unmap((void *)addr, bytes);
		return NULL;
	}
	vm_set_dirty(addr, bytes, 0);
	vm->addr = addr;
	vm->bytes = bytes;
	vm->dirty = 0;
	vm->seq = 0;
	vm_set_seams(vm, 0);
	vm->keep = false;
	vm->once = false;
	vm->guard = false;
	return vm;
}

static struct vmap_area *map_and_carve(size_t bytes, size_t align)
{
	size_t share = ALIGN_UP(READ_ONCE(vmap_state.mapped) / GROW_SHARE, HUGE_PAGE);
	size_t grow = MAX(MIN(share, GROW_MAX), GROW_MIN);
	struct vmap_area *record = vm_get_record(), *vm = NULL;

	if (!record)
		return NULL;
	/* a guarded area is unmapped when it is freed: what lay around it would merge with nothing */
	if (bytes < grow && align <= HUGE_PAGE && likely(!param_yes(PARAM_vmalloc_guard)))
		vm = map_area(record, grow, align, 0);
	if (!vm)
		vm = map_area(record, bytes, align, 0);
	if (!vm) {
		vm_put_record(record);
		return NULL;
	}
	VMAP_ADD(mapped, vm->bytes);
	if (vm->bytes > bytes && !vm_carve(vm, vm->addr, bytes))
		return NULL;
	return vm;
}

struct vmap_area *vm_alloc_area(size_t bytes, size_t align)
{
	struct vmap_area *vm = take_free(bytes, align);

	return vm ? vm : map_and_carve(bytes, align);
}

/* At start-up: a sandbox that comes later may forbid the question. */
void vmap_init(void)
{
	vmap_state.limited = os_memory_rlimit() != 0;
}

/* A free area in which a block can grow to several times its size; NULL: there is none. */
static struct vmap_area *roomy_area(size_t bytes)
{
	struct list_head *pos = vmap_state.lru.prev;
	struct rb_node *last = rb_last(&vmap_state.free);
	struct vmap_area *vm;
	unsigned int tries;

	for (tries = 0; pos != &vmap_state.lru && tries < FIT_TRIES; tries++, pos = pos->prev) {
		vm = list_entry(pos, struct vmap_area, lru);
		if (vm->bytes / ROOM_LEAST >= bytes && !is_room_of_another(vm))
			return vm;
	}
	vm = last ? rb_entry(last, struct vmap_area, node) : NULL;
	if (!vm || vm->bytes / ROOM_LEAST < bytes)
		return NULL;
	return vm;
}

struct vmap_area *vm_alloc_area_to_grow(size_t bytes, size_t align)
{
	size_t room = MAX(bytes * ROOM_NEW, ROOM_MIN);
	struct vmap_area *vm = roomy_area(bytes), *record;
	unsigned long addr;

	/* a guarded area is unmapped when it is freed: rooms would merge with nothing */
	if (unlikely(param_yes(PARAM_vmalloc_guard)))
		return NULL;
	if (!vm && bytes < ROOM_MAX && !vmap_state.limited) {
		record = vm_get_record();
		vm = map_area(record, room, HUGE_PAGE, 0);
		if (vm) {
			VMAP_ADD(mapped, room);
			vm_insert_free(vm);
		} else if (record) {
			vm_put_record(record);
		}
	}
	if (!vm)
		return NULL;
	/* the first of it, or the second half where the first is someone's room */
	addr = vm->addr;
	if (is_room_of_another(vm))
		addr += ALIGN_UP(vm->bytes / 2, PAGEBLOCK_SIZE);
	addr = ALIGN_UP(addr, align);
	if (addr - vm->addr > vm->bytes - bytes)
		return NULL;
	vm_unlink_free(vm);
	return vm_carve(vm, addr, bytes) ? vm : NULL;
}

/* A record that an area left, or a new one; locked: the caller has the lock. */
static struct vmap_area *get_record(bool locked)
{
	struct vmap_area *vm;

	if (!locked && !lock_vmap(false))
		return new_record(true);
	vm = vm_get_record();
	if (!locked)
		unlock_vmap();
	return vm;
}

/* One mapping from the system; the lock need not be held. */
struct vmap_area *vm_alloc_area_alone(size_t bytes, size_t align, unsigned long limit, bool locked)
{
	struct vmap_area *record = get_record(locked);
	struct vmap_area *vm = map_area(record, bytes, align, limit);

	if (vm)
		VMAP_ADD(mapped, bytes);
	else if (record)
		llist_add(&record->deferred, &vmap_state.spare);
	return vm;
}

/*
 * The first place in a free area whose first size bytes hold memory; 0: none. A block that does
 * not is never looked at twice.
 */
static unsigned long touched_place(struct vmap_area *vm, size_t size, size_t bytes, size_t align)
{
	unsigned long end = vm->addr + vm->bytes, start = ALIGN_UP(vm->addr, align), a = start;

	while (start < end && bytes <= end - start) {
		size_t left = start + size - a;
		u16 wanted = left >= PAGEBLOCK_SIZE ? 0xffff :
			(u16)((1u << (left >> FRAME_SHIFT)) - 1);

		if ((*dirty_mask(a) & wanted) != wanted)
			start = a = ALIGN_UP(a + PAGEBLOCK_SIZE, align);
		else if (left <= PAGEBLOCK_SIZE)
			return start;
		else
			a += PAGEBLOCK_SIZE;
	}
	return 0;
}

struct vmap_area *vm_alloc_area_mapped(size_t size, size_t bytes, size_t align, bool touched)
{
	struct vmap_area *vm;

	if (!have_two_records())
		return NULL;
	if (!touched)
		return take_free(bytes, align);
	size = ALIGN_UP(size, FRAME_SIZE);
	list_for_each_entry(vm, &vmap_state.lru, lru) {
		unsigned long place = touched_place(vm, size, bytes, align);

		if (place) {
			vm_unlink_free(vm);
			return vm_carve(vm, place, bytes) ? vm : NULL;
		}
	}
	return NULL;
}

void vm_free_locked(struct vmap_area *vm)
{
	VMAP_ADD(nr_busy, -1);
	VMAP_ADD(busy_bytes, -vm->bytes);
	if (unlikely(vm->guard || vm->once)) {
		vm->state = VM_LAZY;
		list_add_tail(&vm->lru, &vmap_state.lazy);
		vmap_state.lazy_bytes += vm->bytes;
		return;
	}
	vm->seq = purge_next_seq();
	vm_insert_free(vm);
}

/* ---- giving back ---- */

unsigned long vmap_oldest_seq(void)
{
	unsigned long seq = ULONG_MAX;

	if (!lock_vmap(true))
		return seq;
	if (!list_empty(&vmap_state.lru))
		seq = list_first_entry(&vmap_state.lru, struct vmap_area, lru)->seq;
	unlock_vmap();
	return seq;
}

/*
 * Gives back up to PURGE_AT_ONCE frames of the area, from its end, as the next allocation takes
 * its start; refused: the system does not take some.
 */
static unsigned long dontneed_some(struct vmap_area *vm, bool *refused)
{
	unsigned long end = vm->addr + vm->bytes, purged = 0;

	*refused = false;
	while (end > vm->addr && purged < PURGE_AT_ONCE) {
		unsigned long a = end, run = 0;

		while (a > vm->addr && *dirty_mask(a - PAGEBLOCK_SIZE) &&
		       purged + run < PURGE_AT_ONCE) {
			a -= PAGEBLOCK_SIZE;
			run += hweight64(*dirty_mask(a));
		}
		if (a == end) {
			end -= PAGEBLOCK_SIZE;
			continue;
		}
		if (os_dontneed((void *)a, end - a)) {
			purged += run;
			vm_set_dirty(a, end - a, 0);
		} else {
			*refused = true;
		}
		end = a;
	}
	return purged;
}

bool vm_unmap(struct vmap_area *vm)
{
	vm_clear_tags(vm);
	vm_set_dirty(vm->addr, vm->bytes, 0);
	if (os_unmap((void *)vm->addr, vm->bytes)) {
		VMAP_ADD(mapped, -vm->bytes);
		vm_set_seams(vm, 0);
		return true;
	}
	vm_set_dirty(vm->addr, vm->bytes, 0xffff);
	vm->dirty = vm_count_dirty(vm->addr, vm->bytes);
	vm->keep = true;
	vm_set_tags(vm);
	return false;
}

bool vm_renew(struct vmap_area *vm, unsigned long addr, size_t bytes)
{
	if (!os_map_over((void *)addr, bytes))
		return false;
	vm_set_dirty(addr, bytes, 0);
	if (addr == vm->addr && bytes == vm->bytes)
		vm_set_seams(vm, 0);
	return true;
}

/* Back from vmap_state.purging; lock held. */
static void end_purge(struct vmap_area *vm)
{
	list_del(&vm->lru);
	if (vm->state == VM_UNMAPPING) {
		vm_put_record(vm);
	} else if (vm->dirty) {	/* the oldest still: first in line again */
		link_free(vm);
		list_del(&vm->lru);
		list_add(&vm->lru, &vmap_state.lru);
	} else {
		vm_insert_free(vm);
	}
}

unsigned long vmap_purge_oldest(void)
{
	struct vmap_area *vm;
	unsigned long purged;
	bool refused = false;

	if (!lock_vmap(true))
		return 0;
	if (list_empty(&vmap_state.lru)) {
		unlock_vmap();
		return 0;
	}
	vm = list_first_entry(&vmap_state.lru, struct vmap_area, lru);
	vm_unlink_free(vm);
	vm->state = VM_PURGING;
	/* not for a little memory in much address space, which may be a block's room to grow */
	if ((size_t)vm->dirty << FRAME_SHIFT >= UNMAP_MIN && !vm->keep)
		vm->state = VM_UNMAPPING;
	list_add(&vm->lru, &vmap_state.purging);
	unlock_vmap();

	purged = (unsigned long)vm->dirty;
	if (vm->state == VM_UNMAPPING && !vm_unmap(vm))
		vm->state = VM_PURGING;
	if (vm->state == VM_PURGING && vm->seams && purged <= PURGE_AT_ONCE &&
	    vm_renew(vm, vm->addr, vm->bytes)) {
		vm->dirty = 0;
	} else if (vm->state == VM_PURGING) {
		purged = dontneed_some(vm, &refused);
		/*
		 * what the system refuses is not tried again: not counted, though its masks
		 * still say that it is dirty
		 */
		vm->dirty = refused ? 0 : vm_count_dirty(vm->addr, vm->bytes);
	}
	purge_account_purged((long)purged);

	if (!lock_vmap(true)) {
		llist_add(&vm->deferred, &vmap_state.deferred);
		return purged;
	}
	end_purge(vm);
	unlock_vmap();
	return MAX(purged, 1ul);
}

size_t vmap_unmap_free(void)
{
	struct rb_node *n;
	size_t sum = 0;

	if (READ_ONCE(vmap_state.lazy_bytes))
		sum = vmap_purge_lazy();
	if (!lock_vmap(true))
		return sum;
	while ((n = rb_last(&vmap_state.free))) {
		struct vmap_area *vm = rb_entry(n, struct vmap_area, node);
		size_t bytes = vm->bytes;
		long dirty = vm->dirty;

		vm_unlink_free(vm);
		if (!vm_unmap(vm)) {
			link_free(vm);
			break;
		}
		vm_put_record(vm);
		sum += bytes;
		purge_account_purged(dirty);
	}
	unlock_vmap();
	return sum;
}

/* The lock is ours. Areas that other threads were purging come back as dirty ones. */
void vmap_fork_child(void)
{
	struct vmap_area *vm, *n;

	if (!vmap_state.ready)
		return;
	drain_deferred();
	list_for_each_entry_safe(vm, n, &vmap_state.purging, lru) {
		list_del(&vm->lru);
		if (vm->state == VM_UNMAPPING) {
			/* whether it is mapped still, nobody knows */
			vm_put_record(vm);
			continue;
		}
		vm_set_dirty(vm->addr, vm->bytes, 0xffff);
		vm->dirty = vm_count_dirty(vm->addr, vm->bytes);
		vm_insert_free(vm);
	}
}

void vmap_get_stats(struct vmap_stats *st)
{
	size_t nr, bytes;

	area_cache_get_stats(&nr, &bytes);
	st->nr_busy = READ_ONCE(vmap_state.nr_busy);
	st->nr_busy -= MIN(nr, st->nr_busy);
	st->busy_bytes = READ_ONCE(vmap_state.busy_bytes);
	st->busy_bytes -= MIN(bytes, st->busy_bytes);
	st->dirty_bytes = (size_t)MAX(READ_ONCE(vmap_state.dirty), 0l) << FRAME_SHIFT;
	st->dirty_bytes += bytes;
	st->free_bytes = READ_ONCE(vmap_state.mapped);
	st->free_bytes -= MIN(st->free_bytes, st->busy_bytes);
}

bool vmap_validate(void)
{
	struct rb_node *n;
	bool ok = true;

	if (!lock_vmap(true))
		return false;
	for (n = rb_first(&vmap_state.free); n; n = rb_next(n)) {
		struct vmap_area *vm = rb_entry(n, struct vmap_area, node);
		struct rb_node *next = rb_next(n);

		ok &= vm->state == VM_FREE && vm->bytes &&
		      IS_ALIGNED(vm->addr | vm->bytes, PAGEBLOCK_SIZE);
		ok &= vm_at(vm->addr) == vm && vm_at(vm->addr + vm->bytes - PAGEBLOCK_SIZE) == vm;
		ok &= vm->dirty <= vm_count_dirty(vm->addr, vm->bytes);
		ok &= !next ||
		      !is_less(rb_entry(next, struct vmap_area, node), vm->bytes, vm->addr);
	}
	unlock_vmap();
	return ok;
}

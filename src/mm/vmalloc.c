// SPDX-License-Identifier: MIT
/*
 * The vmalloc region. Layer: mm. Leads in: vmap_alloc, vmap_free, vmap_resize. Leads down: os_map, purge.
 *
 * An area is a run of pageblocks in one of the states of enum vm_state; at least one page at the end of a busy one is the
 * guard, address space that nobody touches. The index of memmap names an area at its first and last pageblock:
 * free() and realloc() find it from its address, a freed area finds its neighbours and merges with those that are free, clean
 * or dirty; the dirty masks remember which frames hold memory. No address tree is needed.
 *
 * vmap_lock (rank LOCK_VMAP) guards all but the records of areas that only one thread knows. A free that cannot have the
 * lock pushes its area on vmap.deferred, for the next holder.
 * Free areas of UNMAP_MIN and more are unmapped when purged: their address space is worth more than the next mmap.
 * An area that mremap made is a mapping of its own for ever (its page offsets fit no neighbour): it is mapped anew when it
 * is freed, and so is the place that pages moved away from, so that the number of mappings follows what is in use.
 */
#include "mm/vmalloc.h"
#include "mm/meta.h"
#include "mm/purge.h"
#include "kernel/bug.h"
#include "lib/overflow.h"

#define CHUNK_STRUCTS	1024u
#define NR_CHUNKS	4096u
#define HUGE_PAGE	(2ul << 20)	/* areas of that size are aligned to it for transparent huge pages */
#define GROW_MIN	(1ul << 20)	/* mapped at once for small areas: an eighth of what is there, */
#define GROW_MAX	(32ul << 20)	/* within these */
#define GROW_SHARE	8
#define UNMAP_MIN	(32ul << 20)
#define FIT_TRIES	8u		/* areas looked at for one whose aligned part is large enough */
#define PURGE_AT_ONCE	2048ul		/* frames given back a time (8 MiB), so that no more goes than must */
#define MOVE_MIN	(256ul << 10)	/* moving pages is cheaper than copying from here on */
#define ZERO_BY_SYSTEM	(8ul << 20)	/* dirty runs from here on are zeroed by giving them back: most are not touched soon */
#define SHRINK_MIN	(128ul << 10)	/* a tail that is worth splitting off, */
#define SHRINK_SHARE	8		/* if it is that part of the block */
#define USED_MAX	(128ul << 20)	/* of an area counts as used: more may well be address space alone */

static struct {
	bool ready;
	struct rb_root free;
	struct list_head lru, purging;
	struct vm_struct *unused;	/* records, linked by lru.next */
	size_t mapped;			/* bytes in all areas */
	size_t busy_bytes;
	unsigned long nr_busy;
	long dirty;			/* frames, of all on the lru */
	_Atomic u32 next_nr;		/* no lock: records never used yet */
	struct llist_head deferred;	/* no lock */
	_Atomic(struct vm_struct *) chunks[NR_CHUNKS];
} vmap;

spinlock_t vmap_lock;

/* Of areas made without the lock too. */
#define VMAP_ADD(field, n)	__atomic_fetch_add(&vmap.field, n, __ATOMIC_RELAXED)

/* ---- records ---- */

static struct vm_struct *vm_by_nr(u32 nr)
{
	struct vm_struct *chunk = atomic_load_explicit(&vmap.chunks[nr / CHUNK_STRUCTS], memory_order_acquire);

	return &chunk[nr % CHUNK_STRUCTS];
}

/* A record never used before; lock-free. */
static struct vm_struct *new_record(void)
{
	u32 nr = atomic_fetch_add_explicit(&vmap.next_nr, 1, memory_order_relaxed);
	_Atomic(struct vm_struct *) *slot;
	struct vm_struct *chunk, *expect = NULL;

	if (nr >= CHUNK_STRUCTS * NR_CHUNKS)
		return NULL;
	slot = &vmap.chunks[nr / CHUNK_STRUCTS];
	if (!atomic_load_explicit(slot, memory_order_acquire)) {
		chunk = meta_alloc(CHUNK_STRUCTS * sizeof(struct vm_struct), 64);
		if (!chunk)
			return NULL;
		atomic_compare_exchange_strong_explicit(slot, &expect, chunk, memory_order_release,
							memory_order_relaxed);
	}
	vm_by_nr(nr)->nr = nr;
	return vm_by_nr(nr);
}

static struct vm_struct *get_record(void)
{
	struct vm_struct *vm = vmap.unused;

	if (!vm)
		return new_record();
	vmap.unused = (struct vm_struct *)(void *)vm->lru.next;
	return vm;
}

static void put_record(struct vm_struct *vm)
{
	vm->state = VM_UNUSED;
	vm->lru.next = (struct list_head *)(void *)vmap.unused;
	vmap.unused = vm;
}

/* ---- index and tree ---- */

static void set_tags(struct vm_struct *vm)
{
	WRITE_ONCE(*vm_index(vm->addr), vm->nr + 1);
	WRITE_ONCE(*vm_index(vm->addr + vm->bytes - PAGEBLOCK_SIZE), vm->nr + 1);
}

static void clear_tags(struct vm_struct *vm)
{
	WRITE_ONCE(*vm_index(vm->addr), 0);
	WRITE_ONCE(*vm_index(vm->addr + vm->bytes - PAGEBLOCK_SIZE), 0);
}

static struct vm_struct *vm_at(unsigned long addr)
{
	struct map_leaf *leaf = leaf_of(addr);
	u32 nr = leaf ? READ_ONCE(leaf->vm[leaf_block(addr)]) : 0;

	return nr ? vm_by_nr(nr - 1) : NULL;
}

static bool is_less(const struct vm_struct *a, size_t bytes, unsigned long addr)
{
	return a->bytes < bytes || (a->bytes == bytes && a->addr < addr);
}

static void tree_insert(struct vm_struct *vm)
{
	struct rb_node **link = &vmap.free.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		if (is_less(rb_entry(parent, struct vm_struct, node), vm->bytes, vm->addr))
			link = &parent->right;
		else
			link = &parent->left;
	}
	rb_link_node(&vm->node, parent, link);
	rb_insert_color(&vm->node, &vmap.free);
}

/* The smallest free area of at least that size. */
static struct vm_struct *tree_best_fit(size_t bytes)
{
	struct rb_node *n = vmap.free.rb_node;
	struct vm_struct *best = NULL;

	while (n) {
		struct vm_struct *vm = rb_entry(n, struct vm_struct, node);

		if (is_less(vm, bytes, 0)) {
			n = n->right;
		} else {
			best = vm;
			n = n->left;
		}
	}
	return best;
}

static long count_dirty(unsigned long addr, size_t bytes)
{
	unsigned long a;
	long n = 0;

	for (a = addr; a < addr + bytes; a += PAGEBLOCK_SIZE)
		n += hweight64(*dirty_mask(a));
	return n;
}

static void set_dirty(unsigned long addr, size_t bytes, u16 mask)
{
	unsigned long a;

	for (a = addr; a < addr + bytes; a += PAGEBLOCK_SIZE)
		*dirty_mask(a) = mask;
}

/*
 * Frames from offset on, as far as the program could touch them, may hold memory; what lies behind is as it was when
 * the area was made.
 */
static void mark_used_dirty(struct vm_struct *vm, size_t offset)
{
	unsigned long a = vm->addr + ALIGN_DOWN(offset, PAGEBLOCK_SIZE), end = vm->addr + vm->size;

	for (; a < end; a += PAGEBLOCK_SIZE)
		*dirty_mask(a) |= end - a >= PAGEBLOCK_SIZE ? 0xffff :
			(u16)bit_range(0, (unsigned int)((end - a) >> FRAME_SHIFT));
}

static void unlink_free(struct vm_struct *vm)
{
	rb_erase(&vm->node, &vmap.free);
	if (vm->dirty) {
		list_del(&vm->lru);
		VMAP_ADD(dirty, -vm->dirty);
		purge_account_dirty(-vm->dirty);
	}
	clear_tags(vm);
}

/* Into the tree as it is: addr, bytes, dirty, seq are set. */
static void link_free(struct vm_struct *vm)
{
	vm->state = VM_FREE;
	set_tags(vm);
	tree_insert(vm);
	if (vm->dirty) {
		list_add_tail(&vm->lru, &vmap.lru);
		VMAP_ADD(dirty, vm->dirty);
		purge_account_dirty(vm->dirty);
	}
}

/* Merges with free neighbours and links; vm is on nothing. */
static void insert_free(struct vm_struct *vm)
{
	struct vm_struct *left = vm_at(vm->addr - PAGEBLOCK_SIZE);
	struct vm_struct *right = vm_at(vm->addr + vm->bytes);

	if (left && left->state == VM_FREE && left->addr + left->bytes == vm->addr) {
		unlink_free(left);
		vm->addr = left->addr;
		vm->bytes += left->bytes;
		vm->dirty += left->dirty;
		put_record(left);
	}
	if (right && right->state == VM_FREE && right->addr == vm->addr + vm->bytes) {
		unlink_free(right);
		vm->bytes += right->bytes;
		vm->dirty += right->dirty;
		put_record(right);
	}
	link_free(vm);
}

static long used_frames(size_t bytes)
{
	return (long)(MIN(bytes, USED_MAX) >> FRAME_SHIFT);
}

/* ---- lock ---- */

static void free_locked(struct vm_struct *vm);

static void drain_deferred(void)
{
	struct llist_node *n = llist_del_all(&vmap.deferred), *next;

	for (; n; n = next) {
		struct vm_struct *vm = container_of(n, struct vm_struct, deferred);

		next = n->next;
		if (vm->state == VM_PURGING || vm->state == VM_UNMAPPING)
			list_del(&vm->lru);
		if (vm->state == VM_PURGING)
			insert_free(vm);
		else if (vm->state == VM_FREEING)
			free_locked(vm);
		else
			put_record(vm);
	}
}

static bool lock_vmap(bool may_wait)
{
	if (!(may_wait ? spin_lock(&vmap_lock) : spin_trylock(&vmap_lock)))
		return false;
	if (unlikely(!vmap.ready)) {
		INIT_LIST_HEAD(&vmap.lru);
		INIT_LIST_HEAD(&vmap.purging);
		vmap.ready = true;
	}
	if (unlikely(atomic_load_explicit(&vmap.deferred.first, memory_order_relaxed)))
		drain_deferred();
	return true;
}

static void unlock_vmap(void)
{
	spin_unlock(&vmap_lock);
}

/* ---- allocation ---- */

/* Address space for size usable bytes and the guard; 0 if that overflows. */
static size_t area_bytes(size_t size)
{
	size_t bytes;

	if (check_add_overflow(size, 2 * PAGE_SIZE + PAGEBLOCK_SIZE, &bytes))
		return 0;
	return ALIGN_UP(ALIGN_UP(size, PAGE_SIZE) + PAGE_SIZE, PAGEBLOCK_SIZE);
}

/* Splits [addr, addr + bytes) out of a free area (which is unlinked); the rest goes back to the tree. */
static bool carve(struct vm_struct *vm, unsigned long addr, size_t bytes)
{
	size_t before = addr - vm->addr, after = vm->bytes - before - bytes;
	struct vm_struct *head = before ? get_record() : NULL, *tail = after ? get_record() : NULL;

	if ((before && !head) || (after && !tail)) {
		if (head)
			put_record(head);
		if (tail)
			put_record(tail);
		link_free(vm);
		return false;
	}
	if (head) {
		head->addr = vm->addr;
		head->bytes = before;
		head->dirty = count_dirty(head->addr, before);
		head->seq = vm->seq;
		link_free(head);
	}
	if (tail) {
		tail->addr = addr + bytes;
		tail->bytes = after;
		tail->dirty = count_dirty(tail->addr, after);
		tail->seq = vm->seq;
		link_free(tail);
	}
	vm->addr = addr;
	vm->bytes = bytes;
	vm->dirty = count_dirty(addr, bytes);
	return true;
}

static bool fits(const struct vm_struct *vm, size_t bytes, size_t align)
{
	return vm->bytes >= bytes && ALIGN_UP(vm->addr, align) - vm->addr <= vm->bytes - bytes;
}

/* Among the areas freed last, one that fits and is mostly dirty: touching it again costs no page faults. */
static struct vm_struct *recent_dirty_fit(size_t bytes, size_t align)
{
	struct list_head *pos = vmap.lru.prev;
	unsigned int tries;

	for (tries = 0; pos != &vmap.lru && tries < FIT_TRIES; tries++, pos = pos->prev) {
		struct vm_struct *vm = list_entry(pos, struct vm_struct, lru);

		if (fits(vm, bytes, align) && (size_t)vm->dirty << FRAME_SHIFT > bytes / 2)
			return vm;
	}
	return NULL;
}

/* Best fit among the free areas, but dirty memory before clean; NULL if none fits. */
static struct vm_struct *take_free(size_t bytes, size_t align)
{
	struct vm_struct *vm = tree_best_fit(bytes);
	unsigned int tries;

	for (tries = 0; vm; tries++) {
		struct rb_node *next;

		if (fits(vm, bytes, align)) {
			struct vm_struct *dirty = NULL;

			if ((size_t)vm->dirty << FRAME_SHIFT <= bytes / 2)
				dirty = recent_dirty_fit(bytes, align);
			if (dirty)
				vm = dirty;
			unlink_free(vm);
			return carve(vm, ALIGN_UP(vm->addr, align), bytes) ? vm : NULL;
		}
		if (tries == FIT_TRIES) {
			vm = tree_best_fit(bytes + align);
			continue;
		}
		next = rb_next(&vm->node);
		vm = next ? rb_entry(next, struct vm_struct, node) : NULL;
	}
	return NULL;
}

/* A new area straight from the system, linked nowhere. */
static struct vm_struct *map_area(struct vm_struct *vm, size_t bytes, size_t align)
{
	unsigned long addr;

	if (!vm)
		return NULL;
	addr = (unsigned long)os_map_aligned(bytes, MAX(align, PAGEBLOCK_SIZE));
	if (!addr || !memmap_add_leaves(addr, bytes)) {
		if (addr)
			os_unmap((void *)addr, bytes);
		return NULL;
	}
	set_dirty(addr, bytes, 0);
	vm->addr = addr;
	vm->bytes = bytes;
	vm->dirty = 0;
	vm->seq = 0;
	vm->moved = false;
	vm->keep = false;
	return vm;
}

static struct vm_struct *map_and_carve(size_t bytes, size_t align)
{
	size_t grow = MAX(MIN(ALIGN_UP(READ_ONCE(vmap.mapped) / GROW_SHARE, HUGE_PAGE), GROW_MAX), GROW_MIN);
	struct vm_struct *record = get_record(), *vm = NULL;

	if (!record)
		return NULL;
	if (bytes < grow && align <= HUGE_PAGE)
		vm = map_area(record, grow, align);
	if (!vm)
		vm = map_area(record, bytes, align);
	if (!vm) {
		put_record(record);
		return NULL;
	}
	VMAP_ADD(mapped, vm->bytes);
	if (vm->bytes > bytes && !carve(vm, vm->addr, bytes))
		return NULL;
	return vm;
}

static void publish(struct vm_struct *vm, size_t size)
{
	vm->size = ALIGN_UP(size, PAGE_SIZE);
	vm->state = VM_BUSY;
	set_tags(vm);
	set_class(vm->addr, CLASS_OTHER);
}

/* Clears the frames that are not known to be zero. */
static void clear_dirty(struct vm_struct *vm)
{
	unsigned long a = vm->addr, end = vm->addr + vm->size;

	while (a < end) {
		unsigned long start = a;

		while (a < end && *dirty_mask(a))
			a += PAGEBLOCK_SIZE;
		if (a == start)
			a += PAGEBLOCK_SIZE;
		else if (a - start < ZERO_BY_SYSTEM || a > end || !os_dontneed((void *)start, a - start))
			memset((void *)start, 0, MIN(a, end) - start);
	}
}

static struct vm_struct *alloc_area(size_t bytes, size_t align)
{
	struct vm_struct *vm = take_free(bytes, align);

	return vm ? vm : map_and_carve(bytes, align);
}

/* Without the lock: one mapping from the system. */
static struct vm_struct *alloc_area_nolock(size_t bytes, size_t align)
{
	struct vm_struct *record = new_record(), *vm = map_area(record, bytes, align);

	if (vm)
		VMAP_ADD(mapped, bytes);
	else if (record)
		llist_add(&record->deferred, &vmap.deferred);
	return vm;
}

void *vmap_alloc(size_t size, size_t align, bool zero, bool may_wait)
{
	size_t bytes = area_bytes(size);
	struct vm_struct *vm;
	bool locked;

	if (!bytes)
		return NULL;
	if (align < HUGE_PAGE && size >= HUGE_PAGE)
		align = HUGE_PAGE;
	align = MAX(align, PAGEBLOCK_SIZE);
	locked = lock_vmap(may_wait);
	vm = locked ? alloc_area(bytes, align) : alloc_area_nolock(bytes, align);
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
	if (zero && vm->dirty)
		clear_dirty(vm);
	return (void *)vm->addr;
}

/* ---- look-up ---- */

struct vm_struct *find_vm_area(const void *p)
{
	struct vm_struct *vm = vm_at((unsigned long)p);

	return vm && vm->addr == (unsigned long)p && vm->state == VM_BUSY ? vm : NULL;
}

struct vm_struct *find_vm_area_inside(const void *p)
{
	unsigned long addr = ALIGN_DOWN((unsigned long)p, PAGEBLOCK_SIZE), a;

	for (a = addr; a && addr - a < LEAF_SIZE && leaf_of(a); a -= PAGEBLOCK_SIZE) {
		struct vm_struct *vm = vm_at(a);

		if (vm && vm->state != VM_UNUSED)
			return vm->state == VM_BUSY && (unsigned long)p - vm->addr < vm->bytes ? vm : NULL;
	}
	return NULL;
}

/* ---- freeing ---- */

static void free_locked(struct vm_struct *vm)
{
	VMAP_ADD(nr_busy, -1);
	VMAP_ADD(busy_bytes, -vm->bytes);
	vm->seq = purge_next_seq();
	insert_free(vm);
}

/*
 * A mapping that mremap made is replaced by a fresh one, which merges with its neighbours', or unmapped where it is large
 * (false then: there is no area any more). Where the system refuses, it is an area like others.
 */
static bool renew_mapping(struct vm_struct *vm)
{
	vm->moved = false;
	if (vm->bytes >= UNMAP_MIN) {
		clear_tags(vm);
		set_dirty(vm->addr, vm->bytes, 0);
		if (os_unmap((void *)vm->addr, vm->bytes))
			return false;
		set_dirty(vm->addr, vm->bytes, 0xffff);
		set_tags(vm);
	} else if (os_map_over((void *)vm->addr, vm->bytes)) {
		set_dirty(vm->addr, vm->bytes, 0);
	}
	return true;
}

/* After it returns, another thread may own the addresses. */
bool vmap_free(struct vm_struct *vm, bool may_wait)
{
	u8 busy = VM_BUSY;

	if (!atomic_compare_exchange_strong_explicit(&vm->state, &busy, VM_FREEING, memory_order_acq_rel,
						     memory_order_relaxed))
		return false;
	set_class(vm->addr, CLASS_FOREIGN);
	purge_account_free(used_frames(vm->bytes));
	mark_used_dirty(vm, 0);
	if (vm->moved && !renew_mapping(vm)) {
		VMAP_ADD(nr_busy, -1);
		VMAP_ADD(busy_bytes, -vm->bytes);
		VMAP_ADD(mapped, -vm->bytes);
		vm->state = VM_UNUSED;
	} else {
		vm->dirty = count_dirty(vm->addr, vm->bytes);
	}
	if (!lock_vmap(may_wait)) {
		llist_add(&vm->deferred, &vmap.deferred);
		return true;
	}
	if (vm->state == VM_UNUSED)
		put_record(vm);
	else
		free_locked(vm);
	unlock_vmap();
	return true;
}

/* ---- resizing ---- */

/* Takes what is missing from the free area behind; lock held. */
static bool grow_in_place(struct vm_struct *vm, size_t bytes)
{
	struct vm_struct *next = vm_at(vm->addr + vm->bytes);
	size_t more = bytes - vm->bytes;
	long dirty;

	if (!next || next->state != VM_FREE || next->addr != vm->addr + vm->bytes || next->bytes < more)
		return false;
	unlink_free(next);
	if (!carve(next, next->addr, more))
		return false;
	dirty = next->dirty;
	clear_tags(vm);
	vm->bytes = bytes;
	set_tags(vm);
	put_record(next);
	VMAP_ADD(busy_bytes, more);
	purge_account_alloc(used_frames(bytes) - used_frames(bytes - more), dirty);
	return true;
}

static void shrink_in_place(struct vm_struct *vm, size_t size, size_t bytes)
{
	struct vm_struct *tail = get_record();
	size_t less = vm->bytes - bytes;

	if (!tail)
		return;
	clear_tags(vm);
	tail->addr = vm->addr + bytes;
	tail->bytes = less;
	mark_used_dirty(vm, size);
	if (vm->moved && os_map_over((void *)tail->addr, less))
		set_dirty(tail->addr, less, 0);
	tail->dirty = count_dirty(tail->addr, less);
	tail->seq = purge_next_seq();
	vm->bytes = bytes;
	vm->size = ALIGN_UP(size, PAGE_SIZE);
	set_tags(vm);
	VMAP_ADD(busy_bytes, -less);
	purge_account_free(used_frames(bytes + less) - used_frames(bytes));
	insert_free(tail);
}

/* An area twice as large as needed, so that the next growth stays in place; what is not touched costs address space. */
static struct vm_struct *area_to_move_to(size_t bytes)
{
	size_t align = bytes >= HUGE_PAGE ? HUGE_PAGE : PAGEBLOCK_SIZE;
	struct vm_struct *vm = alloc_area(ALIGN_UP(bytes + bytes / 2, PAGEBLOCK_SIZE), align);

	return vm ? vm : alloc_area(bytes, align);
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
 * Moves size bytes of pages. A mapping that grew together from several (of which mremap takes one at a time) is moved
 * in halves of halves; what is then small is copied. Nothing is lost where the system refuses.
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
 * The pages of the area are about to move: from then on anyone may map something at the old addresses, so all that we
 * keep about them goes before, and the unused end with it. Lock held.
 */
static void forget_area(struct vm_struct *vm)
{
	clear_tags(vm);
	set_class(vm->addr, CLASS_FOREIGN);
	set_dirty(vm->addr, vm->bytes, 0);
	os_unmap((void *)(vm->addr + vm->size), vm->bytes - vm->size);
	VMAP_ADD(mapped, -vm->bytes);
	VMAP_ADD(busy_bytes, -vm->bytes);
	VMAP_ADD(nr_busy, -1);
	purge_account_free(used_frames(vm->bytes));
}

/* Takes the place that the pages left again, as a clean free area, unless someone else was faster. Lock held. */
static void reclaim_place(struct vm_struct *vm)
{
	if (!os_map_at((void *)vm->addr, vm->bytes)) {
		put_record(vm);
		return;
	}
	VMAP_ADD(mapped, vm->bytes);
	set_dirty(vm->addr, vm->bytes, 0);
	vm->dirty = 0;
	vm->moved = false;
	insert_free(vm);
}

static void *move_area(struct vm_struct *vm, size_t size, size_t bytes)
{
	struct vm_struct *to = area_to_move_to(bytes);
	bool whole;

	if (!to)
		return NULL;
	whole = os_is_one_mapping((void *)vm->addr, vm->size);
	forget_area(vm);
	/* the moved mapping grows over the whole new area, so that it can be moved again in one piece */
	if (!whole || !remap_or_restore(vm->addr, vm->size, to->addr, to->bytes))
		move_pages(vm->addr, to->addr, vm->size);
	purge_account_alloc(used_frames(to->bytes), used_frames(to->bytes));	/* the pages came along */
	to->moved = true;
	publish(to, size);
	VMAP_ADD(nr_busy, 1);
	VMAP_ADD(busy_bytes, to->bytes);
	reclaim_place(vm);
	return (void *)to->addr;
}

void *vmap_resize(struct vm_struct *vm, size_t size)
{
	size_t bytes = area_bytes(size);
	void *p = NULL;

	if (!bytes || !lock_vmap(true))
		return NULL;
	if (bytes < vm->bytes && size < vm->size && vm->size - size >= MAX(SHRINK_MIN, vm->size / SHRINK_SHARE)) {
		shrink_in_place(vm, size, bytes);
		p = (void *)vm->addr;
	} else if (bytes <= vm->bytes) {
		mark_used_dirty(vm, MIN(size, vm->size));
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

/* ---- giving back ---- */

unsigned long vmap_oldest_seq(void)
{
	unsigned long seq = ULONG_MAX;

	if (!lock_vmap(true))
		return seq;
	if (!list_empty(&vmap.lru))
		seq = list_first_entry(&vmap.lru, struct vm_struct, lru)->seq;
	unlock_vmap();
	return seq;
}

/*
 * Gives back up to PURGE_AT_ONCE frames of the area, from its end, as the next allocation takes its start; refused: the
 * system does not take some.
 */
static unsigned long dontneed_some(struct vm_struct *vm, bool *refused)
{
	unsigned long end = vm->addr + vm->bytes, purged = 0;

	*refused = false;
	while (end > vm->addr && purged < PURGE_AT_ONCE) {
		unsigned long a = end, run = 0;

		while (a > vm->addr && *dirty_mask(a - PAGEBLOCK_SIZE) && purged + run < PURGE_AT_ONCE) {
			a -= PAGEBLOCK_SIZE;
			run += hweight64(*dirty_mask(a));
		}
		if (a == end) {
			end -= PAGEBLOCK_SIZE;
			continue;
		}
		if (os_dontneed((void *)a, end - a)) {
			purged += run;
			set_dirty(a, end - a, 0);
		} else {
			*refused = true;
		}
		end = a;
	}
	return purged;
}

/* Of an area that is on no list but vmap.purging. Its masks are cleared before: once it is unmapped, they are another's. */
static bool unmap_area(struct vm_struct *vm)
{
	size_t bytes = vm->bytes;

	set_dirty(vm->addr, bytes, 0);
	if (os_unmap((void *)vm->addr, bytes)) {
		VMAP_ADD(mapped, -bytes);
		return true;
	}
	set_dirty(vm->addr, bytes, 0xffff);
	vm->keep = true;
	return false;
}

/* Back from vmap.purging; lock held. */
static void end_purge(struct vm_struct *vm)
{
	list_del(&vm->lru);
	if (vm->state == VM_UNMAPPING) {
		put_record(vm);
	} else if (vm->dirty) {	/* the oldest still: first in line again */
		link_free(vm);
		list_del(&vm->lru);
		list_add(&vm->lru, &vmap.lru);
	} else {
		insert_free(vm);
	}
}

unsigned long vmap_purge_oldest(void)
{
	struct vm_struct *vm;
	unsigned long purged;
	bool refused = false;

	if (!lock_vmap(true))
		return 0;
	if (list_empty(&vmap.lru)) {
		unlock_vmap();
		return 0;
	}
	vm = list_first_entry(&vmap.lru, struct vm_struct, lru);
	unlink_free(vm);
	vm->state = vm->bytes >= UNMAP_MIN && !vm->keep ? VM_UNMAPPING : VM_PURGING;
	list_add(&vm->lru, &vmap.purging);
	unlock_vmap();

	purged = (unsigned long)vm->dirty;
	if (vm->state == VM_UNMAPPING && !unmap_area(vm))
		vm->state = VM_PURGING;
	if (vm->state == VM_PURGING) {
		purged = dontneed_some(vm, &refused);
		/* what the system refuses is not tried again: not counted, though its masks still say that it is dirty */
		vm->dirty = refused ? 0 : count_dirty(vm->addr, vm->bytes);
	}
	purge_account_purged((long)purged);

	if (!lock_vmap(true)) {
		llist_add(&vm->deferred, &vmap.deferred);
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

	if (!lock_vmap(true))
		return 0;
	while ((n = rb_last(&vmap.free))) {
		struct vm_struct *vm = rb_entry(n, struct vm_struct, node);
		size_t bytes = vm->bytes;
		long dirty = vm->dirty;

		unlink_free(vm);
		if (!unmap_area(vm)) {
			vm->dirty = count_dirty(vm->addr, bytes);
			link_free(vm);
			break;
		}
		put_record(vm);
		sum += bytes;
		purge_account_purged(dirty);
	}
	unlock_vmap();
	return sum;
}

/* The lock is ours. Areas that other threads were purging come back as dirty ones. */
void vmap_fork_child(void)
{
	struct vm_struct *vm, *n;

	if (!vmap.ready)
		return;
	drain_deferred();
	list_for_each_entry_safe(vm, n, &vmap.purging, lru) {
		list_del(&vm->lru);
		if (vm->state == VM_UNMAPPING) {
			put_record(vm);		/* whether it is mapped still, nobody knows */
			continue;
		}
		set_dirty(vm->addr, vm->bytes, 0xffff);
		vm->dirty = count_dirty(vm->addr, vm->bytes);
		insert_free(vm);
	}
}

void vmap_get_stats(struct vmap_stats *st)
{
	st->nr_busy = READ_ONCE(vmap.nr_busy);
	st->busy_bytes = READ_ONCE(vmap.busy_bytes);
	st->dirty_bytes = (size_t)MAX(READ_ONCE(vmap.dirty), 0l) << FRAME_SHIFT;
	st->free_bytes = READ_ONCE(vmap.mapped);
	st->free_bytes -= MIN(st->free_bytes, st->busy_bytes);
}

bool vmap_validate(void)
{
	struct rb_node *n;
	bool ok = true;

	if (!lock_vmap(true))
		return false;
	for (n = rb_first(&vmap.free); n; n = rb_next(n)) {
		struct vm_struct *vm = rb_entry(n, struct vm_struct, node);
		struct rb_node *next = rb_next(n);

		ok &= vm->state == VM_FREE && vm->bytes && IS_ALIGNED(vm->addr | vm->bytes, PAGEBLOCK_SIZE);
		ok &= vm_at(vm->addr) == vm && vm_at(vm->addr + vm->bytes - PAGEBLOCK_SIZE) == vm;
		ok &= vm->dirty <= count_dirty(vm->addr, vm->bytes);
		ok &= !next || !is_less(rb_entry(next, struct vm_struct, node), vm->bytes, vm->addr);
	}
	unlock_vmap();
	return ok;
}

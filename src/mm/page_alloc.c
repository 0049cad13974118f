// SPDX-License-Identifier: MIT
/*
 * The buddy allocator. Layer: mm. Knows nothing of slabs.
 *
 * States of a block (its first struct page):
 *   PAGE_FREE      on free_area[order]; merged with its buddy when that is free, of the same order
 *   PAGE_ISOLATED  on zone->isolated, owned by one purging thread, which puts it back
 *   PAGE_USED      the caller's
 *   deferred       PAGE_USED or PAGE_ISOLATED, on zone->deferred: its free could not have the lock
 *
 * Clean and dirty: the dirty masks of memmap say which frames may hold memory; they go with the
 * address, so blocks of both kinds merge. A wholly free pageblock with dirty frames is on
 * zone->lru, oldest first, and so is a smaller free block with dirty frames; the purger takes
 * the free block around the oldest one out, gives its dirty frames back outside the lock, and
 * frees it again. Frames that the system will not take (mlock, seccomp) stay dirty but leave the
 * lru, so that nobody tries for ever. A pageblock with blocks smaller than itself has one mask
 * for all of them: it changes under the zone lock alone, and frames in use count as dirty.
 *
 * The struct page of a frame that no block, pageblock or holder begins at is zero: a slab keeps
 * its bitmaps there.
 *
 * Chunks come from the system in growing steps, aligned to 2 MiB, and are never unmapped: their
 * pages are.
 */
#include "mm/page_alloc.h"
#include "mm/purge.h"
#include "kernel/bug.h"

#define CHUNK_MIN	(2ul << 20)	/* one huge page */
#define CHUNK_MAX	(64ul << 20)
#define CHUNK_SHARE	4		/* a new chunk is a quarter of what the zone has */

struct zone zone_normal;

unsigned long page_address(const struct page *page)
{
	return page->virtual;
}

static void zone_init(struct zone *z)
{
	unsigned int i;

	for (i = 0; i <= MAX_PAGE_ORDER; i++) {
		INIT_LIST_HEAD(&z->free_area[i].free_list[0]);
		INIT_LIST_HEAD(&z->free_area[i].free_list[1]);
	}
	INIT_LIST_HEAD(&z->lru);
	INIT_LIST_HEAD(&z->isolated);
	z->ready = true;
}

/* In the dirty mask of its pageblock, the bits of a block of an order up to that. */
static u16 frame_bits(unsigned long addr, unsigned int order)
{
	return (u16)bit_range((unsigned int)(addr >> FRAME_SHIFT) % PAGEBLOCK_FRAMES,
			      (unsigned int)(PAGE_SIZE >> FRAME_SHIFT) << order);
}

/* order: of a pageblock at addr, or of a free block that is smaller. */
static void lru_add(struct zone *z, unsigned long addr, unsigned int order, unsigned long seq)
{
	u16 dirty = *dirty_mask(addr) & frame_bits(addr, order);
	struct page *page = virt_to_page(addr);

	if (page->on_lru || !dirty)
		return;
	page->on_lru = true;
	page->virtual = addr;
	page->seq = seq;
	list_add_tail(&page->lru, &z->lru);
	purge_account_dirty(hweight64(dirty));
}

static void lru_del(unsigned long addr, unsigned int order)
{
	struct page *page = virt_to_page(addr);

	if (page->on_lru) {
		page->on_lru = false;
		list_del(&page->lru);
		purge_account_dirty(-(long)hweight64(*dirty_mask(addr) & frame_bits(addr, order)));
	}
}

static long count_dirty(unsigned long addr, unsigned int order)
{
	unsigned long end = addr + (PAGE_SIZE << order);
	long n = 0;

	if (order < PAGEBLOCK_ORDER)
		return hweight64(*dirty_mask(addr) & frame_bits(addr, order));
	for (; addr < end; addr += PAGEBLOCK_SIZE)
		n += hweight64(*dirty_mask(addr));
	return n;
}

static bool block_is_dirty(unsigned long addr, unsigned int order)
{
	unsigned long end = addr + (PAGE_SIZE << order);

	if (order < PAGEBLOCK_ORDER)
		return *dirty_mask(addr) & frame_bits(addr, order);
	for (; addr < end; addr += PAGEBLOCK_SIZE)
		if (*dirty_mask(addr))
			return true;
	return false;
}

static void add_to_free_area(struct zone *z, unsigned long addr, unsigned int order)
{
	struct page *page = virt_to_page(addr);

	page->state = PAGE_FREE;
	page->order = (u8)order;
	page->virtual = addr;
	list_add(&page->list, &z->free_area[order].free_list[block_is_dirty(addr, order)]);
	z->free_area[order].nr_free++;
	WRITE_ONCE(z->free_pages, z->free_pages + (1ul << order));
}

static void del_from_free_area(struct zone *z, struct page *page)
{
	if (page->order < PAGEBLOCK_ORDER)
		lru_del(page_address(page), page->order);
	list_del(&page->list);
	page->state = PAGE_NONE;
	z->free_area[page->order].nr_free--;
	WRITE_ONCE(z->free_pages, z->free_pages - (1ul << page->order));
}

/* Zone lock held. keep_lru false: the dirty frames are such that the system does not take. */
static void __free_block(struct zone *z, unsigned long addr, unsigned int order, bool keep_lru)
{
	unsigned long start = addr, a;
	unsigned int old_order = order;

	virt_to_page(addr)->state = PAGE_NONE;
	while (order < MAX_PAGE_ORDER) {
		unsigned long buddy_addr = addr ^ (PAGE_SIZE << order);
		struct page *buddy = virt_to_page(buddy_addr);

		if (!buddy || READ_ONCE(buddy->state) != PAGE_FREE || buddy->order != order)
			break;
		del_from_free_area(z, buddy);
		if (order < PAGEBLOCK_ORDER)	/* a slab's bitmaps may come to lie there */
			memset(virt_to_page(MAX(addr, buddy_addr)), 0, sizeof(struct page));
		addr = MIN(addr, buddy_addr);
		order++;
	}
	add_to_free_area(z, addr, order);
	if (!keep_lru)
		return;
	if (order >= PAGEBLOCK_ORDER) {
		unsigned long seq = purge_next_seq(), end = start + (PAGE_SIZE << old_order);

		for (a = ALIGN_DOWN(start, PAGEBLOCK_SIZE); a < end; a += PAGEBLOCK_SIZE)
			lru_add(z, a, PAGEBLOCK_ORDER, seq);
	} else {
		lru_add(z, addr, order, purge_next_seq());
	}
}

static void drain_deferred(struct zone *z)
{
	struct llist_node *n = llist_del_all(&z->deferred), *next;

	for (; n; n = next) {
		struct page *page = container_of((struct list_head *)(void *)n, struct page, lru);

		next = n->next;
		if (page->state == PAGE_ISOLATED)
			list_del(&page->list);
		__free_block(z, page_address(page), page->order, true);
	}
}

/* The lock was had just now. */
static void zone_locked(struct zone *z)
{
	if (unlikely(!z->ready))
		zone_init(z);
	if (unlikely(atomic_load_explicit(&z->donated, memory_order_relaxed)))
		WRITE_ONCE(z->managed_pages,
			   z->managed_pages + atomic_exchange_explicit(&z->donated, 0,
								       memory_order_relaxed));
	if (unlikely(atomic_load_explicit(&z->deferred.first, memory_order_relaxed)))
		drain_deferred(z);
}

static bool zone_lock(struct zone *z)
{
	if (!spin_lock(&z->lock))
		return false;
	zone_locked(z);
	return true;
}

static bool zone_trylock(struct zone *z)
{
	if (!spin_trylock(&z->lock))
		return false;
	zone_locked(z);
	return true;
}

static void defer(struct zone *z, struct page *page)
{
	llist_add((struct llist_node *)(void *)&page->lru, &z->deferred);
}

/* Zone lock held. Maps a chunk that holds a block of the order. */
static bool zone_grow(struct zone *z, unsigned int order)
{
	size_t block = MAX(PAGE_SIZE << order, PAGEBLOCK_SIZE);
	size_t size = ALIGN_UP(z->managed_pages * PAGE_SIZE / CHUNK_SHARE, CHUNK_MIN);
	unsigned long addr = 0, end, a;

	size = MAX(MIN(MAX(size, CHUNK_MIN), CHUNK_MAX), block);
	for (; size >= block; size /= 2) {
		addr = (unsigned long)os_map_aligned(size, MAX(MIN(size, CHUNK_MIN), block));
		if (addr)
			break;
	}
	if (!addr)
		return false;
	if (!memmap_add_sections(addr, size)) {
		os_unmap((void *)addr, size);
		return false;
	}
	os_nohugepage((void *)addr, size);
	WRITE_ONCE(z->managed_pages, z->managed_pages + (size >> os_page_shift));
	z->nr_chunks++;
	end = addr + size;
	for (a = addr; a < end; a += PAGEBLOCK_SIZE)
		*dirty_mask(a) = 0;
	while (addr < end) {
		order = MIN((unsigned int)__builtin_ctzl(addr) - os_page_shift, MAX_PAGE_ORDER);
		while (PAGE_SIZE << order > end - addr)
			order--;
		__free_block(z, addr, order, false);
		addr += PAGE_SIZE << order;
	}
	return true;
}

/*
 * Splits a block that is on no list down to the order; of its halves, one with dirty frames is
 * kept, else the lower.
 */
static unsigned long expand(struct zone *z, unsigned long addr, unsigned int from,
			    unsigned int order)
{
	while (from > order) {
		unsigned long upper;

		from--;
		upper = addr + (PAGE_SIZE << from);
		if (from + 1 == PAGEBLOCK_ORDER) {
			lru_del(addr, PAGEBLOCK_ORDER);
		} else if (from >= PAGEBLOCK_ORDER && !block_is_dirty(addr, from) &&
			   block_is_dirty(upper, from)) {
			unsigned long lower = addr;

			addr = upper;
			upper = lower;
		}
		add_to_free_area(z, upper, from);
		if (from < PAGEBLOCK_ORDER)
			lru_add(z, upper, from, purge_next_seq());
	}
	return addr;
}

/* The block at addr, which is on no list, is the caller's. */
static struct page *take_block(unsigned long addr, unsigned int order)
{
	struct page *page = virt_to_page(addr);

	page->state = PAGE_USED;
	page->order = (u8)order;
	page->virtual = addr;
	page->seq = 0;
	return page;
}

/*
 * Zone lock held. Dirty memory of any order before clean memory: what is touched once serves
 * again.
 */
static struct page *rmqueue(struct zone *z, unsigned int order)
{
	unsigned int o, dirty;
	struct page *page;
	unsigned long addr, a;

	for (dirty = 2; dirty--; ) {
		for (o = order; o <= MAX_PAGE_ORDER; o++)
			if (!list_empty(&z->free_area[o].free_list[dirty]))
				goto found;
	}
	return NULL;
found:
	page = list_first_entry(&z->free_area[o].free_list[dirty], struct page, list);
	del_from_free_area(z, page);
	addr = expand(z, page_address(page), o, order);
	if (order >= PAGEBLOCK_ORDER)
		for (a = addr; a < addr + (PAGE_SIZE << order); a += PAGEBLOCK_SIZE)
			lru_del(a, PAGEBLOCK_ORDER);
	return take_block(addr, order);
}

/*
 * Zone lock held. The mask of a pageblock in which several blocks lie is the zone's: their frames
 * count as dirty while they are used; page->was_dirty keeps which of them were.
 */
static void mark_small_dirty(struct page *page)
{
	unsigned long addr = page_address(page);
	u16 bits;

	if (page->order >= PAGEBLOCK_ORDER)
		return;
	bits = frame_bits(addr, page->order);
	page->was_dirty = *dirty_mask(addr) & bits;
	*dirty_mask(addr) |= bits;
}

struct page *alloc_block(unsigned int order, const struct alloc_context *ac)
{
	struct zone *z = &zone_normal;
	struct page *page;
	long dirty = 0;

	if (!(ac->alloc_flags & ALLOC_TRYLOCK ? zone_trylock(z) : zone_lock(z)))
		return NULL;
	page = rmqueue(z, order);
	if (!page && zone_grow(z, order))
		page = rmqueue(z, order);
	if (page) {
		dirty = count_dirty(page_address(page), order);
		mark_small_dirty(page);
	}
	spin_unlock(&z->lock);
	if (page)
		purge_account_alloc((long)(PAGE_SIZE >> FRAME_SHIFT) << order, dirty);
	return page;
}

/*
 * What the block does not need of its pageblock is freed as the halves that splitting would have
 * left, with the next holder of the lock.
 */
struct page *alloc_block_nolock(unsigned int order, const struct alloc_context *ac)
{
	size_t size = MAX(PAGE_SIZE << order, PAGEBLOCK_SIZE);
	struct zone *z = &zone_normal;
	unsigned long addr, a;
	unsigned int rest;
	struct page *page;

	if (!mem_charge(1ul << order, ac))
		return NULL;
	addr = (unsigned long)os_map_aligned(size, size);
	if (!addr || !memmap_add_sections(addr, size)) {
		if (addr)
			os_unmap((void *)addr, size);
		mem_uncharge(1ul << order);
		return NULL;
	}
	for (a = addr; a < addr + size; a += PAGEBLOCK_SIZE)
		*dirty_mask(a) = 0;
	atomic_fetch_add_explicit(&z->donated, size >> os_page_shift, memory_order_relaxed);
	page = take_block(addr, order);
	mark_small_dirty(page);
	for (rest = order; rest < PAGEBLOCK_ORDER; rest++)
		defer(z, take_block(addr + (PAGE_SIZE << rest), rest));
	purge_account_alloc((long)(PAGE_SIZE >> FRAME_SHIFT) << order, 0);
	return page;
}

void free_block(struct page *page, unsigned int order)
{
	struct zone *z = &zone_normal;

	VM_BUG_ON(page->order != order);
	if (zone_lock(z)) {
		__free_block(z, page_address(page), order, true);
		spin_unlock(&z->lock);
	} else {
		defer(z, page);
	}
	purge_account_free((long)(PAGE_SIZE >> FRAME_SHIFT) << order);
}

void free_block_nolock(struct page *page, unsigned int order)
{
	struct zone *z = &zone_normal;

	VM_BUG_ON(page->order != order);
	if (zone_trylock(z)) {
		__free_block(z, page_address(page), order, true);
		spin_unlock(&z->lock);
	} else {
		defer(z, page);
	}
	purge_account_free((long)(PAGE_SIZE >> FRAME_SHIFT) << order);
}

/* The free block that holds the wholly free pageblock at addr. */
static struct page *free_block_around(unsigned long addr)
{
	unsigned int order;

	for (order = PAGEBLOCK_ORDER; order <= MAX_PAGE_ORDER; order++) {
		struct page *page = virt_to_page(ALIGN_DOWN(addr, PAGE_SIZE << order));

		if (page && READ_ONCE(page->state) == PAGE_FREE && page->order >= order)
			return page;
	}
	return NULL;
}

/* Gives back each run of dirty frames of the block; false if the system refused one. */
static bool dontneed_dirty(unsigned long addr, unsigned long end, unsigned long *purged)
{
	unsigned long start, a;
	bool ok = true;

	for (a = addr; a < end; ) {
		if (!*dirty_mask(a)) {
			a += PAGEBLOCK_SIZE;
			continue;
		}
		start = a;	/* whole pageblocks: their clean frames cost nothing */
		while (a < end && *dirty_mask(a))
			a += PAGEBLOCK_SIZE;
		if (os_dontneed((void *)start, a - start)) {
			for (; start < a; start += PAGEBLOCK_SIZE) {
				*purged += hweight64(*dirty_mask(start));
				*dirty_mask(start) = 0;
			}
		} else {
			ok = false;
		}
	}
	return ok;
}

/* Zone lock held, and given back. The mask is the zone's: it changes under the lock alone. */
static unsigned long purge_small(struct zone *z, struct page *page)
{
	unsigned long addr = page_address(page);
	u16 bits = frame_bits(addr, page->order);
	long purged = 0;
	bool ok;

	del_from_free_area(z, page);
	page->state = PAGE_ISOLATED;
	list_add(&page->list, &z->isolated);
	spin_unlock(&z->lock);

	ok = os_dontneed((void *)addr, PAGE_SIZE << page->order);

	if (!zone_lock(z)) {
		defer(z, page);
		return 0;
	}
	list_del(&page->list);
	if (ok) {
		purged = hweight64(*dirty_mask(addr) & bits);
		*dirty_mask(addr) &= (u16)~bits;
	}
	__free_block(z, addr, page->order, ok);
	spin_unlock(&z->lock);
	purge_account_purged(purged);
	return (unsigned long)purged;
}

unsigned long zone_purge_oldest(void)
{
	struct zone *z = &zone_normal;
	unsigned long addr, end, a, purged = 0;
	struct page *page;
	bool ok;

	if (!zone_lock(z))
		return 0;
	if (list_empty(&z->lru)) {
		spin_unlock(&z->lock);
		return 0;
	}
	page = list_first_entry(&z->lru, struct page, lru);
	if (page->state == PAGE_FREE && page->order < PAGEBLOCK_ORDER)
		return purge_small(z, page);
	page = free_block_around(page_address(page));
	VM_BUG_ON(!page);
	addr = page_address(page);
	end = addr + (PAGE_SIZE << page->order);
	del_from_free_area(z, page);
	page->state = PAGE_ISOLATED;
	list_add(&page->list, &z->isolated);
	for (a = addr; a < end; a += PAGEBLOCK_SIZE)
		lru_del(a, PAGEBLOCK_ORDER);
	spin_unlock(&z->lock);

	ok = dontneed_dirty(addr, end, &purged);
	purge_account_purged((long)purged);

	if (!zone_lock(z)) {
		defer(z, page);
		return purged;
	}
	list_del(&page->list);
	__free_block(z, addr, page->order, ok);
	spin_unlock(&z->lock);
	return purged;
}

unsigned long zone_oldest_seq(void)
{
	struct zone *z = &zone_normal;
	unsigned long seq = ULONG_MAX;

	if (!zone_lock(z))
		return seq;
	if (!list_empty(&z->lru))
		seq = list_first_entry(&z->lru, struct page, lru)->seq;
	spin_unlock(&z->lock);
	return seq;
}

/*
 * Once it is unmapped anyone may map something there, so what we keep about it goes before.
 * Zone lock held.
 */
static bool unmap_block(struct zone *z, struct page *page)
{
	unsigned long addr = page_address(page), size = PAGE_SIZE << page->order, a;

	del_from_free_area(z, page);
	for (a = addr; a < addr + size; a += PAGEBLOCK_SIZE) {
		lru_del(a, PAGEBLOCK_ORDER);
		*dirty_mask(a) = 0;
	}
	if (os_unmap((void *)addr, size)) {
		WRITE_ONCE(z->managed_pages, z->managed_pages - (1ul << page->order));
		return true;
	}
	for (a = addr; a < addr + size; a += PAGEBLOCK_SIZE)
		*dirty_mask(a) = 0xffff;
	__free_block(z, addr, page->order, true);
	return false;
}

size_t zone_unmap_free(void)
{
	struct zone *z = &zone_normal;
	unsigned int order = MAX_PAGE_ORDER + 1, dirty;
	long purged = 0;
	size_t sum = 0;

	if (!zone_lock(z))
		return 0;
	while (order-- > PAGEBLOCK_ORDER) {
		for (dirty = 0; dirty < 2; dirty++) {
			struct list_head *list = &z->free_area[order].free_list[dirty];
			struct page *page, *n;

			list_for_each_entry_safe(page, n, list, list) {
				long n_dirty = count_dirty(page_address(page), order);

				if (!unmap_block(z, page))
					break;	/* would need one mapping too many */
				purged += n_dirty;
				sum += PAGE_SIZE << order;
			}
		}
	}
	spin_unlock(&z->lock);
	purge_account_purged(purged);
	return sum;
}

void zone_fork_child(void)
{
	struct zone *z = &zone_normal;
	struct page *page, *n;

	if (!z->ready)
		return;
	drain_deferred(z);
	list_for_each_entry_safe(page, n, &z->isolated, list) {
		unsigned long addr = page_address(page), a;

		for (a = addr; a < addr + (PAGE_SIZE << page->order); a += PAGEBLOCK_SIZE)
			*dirty_mask(a) |= frame_bits(a, MIN(page->order, PAGEBLOCK_ORDER));
		list_del(&page->list);
		__free_block(z, addr, page->order, true);
	}
}

static unsigned long count_valid(struct list_head *list, unsigned int order, bool *ok)
{
	struct page *page;
	unsigned long n = 0;

	list_for_each_entry(page, list, list) {
		unsigned long addr = page_address(page);
		struct page *buddy = virt_to_page(addr ^ (PAGE_SIZE << order));

		n++;
		*ok &= page->state == PAGE_FREE && page->order == order &&
		       virt_to_page(addr) == page;
		*ok &= IS_ALIGNED(addr, PAGE_SIZE << order);
		*ok &= order == MAX_PAGE_ORDER || !buddy || READ_ONCE(buddy->state) != PAGE_FREE ||
		       buddy->order != order;
	}
	return n;
}

bool zone_validate(void)
{
	struct zone *z = &zone_normal;
	unsigned long pages = 0, n;
	struct page *page;
	unsigned int o;
	bool ok = true;

	if (!zone_lock(z))
		return false;
	for (o = 0; o <= MAX_PAGE_ORDER; o++) {
		n = count_valid(&z->free_area[o].free_list[0], o, &ok) +
		    count_valid(&z->free_area[o].free_list[1], o, &ok);
		ok &= n == z->free_area[o].nr_free;
		pages += n << o;
	}
	ok &= pages == z->free_pages && pages <= z->managed_pages;
	list_for_each_entry(page, &z->lru, lru)
		ok &= page->on_lru;
	spin_unlock(&z->lock);
	return ok;
}

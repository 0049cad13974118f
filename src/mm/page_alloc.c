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
 * pages are. A request that may not block never causes one, sleeps for no lock and gives nothing
 * back: it makes no system call but sched_yield(), where the holder of the zone lock was preempted.
 */
#include "mm/page_alloc.h"
#include "mm/purge.h"
#include "mm/reserve.h"
#include "mm/watermark.h"
#include "kernel/bug.h"
#include "kernel/params.h"
#include "kernel/printk.h"

#define CHUNK_MIN	(2ul << 20)	/* one huge page */
#define CHUNK_MAX	(64ul << 20)
#define CHUNK_SHARE	4		/* a new chunk is a quarter of what the zone has */

#define CHUNK_MAX_LOW	(16ul << 20)	/* in the zones below 4 GiB */
#define LOCK_YIELDS	30000u	/* some 30 ms: a holder that lost its core gets it back */
#define LOW_START	(64ul << 20)	/* below lie the image and the break of old programs */

struct zone zones[MAX_NR_ZONES];

const char *zone_name(enum zone_type type)
{
	static const char *const names[MAX_NR_ZONES] = { "DMA", "DMA32", "Normal" };

	return names[type];
}

enum zone_type gfp_zonenum(gfp_t gfp)
{
	static _Atomic bool warned;
	gfp_t named = gfp & (__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM);

	if (likely(!named))
		return ZONE_NORMAL;
	if (named & (named - 1) && !atomic_exchange_explicit(&warned, true, memory_order_relaxed))
		pr_warn("%s: flags 0x%x name more than one zone, expected at most one; the "
			"lowest is taken", __func__, gfp & __GFP_BITS_MASK);
	return named & __GFP_DMA ? ZONE_DMA : named & __GFP_DMA32 ? ZONE_DMA32 : ZONE_NORMAL;
}

static struct zone *addr_zone(unsigned long addr)
{
	return &zones[addr_zonenum(addr)];
}

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
	WRITE_ONCE(z->dirty, z->dirty + hweight64(dirty));
	purge_account_dirty(hweight64(dirty));
}

static void lru_del(unsigned long addr, unsigned int order)
{
	struct page *page = virt_to_page(addr);
	struct zone *z = addr_zone(addr);
	long dirty;

	if (page->on_lru) {
		page->on_lru = false;
		list_del(&page->lru);
		dirty = hweight64(*dirty_mask(addr) & frame_bits(addr, order));
		WRITE_ONCE(z->dirty, z->dirty - (unsigned long)dirty);
		purge_account_dirty(-dirty);
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

/* Zone lock held. What alloc_block() or alloc_neighbours() gave. */
static void put_block(struct zone *z, struct page *page)
{
	unsigned long addr = page_address(page);
	unsigned int n = page->nr_neighbours;

	if (likely(page->order <= MAX_PAGE_ORDER)) {
		__free_block(z, addr, page->order, true);
		return;
	}
	page->seq = 0;
	for (; n--; addr += PAGE_SIZE << MAX_PAGE_ORDER)
		__free_block(z, addr, MAX_PAGE_ORDER, true);
}

static void drain_deferred(struct zone *z)
{
	struct llist_node *n = llist_del_all(&z->deferred), *next;

	for (; n; n = next) {
		struct page *page = container_of((struct list_head *)(void *)n, struct page, lru);

		next = n->next;
		if (page->state == PAGE_ISOLATED)
			list_del(&page->list);
		put_block(z, page);
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

/* In a zone below 4 GiB: the highest hole. */
static unsigned long map_low(struct zone *z, size_t size, size_t align)
{
	bool dma = z == &zones[ZONE_DMA];
	unsigned long start = dma ? LOW_START : ZONE_DMA_END;
	unsigned long end = dma ? ZONE_DMA_END : ZONE_DMA32_END, addr;

	for (addr = ALIGN_DOWN(end - size, align); addr >= start; addr -= ALIGN_UP(size, align))
		if (os_map_at((void *)addr, size))
			return addr;
	return 0;
}

static unsigned long map_chunk(struct zone *z, size_t size, size_t align)
{
	unsigned long addr;

	if (z != &zone_normal)
		return map_low(z, size, align);
	addr = (unsigned long)os_map_aligned(size, align);
	if (unlikely(addr && addr_zone(addr) != z)) {
		/* the system's order of addresses begins below 4 GiB */
		os_unmap((void *)addr, size);
		for (addr = 2 * ZONE_DMA32_END; addr < 64 * ZONE_DMA32_END; addr += 64 * align)
			if (os_map_at((void *)addr, size))
				return addr;
		return 0;
	}
	return addr;
}

/* Maps a chunk that holds a block of `block` bytes, smaller than size if need be; 0: refused. */
static unsigned long new_chunk(struct zone *z, size_t *size, size_t block)
{
	unsigned long addr = 0;

	for (; *size >= block; *size = ALIGN_DOWN(*size / 2, PAGEBLOCK_SIZE)) {
		addr = map_chunk(z, *size, MAX(MIN(CHUNK_MIN, *size & -*size), block));
		if (addr)
			break;
	}
	if (addr && !memmap_add_sections(addr, *size)) {
		os_unmap((void *)addr, *size);
		return 0;
	}
	return addr;
}

/* Zone lock held. mask: of the pageblocks' frames, which may hold memory. */
static void add_chunk(struct zone *z, unsigned long addr, size_t size, u16 mask)
{
	unsigned long end = addr + size, a;
	unsigned int order;

	WRITE_ONCE(z->managed_pages, z->managed_pages + (size >> os_page_shift));
	WRITE_ONCE(z->nr_chunks, z->nr_chunks + 1);
	for (a = addr; a < end; a += PAGEBLOCK_SIZE)
		*dirty_mask(a) = mask;
	while (addr < end) {
		order = MIN((unsigned int)__builtin_ctzl(addr) - os_page_shift, MAX_PAGE_ORDER);
		while (PAGE_SIZE << order > end - addr)
			order--;
		__free_block(z, addr, order, mask != 0);
		addr += PAGE_SIZE << order;
	}
}

/* Zone lock held. Maps a chunk that holds a block of the order. */
static bool zone_grow(struct zone *z, unsigned int order)
{
	size_t block = MAX(PAGE_SIZE << order, PAGEBLOCK_SIZE);
	size_t size = ALIGN_UP(z->managed_pages * PAGE_SIZE / CHUNK_SHARE, CHUNK_MIN);
	unsigned long addr;

	size = MIN(MAX(size, CHUNK_MIN), z == &zone_normal ? CHUNK_MAX : CHUNK_MAX_LOW);
	size = MAX(size, block);
	addr = new_chunk(z, &size, block);
	if (!addr)
		return false;
	os_nohugepage((void *)addr, size);
	add_chunk(z, addr, size, 0);
	return true;
}

void zone_map_first(void)
{
	struct zone *z = &zone_normal;

	if (READ_ONCE(z->nr_chunks) || !zone_lock(z))
		return;
	if (!z->nr_chunks)
		zone_grow(z, 0);
	spin_unlock(&z->lock);
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

static void lru_del_all(unsigned long addr, unsigned int order)
{
	unsigned long end = addr + (PAGE_SIZE << order);

	for (; addr < end; addr += PAGEBLOCK_SIZE)
		lru_del(addr, PAGEBLOCK_ORDER);
}

/*
 * Zone lock held. Dirty memory of any order before clean memory: what is touched once serves
 * again. kinds: 2, or 1 for clean memory alone.
 */
static struct page *rmqueue(struct zone *z, unsigned int order, unsigned int kinds)
{
	unsigned int o, dirty;
	struct page *page;
	unsigned long addr;

	for (dirty = kinds; dirty--; ) {
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
		lru_del_all(addr, order);
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

unsigned long zone_populated(void)
{
	return READ_ONCE(zone_normal.dirty) >> (os_page_shift - FRAME_SHIFT);
}

/*
 * Zone lock held, zone Normal, a reserve is kept. What may not block takes populated memory as
 * far down as its mark; what may leaves the populated memory alone from the low mark on, and
 * takes of it under its own mark where the system gives nothing any more.
 */
static struct page *rmqueue_reserve(struct zone *z, unsigned int order,
				    const struct alloc_context *ac)
{
	unsigned long pages = 1ul << order, populated = zone_populated();
	struct page *page;

	if (!may_block(ac)) {
		if (!watermark_ok(populated, pages, ac->alloc_flags))
			return NULL;
		return rmqueue(z, order, 2);
	}
	if (watermark_ok(populated, pages, ALLOC_WMARK_LOW))
		return rmqueue(z, order, 2);
	page = rmqueue(z, order, 1);
	if (!page && zone_grow(z, order))
		page = rmqueue(z, order, 1);
	if (!page && watermark_ok(populated, pages, ac->alloc_flags))
		page = rmqueue(z, order, 2);
	return page;
}

/*
 * For who may not block there is no other memory: the lock is asked for until a holder that was
 * preempted, or a fork, can be expected to be through. Giving the core up is no sleep.
 */
static bool zone_lock_nonblock(struct zone *z)
{
	unsigned int i;

	if (zone_lock(z))
		return true;
	for (i = 0; i < LOCK_YIELDS; i++) {
		if (spin_is_mine(&z->lock) || READ_ONCE(z->lock.lost))
			return false;
		os_yield();
		if (zone_trylock(z))
			return true;
	}
	return false;
}

static bool zone_lock_for(struct zone *z, const struct alloc_context *ac)
{
	if (unlikely(ac->alloc_flags & ALLOC_TRYLOCK))
		return zone_trylock(z);
	return likely(may_block(ac)) ? zone_lock(z) : zone_lock_nonblock(z);
}

static struct page *zone_alloc(struct zone *z, unsigned int order, const struct alloc_context *ac)
{
	bool blocks = may_block(ac);
	struct page *page;
	long dirty = 0;

	if (!blocks && !READ_ONCE(z->nr_chunks))
		return NULL;
	if (!zone_lock_for(z, ac))
		return NULL;
	if (unlikely(reserve_kept) && z == &zone_normal)
		page = rmqueue_reserve(z, order, ac);
	else
		page = rmqueue(z, order, 2);
	if (!page && blocks && zone_grow(z, order))
		page = rmqueue(z, order, 2);
	if (page) {
		dirty = count_dirty(page_address(page), order);
		mark_small_dirty(page);
	}
	spin_unlock(&z->lock);
	if (page)
		purge_account_alloc((long)(PAGE_SIZE >> FRAME_SHIFT) << order, dirty);
	return page;
}

/* A free block of the largest order is at addr, and holds memory if it has to. */
static bool is_free_max(unsigned long addr, bool dirty)
{
	struct page *page = virt_to_page(addr);

	return page && READ_ONCE(page->state) == PAGE_FREE && page->order == MAX_PAGE_ORDER &&
	       (!dirty || block_is_dirty(addr, MAX_PAGE_ORDER));
}

/* Zone lock held. n free blocks of the largest order that lie side by side. */
static struct page *take_neighbours(struct zone *z, unsigned int n, bool dirty)
{
	unsigned long max = PAGE_SIZE << MAX_PAGE_ORDER, start, a, end;
	struct page *page;

	list_for_each_entry(page, &z->free_area[MAX_PAGE_ORDER].free_list[dirty], list) {
		start = page_address(page);
		end = start + n * max;
		for (a = start; a < end && is_free_max(a, dirty); a += max)
			;
		if (a < end)
			continue;
		for (a = start; a < end; a += max) {
			del_from_free_area(z, virt_to_page(a));
			lru_del_all(a, MAX_PAGE_ORDER);
		}
		page = take_block(start, MAX_PAGE_ORDER + 1);
		page->nr_neighbours = (u16)n;
		return page;
	}
	return NULL;
}

struct page *alloc_neighbours(size_t size, const struct alloc_context *ac)
{
	unsigned long n = DIV_ROUND_UP(size, PAGE_SIZE << MAX_PAGE_ORDER);
	unsigned long pages = n << MAX_PAGE_ORDER;
	struct zone *z = &zone_normal;
	struct page *page = NULL;
	long dirty = 0;

	if (n > UINT16_MAX || !READ_ONCE(z->nr_chunks) || !mem_charge(pages, ac))
		return NULL;
	if (zone_lock_for(z, ac)) {
		if (!reserve_kept || watermark_ok(zone_populated(), pages, ac->alloc_flags))
			page = take_neighbours(z, (unsigned int)n, true);
		if (!page && !reserve_kept)
			page = take_neighbours(z, (unsigned int)n, false);
		spin_unlock(&z->lock);
	}
	if (!page) {
		mem_uncharge(pages);
		return NULL;
	}
	for (; n--; )
		dirty += count_dirty(page_address(page) + n * (PAGE_SIZE << MAX_PAGE_ORDER),
				     MAX_PAGE_ORDER);
	purge_account_alloc((long)(pages << (os_page_shift - FRAME_SHIFT)), dirty);
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

/* dma=strict: nothing here is what a device's driver means by it. */
static bool refuse_dma(void)
{
	static _Atomic bool told;

	if (param_choice(PARAM_dma) != DMA_STRICT)
		return false;
	if (!atomic_exchange_explicit(&told, true, memory_order_relaxed))
		pr_warn("__GFP_DMA is refused: dma=strict, and memory below 16 MiB of physical "
			"addresses cannot be given");
	return true;
}

struct page *alloc_block(unsigned int order, const struct alloc_context *ac)
{
	enum zone_type type = gfp_zonenum(ac->gfp);
	struct page *page;

	if (unlikely(type == ZONE_DMA) && refuse_dma())
		return NULL;
	if (!mem_charge(1ul << order, ac))
		return NULL;
	page = zone_alloc(&zones[type], order, ac);
	if (unlikely(!page) && type == ZONE_DMA32)
		page = zone_alloc(&zones[ZONE_DMA], order, ac);
	if (unlikely(!page))
		mem_uncharge(1ul << order);
	return page;
}

void free_block(struct page *page, unsigned int order)
{
	struct zone *z = addr_zone(page_address(page));

	VM_BUG_ON(page->order != order);
	if (zone_lock(z)) {
		put_block(z, page);
		spin_unlock(&z->lock);
	} else {
		defer(z, page);
	}
	purge_account_free((long)(PAGE_SIZE >> FRAME_SHIFT) << order);
	mem_uncharge(1ul << order);
}

void free_neighbours(struct page *page)
{
	unsigned long pages = (unsigned long)page->nr_neighbours << MAX_PAGE_ORDER;

	if (zone_lock(&zone_normal)) {
		put_block(&zone_normal, page);
		spin_unlock(&zone_normal.lock);
	} else {
		defer(&zone_normal, page);
	}
	purge_account_free((long)(pages << (os_page_shift - FRAME_SHIFT)));
	mem_uncharge(pages);
}

void free_block_nolock(struct page *page, unsigned int order)
{
	struct zone *z = addr_zone(page_address(page));

	VM_BUG_ON(page->order != order);
	if (zone_trylock(z)) {
		put_block(z, page);
		spin_unlock(&z->lock);
	} else {
		defer(z, page);
	}
	purge_account_free((long)(PAGE_SIZE >> FRAME_SHIFT) << order);
	mem_uncharge(1ul << order);
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

/* Zone lock held: the block was taken off its list, and is put away until the lock is back. */
static void isolate(struct zone *z, struct page *page, unsigned int order)
{
	page->state = PAGE_ISOLATED;
	page->order = (u8)order;
	list_add(&page->list, &z->isolated);
	lru_del_all(page_address(page), order);
}

static void put_back(struct zone *z, struct page *page, bool keep_lru)
{
	if (!zone_lock(z)) {
		defer(z, page);
		return;
	}
	list_del(&page->list);
	__free_block(z, page_address(page), page->order, keep_lru);
	spin_unlock(&z->lock);
}

/* The oldest of its lru is none of the reserve. */
static bool may_purge(struct zone *z)
{
	if (unlikely(reserve_kept) && z == &zone_normal && zone_populated() <= reserve_target())
		return false;
	return !list_empty(&z->lru);
}

/* Zone lock held, the lru is not empty: the free block around its oldest. */
static struct page *isolate_oldest(struct zone *z)
{
	struct page *page = list_first_entry(&z->lru, struct page, lru);
	unsigned int order;
	unsigned long addr;

	page = free_block_around(page_address(page));
	VM_BUG_ON(!page);
	addr = page_address(page);
	order = page->order;
	del_from_free_area(z, page);
	if (unlikely(reserve_kept)) {	/* little by little: the rest may be the reserve */
		addr = expand(z, addr, order, PAGEBLOCK_ORDER);
		order = PAGEBLOCK_ORDER;
		page = virt_to_page(addr);
		page->virtual = addr;
	}
	isolate(z, page, order);
	return page;
}

static unsigned long purge_zone(struct zone *z)
{
	unsigned long addr, purged = 0;
	struct page *page;
	bool ok;

	if (!zone_lock(z))
		return 0;
	if (!may_purge(z)) {
		spin_unlock(&z->lock);
		return 0;
	}
	page = list_first_entry(&z->lru, struct page, lru);
	if (page->state == PAGE_FREE && page->order < PAGEBLOCK_ORDER)
		return purge_small(z, page);
	page = isolate_oldest(z);
	addr = page_address(page);
	spin_unlock(&z->lock);

	ok = dontneed_dirty(addr, addr + (PAGE_SIZE << page->order), &purged);
	purge_account_purged((long)purged);
	put_back(z, page, ok);
	return purged;
}

/* The zone that holds the oldest; ULONG_MAX: none does. */
static unsigned long find_oldest(struct zone **oldest)
{
	unsigned long seq = ULONG_MAX;
	unsigned int i;

	for (i = 0; i < MAX_NR_ZONES; i++) {
		struct zone *z = &zones[i];

		if (!READ_ONCE(z->nr_chunks) || !zone_lock(z))
			continue;
		if (may_purge(z) && list_first_entry(&z->lru, struct page, lru)->seq < seq) {
			seq = list_first_entry(&z->lru, struct page, lru)->seq;
			*oldest = z;
		}
		spin_unlock(&z->lock);
	}
	return seq;
}

unsigned long zone_purge_oldest(void)
{
	struct zone *z = NULL;

	find_oldest(&z);
	return z ? purge_zone(z) : 0;
}

unsigned long zone_oldest_seq(void)
{
	struct zone *z;

	return find_oldest(&z);
}

/* ---- the reserve ---- */

unsigned long zone_add_populated(size_t size)
{
	struct zone *z = &zone_normal;
	unsigned long addr;

	size = ALIGN_UP(size, CHUNK_MIN);
	addr = new_chunk(z, &size, PAGEBLOCK_SIZE);
	if (!addr)
		return 0;
	memmap_populate(addr, size);
	if (!os_populate((void *)addr, size) || !zone_lock(z)) {
		os_unmap((void *)addr, size);
		return 0;
	}
	add_chunk(z, addr, size, 0xffff);
	spin_unlock(&z->lock);
	return size >> os_page_shift;
}

unsigned long zone_populate_one(unsigned long max)
{
	struct zone *z = &zone_normal;
	unsigned int order = PAGEBLOCK_ORDER;
	unsigned long addr, size, a;
	struct page *page;
	bool ok;

	while (order < MAX_PAGE_ORDER && 2ul << order <= max)
		order++;
	if (!zone_lock(z))
		return 0;
	while (!(page = rmqueue(z, order, 1)) && order > PAGEBLOCK_ORDER)
		order--;
	if (page)
		isolate(z, page, order);
	spin_unlock(&z->lock);
	if (!page)
		return 0;
	addr = page_address(page);
	size = PAGE_SIZE << order;
	ok = os_populate((void *)addr, size);
	memmap_populate(addr, size);
	for (a = addr; a < addr + size; a += PAGEBLOCK_SIZE)
		*dirty_mask(a) = 0xffff;
	put_back(z, page, ok);
	return ok ? 1ul << order : 0;
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

static size_t unmap_free_in(struct zone *z)
{
	unsigned int order = MAX_PAGE_ORDER + 1, dirty;
	unsigned int kinds = reserve_kept && z == &zone_normal ? 1 : 2;
	long purged = 0;
	size_t sum = 0;

	if (!READ_ONCE(z->nr_chunks) || !zone_lock(z))
		return 0;
	while (order-- > PAGEBLOCK_ORDER) {
		for (dirty = 0; dirty < kinds; dirty++) {
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

size_t zone_unmap_free(void)
{
	size_t sum = 0;
	unsigned int i;

	for (i = 0; i < MAX_NR_ZONES; i++)
		sum += unmap_free_in(&zones[i]);
	return sum;
}

void zone_fork_child(struct zone *z)
{
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

static bool validate_zone(struct zone *z)
{
	unsigned long pages = 0, dirty = 0, n;
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
	list_for_each_entry(page, &z->lru, lru) {
		o = page->state == PAGE_FREE ? MIN(page->order, PAGEBLOCK_ORDER) : PAGEBLOCK_ORDER;
		ok &= page->on_lru && addr_zone(page->virtual) == z;
		dirty += hweight64(*dirty_mask(page->virtual) & frame_bits(page->virtual, o));
	}
	ok &= dirty == z->dirty;
	spin_unlock(&z->lock);
	return ok;
}

bool zone_validate(void)
{
	bool ok = true;
	unsigned int i;

	for (i = 0; i < MAX_NR_ZONES; i++)
		ok &= validate_zone(&zones[i]);
	return ok;
}

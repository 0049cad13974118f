// SPDX-License-Identifier: MIT
/*
 * The buddy allocator: free lists, requests, frees. Layer: mm. Knows nothing of slabs. Its chunks
 * are in zone_chunk.c; what gives pages back is in zone_purge.c.
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
 * A request that may not block never causes a chunk, sleeps for no lock and gives nothing back: it
 * makes no system call but sched_yield(), where the holder of the zone lock was preempted.
 */
#include "mm/zone.h"
#include "mm/purge.h"
#include "mm/reserve.h"
#include "mm/watermark.h"
#include "kernel/bug.h"
#include "kernel/params.h"
#include "kernel/printk.h"

#define LOCK_YIELDS	30000u	/* some 30 ms: a holder that lost its core gets it back */

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

unsigned long page_address(const struct page *page)
{
	return page->virtual;
}

void zone_init(struct zone *z)
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

/* So many frames more on the lru, for the zone and the purger; negative: less. */
static void account_lru(struct zone *z, long frames)
{
	if (!frames)
		return;
	WRITE_ONCE(z->dirty, z->dirty + (unsigned long)frames);
	purge_account_dirty(frames);
}

/* page: the first of a pageblock, or of a free block that is smaller; dirty: its bits. */
static long __lru_add(struct zone *z, struct page *page, unsigned long addr, u16 dirty,
		      unsigned long seq)
{
	if (page->on_lru || !dirty)
		return 0;
	page->on_lru = true;
	page->virtual = addr;
	page->seq = seq;
	list_add_tail(&page->lru, &z->lru);
	return hweight64(dirty);
}

static long __lru_del(struct page *page, u16 dirty)
{
	if (!page->on_lru)
		return 0;
	page->on_lru = false;
	list_del(&page->lru);
	return hweight64(dirty);
}

/* A free block below a pageblock. */
static void lru_add(struct zone *z, struct page *page, unsigned long addr, unsigned int order,
		    unsigned long seq)
{
	u16 dirty = *dirty_mask(addr) & frame_bits(addr, order);

	account_lru(z, __lru_add(z, page, addr, dirty, seq));
}

void lru_del(unsigned long addr, unsigned int order)
{
	struct page *page = virt_to_page(addr);

	if (page->on_lru)
		account_lru(addr_zone(addr),
			    -__lru_del(page, *dirty_mask(addr) & frame_bits(addr, order)));
}

/* The pageblocks from addr, where one begins, to that before end; they lie in one block. */
static void lru_add_all(struct zone *z, unsigned long addr, unsigned long end, unsigned long seq)
{
	unsigned long nr = DIV_ROUND_UP(end - addr, PAGEBLOCK_SIZE), i;
	struct page *page = virt_to_page(addr);
	u16 *mask = dirty_mask(addr);
	long n = 0;

	for (i = 0; i < nr; i++)
		n += __lru_add(z, page + i * PAGEBLOCK_FRAMES, addr + i * PAGEBLOCK_SIZE, mask[i],
			       seq);
	account_lru(z, n);
}

static void lru_del_all(struct zone *z, unsigned long addr, unsigned int order)
{
	unsigned long nr = 1ul << (order - PAGEBLOCK_ORDER), i;
	struct page *page = virt_to_page(addr);
	u16 *mask = dirty_mask(addr);
	long n = 0;

	for (i = 0; i < nr; i++)
		n += __lru_del(page + i * PAGEBLOCK_FRAMES, mask[i]);
	account_lru(z, -n);
}

/*
 * Masks of the pageblocks of a block lie side by side: blocks are aligned to their size, and a leaf
 * is larger than any of them. Four at a time.
 */
typedef u64 __attribute__((may_alias)) masks_t;
#define MASKS_PER_WORD	(sizeof(masks_t) / sizeof(u16))

static_assert(offsetof(struct map_leaf, dirty) % sizeof(masks_t) == 0, "masks are read by words");

long count_dirty(unsigned long addr, unsigned int order)
{
	u16 *mask = dirty_mask(addr);
	unsigned long nr, i;
	long n = 0;

	if (order <= PAGEBLOCK_ORDER)
		return hweight64(*mask & frame_bits(addr, order));
	nr = 1ul << (order - PAGEBLOCK_ORDER);
	if (nr < MASKS_PER_WORD)
		return hweight64(mask[0]) + hweight64(mask[1]);
	for (i = 0; i < nr; i += MASKS_PER_WORD)
		n += hweight64(*(masks_t *)(void *)&mask[i]);
	return n;
}

static bool block_is_dirty(unsigned long addr, unsigned int order)
{
	u16 *mask = dirty_mask(addr);
	unsigned long nr, i;

	if (order <= PAGEBLOCK_ORDER)
		return *mask & frame_bits(addr, order);
	nr = 1ul << (order - PAGEBLOCK_ORDER);
	if (nr < MASKS_PER_WORD)
		return mask[0] | mask[1];
	for (i = 0; i < nr; i += MASKS_PER_WORD)
		if (*(masks_t *)(void *)&mask[i])
			return true;
	return false;
}

/* page: of addr. */
static void add_to_free_area(struct zone *z, struct page *page, unsigned long addr,
			     unsigned int order)
{
	page->state = PAGE_FREE;
	page->order = (u8)order;
	page->virtual = addr;
	list_add(&page->list, &z->free_area[order].free_list[block_is_dirty(addr, order)]);
	z->free_area[order].nr_free++;
	WRITE_ONCE(z->free_pages, z->free_pages + (1ul << order));
}

void del_from_free_area(struct zone *z, struct page *page)
{
	if (page->order < PAGEBLOCK_ORDER && page->on_lru)
		lru_del(page_address(page), page->order);
	list_del(&page->list);
	page->state = PAGE_NONE;
	z->free_area[page->order].nr_free--;
	WRITE_ONCE(z->free_pages, z->free_pages - (1ul << page->order));
}

/*
 * The struct page of the buddy: a section holds every block whole, so it lies in the same mem_map,
 * and is PAGE_NONE where no memory is.
 */
static struct page *buddy_of(struct page *page, unsigned long addr, unsigned int order)
{
	unsigned long frames = 1ul << (order + os_page_shift - FRAME_SHIFT);

	return addr & PAGE_SIZE << order ? page - frames : page + frames;
}

/* Merges the block with its free buddies, which come off their lists; its order then. */
static unsigned int merge(struct zone *z, struct page **page, unsigned long *addr,
			  unsigned int order)
{
	while (order < MAX_PAGE_ORDER) {
		struct page *buddy = buddy_of(*page, *addr, order), *upper;

		if (READ_ONCE(buddy->state) != PAGE_FREE || buddy->order != order)
			break;
		del_from_free_area(z, buddy);
		upper = MAX(*page, buddy);
		*page = MIN(*page, buddy);
		if (order < PAGEBLOCK_ORDER)	/* a slab's bitmaps may come to lie there */
			memset(upper, 0, sizeof(*upper));
		*addr &= ~(PAGE_SIZE << order);
		order++;
	}
	return order;
}

void __free_block(struct zone *z, unsigned long addr, unsigned int order, bool keep_lru)
{
	unsigned long start = addr, end = addr + (PAGE_SIZE << order), seq;
	struct page *page = virt_to_page(addr);

	page->state = PAGE_NONE;
	order = merge(z, &page, &addr, order);
	add_to_free_area(z, page, addr, order);
	if (!keep_lru)
		return;
	seq = purge_next_seq();
	if (order < PAGEBLOCK_ORDER)
		lru_add(z, page, addr, order, seq);
	else
		lru_add_all(z, ALIGN_DOWN(start, PAGEBLOCK_SIZE), end, seq);
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

void drain_deferred(struct zone *z)
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

unsigned long expand(struct zone *z, unsigned long addr, unsigned int from, unsigned int order)
{
	struct page *page = from > order ? virt_to_page(addr) : NULL;

	while (from > order) {
		unsigned long upper;
		struct page *half;

		from--;
		upper = addr + (PAGE_SIZE << from);
		half = buddy_of(page, addr, from);
		if (from + 1 == PAGEBLOCK_ORDER) {
			lru_del(addr, PAGEBLOCK_ORDER);
		} else if (from >= PAGEBLOCK_ORDER && !block_is_dirty(addr, from) &&
			   block_is_dirty(upper, from)) {
			add_to_free_area(z, page, addr, from);
			page = half;
			addr = upper;
			continue;
		}
		add_to_free_area(z, half, upper, from);
		if (from < PAGEBLOCK_ORDER)
			lru_add(z, half, upper, from, purge_next_seq());
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

/* The smallest free block of at least the order, on its list; NULL if there is none. */
static struct page *first_free(struct zone *z, unsigned int order, unsigned int kinds)
{
	unsigned int o, dirty;

	for (dirty = kinds; dirty--; ) {
		for (o = order; o <= MAX_PAGE_ORDER; o++) {
			struct list_head *list = &z->free_area[o].free_list[dirty];

			if (!list_empty(list))
				return list_first_entry(list, struct page, list);
		}
	}
	return NULL;
}

/* A block that is on its list, split down to the order; where what is kept of it begins. */
static unsigned long take_part(struct zone *z, struct page *page, unsigned int order)
{
	unsigned long addr;

	del_from_free_area(z, page);
	addr = expand(z, page_address(page), page->order, order);
	if (order >= PAGEBLOCK_ORDER)
		lru_del_all(z, addr, order);
	return addr;
}

struct page *rmqueue(struct zone *z, unsigned int order, unsigned int kinds)
{
	struct page *page = first_free(z, order, kinds);

	return page ? take_block(take_part(z, page, order), order) : NULL;
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

/*
 * Zone lock held: the blocks of the order that a free block, or the part of it that is wanted,
 * consists of, up to n; behind *link, which moves on. Adds to *dirty.
 */
static unsigned int rmqueue_split(struct zone *z, unsigned int order, unsigned int n,
				  struct page ***link, long *dirty)
{
	struct page *page = first_free(z, order, 2);
	unsigned int part, i;
	unsigned long addr;

	if (!page)
		return 0;
	part = MIN(page->order, order + fls_long(n) - 1);
	addr = take_part(z, page, part);
	*dirty += count_dirty(addr, part);
	for (i = 0; i < 1u << (part - order); i++, addr += PAGE_SIZE << order) {
		page = take_block(addr, order);
		mark_small_dirty(page);
		**link = page;
		*link = &page->next;
	}
	return i;
}

unsigned int alloc_blocks(unsigned int order, unsigned int n, const struct alloc_context *ac,
			  struct page **first)
{
	struct zone *z = &zone_normal;
	struct page **link = first;
	unsigned int got = 0, new;
	long dirty = 0;

	*first = NULL;
	if (!may_block(ac) && !READ_ONCE(z->nr_chunks))
		return 0;
	if (!mem_charge((unsigned long)n << order, ac))
		return 0;
	if (zone_lock_for(z, ac)) {
		if (!first_free(z, order, 2) && may_block(ac))
			zone_grow(z, order);
		while (got < n && (new = rmqueue_split(z, order, n - got, &link, &dirty)))
			got += new;
		spin_unlock(&z->lock);
	}
	*link = NULL;
	if (got < n)
		mem_uncharge((unsigned long)(n - got) << order);
	if (got)
		purge_account_alloc(((long)(PAGE_SIZE >> FRAME_SHIFT) * got) << order, dirty);
	return got;
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
			lru_del_all(z, a, MAX_PAGE_ORDER);
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

/* locked: the zone lock is held, and given back; else its next holder takes the block in. */
static void give_back(struct zone *z, struct page *page, unsigned long pages, bool locked)
{
	if (locked) {
		put_block(z, page);
		spin_unlock(&z->lock);
	} else {
		defer(z, page);
	}
	purge_account_free((long)(pages << (os_page_shift - FRAME_SHIFT)));
	mem_uncharge(pages);
}

void free_block(struct page *page, unsigned int order)
{
	struct zone *z = addr_zone(page_address(page));

	VM_BUG_ON(page->order != order);
	give_back(z, page, 1ul << order, zone_lock(z));
}

/* Zone lock held: the frames that were clean when the block was taken, if it was never used. */
static void mark_small_clean(struct page *page)
{
	unsigned long addr = page_address(page);

	*dirty_mask(addr) &= (u16)~(frame_bits(addr, page->order) & ~page->was_dirty);
}

void free_blocks(struct page *first)
{
	struct zone *z = &zone_normal;
	struct page *page = first, *next;
	unsigned long pages = 0;
	bool locked;

	if (!page)
		return;
	locked = zone_lock(z);
	for (; page; page = next) {
		next = page->next;
		pages += 1ul << page->order;
		if (locked) {
			mark_small_clean(page);
			page->seq = 0;
			put_block(z, page);
		} else {
			page->seq = 0;
			defer(z, page);
		}
	}
	if (locked)
		spin_unlock(&z->lock);
	purge_account_free((long)(pages << (os_page_shift - FRAME_SHIFT)));
	mem_uncharge(pages);
}

void free_neighbours(struct page *page)
{
	unsigned long pages = (unsigned long)page->nr_neighbours << MAX_PAGE_ORDER;

	give_back(&zone_normal, page, pages, zone_lock(&zone_normal));
}

void free_block_nolock(struct page *page, unsigned int order)
{
	struct zone *z = addr_zone(page_address(page));

	VM_BUG_ON(page->order != order);
	give_back(z, page, 1ul << order, zone_trylock(z));
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

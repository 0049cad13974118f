// SPDX-License-Identifier: MIT
/*
 * Giving free pages of the zones back to the system, the oldest first. Layer: mm. When is decided
 * in purge.c. Leads in: zone_purge_oldest.
 *
 * The purger takes the free block around the oldest dirty one out of the lists (PAGE_ISOLATED),
 * gives its dirty frames back without the lock, and frees it again. What the reserve needs stays.
 */
#include "mm/zone.h"
#include "mm/purge.h"
#include "mm/reserve.h"
#include "kernel/bug.h"

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

void isolate(struct zone *z, struct page *page, unsigned int order)
{
	unsigned long addr = page_address(page), a;

	page->state = PAGE_ISOLATED;
	page->order = (u8)order;
	list_add(&page->list, &z->isolated);
	for (a = addr; a < addr + (PAGE_SIZE << order); a += PAGEBLOCK_SIZE)
		lru_del(a, PAGEBLOCK_ORDER);
}

void put_back(struct zone *z, struct page *page, bool keep_lru)
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

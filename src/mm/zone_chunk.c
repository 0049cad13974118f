// SPDX-License-Identifier: MIT
/*
 * Chunks of the zones: memory that is mapped for them, populated for the reserve, unmapped by a
 * process at its limit. Layer: mm. Leads in: zone_grow, zone_add_populated, zone_unmap_free.
 *
 * Chunks come from the system in growing steps, aligned to 2 MiB, and stay: their pages are given
 * back (zone_purge.c), addresses only where an allocation would fail otherwise. The mappings are
 * made under the zone lock, but those of the reserve.
 */
#include "mm/zone.h"
#include "mm/purge.h"
#include "mm/reserve.h"

#define CHUNK_MIN	(2ul << 20)	/* one huge page */
#define CHUNK_MAX	(64ul << 20)
#define CHUNK_SHARE	4		/* a new chunk is a quarter of what the zone has */

#define CHUNK_MAX_LOW	(16ul << 20)	/* in the zones below 4 GiB */
#define LOW_START	(64ul << 20)	/* below lie the image and the break of old programs */

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

bool zone_grow(struct zone *z, unsigned int order)
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

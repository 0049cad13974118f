// SPDX-License-Identifier: MIT
/* Class map and mem_map: creation and walk. Layer: mm. */
#include "mm/memmap.h"
#include "mm/meta.h"

_Atomic unsigned long memmap_end;

static struct map_leaf *leaf_get(unsigned long addr)
{
	s64 *slot = &hot_data.level1[addr >> LEAF_SHIFT];
	struct map_leaf *leaf = leaf_of(addr);
	s64 delta, expect = 0;

	if (leaf)
		return leaf;
	leaf = meta_alloc(sizeof(*leaf), 64);
	if (!leaf)
		return NULL;
	delta = (s64)((unsigned long)leaf - (unsigned long)hot_data.zero);
	/* pairs: leaf_of(); who loses the race leaves an untouched mapping behind */
	if (!__atomic_compare_exchange_n(slot, &expect, delta, false, __ATOMIC_RELEASE,
					 __ATOMIC_RELAXED))
		return leaf_of(addr);
	return leaf;
}

bool memmap_add_leaves(unsigned long addr, size_t size)
{
	unsigned long a;

	if (addr + size < addr || (addr + size - 1) >> LEAF_SHIFT >= LEVEL1_ENTRIES)
		return false;
	for (a = ALIGN_DOWN(addr, LEAF_SIZE); a < addr + size; a += LEAF_SIZE)
		if (!leaf_get(a))
			return false;
	return true;
}

bool memmap_add_sections(unsigned long addr, size_t size)
{
	unsigned long end = atomic_load_explicit(&memmap_end, memory_order_relaxed), a;

	if (!memmap_add_leaves(addr, size))
		return false;
	for (a = ALIGN_DOWN(addr, SECTION_SIZE); a < addr + size; a += SECTION_SIZE) {
		struct map_leaf *leaf = leaf_of(a);
		_Atomic(struct page *) *slot =
			&leaf->mem_map[a >> SECTION_SHIFT & (LEAF_SECTIONS - 1)];
		struct page *mem_map, *expect = NULL;

		if (atomic_load_explicit(slot, memory_order_acquire))
			continue;
		mem_map = meta_alloc(SECTION_FRAMES * sizeof(struct page), 64);
		if (!mem_map)
			return false;
		/* pairs: virt_to_page(); the loser's mapping stays, untouched */
		atomic_compare_exchange_strong_explicit(slot, &expect, mem_map,
							memory_order_release, memory_order_relaxed);
	}
	while (end < addr + size &&
	       !atomic_compare_exchange_weak_explicit(&memmap_end, &end, addr + size,
						      memory_order_relaxed, memory_order_relaxed))
		;
	return true;
}

static void populate(void *from, void *to)
{
	unsigned long start = ALIGN_DOWN((unsigned long)from, PAGE_SIZE);

	os_populate((void *)start, ALIGN_UP((unsigned long)to, PAGE_SIZE) - start);
}

void memmap_populate(unsigned long addr, size_t size)
{
	unsigned long end = addr + size, a, next;

	for (a = addr; a < end; a = next) {
		struct map_leaf *leaf = leaf_of(a);

		next = MIN(ALIGN_DOWN(a, SECTION_SIZE) + SECTION_SIZE, end);
		populate(leaf, leaf + 1);
		populate(virt_to_page(a), virt_to_page(next - 1) + 1);
	}
}

void memmap_for_each_block(void (*fn)(struct page *page, unsigned long addr, void *arg), void *arg)
{
	unsigned long i, s, b;

	for (i = 0; i < LEVEL1_ENTRIES; i++) {
		struct map_leaf *leaf = leaf_of(i << LEAF_SHIFT);

		for (s = 0; leaf && s < LEAF_SECTIONS; s++) {
			unsigned long addr = (i << LEAF_SHIFT) + (s << SECTION_SHIFT);
			struct page *mem_map = virt_to_page(addr);

			for (b = 0; mem_map && b < SECTION_SIZE >> PAGEBLOCK_SHIFT; b++)
				fn(mem_map + b * PAGEBLOCK_FRAMES, addr + (b << PAGEBLOCK_SHIFT),
				   arg);
		}
	}
}

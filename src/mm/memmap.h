/* SPDX-License-Identifier: MIT */
/*
 * From an address to what we know of it: class map, mem_map, dirty masks, vmalloc index. Layer: mm.
 *
 * Level 1 is indexed by address bits 30 and up and holds the distance from the zero leaf to the
 * leaf of that GiB; distance 0 is the zero leaf itself, so a foreign pointer reads class 0.
 * Leaves and mem_maps are created by compare-and-swap, without a lock, and stay. Written by:
 * classes by who gets or gives the pageblock; dirty masks by who holds the block (its
 * zone's or the vmap lock while it is free, the home's lock while it is a slab); vm[] under the
 * vmap lock or before publication.
 */
#ifndef KM_MM_MEMMAP_H
#define KM_MM_MEMMAP_H

#include "mm/hot.h"
#include "mm/mm_types.h"

#define LEAF_SIZE	(1ul << LEAF_SHIFT)
#define LEAF_SECTIONS	(1u << (LEAF_SHIFT - SECTION_SHIFT))

struct map_leaf {
	/*
	 * A pageblock's class, as where its cpu_cache is in a slot. First: the hit path of free()
	 * adds to the zero leaf's address.
	 */
	u16 cache[LEAF_BLOCKS];
	/* vmap_area number + 1 of an area's first and last pageblock, or 0 */
	u32 vm[LEAF_BLOCKS];
	/* a bit a frame: may hold memory and need not read as zero */
	u16 dirty[LEAF_BLOCKS];
	_Atomic(struct page *) mem_map[LEAF_SECTIONS];
};

/*
 * The class of the pageblock at p, as where its cpu_cache is in a slot; p is below LEVEL1_ENTRIES
 * GiB; 0 if it is not ours. hot: &hot_data, in a register of the caller's.
 */
static __always_inline unsigned long cache_offset_of(struct hot_data *hot, const void *p)
{
	unsigned long addr = (unsigned long)p, gib = addr >> LEAF_SHIFT, base;

	HIDE_VALUE(gib);
	/*
	 * plain loads, which fold into one instruction each: who has a pointer of ours came
	 * after its leaf and class
	 */
	base = (unsigned long)hot + (unsigned long)hot->level1[gib] +
	       offsetof(struct hot_data, zero);
	return ((u16 *)base)[addr >> PAGEBLOCK_SHIFT & (LEAF_BLOCKS - 1)];
}

static __always_inline bool is_user_address(const void *p)
{
	return (unsigned long)p >> LEAF_SHIFT < LEVEL1_ENTRIES;
}

static __always_inline unsigned int class_of(const void *p)
{
	return is_user_address(p) ?
		(unsigned int)(cache_offset_of(&hot_data, p) / CPU_CACHE_SIZE) : CLASS_FOREIGN;
}

static inline struct map_leaf *leaf_of(unsigned long addr)
{
	s64 delta;

	if (addr >> LEAF_SHIFT >= LEVEL1_ENTRIES)
		return NULL;
	/* pairs: the release in leaf_get() */
	delta = __atomic_load_n(&hot_data.level1[addr >> LEAF_SHIFT], __ATOMIC_ACQUIRE);
	return delta ? (struct map_leaf *)(void *)((char *)hot_data.zero + delta) : NULL;
}

static inline unsigned int leaf_block(unsigned long addr)
{
	return addr >> PAGEBLOCK_SHIFT & (LEAF_BLOCKS - 1);
}

static inline u16 *dirty_mask(unsigned long addr)	/* addr is ours */
{
	return &leaf_of(addr)->dirty[leaf_block(addr)];
}

static inline u32 *vm_index(unsigned long addr)		/* addr is ours */
{
	return &leaf_of(addr)->vm[leaf_block(addr)];
}

static inline void set_class(unsigned long addr, unsigned int class)
{
	WRITE_ONCE(leaf_of(addr)->cache[leaf_block(addr)], (u16)(class * CPU_CACHE_SIZE));
}

/* The struct page of addr's frame; NULL outside of every section. */
static inline struct page *virt_to_page(unsigned long addr)
{
	struct map_leaf *leaf = leaf_of(addr);
	struct page *mem_map;

	if (!leaf)
		return NULL;
	mem_map = atomic_load_explicit(&leaf->mem_map[addr >> SECTION_SHIFT & (LEAF_SECTIONS - 1)],
				       memory_order_acquire);
	return mem_map ? mem_map + (addr >> FRAME_SHIFT & (SECTION_FRAMES - 1)) : NULL;
}

/*
 * Creates what is missing of leaves (and mem_maps) for [addr, addr + size); false without
 * memory.
 */
bool memmap_add_leaves(unsigned long addr, size_t size) __km(memmap_add_leaves);
bool memmap_add_sections(unsigned long addr, size_t size) __km(memmap_add_sections);
/* Where the highest range ends that mem_maps were made for. */
extern _Atomic unsigned long memmap_end __km(memmap_end);

/* Touches the records of [addr, addr + size), which has sections. */
void memmap_populate(unsigned long addr, size_t size) __km(memmap_populate);

/* Calls fn for the first struct page of every pageblock of every section. */
void memmap_for_each_block(void (*fn)(struct page *page, unsigned long addr, void *arg), void *arg)
	__km(memmap_for_each_block);

#endif

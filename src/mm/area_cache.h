/* SPDX-License-Identifier: MIT */
/*
 * The areas that a slot keeps: area_cache.c says how. Layer: mm. c is what cpu_enter() returned:
 * of a busy or an empty slot nothing is kept, and both functions here miss.
 */
#ifndef KM_MM_AREA_CACHE_H
#define KM_MM_AREA_CACHE_H

#include "mm/pcpu.h"
#include "mm/vmap_area.h"

#define AREA_CACHE_SIZE	(1ul << 20)	/* of the largest block that is kept */

void *area_cache_take(struct cpu_areas *ca, unsigned int i, size_t size, bool zero)
	__km(area_cache_take);
bool area_cache_keep(struct pcpu *c, struct vmap_area *vm) __km(area_cache_keep);
/* What a slot may keep: read only after start-up, but for tests; 0: nothing. */
extern unsigned int area_cache_blocks __km(area_cache_blocks);
/* A request found nothing in the slot: what is kept there is put where it can serve. */
void area_cache_missed(struct pcpu *c) __km(area_cache_missed);
void area_cache_init(void) __km(area_cache_init);

/* A block of size bytes, zero where asked for; NULL: there is none of as many pageblocks. */
static __always_inline void *area_cache_get(struct pcpu *c, size_t size, bool zero)
{
	struct cpu_areas *ca = &c->areas;
	size_t page = PAGE_SIZE, usable = ALIGN_UP(size, page);
	unsigned int i = ca->nr;

	if (size > AREA_CACHE_SIZE)
		return NULL;
	do {
		if (!i)
			return NULL;
	} while (ca->blocks[--i] != (usable + page + PAGEBLOCK_SIZE - 1) >> PAGEBLOCK_SHIFT);
	return area_cache_take(ca, i, usable, zero);
}

/* What was freed last, if it is a block of size bytes; NULL: it is not. */
static __always_inline void *area_cache_get_last(struct pcpu *c, size_t size)
{
	struct cpu_areas *ca = &c->areas;
	unsigned int i = ca->nr - 1;
	struct vmap_area *vm;

	if (!ca->nr)
		return NULL;
	vm = ca->area[i];
	if (vm->size - size >= PAGE_SIZE)
		return NULL;
	WRITE_ONCE(ca->sum, ca->sum - ca->blocks[i]);
	WRITE_ONCE(ca->nr, i);
	atomic_store_explicit(&vm->state, VM_BUSY, memory_order_release);
	return (void *)vm->addr;
}

static inline bool may_be_cached(const struct vmap_area *vm)
{
	return !(vm->once | vm->guard) && !vm->pub.flags;
}

/*
 * Freed by the program: the newest from now on. False: someone else was first, perhaps at the same
 * moment: kept by two slots the block would be handed out twice.
 */
static inline bool area_cache_add(struct cpu_areas *ca, struct vmap_area *vm, size_t blocks)
{
	unsigned int nr = ca->nr;
	u8 busy = VM_BUSY;

	if (!atomic_compare_exchange_strong_explicit(&vm->state, &busy, VM_CACHED,
						     memory_order_acq_rel, memory_order_relaxed))
		return false;
	ca->area[nr] = vm;
	ca->blocks[nr] = (u16)blocks;
	barrier();
	WRITE_ONCE(ca->sum, ca->sum + (unsigned int)blocks);
	WRITE_ONCE(ca->nr, nr + 1);
	return true;
}

/* p: anything of CLASS_OTHER. False: it is for the slow path. */
static __always_inline bool area_cache_put(struct pcpu *c, void *p)
{
	struct vmap_area *vm = vm_at((unsigned long)p);
	struct cpu_areas *ca = &c->areas;
	size_t blocks;

	if (!vm || vm->addr != (unsigned long)p || !may_be_cached(vm))
		return false;
	blocks = vm->bytes >> PAGEBLOCK_SHIFT;
	if (ca->nr == CPU_AREAS || ca->sum + blocks > ca->max || READ_ONCE(c->flush_request))
		return false;
	return area_cache_add(ca, vm, blocks);
}

#endif

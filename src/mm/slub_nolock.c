// SPDX-License-Identifier: MIT
/*
 * Without a slot and without a lock. Layer: mm. The kernel's kmalloc_nolock.
 *
 * For a signal handler that interrupted the allocator, a thread whose slot is gone, and every
 * thread while a fork holds the locks. Allocation claims bits of nolock slabs: one set per
 * cache for the whole process, straight from the system, whose free bitmap is changed by atomic
 * operations alone. They have no owner, no inbox, no list but the one they were pushed on, and
 * are never released, so nothing about them can be stale. Their objects look like any others:
 * they may end up in a sheaf, and when a flush finds that their slab is a nolock slab, their
 * bit is set by fetch_or. Frees of other objects take the remote path. Every step is a bounded
 * number of atomic operations but for the claim, which is lock-free.
 */
#include "mm/page_alloc.h"
#include "mm/pcpu.h"
#include "mm/purge.h"
#include "kernel/printk.h"

/* the list is searched where that part of all objects is free, else a new slab is made */
#define SEARCH_SHARE	8

_Atomic long nolock_frees_in_flight;
_Atomic unsigned long nr_nolock_allocs;
_Atomic unsigned long nr_lost_objects;

static _Atomic u64 *atomic_free_map(struct slab *slab)
{
	return (_Atomic u64 *)(void *)free_map(slab);
}

static void *claim(struct slab *slab)
{
	struct kmem_cache *s = slab->cache;
	unsigned int w, words = (s->objects + 63) / 64;

	for (w = 0; w < words; w++) {
		_Atomic u64 *word = &atomic_free_map(slab)[w];
		u64 bits = atomic_load_explicit(word, memory_order_relaxed);

		while (bits) {
			u64 bit = bits & -bits;

			/* acquire: the last user's accesses came before; pairs with nolock_put */
			bits = atomic_fetch_and_explicit(word, ~bit, memory_order_acquire);
			if (bits & bit) {
				atomic_fetch_sub_explicit(&s->nr_nolock_free, 1,
							  memory_order_relaxed);
				return (void *)(slab->base + (w * 64ul + __ffs64(bit)) * s->size);
			}
		}
	}
	return NULL;
}

/*
 * Straight from the system, charged; who may not call it, and caches with a place of their own,
 * get theirs from a zone if its lock is free.
 */
static unsigned long nolock_slab_memory(struct kmem_cache *s, const struct alloc_context *ac,
					bool from_zone)
{
	size_t size = s->blocks * PAGEBLOCK_SIZE;
	unsigned long base;
	struct page *page;

	if (from_zone) {
		struct alloc_context request = *ac;

		request.gfp |= s->allocflags;
		page = alloc_block(slab_order(s), &request);
		return page ? page_address(page) : 0;
	}
	if (!mem_charge(size >> os_page_shift, ac))
		return 0;
	base = (unsigned long)os_map_aligned(size, size);	/* so never across sections */
	if (base && !memmap_add_sections(base, size)) {
		os_unmap((void *)base, size);
		base = 0;
	}
	if (!base) {
		mem_uncharge(size >> os_page_shift);
		return 0;
	}
	purge_account_alloc((long)(size >> FRAME_SHIFT), 0);
	return base;
}

static struct slab *new_nolock_slab(struct kmem_cache *s, const struct alloc_context *ac)
{
	bool from_zone = !may_block(ac) || s->allocflags & GFP_ZONEMASK;
	unsigned long base = nolock_slab_memory(s, ac, from_zone), a;
	struct slab *slab, *head;

	if (!base)
		return NULL;
	for (a = base; a < base + s->blocks * PAGEBLOCK_SIZE; a += PAGEBLOCK_SIZE)
		*dirty_mask(a) = 0xffff;
	slab = (struct slab *)(void *)virt_to_page(base);
	slab_init(slab, s, base, NULL);
	slab->from_zone = from_zone;
	atomic_fetch_add_explicit(&s->nr_nolock_slabs, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&s->nr_nolock_free, s->objects, memory_order_relaxed);
	head = atomic_load_explicit(&s->nolock_slabs, memory_order_relaxed);
	do {
		slab->next_nolock = head;
	/* pairs: the walks */
	} while (!atomic_compare_exchange_weak_explicit(
		&s->nolock_slabs, &head, slab, memory_order_release, memory_order_relaxed));
	return slab;
}

void *slab_alloc_nolock(struct kmem_cache *s, const struct alloc_context *ac)
{
	struct slab *slab = atomic_load_explicit(&s->nolock_hint, memory_order_acquire);
	unsigned long nr_slabs;
	void *object;

	atomic_fetch_add_explicit(&nr_nolock_allocs, 1, memory_order_relaxed);
	object = slab ? claim(slab) : NULL;
	if (object)
		return object;
	nr_slabs = atomic_load_explicit(&s->nr_nolock_slabs, memory_order_relaxed);
	slab = NULL;
	if (atomic_load_explicit(&s->nr_nolock_free, memory_order_relaxed) >
	    (long)(nr_slabs * s->objects / SEARCH_SHARE))
		slab = atomic_load_explicit(&s->nolock_slabs, memory_order_acquire);
	for (; slab; slab = slab->next_nolock) {
		object = claim(slab);
		if (object)
			break;
	}
	if (!object) {
		slab = new_nolock_slab(s, ac);
		object = slab ? claim(slab) : NULL;
	}
	if (object)
		atomic_store_explicit(&s->nolock_hint, slab, memory_order_release);
	return object;
}

/* False: the object was free already. */
bool nolock_put(struct slab *slab, unsigned int index)
{
	u64 bit = 1ull << index % 64;
	u64 old = atomic_fetch_or_explicit(&atomic_free_map(slab)[index / 64], bit,
					   memory_order_release);

	if (old & bit)
		return false;
	atomic_fetch_add_explicit(&slab->cache->nr_nolock_free, 1, memory_order_relaxed);
	WRITE_ONCE(slab->freed, 1);
	if (!old)
		atomic_store_explicit(&slab->cache->nolock_hint, slab, memory_order_release);
	return true;
}

/* One object of a kmalloc class, by the remote path whosever slab it is. */
void slab_free_nolock(void *p)
{
	struct slab *slab = virt_to_slab((unsigned long)p);
	unsigned int index, announced = 0;

	if (!slab) {
		report_bug("free of %p, whose slab was released", p);
		return;
	}
	if (!slab_object_index(slab, p, &index))
		return;
	if (slab->nolock) {
		if (!nolock_put(slab, index))
			report_double_free(slab, p);
		return;
	}
	atomic_fetch_add_explicit(&nolock_frees_in_flight, 1, memory_order_relaxed);
	slab_free_remote(slab, index / 64, 1ull << index % 64, &announced);
	slab_announce(slab, announced);
	atomic_fetch_sub_explicit(&nolock_frees_in_flight, 1, memory_order_release);
}

/* Claims what is free, so that nobody can use it meanwhile. */
static unsigned long purge_nolock_slab(struct slab *slab)
{
	unsigned int w, words = (slab->cache->objects + 63) / 64;
	unsigned long end = slab->base + slab->cache->blocks * PAGEBLOCK_SIZE, purged, a;
	u64 claimed[SLAB_MAP_WORDS];

	WRITE_ONCE(slab->freed, 0);
	for (w = 0; w < words; w++)
		claimed[w] = atomic_exchange_explicit(&atomic_free_map(slab)[w], 0,
						      memory_order_acquire);
	purged = slab_dontneed_free(slab, claimed);
	for (a = slab->base; a < end; a += PAGEBLOCK_SIZE)
		*dirty_mask(a) = 0xffff;	/* nobody keeps these up to date */
	for (w = 0; w < words; w++)
		atomic_fetch_or_explicit(&atomic_free_map(slab)[w], claimed[w],
					 memory_order_release);
	return purged;
}

/* Gives back the free pages of nolock slabs. Frames. */
unsigned long nolock_purge(void)
{
	unsigned long purged = 0;
	struct kmem_cache *s;
	struct slab *slab;
	unsigned int i;

	for_each_cache(s, i) {
		if (!atomic_load_explicit(&s->nolock_slabs, memory_order_relaxed) ||
		    !cache_hold(i))
			continue;
		slab = atomic_load_explicit(&s->nolock_slabs, memory_order_acquire);
		for (; slab && !s->ctor; slab = slab->next_nolock)
			if (READ_ONCE(slab->freed))	/* else nothing since the last time */
				purged += purge_nolock_slab(slab);
		cache_release(i);
	}
	return purged;
}

static void release_nolock_slab(struct slab *slab)
{
	struct kmem_cache *s = slab->cache;
	unsigned long base = slab->base, size = s->blocks * PAGEBLOCK_SIZE, a;
	struct page *page = (struct page *)(void *)slab;
	bool from_zone = slab->from_zone;
	unsigned int order = slab->order, i;

	for (i = 0; i < s->blocks; i++) {
		set_class(base + i * PAGEBLOCK_SIZE, CLASS_FOREIGN);
		if (i && s->index < NR_CLASSES)
			continue;
		WRITE_ONCE(page[i * PAGEBLOCK_FRAMES].state, PAGE_NONE);
		page[i * PAGEBLOCK_FRAMES].head_offset = 0;
	}
	memset(free_map(slab), 0, SLAB_MAP_WORDS * sizeof(u64));
	memset((char *)slab + 1, 0, SLAB_HEAD_SIZE - 1);
	if (from_zone) {
		WRITE_ONCE(page->state, PAGE_USED);
		page->order = (u8)order;
		page->virtual = base;
		free_block(page, order);
		return;
	}
	for (a = base; a < base + size; a += PAGEBLOCK_SIZE)
		*dirty_mask(a) = 0;
	os_unmap((void *)base, size);
	purge_account_free((long)(size >> FRAME_SHIFT));
	mem_uncharge(size >> os_page_shift);
}

void nolock_release(struct kmem_cache *s)
{
	struct slab *slab = atomic_exchange_explicit(&s->nolock_slabs, NULL, memory_order_acquire);
	struct slab *kept = NULL, *next;
	unsigned int w;

	atomic_store_explicit(&s->nolock_hint, NULL, memory_order_relaxed);
	for (; slab; slab = next) {
		unsigned int nfree = 0;

		next = slab->next_nolock;
		for (w = 0; w < (s->objects + 63) / 64; w++)
			nfree += hweight64(READ_ONCE(free_map(slab)[w]));
		if (nfree != s->objects) {
			slab->next_nolock = kept;
			kept = slab;
			continue;
		}
		atomic_fetch_sub_explicit(&s->nr_nolock_slabs, 1, memory_order_relaxed);
		atomic_fetch_sub_explicit(&s->nr_nolock_free, (long)nfree, memory_order_relaxed);
		atomic_fetch_sub_explicit(&s->nr_slabs, 1, memory_order_relaxed);
		release_nolock_slab(slab);
	}
	atomic_store_explicit(&s->nolock_slabs, kept, memory_order_release);
}

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

static struct slab *new_nolock_slab(struct kmem_cache *s)
{
	size_t size = s->blocks * PAGEBLOCK_SIZE;
	/* so never across sections */
	unsigned long base = (unsigned long)os_map_aligned(size, size), a;
	struct slab *slab, *head;

	if (!base)
		return NULL;
	if (!memmap_add_sections(base, size)) {
		os_unmap((void *)base, size);
		return NULL;
	}
	for (a = base; a < base + size; a += PAGEBLOCK_SIZE)
		*dirty_mask(a) = 0xffff;
	slab = (struct slab *)(void *)virt_to_page(base);
	slab_init(slab, s, base, NULL);
	purge_account_alloc((long)(size >> FRAME_SHIFT), 0);
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

void *slab_alloc_nolock(struct kmem_cache *s)
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
		slab = new_nolock_slab(s);
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

/*
 * Gives back the free pages of nolock slabs: claims what is free, so that nobody can use it
 * meanwhile. Frames.
 */
unsigned long nolock_purge(void)
{
	unsigned long purged = 0;
	unsigned int i, w;

	for (i = 1; i <= nr_kmalloc_caches; i++) {
		struct kmem_cache *s = &kmalloc_caches[i];
		struct slab *slab = atomic_load_explicit(&s->nolock_slabs, memory_order_acquire);

		for (; slab; slab = slab->next_nolock) {
			u64 claimed[SLAB_MAP_WORDS];
			unsigned long a;

			if (!READ_ONCE(slab->freed))
				continue;	/* nothing since the last time */
			WRITE_ONCE(slab->freed, 0);
			for (w = 0; w < (s->objects + 63) / 64; w++)
				claimed[w] = atomic_exchange_explicit(&atomic_free_map(slab)[w], 0,
								      memory_order_acquire);
			purged += slab_dontneed_free(slab, claimed);
			for (a = slab->base; a < slab->base + s->blocks * PAGEBLOCK_SIZE;
			     a += PAGEBLOCK_SIZE)
				*dirty_mask(a) = 0xffff;	/* nobody keeps these up to date */
			for (w = 0; w < (s->objects + 63) / 64; w++)
				atomic_fetch_or_explicit(&atomic_free_map(slab)[w], claimed[w],
							 memory_order_release);
		}
	}
	return purged;
}

/* SPDX-License-Identifier: MIT */
/*
 * The invariants of the whole heap while it is quiet: no thread is inside the allocator. Every violation is one line
 * on stderr; heap_walk() returns how many there were.
 */
#ifndef TESTS_UNIT_HEAP_WALK_H
#define TESTS_UNIT_HEAP_WALK_H

#include "kernel/printk.h"
#include "mm/page_alloc.h"
#include "mm/pcpu.h"
#include "mm/purge.h"
#include "mm/reclaim.h"
#include "mm/show_mem.h"
#include "mm/util.h"
#include "mm/vmalloc.h"

static struct {
	unsigned int errors;
	unsigned long slabs[NR_CACHES];	/* seen in the mem_map */
	unsigned long nr_pending;		/* slabs with pending != 0 */
} walk;

#define WALK_CHECK(cond, what) do { \
	if (!(cond) && walk.errors++ < 20) \
		fprintf(stderr, "# heap_walk: %s (%s:%d: %s)\n", what, __FILE__, __LINE__, #cond); \
} while (0)

static bool is_on_list(struct list_head *entry, struct list_head *head)
{
	struct list_head *l;

	for (l = head->next; l != head; l = l->next)
		if (l == entry)
			return true;
	return false;
}

static void walk_owned_slab(struct slab *slab)
{
	struct kmem_cache *s = slab->cache;
	struct slab_home *owner = atomic_load(&slab->owner);
	struct cpu_slabs *cs = home_slabs(owner, s);
	unsigned int w, words = (s->objects + 63) / 64, nfree = 0, remote = 0;
	u32 pending = atomic_load(&slab->pending);
	bool on_list = is_on_list(&slab->list, &cs->partial);

	for (w = 0; w < words; w++) {
		u64 free_bits = free_map(slab)[w], remote_bits = atomic_load(&remote_map(slab)[w]);
		u64 valid = w == words - 1 && s->objects % 64 ? bit_range(0, s->objects % 64) : ~0ull;

		nfree += hweight64(free_bits);
		remote += hweight64(remote_bits);
		WALK_CHECK(!(free_bits & remote_bits), "free bitmap and remote words are disjoint");
		WALK_CHECK(!((free_bits | remote_bits) & ~valid), "no bit behind the last object");
		WALK_CHECK(w >= slab->hint || !free_bits, "no free bit below the hint");
	}
	for (w = slab->high_water; w < s->objects; w++)
		WALK_CHECK(test_bit(w, free_map(slab)), "an object that was never handed out is free");
	WALK_CHECK(nfree == slab->nfree, "nfree is the number of free bits");
	WALK_CHECK(slab->debt >= 0, "debt is not negative");
	WALK_CHECK((u32)slab->debt + remote == pending, "debt + remote bits = pending");
	WALK_CHECK(pending || !remote, "pending 0 means words 0");
	walk.nr_pending += pending != 0;
	switch (slab->where) {
	case SLAB_FULL:
		WALK_CHECK(!nfree && !on_list && cs->current != slab, "a full slab is on no list");
		break;
	case SLAB_CURRENT:
		WALK_CHECK(!on_list && cs->current == slab, "a current slab is current and on no list");
		break;
	case SLAB_PARTIAL:
		WALK_CHECK(nfree && on_list && cs->current != slab, "a partial slab is on its owner's list");
		break;
	default:
		WALK_CHECK(false, "slab->where is one of three");
	}
}

static void walk_block(struct page *page, unsigned long addr, void *arg)
{
	struct slab *slab = (struct slab *)(void *)page;
	unsigned int i;

	(void)arg;
	if (page->state != PAGE_SLAB)
		return;
	WALK_CHECK(slab->base == addr, "a slab knows its address");
	WALK_CHECK(slab->cache->index && slab->cache->index < NR_CACHES &&
		   cache_table[slab->cache->index] == slab->cache, "a slab has a cache");
	walk.slabs[slab->cache->index]++;
	for (i = 0; i < slab->cache->blocks; i++) {
		unsigned long a = addr + i * PAGEBLOCK_SIZE;

		WALK_CHECK(class_of((void *)a) == MIN(slab->cache->index, CLASS_OTHER),
			   "the class map names the slab's class");
		WALK_CHECK(virt_to_slab(a) == slab, "each pageblock leads to its slab");
	}
	if (!slab->nolock)
		walk_owned_slab(slab);
}

static void walk_home(struct slab_home *h)
{
	unsigned long free_bytes = 0, n, nfree;
	struct kmem_cache *s;
	unsigned int i;
	struct slab *slab;

	for_each_cache(s, i) {
		struct cpu_slabs *cs = home_slabs(h, s);

		if (!cs->partial.next)
			continue;	/* never had a slab */
		n = cs->current != NULL;
		nfree = cs->current ? cs->current->nfree : 0;
		list_for_each_entry(slab, &cs->partial, list) {
			n++;
			nfree += slab->nfree;
			WALK_CHECK(atomic_load(&slab->owner) == h, "listed slabs are the home's own");
			WALK_CHECK(slab->cache == s, "listed slabs are of the list's cache");
		}
		WALK_CHECK(nfree == cs->nfree, "a home counts its free objects");
		WALK_CHECK(n <= cs->nr_slabs, "a home has no more listed slabs than slabs");
		free_bytes += nfree * s->size;
	}
	WALK_CHECK(free_bytes == h->free_bytes, "a home counts its free bytes");
	n = 0;
	for (slab = atomic_load(&h->inbox); slab && n < 1000000; slab = atomic_load(&slab->link)) {
		n++;
		WALK_CHECK(((struct page *)(void *)slab)->state == PAGE_SLAB, "inboxes hold slabs");
		WALK_CHECK(atomic_load(&slab->pending), "a slab in an inbox has pending frees");
	}
	WALK_CHECK(walk.nr_pending >= n, "every slab is in one inbox at most");
	walk.nr_pending -= n;
}

static UNIT_UNUSED unsigned int heap_walk(void)
{
	struct kmem_cache *s;
	struct slab_home *h;
	struct pcpu *c;
	unsigned int i, live = 0, dead = 0;

	memset(&walk, 0, sizeof(walk));
	memmap_for_each_block(walk_block, NULL);
	for_each_home(h) {
		walk_home(h);
		live += h->nr_live;
	}
	for_each_cpu(c)
		dead += c->state == CPU_DEAD;
	WALK_CHECK(live + dead == nr_cpus, "homes count the slots that live");
	WALK_CHECK(dead == nr_dead_cpus, "slots without a thread are counted");
	WALK_CHECK(!walk.nr_pending, "every slab with pending frees is in an inbox");
	for_each_cache(s, i) {
		unsigned long n = 0, nolock = 0;
		struct slab *slab;

		for_each_home(h)
			n += home_slabs(h, s)->nr_slabs;
		for (slab = atomic_load(&s->nolock_slabs); slab; slab = slab->next_nolock)
			nolock++;
		WALK_CHECK(walk.slabs[i] == n + nolock, "every slab is counted by one home");
		WALK_CHECK(walk.slabs[i] == atomic_load(&s->nr_slabs), "a cache counts its slabs");
	}
	WALK_CHECK(zone_validate(), "the buddy allocator is consistent");
	WALK_CHECK(vmap_validate(), "the vmalloc region is consistent");
	WALK_CHECK(atomic_load(&purge_state.dirty) >= 0, "dirty is not negative");
	WALK_CHECK(atomic_load(&purge_state.used) >= 0, "used is not negative");
	return walk.errors;
}

/* Objects of a cache that the program holds. */
static UNIT_UNUSED unsigned long live_objects(struct kmem_cache *s)
{
	struct slab_usage u;

	slab_get_usage(s, &u);
	return u.active_objs - u.in_sheaves;
}

static UNIT_UNUSED unsigned long all_live_objects(void)
{
	struct kmem_cache *s;
	unsigned long n = 0;
	unsigned int i;

	for_each_cache(s, i)
		n += live_objects(s);
	return n;
}

/* A setup: nothing is left over from the test before, and this thread has a slot. */
static UNIT_UNUSED int quiet_heap(void **state)
{
	(void)state;
	panic_on_bug = false;
	slab_free(kvmalloc_size(1));
	classes_started();
	trim_memory();
	return heap_walk() || all_live_objects() ? -1 : 0;
}

#endif

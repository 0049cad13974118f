// SPDX-License-Identifier: MIT
/*
 * Reclaim, in this order: own sheaves, barns, the homes' inboxes and empty slabs (by
 * trylock), pages inside slabs in use, shrinkers from priority 12 to 1 (after each, all of that
 * again), free areas, free pages. Sheaves of other threads cannot be touched; those are asked to
 * flush at their next miss. Layer: mm.
 */
#include "lib/small.h"
#include "mm/reclaim.h"
#include "mm/gfp_policy.h"
#include "mm/page_alloc.h"
#include "mm/purge.h"
#include "mm/reserve.h"
#include "mm/shrinker.h"
#include "mm/util.h"
#include "mm/vmalloc.h"
#include "mm/watermark.h"

#define MAX_KSWAPD_ROUNDS	16u

static void flush_barns(struct pcpu *c)
{
	struct kmem_cache *s;
	unsigned int i;

	for_each_cache(s, i) {
		if (!READ_ONCE(s->barn.full) || !cache_hold(i))
			continue;
		slab_flush_barn(c, s);
		cache_release(i);
	}
}

/* Frames given back inside slabs that stay, if they are to be. */
static unsigned long shrink_homes(struct pcpu *own, bool purge_partial)
{
	unsigned long purged = 0;
	struct slab_home *h;
	struct pcpu *c;

	for_each_cpu(c)
		if (c != own)
			WRITE_ONCE(c->flush_request, true);
	for_each_home(h) {
		if (!(own && h == own->home ? spin_lock(&h->lock) : spin_trylock(&h->lock)))
			continue;
		home_drain_inbox(h);
		slab_release_empty(h);
		if (purge_partial)
			purged += slab_purge_partial(h);
		spin_unlock(&h->lock);
	}
	return purged;
}

static long used_frames_now(void)
{
	return atomic_load_explicit(&purge_state.used, memory_order_relaxed);
}

/* Pages that came free since `used` was what was in use. */
static unsigned long freed_since(long used)
{
	return (unsigned long)MAX(used - used_frames_now(), 0l) >> (os_page_shift - FRAME_SHIFT);
}

/*
 * What the allocator itself caches. c: the caller's slot or NULL. purge: pages inside slabs go
 * back to the system.
 */
static void drain_caches(struct pcpu *c, bool purge)
{
	if (READ_ONCE(fork_under_way))
		return;
	if (c)
		slab_flush_all_sheaves(c);
	flush_barns(c);
	shrink_homes(c, purge && !gfp_base_nonblocking);
}

static void drain_own(struct pcpu *c)
{
	if (!c || READ_ONCE(fork_under_way))
		return;
	slab_flush_all_sheaves(c);
	if (!spin_lock(&c->home->lock))
		return;
	home_drain_inbox(c->home);
	slab_release_empty(c->home);
	spin_unlock(&c->home->lock);
}

/* Callbacks may allocate from the reserves and never come back here. */
static void run_shrinkers(gfp_t gfp, struct slow_entry *e, unsigned int priority)
{
	slow_pause(e);
	task_flags |= PF_MEMALLOC;
	shrink_slab(gfp, 0, priority);
	task_flags &= ~PF_MEMALLOC;
	slow_resume(e);
}

unsigned long try_to_free_pages(gfp_t gfp, struct slow_entry *e, bool unmap)
{
	unsigned int priority = DEF_PRIORITY;
	long used = used_frames_now();
	unsigned long freed;
	size_t unmapped;

	drain_caches(e->cpu, unmap);
	freed = freed_since(used);
	while (freed < SWAP_CLUSTER_MAX && priority && have_shrinkers()) {
		run_shrinkers(gfp, e, priority--);
		drain_caches(e->cpu, unmap);
		freed = freed_since(used);
	}
	if (freed >= SWAP_CLUSTER_MAX || !unmap || gfp_base_nonblocking ||
	    READ_ONCE(fork_under_way))
		return freed;
	unmapped = vmap_unmap_free();
	unmapped += zone_unmap_free();
	return freed + (unmapped >> os_page_shift);
}

unsigned long reclaim_lightly(gfp_t gfp, struct slow_entry *e)
{
	long used = used_frames_now();

	drain_own(e->cpu);
	if (have_shrinkers()) {
		run_shrinkers(gfp, e, DEF_PRIORITY);
		drain_own(e->cpu);
	}
	return freed_since(used);
}

size_t reclaimable_memory(void)
{
	struct vmap_stats st;
	unsigned int i;
	size_t sum;

	vmap_get_stats(&st);
	sum = st.free_bytes;
	if (have_shrinkers())
		sum += st.busy_bytes;
	for (i = 0; i < MAX_NR_ZONES; i++)
		sum += READ_ONCE(zones[i].managed_pages) << os_page_shift;
	return sum;
}

/* ---- kswapd ---- */

struct kswapd_state kswapd_state;

/* Free memory is above the high mark, as far as mem= goes. */
static bool balanced(void)
{
	return mem_allows(1, ALLOC_WMARK_HIGH);
}

void balance_memory(void)
{
	unsigned int rounds = 0;
	struct slow_entry e;

	slow_enter_alloc(&e, cpu_enter());
	if (!e.nested) {
		while (!balanced() && rounds++ < MAX_KSWAPD_ROUNDS) {
			unsigned long freed = try_to_free_pages(GFP_KERNEL, &e, false);

			count_vm_events(KSWAPD_STEAL, freed);
			if (!freed && !have_shrinkers())
				break;
		}
		purge_check();
		if (reserve_kept)
			reserve_refill();
	}
	slow_leave(&e);
}

void settle_memory(void)
{
	struct pcpu *entered = cpu_enter();
	struct slab_home *h;

	if (entered != &busy_cpu && atomic_load_explicit(&mm_ready, memory_order_acquire))
		for_each_home(h)
			home_drain_sleeper(h);
	cpu_leave(entered);
}

size_t trim_memory(void)
{
	struct pcpu *c = cpu_enter(), *own = c;
	unsigned long frames = 0;

	if (c == &busy_cpu)
		return 0;
	if (atomic_load_explicit(&mm_ready, memory_order_acquire)) {
		fork_check();
		if (c == &empty_cpu)
			own = NULL;
		if (own)
			slab_flush_all_sheaves(own);
		flush_barns(own);
		frames = shrink_homes(own, true);
		frames += nolock_purge();
		frames += purge_all();
	}
	cpu_leave(c);
	return frames << FRAME_SHIFT;
}

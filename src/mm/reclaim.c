// SPDX-License-Identifier: MIT
/*
 * Reclaim, in this order: own sheaves, barns, other slots' inboxes and empty slabs (by
 * trylock), pages inside slabs in use, free pages. Sheaves of other threads cannot be touched;
 * those are asked to flush at their next miss. Layer: mm.
 */
#include "mm/reclaim.h"
#include "mm/page_alloc.h"
#include "mm/purge.h"
#include "mm/util.h"
#include "mm/vmalloc.h"

static void flush_barns(struct pcpu *c)
{
	struct kmem_cache *s;
	unsigned int i;

	for_each_cache(s, i)
		slab_flush_barn(c, s);
}

/* Frames given back inside slabs that stay. */
static unsigned long shrink_slots(struct pcpu *own, bool ask_others)
{
	unsigned long purged = 0;
	struct pcpu *c;

	for_each_cpu(c) {
		if (ask_others && c != own)
			WRITE_ONCE(c->flush_request, true);
		if (!(c == own ? spin_lock(&c->lock) : spin_trylock(&c->lock)))
			continue;
		cpu_drain_inbox(c);
		slab_release_empty(c);
		purged += slab_purge_partial(c);
		spin_unlock(&c->lock);
	}
	return purged;
}

bool reclaim_memory(struct pcpu *c)
{
	long used = atomic_load_explicit(&purge_state.used, memory_order_relaxed);
	size_t unmapped;

	if (READ_ONCE(fork_under_way))
		return false;
	if (c)
		slab_flush_all_sheaves(c);
	flush_barns(c);
	shrink_slots(c, true);
	unmapped = vmap_unmap_free();
	unmapped += zone_unmap_free();
	return unmapped || atomic_load_explicit(&purge_state.used, memory_order_relaxed) < used;
}

size_t reclaimable_memory(void)
{
	struct vmap_stats st;

	vmap_get_stats(&st);
	return st.free_bytes + (READ_ONCE(zone_normal.managed_pages) << os_page_shift);
}

void settle_memory(void)
{
	struct pcpu *entered = cpu_enter(), *c;

	if (entered != &busy_cpu && atomic_load_explicit(&mm_ready, memory_order_acquire))
		for_each_cpu(c)
			cpu_drain_sleeper(c);
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
		frames = shrink_slots(own, true);
		frames += nolock_purge();
		frames += purge_all();
	}
	cpu_leave(c);
	return frames << FRAME_SHIFT;
}

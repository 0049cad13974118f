// SPDX-License-Identifier: MIT
/*
 * Reports of failed requests, and the OOM policy. Layer: mm. Reads without locks what may change
 * meanwhile; allocates nothing.
 */
#include "lib/small.h"
#include "mm/oom.h"
#include "mm/gfp_policy.h"
#include "mm/page_alloc.h"
#include "mm/show_mem.h"
#include "mm/vmalloc.h"
#include "mm/watermark.h"
#include "kernel/params.h"
#include "kernel/printk.h"

#define INTERVAL_MS	10000
#define SHOWN		5u	/* of the largest caches */

/* True once in INTERVAL_MS. *last: when it was, 0: never. */
static bool ratelimit(_Atomic unsigned long *last)
{
	unsigned long then = atomic_load_explicit(last, memory_order_relaxed);
	unsigned long now = os_clock_ms() | 1;

	if (then && now - then < INTERVAL_MS)
		return false;
	return atomic_compare_exchange_strong_explicit(last, &then, now, memory_order_relaxed,
						       memory_order_relaxed);
}

static void format_mode(char *buf, size_t size, gfp_t gfp)
{
	gfp &= __GFP_BITS_MASK;
	buf[0] = '\0';
	gfp_format(buf, size, gfp);
}

void warn_alloc(const struct alloc_context *ac, const char *message)
{
	static _Atomic unsigned long last;
	char comm[16], mode[160];

	if (ac->gfp & __GFP_NOWARN)
		return;
	if (ac->gfp & __GFP_DMA && !READ_ONCE(zones[ZONE_DMA].managed_pages))
		return;
	if (!ratelimit(&last))
		return;
	os_thread_name(comm);
	format_mode(mode, sizeof(mode), ac->gfp);
	pr_warn("%s: %s: order:%u, mode:0x%x(%s), nodemask=(null)", comm, message, ac->order,
		ac->gfp & __GFP_BITS_MASK, mode);
}

void warn_nofail(const struct alloc_context *ac, unsigned long ms)
{
	char comm[16], mode[160];

	os_thread_name(comm);
	format_mode(mode, sizeof(mode), ac->gfp);
	pr_warn("%s: __GFP_NOFAIL request of %lu pages cannot be met after %lu s, mode:0x%x(%s)%s",
		comm, ac->pages, ms / 1000, ac->gfp & __GFP_BITS_MASK, mode,
		param_choice(PARAM_nofail) == NOFAIL_ABORT ? "; nofail=abort" : "; still waiting");
}

static unsigned long cache_bytes(unsigned int i)
{
	struct kmem_cache *s = cache_nr(i);

	return !s ? 0 : atomic_load_explicit(&s->nr_slabs, memory_order_relaxed) * s->blocks *
	       PAGEBLOCK_SIZE;
}

/* The largest first; those of equal size by number. */
static void show_largest_caches(void)
{
	unsigned long bound = ULONG_MAX;
	unsigned int i, n, best, bound_index = 0;

	for (n = 0; n < SHOWN; n++) {
		struct kmem_cache *s;
		struct slab_usage u;

		best = 0;
		for (i = 1; i < READ_ONCE(nr_caches); i++) {
			unsigned long bytes = cache_bytes(i);

			if (bytes > bound || (bytes == bound && i <= bound_index))
				continue;
			if (bytes && (!best || bytes > cache_bytes(best)))
				best = i;
		}
		if (!best)
			return;
		bound = cache_bytes(best);
		bound_index = best;
		s = cache_nr(best);
		if (!s)
			continue;
		slab_get_usage(s, &u);
		pr_info("  %s: %lu KiB in %lu slabs, %lu of %lu objects in use",
			s->name, bound >> 10, u.nr_slabs,
			u.active_objs - u.in_sheaves, u.num_objs);
	}
}

static void oom_report(const struct alloc_context *ac, size_t size)
{
	unsigned int kib = os_page_shift - 10;
	struct vmap_stats vs;
	char comm[16], mode[160];

	os_thread_name(comm);
	format_mode(mode, sizeof(mode), ac->gfp);
	pr_warn("%s: out of memory at the limit of mem=: a request of %zu bytes, order:%u, "
		"mode:0x%x(%s)", comm, size, ac->order, ac->gfp & __GFP_BITS_MASK, mode);
	pr_info("limit %lu KiB, committed %lu KiB, min %lu KiB, low %lu KiB, high %lu KiB; the "
		"largest:", mem_state.limit << kib, mem_committed() << kib,
		mem_state.watermark[WMARK_MIN] << kib, mem_state.watermark[WMARK_LOW] << kib,
		mem_state.watermark[WMARK_HIGH] << kib);
	vmap_get_stats(&vs);
	if (vs.nr_busy)
		pr_info("  vmalloc: %zu KiB in %zu areas", vs.busy_bytes >> 10, vs.nr_busy);
	show_largest_caches();
}

void oom_policy(const struct alloc_context *ac, size_t size)
{
	static _Atomic unsigned long last;
	unsigned int policy = param_choice(PARAM_oom);

	count_vm_events(OOM_KILL, 1);
	if (policy == OOM_ABORT || (policy == OOM_REPORT && !(ac->gfp & __GFP_NOWARN) &&
				    ratelimit(&last)))
		oom_report(ac, size);
	if (policy == OOM_ABORT)
		os_abort();
}

// SPDX-License-Identifier: MIT
/*
 * The reserve. Layer: mm. Leads in: start_kernel(), the ladder's first step, purge_check_for().
 *
 * Its pages are nothing special: populated free pages of zone Normal, dirty frames on its lru.
 * Requests that may not block take them down to their mark (page_alloc.c), frees bring them
 * back, purging leaves them alone up to the high mark, and whoever may block fills what is missing
 * when less than the low mark is left. One thread at a time fills; the others go on.
 */
#include "lib/small.h"
#include "mm/reserve.h"
#include "mm/gfp_policy.h"
#include "mm/meta.h"
#include "mm/page_alloc.h"
#include "kernel/params.h"
#include "kernel/printk.h"

#define META_LEAST	(1ul << 20)
#define META_SHARE	256		/* of the reserve, for its records */

bool reserve_kept;

static struct {
	_Atomic bool init_begun, init_done;
	_Atomic bool filling;
	_Atomic bool refused;		/* the system gave less than asked for: told once */
} reserve;

void reserve_setup(void)
{
	reserve_kept = param_number(PARAM_min_free_kbytes) || gfp_base_nonblocking;
	atomic_store_explicit(&reserve.init_begun, false, memory_order_relaxed);
	atomic_store_explicit(&reserve.init_done, false, memory_order_relaxed);
}

unsigned long reserve_target(void)
{
	return ALIGN_UP(mem_state.watermark[WMARK_HIGH], 1ul << PAGEBLOCK_ORDER);
}

static void fill(void)
{
	unsigned long target = reserve_target(), have, n;

	while ((have = zone_populated()) < target) {
		n = zone_populate_one(target - have);
		if (!n)
			n = zone_add_populated((target - have) << os_page_shift);
		if (!n)
			break;
		count_vm_events(RESERVE_FILL, n);
	}
	if (have < target &&
	    !atomic_exchange_explicit(&reserve.refused, true, memory_order_relaxed))
		pr_warn("reserve: the system gave %lu KiB, expected %lu",
			have << (os_page_shift - 10), target << (os_page_shift - 10));
}

void reserve_refill(void)
{
	if (zone_populated() > mem_state.watermark[WMARK_LOW] || READ_ONCE(fork_under_way))
		return;
	if (atomic_exchange_explicit(&reserve.filling, true, memory_order_acquire))
		return;
	fill();
	atomic_store_explicit(&reserve.filling, false, memory_order_release);
}

void reserve_init(void)
{
	unsigned int flags = task_flags;
	unsigned long mask;

	if (!reserve_kept || atomic_load_explicit(&reserve.init_done, memory_order_acquire))
		return;
	mask = os_block_signals();	/* a handler must not wait for what it interrupted */
	if (atomic_exchange_explicit(&reserve.init_begun, true, memory_order_relaxed)) {
		os_restore_signals(mask);
		while (!atomic_load_explicit(&reserve.init_done, memory_order_acquire))
			os_yield();
		return;
	}
	/* whatever the request that came first may do: this is start-up */
	task_flags = (flags & ~PF_KM_NONBLOCK) | PF_KM_BLOCKS;
	reserve_refill();
	meta_prefault(META_LEAST + (reserve_target() << os_page_shift) / META_SHARE);
	task_flags = flags;
	atomic_store_explicit(&reserve.init_done, true, memory_order_release);
	os_restore_signals(mask);
}

/*
 * Whatever the thread was doing that forked: it did not fill for the first time, as no handler runs
 * meanwhile; where it was filling later, two threads may do so now, to the same mark.
 */
void reserve_fork_child(void)
{
	atomic_store_explicit(&reserve.filling, false, memory_order_relaxed);
	if (atomic_load_explicit(&reserve.init_begun, memory_order_relaxed))
		atomic_store_explicit(&reserve.init_done, true, memory_order_relaxed);
}

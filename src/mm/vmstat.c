// SPDX-License-Identifier: MIT
/* Zones and events for the program. Layer: mm. */
#include "lib/small.h"
#include "kmalloc/stats.h"
#include "mm/page_alloc.h"
#include "mm/pcpu.h"
#include "mm/watermark.h"
#include "lib/format.h"

#define EINVAL_RESULT	(-22)

_Atomic unsigned long vm_events[NR_VM_EVENTS];

static int find_zone(const char *name)
{
	int i;

	if (!name)
		return -1;
	if (text_equals(name, "HighMem") || text_equals(name, "Movable"))
		return ZONE_NORMAL;
	for (i = 0; i < MAX_NR_ZONES; i++)
		if (text_equals(name, zone_name((enum zone_type)i)))
			return i;
	return -1;
}

__km_export int kmalloc_zone_stats(const char *name, struct kmalloc_zone_stats *stats)
{
	int i = find_zone(name);
	struct zone *z;

	if (i < 0 || !stats)
		return EINVAL_RESULT;
	if (!atomic_load_explicit(&mm_ready, memory_order_acquire))
		mm_init();
	z = &zones[i];
	memset(stats, 0, sizeof(*stats));
	stats->present = READ_ONCE(z->managed_pages);
	stats->free_listed = stats->free = READ_ONCE(z->free_pages);
	stats->populated = READ_ONCE(z->dirty) >> (os_page_shift - FRAME_SHIFT);
	stats->nr_chunks = READ_ONCE(z->nr_chunks);
	stats->managed = stats->present;
	if (i != ZONE_NORMAL)
		return 0;
	watermark_show();
	stats->managed = mem_state.managed;
	stats->min = mem_state.watermark[WMARK_MIN];
	stats->low = mem_state.watermark[WMARK_LOW];
	stats->high = mem_state.watermark[WMARK_HIGH];
	stats->committed = pages_handed_out();
	if (mem_limited())
		stats->free = mem_state.limit - MIN(stats->committed, mem_state.limit);
	return 0;
}

__km_export void kmalloc_vm_events(struct kmalloc_vm_events *e)
{
#define EVENT(field, item) \
	(e->field = atomic_load_explicit(&vm_events[item], memory_order_relaxed))
	EVENT(allocstall, ALLOCSTALL);
	EVENT(kswapd_wake, KSWAPD_WAKE);
	EVENT(kswapd_steal, KSWAPD_STEAL);
	EVENT(direct_steal, PGSTEAL_DIRECT);
	EVENT(oom_notify, OOM_NOTIFY);
	EVENT(oom, OOM_KILL);
	EVENT(alloc_fail, PGALLOC_FAIL);
	EVENT(nofail_wait, NOFAIL_SLEEP);
	EVENT(reserve_fill, RESERVE_FILL);
#undef EVENT
}

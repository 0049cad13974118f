// SPDX-License-Identifier: MIT
/*
 * A slot's areas: the last blocks of up to AREA_CACHE_SIZE that its thread freed, as a sheaf has
 * the last objects. Layer: mm. Leads in: area_cache_get_last, area_cache_get and area_cache_put,
 * from every large malloc and free; area_cache_keep and area_cache_missed from their slow paths;
 * area_cache_flush. Leads down: vmap_free_cached.
 *
 * An area there is VM_CACHED: linked nowhere, counted as used, with the class and the tags of one
 * in use; the change from VM_BUSY is what finds a double free. Its masks say nothing new yet:
 * up to `size` all of it may be dirty. It is handed out again to who wants as many pageblocks, the
 * newest first. The oldest goes when there is no room, by area_cache_keep() alone, as only the slow
 * path may take locks. A request that finds nothing empties the slot, so that what is kept never
 * makes another touch fresh memory: without that, blocks of all sizes cost 10 % more page faults.
 *
 * struct cpu_areas is its thread's alone, without a lock, and is emptied with the sheaves; who
 * takes over a slot whose thread is gone finds in it areas that are VM_CACHED, which are his, and
 * perhaps others, which are not. `max` is 0 where nothing may be kept: an option or a policy wants
 * to see each request (area_cache_init), or page allocations are to fail; it is chosen again after
 * each flush, and whoever starts to inject failures asks every slot for one.
 */
#include "mm/area_cache.h"
#include "mm/fault_inject.h"
#include "mm/gfp_policy.h"
#include "mm/purge.h"
#include "mm/reserve.h"
#include "mm/watermark.h"

/* a slot keeps a block of 1 MiB, its guard included, and a small one beside it */
#define AREA_CACHE_BLOCKS	20u
#define ALL_CACHE_BLOCKS	512u	/* all slots, about; the more there are, the less each */

unsigned int area_cache_blocks;

void area_cache_init(void)
{
	if (mem_limited() || gfp_base_nonblocking || gfp_policy_active || reserve_kept ||
	    param_yes(PARAM_vmalloc_guard) || param_yes(PARAM_init_on_alloc) ||
	    param_yes(PARAM_init_on_free) || param_choice(PARAM_purge) == PURGE_ALWAYS)
		return;
	area_cache_blocks = AREA_CACHE_BLOCKS;
}

static unsigned int cache_max(void)
{
	if (atomic_load_explicit(&fault_page_active, memory_order_relaxed))
		return 0;
	return MIN(area_cache_blocks, ALL_CACHE_BLOCKS / nr_live_cpus());
}

static void remove_area(struct cpu_areas *ca, unsigned int i)
{
	WRITE_ONCE(ca->sum, ca->sum - ca->blocks[i]);
	WRITE_ONCE(ca->nr, ca->nr - 1);
	for (; i < ca->nr; i++) {
		ca->area[i] = ca->area[i + 1];
		ca->blocks[i] = ca->blocks[i + 1];
	}
}

/* size: whole pages, perhaps others than the last time: what was in use until now is dirty. */
void *area_cache_take(struct cpu_areas *ca, unsigned int i, size_t size, bool zero)
{
	struct vmap_area *vm = ca->area[i];
	size_t pages = size >> os_page_shift;

	remove_area(ca, i);
	if (vm->size != size || zero)
		vm_mark_used_dirty(vm, 0);
	vm->size = size;
	mem_recharge(vm->charged, pages);
	vm->charged = pages;
	atomic_store_explicit(&vm->state, VM_BUSY, memory_order_release);
	if (zero)
		vm_clear_dirty(vm, true);
	return (void *)vm->addr;
}

bool area_cache_keep(struct pcpu *c, struct vmap_area *vm)
{
	struct cpu_areas *ca = &c->areas;
	size_t blocks = vm->bytes >> PAGEBLOCK_SHIFT;

	ca->max = cache_max();
	if (blocks > ca->max || !may_be_cached(vm) || !vm_is_busy(vm))
		return false;
	while (ca->nr == CPU_AREAS || ca->sum + blocks > ca->max) {
		struct vmap_area *oldest = ca->area[0];

		remove_area(ca, 0);
		vmap_free_cached(oldest, true);
	}
	return area_cache_add(ca, vm, blocks);
}

static void empty(struct pcpu *c, bool may_wait)
{
	struct cpu_areas *ca = &c->areas;
	unsigned int n = MIN(ca->nr, CPU_AREAS);

	WRITE_ONCE(ca->nr, 0);
	WRITE_ONCE(ca->sum, 0);
	while (n--)	/* a thread that is gone may have left one twice */
		if (!n || ca->area[n] != ca->area[n - 1])
			vmap_free_cached(ca->area[n], may_wait);
}

void area_cache_missed(struct pcpu *c)
{
	if (c->areas.nr)
		empty(c, true);
}

void area_cache_flush(struct pcpu *c)
{
	area_cache_missed(c);
	c->areas.max = 0;
}

void area_cache_drop(struct pcpu *c)
{
	empty(c, false);
	c->areas.max = 0;
}

void area_cache_get_stats(size_t *nr, size_t *bytes)
{
	struct pcpu *c;

	*nr = *bytes = 0;
	for_each_cpu(c) {
		*nr += READ_ONCE(c->areas.nr);
		*bytes += (size_t)READ_ONCE(c->areas.sum) << PAGEBLOCK_SHIFT;
	}
}

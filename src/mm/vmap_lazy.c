// SPDX-License-Identifier: MIT
/*
 * Freed areas whose addresses are kept from reuse, VM_LAZY. Layer: mm. Leads in: vm_check_lazy after
 * a free, vmap_purge_lazy. Those are areas with a guard (vmalloc_guard=1), and those that must go
 * but were freed where nothing may be unmapped; all of them are unmapped at once, under vmap_lock.
 */
#include "mm/vmap_area.h"
#include "os/os.h"

#define LAZY_PER_CPU_BIT (32ul << 20)	/* times the bits of the number of processors */

/*
 * As the kernel: so much may lie there before all of it is purged; the processors are those of
 * the first time.
 */
static size_t lazy_max(void)
{
	static _Atomic unsigned int bits;

	if (!atomic_load_explicit(&bits, memory_order_relaxed))
		atomic_store_explicit(&bits, fls_long(os_nr_cpus()), memory_order_relaxed);
	return LAZY_PER_CPU_BIT * atomic_load_explicit(&bits, memory_order_relaxed);
}

size_t vmap_purge_lazy(void)
{
	struct vmap_area *vm, *n;
	size_t sum = 0;

	if (!lock_vmap(true))
		return 0;
	list_for_each_entry_safe(vm, n, &vmap_state.lazy, lru) {
		if (!vm_unmap(vm))
			break;
		list_del(&vm->lru);
		vmap_state.lazy_bytes -= vm->bytes;
		sum += vm->bytes;
		vm_put_record(vm);
	}
	unlock_vmap();
	return sum;
}

void vm_check_lazy(void)
{
	/* else it was freed where nothing could be unmapped */
	size_t max = param_yes(PARAM_vmalloc_guard) ? lazy_max() : 0;

	if (READ_ONCE(vmap_state.lazy_bytes) > max)
		vmap_purge_lazy();
}


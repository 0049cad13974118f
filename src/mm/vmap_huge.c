// SPDX-License-Identifier: MIT
/*
 * Huge pages for large blocks (transparent_hugepage=). Layer: mm. Leads in: vm_begin_huge and
 * vm_end_huge, at the beginning and the end of a block; leads down: madvise and mincore.
 *
 * Where the system gives transparent huge pages to who asks, a page fault for 2 MiB costs a third
 * of 512 for one page each, or less, but a block of which few pages are written would hold all of its
 * memory. By default nobody asks: mincore() is a call that sandboxes do not foresee, and kill for.
 * With `always` each block from HUGE_MIN on does, with `madvise` those whose like are written to
 * their last page: the first block of each power of two, from HUGE_MIN on, gets
 * none, and is looked at when it is freed: in SAMPLES places of a pageblock, but for those
 * where an earlier block left memory. If all of these are there, the next of which at least half is
 * fresh memory ask for huge pages, but for every PROBE_EVERY-th, which is looked at again: one that
 * is not full ends it. Free memory does not ask, as what begins there next may be of another size,
 * but where the block was freed by who may not call the system.
 *
 * The counts are racy: one lost changes nothing.
 */
#include "mm/vmap_area.h"
#include "lib/bits.h"
#include "os/os.h"

#define HUGE_MIN	(4ul << 20)
#define SAMPLES		8u
#define PROBE_EVERY	8u

static bool full[65];		/* by the power of two: the last that was looked at */
static unsigned int asked;	/* how often, for PROBE_EVERY */

/*
 * Whether all pages are there that are looked at; the masks are those of when the block began: what
 * was dirty then says nothing.
 */
static bool is_full(const struct vmap_area *vm)
{
	size_t last = ALIGN_DOWN(vm->size, PAGEBLOCK_SIZE) - PAGEBLOCK_SIZE;
	unsigned int i;

	for (i = 0; i < SAMPLES; i++) {
		unsigned long a = vm->addr + ALIGN_DOWN(last / (SAMPLES - 1) * i, PAGEBLOCK_SIZE);

		if (!*dirty_mask(a) &&
		    !os_is_resident((void *)a, PAGEBLOCK_SIZE >> os_page_shift))
			return false;
	}
	return true;
}

void vm_begin_huge(struct vmap_area *vm)
{
	unsigned long start = ALIGN_UP(vm->addr, HUGE_PAGE);
	unsigned long end = ALIGN_DOWN(vm->addr + vm->size, HUGE_PAGE);

	if (vm->size < HUGE_MIN || likely(param_choice(PARAM_transparent_hugepage) == THP_NEVER) ||
	    (size_t)vm->dirty << FRAME_SHIFT > vm->size / 2 || start >= end)
		return;
	if (param_choice(PARAM_transparent_hugepage) == THP_MADVISE) {
		vm->fresh = true;
		if (!READ_ONCE(full[fls_long(vm->size)]) || ++asked % PROBE_EVERY == 0)
			return;
	}
	vm->fresh = false;
	vm->huge = true;
	os_hugepage((void *)start, end - start);
}

void vm_end_huge(struct vmap_area *vm)
{
	if (likely(!vm->huge && !vm->fresh))
		return;
	if (vm->huge)
		os_nohugepage((void *)vm->addr, vm->bytes);
	else
		WRITE_ONCE(full[fls_long(vm->size)], is_full(vm));
	vm->huge = false;
	vm->fresh = false;
}

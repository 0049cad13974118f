// SPDX-License-Identifier: MIT
/*
 * Scopes: what a thread has promised not to let its allocations do. Layer: mm.
 *
 * One word a thread, changed by that thread alone. A signal handler that opens a scope between
 * the load and the store of another closes it again before it returns, so the word it leaves is
 * the one that it found.
 *
 * The kernel also has gfp_allowed_mask, which takes RECLAIM, IO and FS away from every request
 * until the machine is up. There is nothing for it to do here: until mm_ready is set no request
 * gets past mm_init(), which needs static memory alone, and what comes before the constructors
 * may reclaim like any other, for reclaim needs nothing that they set up.
 */
#include "mm/gfp.h"

#define PF_SCOPES	(PF_MEMALLOC | PF_MEMALLOC_NOFS | PF_MEMALLOC_NOIO | PF_MEMALLOC_PIN)

__thread unsigned int task_flags;

gfp_t current_gfp_context(gfp_t gfp)
{
	unsigned int flags = READ_ONCE(task_flags);

	if (likely(!(flags & (PF_MEMALLOC_NOIO | PF_MEMALLOC_NOFS | PF_MEMALLOC_PIN))))
		return gfp;
	if (flags & PF_MEMALLOC_NOIO)
		gfp &= ~(__GFP_IO | __GFP_FS);
	if (flags & PF_MEMALLOC_NOFS)
		gfp &= ~__GFP_FS;
	if (flags & PF_MEMALLOC_PIN)
		gfp &= ~__GFP_MOVABLE;
	return gfp;
}

/* Returns what was clear before: that is what restore must clear again, and nothing else. */
__km_export unsigned int memalloc_flags_save(unsigned int flags)
{
	unsigned int old = READ_ONCE(task_flags);

	flags &= PF_SCOPES;
	WRITE_ONCE(task_flags, old | flags);
	return flags & ~old;
}

__km_export void memalloc_flags_restore(unsigned int flags)
{
	WRITE_ONCE(task_flags, READ_ONCE(task_flags) & ~(flags & PF_SCOPES));
}

__km_export unsigned int memalloc_noio_save(void)
{
	return memalloc_flags_save(PF_MEMALLOC_NOIO);
}

__km_export void memalloc_noio_restore(unsigned int flags)
{
	memalloc_flags_restore(flags & PF_MEMALLOC_NOIO);
}

__km_export unsigned int memalloc_nofs_save(void)
{
	return memalloc_flags_save(PF_MEMALLOC_NOFS);
}

__km_export void memalloc_nofs_restore(unsigned int flags)
{
	memalloc_flags_restore(flags & PF_MEMALLOC_NOFS);
}

__km_export unsigned int memalloc_noreclaim_save(void)
{
	return memalloc_flags_save(PF_MEMALLOC);
}

__km_export void memalloc_noreclaim_restore(unsigned int flags)
{
	memalloc_flags_restore(flags & PF_MEMALLOC);
}

__km_export unsigned int memalloc_pin_save(void)
{
	return memalloc_flags_save(PF_MEMALLOC_PIN);
}

__km_export void memalloc_pin_restore(unsigned int flags)
{
	memalloc_flags_restore(flags & PF_MEMALLOC_PIN);
}

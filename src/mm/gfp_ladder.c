// SPDX-License-Identifier: MIT
/* The ladder of an allocation that found no memory at once. Layer: mm. */
#include "mm/entry.h"
#include "mm/reclaim.h"
#include "os/os.h"

void alloc_context_init(struct alloc_context *ac, gfp_t gfp, unsigned int order)
{
	memset(ac, 0, sizeof(*ac));
	ac->gfp = current_gfp_context(gfp);
	ac->order = order;
	ac->alloc_flags = ALLOC_WMARK_LOW;
}

bool alloc_slowpath(struct alloc_context *ac, struct slow_entry *e)
{
	return e->cpu && !ac->step++ && reclaim_memory(e->cpu);
}

void alloc_failed(const struct alloc_context *ac, size_t size)
{
	(void)size;
	if (ac->gfp & __GFP_MALLOC)
		os_set_errno_enomem();
}

bool mem_charge(unsigned long pages, const struct alloc_context *ac)
{
	(void)pages;
	(void)ac;
	return true;
}

void mem_uncharge(unsigned long pages)
{
	(void)pages;
}

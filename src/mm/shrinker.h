/* SPDX-License-Identifier: MIT */
/* Shrinkers and the OOM notifier chain, as reclaim calls them. Layer: mm. */
#ifndef KM_MM_SHRINKER_H
#define KM_MM_SHRINKER_H

#include "mm/gfp.h"

/*
 * All registered shrinkers once, in the order of registration; the objects freed. The caller is
 * outside the allocator, holds no lock and has PF_MEMALLOC set.
 */
unsigned long shrink_slab(gfp_t gfp, int nid, unsigned int priority) __km(shrink_slab);
bool have_shrinkers(void) __km(have_shrinkers);
/* Calls the chain; the pages that the callbacks say they freed. Same conditions. */
unsigned long oom_notify(void) __km(oom_notify);
/* The only thread of a fork child: calls in the others' threads have ended. */
void shrinker_fork_child(void) __km(shrinker_fork_child);

#endif

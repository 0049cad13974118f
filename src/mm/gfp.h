/* SPDX-License-Identifier: MIT */
/*
 * A request on its way through the allocator: its flags, the marks that it must respect, and how
 * far it has come on the ladder. Layer: mm.
 *
 * The first try respects the low mark and nothing else. When it fails, alloc_slowpath() takes the
 * ladder's next step (other mark, reclaim, wait, give up) and says whether to try again; it is
 * called with no lock held. Functions further down (alloc_block, vmap_alloc) never sleep: they
 * try once under ac->alloc_flags.
 */
#ifndef KM_MM_GFP_H
#define KM_MM_GFP_H

#include "kmalloc/gfp.h"
#include "kernel/percpu.h"

/* Internal bits, stripped from what callers give. */
/* the object's alignment is that of its size (a class of the natural list) */
#define __GFP_NATURAL	((gfp_t)0x80000000u)
/* malloc and its family: KMALLOC_GFP applies, failure sets errno and is reported at mem= alone */
#define __GFP_MALLOC	((gfp_t)0x40000000u)
/* failslab was asked for this object already */
#define __GFP_CHECKED	((gfp_t)0x20000000u)
/* a large block that realloc() enlarged: room to grow on behind it */
#define __GFP_GROWS	((gfp_t)0x10000000u)
#define GFP_MALLOC	(GFP_KERNEL | __GFP_MALLOC)

/* Values as in the kernel's mm/internal.h. */
#define ALLOC_WMARK_MIN		0x0u
#define ALLOC_WMARK_LOW		0x1u
#define ALLOC_WMARK_HIGH	0x2u
#define ALLOC_WMARK_MASK	0x3u
#define ALLOC_NO_WATERMARKS	0x4u
#define ALLOC_NON_BLOCK		0x10u
#define ALLOC_MIN_RESERVE	0x20u
#define ALLOC_TRYLOCK		0x400u	/* no lock is waited for */
#define ALLOC_KSWAPD		0x800u
/* Ours. The request is for pages: the rules about costly orders hold. */
#define ALLOC_PAGES		0x1000u

struct alloc_context {
	gfp_t gfp;			/* after policy and scopes; internal bits included */
	unsigned int order;		/* of the block that is wanted, in pages */
	unsigned int alloc_flags;	/* ALLOC_ */
	/* all that is wanted: 1 << order, or what the caller sets before the first try */
	unsigned long pages;
	/* the ladder's state, alloc_slowpath() alone; zero at first */
	unsigned int step, no_progress_loops, priority;
	unsigned long waited_ms, warned_ms;
	bool injected;			/* fault injection refused it: nothing more is tried */
};

struct slow_entry;

/*
 * Scopes of the calling thread applied, first try at the low mark. A request for pages sets
 * ALLOC_PAGES in ac->alloc_flags afterwards.
 */
void alloc_context_init(struct alloc_context *ac, gfp_t gfp, unsigned int order)
	__km(alloc_context_init);
/*
 * One step of the ladder. The calling thread is in the slow entry e and holds no lock; true: try
 * again. May leave and re-enter the allocator (e->cpu is another one then) to run shrinkers.
 */
bool alloc_slowpath(struct alloc_context *ac, struct slow_entry *e) __km(alloc_slowpath);
/* After slow_leave(): errno, and the report of a request that failed. size in bytes. */
void alloc_failed(const struct alloc_context *ac, size_t size) __km(alloc_failed);

/*
 * pages of the limit that mem= sets are taken if ac's mark allows; given back. Always true where
 * there is no limit.
 */
bool mem_charge(unsigned long pages, const struct alloc_context *ac) __km(mem_charge);
void mem_uncharge(unsigned long pages) __km(mem_uncharge);

static inline bool may_block(const struct alloc_context *ac)
{
	return ac->gfp & __GFP_DIRECT_RECLAIM;
}

/*
 * task_flags says what the calling thread is in the middle of: the scopes' bits, PF_MEMALLOC and so
 * on of <kmalloc/gfp.h>, and ours. An allocation looks at it on its slow path alone. Ours: the
 * thread's last request on a slow path may block; PF_KM_NONBLOCK (kernel/percpu.h):
 * may not; neither: none yet.
 */
#define PF_KM_BLOCKS		0x1u
#define PF_KM_MASK		(PF_KM_BLOCKS | PF_KM_NONBLOCK)

/*
 * Around what may block whatever the thread asked for last, and is no request with flags: the old
 * bits, to be given back.
 */
static inline unsigned int may_block_save(void)
{
	unsigned int old = task_flags & PF_KM_MASK;

	task_flags = (task_flags & ~PF_KM_MASK) | PF_KM_BLOCKS;
	return old;
}

static inline void may_block_restore(unsigned int old)
{
	task_flags = (task_flags & ~PF_KM_MASK) | old;
}

/* The flags as the calling thread's scopes leave them; PF_MEMALLOC itself is the ladder's. */
gfp_t current_gfp_context(gfp_t gfp) __km(current_gfp_context);

#endif

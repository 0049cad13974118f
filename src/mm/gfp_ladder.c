// SPDX-License-Identifier: MIT
/*
 * The ladder of an allocation that found no memory at once. Layer: mm. Leads in: the slow paths of
 * slabs, pages and vmalloc, which call alloc_slowpath() after each try that failed.
 *
 * ac->step names what the next call does:
 *   STEP_START    fill the reserve the first time; wake kswapd; min mark with its reductions
 *   STEP_RESERVES reserve rights: no marks, once
 *   STEP_RECLAIM  may it block? a round of reclaim, as often as the flags say
 *   STEP_OOM      the try at the high mark failed: the notifiers, then the end
 *   STEP_NOFAIL   reclaim and sleep, for ever
 *   STEP_OUT      the OOM policy speaks in alloc_failed()
 * Requests whose marks can refuse nothing (no mem=, no reserve) leave out tries that differ in
 * the mark alone, and one that reclaim could not satisfy if all it has came free leaves at once.
 */
#include "mm/entry.h"
#include "mm/gfp_policy.h"
#include "mm/oom.h"
#include "mm/page_alloc.h"
#include "mm/reclaim.h"
#include "mm/reserve.h"
#include "mm/shrinker.h"
#include "mm/watermark.h"
#include "kernel/params.h"
#include "kernel/printk.h"
#include "os/os.h"

#define MAX_RECLAIM_RETRIES	16u
#define COSTLY_ORDER		3u	/* PAGE_ALLOC_COSTLY_ORDER of <kmalloc/mm.h> */
#define NOFAIL_SLEEP_MIN	1000u	/* us; doubled up to */
#define NOFAIL_SLEEP_MAX	20000u
#define NOFAIL_WARN_MS		10000u

enum { STEP_START, STEP_RESERVES, STEP_RECLAIM, STEP_OOM, STEP_NOFAIL, STEP_OUT };

/* For what lies too far below the flags: locks and meta.c. */
static void note_context(const struct alloc_context *ac)
{
	task_flags = (task_flags & ~PF_KM_MASK) |
		     (may_block(ac) ? PF_KM_BLOCKS : PF_KM_NONBLOCK);
}

void alloc_context_init(struct alloc_context *ac, gfp_t gfp, unsigned int order)
{
	memset(ac, 0, sizeof(*ac));
	ac->gfp = current_gfp_context(gfp);
	ac->order = order;
	ac->pages = 1ul << order;
	ac->alloc_flags = ALLOC_WMARK_LOW;
	note_context(ac);
}

/* ---- what the flags say ---- */

static unsigned int min_flags(gfp_t gfp)
{
	unsigned int flags = ALLOC_WMARK_MIN;

	if (gfp & __GFP_HIGH)
		flags |= ALLOC_MIN_RESERVE;
	if (!(gfp & (__GFP_DIRECT_RECLAIM | __GFP_NOMEMALLOC)))
		flags |= ALLOC_NON_BLOCK;
	return flags;
}

static bool has_reserve_rights(gfp_t gfp)
{
	if (gfp & __GFP_NOMEMALLOC)
		return false;
	return gfp & __GFP_MEMALLOC || task_flags & PF_MEMALLOC;
}

static void set_mark(struct alloc_context *ac, unsigned int flags)
{
	ac->alloc_flags = (ac->alloc_flags & ALLOC_PAGES) | flags;
	if (has_reserve_rights(ac->gfp))
		ac->alloc_flags |= ALLOC_NO_WATERMARKS;
}

static bool is_costly(const struct alloc_context *ac)
{
	return ac->alloc_flags & ALLOC_PAGES && ac->order > COSTLY_ORDER;
}

/* The kernel kills nobody for these, and here nobody is asked for memory. */
static bool may_oom(const struct alloc_context *ac)
{
	return !is_costly(ac) && !(ac->gfp & (__GFP_RETRY_MAYFAIL | __GFP_THISNODE)) &&
	       gfp_zonenum(ac->gfp) == ZONE_NORMAL;
}

static bool marks_matter(void)
{
	return mem_limited() || reserve_kept;
}

/* mem= is what refuses; else it is the system. */
static bool limit_refuses(const struct alloc_context *ac)
{
	return !mem_allows(ac->pages, ac->alloc_flags);
}

/* All that could come free is not enough. */
static bool is_hopeless(const struct alloc_context *ac)
{
	if (limit_refuses(ac))
		return !watermark_ok(mem_state.limit, ac->pages, ac->alloc_flags);
	return ac->pages > reclaimable_memory() >> os_page_shift;
}

static void warn_odd_flags(const struct alloc_context *ac)
{
	static _Atomic bool warned_blocking, warned_order;

	if (!(ac->gfp & __GFP_NOFAIL))
		return;
	if (!may_block(ac) &&
	    !atomic_exchange_explicit(&warned_blocking, true, memory_order_relaxed))
		pr_warn("%s: __GFP_NOFAIL in flags 0x%x without __GFP_DIRECT_RECLAIM, expected "
			"with it; it may fail", __func__, ac->gfp & __GFP_BITS_MASK);
	if (ac->alloc_flags & ALLOC_PAGES && ac->order > 1 &&
	    !atomic_exchange_explicit(&warned_order, true, memory_order_relaxed))
		pr_warn("%s: __GFP_NOFAIL with order %u, expected at most 1", __func__,
			ac->order);
}

/* A word, no system call; who may block starts the thread where it does not run (after fork). */
static void wake_kswapd(const struct alloc_context *ac, struct slow_entry *e)
{
	if (!(ac->gfp & __GFP_KSWAPD_RECLAIM) || likely(!param_yes(PARAM_kswapd)))
		return;
	if (!atomic_exchange_explicit(&kswapd_state.wanted, true, memory_order_relaxed))
		count_vm_events(KSWAPD_WAKE, 1);
	if (!may_block(ac) || e->nested ||
	    atomic_load_explicit(&kswapd_state.running, memory_order_relaxed))
		return;
	slow_pause(e);
	kswapd_run();
	slow_resume(e);
}

/* ---- the steps ---- */

/* Reclaims once more and sleeps; true for ever, but for nofail=abort. */
static bool nofail_wait(struct alloc_context *ac, struct slow_entry *e)
{
	unsigned long start = os_clock_ms(), sleep;
	bool abort = param_choice(PARAM_nofail) == NOFAIL_ABORT;

	if (ac->step != STEP_NOFAIL) {
		ac->step = STEP_NOFAIL;
		ac->no_progress_loops = 0;
	}
	set_mark(ac, min_flags(ac->gfp) | ALLOC_MIN_RESERVE);
	if (!e->nested && !(task_flags & PF_MEMALLOC) &&
	    try_to_free_pages(ac->gfp, e, !limit_refuses(ac)))
		return true;
	if (abort || ac->waited_ms - ac->warned_ms >= NOFAIL_WARN_MS) {
		warn_nofail(ac, ac->waited_ms);
		ac->warned_ms = ac->waited_ms;
	}
	slow_pause(e);
	if (abort)
		os_abort();
	sleep = NOFAIL_SLEEP_MIN << MIN(ac->no_progress_loops, 5u);
	ac->no_progress_loops++;
	count_vm_events(NOFAIL_SLEEP, 1);
	os_sleep_us((unsigned int)MIN(sleep, (unsigned long)NOFAIL_SLEEP_MAX));
	slow_resume(e);
	ac->waited_ms += MAX(os_clock_ms() - start, 1ul);
	return true;
}

static bool nopage(struct alloc_context *ac, struct slow_entry *e)
{
	return ac->gfp & __GFP_NOFAIL && may_block(ac) && nofail_wait(ac, e);
}

static bool step_start(struct alloc_context *ac, struct slow_entry *e)
{
	ac->step = STEP_RESERVES;
	warn_odd_flags(ac);
	set_mark(ac, min_flags(ac->gfp));
	if (unlikely(reserve_kept) && !e->nested)
		reserve_init();
	if (!marks_matter())
		return false;
	if (has_reserve_rights(ac->gfp))
		ac->step = STEP_RECLAIM;
	return true;
}

static bool step_oom(struct alloc_context *ac, struct slow_entry *e)
{
	unsigned long freed;

	count_vm_events(OOM_NOTIFY, 1);
	slow_pause(e);
	task_flags |= PF_MEMALLOC;
	freed = oom_notify();
	task_flags &= ~PF_MEMALLOC;
	slow_resume(e);
	set_mark(ac, min_flags(ac->gfp));
	if (freed) {
		ac->step = STEP_RECLAIM;
		ac->priority = ac->no_progress_loops = 0;
		return true;
	}
	ac->step = STEP_OUT;
	return nopage(ac, e);
}

/* The rounds are over. */
static bool rounds_over(struct alloc_context *ac, struct slow_entry *e)
{
	if (!may_oom(ac))
		return nopage(ac, e);
	ac->step = STEP_OOM;
	if (!marks_matter())
		return step_oom(ac, e);
	ac->alloc_flags = (ac->alloc_flags & ALLOC_PAGES) | ALLOC_WMARK_HIGH;
	return true;
}

static bool step_reclaim(struct alloc_context *ac, struct slow_entry *e)
{
	bool light = ac->gfp & __GFP_NORETRY;
	unsigned long freed;

	if (ac->priority) {
		if (light || (is_costly(ac) && !(ac->gfp & __GFP_RETRY_MAYFAIL)))
			return nopage(ac, e);
		if (ac->no_progress_loops >= MAX_RECLAIM_RETRIES)
			return rounds_over(ac, e);
	} else {
		count_vm_events(ALLOCSTALL, 1);
	}
	ac->priority++;
	freed = light ? reclaim_lightly(ac->gfp, e) :
			try_to_free_pages(ac->gfp, e, !limit_refuses(ac));
	count_vm_events(PGSTEAL_DIRECT, freed);
	if (freed && !is_costly(ac)) {
		ac->no_progress_loops = 0;
	} else {
		ac->no_progress_loops++;
		/* another round would find what this one found */
		if (!freed && !have_shrinkers())
			ac->no_progress_loops = MAX_RECLAIM_RETRIES;
	}
	set_mark(ac, min_flags(ac->gfp));
	return true;
}

static bool next_step(struct alloc_context *ac, struct slow_entry *e)
{
	wake_kswapd(ac, e);
	if (ac->step == STEP_START && step_start(ac, e))
		return true;
	if (ac->step == STEP_RESERVES) {
		ac->step = STEP_RECLAIM;
		if (is_hopeless(ac) && !(ac->gfp & __GFP_NOFAIL)) {
			if (may_block(ac) && limit_refuses(ac) && may_oom(ac) &&
			    !(ac->gfp & __GFP_NORETRY))
				ac->step = STEP_OUT;
			return false;
		}
	}
	if (!may_block(ac))
		return false;
	if (e->nested || task_flags & PF_MEMALLOC)
		return nopage(ac, e);
	switch (ac->step) {
	case STEP_RECLAIM:
		return step_reclaim(ac, e);
	case STEP_OOM:
		return step_oom(ac, e);
	}
	return nopage(ac, e);
}

bool alloc_slowpath(struct alloc_context *ac, struct slow_entry *e)
{
	bool again = next_step(ac, e);

	note_context(ac);	/* callbacks may have allocated */
	return again;
}

void alloc_failed(const struct alloc_context *ac, size_t size)
{
	count_vm_events(PGALLOC_FAIL, 1);
	if (ac->step == STEP_OUT && mem_limited())
		oom_policy(ac, size);
	if (!(ac->gfp & __GFP_MALLOC) && !ac->injected)	/* the injector has said it */
		warn_alloc(ac, "page allocation failure");
	os_set_errno_enomem();
}

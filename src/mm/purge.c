// SPDX-License-Identifier: MIT
/*
 * When free memory goes back to the system. Layer: mm.
 *
 * budget = live / USED_SHARE, at least BUDGET_MIN, plus `extra`. Free dirty memory above it is
 * given back as it is freed, oldest first, down to 3/4 of the budget: one burst of system calls
 * per quarter budget freed, none in steady state. `extra` grows by LEARN times what was purged and
 * needed again within SOON_MS, so a loop of equal bursts keeps its memory from the second round on,
 * and who replaces blocks at random soon purges little; every DECAY_MS it loses half of what lay
 * free for all that time. Whatever the budget is, what lies free and what is in use are together at
 * most a third more than ever was in use at once: what is free beyond that is in pieces too small
 * for what the program asks for, and the oldest goes for each fresh page. A reserve that is kept
 * (reserve.c) stands beside the budget; where the base policy may not block nothing is purged but
 * by malloc_trim(). All counters are relaxed atomics: an error of a few frames changes nothing.
 */
#include "mm/purge.h"
#include "mm/page_alloc.h"
#include "mm/gfp_policy.h"
#include "mm/pcpu.h"
#include "mm/reserve.h"
#include "mm/vmalloc.h"
#include "kernel/params.h"

#define USED_SHARE	4
#define PEAK_SHARE	3
#define LEARN		4	/* what is needed again adds so many times itself to the budget */
#define BUDGET_MIN	((1l << 20) >> FRAME_SHIFT)	/* 1 MiB */
#define SOON_MS		2000
#define DECAY_MS	5000

struct purge_state purge_state;

#define ADD(field, n)	atomic_fetch_add_explicit(&purge_state.field, n, memory_order_relaxed)
#define GET(field)	atomic_load_explicit(&purge_state.field, memory_order_relaxed)
#define SET(field, v)	atomic_store_explicit(&purge_state.field, v, memory_order_relaxed)

void purge_account_refault(long frames)
{
	long recent = GET(recent);

	if (likely(!recent))
		return;
	if (os_clock_ms() - GET(recent_ms) > SOON_MS) {
		SET(recent, 0);
		return;
	}
	frames = MIN(frames, recent);
	SET(recent, recent - frames);
	if (!GET(extra)) {
		SET(period_ms, os_clock_ms());
		SET(idle_min, 0);
	}
	/* half as much again as was ever in use: three quarters of it must hold all of that */
	SET(extra, MIN(GET(extra) + LEARN * frames, GET(peak_used) + GET(peak_used) / 2));
}

void purge_account_alloc(long frames, long dirty)
{
	long used = ADD(used, frames) + frames;

	if (used > GET(peak_used))
		SET(peak_used, used);
	if (frames > dirty)
		purge_account_refault(frames - dirty);
}

void purge_account_free(long frames)
{
	ADD(used, -frames);
}

void purge_account_dirty(long frames)
{
	long dirty = ADD(dirty, frames) + frames;

	if (dirty < GET(idle_min))
		SET(idle_min, dirty);
}

void purge_account_purged(long frames)
{
	if (!frames)
		return;
	ADD(nr_purged, (unsigned long)frames);
	ADD(recent, frames);
	SET(recent_ms, os_clock_ms());
}

bool purge_is_always(void)
{
	return param_choice(PARAM_purge) == PURGE_ALWAYS && likely(!gfp_base_nonblocking);
}

/* Frames in live objects: what homes have free in their slabs is held back, not used. */
static long live_frames(void)
{
	unsigned long free_bytes = 0;
	struct slab_home *h;

	for_each_home(h)
		free_bytes += READ_ONCE(h->free_bytes);
	return MAX(GET(used) - (long)(free_bytes >> FRAME_SHIFT), 0);
}

/* What lay free all through a period was of no use: half of it is taken off the budget. */
static void decay_extra(long extra)
{
	unsigned long now = os_clock_ms();
	long idle = GET(idle_min);

	if (now - GET(period_ms) < DECAY_MS)
		return;
	SET(period_ms, now);
	SET(idle_min, GET(dirty));
	idle = MIN(idle, extra);
	if (idle > 0)
		SET(extra, extra - (idle + 1) / 2);
	else if (!GET(dirty))
		SET(extra, extra / 2);
}

/* What the reserve holds does not count against the budget. */
static long reserve_frames(void)
{
	if (likely(!reserve_kept))
		return 0;
	return (long)(MIN(zone_populated(), reserve_target()) << (os_page_shift - FRAME_SHIFT));
}

/* So much may lie free until all of it and what is in use is more than ever was in use. */
static long room_below_peak(void)
{

	long peak = GET(peak_used);

	return MAX(peak + peak / PEAK_SHARE - GET(used), BUDGET_MIN);
}

long purge_limit(void)
{
	long extra = GET(extra);

	if (unlikely(gfp_base_nonblocking))
		return LONG_MAX;
	switch (param_choice(PARAM_purge)) {
	case PURGE_NEVER:
		return LONG_MAX;
	case PURGE_ALWAYS:
		return 0;
	}
	if (unlikely(extra))
		decay_extra(extra);
	return MAX(live_frames() / USED_SHARE, BUDGET_MIN) + extra;
}

/* The oldest free thing, be it of the direct map or of the vmalloc region. */
static unsigned long purge_oldest(void)
{
	unsigned long zone_seq = zone_oldest_seq(), vm_seq = vmap_oldest_seq();

	if (zone_seq == ULONG_MAX && vm_seq == ULONG_MAX)
		return 0;
	return zone_seq < vm_seq ? zone_purge_oldest() : vmap_purge_oldest();
}

void purge_check(void)
{
	long limit, room, dirty = GET(dirty);

	if (likely(dirty <= BUDGET_MIN) && likely(!purge_is_always()))
		return;
	limit = purge_limit();
	if (limit == LONG_MAX)
		return;
	room = room_below_peak();
	dirty -= reserve_frames();
	if (dirty <= MIN(limit, room))
		return;
	if (dirty > limit)
		limit -= limit / 4;
	limit = MIN(limit, room);
	while (GET(dirty) - reserve_frames() > limit)
		if (!purge_oldest())
			return;
}

void purge_check_for(const struct alloc_context *ac)
{
	if (unlikely(!may_block(ac)))
		return;
	purge_check();
	if (unlikely(reserve_kept))
		reserve_refill();
}

unsigned long purge_all(void)
{
	unsigned long n, sum = 0;

	while ((n = purge_oldest()))
		sum += n;
	SET(extra, 0);
	return sum;
}

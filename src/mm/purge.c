// SPDX-License-Identifier: MIT
/*
 * When free memory goes back to the system. Layer: mm.
 *
 * budget = live / USED_SHARE, at least BUDGET_MIN, plus `extra`. Free dirty memory above it is given back as it is
 * freed, oldest first, down to 3/4 of the budget: one burst of system calls per quarter budget freed, none in steady
 * state. `extra` grows by every frame that was purged and needed again within SOON_MS, so a loop of equal bursts keeps
 * its memory from the second round on; it halves every DECAY_MS in which the dirty memory did not come near the budget.
 * All counters are relaxed atomics: an error of a few frames changes nothing.
 */
#include "mm/purge.h"
#include "mm/page_alloc.h"
#include "mm/pcpu.h"
#include "mm/vmalloc.h"
#include "kernel/params.h"

#define USED_SHARE	4
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
	SET(extra, MIN(GET(extra) + frames, GET(peak_used)));
	SET(useful_ms, os_clock_ms());
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
	ADD(dirty, frames);
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
	return param_choice(PARAM_purge) == PURGE_ALWAYS;
}

/* Frames in live objects: what slots have free in their slabs is held back, not used. */
static long live_frames(void)
{
	unsigned long free_bytes = 0;
	struct pcpu *c;

	for_each_cpu(c)
		free_bytes += READ_ONCE(c->free_bytes);
	return MAX(GET(used) - (long)(free_bytes >> FRAME_SHIFT), 0);
}

static void decay_extra(long extra)
{
	unsigned long now = os_clock_ms();

	if (GET(dirty) > extra / 2)
		SET(useful_ms, now);
	else if (now - GET(useful_ms) > DECAY_MS) {
		SET(extra, extra / 2);
		SET(useful_ms, now);
	}
}

long purge_limit(void)
{
	long extra = GET(extra);

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
	long limit;

	if (likely(GET(dirty) <= BUDGET_MIN) && !purge_is_always())
		return;
	limit = purge_limit();
	if (GET(dirty) <= limit)
		return;
	while (GET(dirty) > limit - limit / 4)
		if (!purge_oldest())
			return;
}

unsigned long purge_all(void)
{
	unsigned long n, sum = 0;

	while ((n = purge_oldest()))
		sum += n;
	SET(extra, 0);
	return sum;
}

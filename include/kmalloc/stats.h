/* SPDX-License-Identifier: MIT */
/**
 * Counters of the allocator: zones and events. All are read without locks, so a set of numbers
 * that change meanwhile may be off by a few. Follows what the kernel's mm/vmstat.c shows.
 */
#ifndef KMALLOC_STATS_H
#define KMALLOC_STATS_H

#include <kmalloc/types.h>

KMALLOC_BEGIN_DECLS

/** A zone; all numbers are pages of the system's page size. */
struct kmalloc_zone_stats {
	unsigned long present;		/**< mapped from the system */
	unsigned long free_listed;	/**< of these, on the free lists */
	unsigned long populated;	/**< of those, there without a page fault */
	/** Normal: the limit of mem=, or physical memory; the other zones: as present. */
	unsigned long managed;
	/** Marks of zone Normal; 0 in the other zones. */
	unsigned long min, low, high;
	/** Normal: handed out, of all zones and of the vmalloc region, as mem= counts it. */
	unsigned long committed;
	/** Normal with mem=: what is left, managed - committed; else as free_listed. */
	unsigned long free;
	unsigned long nr_chunks;	/**< pieces that were mapped from the system */
};

/** Events since the program started. */
struct kmalloc_vm_events {
	unsigned long allocstall;	/**< requests that had to reclaim */
	unsigned long kswapd_wake;	/**< times kswapd was woken */
	unsigned long kswapd_steal;	/**< pages that it reclaimed */
	unsigned long direct_steal;	/**< pages that requests reclaimed */
	unsigned long oom_notify;	/**< calls of the OOM notifier chain */
	unsigned long oom;		/**< requests that reached the OOM policy */
	unsigned long alloc_fail;	/**< requests that failed for want of memory */
	unsigned long nofail_wait;	/**< sleeps of __GFP_NOFAIL requests */
	unsigned long reserve_fill;	/**< pages populated for the reserve */
};

/**
 * kmalloc_zone_stats - numbers of the zone called "DMA", "DMA32" or "Normal" ("HighMem" and
 * "Movable" are Normal here). Result: 0, or -22 (-EINVAL) for another name. Follows
 * /proc/zoneinfo.
 */
int kmalloc_zone_stats(const char *name, struct kmalloc_zone_stats *stats)
	KMALLOC_LINK_NAME(kmalloc_zone_stats);

/** kmalloc_vm_events - the events counted so far. Follows /proc/vmstat. */
void kmalloc_vm_events(struct kmalloc_vm_events *events) KMALLOC_LINK_NAME(kmalloc_vm_events);

KMALLOC_END_DECLS

#endif

/* SPDX-License-Identifier: MIT */
/**
 * What the allocator holds, to read while the program runs. No function here takes a lock or
 * memory from any allocator; while other threads allocate, figures are off by a few objects, but
 * never negative, nor more objects in use than there are. Follows mm/slab_common.c of the kernel
 * (what /proc/slabinfo shows) and mm/vmstat.c (zones, events); see kmalloc_stats(3).
 */
#ifndef KMALLOC_STATS_H
#define KMALLOC_STATS_H

#include <kmalloc/types.h>

KMALLOC_BEGIN_DECLS

/** One slab cache. Sizes in bytes. */
struct kmalloc_cache_stats {
	char name[64];			/**< cut off if it is longer */
	unsigned int object_size;	/**< what the program may use of an object */
	unsigned int size;		/**< with what lies between two objects */
	unsigned int objects_per_slab;
	unsigned int pages_per_slab;
	unsigned long nr_slabs;
	unsigned long num_objs;		/**< in all slabs */
	/** Not free in their slabs; those in sheaves count, as in the kernel. */
	unsigned long active_objs;
	unsigned long sheaf_objs;	/**< of the active ones: free, kept in sheaves and barn */
	size_t slab_bytes;		/**< addresses of all slabs; memory is behind what was touched */
};

/**
 * kmalloc_cache_get_stats - the cache of that name, as "kmalloc-64". Of several of one name: the
 * first of the walk. Result: 0; -ENOENT: there is none, *st is untouched.
 */
int kmalloc_cache_get_stats(const char *name, struct kmalloc_cache_stats *st)
	KMALLOC_LINK_NAME(kmalloc_cache_get_stats);

/**
 * kmalloc_for_each_cache - calls fn with every cache, the newest first, until fn returns other
 * than 0. *st lives as long as the call of fn. Result: what fn returned last.
 */
int kmalloc_for_each_cache(int (*fn)(const struct kmalloc_cache_stats *st, void *arg), void *arg)
	KMALLOC_LINK_NAME(kmalloc_for_each_cache);

/**
 * kmalloc_write_slabinfo - the slab table, in the format of /proc/slabinfo 2.1, to a file
 * descriptor. Result: 0; -EIO: not all of it could be written (a full pipe is not waited for).
 */
int kmalloc_write_slabinfo(int fd) KMALLOC_LINK_NAME(kmalloc_write_slabinfo);

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

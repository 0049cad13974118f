/* SPDX-License-Identifier: MIT */
/*
 * Reading the allocator: slab table and totals. Layer: mm. Takes no lock, allocates nothing;
 * racy by a few objects.
 */
#ifndef KM_MM_SHOW_MEM_H
#define KM_MM_SHOW_MEM_H

#include "mm/slab.h"

struct slab_usage {
	unsigned long nr_slabs, num_objs;
	/* as the kernel counts: num_objs less those free in slabs */
	unsigned long active_objs;
	unsigned long in_sheaves;	/* of the active ones: cached, not the program's */
};

/* Bytes; what is not in use is free: cached, held back, given back or never touched. */
struct heap_usage {
	size_t slab_system, slab_in_use;
	size_t area_system, area_in_use;
	size_t slab_dirty, area_dirty;	/* of the free part, held back from the system */
	unsigned long nr_areas;
	unsigned long nr_free_objects;
	size_t meta;
};

void slab_get_usage(struct kmem_cache *s, struct slab_usage *u) __km(slab_get_usage);
void heap_get_usage(struct heap_usage *u) __km(heap_get_usage);

/* Calls emit with each line of a table in the format of /proc/slabinfo 2.1, newline included. */
void slabinfo_show(void (*emit)(const char *line, size_t len, void *arg), void *arg)
	__km(slabinfo_show);
bool slabinfo_write(int fd) __km(slabinfo_write);

#endif

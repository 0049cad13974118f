/* SPDX-License-Identifier: MIT */
/*
 * What the hit paths touch, and the way into and out of the allocator. Layer: mm.
 *
 * this_cpu is the busy mark and the slot in one word. It holds
 *   &empty_cpu  before the thread's first miss,
 *   its slot    while the thread is outside the allocator,
 *   &busy_cpu   while it is inside, and for ever after its end or after a siglongjmp out of it.
 * An entry loads it, stores &busy_cpu, works, and stores back what it loaded; so a signal
 * handler that interrupts the allocator loads &busy_cpu, whose caches always miss, and stores
 * that back. Between the load and the store a handler may run a whole entry: it leaves the word
 * as it was, or replaces &empty_cpu by a real slot, which cpu_acquire() notices.
 *
 * The tables are one object that begins with the busy slot's caches, so that one address in a
 * register serves for the look-up and as the busy mark.
 */
#ifndef KM_MM_HOT_H
#define KM_MM_HOT_H

#include "kernel/percpu.h"

#define LEAF_SHIFT	30
#define LEAF_BLOCKS	(1u << (LEAF_SHIFT - 16))
#if defined(__x86_64__)
#define USER_ADDRESS_BITS 47
#else
#define USER_ADDRESS_BITS 48
#endif
#define LEVEL1_ENTRIES	(1ul << (USER_ADDRESS_BITS - LEAF_SHIFT))

#define NR_CLASSES	64u
#define CLASS_FOREIGN	0u	/* of a pageblock: not ours, or free */
/* caches of the API, large kmalloc, vmalloc areas: the slow path looks further */
#define CLASS_OTHER	63u

#define SMALL_SIZE_MAX	1024ul	/* class by a table of steps of 8; above in steps of 128 */
#define CPU_CACHE_SIZE	32u	/* bytes of a slot for each class */
#define NR_CACHES	1024u	/* all that have a place in the slots: classes and caches of the API */
#define BUSY_BYTES	36864u	/* as far as a slot's cpu_caches reach */

struct hot_data {
	char busy[BUSY_BYTES];	/* zero for ever: every cache misses */
	/* [(size + 7) / 8]: the class, as where its cpu_cache is in a slot; 0 before start-up */
	u16 size_cache_small[(SMALL_SIZE_MAX / 8 + 8) & ~7ul];
	/* distance of a GiB's leaf from the zero leaf; set once, by compare-and-swap */
	s64 level1[LEVEL1_ENTRIES];
	u16 zero[LEAF_BLOCKS];			/* the zero leaf: the classes of what is not ours */
};

extern struct hot_data hot_data __km(hot_data);
extern struct pcpu empty_cpu __km(empty_cpu);
#define busy_cpu (*(struct pcpu *)(void *)&hot_data)

/* hot: &hot_data, in a register of the caller's. */
static __always_inline struct pcpu *cpu_enter_hot(struct hot_data *hot)
{
	struct pcpu *c = READ_ONCE(this_cpu);

	barrier();
	WRITE_ONCE(this_cpu, (struct pcpu *)(void *)hot);
	barrier();
	return c;
}

static __always_inline struct pcpu *cpu_enter(void)
{
	return cpu_enter_hot(&hot_data);
}

static __always_inline void cpu_leave(struct pcpu *c)
{
	barrier();
	WRITE_ONCE(this_cpu, c);
}

#endif

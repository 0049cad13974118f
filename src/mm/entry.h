/* SPDX-License-Identifier: MIT */
/*
 * The frame around every slow entry: start-up, a handler inside the allocator, a thread's first
 * slot, a lost lock, the way out. Layer: mm.
 */
#ifndef KM_MM_ENTRY_H
#define KM_MM_ENTRY_H

#include "mm/pcpu.h"

struct slow_entry {
	struct pcpu *cpu;	/* the slot to work with; NULL: the work must be done without one */
	struct pcpu *leave_as;	/* what this_cpu holds afterwards */
	bool started;		/* the thread got its slot just now */
	/* a handler inside the allocator: waits for nothing, calls nobody */
	bool nested;
	unsigned int task_flags;	/* nested: the interrupted request's */
};

/* c: what cpu_enter() returned. */
void slow_enter_alloc(struct slow_entry *e, struct pcpu *c) __km(slow_enter_alloc);
void slow_enter_free(struct slow_entry *e, struct pcpu *c) __km(slow_enter_free);
void slow_leave(struct slow_entry *e) __km(slow_leave);
/*
 * Out and in again around a callback, which may allocate, free, even leave the thread with
 * another slot. e->cpu may have changed.
 */
void slow_pause(struct slow_entry *e) __km(slow_pause);
void slow_resume(struct slow_entry *e) __km(slow_resume);

#endif

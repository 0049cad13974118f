/* SPDX-License-Identifier: MIT */
/*
 * A "cpu" is a thread slot (struct pcpu, mm/pcpu.h). Layer: kernel. Here: what a thread knows
 * of itself; mm/hot.h explains this_cpu.
 */
#ifndef KM_KERNEL_PERCPU_H
#define KM_KERNEL_PERCPU_H

#include "lib/types.h"

struct pcpu;

extern __thread struct pcpu *this_cpu __km(this_cpu) __initial_exec;
/* the slot that this thread holds, or NULL */
extern __thread struct pcpu *own_cpu __km(own_cpu) __initial_exec;
/* UINT_MAX: it had a slot and gave it back */
extern __thread unsigned int exit_rounds __km(exit_rounds) __initial_exec;
/* frees done before it had a slot */
extern __thread unsigned int early_frees __km(early_frees) __initial_exec;

/* What the thread is in the middle of; the bits are in mm/gfp.h, but for this one. */
extern __thread unsigned int task_flags __km(task_flags) __initial_exec;
/* its last request on a slow path may not block: no system call, no wait for a lock */
#define PF_KM_NONBLOCK	0x2u

/* Names a live thread, also in a fork child; no system call. */
static __always_inline unsigned long thread_id(void)
{
	return (unsigned long)&this_cpu;
}

#endif

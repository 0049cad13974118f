/* SPDX-License-Identifier: MIT */
/* The system's header of this name, and giving way. There is no current: tasks are threads. */
#include_next <linux/sched.h>

#if !defined(KMALLOC_LINUX_SCHED_H) && !defined(__cplusplus) && !defined(__ASSEMBLY__)
#define KMALLOC_LINUX_SCHED_H

#include <linux/compiler.h>

#define TASK_COMM_LEN	16

/** cond_resched - the system takes the processor by itself: 0, it was not given up. */
static inline int cond_resched(void)
{
	return 0;
}

#endif

/* SPDX-License-Identifier: MIT */
/* Scopes of GFP flags: memalloc_noio_save() and its like. */
#ifndef KMALLOC_LINUX_SCHED_MM_H
#define KMALLOC_LINUX_SCHED_MM_H

#include <kmalloc/gfp.h>
#include <linux/compiler.h>

/* Checks of the kernel's lock validator. */
#define fs_reclaim_acquire(flags)	do { (void)(flags); } while (0)
#define fs_reclaim_release(flags)	do { (void)(flags); } while (0)
#define might_alloc(flags)		do { (void)(flags); } while (0)

#endif

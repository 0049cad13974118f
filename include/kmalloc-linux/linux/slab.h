/* SPDX-License-Identifier: MIT */
/* The kmalloc family and slab caches. */
#ifndef KMALLOC_LINUX_SLAB_H
#define KMALLOC_LINUX_SLAB_H

#include <kmalloc/slab.h>
#include <linux/gfp.h>
#include <linux/overflow.h>
#include <linux/types.h>

#endif

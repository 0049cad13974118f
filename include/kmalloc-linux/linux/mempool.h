/* SPDX-License-Identifier: MIT */
/* Pools with a reserve of elements. */
#ifndef KMALLOC_LINUX_MEMPOOL_H
#define KMALLOC_LINUX_MEMPOOL_H

#include <kmalloc/mempool.h>
#include <linux/compiler.h>
#include <linux/gfp_types.h>

#endif

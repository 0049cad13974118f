/* SPDX-License-Identifier: MIT */
/* The GFP flags. */
#ifndef KMALLOC_LINUX_GFP_TYPES_H
#define KMALLOC_LINUX_GFP_TYPES_H

#include <kmalloc/gfp.h>
#include <linux/bits.h>

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The flags that travel with every request. Layer: mm. Their full set and meaning come with the
 * public API.
 */
#ifndef KM_MM_GFP_H
#define KM_MM_GFP_H

#include "kmalloc/kmalloc.h"
#include "lib/types.h"

/* Internal: the object's alignment is that of its size (a class of the natural list). */
#define __GFP_NATURAL	((gfp_t)0x80000000u)

#endif

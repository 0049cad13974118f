/* SPDX-License-Identifier: MIT */
/* Flags and pages. */
#ifndef KMALLOC_LINUX_GFP_H
#define KMALLOC_LINUX_GFP_H

#include <kmalloc/mm.h>
#include <linux/gfp_types.h>
#include <linux/mmzone.h>
#include <linux/numa.h>

#endif

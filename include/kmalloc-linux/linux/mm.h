/* SPDX-License-Identifier: MIT */
/* Pages, zones, address spaces and, as in the kernel, what they need. */
#ifndef KMALLOC_LINUX_MM_H
#define KMALLOC_LINUX_MM_H

#include <kmalloc/mm.h>
#include <kmalloc/slab.h>
#include <kmalloc/vmalloc.h>
#include <asm/page.h>
#include <linux/align.h>
#include <linux/bug.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm_types.h>
#include <linux/mmzone.h>
#include <linux/overflow.h>
#include <linux/pfn.h>

/* Kernel source gives these an address as a pointer or as a number. */
#define virt_to_page(addr)	(virt_to_page)((const void *)(unsigned long)(addr))
#define virt_addr_valid(addr)	(virt_addr_valid)((const void *)(unsigned long)(addr))

#define high_memory		kmalloc_high_memory()

#endif

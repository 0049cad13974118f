/* SPDX-License-Identifier: MIT */
/* struct page, struct vm_area_struct, struct mm_struct. */
#ifndef KMALLOC_LINUX_MM_TYPES_H
#define KMALLOC_LINUX_MM_TYPES_H

#include <kmalloc/mm_types.h>
#include <asm/page.h>
#include <linux/atomic.h>
#include <linux/list.h>

#endif

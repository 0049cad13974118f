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

/* The areas of a snapshot, from an address on: VMA_ITERATOR(vmi, mm, 0); for_each_vma(vmi, vma) */
struct vma_iterator {
	struct mm_struct *mm;
	unsigned long addr;
};

#define VMA_ITERATOR(name, mm, addr)	struct vma_iterator name = { (mm), (addr) }

static inline struct vm_area_struct *vma_next(struct vma_iterator *vmi)
{
	struct vm_area_struct *vma = find_vma(vmi->mm, vmi->addr);

	if (vma)
		vmi->addr = vma->vm_end;
	return vma;
}

#define for_each_vma(vmi, vma) \
	while (((vma) = vma_next(&(vmi))) != NULL)

#endif

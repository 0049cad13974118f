/* SPDX-License-Identifier: MIT */
/*
 * The page: constants where the machine has one size (x86-64), else asked of the system, so that
 * it can not size an array there. Physical addresses are virtual ones.
 */
#ifndef KMALLOC_ASM_PAGE_H
#define KMALLOC_ASM_PAGE_H

#include <string.h>
#include <linux/compiler.h>

#ifdef __x86_64__
/* Token by token what <sys/user.h> has. */
#ifndef PAGE_SHIFT
#define PAGE_SHIFT	12
#endif
#ifndef PAGE_SIZE
#define PAGE_SIZE	(1UL << PAGE_SHIFT)
#endif
#else
#include <unistd.h>
#undef PAGE_SIZE
#undef PAGE_SHIFT
#define PAGE_SIZE	((unsigned long)getpagesize())
#define PAGE_SHIFT	((unsigned int)__builtin_ctzl(PAGE_SIZE))
#endif
#ifndef PAGE_MASK
#define PAGE_MASK	(~(PAGE_SIZE-1))
#endif

#define PAGE_ALIGN(addr)	(((addr) + PAGE_SIZE - 1) & PAGE_MASK)
#define PAGE_ALIGN_DOWN(addr)	((addr) & PAGE_MASK)
#define PAGE_ALIGNED(addr)	(((unsigned long)(addr) & ~PAGE_MASK) == 0)
#define offset_in_page(p)	((unsigned long)(p) & ~PAGE_MASK)

#define __pa(x)			((unsigned long)(x))
#define __va(x)			((void *)(unsigned long)(x))
#define virt_to_phys(p)		((phys_addr_t)__pa(p))
#define phys_to_virt(x)		__va(x)

static inline void clear_page(void *page)
{
	memset(page, 0, PAGE_SIZE);
}

static inline void copy_page(void *to, const void *from)
{
	memcpy(to, from, PAGE_SIZE);
}

#endif

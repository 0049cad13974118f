/* SPDX-License-Identifier: MIT */
/*
 * Assertions on the allocator's own work. Layer: kernel. VM_BUG_ON: internal contracts, in
 * debug builds (./configure --enable-debug); else the condition is not evaluated.
 */
#ifndef KM_KERNEL_BUG_H
#define KM_KERNEL_BUG_H

#include "lib/compiler.h"

void __bug(const char *file, unsigned int line, const char *what) __km(bug) __cold __noreturn;

#define VM_BUG_ON(cond) do { \
	if (IS_DEBUG_VM && unlikely(cond)) \
		__bug(__FILE__, __LINE__, #cond); \
} while (0)

#endif

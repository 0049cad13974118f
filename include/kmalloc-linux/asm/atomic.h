/* SPDX-License-Identifier: MIT */
/* Atomic counters. */
#ifndef KMALLOC_ASM_ATOMIC_H
#define KMALLOC_ASM_ATOMIC_H

#include <linux/atomic.h>

#endif

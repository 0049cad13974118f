/* SPDX-License-Identifier: MIT */
/* Attributes. */
#ifndef KMALLOC_LINUX_COMPILER_TYPES_H
#define KMALLOC_LINUX_COMPILER_TYPES_H

#include <linux/compiler.h>

#endif

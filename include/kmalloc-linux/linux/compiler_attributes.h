/* SPDX-License-Identifier: MIT */
/* Attributes. */
#ifndef KMALLOC_LINUX_COMPILER_ATTRIBUTES_H
#define KMALLOC_LINUX_COMPILER_ATTRIBUTES_H

#include <linux/compiler.h>

#endif

/* SPDX-License-Identifier: MIT */
/* BUILD_BUG_ON and its like. */
#ifndef KMALLOC_LINUX_BUILD_BUG_H
#define KMALLOC_LINUX_BUILD_BUG_H

#include <linux/compiler.h>

#endif

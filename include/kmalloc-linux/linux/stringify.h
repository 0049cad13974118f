/* SPDX-License-Identifier: MIT */
/* A token as a string. */
#ifndef KMALLOC_LINUX_STRINGIFY_H
#define KMALLOC_LINUX_STRINGIFY_H

#include <linux/compiler.h>

#endif

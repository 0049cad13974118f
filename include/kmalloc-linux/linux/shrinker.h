/* SPDX-License-Identifier: MIT */
/* Who gives memory back when there is little. */
#ifndef KMALLOC_LINUX_SHRINKER_H
#define KMALLOC_LINUX_SHRINKER_H

#include <kmalloc/shrinker.h>
#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/types.h>

#endif

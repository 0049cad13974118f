/* SPDX-License-Identifier: MIT */
/* printk_ratelimited and its like. */
#ifndef KMALLOC_LINUX_RATELIMIT_H
#define KMALLOC_LINUX_RATELIMIT_H

#include <linux/printk.h>

#endif

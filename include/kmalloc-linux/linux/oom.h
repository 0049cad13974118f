/* SPDX-License-Identifier: MIT */
/* Notifiers that are called before a request fails for want of memory. */
#ifndef KMALLOC_LINUX_OOM_H
#define KMALLOC_LINUX_OOM_H

#include <linux/notifier.h>

#endif

/* SPDX-License-Identifier: MIT */
/* What notifiers return, and their block; the OOM chain is the one there is. */
#ifndef KMALLOC_LINUX_NOTIFIER_H
#define KMALLOC_LINUX_NOTIFIER_H

#include <kmalloc/shrinker.h>

#endif

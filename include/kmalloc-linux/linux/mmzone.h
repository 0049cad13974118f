/* SPDX-License-Identifier: MIT */
/* Zones, orders and migrate types. */
#ifndef KMALLOC_LINUX_MMZONE_H
#define KMALLOC_LINUX_MMZONE_H

#include <kmalloc/mm.h>
#include <asm/page.h>
#include <linux/list.h>
#include <linux/spinlock.h>

#define MAX_ORDER_NR_PAGES	(1 << MAX_PAGE_ORDER)

#endif

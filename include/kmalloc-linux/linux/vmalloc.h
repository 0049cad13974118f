/* SPDX-License-Identifier: MIT */
/* Memory that is contiguous in addresses alone. */
#ifndef KMALLOC_LINUX_VMALLOC_H
#define KMALLOC_LINUX_VMALLOC_H

#include <kmalloc/vmalloc.h>
#include <asm/page.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/overflow.h>

#endif

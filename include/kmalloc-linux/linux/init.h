/* SPDX-License-Identifier: MIT */
/*
 * Marks of code for start and end, which here is code like any other, and the initcalls of
 * <linux/module.h>.
 */
#ifndef KMALLOC_LINUX_INIT_H
#define KMALLOC_LINUX_INIT_H

#include <linux/compiler.h>

#define __init		__cold
#define __exit		__cold __maybe_unused
#define __initdata
#define __initconst
#define __exitdata
#define __refdata
#define __ref
#define __meminit
#define __devinit
#define __devexit

typedef int (*initcall_t)(void);
typedef void (*exitcall_t)(void);

#include <linux/module.h>

#endif

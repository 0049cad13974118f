/* SPDX-License-Identifier: MIT */
/* Exported symbols: the linker exports by itself; the names are checked to exist. */
#ifndef KMALLOC_LINUX_EXPORT_H
#define KMALLOC_LINUX_EXPORT_H

#include <linux/compiler.h>

#define EXPORT_SYMBOL(sym)		extern __typeof__(sym) sym
#define EXPORT_SYMBOL_GPL(sym)		EXPORT_SYMBOL(sym)
#define EXPORT_SYMBOL_NS(sym, ns)	EXPORT_SYMBOL(sym)
#define EXPORT_SYMBOL_NS_GPL(sym, ns)	EXPORT_SYMBOL(sym)

#endif

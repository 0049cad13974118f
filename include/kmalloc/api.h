/* SPDX-License-Identifier: MIT */
/*
 * Link names. A function that is declared here as NAME is km_NAME for the linker, so that a
 * program may define its own kmalloc, kfree or printk beside this library.
 */
#ifndef KMALLOC_API_H
#define KMALLOC_API_H

#define KMALLOC_LINK_NAME(name)	__asm__("km_" #name)

#endif

/* SPDX-License-Identifier: MIT */
/* Kinds of characters: those of libc. */
#ifndef KMALLOC_LINUX_CTYPE_H
#define KMALLOC_LINUX_CTYPE_H

#include <ctype.h>

#endif

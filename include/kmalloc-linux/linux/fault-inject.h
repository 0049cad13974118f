/* SPDX-License-Identifier: MIT */
/* Fault injection. */
#ifndef KMALLOC_LINUX_FAULT_INJECT_H
#define KMALLOC_LINUX_FAULT_INJECT_H

#include <kmalloc/fault.h>

#endif

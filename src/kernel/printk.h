/* SPDX-License-Identifier: MIT */
/*
 * Messages. Layer: kernel. One line each, `kmalloc: LEVEL: sentence`, by one write(2); never
 * through stdio, never allocating.
 */
#ifndef KM_KERNEL_PRINTK_H
#define KM_KERNEL_PRINTK_H

#include "lib/types.h"

void pr_info(const char *fmt, ...) __km(pr_info) __printf(1, 2);
void pr_warn(const char *fmt, ...) __km(pr_warn) __printf(1, 2);
/* A line without a prefix, for tables. */
void pr_cont(const char *fmt, ...) __km(pr_cont) __printf(1, 2);

/*
 * The program misused the heap. Prints `kmalloc: BUG: ...`, then aborts; with option panic=0
 * returns, and the caller goes on having changed nothing.
 */
void report_bug(const char *fmt, ...) __km(report_bug) __printf(1, 2);
extern bool panic_on_bug __km(panic_on_bug);

/* From now on write to a private copy of stderr, which the program cannot close by accident. */
void printk_keep_stderr(void) __km(printk_keep_stderr);
/* Where tables go; -1: nowhere. */
int printk_fd(void) __km(printk_fd);

#endif

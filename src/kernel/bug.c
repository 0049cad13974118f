// SPDX-License-Identifier: MIT
/* The end after a broken internal contract. Layer: kernel. */
#include "kernel/bug.h"
#include "kernel/printk.h"
#include "os/os.h"

void __bug(const char *file, unsigned int line, const char *what)
{
	pr_warn("internal error at %s:%u: %s", file, line, what);
	os_abort();
}

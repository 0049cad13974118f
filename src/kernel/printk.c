// SPDX-License-Identifier: MIT
/* Messages. Layer: kernel. */
#include "lib/small.h"
#include "kernel/printk.h"
#include "lib/format.h"
#include "os/os.h"

#define LINE_SIZE 320

bool panic_on_bug = true;

static int kept_fd = -1;

void printk_keep_stderr(void)
{
	if (kept_fd < 0)
		kept_fd = os_dup_stderr();
}

int printk_fd(void)
{
	if (kept_fd >= 0 && os_same_file(kept_fd))
		return kept_fd;
	return os_stderr_is_ours() ? 2 : -1;
}

static void vprint(const char *prefix, const char *fmt, va_list ap)
{
	char line[LINE_SIZE];
	int fd = printk_fd();
	size_t n;

	if (fd < 0)
		return;
	n = scnprintf(line, sizeof(line) - 1, "%s", prefix);
	n += vscnprintf(line + n, sizeof(line) - 1 - n, fmt, ap);
	line[n++] = '\n';
	os_write(fd, line, n);
}

void pr_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprint("kmalloc: INFO: ", fmt, ap);
	va_end(ap);
}

void pr_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprint("kmalloc: WARNING: ", fmt, ap);
	va_end(ap);
}

void pr_cont(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprint("", fmt, ap);
	va_end(ap);
}

void report_bug(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprint("kmalloc: BUG: ", fmt, ap);
	va_end(ap);
	if (panic_on_bug)
		os_abort();
}

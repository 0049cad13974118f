// SPDX-License-Identifier: MIT
/*
 * nothing.c - a program that starts and ends: what a library costs there
 *
 *	nothing [--malloc] [--rss]
 *
 * --malloc gets one block and frees it.  --rss prints the peak of the resident
 * size in KiB, without stdio, whose buffer would be one more block.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void say(int fd, const char *text, size_t length)
{
	if (write(fd, text, length) != (ssize_t)length)
		_exit(1);
}

static void __attribute__((noreturn)) give_up(const char *what, const char *expected)
{
	say(2, "nothing: ", 9);
	say(2, what, strlen(what));
	say(2, expected, strlen(expected));
	_exit(2);
}

/* The number of the line "VmHWM:     1234 kB", as it is there. */
static void print_peak(void)
{
	static char text[8192];
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	char *from;
	size_t digits;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		give_up("/proc/self/status", ": cannot be read\n");
	from = strstr(text, "VmHWM:");
	if (!from)
		give_up("/proc/self/status", ": expected a line VmHWM\n");
	from += strcspn(from, "0123456789");
	digits = strspn(from, "0123456789");
	from[digits] = '\n';
	say(1, from, digits + 1);
}

int main(int argc, char **argv)
{
	bool block = false, rss = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--malloc"))
			block = true;
		else if (!strcmp(argv[i], "--rss"))
			rss = true;
		else
			give_up(argv[i], ": expected --malloc or --rss\n");
	}
	if (block) {
		void *volatile p = malloc(24);	/* volatile: else the compiler drops it */

		if (!p)
			give_up("malloc(24)", ": expected a block\n");
		free(p);
	}
	if (rss)
		print_peak();
	return 0;
}

// SPDX-License-Identifier: MIT
/*
 * paths_main.c - main() of the programs of the gate
 *
 *	paths --list		each path, its number of operations and what one is
 *	paths NAME [N [WARM]]	run it; prints a line of JSON: library, page faults
 *
 * The measured call stands between two calls of write() to no file, which show in
 * the output of strace, and has a function of its own, which callgrind is told of.
 */
#define _GNU_SOURCE
#include "paths.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <sys/resource.h>
#include <unistd.h>

#define NO_FILE	(-1)

bool paths_measuring;

void measured_main(const struct path *path, unsigned long n);

/* Nothing may be inlined here, and the call must not become a jump. */
__attribute__((noinline)) void measured_main(const struct path *path, unsigned long n)
{
	path->run(n);
	bench_keep(path);
}

static void mark_strace(const char *what)
{
	ssize_t ignored = write(NO_FILE, what, strlen(what));

	(void)ignored;
}

static long minor_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

static const char *library_name(void)
{
	Dl_info info;

	return dladdr(paths_function(), &info) && info.dli_fname ? info.dli_fname : "unknown";
}

static void run_path(const struct path *path, unsigned long n, unsigned long warm)
{
	long before, faults;

	path->run(warm);
	paths_measuring = true;
	mark_strace("warm");		/* the first call faults its code in */
	before = minor_faults();
	mark_strace("measured: begin");
	measured_main(path, n);
	mark_strace("measured: end");
	faults = minor_faults() - before;
	printf("{\"malloc_from\": \"%s\", \"minor_faults\": %ld}\n", library_name(), faults);
}

static const struct path *find_path(const char *name)
{
	const struct path *path;

	for (path = paths_table; path->name; path++)
		if (!strcmp(path->name, name))
			return path;
	fprintf(stderr, "paths: %s: no such path, see --list\n", name);
	exit(2);
}

static unsigned long parse_n(const char *text)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || n > INT_MAX) {
		fprintf(stderr, "paths: %s: a number of operations was expected\n", text);
		exit(2);
	}
	return n;
}

int main(int argc, char **argv)
{
	const struct path *path;
	unsigned long n;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (path = paths_table; path->name; path++)
			printf("%s %lu %s\n", path->name, path->n, path->what);
		return 0;
	}
	if (argc < 2 || argc > 4) {
		fprintf(stderr, "usage: %s --list | NAME [OPERATIONS [WARM]]\n", argv[0]);
		return 2;
	}
	path = find_path(argv[1]);
	n = argc > 2 ? parse_n(argv[2]) : path->n;
	run_path(path, n, argc > 3 ? parse_n(argv[3]) : n);
	return 0;
}

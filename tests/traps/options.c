/* SPDX-License-Identifier: MIT */
/*
 * KMALLOC_OPTIONS: a typo or a value out of range is one line that names the
 * option and its range; the default stays and the program goes on. Options
 * work from the first allocation on. Trap C4.
 */
#include "trap.h"

/* Allocates before main, from a constructor that runs before most. */
static void *early;
static size_t early_size;

__attribute__((constructor(101))) static void allocate_early(void)
{
	early = malloc(5000);
	early_size = malloc_usable_size(early);
}

static void works(void)
{
	churn_once(1, 1000);
	free(early);
}

/* 5000 bytes: the default classes have 5120 for it, the classic ones 8192. */
static void classic_sizes(void)
{
	CHECK(early_size == 8192);
	works();
}

static void default_sizes(void)
{
	CHECK(early_size >= 5000 && early_size < 8192);
	works();
}

static void options_from_the_environ(void)
{
	/* A program that clears and replaces its environment. */
	CHECK(clearenv() == 0);
	CHECK(setenv("KMALLOC_OPTIONS", "nonsense=1", 1) == 0);
	works();
}

#define ONE_LINE(pattern) .err = "^kmalloc: [A-Z]+: .*" pattern, .err_lines = 1, .ours = true

static const struct trap_case cases[] = {
	{ .name = "no option prints nothing", .run = default_sizes, .options = "", .err = "",
	  .ours = true },
	{ .name = "purge=sometimes names the option and its range", .run = works,
	  .options = "purge=sometimes", ONE_LINE("purge.*auto.*never.*always") },
	{ .name = "kmalloc_sizes=foo names the option and its range", .run = default_sizes,
	  .options = "kmalloc_sizes=foo", ONE_LINE("kmalloc_sizes.*default.*classic") },
	{ .name = "panic=7 names the option and its range", .run = works, .options = "panic=7",
	  ONE_LINE("panic.*0.*1") },
	{ .name = "panic without a value", .run = works, .options = "panic=",
	  ONE_LINE("panic.*0.*1") },
	{ .name = "slabinfo without a value", .run = works, .options = "slabinfo",
	  ONE_LINE("slabinfo.*exit.*") },
	{ .name = "vebrose is not an option", .run = works, .options = "vebrose",
	  ONE_LINE("vebrose") },
	{ .name = "verbose takes no word", .run = works, .options = "verbose=loudly",
	  ONE_LINE("verbose") },
	{ .name = "an option in capitals is not known", .run = works, .options = "PURGE=auto",
	  ONE_LINE("PURGE") },
	{ .name = "a lone equals sign", .run = works, .options = "=", ONE_LINE("") },
	{ .name = "one line for each of two mistakes", .run = works,
	  .options = "purge=sometimes panic=7", .err = "^kmalloc: [A-Z]+: .*purge",
	  .err_lines = 2, .ours = true },
	{ .name = "a good option after a bad one counts", .run = classic_sizes,
	  .options = "vebrose kmalloc_sizes=classic", ONE_LINE("vebrose") },
	{ .name = "an option counts from the first allocation on", .run = classic_sizes,
	  .options = "kmalloc_sizes=classic", .err = "", .ours = true },
	{ .name = "the last of two values counts", .run = default_sizes,
	  .options = "kmalloc_sizes=classic kmalloc_sizes=default", .err = "", .ours = true },
	{ .name = "blanks around options do not matter", .run = classic_sizes,
	  .options = "   kmalloc_sizes=classic \t purge=auto  ", .err = "", .ours = true },
	{ .name = "purge=always works", .run = works, .options = "purge=always", .err = "",
	  .ours = true },
	{ .name = "purge=never works", .run = works, .options = "purge=never", .err = "",
	  .ours = true },
	{ .name = "verbose prints a line that names the library", .run = works,
	  .options = "verbose", .err = "^kmalloc: .*kmalloc", .ours = true },
	{ .name = "help lists the options", .run = works, .options = "help",
	  .err = "kmalloc_sizes", .ours = true },
	{ .name = "slabinfo=exit prints the slab table", .run = works,
	  .options = "slabinfo=exit", .err = "^kmalloc-64 ", .ours = true },
	{ .name = "slabinfo into a folder that is not there is reported", .run = works,
	  .options = "slabinfo=/nonexistent/folder/file", .err = "^kmalloc: .*/nonexistent",
	  .ours = true },
	{ .name = "a value of 4000 characters is refused in one line", .run = works,
	  .options = NULL, .ours = true },
	{ .name = "changing the environment later changes nothing",
	  .run = options_from_the_environ, .options = "", .err = "", .ours = true },
};

static struct trap_case with_long_value[sizeof(cases) / sizeof(cases[0])];

int main(int argc, char **argv)
{
	static char longest[4096] = "purge=";
	unsigned int i;

	memset(longest + 6, 'x', 4000);
	memcpy(with_long_value, cases, sizeof(cases));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (strstr(cases[i].name, "4000")) {
			with_long_value[i].options = longest;
			with_long_value[i].err = "^kmalloc: [A-Z]+: .*purge";
			with_long_value[i].err_lines = 1;
		}
	return trap_main(argc, argv, with_long_value, i);
}

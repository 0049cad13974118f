#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Memcheck takes the place of the preloaded malloc where --soname-synonyms names the library: the program runs, a clean one has
# no error, and what memcheck finds under glibc it finds here. (Trap C74.)

. "$(dirname "$0")/apps.sh"
need valgrind "${CC:-cc}"

cat >"$work/in/blocks.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	char *volatile p = malloc(40), *q = calloc(10, 100000);

	memset(p, 'x', 40);
	p[39] = '\0';
	printf("%s %d\n", p, q[123456]);
	free(q);
	if (argc > 1 && !strcmp(argv[1], "lose"))
		p = NULL;
	if (argc > 1 && !strcmp(argv[1], "read"))
		printf("%d\n", p[40] == 17);
	free(p);
	return 0;
}
END
"${CC:-cc}" -g -O0 -o "$work/blocks" "$work/in/blocks.c" || { echo "Bail out! the compiler failed"; exit 99; }

# memcheck MODE: its exit status, 9 where it found an error; output in $work/log
memcheck()
{
	timeout "$limit" valgrind --soname-synonyms='somalloc=libkmalloc*' --error-exitcode=9 \
		--leak-check=full --errors-for-leak-kinds=definite --trace-children=yes \
		env LD_PRELOAD="$KMALLOC_PRELOAD" "$work/blocks" "$1" >"$work/out" 2>"$work/log"
}

memcheck clean
is "$?" 0 "memcheck finds nothing in a clean program"
grep -q 'total heap usage: [1-9]' "$work/log"
ok $? "memcheck sees the program's allocations, so it took malloc's place"
memcheck lose
is "$?" 9 "memcheck finds a lost block"
memcheck read
is "$?" 9 "memcheck finds a read behind a block"
silent "the library says nothing under memcheck" "$work/log"
done_testing

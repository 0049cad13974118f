#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# C++ under the preload: the program tests/apps/containers prints the same, its
# operator new and delete are the library's, and g++ and gcc make the same
# objects, with the compiler itself under the preload.

. "$(dirname "$0")/apps.sh"
program=$abs_top_builddir/tests/apps/containers
library=$(basename "$KMALLOC_PRELOAD")
read -ra cxx <<<"${CXX:-g++}"
read -ra cc <<<"${CC:-gcc}"
# debug information names the folder of the run
maps=("-ffile-prefix-map=$work/glibc=." "-ffile-prefix-map=$work/preload=.")

if [ -x "$program" ]; then
	preloaded_ok "$program" nothing
	run_preload "$program" "/${library%.so*}"
	[ "$preload_status" -eq 0 ] && [ -s "$work/preload.out" ]
	ok $? "containers: the preload library is mapped"
	same "containers: threads, exceptions and containers print the same" "$program"
	grep -qx 'too much refused' "$work/preload.out"
	ok $? "containers: PTRDIFF_MAX bytes are refused with bad_alloc"
else
	skip "containers" "there is no C++ compiler"
fi

if command -v "${cxx[0]}" >/dev/null; then
	preloaded_ok "${cxx[0]}" --version
	same "$(basename "${cxx[0]}") ends as under glibc" "${cxx[@]}" -std=gnu++17 -g "${maps[@]}" \
		-c "$apps_dir/containers.cc" -o containers.o
	same_files "$(basename "${cxx[0]}") makes the same object"
else
	skip "the C++ compiler" "there is none"
fi

# One function of many statements, which the optimizer keeps in memory as a whole.
awk 'BEGIN {
	x = 1
	print "unsigned f(unsigned *a, unsigned n)\n{\n\tunsigned x = n;\n"
	for (i = 0; i < 600; i++) {
		x = (x * 16807) % 2147483647
		printf "\tif (a[%d] > x)\n\t\tx += a[%d] * %du;\n", x % 64, x % 61, x
	}
	print "\treturn x;\n}"
}' >"$work/in/long.c"
if command -v "${cc[0]}" >/dev/null; then
	same "$(basename "${cc[0]}") -O2 ends as under glibc" \
		"${cc[@]}" -O2 -g "${maps[@]}" -c "$work/in/long.c" -o long.o
	same_files "$(basename "${cc[0]}") -O2 makes the same object"
else
	skip "the C compiler" "there is none"
fi
done_testing

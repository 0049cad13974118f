#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/kapi/README.md tells which test proves which promise: each test that it names exists and is
# run, and no row of the lists that it has to cover is missing.
: "${abs_top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$abs_top_srcdir/tests/lib/tap.sh"
LC_ALL=C
export LC_ALL
table=$abs_top_srcdir/tests/kapi/README.md

# "FILE TEST" of each test in the tables of a page on standard input, files below tests/.
tests_of()
{
	awk -F'`' '/^\|/ {
		file = ""
		for (i = 2; i <= NF; i += 2)
			if ($i ~ /\.c$/)
				file = $i ~ /\// ? $i : "kapi/" $i
			else
				print (file == "" ? "-" : file), $i
	}' | sort -u
}

# Those "FILE TEST" on standard input that are not defined, or not named a second time in the file.
absent()
{
	while read -r file name; do
		path=$abs_top_srcdir/tests/$file
		if ! grep -Eq "^static void $name\\(" "$path" 2>/dev/null; then
			echo "$file $name"
		elif [ "$(grep -Ecw "$name" "$path")" -lt 2 ]; then
			echo "$file $name (not run)"
		fi
	done
}

# Files whose program no makefile fragment names.
not_built()
{
	while read -r file; do
		grep -qs "tests/$file" "$abs_top_srcdir/tests/${file%/*}"/*.mk || echo "$file"
	done
}

wanted()
{
	for n in 1 2 3 4 5 6 7 8 9 10 11 12 13; do echo "6.6 #$n"; done
	for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do echo "13.7 #$n"; done
	for n in 1 2 3 4 5 6 7 9 10 11 12 13 14 16 17 18; do echo "14.1 #$n"; done
	for s in 5.7 8.7 9.2 11.3 "13.1 test_leak_destroy" "13.1 test_kmalloc_kfree_nolock"; do
		echo "$s"
	done
	for s in fix_size full_fit long_busy_list random_size fix_align random_size_align \
		align_shift no_block; do
		echo "13.2 ${s}_alloc_test"
	done
	echo "13.2 vm_map_ram_test"
	for s in test_pages test_kvmalloc do_kmem_cache_size do_kmem_cache_size_bulk; do
		echo "13.4 $s"
	done
	for s in test_free_pages overflow_kunit fortify_kunit dmapool_test test_kmem_cache_bulk; do
		echo "13.5 $s"
	done
}

sections=$(sed -n 's/^| \([0-9][^|]*\) |.*`.*/\1/p' "$table")
named=$(tests_of <"$table")
[ "$(echo "$named" | wc -l)" -gt 150 ]
ok $? "the table names tests"
is "$(echo "$named" | absent)" "" "each of them exists and is run"
is "$(echo "$named" | sed 's/ .*//' | sort -u | not_built)" "" "each file is built"
is "$(wanted | while read -r s; do echo "$sections" | grep -Fxq "$s" || echo "$s"; done)" "" \
	"no row is missing"

is "$(printf '| 1.1 | x | `test_kmalloc.c` `zero_size` `no_such_test` |\n' | tests_of | absent)" \
	"kapi/test_kmalloc.c no_such_test" "a test that does not exist is found"
done_testing

#!/bin/sh
# SPDX-License-Identifier: MIT
# Each public header compiles alone, as C and as C++, with warnings as errors, and defines no macro
# and no name that a program may use for something else.
: "${abs_top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$abs_top_srcdir/tests/lib/tap.sh"
: "${CC:=cc}" "${CXX:=c++}"

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
flags="-fsyntax-only -Wall -Wextra -Wundef -pedantic -Werror -I$abs_top_srcdir/include"

has_cxx=true
echo 'int i;' >"$work/t.cc"
$CXX -fsyntax-only "$work/t.cc" 2>/dev/null || has_cxx=false

for path in "$abs_top_srcdir"/include/kmalloc/*.h; do
	header=kmalloc/${path##*/}
	# Twice, so that a missing include guard shows.
	printf '#include <%s>\n#include <%s>\nint here;\n' "$header" "$header" >"$work/t.c"
	$CC -std=c11 $flags "$work/t.c"
	ok $? "$header alone is C11"
	if $has_cxx; then
		cp "$work/t.c" "$work/t.cc"
		$CXX -std=c++11 $flags "$work/t.cc"
		ok $? "$header alone is C++11"
	else
		skip "$header alone is C++11" "no C++ compiler"
	fi
	# What a header adds to the macros of the system headers that it includes.
	sed -n 's/^[ \t]*#[ \t]*define[ \t]*\([A-Za-z0-9_]*\).*/\1/p' "$path" |
		grep -Ev '^(KMALLOC_|_?_*GFP_|SLAB_|PF_MEMALLOC|ARCH_(KMALLOC|SLAB)_)' |
		grep -Ev '^(ZERO_(SIZE|OR_NULL)_PTR|KMEM_CACHE|kmem_cache_create|kzfree)$' |
		grep -Ev '^kv?[mz]alloc_(objs?|flex)$' >"$work/macros"
	is "$(cat "$work/macros")" "" "$header defines no generic macro"
done
echo '#include <kmalloc/no-such-header.h>' >"$work/t.c"
! $CC -std=c11 $flags "$work/t.c" 2>/dev/null
ok $? "a header that does not exist is an error"
done_testing

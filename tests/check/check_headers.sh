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
		grep -Ev '^(KMALLOC_|_?_*GFP_|SLAB_|PF_MEMALLOC|SHRINK_|SHRINKER_|FAULT_|VM_|ARCH_(KMALLOC|SLAB)_)' |
		grep -Ev '^(ZERO_(SIZE|OR_NULL)_PTR|KMEM_CACHE|kmem_cache_create|kzfree|DEFAULT_SEEKS|PAGE_KERNEL|__vmalloc)$' |
		grep -Ev '^kv?[mz]alloc_(objs?|flex)$' >"$work/macros"
	is "$(cat "$work/macros")" "" "$header defines no generic macro"
done
# The macros of slab.h, in every form that a caller may write.
cat >"$work/t.c" <<'X'
#include <kmalloc/slab.h>
struct thing { long a, b; };
struct list { int n; long element[1]; };
static void construct(void *p) { *(long *)p = 0; }
int use(struct thing *t, struct list *l);
int use(struct thing *t, struct list *l)
{
	struct kmem_cache_args args = { 64, 0, 0, 0, false, construct, 0 };
	const struct kmem_cache_args *fixed = &args;
	struct kmem_cache *s[] = {
		kmem_cache_create("a", 64, 0, SLAB_HWCACHE_ALIGN, NULL),
		kmem_cache_create("b", 64, 8u, 0, construct),
		kmem_cache_create("c", 64, sizeof(long), SLAB_PANIC, construct),
		kmem_cache_create("d", 64, &args, SLAB_NO_MERGE),
		kmem_cache_create("e", 64, fixed, 0),
		kmem_cache_create("f", 64, (struct kmem_cache_args *)NULL, 0),
		kmem_cache_create_usercopy("g", 64, 8, 0, 0, 64, NULL),
		KMEM_CACHE(thing, SLAB_ACCOUNT),
		KMEM_CACHE_USERCOPY(thing, 0, b),
	};
	t = kmalloc_obj(*t);
	t = kzalloc_obj(struct thing, GFP_ATOMIC);
	t = kvmalloc_objs(struct thing, 10);
	t = kzalloc_objs(*t, 10, GFP_NOWAIT | __GFP_NORETRY);
	l = kmalloc_flex(*l, element, 3);
	l = kvzalloc_flex(struct list, element, 3, GFP_KERNEL);
	return t && l && s[0] && ZERO_OR_NULL_PTR(t);
}
X
$CC -std=c11 $flags "$work/t.c"
ok $? "the macros of kmalloc/slab.h in C11"
if $has_cxx; then
	cp "$work/t.c" "$work/t.cc"
	$CXX -std=c++11 $flags "$work/t.cc"
	ok $? "the macros of kmalloc/slab.h in C++11"
else
	skip "the macros of kmalloc/slab.h in C++11" "no C++ compiler"
fi
echo '#include <kmalloc/slab.h>
struct kmem_cache *s(void) { return kmem_cache_create("n", 64, NULL, 0); }' >"$work/t.c"
$CC -std=c11 -Wno-missing-prototypes $flags "$work/t.c"
ok $? "kmem_cache_create() with NULL for its arguments in C11"
echo '#include <kmalloc/no-such-header.h>' >"$work/t.c"
! $CC -std=c11 $flags "$work/t.c" 2>/dev/null
ok $? "a header that does not exist is an error"
done_testing

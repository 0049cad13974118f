#!/bin/sh
# SPDX-License-Identifier: MIT
# "make install DESTDIR=..." installs everything, and what it installs works from there.
: "${abs_top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${abs_top_builddir:=$abs_top_srcdir}"
. "$abs_top_srcdir/tests/lib/tap.sh"
: "${CC:=cc}"
unset LD_PRELOAD KMALLOC_OPTIONS KMALLOC_PRELOAD MAKEFLAGS MFLAGS MAKELEVEL

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
log=$work/log

# The value that a variable of the build has.
configured()
{
	printf 'show:\n\t@echo $(%s)\n' "$1" | make -s -C "$abs_top_builddir" -f Makefile -f - show
}

make -C "$abs_top_builddir" install DESTDIR="$work/root" >"$log" 2>&1
status=$?
ok $status "make install DESTDIR=..."
[ $status -eq 0 ] || { sed 's/^/# /' "$log"; done_testing; exit 1; }

libdir=$work/root$(configured libdir)
bindir=$work/root$(configured bindir)
mandir=$work/root$(configured mandir)
includedir=$work/root$(configured includedir)
for file in "$libdir/libkmalloc-preload.so" "$libdir/libkmalloc.so" "$bindir/kmalloc" \
	    "$libdir/pkgconfig/kmalloc.pc" "$libdir/pkgconfig/kmalloc-linux.pc" "$includedir/kmalloc/kmalloc.h" \
	    "$mandir/man1/kmalloc.1" "$mandir/man7/libkmalloc.7"; do
	[ -s "$file" ]
	ok $? "${file##*/} is installed"
done
for header in $(cd "$abs_top_srcdir/include" && find . -name '*.h'); do
	[ -s "$includedir/$header" ] || diag "missing: $header"
done | grep . && status=1
ok $status "all public headers are installed"
is "$(cat "$mandir/man3/free_pages.3")" ".so man3/alloc_pages.3" "a function's page leads to another"
# Of each page of section 3: the names of its NAME section, and what leads there.
named=$(cd "$abs_top_srcdir/man" && for page in *.3; do
	sed -n '/^\.Sh NAME/,/^\.Sh [^N]/s/^\.Nm \([A-Za-z0-9_]*\).*/\1.3/p' "$page" |
		grep -vxF "$page" | sed "s|\$|:.so man3/$page|"
done | sort)
is "$(cd "$mandir/man3" && grep '^\.so ' ./*.3 | sed 's|^\./||' | sort)" "$named" \
	"so does that of every function which a page describes, and no other"
is "$(find "$work/root" -name '*preload*' ! -name libkmalloc-preload.so ! -name '*.la')" "" \
	"the preload library is one file without a version"

is "$("$bindir/kmalloc" run -- grep -c 'r-xp.*libkmalloc-preload' /proc/self/maps)" 1 \
	"the installed command preloads"
is "$("$bindir/kmalloc" run -- sed -n 's|.*r-xp.* /|/|p' /proc/self/maps | grep preload)" \
	"$(realpath "$libdir/libkmalloc-preload.so")" "it preloads the library installed with it"
mv "$work/root" "$work/moved"
libdir=$work/moved${libdir#"$work/root"} bindir=$work/moved${bindir#"$work/root"}
includedir=$work/moved${includedir#"$work/root"}
is "$("$bindir/kmalloc" run -- grep -c 'r-xp.*libkmalloc-preload' /proc/self/maps)" 1 \
	"so it does where the installation was moved"

cat >"$work/main.c" <<'X'
#include <kmalloc/kmalloc.h>
int main(void) { return 0; }
X
if command -v pkg-config >/dev/null; then
	# shellcheck disable=SC2046
	PKG_CONFIG_PATH=$libdir/pkgconfig PKG_CONFIG_SYSROOT_DIR=$work/moved \
		pkg-config --cflags --libs kmalloc >"$work/flags" &&
	$CC -o "$work/main" "$work/main.c" $(cat "$work/flags") && LD_LIBRARY_PATH=$libdir "$work/main"
	ok $? "a program is built with kmalloc.pc and runs"

	cat >"$work/module.c" <<'X'
#include <kmalloc/kmalloc.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/types.h>
static LIST_HEAD(list);
static int __init start(void) { return list_empty(&list) && sizeof(u64) == 8 ? 0 : -EINVAL; }
static void __exit end(void) { pr_info("%s\n", kmalloc_version()); }
module_init(start);
module_exit(end);
X
	# shellcheck disable=SC2046
	PKG_CONFIG_PATH=$libdir/pkgconfig PKG_CONFIG_SYSROOT_DIR=$work/moved \
		pkg-config --cflags --libs kmalloc-linux >"$work/flags" &&
	$CC -std=gnu11 -o "$work/module" "$work/module.c" $(cat "$work/flags") &&
	LD_LIBRARY_PATH=$libdir "$work/module" 2>"$work/said" && [ -s "$work/said" ]
	ok $? "a module is built with kmalloc-linux.pc and runs"
else
	skip "a program is built with kmalloc.pc and runs" "pkg-config is not installed"
	skip "a module is built with kmalloc-linux.pc and runs" "pkg-config is not installed"
fi
if [ -f "$libdir/libkmalloc.a" ]; then
	$CC -o "$work/static" -I"$includedir" "$work/main.c" "$libdir/libkmalloc.a" && "$work/static"
	ok $? "a program is built with libkmalloc.a and runs"
else
	skip "a program is built with libkmalloc.a and runs" "configured without static libraries"
fi
done_testing

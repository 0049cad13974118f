#!/bin/sh
# SPDX-License-Identifier: MIT
# What the libraries export, import and ask of the loader.
: "${abs_top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${abs_top_builddir:=$abs_top_srcdir}"
: "${KMALLOC_PRELOAD:=$abs_top_builddir/preload/.libs/libkmalloc-preload.so}"
. "$abs_top_srcdir/tests/lib/tap.sh"
LC_ALL=C
export LC_ALL
command -v readelf >/dev/null && command -v nm >/dev/null || skip_all "binutils are not installed"
api=$abs_top_builddir/src/.libs/libkmalloc.so
archive=$abs_top_builddir/src/.libs/libkmalloc.a

# The names in a checked-in list, without comments.
list()
{
	sed 's/[ \t]*#.*//; /^$/d' "$@" | sort
}

# exports FILE: the names that a shared library defines for others; absolute symbols are versions.
exports()
{
	nm -D --defined-only "$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort
}

imports()
{
	nm -D --undefined-only "$1" | awk '{ sub(/@.*/, "", $NF); print $NF }' | sort
}

plan 10
is "$(exports "$KMALLOC_PRELOAD")" "$(list "$abs_top_srcdir/preload/malloc.sym" \
	"$abs_top_srcdir/src/libkmalloc.sym")" \
	"the preload library exports malloc.sym and libkmalloc.sym and nothing else"
is "$(exports "$api")" "$(list "$abs_top_srcdir/src/libkmalloc.sym")" \
	"the API library exports src/libkmalloc.sym and nothing else"
exports "$KMALLOC_PRELOAD" | grep -qx malloc
ok $? "malloc is among the exports"

is "$(imports "$KMALLOC_PRELOAD" | grep -vxF "$(list "$abs_top_srcdir/tests/check/libc-imports.txt")")" \
	"" "the preload library imports the functions of libc-imports.txt alone"
for lib in "$KMALLOC_PRELOAD" "$api"; do
	is "$(readelf -dW "$lib" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | tr '\n' ' ')" "libc.so.6 " \
		"${lib##*/} needs libc alone"
done

size=$(readelf -lW "$KMALLOC_PRELOAD" | awk '$1 == "TLS" { print $6 }')
diag "static TLS: $((${size:-0})) bytes"
[ $((${size:-0})) -le 64 ]
ok $? "static TLS is at most 64 bytes"

is "$(readelf -rW "$KMALLOC_PRELOAD" | grep -E 'DTPMOD|DTPOFF|DTPREL|TLSDESC|TLS_DTP')" "" \
	"no relocation asks for dynamic TLS"

is "$(readelf -dW "$KMALLOC_PRELOAD" | grep -E 'TEXTREL|RPATH|RUNPATH')" "" \
	"no text relocation and no search path"

if [ -r "$archive" ]; then
	is "$(nm -g --defined-only "$archive" 2>/dev/null |
		awk 'NF == 3 && $3 !~ /^km_/ { print $3 }' | sort -u)" "" \
		"every global symbol of libkmalloc.a begins with km_"
else
	skip "every global symbol of libkmalloc.a begins with km_" "configured without static libraries"
fi
done_testing

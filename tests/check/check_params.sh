#!/bin/sh
# SPDX-License-Identifier: MIT
# The table of options (src/kernel/params.def), the manual page and KMALLOC_OPTIONS=help name the
# same options.
: "${abs_top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${abs_top_builddir:=$abs_top_srcdir}"
: "${KMALLOC_PRELOAD:=$abs_top_builddir/preload/.libs/libkmalloc-preload.so}"
. "$abs_top_srcdir/tests/lib/tap.sh"

# The second argument of every PARAM( line.
declared=$(sed -n 's/^PARAM([a-z0-9_]*, "\([a-z0-9_.-]*\)".*/\1/p' \
	"$abs_top_srcdir/src/kernel/params.def" | sort)
# The items of the options table: .It Cm key, .It Cm key Ns = Ns ...
documented=$(sed -n '/^\.Sh OPTIONS/,/^\.Sh [^O]/s/^\.It Cm \([a-z0-9_.-]*\).*/\1/p' \
	"$abs_top_srcdir/man/libkmalloc.7" | sort)
# Lines of the help begin with the key, indented or not.
helped=$(KMALLOC_OPTIONS=help LD_PRELOAD=$KMALLOC_PRELOAD /bin/true 2>&1)

[ -n "$declared" ]
ok $? "params.def declares options"
is "$documented" "$declared" "libkmalloc(7) describes the options of params.def"
for key in $declared; do
	printf '%s\n' "$helped" | grep -Eq "^(kmalloc: [A-Z]+:)?[[:space:]]*$key([=[:space:]]|\$)"
	ok $? "KMALLOC_OPTIONS=help lists $key"
done
[ "$tap_failed" -eq 0 ] || diag "$helped"
done_testing

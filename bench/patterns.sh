#!/bin/sh
# SPDX-License-Identifier: MIT
# Every pattern of the comparison program runs to its end under our library, with
# little work, and finds its blocks as it wrote them.
srcdir=${abs_top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
builddir=${abs_top_builddir:-$srcdir}
preload=${KMALLOC_PRELOAD-$builddir/preload/.libs/libkmalloc-preload.so}
compare=$builddir/bench/compare
. "$srcdir/tests/lib/tap.sh"

if [ -n "$preload" ] && [ ! -r "$preload" ]; then
	echo "Bail out! no library at $preload"
	exit 1
fi

for pattern in $("$compare" --list-all); do
	line=$(env LD_PRELOAD="$preload" "$compare" "$pattern" 0.02 2>&1)
	status=$?
	[ "$status" -eq 0 ] && expr "$line" : "$pattern ns=[0-9.]* cpu=[0-9.]* rss=[0-9]* ops=" >/dev/null
	ok $? "compare $pattern"
	diag "$line"
done
[ "$tap_count" -ge 20 ]
ok $? 'the program lists at least 20 patterns'
done_testing

# SPDX-License-Identifier: MIT
# What the memory tests share, to be sourced: where things are, and a few words
# for figures.
srcdir=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
builddir=${abs_top_builddir:-$srcdir}
preload=${KMALLOC_PRELOAD-$builddir/preload/.libs/libkmalloc-preload.so}
programs=$builddir/tests/memory
. "$srcdir/tests/lib/tap.sh"

# under_test [NAME=VALUE...] PROGRAM ARG...: only the program under test is preloaded.
# An empty $preload tests glibc itself.
under_test()
{
	env LD_PRELOAD="$preload" "$@"
}

# figure KEY LINE: the number after KEY= in a line of KEY=NUMBER words
figure()
{
	printf '%s\n' "$2" | tr ' ' '\n' | sed -n "s/^$1=//p"
}

# at_most VALUE LIMIT NAME: one test; VALUE may be missing, which fails it
at_most()
{
	if awk -v v="$1" -v l="$2" 'BEGIN { exit !(v ~ /^-?[0-9.]+$/ && v + 0 <= l + 0) }'; then
		ok 0 "$3"
	else
		ok 1 "$3"
		diag "got ${1:-nothing}, at most $2 expected"
	fi
}

# The median of the numbers on stdin, one a line
median()
{
	grep . | sort -n | awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)] }'
}

# ld.so only warns of what it cannot preload; the test would then be one of glibc.
if [ -n "$preload" ] && { [ ! -r "$preload" ] ||
		under_test true 2>&1 | grep -q 'cannot be preloaded'; }; then
	echo "Bail out! no library to preload at $preload"
	exit 1
fi

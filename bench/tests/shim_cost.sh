#!/bin/sh
# SPDX-License-Identifier: MIT
# The C shim costs nothing: an iteration of a loop in C through it and of the same
# loop in C++ on benchmark::State differ by at most 1 % in instructions, counted by
# callgrind as the difference of a run with many and one with few iterations. Times
# of interleaved runs are shown, but decide nothing. Under glibc and under the library.
srcdir=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
builddir=${abs_top_builddir:-$srcdir}
. "$srcdir/tests/lib/tap.sh"
program=$builddir/bench/bench-shim
preload=${KMALLOC_PRELOAD-$builddir/preload/.libs/libkmalloc-preload.so}

[ -z "$KM_SANITIZER" ] || skip_all 'a sanitizer counts its own instructions too'
command -v valgrind >/dev/null || skip_all 'valgrind is not installed'
[ -x "$program" ] || skip_all 'bench-shim was not built'
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# instructions LIBRARY ROW: of a whole run of the one row
instructions()
{
	LD_PRELOAD=$1 valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" \
		--benchmark_filter="^$2/iterations" >"$tmp/out" 2>"$tmp/err" || return
	if [ -n "$1" ] && ! grep -q "\"malloc_from\": \"$1\"" "$tmp/out"; then
		diag "malloc is not from $1" >&2
		return 1
	fi
	sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$tmp/err"
}

# iterations ROW: what the row is registered with
iterations()
{
	"$program" --benchmark_list_tests --benchmark_filter="^$1/iterations" |
		sed 's|.*/iterations:\([0-9]*\).*|\1|'
}

# per_iteration LIBRARY ROW: instructions
per_iteration()
{
	few=$(instructions "$1" "$2/few") && many=$(instructions "$1" "$2/many") &&
		awk -v few="$few" -v many="$many" -v n="$(iterations "$2/few")" \
			-v m="$(iterations "$2/many")" \
			'BEGIN { if (!(many > few && m > n)) exit 1
				 printf "%.3f\n", (many - few) / (m - n) }'
}

# compare LIBRARY BODY LIMIT UNIT NAME: one test; UNIT is percent or instructions
compare()
{
	in_c=$(per_iteration "$1" "BM_c/$2")
	in_cpp=$(per_iteration "$1" "BM_cpp/$2")
	awk -v c="$in_c" -v cpp="$in_cpp" -v limit="$3" -v unit="$4" 'BEGIN {
		if (c == "" || cpp == "") exit 1
		more = c - cpp
		if (unit == "percent") more *= 100 / cpp
		exit !(more <= limit && more >= -limit) }'
	ok $? "$5"
	diag "$2: ${in_c:-no} instructions an iteration in C, ${in_cpp:-no} in C++"
}

# timings LIBRARY: medians of 40 runs of each row in a random order, in ns an item
timings()
{
	LD_PRELOAD=$1 "$program" --benchmark_filter=/many --benchmark_repetitions=40 \
		--benchmark_enable_random_interleaving=true --benchmark_format=csv \
		--benchmark_report_aggregates_only=true 2>/dev/null |
		awk -F, '/_median"/ { gsub(/"|\/many.*/, "", $1)
				      printf "%s: %.2f ns\n", $1, 1e9 / $7 }'
}

plan 6
for library in '' "$preload"; do
	under=${library:+the library}
	under=${under:-glibc}
	compare "$library" loop 0.5 instructions "$under: an empty loop: as many instructions, to a half"
	compare "$library" pair 1 percent "$under: a pair: as many, to 1 percent"
	compare "$library" batch 1 percent "$under: a batch: as many, to 1 percent"
	diag "$under, medians of interleaved runs, for information:"
	diag "$(timings "$library")"
done
done_testing

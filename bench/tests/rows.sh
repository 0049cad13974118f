#!/bin/sh
# SPDX-License-Identifier: MIT
# Every row of the benchmarks runs to its end under our library, with little work, and finds its
# blocks as it wrote them; and what bench/shim.h promises of a program's options and of a row
# that fails.
srcdir=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
builddir=${abs_top_builddir:-$srcdir}
preload=${KMALLOC_PRELOAD-$builddir/preload/.libs/libkmalloc-preload.so}
. "$srcdir/tests/lib/tap.sh"

if [ -n "$preload" ] && [ ! -r "$preload" ]; then
	echo "Bail out! no library at $preload"
	exit 1
fi
[ -x "$builddir/bench/bench-micro" ] || skip_all 'built without Google Benchmark'
command -v python3 >/dev/null || skip_all 'no python3'
results=$(mktemp -d) || exit 1
trap 'rm -rf "$results"' EXIT

# judge FILE NR LIBRARY LEAST: NR rows without an error, at least LEAST, of malloc from LIBRARY
judge()
{
	python3 - "$@" <<'END'
import json
import os
import sys

path, listed, library, least = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    text = file.read().rstrip("\n")
report, _, process = text.rpartition("\n")
rows = json.loads(report)["benchmarks"]
used = json.loads(process)["malloc_from"]
wrong = [f"{row['name']}: {row['error_message']}" for row in rows if row.get("error_occurred")]
wrong += [f"{row['name']}: no items" for row in rows
          if not row.get("error_occurred") and not row.get("items_per_second")]
if len(rows) != int(listed):
    wrong.append(f"{listed} rows are listed, {len(rows)} ran")
if len(rows) < int(least):
    wrong.append(f"{len(rows)} rows, at least {least} expected")
if library and os.path.realpath(used) != os.path.realpath(library):
    wrong.append(f"malloc is that of {used}")
for line in wrong:
    print("# " + line)
sys.exit(bool(wrong))
END
}

# rows PROGRAM LEAST: all of its rows; left out are those of BM_fit, which take as long as they
# like, and of BM_fail
rows()
{
	bench=$builddir/bench/$1
	listed=$("$bench" --scale=0.01 --benchmark_filter='-BM_(fit|fail)' --benchmark_list_tests |
		grep -c '^BM_')
	env LD_PRELOAD="$preload" "$bench" --scale=0.01 --benchmark_filter='-BM_(fit|fail)' \
		--benchmark_format=json >"$results/$1" 2>"$results/$1.err"
	status=$?
	[ "$status" -eq 0 ] && judge "$results/$1" "$listed" "$preload" "$2"
	status=$?
	ok "$status" "all rows of $1 run under our library"
	[ "$status" -eq 0 ] || diag "$1: $(tail -n 5 "$results/$1.err")"
}

rows bench-micro 90
rows bench-threads 50
rows bench-large 18
rows bench-memory 22
rows bench-api 48
rows bench-shim 2

# A fit needs a range of rows: its two lines come behind them.
fit=$("$builddir/bench/bench-api" --benchmark_filter=BM_fit --benchmark_min_time=0.001 2>/dev/null)
printf '%s\n' "$fit" | grep -q '^BM_fit/.*_BigO'
ok $? 'a family with BENCH_COMPLEXITY ends with the complexity that fits it'

# The rows of starts want bench/nothing beside the program.
cp "$builddir/bench/bench-memory" "$results/alone"
"$results/alone" --scale=0.01 --benchmark_filter=BM_start/nothing --benchmark_format=json \
	>"$results/failed" 2>/dev/null
grep -q '"error_occurred": true' "$results/failed" &&
	grep -q '"error_message": "expected the program nothing beside this one"' "$results/failed"
ok $? 'a row that fails is in the JSON, with the reason'

# A thread that fails keeps no other one waiting, in its row and in the next ones.
timeout 20 "$builddir/bench/bench-shim" --benchmark_filter=BM_fail --benchmark_format=json \
	>"$results/failed" 2>/dev/null
is "$?: $(grep -c '"error_message": "made to fail"' "$results/failed")" '0: 2' \
	'rows whose threads fail come to their end, and so does the row behind them'

memory=$builddir/bench/bench-memory
BENCH_SERIES=$results/series "$memory" --scale=0.01 --benchmark_filter=BM_shift/small \
	>/dev/null 2>&1
awk 'NF != 2 || $1 !~ /^[0-9]+\.[0-9]+$/ || $2 !~ /^[0-9]+$/ || $1 + 0 < last { bad = 1 }
	{ last = $1 + 0 } END { exit bad || NR < 40 }' "$results/series"
ok $? 'BENCH_SERIES gets RSS over time'

# refused ARGUMENT MESSAGE
refused()
{
	said=$("$memory" "$1" 2>&1 >/dev/null)
	is "$?: $said" "2: $2" "$1 is refused in a line"
}
for scale in 0 -1 x 1x ''; do
	refused "--scale=$scale" "bench: --scale=$scale: expected a number above 0"
done
"$memory" --nonsense >/dev/null 2>&1
is $? 2 'an unknown option is refused'

"$memory" --help >"$results/help" 2>&1
is $? 0 '--help works'
grep -q -e '--benchmark_filter' "$results/help"
ok $? '--help shows the options'
done_testing

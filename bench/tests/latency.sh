#!/bin/sh
# SPDX-License-Identifier: MIT
# bench/latency: its percentiles are those of the numbers, each call is counted once, a malloc
# that is slow at times shows, and what is wrong is said in a line.
srcdir=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
builddir=${abs_top_builddir:-$srcdir}
preload=${KMALLOC_PRELOAD-$builddir/preload/.libs/libkmalloc-preload.so}
. "$srcdir/tests/lib/tap.sh"
latency=$builddir/bench/latency

command -v python3 >/dev/null || skip_all 'no python3'
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# figure JSON WHICH: such as malloc p99
figure()
{
	python3 -c 'import json, sys
found = json.load(open(sys.argv[1]))
for key in sys.argv[2:]:
    found = found[key]
print(found)' "$@"
}

# percentiles NAME: of the numbers in $work/numbers, beside those that a sort finds
percentiles()
{
	"$latency" --of="$work/numbers" >"$work/of"
	python3 - "$work/of" "$work/numbers" <<'END'
import json
import sys

found = json.load(open(sys.argv[1]))["of"]
numbers = sorted(map(int, open(sys.argv[2])))
wrong = [] if found["calls"] == len(numbers) and found["max"] == numbers[-1] else [str(found)]
for name, part in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)):
    exact = numbers[min(len(numbers) - 1, max(0, round(part * len(numbers)) - 1))]
    if abs(found[name] - exact) > max(0.6, exact / 100):
        wrong.append(f"{name}: {found[name]}, expected {exact}")
print("\n".join("# " + line for line in wrong), end="\n" if wrong else "")
sys.exit(bool(wrong))
END
	ok $? "percentiles: $1"
}

awk 'BEGIN { for (i = 0; i < 20000; i++) print 40 + i % 7 }' >"$work/numbers"
percentiles 'few, all of them small'
awk 'BEGIN { srand(1); for (i = 0; i < 50000; i++) printf "%.0f\n", exp(rand() * 25) }' >"$work/numbers"
percentiles 'from 1 to a minute'
awk 'BEGIN { for (i = 0; i < 5000; i++) print i % 500 ? 100 : 10000 + i }' >"$work/numbers"
percentiles 'two in a thousand are slow'
echo 3000000000000000 >"$work/numbers"
is "$("$latency" --of="$work/numbers" | sed 's/.*"max": //')" '3000000000000000.00}}' \
	'the worst is told however long it took'

LD_PRELOAD=$preload "$latency" --threads=4 --scale=0.25 >"$work/four"
is "$? $(figure "$work/four" malloc calls) $(figure "$work/four" free calls)" '0 100000 100000' \
	'each malloc and each free of four threads is counted'
is "$(realpath "$(figure "$work/four" malloc_from)")" "$(realpath "$preload")" \
	'the library that was measured is told'
python3 - "$work/four" <<'END'
import json
import sys

found = json.load(open(sys.argv[1]))
for call in ("malloc", "free"):
    times = [found[call][name] for name in ("p50", "p99", "p99.9", "max")]
    assert 0 < times[0] and times == sorted(times), times
assert 0 < found["clock_ns"] < 5000 and found["malloc"]["max"] < 1e9 * found["seconds"]
END
ok $? 'percentiles are in order, no call took longer than the run'

# Each 50th call is slower by 20 microseconds, or 10: neither hidden in the median, nor in it.
LD_PRELOAD=$builddir/bench/.libs/libbench-slow.so "$latency" --scale=0.1 >"$work/slow"
for call in malloc:20000 free:10000; do
	awk -v p50="$(figure "$work/slow" ${call%:*} p50)" -v slow=${call#*:} \
		-v p99="$(figure "$work/slow" ${call%:*} p99)" \
		'BEGIN { exit !(p50 < slow / 5 && p99 >= slow && p99 < slow * 3) }'
	ok $? "a ${call%:*} that is slow at times shows as such"
done

# refused ARGUMENT MESSAGE
refused()
{
	said=$("$latency" "$1" 2>&1 >/dev/null)
	is "$?: $said" "1: bench: $2" "$1 is refused in a line"
}
refused --scale=x 'latency: expected a number above 0'
refused --threads=33 'latency: --threads: expected 1 to 32'
refused --of=/no/such 'latency: --of: expected a file that can be read'
refused --what 'usage: latency [--threads=N] [--scale=X] | --of=FILE'
done_testing

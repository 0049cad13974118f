#!/bin/sh
# SPDX-License-Identifier: MIT
# The jobs that run servers, at a small scale under the preload library: all rows are there with
# figures, a wrong result and a wrong allocator are refused, a server that cannot start is
# reported in one line, and nothing is left running, however a run ends.
: "${abs_top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${abs_top_builddir:=$PWD}"
: "${KMALLOC_PRELOAD:=$abs_top_builddir/preload/.libs/libkmalloc-preload.so}"
. "$abs_top_srcdir/tests/lib/tap.sh"

command -v python3 >/dev/null || skip_all "no python3"
[ -r "$KMALLOC_PRELOAD" ] || skip_all "there is no $KMALLOC_PRELOAD"
work=$(mktemp -d "${TMPDIR:-/tmp}/kmb.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
export KMALLOC_PRELOAD abs_top_srcdir abs_top_builddir work

cat >"$work/drive.py" <<'END'
import importlib, os, shutil, signal, sys
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["abs_top_srcdir"], "bench"))
from kmbench import servers
from kmbench.job import Allocator, Context, JobFailed

WORK = os.environ["work"]
OURS = Allocator("libkmalloc", os.environ["KMALLOC_PRELOAD"])
CONTEXT = Context(os.environ["abs_top_srcdir"], os.environ["abs_top_builddir"], WORK, True, 0.02)

def job(module, index=0):
    return importlib.import_module(f"kmbench.real.{module}").jobs()[index]

def programs(module):
    """Print what is missing."""
    print(" ".join(name for name in job(module).programs if not shutil.which(name)))

def expect(condition, text):
    if not condition:
        sys.exit(text)

def rows(module, index):
    """Every row of the job has figures, and not those of an idle server."""
    tested = job(module, int(index))
    tested.prepare(CONTEXT)
    result = tested.run(CONTEXT, OURS)
    named = [row for row in tested.rows if row.name in result]
    expect(len(result) == len(named) and (len(named) > 4 or named == list(tested.rows)),
           f"rows: {sorted(result)}")
    for row in named:
        sample = result[row.name]
        connect = row.name.endswith("/connect")
        expect(row.what == "memory" or sample.time > 0, f"{row.name}: time {sample.time}")
        expect(sample.cpu > 0 or connect, f"{row.name}: cpu {sample.cpu}")
        expect(sample.minor_faults is not None, f"{row.name}: no faults")
        expect(connect or sample.peak_rss_kib > 1000, f"{row.name}: peak {sample.peak_rss_kib}")
        expect(connect or sample.mappings > 10, f"{row.name}: mappings {sample.mappings}")
        if row.what == "memory":
            expect(1000 < sample.rss_after_kib <= sample.peak_rss_kib + 64,
                   f"{row.name}: RSS after {sample.rss_after_kib}, peak {sample.peak_rss_kib}")
            expect(len(sample.series) > 1, f"{row.name}: no series")

def failure(action):
    try:
        action()
    except JobFailed as error:
        return str(error)
    return "nothing failed"

def wrong_result():
    tested = job("redis", 1)
    tested.prepare(CONTEXT)
    tested.first[CONTEXT.quick, CONTEXT.scale, "refill"] = "0" * 40
    print(failure(lambda: tested.run(CONTEXT, OURS)))

def wrong_allocator():
    """A library that has no malloc: another would serve."""
    with open("/proc/self/maps") as maps:
        other = next(line.split()[-1] for line in maps if "/libm.so" in line or "/libm-" in line)
    print(failure(lambda: job("redis", 1).run(CONTEXT, Allocator("none", other))))

def start(command):
    """What is said of a server that cannot start."""
    def action():
        with servers.Server("the server", command, servers.without_allocator(),
                            os.path.join(WORK, "log"), lambda: False):
            pass
    print(failure(action))

def silent():
    servers.START_LIMIT = 0.5
    start(["sleep", "60"])

def forever():
    """A client and a server that are under way until they are interrupted."""
    signal.signal(signal.SIGINT, signal.default_int_handler)    # shells ignore it for "&"
    from kmbench.real import redis
    with redis.Redis(CONTEXT, OURS) as server:
        server.benchmark(10**9, 64, 1, 0, ("-t", "set"))

{"programs": programs, "rows": rows, "wrong_result": wrong_result, "forever": forever,
 "wrong_allocator": wrong_allocator, "silent": silent,
 "refused": lambda: start(["redis-server", "--no-such-option", "1"]),
 "absent": lambda: start([os.path.join(WORK, "no-such-program")]),
 }[sys.argv[1]](*sys.argv[2:])
END

drive()
{
	python3 "$work/drive.py" "$@" 2>"$work/err"
}

# said WHAT PATTERN NAME: drive.py WHAT prints one line, which matches
said()
{
	drive "$1" >"$work/out"
	grep -q "$2" "$work/out" && [ "$(wc -l <"$work/out")" -eq 1 ]
	ok $? "$3"
	cat "$work/out" "$work/err" | sed 's/^/# /'
}

rows()
{
	drive rows "$1" "$2"
	ok $? "$3"
	tail -n 3 "$work/err" | sed 's/^/# /'
}

# Servers and clients have the path of the work folder in their command lines.
running()
{
	grep -laF -e "$work/" /proc/[0-9]*/cmdline 2>/dev/null | while read -r file; do
		cat "$file" 2>/dev/null | tr '\0' ' ' | grep -E '^(redis-|postgres|[^ ]*/postgres|pgbench)'
	done
}

# left NAME: within two seconds no server is left
left()
{
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		alive=$(running)
		[ -z "$alive" ] && break
		sleep 0.2
	done
	is "$alive" "" "$1"
}

# end SIGNAL NAME: end a run under way by it
end()
{
	python3 "$work/drive.py" forever >"$work/out" 2>"$work/err" &
	pid=$!
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		alive=$(running | grep -c redis-)
		[ "$alive" -eq 2 ] && break
		sleep 0.2
	done
	is "$alive" 2 "a server and its client are under way"
	kill -"$1" $pid
	wait $pid 2>/dev/null
	left "$2"
}

missing=$(drive programs redis)
[ -z "$missing" ] || skip_all "no $missing"

rows redis 0 "redis: each command has its figures"
rows redis 1 "redis: so has fragmentation"
left "nothing is left running"
said wrong_result "not that under glibc" "other data than that under glibc are refused"
said wrong_allocator "is served by" "a server that another allocator serves is refused"
said refused "ended with status 1: " "a server that cannot start is reported in a line"
said absent "cannot be started: " "so is one that is not there"
said silent "did not answer within 0.5 s: it said nothing" "so is one that does not answer"
left "nothing is left running"
end INT "nothing is left running after SIGINT"
end KILL "nor after SIGKILL"

missing=$(drive programs postgres)
if [ -n "$missing" ]; then
	skip "postgres: each row has its figures" "no $missing"
elif [ "$(id -u)" -eq 0 ] && ! id postgres >/dev/null 2>&1; then
	skip "postgres: each row has its figures" "root, and no user postgres"
else
	rows postgres 0 "postgres: each row has its figures"
	left "nothing is left running"
fi
done_testing

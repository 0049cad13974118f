#!/bin/sh
# SPDX-License-Identifier: MIT
# What the recorder writes the player does, call by call: recording a replay gives the totals of
# the trace that was replayed, for a trace made by hand from the description of the format and for
# the five that are shipped. Traces that are broken, cut off or not there are one clear line.
srcdir=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
builddir=${abs_top_builddir:-$PWD}
replay=$builddir/bench/replay
recorder=$builddir/bench/.libs/libbench-record.so
. "$srcdir/tests/lib/tap.sh"

[ -x "$replay" ] && [ -r "$recorder" ] || skip_all "the player or the recorder is not built"
[ -z "$KM_SANITIZER" ] || skip_all "a recorder below a sanitizer sees other calls"
command -v xz >/dev/null || skip_all "there is no xz"
command -v python3 >/dev/null || skip_all "there is no python3"
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99

# record FILE COMMAND...
record()
{
	recorded=$1
	shift
	env BENCH_TRACE="$recorded" LD_PRELOAD="$recorder" "$@"
}

info()
{
	"$replay" --info "$1"
}

# The totals that do not depend on how threads happen to run.
same_everywhere()
{
	info "$1" | sed 's/"peak_live[a-z_]*": [0-9]*, //g; s/, "nr_unknown".*//'
}

# Those that do not depend on which thread does what.
of_calls()
{
	info "$1" | sed 's/, "threads".*//'
}

# refuses STATUS PATTERN NAME ARGUMENT...: one line on stderr that matches
refuses()
{
	wanted=$1 pattern=$2 name=$3
	shift 3
	"$replay" "$@" >out 2>err
	status=$?
	is "$status $(wc -l <err) $(wc -c <out) $(grep -c -- "$pattern" err)" "$wanted 1 0 1" "$name"
	grep -q -- "$pattern" err || diag "$(cat err)"
}

# A trace by hand -----------------------------------------------------------

python3 - >hand.trace <<'END' || exit 99
import struct, sys
body, sizes, live, n = bytearray(), [], {}, 0
calls, running = [0] * 10, 0
peak_bytes = peak_blocks = 0
MALLOC, CALLOC, REALLOC, REALLOCARRAY, POSIX_MEMALIGN, ALIGNED_ALLOC, MEMALIGN, VALLOC, FREE, \
    FREE_NULL, RUN, CREATE, END, JOIN = range(14)
def put(*values):
    for value in values:
        while value > 127:
            body.append(value & 127 | 128)
            value >>= 7
        body.append(value)
def made(size):
    global peak_bytes, peak_blocks
    live[len(sizes)] = size
    sizes.append(size)
    peak_bytes = max(peak_bytes, sum(live.values()))
    peak_blocks = max(peak_blocks, len(live))
    return len(sizes) - 1
def call(op, *operands, old=None):
    calls[op] += 1
    distance = [] if op not in (REALLOC, REALLOCARRAY, FREE) else \
        [0 if old is None else len(sizes) - old]
    put(op, *distance, *operands)
    if old is not None:
        del live[old]
    if op < FREE:
        return made(operands[-1] * (operands[0] if op in (CALLOC, REALLOCARRAY) else 1))
def run(thread):
    put(RUN, thread)
first = [call(MALLOC, size) for size in (0, 1, 7, 8, 15, 16, 100, 1024, 5000, 70000, 3000000)]
call(CALLOC, 10, 100)
call(POSIX_MEMALIGN, 12, 300)
call(ALIGNED_ALLOC, 6, 640)
call(MEMALIGN, 8, 50)
call(VALLOC, 4096)
call(FREE_NULL)
a = call(REALLOC, 20)
a = call(REALLOC, 2000, old=a)
a = call(REALLOCARRAY, 3, 1000, old=a)
a = call(REALLOC, 9, old=a)
put(CREATE)
put(CREATE)
for i in range(3000):                       # 0 makes, 1 changes, 2 ends
    run(0)
    b = call(MALLOC, i % 500)
    run(1)
    c = call(REALLOC, i % 900 + 1, old=b)
    run(2)
    call(FREE, old=c)
run(1)
put(END)
run(0)
put(CREATE)                                 # joins 1, which nothing else does
run(3)
call(FREE, old=first[9])
put(END)
run(0)
put(JOIN, 3)
put(JOIN, 2)
for b in first[:5]:
    call(FREE, old=b)
checksum = 0xcbf29ce484222325
for byte in body:
    checksum = (checksum ^ byte) * 0x100000001b3 % (1 << 64)
totals = calls + [sum(sizes), peak_bytes, peak_blocks, sum(live.values()), len(live), 4]
header = struct.pack("<8sIIQQ16QQ", b"kmtrace\n", 1, 1, len(body), checksum, *totals, 0)
sys.stdout.buffer.write(header + body)
END
info hand.trace >expected
grep -q '"events": 9027, .*"threads": 4, "between_threads": 6001, "nr_unknown": 0}' expected
ok $? "a trace made by hand is read as it was meant"

for how in --serial --threads "--threads --window 1"; do
	# shellcheck disable=SC2086
	record again.trace "$replay" $how hand.trace >out
	ok $? "replay $how of it"
	is "$(of_calls again.trace | sed 's/"peak_.*//')" "$(of_calls hand.trace | sed 's/"peak_.*//')" \
		"recording replay $how gives its calls"
done
is "$(same_everywhere again.trace)" "$(same_everywhere hand.trace)" "and its threads"
"$replay" --repeat 3 --no-touch hand.trace >out
ok $? "replay --repeat 3"

# The window ----------------------------------------------------------------

# The first thread makes 2000 blocks; the other one ends each, and has more to do. Who waits for
# nothing makes them all at once.
python3 - >ahead.trace <<'END' || exit 99
import struct, sys
MALLOC, FREE, RUN, CREATE = 0, 8, 10, 11
body, pairs = bytearray([MALLOC, 8, FREE, 1, CREATE]), 40
for i in range(2000):
    body += bytes([RUN, 0, MALLOC, 100, RUN, 1, FREE, 1] + [MALLOC, 50, FREE, 1] * pairs)
checksum = 0xcbf29ce484222325
for byte in body:
    checksum = (checksum ^ byte) * 0x100000001b3 % (1 << 64)
calls = 2000 * (1 + pairs) + 1
totals = [calls, 0, 0, 0, 0, 0, 0, 0, calls, 0, 2000 * (100 + 50 * pairs) + 8, 100, 1, 0, 0, 2]
sys.stdout.buffer.write(struct.pack("<8sIIQQ16QQ", b"kmtrace\n", 1, 1, len(body), checksum,
                                    *totals, 0) + body)
END
record again.trace "$replay" --window 100 ahead.trace >out
ok $? "replay --window 100"
peak=$(info again.trace | sed 's/.*"peak_live_blocks": \([0-9]*\).*/\1/')
[ "$peak" -ge 1 ] && [ "$peak" -le 9 ]
ok $? "the thread that makes the others is no further ahead ($peak blocks)"

# The shipped ones ----------------------------------------------------------

for name in compiler interpreter database server xml; do
	xz -dc "$srcdir/bench/traces/$name.xz" >shipped.trace
	record again.trace "$replay" --serial shipped.trace >out
	is "$(of_calls again.trace)" "$(of_calls shipped.trace)" \
		"$name: a serial replay allocates exactly what the trace says"
	record again.trace "$replay" shipped.trace >out
	is "$(same_everywhere again.trace)" "$(same_everywhere shipped.trace)" \
		"$name: a replay with threads does"
done
total=$(cat "$srcdir"/bench/traces/*.xz | wc -c)
[ "$total" -le 5000000 ]
ok $? "the traces together are at most 5 MB ($total bytes)"
set --
for name in compiler interpreter database server xml; do
	set -- "$@" "$name=$srcdir/bench/traces/$name.xz"
done
python3 "$srcdir/bench/histogram" --header "$@" | cmp -s - "$srcdir/bench/histograms.h"
ok $? "histograms.h is made of them"

# The recorder --------------------------------------------------------------

allocate='BEGIN { for (i = 0; i < 30000; i++) a[i] = i "x" i; '
record program.trace awk "$allocate }"
is "$(info program.trace | grep -c '"free": [1-9]')" 1 "a program is recorded"
"$replay" program.trace >out
ok $? "and replayed"
BENCH_TRACE_MAX=1000 record limit.trace awk "$allocate }"
is "$(info limit.trace | grep -o '"events": [0-9]*')" '"events": 1000' "BENCH_TRACE_MAX"

python=$(python3 -c 'import sys; print(sys.executable)')
PYTHONMALLOC=malloc record killed.trace "$python" -S -c '
import os
numbers = [str(i) for i in range(30000)]
os.kill(os.getpid(), 9)' >out 2>&1
refuses 1 incomplete "the trace of a killed program is called incomplete" killed.trace
"$replay" --partial killed.trace >out 2>err
ok $? "what is there of it is played with --partial"
is "$(wc -l <err)" 1 "which says so"

record forked.trace sh -c "awk '$allocate }' & wait; exit 3" >out
is "$? $(info forked.trace | grep -c '"events": [1-9]')" "3 1" "a program that forks is recorded"
info forked.trace | grep -q '"events": [0-9]\{1,3\},'
ok $? "and neither its children nor what they execute"
record 'each.%p.trace' sh -c 'awk "BEGIN { print 1 }" & wait' >out
set -- each.*.trace
is $# 2 "with %p each process is"
if perl -MPOSIX -e 1 2>/dev/null; then
	record exit.trace perl -MPOSIX -e 'my @a = map { "x" x $_ } 1 .. 99; POSIX::_exit(0)'
	is "$(info exit.trace | grep -c '"events": [1-9]')" 1 "_exit() completes a trace"
else
	skip "_exit() completes a trace" "there is no perl"
fi

# Programs that are hard on it.
cat >hard.c <<'END'
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static void *volatile last;

static void allocate(int n, int keep)
{
	for (int i = 0; i < n; i++) {
		last = malloc(20);
		if (!keep)
			free(last);
	}
}

static void *forever(void *unused)
{
	for (;;)
		allocate(1, 0);
	return unused;
}

/* The threads write the trace, but do nothing else that may be cancelled. */
static void cancelled(void)
{
	pthread_t thread;

	for (int i = 0; i < 3; i++) {
		pthread_create(&thread, NULL, forever, NULL);
		pthread_cancel(thread);
		usleep(20000);
		allocate(9, 0);
	}
}

static void forked(void)
{
	int status;
	pid_t pid = vfork();

	if (!pid) {
		execl("/nonexistent/program", "program", NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	pid = _Fork();
	if (!pid) {
		allocate(100000, 0);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	allocate(5000, 0);
}

/* All descriptors are closed, and the first one is now another file. */
static void closed(void)
{
	for (int i = 3; i < 100; i++)
		close(i);
	for (int i = 3; i < 9; i++)
		if (write(open("own", O_WRONLY | O_CREAT | O_APPEND, 0666), "mine\n", 5) != 5)
			abort();
	allocate(100000, 0);
}

static void on_alarm(int number)
{
	_exit(number);
}

/* Its trace is complete or is not; it ends. */
static void interrupted(void)
{
	struct itimerval time = { { 0, 0 }, { 0, 1000 + getpid() % 1000 } };

	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &time, NULL);
	for (;;)
		allocate(1, 0);
}

/* No memory for the table of live blocks, but for blocks. */
static void limited(void)
{
	struct rlimit limit;
	unsigned long pages;
	FILE *file = fopen("/proc/self/statm", "r");

	if (fscanf(file, "%lu", &pages) != 1)
		abort();
	fclose(file);
	limit.rlim_cur = limit.rlim_max = pages * 4096 + (1 << 20);
	setrlimit(RLIMIT_AS, &limit);
	allocate(16000, 1);
}

int main(int argc, char **argv)
{
	switch (argc > 1 ? argv[1][0] : 0) {
	case 'c': cancelled(); break;
	case 'f': forked(); break;
	case 'o': closed(); break;
	case 'i': interrupted(); break;
	case 'l': limited(); break;
	}
	return 0;
}
END
if "${CC:-cc}" -O1 -fno-builtin -pthread -o hard hard.c 2>/dev/null; then
	hard()
	{
		timeout 5 env BENCH_TRACE=hard.trace LD_PRELOAD="$recorder" ./hard "$1"
	}
	hard forked
	is "$? $(info hard.trace | grep -c '"malloc": 50[0-9][0-9],')" "0 1" \
		"the end of a child of vfork() or _Fork() is not that of the trace"
	hard own-file 2>err
	is "$? $(sort own | uniq -c | tr -s ' ')" "0  6 mine" \
		"a file that took its descriptor is not written to"
	grep -q 'closed the file of the trace' err
	ok $? "which is said"
	status=
	for i in 1 2 3 4 5 6 7 8 9 10; do
		hard interrupted
		status=$status$?,
	done
	is "$status" 14,14,14,14,14,14,14,14,14,14, "a signal handler may call _exit()"
	hard cancelled
	is "$? $(info hard.trace | grep -c '"threads": 4,')" "0 1" "threads may be cancelled"
	hard limited
	is "$? $(info hard.trace | grep -c '"malloc": 1[0-9][0-9][0-9][0-9],')" "0 1" \
		"a trace is whole that has no memory for more blocks"
else
	skip "programs that are hard on the recorder" "there is no C compiler"
fi

# Broken traces -------------------------------------------------------------

head -c 9000 hand.trace >cut.trace
refuses 1 'cut.trace: truncated: 8832 bytes of events, expected' "a truncated trace" cut.trace
{ head -c 9000 hand.trace; printf 'X'; tail -c +9002 hand.trace; } >wrong.trace
refuses 1 'wrong.trace: corrupt: the checksum' "a trace with one other byte" wrong.trace
echo "no trace" >text
refuses 1 'text: not a trace' "a file that is no trace" text
: >empty
refuses 1 'empty: not a trace' "an empty file" empty
refuses 1 'compressed; expected the output of xz' "a compressed trace" "$srcdir/bench/traces/xml.xz"
refuses 1 'none.trace: No such file' "a trace that is not there" none.trace
refuses 2 '--window: expected a number' "an option without its number" --window x hand.trace
refuses 2 '--fast: expected' "an unknown option" --fast hand.trace

# The same with a checksum that fits: what the events say is checked too.
python3 - <<'END'
import struct
for name in ("00100801", "001008010801", "0802", "00100a05", "0b0d010a010010", "20"):
    body = bytes.fromhex(name)
    checksum = 0xcbf29ce484222325
    for byte in body:
        checksum = (checksum ^ byte) * 0x100000001b3 % (1 << 64)
    header = struct.pack("<8sIIQQ17Q", b"kmtrace\n", 1, 1, len(body), checksum, *[0] * 17)
    with open(name, "wb") as file:
        file.write(header + body)
END
refuses 1 'totals of its header' "totals that do not fit" 00100801
refuses 1 'event 2: an object ends twice' "a block freed twice" 001008010801
refuses 1 'no event at byte 0' "a free of no block" 0802
refuses 1 'no event at byte 2' "a thread that was not made" 00100a05
refuses 1 'thread that was joined' "a thread after its join" 0b0d010a010010
refuses 1 'no event at byte 0' "an unknown event" 20

done_testing

#!/bin/sh
# SPDX-License-Identifier: MIT
# bench/measure says what a program used, and each job of bench/kmbench/real does with little work
# what it does with much: it runs under the library and compares its output.
. "$abs_top_srcdir/tests/lib/tap.sh"
measure=$abs_top_builddir/bench/measure
[ -x "$measure" ] || skip_all "there is no $measure"
command -v python3 >/dev/null || skip_all "there is no python3"

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# holds EXPRESSION NAME: is it true of the figures in $work/figures?
holds()
{
	python3 -c 'import json, sys
globals().update(json.load(open(sys.argv[1])))
sys.exit(0 if eval(sys.argv[2]) else 1)' "$work/figures" "$1" 2>"$work/errors"
	holds_status=$?
	ok $holds_status "$2"
	[ $holds_status -eq 0 ] || diag "$1" "$(cat "$work/figures" "$work/errors")"
}

cat >"$work/touch.c" <<'END'
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* touch MIB KEEP [VFORK]: have MIB MiB of pages, keep KEEP, with a child of vfork() in between; in
 * the end 100 mappings more than at first. */
int main(int argc, char **argv)
{
	size_t size = (size_t)atoi(argv[1]) << 20, keep = (size_t)atoi(argv[2]) << 20;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(p, argc, size);
	if (argc > 3 && !vfork())
		_exit(127);
	munmap(p + keep, size - keep);
	for (int i = 0; i < 50; i++)
		mprotect(p + 8192 * (size_t)i, 4096, PROT_READ);
	return 0;
}
END
if "${CC:-cc}" -O1 -o "$work/touch" "$work/touch.c" 2>/dev/null; then
	"$measure" -o "$work/figures" "$work/touch" 64 8
	if grep -q '"rss_end_kib": null' "$work/figures"; then
		skip "RSS and mappings at the end" "ptrace is not permitted"
	else
		holds '8 << 10 <= rss_end_kib < 11 << 10' 'RSS at the end is what the program kept'
		holds '100 <= mappings_end < 140' 'mappings are counted'
		"$measure" -o "$work/figures" sh -c "'$work/touch' 32 1; '$work/touch' 4 1; exit 0"
		holds 'processes == 3 and 64 <= mappings_peak and mappings_end < 64' \
			'each process is looked at'
		holds 'rss_end_kib < 8 << 10 and 32 << 10 <= peak_rss_kib < 35 << 10' \
			'the peak is of the largest process'
		"$measure" -o "$work/figures" "$work/touch" 64 8 vfork
		holds 'processes == 2 and 8 << 10 <= largest_rss_end_kib < 11 << 10' \
			'the largest process is not a child that shares its memory'
	fi
	"$measure" -o "$work/figures" "$work/touch" 64 8
	holds '64 << 10 <= peak_rss_kib < 66 << 10' 'peak RSS is what the program touched'
	holds '64 * 256 <= minor_faults < 65 * 256 or minor_faults < 2048' 'faults are counted'
	# From a large process: what it had before the exec is not the program's.
	python3 -c 'import subprocess, sys
kept = bytearray(b"x") * (64 << 20)
subprocess.run(sys.argv[1:])' "$measure" -o "$work/figures" "$work/touch" 8 1
	holds 'peak_rss_kib < 12 << 10' "the memory of measure's parent does not count"
else
	skip "memory of a known program" "there is no C compiler"
fi

"$measure" -o "$work/figures" --interval 10 sleep 0.1
holds '0.1 <= wall < 0.4 and user + system < 0.05' 'a sleep is wall time, not CPU time'
holds 'len(series) >= 3 and min(s[1] for s in series) > 0 and series == sorted(series)' \
	'RSS is sampled'
"$measure" -o "$work/figures" sh -c 'i=0; while [ $i -lt 40000 ]; do i=$((i + 1)); done; exit 7'
holds '0.005 < user + system <= wall + 0.02' 'a loop is CPU time'
holds 'status == 7 and signal is None' 'the exit status'
"$measure" -o "$work/figures" sh -c 'kill -SEGV $$'
holds 'status is None and signal == 11' 'the signal'
"$measure" -o "$work/figures" sh -c 'for i in 1 2 3 4 5; do /bin/true; done; exit 0'
holds 'processes in (6, None) and not timed_out' 'processes are counted'
"$measure" -o "$work/figures" --env ANSWER=42 sh -c 'exit $ANSWER'
holds 'status == 42' 'the environment is set'

alive()
{
	for pid in $(cat "$work/pids"); do
		case $(cat "/proc/$pid/stat" 2>/dev/null) in
		'' | *') Z '*) ;;
		*) return 0 ;;
		esac
	done
	return 1
}
tree="echo \$\$ >'$work/pids'; sleep 60 & echo \$! >>'$work/pids'
	(trap '' TERM; setsid sleep 60 & echo \$! >>'$work/pids'; wait) & sleep 60"
"$measure" -o "$work/figures" --timeout 0.3 sh -c "$tree"
holds 'timed_out and signal == 9 and 0.3 <= wall < 1' 'a timeout is said'
is "$(wc -l <"$work/pids") $(alive && echo alive)" '3 ' 'a timeout kills the tree'
"$measure" -o "$work/figures" sh -c "$tree" &
sleep 0.3
kill -TERM $!
wait $!
is "$? $(alive && echo alive)" '143 ' 'so does a signal'
"$measure" -o "$work/figures" sh -c "sleep 60 & echo \$! >'$work/pids'; exit 0"
is "$? $(alive && echo alive)" '0 ' 'nothing stays behind'
"$measure" -o "$work/figures" python3 -c 'import os, sys, threading, time
def start():
    if not os.fork():
        os.setsid()
        with open(sys.argv[1], "w") as file:
            print(os.getpid(), file=file)
        time.sleep(60)
        os._exit(0)
threading.Thread(target=start).start()
while not os.path.exists(sys.argv[1]) or not os.path.getsize(sys.argv[1]):
    time.sleep(0.01)
os._exit(0)' "$work/started"
status=$?
mv "$work/started" "$work/pids"
is "$status $(alive && echo alive)" '0 ' 'nor does what a second thread started'

message=$("$measure" /nonexistent/program 2>&1)
is "$? $message" '127 measure: /nonexistent/program: No such file or directory' \
	'a missing program is named'
message=$("$measure" --timeout x true 2>&1)
is "$? $message" '2 measure: --timeout x: expected a number above 0' 'a bad option is named'

# The jobs, in little.
PYTHONDONTWRITEBYTECODE=1 python3 - "$abs_top_srcdir" "$abs_top_builddir" "$work" \
	"$KMALLOC_PRELOAD" >"$work/jobs" 2>"$work/errors" <<'END'
import importlib, os, pathlib, shutil, sys
source, build, work, library = sys.argv[1:]
sys.path.insert(0, os.path.join(source, "bench"))
from kmbench.job import Allocator, Context, JobFailed
from kmbench.measure import measure

context = Context(source, build, work, quick=True, scale=0.02)
ours = Allocator("libkmalloc", library)

def result(name, job):
    missing = [program for program in job.programs if not shutil.which(program)]
    if missing:
        return f"skip {name} there is no {missing[0]}"
    try:
        job.prepare(context)
        sample = job.run(context, ours)[job.rows[0].name]
        if not (sample.time > 0 and sample.cpu > 0 and sample.peak_rss_kib > 500):
            return f"not {name}: {sample}"
        if name == "real/sqlite":
            job.digest = "another"
            try:
                job.run(context, ours)
                return f"not {name}: a wrong output is not noticed"
            except JobFailed:
                pass
        return f"ok {name}"
    except JobFailed as error:
        return f"not {name}: {error}"

for module in "sqlite python gcc make perl solver xz tools".split():
    for job in importlib.import_module(f"kmbench.real.{module}").jobs():
        if module == "python" and job.name not in ("real/python/objects",
                                                   "real/python-malloc/threads"):
            continue
        print(result(job.name, job), flush=True)

def fails(what, words, *arguments, **options):
    try:
        measure(context, *arguments, **options)
        print(f"not {what}: nothing was said")
    except JobFailed as error:
        print(f"{'ok' if words in str(error) else 'not'} {what}: {error}")

plain = Allocator("glibc").environment()
fails("failing program", "exit status 3: oh", ["sh", "-c", "echo oh >&2; exit 3"], plain)
fails("killed program", "killed by SIGKILL", ["sh", "-c", "kill -9 $$"], plain)
fails("endless program", "no end after 0.2 s", ["sleep", "9"], plain, timeout=0.2)
fails("library that is not there", "No such file", ["true"],
      Allocator("x", "/nonexistent/lib.so").environment())
not_a_library = os.path.join(work, "not.so")
pathlib.Path(not_a_library).write_text("no")
fails("library that is none", "cannot be preloaded", ["true"],
      Allocator("x", not_a_library).environment())
if measure(context, ["true"], plain).mappings:
    fails("program that drops the library", "processes had loaded",
          ["sh", "-c", "unset LD_PRELOAD; /bin/true; exit 0"], ours.environment())
END
is "$?" 0 'the jobs come to their end'
while read -r verdict name rest; do
	case $verdict in
	ok) ok 0 "$name ${rest%%:*}" ;;
	skip) skip "$name" "$rest" ;;
	*) ok 1 "$name $rest" ;;
	esac
done <"$work/jobs"
[ -s "$work/errors" ] && diag "$(cat "$work/errors")"
done_testing

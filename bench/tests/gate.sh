#!/bin/sh
# SPDX-License-Identifier: MIT
# The gate (bench/check) passes against its baseline, repeats exactly, and fails where a figure
# rose; what it can not do it says in one line.
srcdir=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
builddir=${abs_top_builddir:-$srcdir/build}
. "$srcdir/tests/lib/tap.sh"
abs_top_srcdir=$srcdir abs_top_builddir=$builddir
export abs_top_srcdir abs_top_builddir
python=$(python3 -c 'import sys; print(sys.executable)') || skip_all 'python3 is missing'

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 99' HUP INT TERM

# gate ARG...: its status in $status, what it said in $work/said
gate()
{
	"$python" "$srcdir/bench/check" "$@" >"$work/said" 2>&1
	status=$?
}

# says PATTERN NAME: the gate said it
says()
{
	grep -q "$1" "$work/said"
	ok $? "$2"
	grep -q "$1" "$work/said" || diag "$(cat "$work/said")"
}

# in_one_line STATUS PATTERN NAME: it ended so, and said that and nothing else
in_one_line()
{
	[ "$status" -eq "$1" ] && [ "$(wc -l <"$work/said")" -eq 1 ] && grep -q "$2" "$work/said"
	judged=$?
	ok $judged "$3"
	[ $judged -eq 0 ] || diag "status $status: $(cat "$work/said")"
}

# changed STATEMENT: $work/changed.json is the baseline b after it; p is mixed-large of it
changed()
{
	"$python" - "$work" "$1" <<-'END'
	import json, sys
	folder, statement = sys.argv[1:]
	b = json.load(open(folder + "/now.json"))
	exec(statement, {"b": b, "p": b["paths"].get("mixed-large")})
	json.dump(b, open(folder + "/changed.json", "w"))
	END
}

mkdir "$work/empty"
PATH=$work/empty gate --only malloc-64
in_one_line 2 'valgrind is missing' 'a missing valgrind is one line'
ln -s /bin/true "$work/empty/valgrind"
PATH=$work/empty gate --only malloc-64
in_one_line 2 'strace is missing' 'a missing strace is one line'
if ! command -v valgrind >"$work/said" || ! command -v strace >"$work/said"; then
	skip 'the gate' 'valgrind or strace is missing'
	done_testing
	exit
fi

gate --update --baseline "$work/now.json" --only malloc-64 --only mixed-large --only thread
is "$status" 0 'a baseline is written'
gate --update --baseline "$work/again.json" --only malloc-64 --only mixed-large --only thread
cmp "$work/now.json" "$work/again.json" >&2
ok $? 'a second one is the same to the byte'
gate --baseline "$work/now.json" --only malloc-64
is "$status" 0 'the gate passes against it'

gate --baseline "$work/now.json" --only malloc-65
in_one_line 2 'malloc-65: no such path; there are .*malloc-64' 'an unknown path is one line'
gate --baseline "$work/none.json" --only malloc-64
in_one_line 2 'none.json: No such file' 'a missing baseline is one line'
echo '{}' >"$work/bad.json"
gate --baseline "$work/bad.json" --only malloc-64
in_one_line 2 'bad.json: a baseline of format 1 was expected' 'a file of another kind is one line'

changed 'p["instructions"] = int(p["instructions"] / 1.03)'
gate --baseline "$work/changed.json" --only mixed-large
is "$status" 1 '3 % more instructions fail'
says 'mixed-large: instructions [0-9]* -> [0-9]*, +3.0 %' 'path, figures and percent are named'
changed 'p["instructions"] = int(p["instructions"] / 1.01)'
gate --baseline "$work/changed.json" --only mixed-large
is "$status" 0 '1 % more instructions do not'
changed 'p["instructions"] = int(p["instructions"] * 1.03)'
gate --baseline "$work/changed.json" --only mixed-large
is "$status" 0 '3 % fewer instructions pass'
says 'mixed-large: instructions .* -2.9 %: better than the baseline: update it' 'and are mentioned'

changed 'p["system_calls"]["madvise"] -= 1; p["page_faults"] = int(p["page_faults"] / 1.03)'
gate --baseline "$work/changed.json" --only mixed-large
is "$status" 1 'more system calls and page faults fail'
says 'mixed-large: system calls .*(madvise [0-9]* -> [0-9]*)' 'the system call is named'
says 'mixed-large: page faults ' 'and so are the page faults'

changed 'b["paths"]["gone"] = p; del b["paths"]["malloc-64"]'
gate --baseline "$work/changed.json" --only malloc-64
is "$status" 1 'a path that the baseline does not have fails'

changed 'b["machine"]["compiler"] = "gcc 1.0"; p["instructions"] = 1'
gate --baseline "$work/changed.json" --only mixed-large
in_one_line 0 'skipped, .*: compiler .* here, gcc 1.0 in the baseline' 'another compiler is skipped'
gate --baseline "$work/changed.json" --only mixed-large --require
in_one_line 1 'skipped' 'and fails where a comparison is required'
gate --baseline "$work/changed.json" --only mixed-large --force
is "$status" 1 'and is compared where that is forced'
changed 'b["machine"]["kernel"] = "2.6"; p["page_faults"] = 1'
gate --baseline "$work/changed.json" --only mixed-large
is "$status" 0 'under another kernel page faults are not compared'
says 'not compared: kernel .* here, 2.6 in the baseline' 'and that is said'

gate
if grep -q 'bench-check: skipped' "$work/said"; then
	skip 'the committed baseline' "$(cat "$work/said")"
else
	is "$status" 0 'nothing rose over the committed baseline'
	diag "$(cat "$work/said")"
fi
done_testing

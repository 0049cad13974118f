#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CPython's own test modules under the preload, every object through malloc: the
# same tests fail as under glibc (as a rule none) and the exit status is equal.
# A module whose result differs is run once more under both, alone, as some of
# these tests measure time; a module that a signal ended is not.

limit=280
. "$(dirname "$0")/apps.sh"
python=$(PATH=/usr/bin:$PATH command -v python3) || skip_all "python3 is not installed"
"$python" -c 'import test.test_json' 2>/dev/null ||
	skip_all "the test suite of python3 is not installed"
export PYTHONMALLOC=malloc
modules=${modules:-test_json test_re test_threading test_fork1 test_subprocess test_ctypes}

# The tests that did not pass, and how many ran, from the JUnit report $1.
results()
{
	"$python" - "$1" <<-'END'
		import sys
		import xml.etree.ElementTree as tree
		cases = list(tree.parse(sys.argv[1]).getroot().iter("testcase"))
		for case in cases:
		    if case.find("failure") is not None or case.find("error") is not None:
		        print(case.get("name"))
		print(len(cases), "tests")
	END
}

# Runs module $1 in $work/WHERE, WHERE being $2; leaves WHERE.status and WHERE.tests.
run_module()
{
	local module=$1 where=$2 status=0 vars=()

	[ "$where" = glibc ] || vars=("LD_PRELOAD=$KMALLOC_PRELOAD")
	run_in "$where" ${vars[@]+"${vars[@]}"} -- \
		"$python" -m test --junit-xml "$work/$where.xml" "$module" || status=$?
	echo "$status" >"$work/$where.status"
	results "$work/$where.xml" >"$work/$where.tests" 2>&1
	rm -f "$work/$where.xml"
}

run_both()
{
	local glibc_run

	run_module "$1" glibc &
	glibc_run=$!
	run_module "$1" preload
	wait $glibc_run
}

agree()
{
	cmp -s "$work/glibc.status" "$work/preload.status" &&
		cmp -s "$work/glibc.tests" "$work/preload.tests" && [ -s "$work/preload.tests" ]
}

preloaded_ok "$python" -c pass
for module in $modules; do
	"$python" -c "import test.$module" 2>/dev/null || {
		skip "$module" "not in this test suite"
		continue
	}
	run_both "$module"
	if ! agree && [ "$(cat "$work/preload.status")" -lt 124 ]; then
		echo "# $module differs, runs once more:"
		diff "$work/glibc.tests" "$work/preload.tests" | note
		run_both "$module"
	fi
	agree
	status=$?
	ok $status "$module: same results as under glibc"
	[ $status -eq 0 ] || {
		paste "$work/glibc.status" "$work/preload.status"
		diff "$work/glibc.tests" "$work/preload.tests"
		tail -n 20 "$work/preload.out" "$work/preload.err"
	} | note
	silent "$module: no message of the library" "$work/preload.out" "$work/preload.err"
done
done_testing

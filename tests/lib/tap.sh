# SPDX-License-Identifier: MIT
# TAP for shell tests (POSIX sh), to be sourced:
#	plan N			N tests will follow; without it end with done_testing
#	ok STATUS NAME		one test, passed where STATUS is 0
#	is GOT EXPECTED NAME	one test, passed where the two strings are equal
#	skip NAME REASON	one test that can not run here
#	skip_all REASON		no test of this script can run here; ends it
#	diag TEXT...		a note in the log
#	done_testing		print the plan; the exit status says whether all passed
tap_count=0
tap_failed=0
tap_plan=

plan()
{
	tap_plan=$1
	echo "1..$1"
}

diag()
{
	printf '%s\n' "$*" | sed 's/^/# /'
}

ok()
{
	tap_count=$((tap_count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tap_count - $2"
	else
		echo "not ok $tap_count - $2"
		tap_failed=$((tap_failed + 1))
	fi
}

is()
{
	if [ "$1" = "$2" ]; then
		ok 0 "$3"
	else
		ok 1 "$3"
		diag "got:      $1"
		diag "expected: $2"
	fi
}

skip()
{
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

skip_all()
{
	echo "1..0 # SKIP $1"
	exit 0
}

done_testing()
{
	if [ -z "$tap_plan" ]; then
		echo "1..$tap_count"
	elif [ "$tap_plan" -ne "$tap_count" ]; then
		diag "planned $tap_plan tests, ran $tap_count"
		return 1
	fi
	[ "$tap_failed" -eq 0 ]
}

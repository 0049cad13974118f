# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Shared part of the tests that run real programs: each runs a program under
# glibc and again under the preload, in two fresh directories, and compares.
# Sourced by bash scripts in tests/apps; prints TAP through tests/lib/tap.sh.
#
# A script prepares its inputs in $work, which is removed when it ends, and uses
#   need PROGRAM...            skip the whole script where one is missing
#   same NAME CMD...           one test: same stdout and exit status 0, twice
#   run_glibc CMD...           run in $work/glibc; output in $work/glibc.{out,err}
#   run_preload CMD...         run in $work/preload; output in $work/preload.{out,err}
#   same_runs NAME             one test: the last two runs agree
#   preloaded_ok CMD...        one test: CMD takes its malloc from the library
#   silent NAME FILE...        one test: no message of the library in the files
#
# Standard input is $input where that is set, else empty. The shell itself never
# runs under the preload.

set -u
export LC_ALL=C TZ=UTC PYTHONHASHSEED=0 PERL_HASH_SEED=0
unset LD_PRELOAD KMALLOC_OPTIONS KMALLOC_GFP MAKEFLAGS MFLAGS MAKELEVEL

apps_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
abs_top_srcdir=${abs_top_srcdir:-$(cd "$apps_dir/../.." && pwd)}
abs_top_builddir=${abs_top_builddir:-$abs_top_srcdir}
KMALLOC_PRELOAD=${KMALLOC_PRELOAD:-$abs_top_builddir/preload/.libs/libkmalloc-preload.so}

# Seconds that one run of a program may take; the long scripts set more.
limit=${limit:-120}

. "$abs_top_srcdir/tests/lib/tap.sh"

if [ ! -r "$KMALLOC_PRELOAD" ]; then
	echo "Bail out! no preload library at $KMALLOC_PRELOAD"
	exit 99
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/kmalloc-apps.XXXXXX") || exit 99
runner=
background=()

cleanup()
{
	local pid

	for pid in $runner ${background[@]+"${background[@]}"}; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 99' HUP INT TERM

# A HOME of its own keeps the user's configuration out of the results.
mkdir "$work/home" "$work/in"
export HOME=$work/home TMPDIR=$work

# note: standard input, as a note in the log
note()
{
	sed 's/^/# /'
}

need()
{
	local program

	for program; do
		command -v "$program" >/dev/null || skip_all "$program is not installed"
	done
}

# run_in WHERE VARIABLES... -- CMD...: a fresh directory, the output beside it
# in WHERE.out and WHERE.err, the exit status returned.
run_in()
{
	local where=$1 vars=() status=0

	shift
	while [ "$1" != -- ]; do
		vars+=("$1")
		shift
	done
	shift
	rm -rf "${work:?}/$where"
	mkdir "$work/$where"
	# In the background, so that a signal to the script ends it at once.
	(cd "$work/$where" && exec timeout -k 5 "$limit" \
		env --default-signal=INT,QUIT ${vars[@]+"${vars[@]}"} "$@") \
		>"$work/$where.out" 2>"$work/$where.err" <"${input:-/dev/null}" &
	runner=$!
	wait $runner || status=$?
	runner=
	return $status
}

run_glibc()
{
	glibc_status=0
	run_in glibc -- "$@" || glibc_status=$?
}

run_preload()
{
	preload_status=0
	run_in preload "LD_PRELOAD=$KMALLOC_PRELOAD" -- "$@" || preload_status=$?
}

# A message of the library begins a line, unless a program puts a time or a name
# before it in its log.
has_message()
{
	grep -E '^kmalloc:|kmalloc: BUG' "$@" /dev/null
}

silent()
{
	local name=$1 messages

	shift
	messages=$(has_message "$@")
	[ -z "$messages" ]
	ok $? "$name"
	[ -z "$messages" ] || note <<<"$messages"
}

# Prints why the last two runs differ; nothing where they agree.
runs_difference()
{
	[ "$glibc_status" -eq 0 ] || {
		echo "exit status $glibc_status under glibc"
		tail -n 5 "$work/glibc.err"
	}
	[ "$preload_status" -eq "$glibc_status" ] || {
		echo "exit status $preload_status under the preload, $glibc_status under glibc"
		tail -n 5 "$work/preload.err"
	}
	cmp -s "$work/glibc.out" "$work/preload.out" || {
		echo "output differs:"
		diff -a "$work/glibc.out" "$work/preload.out" | cut -c1-160 | head -n 10
	}
	has_message "$work/preload.err" | head -n 5
}

same_runs()
{
	local difference

	difference=$(runs_difference)
	[ -z "$difference" ]
	ok $? "$1"
	[ -z "$difference" ] || note <<<"$difference"
}

same()
{
	local name=$1

	shift
	run_glibc "$@"
	run_preload "$@"
	same_runs "$name"
}

# one test: the files that the last two runs left are the same, byte for byte
same_files()
{
	local difference

	difference=$(cd "$work" && diff -rq --no-dereference glibc preload 2>&1 | head -n 10)
	[ -z "$difference" ] && [ -n "$(ls -A "$work/preload")" ]
	ok $? "$1"
	[ -z "$difference" ] || note <<<"$difference"
}

# The mapping proves that the loader takes the library; the trace of the loader,
# that the program's malloc is the library's and not one that it brings along.
preloaded_ok()
{
	local library program status=0

	library=$(basename "$KMALLOC_PRELOAD")
	program=$(basename "$1")
	run_preload cat /proc/self/maps
	grep -q "/${library%.so*}" "$work/preload.out" || status=1
	run_in preload LD_DEBUG=files,bindings "LD_DEBUG_OUTPUT=$work/loader" \
		"LD_PRELOAD=$KMALLOC_PRELOAD" -- "$@"
	grep -lE "initialize program: (.*/)?$program\$" "$work"/loader.* |
		xargs -r grep -qF "to $KMALLOC_PRELOAD [0]: normal symbol \`malloc'" || status=1
	rm -f "$work"/loader.*
	ok $status "$program takes its malloc from the preload library"
}

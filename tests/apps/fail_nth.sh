#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Real programs started with fail_nth=1, 2, 3, ... until nothing fails any more, and under a rate of
# failures: whatever a program makes of NULL, nothing breaks inside the library (kernel-semantics
# 9.4). It may complain, end, abort, or fault in its own code; it may not hang, and the library may
# report no misuse. Up to FAIL_NTH_DENSE (40) each n is tried, then steps grow by an eighth.

. "$(dirname "$0")/apps.sh"
dense=${FAIL_NTH_DENSE:-40}
where=$abs_top_builddir/tests/apps/.libs/crash_where.so
limit=20

if [ ! -r "$where" ]; then
	echo "Bail out! there is no $where"
	exit 99
fi

# run OPTIONS CMD...: output in $work/run.{out,err}, the exit status in $status
run()
{
	local options=$1

	shift
	# The user's environment must not decide which allocation is the one that fails.
	(cd "$work/in" && exec timeout -k 5 "$limit" env -i "PATH=$PATH" "HOME=$work" LC_ALL=C \
		PERL_HASH_SEED=0 PYTHONHASHSEED=0 "LD_PRELOAD=$KMALLOC_PRELOAD:$where" \
		"KMALLOC_OPTIONS=$options" "$@") >"$work/run.out" 2>"$work/run.err" </dev/null
	status=$?
} 2>/dev/null	# where bash says of each signal that it was one

# What is wrong with the last run; nothing where all is as it may be.
complaint()
{
	local err line

	err=$(<"$work/run.err")
	[[ $status -eq 124 || $status -eq 137 ]] && echo "it hangs"
	[[ $err == *"crash_where: inside"* ]] && echo "it faults inside the library"
	[[ $status -eq 139 && $err != *"crash_where: "* ]] && echo "it faults nobody knows where"
	while read -r line; do
		[[ $line == *"kmalloc: "* && $line != *"INFO: FAULT_INJECTION"* ]] && echo "$line"
	done <<<"$err"
	return 0
}

# one test: CMD with each n
walk()
{
	local name=$1 n=0 runs=0 bad=0 ended=0 why

	shift
	while :; do
		n=$((n < dense ? n + 1 : n + n / 8 + 1))
		run "fail_nth=$n fail_verbose=1" "$@"
		why=$(complaint)
		if [ -n "$why" ]; then
			diag "fail_nth=$n: status $status: $why"
			bad=$((bad + 1))
		fi
		[[ $(<"$work/run.err") == *"FAULT_INJECTION: forcing a failure."* ]] || break
		runs=$((runs + 1))
		[ $status -eq 0 ] || ended=$((ended + 1))
		[ $bad -lt 5 ] || break
	done
	[ $bad -eq 0 ] && [ $runs -ge 15 ] && [ $status -eq 0 ]
	ok $? "$name: nothing breaks inside the library"
	diag "$runs runs up to n = $n, $ended of them ended by the failure"
}

# one test: CMD under a rate, ten times
rate()
{
	local name=$1 seed why bad=0 ended=0

	shift
	for seed in 1 2 3 4 5 6 7 8 9 10; do
		run "failslab=$((seed * seed * 3)),10,0,-1 failslab.ignore-gfp-wait=N fail_verbose=0 \
fail_page_alloc=$seed,10,0,-1 fail_page_alloc.ignore-gfp-wait=N fail_page_alloc.min-order=0 \
fail_seed=$seed" "$@"
		why=$(complaint)
		[ $status -eq 0 ] || ended=$((ended + 1))
		[ -z "$why" ] && continue
		diag "fail_seed=$seed: status $status: $why"
		bad=$((bad + 1))
	done
	ok $bad "$name: a rate of failures breaks nothing inside the library"
	diag "$ended of 10 runs ended by failures"
}

cd "$work/in" || exit 99
mkdir files
touch files/{a,b,c,d,e}{1,2,3,4,5,6,7,8}
awk 'BEGIN { for (i = 0; i < 3000; i++) print (i * 7919) % 3001, "line", i }' >lines
cat >script.sql <<-END
	CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT);
	INSERT INTO t WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 500)
		SELECT i, 'name-' || (i * 7919 % 3001) FROM c;
	CREATE INDEX t_name ON t(name);
	SELECT count(*), max(name) FROM t;
	SELECT name FROM t ORDER BY substr(name, 6) LIMIT 5;
END
cat >program.py <<-END
	words = {}
	for i in range(2000):
	    words["word%d" % (i % 700)] = [i] * 20
	try:
	    big = [bytes(200000) for i in range(20)]
	except MemoryError:
	    big = []
	print(len(words), sum(len(v) for v in words.values()), len(big) >= 0)
END

run "" env CRASH_WHERE_OUTSIDE=1 true
is "$status $(<"$work/run.err")" "139 crash_where: outside of the library" \
	"a fault of the program is told"
run "" env CRASH_WHERE_STACK=1 true
is "$status $(<"$work/run.err")" "139 crash_where: outside of the library" \
	"a program that overflows its stack is told"
run "" env CRASH_WHERE_INSIDE=1 true
is "$(<"$work/run.err")" "crash_where: inside the library" "a fault of the library is told"

program()
{
	command -v "$1" >/dev/null && return
	skip "$1" "$1 is not installed"
	return 1
}

walk ls ls -l files
walk sort sort -k2 -k1n lines
program sqlite3 && walk sqlite3 sqlite3 -batch :memory: ".read script.sql"
if program python3; then
	python=$(python3 -c 'import sys; print(sys.executable)')
	walk python3 "$python" -S -E program.py
fi

rate sort sort lines
if program git; then
	git init -q repo && cp lines repo/ && git -C repo add lines
	rate git git -C repo status
fi
program perl && rate perl perl -e 'my %h; $h{$_ % 99} .= $_ for 1 .. 5000; print length $h{5}, "\n"'
done_testing

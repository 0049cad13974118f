#!/bin/sh
# SPDX-License-Identifier: MIT
# The small program plain.c, and tools of the system, under the preload in odd
# surroundings: limits, other libraries in LD_PRELOAD and LD_AUDIT, loader
# modes, no environment, no address randomisation, a user namespace; and what
# strace sees of a plain program and of the steady state.
# Traps C1, C2, C3, C4, C5, C9, C20, C26, C27, C29, C48, C52, C57, C58, C73, C80, C83.
here=$(cd "$(dirname "$0")" && pwd)
: "${abs_top_srcdir:=$(cd "$here/../.." && pwd)}"
: "${abs_top_builddir:=$abs_top_srcdir}"
: "${KMALLOC_PRELOAD:=$abs_top_builddir/preload/.libs/libkmalloc-preload.so}"
. "$abs_top_srcdir/tests/lib/tap.sh"

programs=$abs_top_builddir/tests/traps
modules=$programs/.libs
plain=$programs/plain
log=$(mktemp) || exit 99
trap 'rm -f "$log" "$log".*' EXIT

# under PRELOADS COMMAND...: run it with these libraries preloaded; output to $log.
under()
{
	preloads=$1
	shift
	timeout -k 5 60 env LD_PRELOAD="$preloads" "$@" >"$log" 2>&1
}

# plain_passes NAME COMMAND...: the command runs plain, which says that it got to its end, and
# nothing else is printed: ld.so complains on stderr and goes on where it can not preload.
plain_passes()
{
	name=$1
	shift
	under "$KMALLOC_PRELOAD" "$@"
	passed "$name"
}

passed()
{
	if [ $? -eq 0 ] && [ "$(cat "$log")" = "plain: done" ]; then
		ok 0 "$1"
	else
		ok 1 "$1"
		diag "$(head -n 20 "$log")"
	fi
}

# Of libkmalloc alone is asked what other mallocs do not promise.
case $KMALLOC_PRELOAD in
*libkmalloc*) ours=yes ;;
*) ours=no ;;
esac

if [ ! -x "$plain" ]; then
	echo "Bail out! $plain was not built"
	exit 99
fi

plain_passes "lazy binding" "$plain"
plain_passes "LD_BIND_NOW" env LD_BIND_NOW=1 "$plain"
plain_passes "an empty environment" env -i LD_PRELOAD="$KMALLOC_PRELOAD" "$plain"
plain_passes "no rseq" env GLIBC_TUNABLES=glibc.pthread.rseq=0 "$plain"
plain_passes "one processor" taskset -c 0 "$plain"

if setarch -R true 2>/dev/null; then
	plain_passes "no address randomisation" setarch -R "$plain"
else
	skip "no address randomisation" "setarch -R is not allowed"
fi
if (ulimit -s unlimited) 2>/dev/null; then
	plain_passes "unlimited stack, so the old layout of mappings" \
		sh -c 'ulimit -s unlimited; "$0"' "$plain"
else
	skip "unlimited stack, so the old layout of mappings" "the limit can not be raised"
fi
plain_passes "16 KiB of locked memory allowed" sh -c 'ulimit -l 16; "$0"' "$plain"

# Limits ------------------------------------------------------------------

plain_passes "ulimit -v 65536: fills up, frees, goes on" \
	sh -c 'ulimit -v 65536; "$0" fill' "$plain"
plain_passes "ulimit -d 16384: fills up, frees, goes on" \
	sh -c 'ulimit -d 16384; "$0" fill' "$plain"
plain_passes "ulimit -v 32768: fills up, frees, goes on" \
	sh -c 'ulimit -s 256; ulimit -v 32768; "$0" fill' "$plain"

# interpreter_passes NAME LIMIT COMMAND...: first without the preload, so that what can not run
# under the limit at all is skipped.
interpreter_passes()
{
	name=$1 limit=$2
	shift 2
	if ! command -v "$1" >/dev/null; then
		skip "$name" "$1 is not installed"
	elif ! sh -c "ulimit $limit"'; "$@"' sh "$@" >"$log" 2>&1; then
		skip "$name" "nor does it run without the preload"
	else
		mv "$log" "$log.want"
		under "$KMALLOC_PRELOAD" sh -c "ulimit $limit"'; "$@"' sh "$@"
		status=$?
		cmp -s "$log" "$log.want"
		if [ $? -eq 0 ] && [ $status -eq 0 ]; then
			ok 0 "$name"
		else
			ok 1 "$name"
			diag "status $status: $(head -n 20 "$log")"
		fi
	fi
}

python_fill='
kept = []
try:
    while True:
        kept.append(bytearray(100000)); kept.append([0] * 1000)
except MemoryError:
    n = len(kept)
    kept.clear()
assert n > 20
print(len(str([{i: str(i)} for i in range(20000)])))
'
perl_work='my %h = map { $_ => "x" x ($_ % 500) } 1..8000; print scalar(keys %h), "\n";'
python=$(python3 -c 'import sys; print(sys.executable)' 2>/dev/null || echo python3)
interpreter_passes "python under ulimit -v 65536" "-v 65536" "$python" -S -E -c "$python_fill"
interpreter_passes "python under ulimit -d 32768" "-d 32768" "$python" -S -E -c "$python_fill"
interpreter_passes "perl under ulimit -v 65536" "-v 65536" perl -e "$perl_work"
interpreter_passes "perl under ulimit -d 16384" "-d 16384" perl -e "$perl_work"

# Other libraries -----------------------------------------------------------

if [ -r "$modules/interposer.so" ]; then
	under "$KMALLOC_PRELOAD $modules/interposer.so" "$plain"
	passed "a malloc wrapper is preloaded after us"
	under "$modules/interposer.so $KMALLOC_PRELOAD" "$plain" interposed
	passed "a malloc wrapper is preloaded before us"
	under "$modules/interposer.so $KMALLOC_PRELOAD" env LD_BIND_NOW=1 "$plain" interposed
	passed "a malloc wrapper is preloaded before us, with LD_BIND_NOW"
else
	ok 1 "interposer.so was built"
fi
if [ -r "$modules/audit.so" ]; then
	plain_passes "under LD_AUDIT" env LD_AUDIT="$modules/audit.so" "$plain"
else
	ok 1 "audit.so was built"
fi
debug=$(ldconfig -p 2>/dev/null | sed -n 's/.*libc_malloc_debug\.so\.0 .*=> //p' | head -n 1)
if [ -r "$debug" ]; then
	under "$KMALLOC_PRELOAD $debug" "$plain"
	passed "libc_malloc_debug is preloaded after us"
else
	skip "libc_malloc_debug is preloaded after us" "it is not installed"
fi
# The same library twice, under two names, is one library too many, but not a crash.
cp "$KMALLOC_PRELOAD" "$log.libkmalloc-copy.so"
under "$KMALLOC_PRELOAD $log.libkmalloc-copy.so" "$plain"
passed "preloaded twice under two names"

if [ $ours = yes ]; then
	timeout -k 5 60 "$programs/load_library" --open "$KMALLOC_PRELOAD" >"$log" 2>&1
	is "$(cat "$log")" "load_library: done" "opened, used and closed without the preload"
	own=$(LD_PRELOAD=$KMALLOC_PRELOAD timeout 60 "$programs/own_malloc" 2>&1)
	is "$own" "$("$programs/own_malloc")" "a program with its own malloc keeps it whole"
else
	skip "opened, used and closed without the preload" "holds for libkmalloc alone"
	skip "a program with its own malloc keeps it whole" "holds for libkmalloc alone"
fi

# Namespaces ------------------------------------------------------------------

if unshare -U true 2>/dev/null; then
	# The kernel refuses this to a program with more than one thread.
	under "$KMALLOC_PRELOAD" unshare -U true
	ok $? "unshare -U works, as there is no second thread"
else
	skip "unshare -U works, as there is no second thread" "user namespaces are not allowed"
fi
under "$KMALLOC_PRELOAD" grep Threads: /proc/self/status
is "$(tr -d ' \t' <"$log")" "Threads:1" "a plain program has one thread"

# What strace sees ------------------------------------------------------------

if ! strace -o "$log" true 2>/dev/null; then
	skip "no file is opened and no thread started in a plain program" "strace does not work here"
	skip "no system calls in the steady state" "strace does not work here"
else
	strace -f -o "$log.with" -E LD_PRELOAD="$KMALLOC_PRELOAD" /bin/true
	strace -f -o "$log.without" /bin/true
	for f in "$log.with" "$log.without"; do
		grep -vF "$KMALLOC_PRELOAD" "$f" | sed -n 's/^[0-9]* *//; /ld\.so\.preload/d
			/^\(open\|openat\|clone3\?\|socket\|pipe2\?\|eventfd2\?\|fork\|vfork\|rt_sigaction\)(/p' |
			sed 's/=.*//' >"$f.calls"
	done
	is "$(cat "$log.with.calls")" "$(cat "$log.without.calls")" \
		"no file is opened and no thread started in a plain program"
	# Of a thousand rounds, of 48 sizes the small ones and of 19 the large ones.
	for mode in steady steady-large; do
		strace -o "$log.$mode" -E LD_PRELOAD="$KMALLOC_PRELOAD" "$plain" $mode \
			>"$log" 2>&1
		awk '/^getppid/ { mark++; next } mark == 1' "$log.$mode" >"$log.between"
		marks=$(grep -c '^getppid' "$log.$mode")
		calls=$(wc -l <"$log.between")
		most=0
		[ $mode = steady-large ] && most=190
		name="at most $most system calls in a thousand rounds of plain $mode"
		if [ $ours = no ]; then
			skip "$name" "holds for libkmalloc alone"
		elif [ "$marks" -eq 2 ] && [ "$calls" -le $most ]; then
			ok 0 "$name"
		else
			ok 1 "$name"
			diag "$marks marks, $calls system calls, such as"
			diag "$(head -n 10 "$log.between")"
		fi
	done
fi

under "$KMALLOC_PRELOAD" sh -c 'echo "$0" | tr a-z A-Z | sed s/X/y/' axb
is "$(cat "$log")" "AyB" "a shell pipeline works"
under "$KMALLOC_PRELOAD" env KMALLOC_OPTIONS=verbose /bin/true 2>/dev/null
if [ $ours = yes ]; then
	grep -q '^kmalloc: ' "$log"
	ok $? "the library is really there: verbose says so"
else
	skip "the library is really there: verbose says so" "holds for libkmalloc alone"
fi
# A static program ignores the preload, and one that can not be preloaded says so once.
under "$KMALLOC_PRELOAD" sh -c '"$1" >/dev/null; exit 0' sh /sbin/ldconfig.real
ok $? "a static program starts"

done_testing

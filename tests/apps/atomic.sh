#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Whole programs under KMALLOC_GFP=GFP_ATOMIC and GFP_NOWAIT with a reserve of
# 256 MiB: they do what they do without. In a redis-server under load strace sees
# no memory call and no futex whose stack has a frame of the library; a BGSAVE
# (a fork) is under way. The same load without a policy shows that it would.

. "$(dirname "$0")/apps.sh"
need sort xz git bash python3
reserve=KMALLOC_OPTIONS=min_free_kbytes=262144
library=$(basename "$KMALLOC_PRELOAD" .so)

# policy GFP NAME CMD...: one test: as without the preload, silent
policy()
{
	local gfp=$1 name=$2

	shift 2
	run_glibc "$@"
	run_preload env "KMALLOC_GFP=$gfp" "$reserve" "$@"
	same_runs "$gfp: $name"
}

awk 'BEGIN {
	x = 7
	for (i = 0; i < 60000; i++) {
		x = (x * 16807) % 2147483647
		printf "%d line-%d\n", x % 1000003, i
	}
}' >"$work/in/lines"
cat >"$work/in/forks.sh" <<'END'
for ((i = 0; i < 5; i++)); do
	value=$(echo "$i" | { read -r n; echo $((n * n)); })
	text+=$(printf '%s,' "$value")
	(mapfile -t lines < <(echo "$text"); echo "${#lines[@]}"; exit $i)
	echo "$?"
done
echo "$text"
END
cat >"$work/in/objects.py" <<'END'
lists = [bytearray(i % 70000) for i in range(3000)]
print(sum(map(len, lists)), len({str(i): i for i in range(200000)}), len("x" * 20000000))
END
git init -q "$work/in/git"
cp "$work/in/lines" "$work/in/git/"
git -C "$work/in/git" add lines
git -C "$work/in/git" -c user.name=a -c user.email=a@b commit -qm lines
echo more >>"$work/in/git/lines"

for gfp in GFP_ATOMIC GFP_NOWAIT; do
	policy $gfp "sort with threads" sort --parallel=2 -S 4M -k2,2 "$work/in/lines"
	policy $gfp "xz, with blocks above 64 MiB" xz -6 -c "$work/in/lines"
	policy $gfp "xz with threads" xz -T2 -0 --block-size=256KiB -c "$work/in/lines"
	policy $gfp "git" git -C "$work/in/git" diff --stat
	policy $gfp "python3" env PYTHONMALLOC=malloc python3 "$work/in/objects.py"
	# a reserve for each child: a small one
	run_glibc bash "$work/in/forks.sh"
	run_preload env "KMALLOC_GFP=$gfp" KMALLOC_OPTIONS=min_free_kbytes=8192 \
		bash "$work/in/forks.sh"
	same_runs "$gfp: a bash script that forks"
done
policy 'vmalloc:__GFP_NORETRY' "xz" xz -6 -c "$work/in/lines"

finish()
{
	done_testing
	exit
}

for program in redis-server redis-cli redis-benchmark strace; do
	command -v $program >/dev/null || {
		skip 3 "$program is not installed"
		finish
	}
done
strace -k -e trace=none true 2>/dev/null || {
	skip 3 "strace cannot show stacks here"
	finish
}

socket=$work/redis.sock

redis()
{
	timeout "$limit" redis-cli -s "$socket" "$@"
}

bench()
{
	timeout "$limit" redis-benchmark -s "$socket" -c 50 -q -P 16 -r 5000 "$@" >&2 </dev/null
}

# traced WHERE VARIABLES...: the memory calls of a server under load, with their
# stacks, in $work/WHERE.trace; false where it was not alive to the end
traced()
{
	local where=$1 i server tracer status=0

	shift
	mkdir "$work/$where"
	timeout -k 5 "$limit" env "$@" "LD_PRELOAD=$KMALLOC_PRELOAD" redis-server --port 0 \
		--unixsocket "$socket" --dir "$work/$where" --save "" \
		--pidfile "$work/$where/pid" >"$work/$where.log" 2>&1 </dev/null &
	server=$!
	background=($server)
	for ((i = 0; i < 200; i++)); do
		[ "$(redis ping 2>/dev/null)" = PONG ] && break
		sleep 0.1
	done
	strace -f -k -e trace=mmap,munmap,mremap,mprotect,madvise,brk,futex \
		-o "$work/$where.trace" -p "$(cat "$work/$where/pid")" 2>"$work/$where.strace" &
	tracer=$!
	background+=($tracer)
	for ((i = 0; i < 100; i++)); do
		grep -qs attached "$work/$where.strace" && break
		sleep 0.1
	done
	bench -n 20000 -d 200 -t set,get,lpush,hset,sadd || status=1
	redis bgsave >&2
	bench -n 4000 -d 10000 -t set,get || status=1
	for ((i = 0; i < 100; i++)); do
		redis info persistence | grep -q '^rdb_bgsave_in_progress:1' || break
		sleep 0.1
	done
	redis info persistence | grep -q '^rdb_last_bgsave_status:ok' || status=1
	# strace goes first: what follows is the end of the program
	kill $tracer
	wait $tracer
	redis shutdown nosave >/dev/null 2>&1
	wait $server || status=1
	background=()
	return $status
}

# Calls in a trace that have a frame of the library.
ours()
{
	awk -v library="$library" '
		/^ > / { if (index($1 $2, library) && !seen) { seen = 1; n++; print call > "/dev/stderr" } next }
		/^[^ ]/ { call = $0; seen = 0 }
		END { print n + 0 }' "$1"
}

traced atomic KMALLOC_GFP=GFP_ATOMIC "$reserve"
ok $? "GFP_ATOMIC: redis-server stands 100000 requests and a BGSAVE"
is "$(ours "$work/atomic.trace" 2>"$work/calls")" 0 \
	"GFP_ATOMIC: no memory call and no futex comes from the library"
head -n 5 "$work/calls" | note
silent "GFP_ATOMIC: redis-server is silent" "$work/atomic.log"
traced kernel A=1
[ "$(ours "$work/kernel.trace" 2>/dev/null)" -gt 0 ]
ok $? "without a policy the trace shows the library's calls"
finish

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# redis-server under the preload: the same data set has the same DEBUG DIGEST as
# without it; it stands 50 clients of redis-benchmark with a BGSAVE (a fork)
# under way; SAVE and restart keep every key. REDIS_REQUESTS is the number of
# requests for each command. Listens on sockets in $work alone.

. "$(dirname "$0")/apps.sh"
need redis-server redis-cli redis-benchmark
requests=${REDIS_REQUESTS:-4000}
socket=$work/redis.sock
library=$(basename "$KMALLOC_PRELOAD")

redis()
{
	timeout "$limit" redis-cli -s "$socket" "$@"
}

# start WHERE [VARIABLE=VALUE]: a server in $work/WHERE that loads its dump.rdb
start()
{
	local where=$1 i

	shift
	mkdir -p "$work/$where"
	timeout -k 5 "$limit" env "$@" redis-server --port 0 --unixsocket "$socket" \
		--dir "$work/$where" --save "" --enable-debug-command yes \
		--pidfile "$work/redis.pid" >>"$work/$where.log" 2>&1 </dev/null &
	background=($!)
	for ((i = 0; i < 200; i++)); do
		[ "$(redis ping 2>/dev/null)" = PONG ] && return
		sleep 0.1
	done
	echo "redis-server does not answer:"
	tail -n 20 "$work/$where.log"
} > >(note)

# Ends the server without another save; its exit status is the result.
stop()
{
	local status=0

	redis shutdown nosave >/dev/null 2>&1
	wait "${background[0]}" || status=$?
	background=()
	return $status
}

digest()
{
	redis debug digest
}

load()
{
	redis --pipe <"$work/in/commands" >&2
}

awk 'BEGIN {
	x = 1
	for (i = 0; i < 20000; i++) {
		x = (x * 16807) % 2147483647
		k = x % 3000
		printf "SET string:%d value-%d-%0" 1 + x % 400 "d\r\n", k, i, x
		printf "HSET hash:%d field:%d %d\r\n", k % 50, x % 700, x
		printf "LPUSH list:%d element-%d\r\n", k % 40, x
		printf "ZADD set:%d %d member-%d\r\n", k % 30, x % 10000, i
		printf "APPEND growing:%d piece-%d\r\n", k % 20, x
		if (i % 3 == 0)
			printf "DEL string:%d\r\nRPOP list:%d\r\n", (k * 7) % 3000, k % 40
	}
}' >"$work/in/commands"

start glibc
load
expected=$(digest)
stop
[[ $expected =~ ^[0-9a-f]{40}$ && $expected != "$(printf '%040d' 0)" ]]
ok $? "redis-server without the preload holds a data set"

preloaded_ok "$(command -v redis-server)" --version
start preload "LD_PRELOAD=$KMALLOC_PRELOAD"
grep -q "/${library%.so*}" "/proc/$(cat "$work/redis.pid")/maps"
ok $? "redis-server has the preload library mapped"
load
is "$(digest)" "$expected" "redis-server holds the same data set as without the preload"

redis config set save "" >/dev/null
redis bgsave >/dev/null
LD_PRELOAD=$KMALLOC_PRELOAD timeout -k 5 "$limit" redis-benchmark -s "$socket" -c 50 -q \
	-n "$requests" -r 5000 -d 200 -t set,get,incr,lpush,rpop,sadd,hset,zadd,mset,lrange_300 \
	>"$work/benchmark.out" 2>"$work/benchmark.err" </dev/null
is $? 0 "redis-benchmark with 50 clients ends well"
is "$(tr '\r' '\n' <"$work/benchmark.out" | grep -c 'requests per second')" 11 \
	"redis-benchmark ran every command"
LD_PRELOAD=$KMALLOC_PRELOAD timeout -k 5 "$limit" redis-benchmark -s "$socket" -c 50 -q \
	--threads 2 -P 16 -n "$requests" -r 5000 -d 3000 -t set,get \
	>>"$work/benchmark.out" 2>>"$work/benchmark.err" </dev/null
is $? 0 "redis-benchmark with two threads and pipelines ends well"
silent "redis-benchmark is silent" "$work/benchmark.err"

for ((i = 0; i < 600; i++)); do
	redis info persistence | grep -q '^rdb_bgsave_in_progress:1' || break
	sleep 0.1
done
redis info persistence | grep -q '^rdb_last_bgsave_status:ok'
ok $? "BGSAVE under load succeeds"

before=$(digest)
is "$(redis save)" OK "SAVE succeeds"
stop
is $? 0 "redis-server ends well"
start preload "LD_PRELOAD=$KMALLOC_PRELOAD"
is "$(digest)" "$before" "a restart under the preload finds the same data set"
redis memory purge >/dev/null
redis flushall >/dev/null
is "$(digest)" "$(printf '%040d' 0)" "FLUSHALL leaves an empty data set"
stop
is $? 0 "redis-server ends well again"

mkdir -p "$work/glibc"
cp "$work/preload/dump.rdb" "$work/glibc/"
start glibc
is "$(digest)" "$before" "the dump loads without the preload"
stop
silent "redis-server is silent" "$work/preload.log"
done_testing

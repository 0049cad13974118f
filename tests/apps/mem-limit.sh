#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Programs at the limit of mem=: they get ENOMEM there, say so in their own way,
# and go on where they can; the library reports it once. MEM_LIMITS are the limits.

. "$(dirname "$0")/apps.sh"
need python3 sqlite3
limits=${MEM_LIMITS:-64M}

# reported NAME FILE: one test: one report, with the largest caches, nothing else
reported()
{
	local messages

	messages=$(grep '^kmalloc:' "$2")
	[ "$(grep -c 'out of memory at the limit of mem=' <<<"$messages")" = 1 ] &&
		[ "$(grep -c 'the largest:$' <<<"$messages")" = 1 ] &&
		! grep -qv -e 'out of memory at' -e 'the largest:$' \
			-e '^kmalloc: INFO:   [a-z0-9-]*: [0-9]* KiB ' <<<"$messages"
	ok $? "$1"
	note <<<"$messages"
}

cat >"$work/in/leak.py" <<'END'
caught = 0
for size in 60, 500, 3000, 40000, 300000, 5000000:
    hoard = []
    try:
        while True:
            hoard.append(bytearray(size))
    except MemoryError:
        caught += 1
        if len(hoard) * size < LIMIT / 3:
            print("MemoryError at", len(hoard), "blocks of", size)
        hoard = None
for huge in 1 << 31, 1 << 40, 1 << 62:
    try:
        bytearray(huge)
        print("given:", huge)
    except MemoryError:
        caught += 1
table = {}
try:
    while True:
        table[len(table)] = str(len(table)) * 30
except MemoryError:
    caught += 1
    table = None
text = "x"
try:
    while True:
        text += text
except MemoryError:
    caught += 1
    text = None
print("caught", caught, "and went on:", sum(len(str(i)) for i in range(100000)))
END

cat >"$work/in/leak.sql" <<'END'
create table t(a integer primary key, b text);
with recursive c(x) as (select 1 union all select x + 1 from c where x < 2000)
	insert into t select x, hex(zeroblob(5000)) from c;
select count(*) from t;
select length(group_concat(u.b)) from t as u, (select 1 from t limit 40);
select count(*), sum(length(b)) from t;
select length(zeroblob(900000000) || 'x');
create table u as select a.a, a.b || b.a as c from t as a, t as b;
select count(*), sum(length(b)) from t;
pragma integrity_check;
END

for m in $limits; do
	bytes=$(numfmt --from=iec "$m")
	sed "s/LIMIT/$bytes/" "$work/in/leak.py" >"$work/in/leak-$m.py"
	# its own arenas come from mmap, of which the limit knows nothing
	run_preload env PYTHONMALLOC=malloc KMALLOC_OPTIONS="mem=$m" python3 "$work/in/leak-$m.py"
	is "$preload_status, $(cat "$work/preload.out")" "0, caught 11 and went on: 488890" \
		"mem=$m: python3 catches MemoryError, and goes on"
	reported "mem=$m: python3: one report" "$work/preload.err"

	input=$work/in/leak.sql
	run_preload env KMALLOC_OPTIONS="mem=$m" sqlite3 :memory:
	input=
	is "$(tr '\n' ' ' <"$work/preload.out")" "2000 2000|20000000 2000|20000000 ok " \
		"mem=$m: sqlite3 keeps what it has, and goes on"
	is "$preload_status, $(grep -c -i 'out of memory (7)\|: out of memory$' "$work/preload.err")" \
		"1, 3" "mem=$m: sqlite3 says that it is out of memory"
	reported "mem=$m: sqlite3: one report" "$work/preload.err"
done

command -v redis-server >/dev/null && command -v redis-benchmark >/dev/null || {
	skip 4 "redis is not installed"
	done_testing
	exit
}
socket=$work/redis.sock

redis()
{
	timeout "$limit" redis-cli -s "$socket" "$@"
}

# start WHERE OPTIONS [ARGUMENT...]: a server that reports no crash of its own,
# which would need memory
start()
{
	local where=$1 options=$2 i

	shift 2
	mkdir -p "$work/$where"
	timeout -k 5 "$limit" env "KMALLOC_OPTIONS=$options" "LD_PRELOAD=$KMALLOC_PRELOAD" \
		redis-server --port 0 --unixsocket "$socket" --dir "$work/$where" --save "" \
		--crash-log-enabled no "$@" >"$work/$where.log" 2>&1 </dev/null &
	background=($!)
	for ((i = 0; i < 200; i++)); do
		[ "$(redis ping 2>/dev/null)" = PONG ] && return
		sleep 0.1
	done
}

# Values of 16 KiB and small ones, more of them than the limit holds.
fill()
{
	awk -v n=$((bytes / 10000 + 3000)) 'BEGIN {
		for (value = "v"; length(value) < 10000; )
			value = value value
		for (i = 0; i < n; i++)
			printf "SET large:%d %s\r\nHSET hash:%d field %d\r\n", i, value, i, i
	}' | timeout 60 redis-cli -s "$socket" --pipe >"$work/fill.out" 2>&1
}

for m in $limits; do
	bytes=$(numfmt --from=iec "$m")
	start "oom-$m" "mem=$m"
	fill
	for ((i = 0; i < 50; i++)); do
		kill -0 "${background[0]}" 2>/dev/null || break
		sleep 0.1
	done
	status=0
	{ wait "${background[0]}" || status=$?; } 2>/dev/null
	background=()
	is $status $((128 + 6)) "mem=$m: redis-server aborts at the limit"
	grep -q 'Redis aborting for OUT OF MEMORY' "$work/oom-$m.log"
	ok $? "mem=$m: redis-server says why"
	reported "mem=$m: redis-server: one report" "$work/oom-$m.log"

	start "lru-$m" "mem=$m" --maxmemory $((bytes * 6 / 10)) --maxmemory-policy allkeys-lru
	fill
	is "$(redis ping), $(redis set a b)" "PONG, OK" "mem=$m: with maxmemory redis-server goes on"
	redis shutdown nosave >/dev/null 2>&1
	status=0
	wait "${background[0]}" || status=$?
	background=()
	is $status 0 "mem=$m: with maxmemory redis-server ends well"
	silent "mem=$m: with maxmemory redis-server is silent" "$work/lru-$m.log"
done
done_testing

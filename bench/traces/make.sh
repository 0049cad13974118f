#!/bin/sh
# SPDX-License-Identifier: MIT
# make.sh [NAME...]: record the five traces of real programs again, or those named, in this folder.
#
#	cd build && make bench/libbench-record.la && sh ../bench/traces/make.sh
#
# Inputs are made on the spot, with fixed seeds (but for the keys of redis-benchmark). Programs
# run under glibc's malloc, also redis-server, which is linked with another one. A program of
# another version makes another trace, so the rows of replay/ begin anew with it. To record one
# of your own:
#
#	BENCH_TRACE=my.trace LD_PRELOAD=$PWD/bench/.libs/libbench-record.so PROGRAM...
#	bench/replay my.trace
set -eu

here=$(cd "$(dirname "$0")" && pwd)
recorder=${abs_top_builddir:-$PWD}/bench/.libs/libbench-record.so
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

die()
{
	echo "make.sh: $*" >&2
	exit 1
}

[ -r "$recorder" ] || die "$recorder: no recorder; expected to be run in the build folder"

# record NAME COMMAND...: its output goes to $work/out
record()
{
	name=$1
	shift
	env BENCH_TRACE="$work/$name.trace" LD_PRELOAD="$recorder libc.so.6" "$@" \
		>"$work/out" 2>"$work/err" || die "$name: $(head -n 1 "$work/err")"
	keep "$name"
}

keep()
{
	xz -9e -T1 -c "$work/$1.trace" >"$here/$1.xz.new"
	mv "$here/$1.xz.new" "$here/$1.xz"
	echo "$1: $(wc -c <"$here/$1.xz") bytes"
}

# g++ (cc1plus) compiles a small program that uses the standard library.
make_compiler()
{
	cat >"$work/input.cc" <<-'END'
	#include <string>
	#include <vector>
	template <int N> struct shape {
		std::vector<std::string> parts;
		int area(const std::string &name)
		{
			parts.push_back(name + std::to_string(N));
			return parts.size() + shape<N - 1>().area(name);
		}
	};
	template <> struct shape<0> { int area(const std::string &) { return 0; } };
	int main(int argc, char **argv) { return shape<8>().area(argv[argc - 1]); }
	END
	g++ -E -P -o "$work/input.ii" "$work/input.cc"
	record compiler "$(g++ -print-prog-name=cc1plus)" -fpreprocessed -quiet -O1 -std=c++17 \
		"$work/input.ii" -o "$work/input.s"
}

# CPython with every object from malloc (its own pools are off): text, dictionaries, classes
# and closures, and two threads that hand each other lists.
make_interpreter()
{
	cat >"$work/input.py" <<-'END'
	import collections, json, queue, random, re, threading
	random.seed(1)
	words = ["".join(random.choices("abcdefghij", k=random.randint(2, 9))) for _ in range(1200)]
	text = " ".join(random.choice(words) for _ in range(6000))
	counts = collections.Counter(re.findall(r"\w+", text))
	class Node:
	    def __init__(self, key, value):
	        self.key, self.value, self.left, self.right = key, value, None, None
	def insert(node, key, value):
	    if node is None:
	        return Node(key, value)
	    if key < node.key:
	        node.left = insert(node.left, key, value)
	    else:
	        node.right = insert(node.right, key, value)
	    return node
	tree = None
	for word, count in counts.items():
	    tree = insert(tree, word, [count, word.upper(), (count, float(count))])
	documents = [{"id": i, "tags": random.sample(words, 4), "score": random.random()}
	             for i in range(800)]
	assert json.loads(json.dumps(documents)) == documents
	work, done = queue.Queue(16), queue.Queue()
	def serve():
	    while (job := work.get()) is not None:
	        done.put(sorted(word[::-1] for word in job))
	threads = [threading.Thread(target=serve) for _ in range(2)]
	for thread in threads:
	    thread.start()
	for i in range(0, len(words), 8):
	    work.put([word + str(i) for word in words[i:i + 8]])
	for thread in threads:
	    work.put(None)
	for thread in threads:
	    thread.join()
	table = [[str(a * b) for a in range(60)] for b in range(60)]
	print(sum(len("".join(row)) for row in table), done.qsize(), len(counts))
	END
	record interpreter PYTHONMALLOC=malloc PYTHONHASHSEED=0 /usr/bin/python3 -S \
		"$work/input.py"
}

# sqlite3: inserts, an index, joins, groups, updates, deletes.
make_database()
{
	cat >"$work/input.sql" <<-'END'
	CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c REAL);
	CREATE TABLE u(a INTEGER, d TEXT);
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
		INSERT INTO t SELECT i, printf('%0*d', 5 + i % 40, i * 7919 % 6007), i * 0.5 FROM n;
	INSERT INTO u SELECT a * 3 % 4999, substr(b, 1, 9) || 'x' FROM t;
	CREATE INDEX tb ON t(b);
	SELECT count(*), sum(length(upper(b) || d)) FROM t JOIN u ON t.a = u.a;
	SELECT d, group_concat(b, '-') FROM t JOIN u USING (a) GROUP BY d ORDER BY d LIMIT 9;
	UPDATE t SET b = replace(b, '1', 'one') WHERE a % 3 = 0;
	DELETE FROM u WHERE a % 2;
	SELECT json_group_array(json_object('a', a, 'b', b)) FROM t WHERE a < 6000;
	END
	i=0
	while [ $i -lt 700 ]; do
		i=$((i + 1))
		echo "SELECT t.b, u.d FROM t LEFT JOIN u ON u.a = t.a WHERE t.b >= '$i' AND t.a < $i" \
			"ORDER BY u.d LIMIT 5;"
		echo "INSERT INTO t(b, c) VALUES ('value $i', $i.25);"
	done >>"$work/input.sql"
	record database sqlite3 -batch -init /dev/null "$work/input.db" ".read $work/input.sql"
}

ask()
{
	redis-cli -s "$work/socket" "$@" >/dev/null
}

load()
{
	redis-benchmark -s "$work/socket" -q "$@" >/dev/null
}

# redis-server: strings, hashes, lists and sorted sets; big ones are freed by its thread for that.
make_server()
{
	env BENCH_TRACE="$work/server.trace" LD_PRELOAD="$recorder libc.so.6" \
		redis-server --port 0 --unixsocket "$work/socket" --save '' --appendonly no \
		--hz 1 --dir "$work" >"$work/out" 2>&1 &
	server=$!
	i=0
	until ask ping 2>/dev/null; do
		i=$((i + 1))
		[ $i -lt 100 ] || die "server: redis-server does not answer"
		sleep 0.05
	done
	load -n 4000 -r 3000 -d 100 -c 8 -t set,get
	load -n 4000 -r 300 -c 4 -P 4 hset h:__rand_int__ field:__rand_int__ value
	load -n 3000 -r 2000 -c 4 -t lpush,lpop,sadd,zadd
	i=0
	while [ $i -lt 12 ]; do
		i=$((i + 1))
		ask eval "for i = 1, 300 do redis.call('zadd', KEYS[1], i, 'member' .. i * 97)
			redis.call('hset', KEYS[2], 'f' .. i, string.rep('v', i)) end" 2 z$i g$i
	done
	ask unlink z1 g1 z2 g2 z3 g3 z4 g4
	load -n 3000 -r 3000 -d 400 -c 8 -t set
	ask flushall async
	load -n 2000 -r 1000 -d 40 -c 8 -t set
	redis-cli -s "$work/socket" shutdown nosave >/dev/null 2>&1 || true
	wait "$server" || die "server: redis-server failed"
	server=
	keep server
}

# xmllint parses, indents and writes a document.
make_xml()
{
	awk 'BEGIN {
		srand(1)
		print "<?xml version=\"1.0\"?><catalogue xmlns:k=\"urn:k\">"
		for (i = 0; i < 4000; i++) {
			printf "<book id=\"b%d\" k:rank=\"%d\">", i, rand() * 1000
			printf "<title lang=\"en\">Volume %d of the %dth series</title>", i, i % 97
			for (j = 0; j < 1 + i % 4; j++)
				printf "<author><name>Name%d</name><born>%d</born></author>", \
					rand() * 5000, 1900 + rand() * 99
			printf "<!-- %d --><text>", i
			for (j = 0; j < i % 30; j++)
				printf "word%d ", rand() * 9999
			print "&lt;end&gt;</text></book>"
		}
		print "</catalogue>"
	}' </dev/null >"$work/input.xml"
	record xml xmllint --format --output "$work/output.xml" "$work/input.xml"
}

[ $# -gt 0 ] || set -- compiler interpreter database server xml
for trace; do
	case $trace in
	compiler | interpreter | database | server | xml) "make_$trace" ;;
	*) die "$trace: expected compiler, interpreter, database, server or xml" ;;
	esac
done

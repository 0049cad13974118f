#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# sqlite3 under the preload loads a table, indexes it, and answers queries that
# sort, group, join and search text. SQLITE_ROWS is the size, 100,000 by default.

. "$(dirname "$0")/apps.sh"
need sqlite3
rows=${SQLITE_ROWS:-100000}

awk -v rows="$rows" 'BEGIN {
	x = 1
	for (i = 1; i <= rows; i++) {
		x = (x * 16807) % 2147483647
		printf "%d,%d,name-%d-%s,%.3f\n", i, x % 1000, x % 50021,
			substr("abcdefghijklmnopqrstuvwxyz", 1, 1 + x % 26), x / 1000
	}
}' >"$work/in/rows.csv"

cat >"$work/in/load.sql" <<-END
	.bail on
	PRAGMA journal_mode = wal;
	PRAGMA temp_store = memory;
	CREATE TABLE t(id INTEGER PRIMARY KEY, k INTEGER, name TEXT, v REAL);
	.mode csv
	.import $work/in/rows.csv t
	.mode list
	CREATE INDEX t_k ON t(k, v);
	CREATE INDEX t_name ON t(name);
	SELECT count(*), sum(k), round(sum(v), 3), min(name), max(name) FROM t;
	SELECT k, count(*), round(avg(v), 3), max(name) FROM t GROUP BY k ORDER BY 2 DESC, 1 LIMIT 20;
	SELECT name, v FROM t ORDER BY substr(name, 6), v LIMIT 20;
	SELECT count(*) FROM t a JOIN t b ON a.k = b.k AND b.id = a.id + 1;
	SELECT count(*), sum(length(name)) FROM t WHERE name LIKE '%-7%xyz';
	SELECT length(group_concat(name)) FROM (SELECT name FROM t WHERE k < 300 ORDER BY name);
	UPDATE t SET name = name || '-changed' WHERE k % 7 = 0;
	DELETE FROM t WHERE k % 11 = 0;
	SELECT count(*), sum(length(name)) FROM t;
	PRAGMA wal_checkpoint(truncate);
	VACUUM;
	PRAGMA integrity_check;
	.sha3sum
END

preloaded_ok sqlite3 :memory: 'SELECT 1'
input=$work/in/load.sql
same "sqlite3: load and query of $rows rows answer the same" sqlite3 data.db
input=
is "$(head -n 2 "$work/preload.out" | tail -n 1 | cut -d '|' -f 1)" "$rows" \
	"sqlite3: $rows rows were loaded"
grep -qx ok "$work/preload.out"
ok $? "sqlite3: the database passes its integrity check"
done_testing

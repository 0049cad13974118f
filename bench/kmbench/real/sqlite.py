# SPDX-License-Identifier: MIT
"""sqlite3: a script of single and of bulk statements over a database in memory."""

import random

from .program import Program, at_least, words, write

SCHEMA = """\
PRAGMA temp_store = MEMORY;
CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, city TEXT);
CREATE TABLE sale (id INTEGER PRIMARY KEY, customer INTEGER, day INTEGER, price INTEGER, note TEXT);
CREATE TABLE word (word TEXT PRIMARY KEY, times INTEGER) WITHOUT ROWID;
"""

# {rows} sales by a generator in SQL: the arithmetic is the same everywhere.
QUERIES = """\
WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {rows})
INSERT INTO sale SELECT n, (n * 7919) % {customers} + 1, (n * 104729) % 365,
	(n * 15485863) % 9973, printf('note %d of %x', n % 97, n * 2654435761) FROM number;
CREATE INDEX sale_customer ON sale (customer);
CREATE INDEX sale_note ON sale (note);
SELECT city, count(*), sum(price), max(note) FROM sale JOIN customer ON customer.id = sale.customer
	GROUP BY city ORDER BY city;
SELECT day, count(DISTINCT customer), group_concat(id % 10, '') FROM sale
	WHERE price > 4000 GROUP BY day ORDER BY 2 DESC, 1 LIMIT 20;
UPDATE sale SET note = note || ' ' || upper(substr(note, 1, 12)) WHERE id % 3 = 0;
DELETE FROM sale WHERE day BETWEEN 100 AND 180;
SELECT count(*), sum(length(note)), min(note), max(note) FROM sale;
SELECT name, (SELECT sum(price) FROM sale WHERE customer = customer.id) AS total
	FROM customer ORDER BY total DESC, name LIMIT 25;
SELECT note FROM sale WHERE note LIKE '%a%b%' ORDER BY note DESC, id LIMIT 10;
PRAGMA integrity_check;
"""


class Sqlite(Program):
    name = "real/sqlite"
    programs = ("/usr/bin/sqlite3",)
    packages = ("sqlite3",)
    reads = "script.sql"

    def make_input(self, folder, size):
        source = random.Random(4)
        customers = at_least(20, 4000 * size)
        lines = [SCHEMA, "BEGIN;"]
        cities = words(5, 40)
        names = words(6, customers, 5, 20)
        for number, name in enumerate(names, 1):
            lines.append(f"INSERT INTO customer VALUES ({number}, '{name}', "
                         f"'{source.choice(cities)}');")
        for word in words(7, at_least(50, 10000 * size), 2, 4):
            lines.append(f"INSERT INTO word VALUES ('{word}', 1) "
                         "ON CONFLICT (word) DO UPDATE SET times = times + 1;")
        lines += ["COMMIT;", "SELECT * FROM word ORDER BY times DESC, word LIMIT 10;"]
        lines.append(QUERIES.format(rows=at_least(500, 55000 * size), customers=customers))
        write(folder, self.reads, "\n".join(lines))

    def command(self, folder, size):
        return ["/usr/bin/sqlite3", "-batch", "-init", "/dev/null", ":memory:"]


def jobs():
    return [Sqlite()]

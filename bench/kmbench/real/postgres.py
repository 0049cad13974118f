# SPDX-License-Identifier: MIT
"""PostgreSQL under the allocator; its clients, pgbench and psql, under none.

A data folder is made once a run, under no allocator, and copied for each start of the
server.  Each client does a fixed number of transactions from a fixed seed and then
stays connected, idle, for as long as RSS after a burst is defined by: in that time
the figures of its backends are read, which end with the connection.

peak_rss_kib and rss_after_kib are of the largest backend.  They include the shared
buffers that it touched, 32 MiB at most, which are the same under every allocator;
extra anon_after_kib leaves them out.  Figures of time and the like are sums over the
backends.  In the row "connect", where each transaction has a connection of its own,
CPU time and faults are those of the children that the postmaster has waited for;
they are too short-lived for the rest.

PostgreSQL refuses to run as root: where the suite does, the user postgres is taken.
It must be able to enter the work folder; a library that it cannot read is copied there.
"""

import dataclasses
import glob
import hashlib
import os
import re
import shutil
import signal
import subprocess
import time

from .. import servers
from ..job import Allocator, Job, JobFailed, Row, Sample

SETTINGS = {
    "listen_addresses": "", "shared_buffers": "32MB", "huge_pages": "off", "work_mem": "64MB",
    "fsync": "off", "full_page_writes": "off", "autovacuum": "off", "jit": "off",
    "max_parallel_workers_per_gather": "0", "checkpoint_timeout": "1d", "max_wal_size": "1GB",
    "logging_collector": "off", "log_checkpoints": "off",
}
SCALE = 2                   # of pgbench: 200000 accounts
CLIENTS = 2
# Transactions of each client, at scale 1.
TRANSACTIONS = {"select": 3500, "tpcb": 700, "connect": 80}
QUERY_ROWS = 70000

# The accounts touched are drawn by pgbench, from its seed.  n counts transactions of a client.
DRAW = "\\set aid random(1, 100000 * :scale)\n"
STAY = "\\set n :n + 1\n\\if :n = :last\n\\sleep :idle ms\n\\endif\n"
SELECT = DRAW + "SELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n"
TPCB = DRAW + """\\set bid random(1, :scale)
\\set tid random(1, 10 * :scale)
\\set delta random(-5000, 5000)
BEGIN;
UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :aid;
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
UPDATE pgbench_tellers SET tbalance = tbalance + :delta WHERE tid = :tid;
UPDATE pgbench_branches SET bbalance = bbalance + :delta WHERE bid = :bid;
INSERT INTO pgbench_history (aid, bid, tid, delta, mtime) VALUES (:aid, :bid, :tid, :delta, now());
END;
"""
SCRIPTS = {"select": SELECT + STAY, "tpcb": TPCB + STAY, "connect": SELECT}
BALANCES = ("SELECT (SELECT sum(abalance) FROM pgbench_accounts), "
            "(SELECT sum(tbalance) FROM pgbench_tellers), "
            "(SELECT sum(bbalance) FROM pgbench_branches), "
            "(SELECT sum(delta) FROM pgbench_history), (SELECT count(*) FROM pgbench_history)")

# Aggregation by hash with strings that grow, JSON values built and taken apart, arrays and a sort.
QUERIES = """
SELECT count(*), sum(length(s)), md5(string_agg(md5(s), '' ORDER BY k)) FROM
  (SELECT g * 7919 % 20011 AS k, string_agg(md5(g::text), ',' ORDER BY g) AS s
   FROM generate_series(1, {rows}) g GROUP BY 1) t;
SELECT count(*), md5(string_agg(d::text, '' ORDER BY k)) FROM
  (SELECT g % 5003 AS k,
          jsonb_object_agg('key' || g, jsonb_build_object('a', g, 'b', md5(g::text))) AS d
   FROM generate_series(1, {rows} / 2) g GROUP BY 1) t;
SELECT sum((e.value ->> 'a')::bigint), count(DISTINCT e.key) FROM
  (SELECT jsonb_object_agg('key' || g, jsonb_build_object('a', g)) d
   FROM generate_series(1, {rows} / 4) g GROUP BY g % 997) t, jsonb_each(t.d) e;
SELECT count(*), md5(string_agg(array_to_string(a, '-'), '' ORDER BY k)) FROM
  (SELECT g % 30011 AS k, array_agg(repeat('x', g % 50) || g ORDER BY g DESC) AS a
   FROM generate_series(1, {rows}) g GROUP BY 1) t;
"""


def find_bin():
    """The folder of the newest PostgreSQL's programs; Debian has it off the PATH."""
    found = shutil.which("postgres")
    if found:
        return os.path.dirname(os.path.realpath(found))
    folders = [folder for folder in glob.glob("/usr/lib/postgresql/*/bin")
               if os.access(os.path.join(folder, "postgres"), os.X_OK)]
    return max(folders, key=lambda folder: float(folder.split("/")[-2]), default="")


def program(name):
    return os.path.join(find_bin(), name)


def unprivileged():
    """The user that the server runs as; None: the one that runs the suite."""
    return "postgres" if os.getuid() == 0 else None


class Postgres(servers.Server):
    """A postmaster on a socket in FOLDER, with the data in FOLDER/data."""

    def __init__(self, folder, env, name, ends_by=signal.SIGQUIT):
        self.folder = folder
        command = [program("postgres"), "-D", os.path.join(folder, "data"), "-k", folder]
        for key, value in SETTINGS.items():
            command += ["-c", f"{key}={value}"]
        super().__init__(name, command, env, os.path.join(folder, "log"), self.is_up,
                         unprivileged(), ends_by)

    def is_up(self):
        return subprocess.run([program("pg_isready"), "-q", "-h", self.folder, "-t", "1"],
                              env=servers.without_allocator(), check=False).returncode == 0

    def check_alive(self):
        """A backend that crashes is only in the log: the postmaster lives on."""
        super().check_alive()
        with open(self.log, encoding="utf-8", errors="replace") as log:
            for line in log:
                if "was terminated by signal" in line:
                    raise JobFailed(f"{self.name}: {line.strip()}")

    def connection(self):
        return ["-h", self.folder, "-U", "postgres"]

    def psql(self, text):
        return servers.client(self, [program("psql"), *self.connection(), "-qAtX", "-v",
                                     "ON_ERROR_STOP=1", "-d", "postgres"], text)

    def pgbench(self, *options):
        return servers.client(self, [program("pgbench"), *self.connection(), *options, "postgres"])


class Backends:
    """What the backends of a server used while the block ran.  The last look at each is taken
    when it idles before the end of its connection."""

    def __init__(self, server):
        self.server = server
        self.seen = {}                  # pid -> (when, figures, numbers of status, mappings)
        self.sampler = servers.Sampler(self.look, 0.03)

    def look(self):
        """Look at all of them; resident KiB of the largest."""
        largest = 0
        for pid in servers.children(self.server.pid):
            if "[local]" not in servers.read_proc(pid, "cmdline"):
                continue                # no backend: they name their client in their title
            numbers = servers.status(pid)
            figures, before = servers.figures(pid), self.seen.get(pid)
            # Counting mappings would hold a backend up that works: at first, and while it idles.
            works = before and before[1].cpu != figures.cpu
            mappings = before[3] if works else servers.mappings(pid)
            seen = time.monotonic(), figures, numbers, mappings
            if "VmHWM" in servers.status(pid):      # not gone in between
                self.seen[pid] = seen
                largest = max(largest, numbers["VmRSS"])
        return largest

    def __enter__(self):
        self.sampler.__enter__()
        return self

    def __exit__(self, *unused):
        self.sampler.__exit__()

    def sample(self, seconds, count):
        """Of the COUNT backends that were seen last: pgbench and psql have others for a moment
        before, which ask what tables there are."""
        if len(self.seen) < count:
            raise JobFailed(f"{self.server.name}: {len(self.seen)} backends were seen, "
                            f"not {count}")
        last = sorted(self.seen.values(), key=lambda seen: seen[0])[-count:]
        used = sum((figures for _, figures, _, _ in last), servers.Figures())
        _, _, numbers, mappings = max(last, key=lambda seen: seen[2]["VmHWM"])
        return Sample(time=seconds, cpu=used.cpu, peak_rss_kib=numbers["VmHWM"],
                      rss_after_kib=numbers["VmRSS"], minor_faults=used.minor_faults,
                      major_faults=used.major_faults, voluntary_switches=used.voluntary_switches,
                      involuntary_switches=used.involuntary_switches, mappings=mappings,
                      extra={"anon_after_kib": numbers.get("RssAnon", 0)},
                      series=[point for point in self.sampler.series if point[1]])


def waited(server):
    """CPU seconds, minor and major faults of the children that the postmaster waited for."""
    fields = servers.stat_fields(server.pid)
    ticks = os.sysconf("SC_CLK_TCK")
    return (int(fields[13]) + int(fields[14])) / ticks, int(fields[8]), int(fields[10])


class Database(Job):
    """All rows in one life of the server."""
    name = "real/postgres"
    rows = tuple(Row(f"real/postgres/{what}", "real", "postgres")
                 for what in ("select", "tpcb", "connect", "query"))
    quick = False
    seconds = 7.0
    packages = ("postgresql",)

    @property
    def programs(self):
        """Looked for when asked, as they may have been installed since."""
        return tuple(map(program, ("postgres", "initdb", "pgbench", "psql", "pg_isready")))

    def __init__(self):
        self.first = {}         # [scale, what] -> answer under glibc

    def prepare(self, context):
        """The data folder, with the tables of pgbench; and its scripts."""
        for what, script in SCRIPTS.items():
            with open(self.script(context, what), "w", encoding="ascii") as file:
                file.write(script)
        folder = self.folder(context, "postgres-template")
        data = os.path.join(folder, "data")
        made = subprocess.run([program("initdb"), "-D", data, "-U", "postgres", "-A", "trust",
                               "-N", "--no-locale", "-E", "UTF8", "--wal-segsize=1"],
                              env=servers.without_allocator(), stdin=subprocess.DEVNULL, cwd="/",
                              capture_output=True, text=True, check=False,
                              **servers.identity(unprivileged()))
        if made.returncode:
            said = made.stderr.strip().splitlines() or ["it said nothing"]
            raise JobFailed(f"initdb ended with status {made.returncode}: {said[-1]}")
        # SIGINT: a fast shutdown, with all on disk
        with Postgres(folder, servers.without_allocator(), "postgres", signal.SIGINT) as server:
            server.pgbench("-i", "-q", "-s", str(SCALE))
        left = os.path.join(data, "postmaster.pid")
        if os.path.exists(left):
            raise JobFailed(f"postgres did not shut down: {left} is there")
        self.run(context, Allocator("glibc"))       # what the answers must be, under all others

    @staticmethod
    def script(context, what):
        return os.path.join(context.work, f"postgres-{what}.sql")

    @staticmethod
    def folder(context, name):
        """A folder that the server's user owns and reaches."""
        path = servers.fresh_folder(context, name)
        user = unprivileged()
        if user:
            try:
                shutil.chown(path, user, user)
            except LookupError as error:
                raise JobFailed("postgres refuses to run as root and there is no user postgres") \
                    from error
            os.chmod(context.work, os.stat(context.work).st_mode | 0o011)
            reach = subprocess.run(["test", "-w", path], check=False, **servers.identity(user))
            if reach.returncode:
                raise JobFailed(f"the user {user} cannot enter the work folder {context.work}")
        return path

    @staticmethod
    def readable(context, allocator):
        """ALLOCATOR, with a copy of its library where the server's user cannot read it."""
        user = unprivileged()
        if not user or not allocator.path or not os.path.exists(allocator.path):
            return allocator
        if not subprocess.run(["test", "-r", allocator.path], check=False,
                              **servers.identity(user)).returncode:
            return allocator
        folder = os.path.join(context.work, f"postgres-library-{allocator.name}")
        os.makedirs(folder, mode=0o755, exist_ok=True)
        path = os.path.join(folder, os.path.basename(allocator.path))
        shutil.copyfile(allocator.path, path)
        os.chmod(path, 0o755)
        return dataclasses.replace(allocator, path=path)

    def run(self, context, allocator):
        allocator = self.readable(context, allocator)
        env = servers.environment(program("postgres"), allocator, unprivileged())
        folder = self.folder(context, "postgres")
        template = os.path.join(context.work, "postgres-template", "data")
        copied = subprocess.run(["cp", "-a", template, folder], env=servers.without_allocator(),
                                capture_output=True, text=True, check=False)
        if copied.returncode:
            raise JobFailed(f"cannot copy the data folder: {copied.stderr.strip()[:200]}")
        with Postgres(folder, env, f"postgres under {allocator.name}") as server:
            result = {"select": self.pgbench(context, server, "select"),
                      "tpcb": self.pgbench(context, server, "tpcb"),
                      "connect": self.connect(context, server),
                      "query": self.query(context, server)}
        shutil.rmtree(folder, ignore_errors=True)
        return {f"real/postgres/{what}": sample for what, sample in result.items()}

    @staticmethod
    def transactions(context, what):
        return max(int(TRANSACTIONS[what] * context.scale), 5)

    @staticmethod
    def idle(context):
        """Seconds; long enough that every backend is looked at."""
        return max(servers.idle_seconds(context), 0.2)

    def transact(self, context, server, what, clients, *options):
        """pgbench, and whether it did what it should; the seconds it took."""
        number = self.transactions(context, what)
        start = time.perf_counter()
        said = server.pgbench("-n", "-c", str(clients), "-j", "1", "-t", str(number),
                              "-s", str(SCALE), "--random-seed=42",
                              "-f", self.script(context, what), *options)
        seconds = time.perf_counter() - start
        server.check_alive()
        total = clients * number
        if f"actually processed: {total}/{total}" not in said:
            raise JobFailed(f"{server.name}: pgbench did not process {total} transactions of "
                            f"{what}")
        return seconds

    def pgbench(self, context, server, what):
        idle = self.idle(context)
        before = server.psql(BALANCES)
        with Backends(server) as backends:
            seconds = self.transact(context, server, what, CLIENTS, "-D", "n=0",
                                    "-D", f"last={self.transactions(context, what)}",
                                    "-D", f"idle={round(idle * 1000)}")
        after = server.psql(BALANCES)
        self.check(context, server, what, after)
        if what == "tpcb":
            done = CLIENTS * self.transactions(context, what)
            *sums, count = after.strip().split("|")
            if len(set(sums)) != 1 or int(count) != done:
                raise JobFailed(f"{server.name}: the balances are wrong after {done} transactions:"
                                f" {after.strip()}")
        elif after != before:
            raise JobFailed(f"{server.name}: SELECT changed the balances to {after.strip()}")
        return backends.sample(seconds - idle, CLIENTS)

    def connect(self, context, server):
        cpu, minor, major = waited(server)
        others = servers.children(server.pid)
        seconds = self.transact(context, server, "connect", 1, "-C")
        deadline = time.monotonic() + 1.0
        while set(servers.children(server.pid)) - set(others) and time.monotonic() < deadline:
            time.sleep(0.005)               # the last one is to be waited for
        now = waited(server)
        return Sample(time=seconds, cpu=now[0] - cpu, minor_faults=now[1] - minor,
                      major_faults=now[2] - major)

    def query(self, context, server):
        idle = self.idle(context)
        rows = max(int(QUERY_ROWS * context.scale), 1000)
        with Backends(server) as backends:
            start = time.perf_counter()
            answer = server.psql(QUERIES.format(rows=rows) + f"\\! sleep {idle}\n")
            seconds = time.perf_counter() - start - idle
        server.check_alive()
        if len(answer.split()) != QUERIES.count(";"):
            raise JobFailed(f"{server.name}: the queries were answered {answer[:100]!r}")
        self.check(context, server, "query", answer)
        return backends.sample(seconds, 1)

    def check(self, context, server, what, answer):
        """The same under every allocator."""
        digest = hashlib.sha256(answer.encode()).hexdigest()
        if digest != self.first.setdefault((context.scale, what), digest):
            raise JobFailed(f"{server.name}: the result of {what} is not that under glibc: "
                            f"{re.sub(chr(10), ' ', answer.strip())[:100]}")


def jobs():
    return [Database()]

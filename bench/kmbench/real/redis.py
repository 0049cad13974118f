# SPDX-License-Identifier: MIT
"""redis-server under the allocator; its clients, redis-benchmark and redis-cli, under none.

The work is the same under every allocator and in every run.  redis-benchmark of
redis 7.0 draws the keys of -r by random() seeded with time and process number, and
has no option for the seed.  So its random keys only ever overwrite or read a set of
keys that is all there before, with the value that is there before: which key a
request meets then varies, what there is afterwards does not.  What inserts (sadd,
hset, zadd, all of the fragmentation job) is fed to redis-cli --pipe from files that
are made with a fixed seed.  After each phase the number of calls that the server
counted, of keys or elements, and DEBUG DIGEST of the whole data are checked; the
digest has to be that of the first run.

Settings are those of redis-server without a configuration file, but for: no snapshot,
no append-only file, a Unix socket alone, DEBUG allowed.  Debian's redis-server is linked
with libjemalloc.so.2 by the usual names, which preloading overrides; its own calls of
mallctl and nallocx reach jemalloc's idle library nevertheless (nallocx tcmalloc's
own).  They ask for figures and whether a string is worth shrinking, or turn on
jemalloc's purging thread, which has something to do under jemalloc alone; they
allocate nothing for redis.  environment() of servers.py enforces who serves the rest.
redis-server turns transparent huge pages off for itself.
"""

import dataclasses
import os
import random
import re
import signal
import socket
import time

from .. import servers
from ..job import Allocator, Job, JobFailed, Row, Sample

PROGRAMS = ("redis-server", "redis-benchmark", "redis-cli")
PACKAGES = ("redis-server", "redis-tools")

# All keys that redis-benchmark -r can name, with the value that it writes: it has put one under
# the key that it uses without -r.
POPULATE = ("local v = redis.call('GET', 'key:__rand_int__') redis.call('FLUSHALL') "
            "for i = 0, ARGV[1] - 1 do redis.call('SET', string.format('key:%012d', i), v) end "
            "return redis.call('DBSIZE')")


@dataclasses.dataclass(frozen=True)
class Phase:
    """One row: N commands that are timed.  KEYS is how many keys there are afterwards."""
    what: str               # the rest of the row's name
    requests: int           # before scaled()
    command: tuple          # of redis-benchmark
    counted: str = ""       # the command as the server counts it
    size: int = 64          # bytes of a value
    pipeline: int = 1
    keys: int = 0           # populate as many before; 0: begin with nothing
    kept: bool = False      # begin with what the phase before left
    quick: bool = False     # is it part of bench-quick?
    count: tuple = ()       # a command whose answer is the number of elements
    left: int = None        # that number; None: as many as requests
    piped: str = ""         # redis-cli --pipe sends this file, not redis-benchmark


def strings(command, size, requests, keys, **more):
    what = f"{command}/{size}" + ("/pipelined" if "pipeline" in more else "")
    return Phase(what, requests, ("-t", command), command, size, keys=keys, **more)


PHASES = (
    # bench does 0.6 of it, bench-quick a fifth.
    strings("set", 64, 40000, 20000, quick=True),
    strings("get", 64, 40000, 20000, kept=True, quick=True),
    strings("set", 64, 160000, 20000, kept=True, pipeline=16),
    strings("get", 64, 160000, 20000, kept=True, pipeline=16),
    strings("set", 1024, 40000, 10000),
    strings("get", 1024, 40000, 10000, kept=True),
    strings("set", 16384, 20000, 1000),
    strings("get", 16384, 20000, 1000, kept=True),
    Phase("mset/64", 16000, ("-t", "mset"), "mset", keys=20000),
    Phase("lpush/64", 40000, ("-t", "lpush"), "lpush", count=("LLEN", "mylist"), quick=True),
    Phase("lrange/100", 10000, ("lrange", "mylist", "0", "99"), "lrange", kept=True,
          count=("LLEN", "mylist"), left=40000),
    Phase("lpop/64", 40000, ("-t", "lpop"), "lpop", kept=True, count=("LLEN", "mylist"), left=0),
    Phase("sadd", 100000, (), "sadd", count=("SCARD", "set"), piped="sadd"),
    Phase("hset", 100000, (), "hset", count=("HLEN", "hash"), piped="hset", quick=True),
    Phase("zadd", 100000, (), "zadd", count=("ZCARD", "zset"), piped="zadd"),
)
LIFE = "real/redis/life"


def scaled(context, number, multiple=16):
    """Fewer requests where there is less time; a multiple, so that pipelines end even."""
    share = context.scale * (0.2 if context.quick else 0.6)
    return max(int(number * share) // multiple, 2) * multiple


def encoded(*words):
    """A command as the protocol of redis has it."""
    words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word)
                                              for word in words)


class Redis(servers.Server):
    """A redis-server on a socket in its folder."""

    def __init__(self, context, allocator):
        folder = servers.fresh_folder(context, "redis")
        self.socket = os.path.join(folder, "socket")
        program = "redis-server"
        command = [program, "--port", "0", "--unixsocket", self.socket, "--dir", folder,
                   "--save", "", "--appendonly", "no", "--enable-debug-command", "yes",
                   "--daemonize", "no"]
        super().__init__(f"redis-server under {allocator.name}", command,
                         servers.environment(program, allocator),
                         os.path.join(folder, "log"), self.is_up,
                         ends_by=signal.SIGKILL)    # it has nothing to save
        self.connection = self.answers_of = None

    def is_up(self):
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1.0)
                connection.connect(self.socket)
                connection.sendall(b"PING\r\n")
                return connection.recv(16) == b"+PONG\r\n"
        except OSError:
            return False

    def ask(self, *words):
        """The answer to one command: text or a number."""
        try:
            if self.answers_of is None:
                self.connection = socket.socket(socket.AF_UNIX)
                self.connection.settimeout(servers.CLIENT_LIMIT)
                self.connection.connect(self.socket)
                self.answers_of = self.connection.makefile("rb")
            self.connection.sendall(encoded(*words))
            line = self.answers_of.readline()
            if line[:1] == b"$":
                line = b"+" + self.answers_of.read(int(line[1:]) + 2)
        except (OSError, ValueError) as error:
            self.check_alive()
            raise JobFailed(f"{self.name}: {words[0]} was not answered: {error}") from error
        if line[:1] not in (b"+", b":"):
            self.check_alive()
            raise JobFailed(f"{self.name}: {words[0]} was answered {line[:100]!r}")
        text = line[1:].decode(errors="replace").rstrip("\r\n")
        return int(text) if line[:1] == b":" else text

    def stop(self):
        if self.answers_of is not None:
            self.answers_of.close()
            self.connection.close()
        super().stop()

    def info(self, section):
        """Fields of INFO."""
        return dict(re.findall(r"^([^#:\r\n]+):(.*?)\r?$", self.ask("INFO", section), re.M))

    def pipe(self, path, commands):
        """Send the file of COMMANDS commands."""
        said = servers.client(self, ["redis-cli", "-s", self.socket, "--pipe"], file=path)
        if f"errors: 0, replies: {commands}" not in said:
            raise JobFailed(f"{self.name}: {os.path.basename(path)} was answered: "
                            f"{said.splitlines()[-1:]}, not by {commands} replies")

    def benchmark(self, requests, size, pipeline, keys, command):
        random_keys = ["-r", str(keys)] if keys else []
        servers.client(self, ["redis-benchmark", "-s", self.socket, "-n", str(requests),
                              "-d", str(size), "-P", str(pipeline), "-q", *random_keys, *command])


class RedisJob(Job):
    """What both jobs have in common."""
    programs = PROGRAMS
    packages = PACKAGES

    def __init__(self):
        self.first = {}         # what there is under glibc: [work, phase] -> digest

    def check_digest(self, context, server, what):
        digest = server.ask("DEBUG", "DIGEST")
        expected = self.first.setdefault((context.quick, context.scale, what), digest)
        if digest != expected:
            raise JobFailed(f"{server.name}: the data after {what} is not that under glibc "
                            f"(DEBUG DIGEST {digest}, expected {expected})")

    def path(self, context, name):
        return os.path.join(context.work, f"redis-{name}.resp")


class Commands(RedisJob):
    """Commands of several kinds and sizes, one row each, in one life of the server."""
    name = "real/redis"
    rows = (tuple(Row(f"real/redis/{phase.what}", "real", "redis") for phase in PHASES)
            + (Row(LIFE, "real", "redis", "memory"),))
    seconds = 6.0

    def prepare(self, context):
        """Files of the commands that insert."""
        draw = random.Random(42)
        makers = {"sadd": lambda i: encoded("SADD", "set", f"element:{i:012d}"),
                  "hset": lambda i: encoded("HSET", "hash", f"field:{i:012d}",
                                            b"v" * draw.randrange(8, 200)),
                  "zadd": lambda i: encoded("ZADD", "zset", i % 100003, f"element:{i:012d}")}
        for phase in PHASES:
            if phase.piped:
                make = makers[phase.piped]
                names = draw.sample(range(10**9), scaled(context, phase.requests))
                with open(self.path(context, phase.piped), "wb") as file:
                    file.writelines(make(i) for i in names)
        self.run(context, Allocator("glibc"))       # what the data must be, under all others

    def run(self, context, allocator):
        result = {}
        with Redis(context, allocator) as server:
            start = servers.figures(server.pid)
            read = lambda: servers.status(server.pid).get("VmRSS", 0)
            with servers.Sampler(read) as sampler:
                for phase in PHASES:
                    if context.quick and not phase.quick:
                        continue
                    result[f"real/redis/{phase.what}"] = self.measure(context, server, phase)
                server.ask("FLUSHALL")
                servers.settle(context)
            peaks = ([rss for _, rss in sampler.series]
                     + [sample.peak_rss_kib or 0 for sample in result.values()])
            result[LIFE] = self.life(server, start, sampler.series, max(peaks))
        return result

    def measure(self, context, server, phase):
        """Bring the data into the state that PHASE begins with; time it; check the result."""
        requests = scaled(context, phase.requests)
        keys = scaled(context, phase.keys) if phase.keys else 0
        if not phase.kept:
            self.begin(server, phase, keys)
        server.ask("CONFIG", "RESETSTAT")
        with servers.phase(server) as sample:
            if phase.piped:
                server.pipe(self.path(context, phase.piped), requests)
            else:
                server.benchmark(requests, phase.size, phase.pipeline, keys, phase.command)
        self.check(context, server, phase, requests, keys)
        return sample

    @staticmethod
    def begin(server, phase, keys):
        server.ask("FLUSHALL")
        if keys:
            server.benchmark(1, phase.size, 1, 0, ("-c", "1", "-t", "set"))
            made = server.ask("EVAL", POPULATE, 0, keys)
            if made != keys:
                raise JobFailed(f"{server.name}: {made} keys were made, not {keys}")

    def check(self, context, server, phase, requests, keys):
        what = phase.what
        calls = re.match(r"calls=(\d+),.*rejected_calls=0,failed_calls=0",
                         server.info("commandstats").get(f"cmdstat_{phase.counted}", ""))
        if not calls or int(calls[1]) != requests:
            raise JobFailed(f"{server.name}: of {what} {calls and calls[1]} calls succeeded, "
                            f"not {requests}")
        expected = keys
        if phase.count:
            expected = requests
        if phase.left is not None:
            expected = scaled(context, phase.left) if phase.left else 0
        found = server.ask(*(phase.count or ("DBSIZE",)))
        if found != expected:
            raise JobFailed(f"{server.name}: there are {found} after {what}, not {expected}")
        self.check_digest(context, server, what)

    @staticmethod
    def life(server, start, series, peak):
        """The whole life: what is left when all keys are deleted, and RSS on the way there."""
        used = servers.figures(server.pid) - start
        return Sample(cpu=used.cpu, peak_rss_kib=peak,
                      rss_after_kib=servers.status(server.pid).get("VmRSS"),
                      minor_faults=used.minor_faults, major_faults=used.major_faults,
                      voluntary_switches=used.voluntary_switches,
                      involuntary_switches=used.involuntary_switches,
                      mappings=servers.mappings(server.pid), series=series)


class Fragmentation(RedisJob):
    """Fill with values of about one size, delete nine keys of ten at random, fill again with
    values of other sizes up to the same number of bytes."""
    name = "real/redis/fragmentation"
    quick = False
    rows = (Row(name, "real", "redis", "memory"),)
    seconds = 4.0
    KEYS = 120000
    FIRST = (160, 240)      # bytes of a value: a range; no size class of any allocator in mind
    SECOND = (300, 700)

    def counts(self, context):
        """Keys filled, deleted, and filled again: as many bytes as were deleted."""
        keys = max(int(self.KEYS * context.scale * (0.4 if context.quick else 1.0)), 500)
        gone = keys * 9 // 10
        return keys, gone, gone * sum(self.FIRST) // sum(self.SECOND)

    def prepare(self, context):
        draw = random.Random(42)
        keys, gone, again = self.counts(context)
        value = lambda sizes: b"v" * draw.randrange(*sizes)
        self.write(context, "fill", (encoded("SET", f"first:{i:08d}", value(self.FIRST))
                                     for i in range(keys)))
        self.write(context, "delete", (encoded("DEL", f"first:{i:08d}")
                                       for i in draw.sample(range(keys), gone)))
        self.write(context, "refill", (encoded("SET", f"second:{i:08d}", value(self.SECOND))
                                       for i in range(again)))
        self.run(context, Allocator("glibc"))       # what the data must be, under all others

    def write(self, context, name, commands):
        with open(self.path(context, name), "wb") as file:
            file.writelines(commands)

    def run(self, context, allocator):
        keys, gone, again = self.counts(context)
        extra, idle = {}, 0.0
        with Redis(context, allocator) as server:
            read = lambda: servers.status(server.pid).get("VmRSS", 0)
            with servers.Sampler(read) as sampler, servers.phase(server) as sample:
                for name, commands, left in (("fill", keys, keys), ("delete", gone, keys - gone),
                                             ("refill", again, keys - gone + again)):
                    server.pipe(self.path(context, name), commands)
                    idle += self.rest(context, server, name, extra)
                    if server.ask("DBSIZE") != left:
                        raise JobFailed(f"{server.name}: there are not {left} keys after {name}")
            self.check_digest(context, server, "refill")
            sample.time -= idle
            sample.rss_after_kib = extra["rss_after_refill_kib"]
            sample.series = sampler.series
            sample.extra = extra
        return {self.name: sample}

    @staticmethod
    def rest(context, server, name, extra):
        """Idle; note what is resident then beside what redis holds.  The seconds it took.

        used_memory counts blocks by malloc_usable_size, so the ratio leaves out what the
        allocator loses inside of blocks; RSS alone is comparable between allocators."""
        start = time.perf_counter()
        servers.settle(context)
        memory = server.info("memory")
        try:
            extra[f"used_after_{name}_kib"] = int(memory["used_memory"]) / 1024
            extra[f"mem_fragmentation_ratio_{name}"] = float(memory["mem_fragmentation_ratio"])
        except (KeyError, ValueError) as error:
            raise JobFailed(f"{server.name}: INFO memory lacks {error}") from error
        extra[f"rss_after_{name}_kib"] = servers.status(server.pid).get("VmRSS")
        return time.perf_counter() - start


def jobs():
    return [Commands(), Fragmentation()]

# SPDX-License-Identifier: MIT
"""Servers under an allocator: start one, wait until it answers, read what /proc says of it,
end it.  The clients that load it never run under the allocator.

Which library serves malloc is not taken on trust: a program may be linked with an
allocator of its own (redis-server of Debian is, with jemalloc), so that "nothing
preloaded" is not glibc.  environment() therefore preloads libc itself where the
allocator is glibc, and asks the dynamic linker, by LD_DEBUG=bindings, what malloc
and its kin are bound to in that very program and environment.
"""

import contextlib
import ctypes
import dataclasses
import functools
import os
import re
import shutil
import signal
import subprocess
import threading
import time

from .job import Allocator, JobFailed, Sample, preloading

START_LIMIT = 10.0          # seconds that a server may take until it answers
STOP_LIMIT = 5.0            # seconds that it may take to end when asked to
CLIENT_LIMIT = 120.0        # seconds that a client may take
SERVED = ("malloc", "free", "calloc", "realloc", "malloc_usable_size")
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def without_allocator():
    """The environment of clients and of what prepares inputs."""
    return Allocator("none").environment()


# Who serves malloc ---------------------------------------------------------

@functools.lru_cache(maxsize=None)
def libc_path():
    """The libc that this process, and so its children, runs on."""
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        for line in maps:
            path = line.rstrip("\n").split(None, 5)[-1]
            if re.match(r"libc[.-]", os.path.basename(path)):
                return path
    raise JobFailed("no libc is mapped into python3: cannot tell what serves malloc")


@functools.lru_cache(maxsize=None)
def bindings(program, environment, user):
    """symbol -> library that it is bound to in PROGRAM, as the dynamic linker reports it."""
    wanted = dict(environment, LD_DEBUG="bindings", LD_BIND_NOW="1")
    try:
        probe = subprocess.run([program, "--version"], env=wanted, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                               errors="replace", timeout=START_LIMIT, check=False,
                               **identity(user))
    except subprocess.TimeoutExpired as error:
        raise JobFailed(f"{program} --version did not end in {START_LIMIT:.0f} s") from error
    result = {}
    name = re.escape(os.path.basename(program))
    line = re.compile(rf"binding file \S*\b{name} \[0\] to (.+) \[0\]: normal symbol `(\w+)'")
    for target, symbol in line.findall(probe.stderr):
        result.setdefault(symbol, target)
    if probe.returncode:
        last = (probe.stderr.splitlines() or [""])[-1]
        raise JobFailed(f"{program} --version ended with {probe.returncode}: {last}")
    return result


def environment(program, allocator, user=None):
    """What PROGRAM is to be started with under ALLOCATOR; JobFailed if another serves it."""
    library = allocator.path or libc_path()
    result = preloading(library, allocator.environment())
    found = bindings(program, Frozen(result), user)
    name = os.path.basename(program)
    if "malloc" not in found:
        raise JobFailed(f"{name}: cannot tell what its malloc is bound to under {allocator.name}")
    for symbol in SERVED:
        target = found.get(symbol)
        if target and os.path.realpath(target) != os.path.realpath(library):
            raise JobFailed(f"{name}: {symbol} is served by {target}, not by {allocator.name} "
                            f"({library})")
    return result


class Frozen(dict):
    """An environment that can be the key of a cache."""

    def __hash__(self):
        return hash(frozenset(self.items()))


def identity(user):
    """Options of subprocess that run it as USER; none where USER is None."""
    return {"user": user, "group": user, "extra_groups": []} if user else {}


# What /proc says -----------------------------------------------------------

@dataclasses.dataclass
class Figures:
    """Of a process, or the sum of several; only differences of two are of use."""
    cpu: float = 0.0
    minor_faults: int = 0
    major_faults: int = 0
    voluntary_switches: int = 0
    involuntary_switches: int = 0

    def __add__(self, other):
        return Figures(*(a + b for a, b in zip(dataclasses.astuple(self),
                                               dataclasses.astuple(other))))

    def __sub__(self, other):
        return Figures(*(a - b for a, b in zip(dataclasses.astuple(self),
                                               dataclasses.astuple(other))))


def read_proc(pid, name):
    """Text of /proc/PID/NAME; empty where the process is gone."""
    try:
        with open(f"/proc/{pid}/{name}", encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def stat_fields(pid):
    """Fields of /proc/PID/stat from the third ("state") on; empty where it is gone."""
    return read_proc(pid, "stat").rpartition(") ")[2].split()


def status(pid):
    """Numbers of /proc/PID/status: VmHWM, VmRSS, RssAnon, ... in KiB."""
    return {key: int(value) for key, value
            in re.findall(r"^(\w+):\s+(\d+)(?: kB)?$", read_proc(pid, "status"), re.M)}


def figures(pid):
    """Figures of process PID with all of its threads.

    CPU time is from schedstat, in nanoseconds: stat counts in 10 ms.  It and the
    switches leave out threads that have ended, of which these servers have none.
    """
    fields = stat_fields(pid)
    if not fields:
        return Figures()
    result = Figures(0.0, int(fields[7]), int(fields[9]))
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            on_cpu = read_proc(f"{pid}/task/{task}", "schedstat").split()
            result.cpu += int(on_cpu[0]) / 1e9 if on_cpu else 0.0
            numbers = status(f"{pid}/task/{task}")
            result.voluntary_switches += numbers.get("voluntary_ctxt_switches", 0)
            result.involuntary_switches += numbers.get("nonvoluntary_ctxt_switches", 0)
    if not result.cpu:
        result.cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return result


def mappings(pid):
    """How many mappings process PID has."""
    return read_proc(pid, "maps").count("\n")


def reset_peak(pid):
    """Let VmHWM of process PID begin anew; False where the kernel refuses."""
    try:
        with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
        return True
    except OSError:
        return False


def children(pid):
    """The child processes of PID, where they themselves have none that matter."""
    if os.path.exists(f"/proc/{os.getpid()}/task/{os.getpid()}/children"):
        return [int(child) for child in read_proc(f"{pid}/task/{pid}", "children").split()]
    return [int(entry) for entry in os.listdir("/proc")
            if entry.isdigit() and stat_fields(entry)[1:2] == [str(pid)]]


class Sampler:
    """Calls READ each INTERVAL seconds in a thread of its own while the block runs, and once at
    its end; series has [seconds, what READ returned]."""

    def __init__(self, read, interval=0.05):
        self.read, self.interval = read, interval
        self.series = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.loop, daemon=True)

    def loop(self):
        start, last = time.monotonic(), False
        while True:
            self.series.append([round(time.monotonic() - start, 3), self.read()])
            if last:
                return
            last = self.ended.wait(self.interval)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.ended.set()
        self.thread.join()


# Servers -------------------------------------------------------------------

def die_with_parent():
    """Between fork and exec of a child: it is killed when the thread that started it ends, as
    when python3 is killed itself.  Jobs are to be run in a thread that outlives them."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Server:
    """A server process, in a session of its own; use it by `with`, which ends it and all of
    its children whatever happens."""

    def __init__(self, name, command, env, log, answers, user=None, ends_by=signal.SIGTERM):
        self.name, self.command, self.env = name, command, env
        self.log = log              # path of the file that takes stdout and stderr
        self.answers = answers      # callable: is it up?
        self.user = user
        self.ends_by = ends_by
        self.process = None

    @property
    def pid(self):
        return self.process.pid

    def __enter__(self):
        try:
            with open(self.log, "wb") as log:
                self.process = subprocess.Popen(
                    self.command, env=self.env, stdin=subprocess.DEVNULL, stdout=log,
                    stderr=subprocess.STDOUT, start_new_session=True,
                    preexec_fn=die_with_parent, **identity(self.user))
            self.wait_until_up()
            self.check_mapped()
        except OSError as error:
            self.stop()
            raise JobFailed(f"{self.name} cannot be started: {error}") from error
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *unused):
        self.stop()

    def wait_until_up(self):
        deadline = time.monotonic() + START_LIMIT
        while not self.answers():
            self.check_alive()
            if time.monotonic() > deadline:
                raise JobFailed(f"{self.name} did not answer within {START_LIMIT:g} s: "
                                f"{self.last_words()}")
            time.sleep(0.005)

    def check_mapped(self):
        """The probe of environment() was another process: is the library in this one, too?"""
        library = self.env.get("LD_PRELOAD")
        if library and os.path.realpath(library) not in read_proc(self.pid, "maps"):
            raise JobFailed(f"{self.name} runs without {library}")

    def check_alive(self):
        code = self.process.poll()
        if code is not None:
            how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
            raise JobFailed(f"{self.name} {how}: {self.last_words()}")

    def last_words(self):
        """The last line of its log that says something."""
        try:
            with open(self.log, encoding="utf-8", errors="replace") as log:
                lines = [line.strip() for line in log if line.strip()]
        except OSError:
            lines = []
        return lines[-1] if lines else "it said nothing"

    def stop(self):
        if self.process is None:
            return
        family = children(self.pid)
        try:
            if self.process.poll() is None:
                self.process.send_signal(self.ends_by)
                self.process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            pass
        finally:
            for pid in family:
                kill_child(pid, os.path.basename(self.command[0]))
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()


def kill_child(pid, name):
    """Kill PID if it is still the program NAME (its number may be another's by now)."""
    if read_proc(pid, "comm").strip() == name[:15]:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)


# Clients -------------------------------------------------------------------

def client(server, command, text=None, file=None, env=None):
    """Run a client of SERVER to its end, without an allocator; its standard output.

    TEXT or the path FILE is its input."""
    name = os.path.basename(command[0])
    opened = open(file, "rb") if file else None
    try:
        done = subprocess.run(command, env=env or without_allocator(),
                              input=text.encode() if text is not None else None,
                              stdin=opened if file else
                              (None if text is not None else subprocess.DEVNULL),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=CLIENT_LIMIT, check=False,
                              preexec_fn=die_with_parent)
    except subprocess.TimeoutExpired as error:
        raise JobFailed(f"{name} did not end within {CLIENT_LIMIT:.0f} s: "
                        f"{server.last_words()}") from error
    except OSError as error:
        raise JobFailed(f"{name} cannot be started: {error}") from error
    finally:
        if opened:
            opened.close()
    if done.returncode:
        server.check_alive()
        lines = done.stderr.decode(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()] or ["it said nothing"]
        raise JobFailed(f"{name} ended with status {done.returncode}: {said[-1]}")
    return done.stdout.decode(errors="replace")


def idle_seconds(context):
    """How long after a burst "RSS after" is read."""
    return min(1.0, context.scale) * (0.5 if context.quick else 1.0)


def settle(context):
    """Let the server idle for that long."""
    time.sleep(idle_seconds(context))


@contextlib.contextmanager
def phase(server):
    """A phase of the life of SERVER: fills the Sample that it gives with the wall time of the
    block and what the server process used in it.  Peak RSS is that of the phase."""
    sample = Sample()
    fresh = reset_peak(server.pid)
    before = figures(server.pid)
    start = time.perf_counter()
    yield sample
    sample.time = time.perf_counter() - start
    server.check_alive()
    used = figures(server.pid) - before
    for field in dataclasses.fields(used):
        setattr(sample, field.name, getattr(used, field.name))
    if fresh:
        sample.peak_rss_kib = status(server.pid).get("VmHWM")
    sample.mappings = mappings(server.pid)


def fresh_folder(context, name):
    """An empty folder of this name in the work folder, short enough for a socket in it."""
    path = os.path.join(context.work, name)
    if len(path) > 90:
        raise JobFailed(f"the path of the work folder is too long for a socket: {context.work}")
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path

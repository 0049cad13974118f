# SPDX-License-Identifier: MIT
"""What the comparison runs: jobs, each of which measures one or more rows.

A job is one execution of one program under one allocator.  It yields a sample
for each of its rows; a row is a line of the tables.  Everything that can be
compared implements Job; what runs them, how often and in which order is the
business of run.py alone.
"""

import dataclasses
import os
import re


class JobFailed(Exception):
    """The program failed, or its output was wrong.  The text is one line for the user."""


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of the tables; its name is unique in a run and stable between versions."""
    name: str               # "BM_batch/random/400", "redis/set", "replay/gcc"
    suite: str              # micro, threads, latency, large, memory, replay, real or api
    family: str             # rows that belong together: "batch", "redis"
    what: str = "time"      # "memory" where time is not measured or not compared; "shown"
                            # where nothing is compared
    threads: int = 0        # of a row of a scaling curve: how many; 0 elsewhere


@dataclasses.dataclass
class Sample:
    """What one execution measured for one row.  What was not measured is None."""
    time: float = None                  # wall seconds per item or run; lower is better
    cpu: float = None                   # CPU seconds per item or run
    peak_rss_kib: float = None          # of the largest process
    rss_after_kib: float = None         # idle after a burst, or at the end
    minor_faults: float = None
    major_faults: float = None
    voluntary_switches: float = None
    involuntary_switches: float = None
    mappings: float = None
    extra: dict = dataclasses.field(default_factory=dict)   # name -> figure
    series: list = dataclasses.field(default_factory=list)  # [seconds, RSS in KiB] over the run


@dataclasses.dataclass(frozen=True)
class Allocator:
    name: str               # "glibc", "jemalloc", "libkmalloc", ...
    path: str = None        # the library that is preloaded; None: none is
    version: str = ""

    def environment(self):
        """The environment of a measured program: every allocator by its defaults."""
        return preloading(self.path, {key: value for key, value in os.environ.items()
                                      if not TUNES.match(key)})


# What changes how an allocator works; the user's own settings of these are not measured.
TUNES = re.compile("LD_PRELOAD$|KMALLOC_|MALLOC_|MIMALLOC_|TCMALLOC_|GLIBC_TUNABLES$|JE_MALLOC|"
                   "HEAPPROFILE$|HEAPCHECK$|BENCH_PAD$")


def preloading(path, environment):
    """The same with the library preloaded, or with none.

    The environment lies on the stack: it is as long for all, so that nobody's stack is aligned
    better by the length of a name.
    """
    result = dict(environment)
    used = 0
    if path:
        result["LD_PRELOAD"] = path
        used = len(path) + len("LD_PRELOAD=") + 1
    result["BENCH_PAD"] = "x" * max(0, 1024 - used)
    return result


@dataclasses.dataclass(frozen=True)
class Context:
    """Where things are, for jobs."""
    source: str             # the top source directory
    build: str              # the top build directory
    work: str               # a folder that jobs may fill; one a run, removed at its end; None
                            # while jobs are only listed
    quick: bool             # bench-quick: jobs may do less work, the same under every allocator
    scale: float = 1.0      # of the work; tests use little

    def program(self, name):
        """A program of the build: program("bench-micro")."""
        return os.path.join(self.build, "bench", name)


class Job:
    """One execution.  Subclasses set these and implement run()."""
    name = ""               # unique; what progress shows
    rows = ()               # the Rows that run() yields samples for
    quick = True            # is it part of bench-quick?
    peers = True            # False: run under the base and the subject alone
    seconds = 1.0           # a guess at its time under glibc, until it was measured
    programs = ()           # what it needs, as commands; where one is missing, the job is skipped
    packages = ()           # Debian packages that have them

    def prepare(self, context):
        """Make inputs in context.work, once a run, under no allocator; raises JobFailed."""

    def run(self, context, allocator):
        """row name -> Sample; raises JobFailed.  Must leave no process behind, also when
        interrupted (KeyboardInterrupt)."""
        raise NotImplementedError

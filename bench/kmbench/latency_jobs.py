# SPDX-License-Identifier: MIT
"""Latency: rows latency/server/malloc/p50/threads:1 and so on, of bench/latency.

A run times every single malloc and free of the server pattern; each percentile is a
row, and its sample is that percentile of one run.  So they are judged as all rows
are, by their medians over the rounds.  The worst case of a run is one call out of
400,000, mostly one that the system interrupted: it is shown, and judged nowhere.
"""

import json
import os
import subprocess

from .bench_jobs import check_malloc, failure
from .job import Job, JobFailed, Row, Sample

THREADS = (1, 4)
CALLS = ("malloc", "free")
FIGURES = ("p50", "p99", "p99.9", "max")
TIMEOUT = 60


def row_name(call, figure, threads):
    return f"latency/server/{call}/{figure}/threads:{threads}"


class Latency(Job):
    """One run of the server pattern, in so many threads at a time."""
    seconds = 0.3

    def __init__(self, threads):
        self.threads = threads
        self.name = f"latency/server/threads:{threads}"
        self.quick = threads > 1
        # Row.threads is of scaling curves, which these are not.
        self.rows = tuple(Row(row_name(call, figure, threads), "latency", call,
                              "shown" if figure == "max" else "time")
                          for call in CALLS for figure in FIGURES)

    def run(self, context, allocator):
        command = [context.program("latency"), f"--threads={self.threads}",
                   f"--scale={context.scale}"]
        try:
            done = subprocess.run(command, env=allocator.environment(), capture_output=True,
                                  text=True, timeout=TIMEOUT, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise JobFailed(str(error)) from None
        if done.returncode:
            raise JobFailed(failure(done.returncode, done.stderr))
        try:
            found = json.loads(done.stdout)
        except ValueError:
            raise JobFailed("bench/latency printed no JSON") from None
        check_malloc(allocator, found["malloc_from"])
        return samples_of(found, self.threads)


def samples_of(found, threads):
    """row name -> Sample, of what the program printed."""
    clock = {"clock_ns": found["clock_ns"], "tick_ns": found["tick_ns"]}
    return {row_name(call, figure, threads):
            Sample(time=found[call][figure] * 1e-9, extra=clock if figure == "p50" else {})
            for call in CALLS for figure in FIGURES}


def jobs(context):
    if not os.path.exists(context.program("latency")):
        return []
    return [Latency(threads) for threads in THREADS]

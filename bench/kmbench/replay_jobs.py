# SPDX-License-Identifier: MIT
"""Replays of the traces of bench/traces: rows replay/compiler and so on.

A row's time is that of one replay, from the first call of the trace to the end of its
last thread. Peak RSS is of the process without the tables of the player, which are the
same under every allocator.
"""

import json
import lzma
import os
import subprocess

from .bench_jobs import check_malloc, failure
from .job import Job, JobFailed, Row, Sample

TRACES = ("compiler", "interpreter", "database", "server", "xml")
TIME_LIMIT = 120


class Replay(Job):
    """One trace, played once."""
    seconds = 0.3

    def __init__(self, trace):
        self.trace = trace
        self.name = f"replay/{trace}"
        self.rows = (Row(self.name, "replay", trace),)

    def unpacked(self, context):
        """Where prepare() puts the trace."""
        return os.path.join(context.work, f"{self.trace}.trace")

    def prepare(self, context):
        packed = os.path.join(context.source, "bench", "traces", f"{self.trace}.xz")
        try:
            with lzma.open(packed) as source, open(self.unpacked(context), "wb") as target:
                target.write(source.read())
        except (OSError, EOFError, lzma.LZMAError) as error:
            raise JobFailed(f"{packed}: {error}") from None
        if not os.access(context.program("replay"), os.X_OK):
            raise JobFailed(f"{context.program('replay')}: not built; make bench/replay")

    def run(self, context, allocator):
        result = self.play(context, allocator)
        check_malloc(allocator, result["malloc_from"])
        return {self.name: sample_of(result)}

    def play(self, context, allocator):
        """What the player printed."""
        command = [context.program("replay"), self.unpacked(context)]
        try:
            done = subprocess.run(command, env=allocator.environment(), capture_output=True,
                                  text=True, timeout=TIME_LIMIT, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise JobFailed(str(error)) from None
        if done.returncode:
            raise JobFailed(failure(done.returncode, done.stderr))
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise JobFailed("the player printed no JSON") from None


def sample_of(result):
    """The player's JSON as a Sample."""
    tables = result["table_kib"]
    return Sample(
        time=result["seconds"], cpu=result["cpu_seconds"],
        peak_rss_kib=result["peak_rss_kib"] - tables,
        minor_faults=result["minor_faults"], major_faults=result["major_faults"],
        voluntary_switches=result["voluntary_switches"],
        involuntary_switches=result["involuntary_switches"], mappings=result["mappings"],
        extra={"peak_live_kib": result["peak_live_bytes"] / 1024,
               "rss_at_exit_kib": result["rss_kib"] - tables})


def jobs():
    """One of each trace."""
    return [Replay(trace) for trace in TRACES]

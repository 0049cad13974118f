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

from .job import Job, JobFailed, Row, Sample

TRACES = ("compiler", "interpreter", "database", "server", "xml")
TIME_LIMIT = 120


def library_of(path):
    """The file that a library's name stands for, as the loader tells it."""
    return os.path.realpath(path)


class Replay(Job):
    """One trace, played once."""
    seconds = 0.3
    # The traces are unpacked by Python; nothing else is needed.
    programs = ()

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
        if allocator.path and library_of(result["malloc_from"]) != library_of(allocator.path):
            raise JobFailed(f"{self.name}: malloc came from {result['malloc_from']}, "
                            f"not from {allocator.path}")
        if not allocator.path and not is_libc(result["malloc_from"]):
            raise JobFailed(f"{self.name}: malloc came from {result['malloc_from']}, "
                            "expected libc")
        return {self.name: sample_of(result)}

    def play(self, context, allocator):
        """What the player printed."""
        command = [context.program("replay"), self.unpacked(context)]
        try:
            done = subprocess.run(command, env=allocator.environment(), capture_output=True,
                                  text=True, timeout=TIME_LIMIT, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise JobFailed(f"{self.name}: {error}") from None
        if done.returncode:
            said = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
            raise JobFailed(f"{self.name}: {said}")
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise JobFailed(f"{self.name}: the player printed no JSON") from None


def is_libc(path):
    """Is it the C library itself?"""
    return os.path.basename(library_of(path)).startswith(("libc.so", "libc-"))


def sample_of(result):
    """The player's JSON as a Sample."""
    tables = result["table_kib"]
    return Sample(
        time=result["seconds"], cpu=result["cpu_seconds"],
        peak_rss_kib=result["peak_rss_kib"] - tables, rss_after_kib=result["rss_kib"] - tables,
        minor_faults=result["minor_faults"], major_faults=result["major_faults"],
        voluntary_switches=result["voluntary_switches"],
        involuntary_switches=result["involuntary_switches"], mappings=result["mappings"],
        extra={"peak_live_kib": result["peak_live_bytes"] / 1024})


def jobs():
    """One of each trace."""
    return [Replay(trace) for trace in TRACES]

# SPDX-License-Identifier: MIT
"""Rows of the programs that Google Benchmark drives (bench-micro and so on).

Each row runs in a process of its own, with the number of iterations that is
fixed in the program: every allocator does the same work, and none inherits the
heap of the row before.
"""

import json
import os
import re
import subprocess

from .job import Job, JobFailed, Row, Sample

PROGRAMS = ("micro", "threads", "large", "memory", "api")
TIMEOUT = 60            # seconds for one run, after which it counts as hung
SUFFIXES = re.compile(r"/(iterations:\d+|real_time|manual_time|process_time)(?=/|$)")
PER_SECOND = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
# What Google Benchmark says of a row; every other number is a counter of the body.
KNOWN = {"name", "run_name", "run_type", "family_index", "per_family_instance_index", "repetitions",
         "repetition_index", "threads", "iterations", "real_time", "cpu_time", "time_unit",
         "items_per_second", "bytes_per_second", "label", "error_occurred", "error_message"}
# Under most peers malloc_trim() is glibc's, which finds nothing to do; and what no allocator has a
# part in is there for the row beside it.
WHAT = {"BM_trim": "memory", "BM_large/5to25m/touch_only": "shown"}
PROCESS = ("peak_rss_kib", "minor_faults", "major_faults", "voluntary_switches",
           "involuntary_switches", "mappings")


def row_name(full):
    """BM_pair/64/iterations:1000/real_time -> BM_pair/64"""
    return SUFFIXES.sub("", full)


def row_of(full, suite):
    name = row_name(full)
    threads = re.search(r"/threads:(\d+)$", name)
    what = WHAT.get(name, "time")
    parts = re.sub(r"/threads:\d+$", "", name).removeprefix("BM_").split("/")
    family = "/".join(parts[:2 if suite == "large" else 1])
    return Row(name, suite, family, what, int(threads[1]) if threads else 0)


def failure(status, errors):
    """One line about a program that ended so."""
    lines = [line for line in errors.splitlines() if line.strip()]
    message = lines[-1] if lines else "no message"
    how = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
    return f"{how}: {message}"


def same_file(one, other):
    return os.path.realpath(one) == os.path.realpath(other)


def check_malloc(allocator, malloc_from):
    """Raise where another allocator was measured than was asked for."""
    if allocator.path and not same_file(malloc_from, allocator.path):
        raise JobFailed(f"malloc came from {malloc_from}, not from {allocator.path}")
    if not allocator.path and not os.path.basename(malloc_from).startswith("libc.so"):
        raise JobFailed(f"malloc came from {malloc_from}, not from the C library")


def read_output(text):
    """(the benchmark's object, the process's object) of what the program printed."""
    decoder = json.JSONDecoder()
    try:
        benchmarks, end = decoder.raw_decode(text)
        process, _ = decoder.raw_decode(text[end:].lstrip())
        return benchmarks["benchmarks"][0], process
    except (ValueError, KeyError, IndexError) as error:
        raise JobFailed(f"unexpected output: {text.strip()[:80]!r}") from error


def sample_of(found, process):
    if found.get("error_occurred"):
        raise JobFailed(found.get("error_message", "the row failed"))
    if "items_per_second" not in found:
        raise JobFailed("the row counts no items")
    time = 1.0 / found["items_per_second"]
    extra = {key: value for key, value in found.items()
             if key not in KNOWN and isinstance(value, (int, float))}
    sample = Sample(time=time, cpu=time * found["cpu_time"] / found["real_time"],
                    rss_after_kib=extra.pop("rss_after_kib", None), extra=extra,
                    **{key: process[key] for key in PROCESS})
    if "start_rss_kib" in extra:        # the row is about another process, which it started
        sample.peak_rss_kib = extra.pop("start_rss_kib")
    return sample


class BenchJob(Job):
    """One row of one program."""
    seconds = 0.1

    def __init__(self, program, full, suite):
        self.program, self.full = program, full
        self.rows = (row_of(full, suite),)
        self.name = self.rows[0].name
        # The API is that of libkmalloc, whatever malloc is.
        self.peers = suite != "api"

    def run(self, context, allocator):
        environment = allocator.environment()
        series = os.path.join(context.work, "series")
        environment["BENCH_SERIES"] = series
        if os.path.exists(series):
            os.unlink(series)
        command = [context.program(self.program), "--benchmark_format=json",
                   f"--benchmark_filter=^{re.escape(self.full)}$", f"--scale={context.scale}"]
        try:
            child = subprocess.run(command, env=environment, text=True, errors="replace",
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, timeout=TIMEOUT, check=False)
        except subprocess.TimeoutExpired as error:
            raise JobFailed(f"no end after {TIMEOUT} s") from error
        if child.returncode:
            raise JobFailed(failure(child.returncode, child.stderr))
        found, process = read_output(child.stdout)
        check_malloc(allocator, process["malloc_from"])
        sample = sample_of(found, process)
        if self.rows[0].what == "memory":
            sample.extra["ns_per_item"] = sample.time * 1e9     # shown, and not compared
        sample.series = read_series(series)
        return {self.name: sample}


def read_series(path):
    """Lines "seconds kib", where the row wrote any."""
    try:
        with open(path, encoding="ascii") as file:
            return [[float(word) for word in line.split()] for line in file]
    except FileNotFoundError:
        return []


def jobs(context):
    """A job a row of every program that was built."""
    found = []
    for suite in PROGRAMS:
        program = context.program(f"bench-{suite}")
        if not os.path.exists(program):
            continue
        command = [program, "--benchmark_list_tests", f"--scale={context.scale}"]
        listed = subprocess.run(command, text=True, check=True, stdout=subprocess.PIPE).stdout
        found += [BenchJob(f"bench-{suite}", name, suite) for name in listed.split()
                  if not name.startswith("BM_fit")]
    return found

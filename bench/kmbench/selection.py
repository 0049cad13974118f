# SPDX-License-Identifier: MIT
"""Which jobs there are, and which of them a run has."""

import fnmatch
import importlib
import pkgutil
import shutil

from . import bench_jobs, real, replay_jobs

# The rows of bench-micro and so on that bench-quick has, as patterns of the shell.
QUICK = (
    "BM_pair/16", "BM_pair/64", "BM_pair/512", "BM_pair/4096", "BM_pair/65536",
    "BM_batch/*/25", "BM_batch/*/400", "BM_batch/random/6400",
)


def is_quick(job):
    if isinstance(job, bench_jobs.BenchJob):
        return any(fnmatch.fnmatchcase(job.name, pattern) for pattern in QUICK)
    return job.quick


def real_jobs():
    found = []
    for module in sorted(pkgutil.iter_modules(real.__path__), key=lambda module: module.name):
        found += importlib.import_module(f"{real.__name__}.{module.name}").jobs()
    return found


def all_jobs(context):
    return bench_jobs.jobs(context) + replay_jobs.jobs() + real_jobs()


def matches(job, patterns):
    """Is the job, or one of its rows, named by a pattern?  "pair" is every row below pair/."""
    for pattern in patterns:
        for name in [job.name] + [row.name for row in job.rows]:
            for text in (name, name.removeprefix("BM_")):
                if fnmatch.fnmatchcase(text, pattern) or text.startswith(pattern + "/"):
                    return True
    return False


def missing_programs(job):
    return [program for program in job.programs if not shutil.which(program)]


def choose(context, suites=None, patterns=None):
    """(jobs to run, name -> why a job is skipped, patterns that named nothing)."""
    chosen, skipped = [], {}
    everything = all_jobs(context)
    unknown = [pattern for pattern in patterns or ()
               if not any(matches(job, [pattern]) for job in everything)]
    for job in everything:
        if suites and not any(row.suite in suites for row in job.rows):
            continue
        if patterns and not matches(job, patterns):
            continue
        if context.quick and not patterns and not is_quick(job):
            continue
        missing = missing_programs(job)
        if missing:
            skipped[job.name] = (f"{', '.join(missing)}: not installed"
                                 + (f" (packages {' '.join(job.packages)})" if job.packages else ""))
        else:
            chosen.append(job)
    return chosen, skipped, unknown


def packages_of(context):
    """What every job could need, for --install."""
    return sorted({package for job in all_jobs(context) for package in job.packages
                   if missing_programs(job)})

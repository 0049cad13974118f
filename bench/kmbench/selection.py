# SPDX-License-Identifier: MIT
"""Which jobs there are, and which of them a run has."""

import fnmatch
import importlib
import pkgutil
import shutil

from . import bench_jobs, latency_jobs, real, replay_jobs

# The rows of bench-micro and so on that bench-quick has, as patterns of the shell.
QUICK = (
    "BM_pair/16", "BM_pair/64", "BM_pair/1024", "BM_pair/16384",
    "BM_batch/order/100", "BM_batch/reverse/400", "BM_batch/random/100", "BM_batch/random/1600",
    "BM_set/uniform/100kB", "BM_set/log/1MB", "BM_set/log/10MB", "BM_set/compiler/10MB",
    "BM_set/server/100kB", "BM_set/interpreter/100kB",
    "BM_calloc/fresh/4096", "BM_calloc/reused/64", "BM_calloc/reused/4096",
    "BM_realloc/grow1/one", "BM_realloc/grow1.5/many", "BM_realloc/strings",
    "BM_aligned/64/200", "BM_new/sized/64", "BM_new/containers", "BM_app/tree", "BM_app/strings",
    "BM_churn/threads:[148]", "BM_server/threads:[28]", "BM_handover/threads:[28]",
    "BM_prodcons/1to1/threads:2", "BM_prodcons/Nto1/threads:8", "BM_prodcons/ring/threads:4",
    "BM_false_sharing/*/threads:2", "BM_idle_threads/100",
    "BM_large/random/64k_1m/touched", "BM_large/random/1m_8m/touched", "BM_large/5to25m",
    "BM_large/realloc/steps", "BM_large/threads/threads:2",
    "BM_burst/random", "BM_burst/tenth", "BM_shift/small", "BM_start/nothing",
    "BM_peak/40", "BM_peak/200",
    "BM_api/kmalloc/64", "BM_api_malloc/kmalloc/64",
    "BM_api/kmem_cache_batch/100/200", "BM_api_malloc/kmem_cache_batch/100/200",
)


def is_quick(job):
    if isinstance(job, bench_jobs.BenchJob):
        return any(fnmatch.fnmatchcase(job.name, pattern) for pattern in QUICK)
    return job.quick


def real_jobs():
    """Those of every module of real/; some modules there are what the others share."""
    found = []
    for info in sorted(pkgutil.iter_modules(real.__path__), key=lambda info: info.name):
        module = importlib.import_module(f"{real.__name__}.{info.name}")
        found += module.jobs() if hasattr(module, "jobs") else []
    return found


def all_jobs(context):
    return (bench_jobs.jobs(context) + latency_jobs.jobs(context) + replay_jobs.jobs()
            + real_jobs())


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


def choose(context, allocators, suites=None, patterns=None):
    """(jobs to run, name -> why a job is skipped, patterns that named nothing).

    allocators: the names of those that jobs without peers are run under, where there are any.
    """
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
        if not (job.peers or allocators):
            skipped[job.name] = "neither the base nor the subject is compared"
        elif missing:
            packages = f" (packages {' '.join(job.packages)})" if job.packages else ""
            skipped[job.name] = f"{', '.join(missing)}: not installed{packages}"
        else:
            chosen.append(job)
    return chosen, skipped, unknown


def packages_of(context):
    """What every job could need, for --install."""
    return sorted({package for job in all_jobs(context) for package in job.packages
                   if missing_programs(job)})

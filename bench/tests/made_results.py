# SPDX-License-Identifier: MIT
"""Results as bench/compare writes them, made up from a seed: for the tests of the reports,
and to look at them:  made_results.py [SEED] > results.json

Which allocator is how good in which family follows from the seed; nothing here was measured.
"""

import json
import random
import sys

NAMES = ("glibc", "jemalloc", "mimalloc", "tcmalloc", "libkmalloc")
SUBJECT, BASE = "libkmalloc", "glibc"
LOST = "BM_pair/64"             # libkmalloc needs twice the time of all others here
WON = "BM_pair/256"             # and half of it here

FAMILIES = {
    "micro": {
        "pair": ["BM_pair/%d" % (1 << n) for n in range(4, 14)],
        "batch": ["BM_batch/%s/%d" % (order, n) for order in ("order", "reverse", "random")
                  for n in (1, 25, 100, 400, 1600, 6400)],
        "sizes": ["BM_sizes/%s/%s" % (kind, size) for kind in
                  ("uniform", "log_uniform", "gcc", "python", "redis")
                  for size in ("10k", "1M", "100M", "1G")],
        "calloc": ["BM_calloc/fresh", "BM_calloc/reused"],
        "realloc": ["BM_realloc/by_1/one", "BM_realloc/by_1.5/many"],
        "aligned": ["BM_aligned/64", "BM_aligned/4096"],
        "usable": ["BM_usable/100"],
        "new": ["BM_new/sized", "BM_new/unsized"],
        "trim": ["BM_trim/100M"],
    },
    "large": {"large": ["BM_large/%dK" % (64 << n) for n in range(0, 11, 2)]},
    "replay": {"replay": ["replay/" + n for n in ("gcc", "python", "sqlite", "redis", "xml")]},
    "memory": {
        "burst": ["BM_burst/100M"], "shift": ["memory/shift"],
        "idle": ["memory/idle_threads/1000"], "startup": ["memory/startup"],
    },
    "real": {
        "redis": ["redis/set", "redis/get_pipelined", "redis/fragmentation"],
        "sqlite": ["sqlite/insert"], "python": ["python/json", "python/objects"],
        "gcc": ["gcc/large_file"], "make": ["make/parallel"], "perl": ["perl/words"],
        "xz": ["xz/compress"], "postgres": ["postgres/pgbench"],
    },
    "api": {
        "api": ["BM_api/kmalloc/64", "BM_api/alloc_pages/0"],
        "api_malloc": ["BM_api_malloc/kmalloc/64", "BM_api_malloc/alloc_pages/0"],
    },
}
THREADED = ("private", "prodcons", "ring", "server", "handover", "sharing")
ABOUT_MEMORY = ("burst", "shift", "idle", "startup")


def make_row(name, suite, family, threads=0):
    return {"name": name, "suite": suite, "family": family, "threads": threads,
            "what": "memory" if family in ABOUT_MEMORY else "time",
            "samples": {}, "failures": {}}


def make_rows(suites):
    rows = [make_row(name, suite, family)
            for suite, families in FAMILIES.items() if suite in suites
            for family, names in families.items() for name in names]
    if "threads" in suites:
        rows += [make_row(f"BM_{family}/64/threads:{n}", "threads", family, n)
                 for family in THREADED for n in (1, 2, 4, 8, 16, 32)]
    return rows


def make_series(row, generator, peak):
    level, result = peak / 4, []
    for step in range(60):
        level = min(peak, max(peak / 8, level * generator.uniform(0.85, 1.2)))
        result.append([step * 0.1, round(level)])
    return result


def make_sample(row, turn, generator, time, rss, noise):
    def near(value):
        return value * generator.lognormvariate(0, noise)

    sample = {"round": turn, "peak_rss_kib": round(near(rss)), "minor_faults": round(near(rss / 4)),
              "major_faults": 0, "voluntary_switches": generator.randrange(20),
              "involuntary_switches": generator.randrange(9),
              "mappings": generator.randrange(30, 90)}
    if row["what"] == "time":
        sample.update(time=near(time), cpu=near(time * 0.9))
    if row["suite"] in ("memory", "real"):
        sample["rss_after_kib"] = round(near(rss * 0.6))
    if row["name"] == "redis/set":
        sample["extra"] = {"requests_per_second": round(near(2e5))}
    if row["family"] == "shift" or row["name"] == "redis/fragmentation":
        sample["series"] = make_series(row, generator, sample["peak_rss_kib"])
    return sample


def fill_row(row, names, rounds, generator, skill, alike):
    """Samples of every allocator; skill is (time, RSS) by (allocator, family)."""
    time = {"real": 2.0, "replay": 0.05, "large": 4e-6}.get(row["suite"], 3e-8)
    time *= generator.lognormvariate(0, 0.7)
    rss = {"real": 60e3, "memory": 1e5}.get(row["suite"], 8e3) * generator.lognormvariate(0, 0.5)
    noise = generator.choice((0.003, 0.01, 0.03))
    for name in names:
        if row["suite"] == "api" and name not in (SUBJECT, BASE):
            continue
        own = 1 if alike else generator.lognormvariate(0, 0.1)
        factor, space = skill[name, row["family"]]
        if row["name"] in (LOST, WON) and not alike:
            own, factor, noise = 1, 1, 0.003
            if name == SUBJECT:
                factor = 2 if row["name"] == LOST else 0.5
        if row["threads"]:
            factor /= min(row["threads"], 2) ** 0.9
        row["samples"][name] = [
            make_sample(row, turn, generator, time * factor * own, rss * space, noise)
            for turn in range(rounds)]


def make_results(seed=1, names=NAMES, rounds=7, suites=(*FAMILIES, "threads"), subject=SUBJECT,
                 alike=False):
    """Everything worked; tests break what they are about.  alike: all are equally good."""
    generator = random.Random(seed)
    rows = make_rows(suites)
    skill = {}
    for row in rows:
        for name in names:
            new = (1, 1) if alike or name == BASE else \
                (generator.lognormvariate(-0.1, 0.25), generator.lognormvariate(0.05, 0.2))
            skill.setdefault((name, row["family"]), new)
    for row in rows:
        fill_row(row, names, rounds, generator, skill, alike)
    return {
        "schema": 1, "kind": "full", "date": "2026-11-22T10:00:00Z", "complete": True,
        "command": ["bench/compare"],
        "machine": {"cpu": "Made-Up 9000", "cores": 2, "memory_kib": 16 << 20, "kernel": "6.1.0",
                    "libc": "glibc 2.36", "os": "Debian 12", "thp": "madvise",
                    "governor": "performance", "page_size": 4096, "aslr": 2, "overcommit": 0,
                    "load_before": 0.1, "compiler": "gcc 12.2.0", "cflags": "-O2 -g"},
        "settings": {"budget_seconds": 2400, "seed": seed, "alpha": 0.01, "floor": 0.02},
        "subject": subject, "base": BASE,
        "allocators": [{"name": name, "path": None if name == BASE else f"/lib/{name}.so",
                        "version": "1.0"} for name in names],
        "missing": {}, "skipped": {}, "rows": rows,
    }


def break_some(results):
    """Failures, a missing allocator and a skipped job, as a real run may have them."""
    rows = {row["name"]: row for row in results["rows"]}
    for name, who, why in (("BM_sizes/gcc/1G", "tcmalloc", "killed by signal 9"),
                           ("redis/set", "mimalloc", "exit status 1: wrong output\nof GET | 1")):
        if name in rows:
            rows[name]["failures"][who] = why
            rows[name]["samples"][who] = rows[name]["samples"].get(who, [])[:2]
    results["missing"]["snmalloc"] = "/opt/libsnmalloc.so: no such file"
    results["skipped"]["ghostscript"] = "gs is not installed (package ghostscript)"
    return results


if __name__ == "__main__":
    json.dump(break_some(make_results(int(sys.argv[1]) if sys.argv[1:] else 1)), sys.stdout)

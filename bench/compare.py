#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run bench/compare under several allocators, interleaved, and compare them.

Each round runs every pattern once under every allocator; who goes first rotates
from round to round and from pattern to pattern.  The table shows medians over
the rounds: time per operation and peak resident size.  Only the children
are preloaded; python itself is not.

Exit status: 0; 1 when a run failed or, with --check, a limit is not kept; 2 for
a bad command line.
"""

import argparse
import glob
import json
import math
import os
import platform
import re
import statistics
import subprocess
import sys

TIMEOUT = 60            # seconds for one run, after which it counts as hung
BASE = "glibc"
PEER = "jemalloc"
OURS = "ours"

# The limits of --check: what the project promises about this comparison.
MAX_TIME_OF_BASE = 0.65         # geometric mean over the rows
MAX_TIME_OF_PEER = 0.90         # geometric mean over the rows
MAX_TIME_OF_BETTER = 1.05       # each row, of the better of both
MAX_RSS_OF_BASE = 1.15          # geometric mean over the rows

LINE = re.compile(r"^(\S+) ns=([0-9.]+) cpu=([0-9.]+) rss=([0-9]+) ops=([0-9]+)$")


def build_tree():
    """The build directory: named by the environment, the current one, or ours."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    named = os.environ.get("abs_top_builddir")
    for top in [named, os.getcwd(), here]:
        if top and os.path.exists(os.path.join(top, "bench", "compare")):
            return top
    return named or os.getcwd()


def find_jemalloc():
    for pattern in ["/usr/lib/*/libjemalloc.so.2", "/usr/lib64/libjemalloc.so.2",
                    "/usr/lib/libjemalloc.so.2", "/usr/local/lib/libjemalloc.so.2"]:
        found = sorted(glob.glob(pattern))
        if found:
            return found[0]
    return None


def parse_arguments():
    parser = argparse.ArgumentParser(
        description="Compare allocators over the patterns of bench/compare.")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each row (5)")
    parser.add_argument("--patterns", default="", metavar="A,B",
                        help="only these; batch100 means all its rows")
    parser.add_argument("--scale", default="1", help="multiply the work of each run (1)")
    parser.add_argument("--time", choices=["wall", "cpu"], default="wall",
                        help="the time to compare: of the clock, or of all CPUs (wall)")
    parser.add_argument("--ours", metavar="PATH",
                        help="our library (default: the one of the build tree)")
    parser.add_argument("--no-ours", action="store_true", help="compare the others alone")
    parser.add_argument("--allocator", action="append", default=[], metavar="NAME=PATH",
                        help="one more allocator, loaded by preloading PATH")
    parser.add_argument("--program", metavar="PATH", help="the compare program")
    parser.add_argument("--json", metavar="FILE", help="write every single run there")
    parser.add_argument("--check", action="store_true",
                        help="fail where the limits are not kept")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    if arguments.check and arguments.no_ours:
        parser.error("--check has nothing to check with --no-ours")
    return parser, arguments


def choose_allocators(parser, arguments):
    """An ordered name -> library; None preloads nothing."""
    top = build_tree()
    allocators = {BASE: None}
    jemalloc = find_jemalloc()
    if jemalloc:
        allocators[PEER] = jemalloc
    for item in arguments.allocator:
        name, equals, path = item.partition("=")
        if not equals or not name or not path:
            parser.error(f"--allocator {item}: expected NAME=PATH")
        allocators[name] = path
    if not arguments.no_ours:
        allocators[OURS] = arguments.ours or os.path.join(
            top, "preload", ".libs", "libkmalloc-preload.so")
    for name, path in allocators.items():
        # ld.so only warns about a missing one, and glibc would be measured
        if path is not None:
            if not os.path.isfile(path):
                parser.error(f"{name}: no library at {path}")
            allocators[name] = os.path.abspath(path)
    if arguments.check and PEER not in allocators:
        parser.error(f"--check needs {PEER}, which is not installed")
    return allocators


def choose_patterns(parser, program, wanted):
    def names(option):
        return subprocess.run([program, option], check=True, text=True,
                              stdout=subprocess.PIPE).stdout.split()
    if not wanted:
        return names("--list")
    chosen = []
    for name in wanted.split(","):
        rows = [row for row in names("--list-all")
                if row == name or (pattern_of(row) == name and row.startswith("batch"))]
        if not rows:
            parser.error(f"no pattern is named {name}")
        chosen += [row for row in rows if row not in chosen]
    return chosen


def pattern_of(row):
    return row.split("-")[0]


def run_once(program, row, scale, library):
    """One child: (result, None) or (None, what went wrong)."""
    environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
    if library:
        environment["LD_PRELOAD"] = library
    try:
        child = subprocess.run([program, row, scale], env=environment, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               errors="replace", timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return None, f"no end after {TIMEOUT} s"
    message = (child.stderr.strip().splitlines() or ["no message"])[0]
    if child.returncode:
        how = (f"killed by signal {-child.returncode}" if child.returncode < 0
               else f"exit status {child.returncode}")
        return None, f"{how}: {message}"
    if "cannot be preloaded" in child.stderr:
        return None, message
    match = LINE.match(child.stdout.strip())
    if not match:
        return None, f"unexpected output: {child.stdout.strip()[:80]!r}"
    cpu, operations = float(match[3]), int(match[5])
    return {"ns": float(match[2]), "cpu_ns": cpu * 1e9 / operations, "rss": int(match[4]),
            "ops": operations}, None


def run_all(program, rows, allocators, arguments):
    """Runs and failures: runs[row][allocator] is a list with a dict a round."""
    runs = {row: {name: [] for name in allocators} for row in rows}
    failures = {}
    names = list(allocators)
    for turn in range(arguments.rounds):
        for index, row in enumerate(rows):
            if sys.stderr.isatty():
                print(f"\rround {turn + 1}/{arguments.rounds}  {row:<24}", end="",
                      file=sys.stderr, flush=True)
            first = (turn + index) % len(names)
            for name in names[first:] + names[:first]:
                if (row, name) in failures:
                    continue
                result, wrong = run_once(program, row, arguments.scale, allocators[name])
                if wrong:
                    failures[row, name] = wrong
                else:
                    runs[row][name].append(result)
    if sys.stderr.isatty():
        print("\r" + " " * 60 + "\r", end="", file=sys.stderr)
    return runs, failures


def medians(runs, failures, key):
    """row -> allocator -> median; what failed once is left out."""
    return {row: {name: statistics.median(run[key] for run in found)
                  for name, found in by_name.items()
                  if found and (row, name) not in failures}
            for row, by_name in runs.items()}


def geomean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def ratio(value, of):
    return value / of if value is not None and of else None


def ratios(table, name, of):
    """row -> name's figure / of's; of may be several, the least of which counts."""
    of = [of] if isinstance(of, str) else of
    result = {}
    for row, by_name in table.items():
        others = [by_name[other] for other in of if other in by_name]
        found = ratio(by_name.get(name), min(others, default=None))
        if found is not None:
            result[row] = found
    return result


def folded(by_row):
    """As one figure a pattern: the rows of all the batches count as one."""
    groups = {}
    for row, value in by_row.items():
        group = "batch" if row.startswith("batch") else row
        groups.setdefault(group, []).append(value)
    return geomean(geomean(values) for values in groups.values())


def figure(value, digits=2):
    if value is None:
        return "-"
    return f"{value:,.0f}" if digits == 0 or value >= 10000 else f"{value:.{digits}f}"


def comparisons(names):
    """The ratio columns: title, key, name, of."""
    others = [name for name in names if name != OURS]
    subject = OURS if OURS in names else None
    if subject is None:         # without ours the table compares all with glibc
        return [(f"{key} {name}/{BASE}", key, name, BASE)
                for key in ("ns", "rss") for name in names if name != BASE]
    columns = []
    for key in ("ns", "rss"):
        columns += [(f"{key} {subject}/{name}", key, subject, name) for name in others]
        if len(others) > 1:
            columns.append((f"{key} {subject}/best", key, subject, others))
    return columns


def print_table(rows, names, tables):
    columns = comparisons(names)
    by_row = [(title, ratios(tables[key], name, of)) for title, key, name, of in columns]
    head = (["pattern"] + [f"{name} ns/op" for name in names]
            + [f"{name} KiB" for name in names] + [title for title, _ in by_row])
    print("| " + " | ".join(head) + " |")
    print("|---|" + "---:|" * (len(head) - 1))
    for row in rows:
        cells = [row]
        cells += [figure(tables["ns"][row].get(name), 1) for name in names]
        cells += [figure(tables["rss"][row].get(name), 0) for name in names]
        cells += [figure(values.get(row)) for _, values in by_row]
        print("| " + " | ".join(cells) + " |")
    empty = [""] * (2 * len(names))
    for title, mean in [("**geometric mean**", lambda values: geomean(values.values())),
                        ("**the same, all batch rows as one**", folded)]:
        cells = [title] + empty + [figure(mean(values)) for _, values in by_row]
        print("| " + " | ".join(cells) + " |")


def spread(runs):
    """The median over the rows of (slowest - fastest) / median, per allocator."""
    result = {}
    for by_name in runs.values():
        for name, found in by_name.items():
            if len(found) > 1:
                times = [run["ns"] for run in found]
                result.setdefault(name, []).append(
                    (max(times) - min(times)) / statistics.median(times))
    return {name: statistics.median(values) for name, values in result.items()}


def violations(tables):
    """The limits that are not kept, a line each."""
    found = []

    def limit(what, value, most):
        if value is None:
            found.append(f"{what}: not measured")
        elif value > most:
            found.append(f"{what}: {value:.3f}, at most {most:.2f}")

    for key, of, most in [("ns", BASE, MAX_TIME_OF_BASE), ("ns", PEER, MAX_TIME_OF_PEER),
                          ("rss", BASE, MAX_RSS_OF_BASE)]:
        what = "time" if key == "ns" else "peak RSS"
        by_row = ratios(tables[key], OURS, of)
        limit(f"geometric mean of {what}, of {of}'s", geomean(by_row.values()), most)
    for row, value in ratios(tables["ns"], OURS, [BASE, PEER]).items():
        limit(f"{row}: time, of the better of {BASE} and {PEER}", value, MAX_TIME_OF_BETTER)
    return found


def main():
    parser, arguments = parse_arguments()
    program = os.path.abspath(arguments.program
                              or os.path.join(build_tree(), "bench", "compare"))
    if not os.access(program, os.X_OK):
        parser.error(f"no program at {program}; build it with: make bench/compare")
    allocators = choose_allocators(parser, arguments)
    rows = choose_patterns(parser, program, arguments.patterns)
    runs, failures = run_all(program, rows, allocators, arguments)
    tables = {"ns": medians(runs, failures, "ns" if arguments.time == "wall" else "cpu_ns"),
              "rss": medians(runs, failures, "rss")}

    print(f"Medians of {arguments.rounds} interleaved rounds, {os.cpu_count()} CPUs, "
          f"{platform.machine()}, {' '.join(platform.libc_ver())}; "
          f"ns/op is {arguments.time} time.\n")
    print_table(rows, list(allocators), tables)
    if arguments.rounds > 1:
        print("\nSpread of wall time within a row, (slowest - fastest) / median, median over rows: "
              + ", ".join(f"{name} {value:.0%}" for name, value in spread(runs).items()) + ".")

    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as out:
            json.dump({"rounds": arguments.rounds, "scale": arguments.scale,
                       "allocators": allocators, "runs": runs,
                       "failures": {f"{row} {name}": wrong
                                    for (row, name), wrong in failures.items()}},
                      out, indent=1)
            out.write("\n")

    problems = [f"FAILED: {row} under {name}: {wrong}"
                for (row, name), wrong in failures.items()]
    if arguments.check:
        problems += [f"LIMIT: {line}" for line in violations(tables)]
    for line in problems:
        print(line)
    if arguments.check and not problems:
        print("All limits kept.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: MIT
"""The targets, by results in which all are met but for what a case changes; prints TAP."""

import os
import random
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kmbench import report, stats, targets      # noqa: E402
import made_results as made                     # noqa: E402
from tap import done, ok                        # noqa: E402

ROUNDS = 10
PEERS = ("glibc", "jemalloc", "mimalloc", "tcmalloc")
MINE = "libkmalloc"
# name: (suite, family, threads, time and peak RSS of libkmalloc, of each peer)
ROWS = {
    "BM_pair/64": ("micro", "pair", 0, (4e-9, 4000), (10e-9, 4800)),
    "replay/xml": ("replay", "xml", 0, (0.04, 9000), (0.1, 10400)),
    "real/perl": ("real", "perl", 0, (0.9, 20000), (1.0, 23000)),
    "BM_churn/threads:1": ("threads", "churn", 1, (20e-9, 5000), (40e-9, 5200)),
    "BM_churn/threads:2": ("threads", "churn", 2, (10e-9, 5000), (20e-9, 5200)),
    "BM_prodcons/1to1/threads:8": ("threads", "prodcons", 8, (50e-9, 6000), (90e-9, 6200)),
    "BM_idle_threads/0": ("threads", "idle_threads", 0, (20e-9, 5000), (30e-9, 5000)),
    "BM_idle_threads/1000": ("threads", "idle_threads", 0, (20e-9, 15000), (30e-9, 18000)),
    "BM_burst/random": ("memory", "burst", 0, (5e-7, 110000), (6e-7, 111000)),
    "BM_burst/tenth": ("memory", "burst", 0, (5e-7, 110000), (6e-7, 111000)),
    "BM_start/nothing": ("memory", "start", 0, (1.1e-3, 1500), (1.0e-3, 1400)),
    "BM_start/malloc": ("memory", "start", 0, (1.2e-3, 1500), (1.0e-3, 1400)),
    "BM_large/5to25m": ("large", "large/5to25m", 0, (4.1e-3, 150000), (5e-3, 150000)),
    "BM_large/5to25m/touch_only": ("large", "large/5to25m", 0, (4e-3, 250000), (4e-3, 250000)),
    "BM_large/realloc/grow_1gib": ("large", "large/realloc", 0, (0.09, 1e6), (0.1, 1e6)),
}
AFTER = {"BM_burst/random": (12000, 0), "BM_burst/tenth": (19000, 10240)}    # RSS, live
WHAT = [f"{target.what}: {target.limit}" for target in targets.TARGETS]


def results(changes=(), without=(), noise=0.001, rounds=ROUNDS, names=(*PEERS, MINE)):
    """changes: (row, allocator, figure) -> factor."""
    generator, changes = random.Random(1), dict(changes)
    whole = made.make_results(rounds=1, suites=(), names=names)
    for name, (suite, family, threads, *figures) in ROWS.items():
        if name in without:
            continue
        row = made.make_row(name, suite, family, threads)
        row["what"] = "shown" if name.endswith("touch_only") else "time"
        for who in names:
            row["samples"][who] = [sample_of(name, who, turn, figures[who != MINE], changes,
                                             generator, noise) for turn in range(rounds)]
        whole["rows"].append(row)
    return whole


def sample_of(name, who, turn, figures, changes, generator, noise):
    time, rss = (value * changes.get((name, who, what), 1) * generator.lognormvariate(0, noise)
                 for value, what in zip(figures, ("time", "rss")))
    sample = {"round": turn, "time": time, "peak_rss_kib": rss}
    if name in AFTER:
        after, live = AFTER[name]
        sample["rss_after_kib"] = after * changes.get((name, who, "after"), 1)
        sample["extra"] = {"live_kib": live, "rss_before_kib": 4000}
    if "prodcons" in name:
        sample["extra"] = {"in_flight_kib": 1200, "rss_before_kib": 4000}
    return sample


def judged(whole):
    """"what: limit" -> Outcome"""
    found = targets.judge(whole, stats.summarise(whole))
    return {f"{target.what}: {target.limit}": outcome for target, outcome in found}


def others(verdict, found, but):
    return [name for name, outcome in found.items() if outcome.met != verdict and name not in but]


def missed(beginning, changes, also=()):
    """With these changes the targets that begin so are missed, and no other is."""
    wrong = [name for name in WHAT if name.startswith((beginning, *also))]
    found = judged(results(changes))
    ok(wrong and all(found[name].met == targets.NO for name in wrong)
       and not others(targets.YES, found, wrong), f"missed: {beginning}",
       {name: outcome for name, outcome in found.items() if outcome.met != targets.YES})
    return found


def check_each_target():
    found = judged(results())
    ok(list(found) == WHAT and not others(targets.YES, found, ()), "all targets are met", found)
    each = "time, each micro or replay row: 1.00 of the best"
    for verdict, factor, how in ((targets.YES, 0.42, "slower"), (targets.NO, 0.35, "faster")):
        found = judged(results({("BM_pair/64", "mimalloc", "time"): factor}))
        ok(found[each].met == verdict, f"the fastest peer is {how}: {verdict}", found[each])
    found = missed("time, each real", {("real/perl", MINE, "time"): 1.15},
                   ["time, mean of real"])
    ok(found["time, each real program: 1.01 of the best"].rows[0].startswith("real/perl 1.0"),
       "the row is named", found["time, each real program: 1.01 of the best"])
    both = {(name, MINE, "time"): 1.6 for name in ("BM_pair/64", "replay/xml")}
    missed("time, mean of micro and replay: 0.55 of glibc", both)
    missed("time, mean of micro and replay: 0.92", {
        (name, "tcmalloc", "time"): 0.41 for name in ("BM_pair/64", "replay/xml")})
    missed("peak RSS, each row", {("BM_churn/threads:2", MINE, "rss"): 1.2})
    found = judged(results({("BM_churn/threads:2", who, "rss"): 0.5 for who in PEERS[1:2]}))
    ok(not others(targets.YES, found, ()), "one peer may be leaner", found)
    missed("peak RSS, mean of all rows", {(name, "glibc", "rss"): 0.7 for name in ROWS
                                          if "idle" not in name and "start" not in name})
    missed("a burst, freed", {("BM_burst/random", MINE, "after"): 1.6})
    missed("the same, a tenth alive", {("BM_burst/tenth", MINE, "after"): 3.2})
    missed("prodcons, 8 threads: time", {("BM_prodcons/1to1/threads:8", MINE, "time"): 2})
    missed("prodcons, 8 threads: peak RSS", {("BM_prodcons/1to1/threads:8", MINE, "rss"): 1.1})
    missed("an idle thread, with stack", {("BM_idle_threads/1000", MINE, "rss"): 2.2},
           ["the same: 1.00", "peak RSS, each"])
    missed("the same: 1.00", {("BM_idle_threads/1000", "glibc", "rss"): 0.8})
    missed("churn, 2 threads", {("BM_churn/threads:2", MINE, "time"): 1.3})
    missed("large/5to25m", {("BM_large/5to25m/touch_only", MINE, "time"): 0.8})
    missed("growth to 1 GiB", {("BM_large/realloc/grow_1gib", MINE, "time"): 1.5})
    missed("start: time", {("BM_start/malloc", MINE, "time"): 1.4})
    missed("start: peak RSS", {("BM_start/malloc", MINE, "rss"): 1.8}, ["peak RSS, each"])
    return each


def check_the_rest(each):
    found = judged(results({("BM_pair/64", MINE, "time"): 2.55}, noise=0.08))
    ok(found[each].met == targets.NOISE and found[each].rows[0].endswith("?"),
       "beyond, and that may be chance: within noise", found[each])
    found = judged(results({("BM_pair/64", MINE, "time"): 4}, rounds=3))
    ok(found[each].met == targets.NOISE, "too few rounds can not miss a row's target", found[each])
    found = judged(results({(name, MINE, "time"): 1.35 for name in ("BM_pair/64", "replay/xml")},
                           noise=0.15))
    name = "time, mean of micro and replay: 0.55 of glibc"
    ok(found[name].met == targets.NOISE, "a mean within its error: within noise", found[name])
    found = judged(results({(name, MINE, "time"): 1.7 for name in ("BM_pair/64", "replay/xml")},
                           noise=0.1))
    ok(found[name].met == targets.NO, "a mean beyond its error: missed", found[name])
    found = judged(results(without=ROWS))
    ok(list(found) == WHAT and not others(targets.MISSING, found, ()),
       "no row: nothing was measured", found)
    found = judged(results(without=["BM_large/5to25m/touch_only", "BM_idle_threads/0"]))
    lacking = [name for name, outcome in found.items() if outcome.met == targets.MISSING]
    ok([name.split(":")[0] for name in lacking] == ["an idle thread, with stack", "the same",
                                                        "large/5to25m"],
       "a row is missing: not measured", lacking)
    whole = results({("BM_pair/64", "other", "time"): 0.01}, names=(*PEERS, "other", MINE))
    ok(judged(whole)[each].met == targets.YES, "another allocator than the four is no measure")
    whole = results()
    whole["rows"][0]["failures"][MINE] = "exit status 3"
    ok(judged(whole)[each].met == targets.NO, "a row that failed is not met")
    whole = results()
    whole["machine"]["cores"] = 1
    ok([name.split(":")[0] for name, outcome in judged(whole).items()
        if outcome.met == targets.MISSING] == ["churn, 2 threads"], "two threads on one core: not measured")


def check_text():
    whole = results({("BM_churn/threads:2", MINE, "rss"): 1.2},
                    without=["BM_large/realloc/grow_1gib"])
    summary = stats.summarise(whole)
    text, terminal = report.markdown(whole, summary), report.summary_text(whole, summary)
    lines = text.split("## Targets\n")[1].split("\n## ")[0].splitlines()
    cells = [line.split(" | ") for line in lines if line.startswith("| ")][2:]
    ok(len(cells) == len(WHAT) and sum(line[3] == "no |" for line in cells) == 1
       and sum(line[3] == "not measured |" for line in cells) == 1, "a table in the report", lines)
    ok(any("`churn/threads:2 1.15`" in line for line in lines), "the rows beyond are named", lines)
    shown = terminal.split("whether they are met:\n")[1].split("\n\n")[0].splitlines()
    ok(len(shown) == len(WHAT) and max(map(len, shown)) <= report.WIDE
       and sum(line.endswith("  no") for line in shown) == 1, "and on the terminal", shown)
    whole = results(names=PEERS)
    ok("## Targets" not in report.markdown(whole, stats.summarise(whole)),
       "no subject: no targets")


def main():
    check_the_rest(check_each_target())
    check_text()
    return done()


if __name__ == "__main__":
    sys.exit(main())

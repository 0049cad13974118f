# SPDX-License-Identifier: MIT
"""The comparison: its statistics, its schedule, and the command from end to end (TAP)."""

import json
import lzma
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SOURCE = os.environ.get("abs_top_srcdir") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("abs_top_builddir") or os.path.join(SOURCE, "build")
sys.path.insert(0, os.path.join(SOURCE, "bench"))
sys.dont_write_bytecode = True
# pylint: disable=wrong-import-position
from kmbench import allocators, bench_jobs, report, run, stats  # noqa: E402
from kmbench.job import Allocator, Context, Job, JobFailed, Row, Sample  # noqa: E402
import made_results as made  # noqa: E402

OURS = allocators.our_library(BUILD)


# Statistics ---------------------------------------------------------------

def noise(generator):
    """Of a busy machine: 2 % nearly always, and now and then something much slower."""
    slow = abs(generator.gauss(0, 0.4)) if generator.random() < 0.1 else 0
    return math.exp(generator.gauss(0, 0.02) + slow)


def made_results(rows, rounds, factors, seed=1, failing=()):
    """Results whose true time is a factor by allocator."""
    generator = random.Random(seed)
    made = []
    for index in range(rows):
        samples = {name: [{"round": turn, "time": 1e-8 * factor * noise(generator),
                           "peak_rss_kib": 4000 + generator.randrange(8) * 4}
                          for turn in range(rounds)] for name, factor in factors.items()}
        made.append({"name": f"row{index}", "suite": "micro", "family": "row", "what": "time",
                     "threads": 0, "samples": samples,
                     "failures": {name: "broken" for row, name in failing if row == index}})
    return {"allocators": [{"name": name} for name in factors], "base": "glibc",
            "subject": "libkmalloc", "settings": {}, "rows": made}


def significant(summary):
    return [(row.name, peer) for row in summary.compared for peer in summary.peers
            for metric in stats.METRICS
            if (row.compare(metric, summary.subject, peer) or stats.Comparison(1)).significant]


def test_t_tail_agrees_with_the_tables():
    for t, freedom, p in ((12.706, 1, 0.05), (2.5706, 5, 0.05), (3.1693, 10, 0.01),
                          (8.610, 4, 0.001), (3.7676, 23, 0.001)):
        assert abs(stats.t_tail(t, freedom) / p - 1) < 1e-3, (t, freedom)


def test_holm_corrects_as_the_book_says():
    corrected = stats.holm([0.01, 0.04, 0.03, 0.005])
    assert [round(p, 4) for p in corrected] == [0.03, 0.06, 0.06, 0.02]


def test_equal_allocators_differ_nowhere():
    wrong = 0
    for seed in range(40):
        summary = stats.summarise(made_results(60, 8, {"glibc": 1, "libkmalloc": 1, "x": 1}, seed))
        wrong += significant(summary) != []
        assert abs(summary.geomean("time", "libkmalloc", "x") - 1) < 0.015
    assert wrong <= 4, wrong        # ALPHA allows 2 of them


def test_a_real_difference_is_found_both_ways():
    summary = stats.summarise(made_results(50, 20, {"glibc": 1, "libkmalloc": 0.7}))
    assert len(significant(summary)) >= 45
    assert summary.lost("time") == []
    summary = stats.summarise(made_results(50, 20, {"glibc": 1, "libkmalloc": 1.4}))
    assert len(summary.lost("time")) >= 45
    assert abs(summary.geomean("time", "libkmalloc", "glibc") / 1.4 - 1) < 0.02


def test_what_failed_is_not_averaged():
    results = made_results(3, 8, {"glibc": 1, "libkmalloc": 0.5}, failing=[(0, "libkmalloc")])
    summary = stats.summarise(results)
    assert summary.rows[0].median("time", "libkmalloc") is None
    assert set(summary.ratios("time", "libkmalloc", "glibc")) == {"row1", "row2"}


def test_runs_that_contradict_each_other_are_told():
    first = stats.summarise(made_results(5, 12, {"glibc": 1, "libkmalloc": 0.7}))
    second = stats.summarise(made_results(5, 12, {"glibc": 1, "libkmalloc": 1.5}))
    judged, against, doubted = stats.disagreements(first, first)
    assert judged >= 4 and not against and not doubted
    judged, against, doubted = stats.disagreements(first, second)
    assert judged >= 4 and len(against) + len(doubted) == judged and against


def test_too_few_rounds_are_no_verdict():
    summary = stats.summarise(made_results(3, 3, {"glibc": 1, "libkmalloc": 3}))
    assert {row.compare("time", "libkmalloc", "glibc").verdict
            for row in summary.rows} == {"untested"}


def test_families_count_once():
    results = made_results(4, 5, {"glibc": 1, "libkmalloc": 1})
    for index, row in enumerate(results["rows"]):
        row["family"] = "many" if index else "single"
        for sample in row["samples"]["libkmalloc"]:
            sample["time"] = 1e-8 * (1 if index else 4)
        for sample in row["samples"]["glibc"]:
            sample["time"] = 1e-8
    assert abs(stats.summarise(results).geomean("time", "libkmalloc", "glibc") - 2) < 1e-9


def test_latency_is_judged_but_in_no_mean_and_the_worst_case_in_neither():
    results = made_results(4, 12, {"glibc": 1, "libkmalloc": 3})
    for row, what in zip(results["rows"][:2], ("time", "shown")):
        row["suite"], row["what"] = "latency", what
    for sample in results["rows"][0]["samples"]["glibc"]:
        sample["extra"] = {"clock_ns": 30.0}
    summary = stats.summarise(results)
    assert [row.name for row in summary.lost("time") if row.suite == "latency"] == ["row0"]
    assert [row.name for row in summary.averaged] == ["row2", "row3"]
    for sample in results["rows"][0]["samples"]["libkmalloc"]:
        sample["time"] *= 1000
    again = stats.summarise(results)
    assert again.geomean("time", "libkmalloc", "glibc") \
        == summary.geomean("time", "libkmalloc", "glibc")
    text = report.markdown(dict(made.make_results(rounds=1), rows=results["rows"]), summary)
    worst = [line for line in text.splitlines() if line.startswith("| `row1` |")]
    assert " ns | " in worst[0] and "| – | – |" in worst[0], worst
    assert "30.0 ns are the clock's own" in text


# Schedule -----------------------------------------------------------------

class Fake(Job):
    """Takes so long, and may fail."""

    def __init__(self, name, seconds, log, fails=None, at=0):
        super().__init__()
        self.name, self.rows, self.log = name, (Row(name, "micro", name),), log
        self.takes, self.seconds, self.fails, self.left = seconds, seconds, fails, at

    def run(self, context, allocator):
        self.log.append((self.name, allocator.name))
        time.sleep(self.takes)
        if allocator.name == self.fails:
            self.left -= 1
            if self.left < 0:
                raise JobFailed("exit status 3: it broke")
        return {self.name: Sample(time=1.0)}


class Silent(run.Progress):
    def show(self, text):
        pass

    def say(self, text):
        pass


def runner_of(jobs, budget, rounds=None):
    context = Context(SOURCE, BUILD, "/nonexistent", True)
    found = run.Runner(context, jobs, [Allocator(name) for name in "abc"], budget, rounds=rounds,
                       progress=Silent())
    found.run()
    return found


def test_every_allocator_goes_first_as_often():
    log = []
    runner_of([Fake(name, 0, log) for name in ("x", "y", "z")], 60, rounds=6)
    for job in "xyz":
        mine = [name for one, name in log if one == job]
        for place in range(3):
            assert sorted(mine[place::3]) == sorted("aabbcc"), (job, place, mine)
    assert all(len({job for job, _ in log[at:at + 3]}) == 1 for at in range(0, len(log), 3))


def test_a_costly_job_has_fewer_rounds():
    log = []
    runner_of([Fake(f"cheap{index}", 0.001, log) for index in range(6)]
              + [Fake("costly", 0.03, log)], 2.0)
    rounds = {name: [job for job, _ in log].count(name) // 3 for name in ("cheap0", "costly")}
    assert rounds["cheap0"] >= 1.4 * rounds["costly"] >= 4, rounds


def test_the_budget_is_kept_and_what_did_not_run_is_named():
    started = time.monotonic()
    found = runner_of([Fake("a", 0.1, []), Fake("b", 10, [])], 1.0)
    assert time.monotonic() - started < 1.5
    assert found.not_run == ["b"] and not found.complete


def test_an_error_that_no_job_foresaw_fails_that_job_alone():
    log = []
    broken = Fake("x", 0, log)
    broken.run = lambda context, allocator: 1 / 0
    found = runner_of([broken, Fake("y", 0, log)], 60, rounds=2)
    assert found.failures["x"]["a"].startswith("ZeroDivisionError: ")
    assert len(log) == 6 and not found.failures["y"]


def test_a_failing_row_is_reported_and_not_run_again():
    log = []
    found = runner_of([Fake("x", 0, log, fails="b", at=2)], 60, rounds=5)
    assert found.failures["x"] == {"b": "exit status 3: it broke"}
    assert log.count(("x", "b")) == 3 and log.count(("x", "a")) == 5


# The command --------------------------------------------------------------

class Folder:
    """A temporary one."""
    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="compare-test-")
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path)


def start(*arguments, **more):
    environment = dict(os.environ, abs_top_srcdir=SOURCE, abs_top_builddir=BUILD)
    return subprocess.Popen([sys.executable, os.path.join(SOURCE, "bench", "compare"), *arguments],
                            env=environment, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, **more)


def compare(*arguments):
    """(status, stdout, stderr)"""
    child = start(*arguments)
    out, err = child.communicate(timeout=120)
    return child.returncode, out, err


SMALL = ("--rows", "pair/64,batch/order/25", "--scale", "0.05", "--allocators")


def test_a_run_writes_results_and_a_report():
    with Folder() as path:
        status, out, err = compare(*SMALL, "glibc,libkmalloc", "--rounds", "5", "--output", path)
        assert status == 0, err
        with open(os.path.join(path, "results.json"), encoding="utf-8") as file:
            results = json.load(file)
        assert results["complete"] and len(results["rows"]) == 2
        assert all(len(row["samples"][name]) == 5 for row in results["rows"]
                   for name in ("glibc", "libkmalloc"))
        assert "pair/64" in open(os.path.join(path, "report.md"), encoding="utf-8").read()
        assert "libkmalloc" in out
        status, out, err = compare("--output", path, *SMALL, "glibc")
        assert status == 1 and "there is a results.json already" in err


def test_latency_has_rows_of_its_own_for_malloc_and_free():
    with Folder() as path:
        status, _, err = compare("--suites", "latency", "--scale", "0.02", "--rounds", "2",
                                 "--allocators", "glibc,libkmalloc,bad", "--allocator",
                                 f"bad={allocators.find_library('libm.so.6')}", "--output", path)
        assert status == 1, err
        with open(os.path.join(path, "results.json"), encoding="utf-8") as file:
            rows = {row["name"]: row for row in json.load(file)["rows"]}
        assert set(rows) == {f"latency/server/{call}/{figure}/threads:{threads}"
                             for call in ("malloc", "free") for threads in (1, 4)
                             for figure in ("p50", "p99", "p99.9", "max")}, list(rows)
        for row in rows.values():
            assert list(row["failures"]) == ["bad"] and "malloc came from" in row["failures"]["bad"]
            for name in ("glibc", "libkmalloc"):
                assert len(row["samples"][name]) == 2
                assert 0 < row["samples"][name][0]["time"] < 10


def test_a_report_goes_where_output_says():
    with Folder() as path, Folder() as other:
        packed = os.path.join(path, "results.json.xz")
        with lzma.open(packed, "wt", encoding="utf-8") as file:
            json.dump(made.make_results(rounds=1, suites=("large",)), file)
        status, out, err = compare("--report", packed, "--output", other)
        assert status == 0, err
        assert os.listdir(path) == ["results.json.xz"], os.listdir(path)
        with open(os.path.join(other, "report.md"), encoding="utf-8") as file:
            text = file.read()
        assert text.startswith("# Memory allocators compared") and not text.endswith("\n\n")
        assert "results.json" not in os.listdir(other) and ": report.md" in out, out


def test_an_allocator_that_does_not_load_is_a_failure():
    with Folder() as path:
        libm = allocators.find_library("libm.so.6")
        status, out, err = compare(*SMALL, "glibc,bad,libkmalloc", "--rounds", "2",
                                   "--allocator", f"bad={libm}", "--output", path)
        assert status == 1, err
        assert "FAILED: BM_pair/64 under bad: malloc came from" in err
        with open(os.path.join(path, "results.json"), encoding="utf-8") as file:
            row = json.load(file)["rows"][0]
        assert list(row["failures"]) == ["bad"] and len(row["samples"]["glibc"]) == 2


def test_ctrl_c_keeps_what_there_is():
    with Folder() as path:
        child = start(*SMALL, "glibc,libkmalloc", "--rounds", "100000", "--output", path)
        name = os.path.join(path, "results.json")
        for _ in range(300):            # it is written after each round
            if os.path.exists(name):
                break
            time.sleep(0.1)
        child.send_signal(signal.SIGINT)
        time.sleep(0.05)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=60)
        assert child.returncode == 130 and "interrupted" in err
        with open(name, encoding="utf-8") as file:
            results = json.load(file)
        assert results["rows"][0]["samples"]["glibc"]
        assert os.path.exists(os.path.join(path, "report.md"))


def test_what_is_wrong_is_named():
    for arguments, text in (
            (("--allocator", "x"), "--allocator x: expected NAME=PATH"),
            (("--allocator", "x=/no/such.so"), "there is no library at /no/such.so"),
            (("--allocator", "a|b=/x"), "expected a name of letters, digits and .+-_"),
            (("--allocator", "best=/x"), "expected a name of letters, digits and .+-_"),
            (("--subject", "foo"), "--subject foo: there is no allocator of this name"),
            (("--readme",), "--readme goes with --report"),
            (("--allocators", "foo"), "--allocators: there is none named foo"),
            (("--rows", "foo"), "--rows foo: no row is named so"),
            (("--budget", "soon"), "'soon': expected a time such as 90s or 10m"),
            (("--suites", "foo"), "--suites foo: expected one of micro"),
            (("--rounds", "0"), "'0': expected a number above 0")):
        status, _, err = compare(*arguments)
        assert status == 2 and text in err, (arguments, err)


def test_results_that_are_none_are_refused():
    with Folder() as path:
        name = os.path.join(path, "results.json")
        with open(name, "w", encoding="utf-8") as file:
            file.write("{}")
        status, _, err = compare("--report", name)
        assert status == 1 and "not the results of a run" in err


def test_a_missing_allocator_is_named():
    folders, allocators.FOLDERS = allocators.FOLDERS, ("/nonexistent",)
    try:
        found, missing = allocators.find_all(SOURCE, BUILD)
    finally:
        allocators.FOLDERS = folders
    assert [one.name for one in found] == ["glibc", "libkmalloc"]
    assert missing["tcmalloc"].endswith("is not installed (package libtcmalloc-minimal4)")


def test_row_names_lose_what_is_no_name():
    name = bench_jobs.row_name("BM_churn/64/iterations:500/process_time/real_time/threads:4")
    assert name == "BM_churn/64/threads:4"
    row = bench_jobs.row_of(name, "threads")
    assert (row.family, row.threads) == ("churn", 4)


# TAP ----------------------------------------------------------------------

def main():
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
    if not os.path.exists(os.path.join(BUILD, "bench", "bench-micro")):
        print("1..0 # SKIP bench-micro is not built (libbenchmark-dev)")
        return
    failed = 0
    for number, (name, test) in enumerate(tests, 1):
        try:
            test()
            print(f"ok {number} - {name.removeprefix('test_').replace('_', ' ')}", flush=True)
        except Exception as error:      # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} - {name.removeprefix('test_').replace('_', ' ')}")
            print(f"# {type(error).__name__}: {error}", flush=True)
    print(f"1..{len(tests)}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

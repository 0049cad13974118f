# SPDX-License-Identifier: MIT
"""The reports and plots of made-up results; prints TAP (bench/tests/report.sh)."""

import copy
import os
import re
import shutil
import sys
import tempfile
import time
import xml.etree.ElementTree

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kmbench import plots, report, stats        # noqa: E402
import made_results as made                     # noqa: E402
from tap import done, ok                        # noqa: E402


def all_texts(results):
    """(markdown, terminal, README)"""
    summary = stats.summarise(results)
    return (report.markdown(results, summary), report.summary_text(results, summary),
            report.readme_table(results, summary))


def section(text, title):
    """The lines below a heading of the Markdown, up to the next of its level or above."""
    lines, level, found = text.splitlines(), title.split()[0], []
    start = [number for number, line in enumerate(lines) if line.startswith(title)]
    if not start:
        return []
    for line in lines[start[0] + 1:]:
        if line.startswith("#") and len(line.split()[0]) <= len(level):
            break
        found.append(line)
    return found


def row_names(lines):
    return [match.group(1) for match in (re.match(r"\| `([^`]+)` \|", line) for line in lines)
            if match]


def tables_are_even(text):
    """Does every table have as many cells in each line?"""
    previous = None
    for line in text.splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else None
        if cells and previous and cells != previous:
            return False
        previous = cells
    return True


def check_order(summary, text):
    lost = [report.short(row.name) for row in summary.lost("time")]
    titles = [line for line in text.splitlines() if line.startswith("## ")]
    ok(titles[:3] == ["## Geometric means", "## Targets", "## Where libkmalloc is not the best"],
       "behind the means and the targets what was lost comes first", titles)
    found = row_names(section(text, "### Time: "))
    ok(len(found) > 3 and found == lost, "all of the rows lost are in, worst first", found)
    ok("pair/64" in found and "pair/256" not in found, "the row lost on purpose is one, the row "
       "won on purpose is none")
    line = [line for line in section(text, "### Time: ") if line.startswith("| `pair/64`")][0]
    peer = summary.best_peer([row for row in summary.rows if row.name == made.LOST][0], "time")
    ok(abs(float(line.split("|")[5]) - 2) < 0.1 and line.split("|")[6].strip() == peer,
       "with its ratio and the best peer", line)
    found = row_names(section(text, "### micro: time"))
    mine = [report.short(row.name) for row in summary.compared if row.suite == "micro"]
    number = len([name for name in lost if name in mine])
    ok(found[:number] == [name for name in lost if name in mine] and sorted(found) == sorted(mine),
       "a suite's table has all of its rows, those lost first", found)
    marks = {name: line.split("|") for line in section(text, "### micro: time")
             for name in row_names([line])}
    ok(marks["pair/64"][-4].strip().endswith(" -") and marks["pair/256"][-4].strip().endswith(" +"),
       "and the marks of both", (marks["pair/64"], marks["pair/256"]))
    ok(tables_are_even(text), "all lines of a table have the same number of cells")


def check_failures(whole):
    results = made.break_some(copy.deepcopy(whole))
    for sample in [row for row in results["rows"] if row["name"] == "redis/set"][0]["samples"][
            "mimalloc"]:
        sample["time"] = 1e6
    text, terminal, readme = all_texts(results)
    found = "\n".join(section(text, "## Failures"))
    ok("`redis/set` | mimalloc | `exit status 1: wrong output of GET \\| 1`" in found
       and "`sizes/gcc/1G` | tcmalloc" in found, "failures are listed, in one line each", found)
    line = [line for line in section(text, "### real: time") if line.startswith("| `redis/set`")]
    ok("| failed |" in line[0], "the table says that it failed", line)
    means = [line for line in section(text, "## Geometric means")
             if line.startswith("| Time | real")]
    cell = means[0].split("|")[6].strip()
    del results["rows"][[row["name"] for row in results["rows"]].index("redis/set")]
    without = stats.summarise(results)
    expected = without.geomean("time", "libkmalloc", "mimalloc", [
        row for row in without.rows if row.suite == "real"])
    ok(cell == f"{expected:.3f} (10)", "what failed enters no mean, and the mean says of how many "
       "rows it is", f"{cell}, not {expected}")
    ok("redis/set under mimalloc" in terminal and "`redis/set` (mimalloc)" in readme,
       "terminal and README name the failure")
    ok("gs is not installed (package ghostscript)" in text and "package ghostscript" in terminal
       and "snmalloc" in text and "snmalloc" in terminal, "so what was skipped or not found")


def check_fewer():
    """Fewer allocators, an interrupted run."""
    results = made.make_results(suites=("large", "replay", "real"))
    results["allocators"] = [found for found in results["allocators"]
                             if found["name"] != made.SUBJECT]
    results["missing"][made.SUBJECT] = "not built"
    for row in results["rows"]:
        row["samples"].pop(made.SUBJECT, None)
    texts = all_texts(results)
    ok(all("libkmalloc was not measured" in text for text in texts)
       and "jemalloc / glibc" in texts[0], "a missing subject: the others beside the base")
    ok("Where" not in texts[0] and "+ |" not in texts[0], "and no row is won or lost")
    for name in (made.BASE, made.SUBJECT):
        texts = all_texts(made.make_results(names=[name], rounds=2, suites=("large", "memory")))
        ok("`large/64K`" in texts[0] and "lost" not in "".join(texts) and tables_are_even(texts[0])
           and name in texts[1], f"{name} alone", texts[1] + texts[2])
    results = made.make_results(rounds=1, suites=("micro",))
    results["complete"] = False
    for row in results["rows"][5:]:
        row["samples"] = {}
    texts = all_texts(results)
    ok(all("NOT complete" in text for text in texts) and tables_are_even(texts[0]),
       "an interrupted run says so")
    results["rows"] = []
    ok(all(all_texts(results)), "no row at all")


def check_noise(number, texts):
    text, terminal, readme = texts
    ok(all("within noise" in part and "Holm" in part for part in (text, terminal))
       and f"all {number} comparisons" in text and "at least 2 %" in text
       and "significant at 1 %" in text, "what is within noise is said: correction and floor")
    alike = made.make_results(3, suites=("micro", "memory"), alike=True,
                              names=("glibc", "jemalloc", "libkmalloc"))
    text = all_texts(alike)[0]
    ok("### Time: 0 rows lost" in text and "### Peak RSS: 0 rows lost" in text
       and " - |" not in text and " + |" not in text, "equal allocators: no row lost or won")
    rows = report.text_rows(stats.summarise(alike)).splitlines()
    ok(len(rows) == 2 + len(alike["rows"]) and all(
        any(line.startswith(report.short(row["name"]) + " ") for line in rows)
        for row in alike["rows"]), "the terminal's table has every row", rows)
    ok(terminal.count("\n") <= 80, "the terminal gets at most 80 lines", terminal.count("\n"))
    ok(readme.count("\n") <= 45, "the README at most 45", readme.count("\n"))
    lost = made.make_results(5, suites=("large", "replay"))
    readme, summary = all_texts(lost)[2], stats.summarise(lost)
    ok(summary.lost("time") and all(f"`{report.short(row.name)}` " in readme
                                    for row in summary.lost("time")),
       "it names the rows lost", readme)


def check_figures():
    cells = [report.figure(value, "time") for value in (1.5e-8, 2.5e-6, 0.0123, 3.21, 125)]
    ok(cells == ["15.0 ns", "2.50 µs", "12.3 ms", "3.21 s", "125 s"], "units of time", cells)
    pairs = [report.api_partner(name) for name in
             ("BM_api/kmalloc/64", "BM_api_cache/64", "BM_malloc_cache/64", "BM_api_malloc/X")]
    ok(pairs == ["BM_api_malloc/kmalloc/64", "BM_malloc_cache/64", None, None],
       "rows of the API and their partners", pairs)


def check_api(summary, text):
    rows = {row.name: row for row in summary.rows}
    lines = section(text, "## The library's own API")
    found = row_names(lines)
    line = [line for line in lines if line.startswith("| `api/kmalloc/64`")][0].split("|")
    ratio = rows["BM_api/kmalloc/64"].median("time", "glibc") \
        / rows["BM_api_malloc/kmalloc/64"].median("time", "libkmalloc")
    ok(found == ["api/kmalloc/64", "api/alloc_pages/0"]
       and line[6].strip() == report.ratio_text(ratio), "the API beside malloc, in pairs", line)


def draw(results, folder):
    """(names of the files, lines of complaint)"""
    lines = []
    return plots.write(results, stats.summarise(results), folder, lines.append), lines


def sound(folder, name):
    path = os.path.join(folder, name)
    if name.endswith(".png"):
        with open(path, "rb") as file:
            return file.read(8) == b"\x89PNG\r\n\x1a\n" and os.path.getsize(path) > 2000
    tree = xml.etree.ElementTree.parse(path).getroot()
    return "viewBox" in tree.attrib and tree.tag.endswith("svg") and len(list(tree.iter())) > 50


def check_plots(whole, folder):
    if not shutil.which("gnuplot"):
        ok(True, "plots # SKIP gnuplot is not installed")
        return
    names, lines = draw(made.break_some(copy.deepcopy(whole)), folder)
    expected = ["overview", "rows-micro-1", "rows-micro-2", "rows-threads", "rows-large",
                "rows-replay", "rows-memory", "rows-real", "scaling", "scatter", "rss-over-time"]
    ok(names == [f"{name}.{kind}" for name in expected for kind in ("svg", "png")] and not lines,
       "all plots are drawn", (names, lines))
    bad = [name for name in names if not sound(folder, name)]
    ok(not bad, "each is a sound SVG or PNG", bad)
    with open(os.path.join(folder, "rows-micro-1.svg"), encoding="utf-8") as file:
        picture = file.read()
    ok("pair/64<" in picture and plots.SUBJECT_COLOUR[1:].lower() in picture.lower()
       .replace("rgb(213,  94,   0)", "d55e00").replace("rgb(213,94,0)", "d55e00"),
       "rows are named, and the subject has its colour")
    strange = "it's \"`touch x`\" @a\\b"
    few = made.make_results(2, names=("glibc", strange, "libkmalloc"), rounds=1,
                            suites=("large",))
    few["rows"][0]["samples"][strange][0]["time"] *= 100
    names, lines = draw(few, folder)
    ok("rows-large.svg" in names and "scaling.svg" not in names and not lines
       and all(sound(folder, name) for name in names) and not os.path.exists("x"),
       "part of the suites, one round, a strange name", (names, lines))
    ok(draw(made.make_results(names=["glibc"], rounds=1, suites=("large",)), folder) == ([], []),
       "one allocator alone: nothing to draw, and no error")


def check_gnuplot_fails(whole, folder):
    """With another gnuplot, or none, in PATH."""
    few = dict(whole, rows=[row for row in whole["rows"] if row["suite"] == "large"])
    path = os.environ["PATH"]
    try:
        os.environ["PATH"] = folder
        names, lines = draw(few, folder)
        ok(names == [] and len(lines) == 1 and "gnuplot is not installed" in lines[0],
           "no gnuplot: one line", (names, lines))
        with open(os.path.join(folder, "gnuplot"), "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho oh no >&2\nexit 3\n")
        os.chmod(os.path.join(folder, "gnuplot"), 0o755)
        os.environ["PATH"] = folder + ":" + path
        names, lines = draw(few, folder)
        ok(names == [] and len(lines) == 3 and all(
            line.endswith("gnuplot failed: oh no") for line in lines),
           "gnuplot fails: a line for each plot, no crash", (names, lines))
    finally:
        os.environ["PATH"] = path


def main():
    began = time.monotonic()
    whole = made.make_results()
    summary, texts = stats.summarise(whole), all_texts(whole)
    check_order(summary, texts[0])
    check_noise(summary.nr_comparisons, texts)
    check_api(summary, texts[0])
    check_failures(whole)
    check_fewer()
    check_figures()
    with tempfile.TemporaryDirectory() as folder:
        check_plots(whole, folder)
    with tempfile.TemporaryDirectory() as folder:
        check_gnuplot_fails(whole, folder)
    print(f"# {time.monotonic() - began:.1f} s")
    return done()


if __name__ == "__main__":
    sys.exit(main())

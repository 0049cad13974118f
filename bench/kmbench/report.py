# SPDX-License-Identifier: MIT
"""The results as text: the whole report in Markdown, a summary for the terminal, and the
table of the README.

The rows that the subject lost come first everywhere.  What failed or was missing is
named in sections of its own and enters no mean.  Nothing is decided here: medians,
ratios and which of them are significant are those of stats.py.
"""

import statistics
import textwrap

from . import targets

SUITES = ("micro", "threads", "latency", "large", "replay", "memory", "real")
MARKS = {"less": "+", "more": "-", "same": "=", "untested": "?"}
BEHIND = 1.05           # ratios from which on rows that are not proven to be lost are named
NOTHING = "–"
UNITS = (("ns", 1e-9), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0))
TITLES = {"time": "Time", "peak_rss_kib": "Peak RSS", "rss_after_kib": "RSS after idle"}
DETAILS = (("cpu", "CPU time"), ("minor_faults", "minor faults"),
           ("major_faults", "major faults"), ("voluntary_switches", "voluntary switches"),
           ("involuntary_switches", "involuntary switches"), ("mappings", "mappings"))
README_LOST = 12        # rows, which the README names one by one; else by family,
README_RATIO = 1.2      # those that lose at least so much
WIDE = 100              # columns of the terminal


# Figures ------------------------------------------------------------------

def digits(value):
    """Three significant digits, and never an exponent."""
    if value == 0:
        return "0"
    size = abs(value)
    places = 0 if size >= 99.95 else 1 if size >= 9.995 else 2 if size >= 0.995 else 3
    return f"{value:.{places}f}" if size >= 0.0005 else f"{value:.1g}"


def time_unit(seconds):
    """The unit in which a row is shown, by its least figure."""
    fitting = [unit for unit in UNITS if seconds >= unit[1]]
    return fitting[-1] if fitting else UNITS[0]


def ratio_text(ratio):
    return NOTHING if ratio is None else f"{ratio:.2f}" if ratio < 9.995 else digits(ratio)


def percent(value):
    return f"{100 * value:.0f} %" if value >= 0.0995 else f"{100 * value:.1f} %"


def count_text(number, noun, many=None):
    return f"{number} {noun}" if number == 1 else f"{number} {many or noun + 's'}"


def short(name):
    """A row's name as it is shown."""
    return name.removeprefix("BM_")


def one_line(text, most=160):
    text = " ".join(str(text).split())
    return text if len(text) <= most else text[:most - 1] + "…"


def code(text):
    """A name or message of others, in Markdown, also within a table."""
    return "`" + one_line(text).replace("`", "'").replace("|", "\\|") + "`"


def table(header, lines, left=1):
    """A Markdown table as a list of lines; all but the first columns are figures."""
    rule = ["---"] * left + ["--:"] * (len(header) - left)
    return ["| " + " | ".join(line) + " |" for line in [header, rule, *lines]]


# What was run -------------------------------------------------------------

def versions(results):
    return [f"{found['name']} {found['version']}".strip() for found in results["allocators"]]


def who_against_whom(results, summary):
    found = versions(results)
    subject = [text for text, name in zip(found, summary.names) if name == summary.subject]
    peers = [text for text, name in zip(found, summary.names) if name != summary.subject]
    if not subject:
        return f"{', '.join(peers) or 'no allocator'} ({results['subject']} was not measured)"
    return f"{subject[0]} against {', '.join(peers)}" if peers else f"{subject[0]} alone"


def rounds_text(summary):
    rounds = [row.rounds for row in summary.rows if row.samples]
    least, most = min(rounds, default=0), max(rounds, default=0)
    return count_text(least, "round") if least == most else f"{least} to {most} rounds"


def state_text(results):
    return "complete" if results["complete"] else \
        "NOT complete: it was interrupted, or its time was over before each job had run"


def machine_text(results):
    machine = results["machine"]
    parts = [machine.get("cpu"), count_text(machine["cores"], "core") if "cores" in machine else ""]
    if "memory_kib" in machine:
        parts.append(f"{machine['memory_kib'] / (1 << 20):.1f} GiB")
    if "kernel" in machine:
        parts.append(f"Linux {machine['kernel']}")
    parts += [machine.get("libc"), machine.get("os")]
    parts += [f"{title} {machine[key]}" for key, title in
              (("thp", "transparent huge pages"), ("governor", "governor"),
               ("page_size", "page size"), ("aslr", "ASLR"), ("overcommit", "overcommit"),
               ("load_before", "load before")) if machine.get(key) not in (None, "")]
    if machine.get("hypervisor"):
        parts.insert(1, "virtual machine")
    if machine.get("compiler"):
        parts.append(f"{machine['compiler']} {machine.get('cflags', '')}".strip())
    return one_line(", ".join(str(part) for part in parts if part), 400)


def settings_text(results):
    return one_line(", ".join(f"{key.replace('_', ' ')} {value}" for key, value
                              in results["settings"].items() if value is not None), 400)


def noise_text(results, summary):
    """Which differences are called differences, in words."""
    if not summary.subject:
        return ("No difference is judged here, since the allocator that the others would be "
                "compared with was not measured.")
    return (f"A difference is called one where, over the rounds, it is significant at "
            f"{100 * summary.alpha:g} % after Holm's correction for all "
            f"{getattr(summary, 'nr_comparisons', 'the')} comparisons of this run, and is at least "
            f"{100 * summary.floor:g} %; everything else is within noise. Rows with fewer than "
            f"{results['settings'].get('least_rounds', 'a few')} rounds are not judged.")


def headline(results, summary):
    command = " ".join(results.get("command", []))
    return [
        f"**{who_against_whom(results, summary)}**, in one interleaved {results['kind']} run "
        f"({code(command)}) of {results['date']}: {count_text(len(summary.rows), 'row')}, "
        f"{rounds_text(summary)} of each; {state_text(results)}.", "",
        f"Machine: {machine_text(results)}.", "",
        f"Settings: {settings_text(results)}.", "",
        "Figures are medians over the rounds, ratios are of medians, and lower is better in "
        "all of them: 0.80 is a fifth less. " + noise_text(results, summary), ""]


# Means --------------------------------------------------------------------

def mean_cell(summary, metric, name, of, rows):
    """A geometric mean, and of how many rows where these are not all."""
    mean = summary.geomean(metric, name, of, rows)
    number = len(summary.ratios(metric, name, of, rows))
    if mean is None:
        return NOTHING
    return f"{mean:.3f}" + (f" ({number})" if number != len(rows) else "")


def mean_columns(summary):
    """(title, name, of) of each column of the geometric means."""
    if not summary.subject:
        return [(f"{name} / {summary.base}", name, summary.base)
                for name in summary.names if name != summary.base]
    columns = [(f"{summary.subject} / {peer}", summary.subject, peer) for peer in summary.peers]
    return columns + ([("best peer", summary.subject, "best")] if len(columns) > 1 else [])


def by_suite(rows):
    """(suite, rows) in the order in which suites are shown."""
    suites = [suite for suite in SUITES if any(row.suite == suite for row in rows)]
    suites += sorted({row.suite for row in rows} - set(SUITES))
    return [(suite, [row for row in rows if row.suite == suite]) for suite in suites]


def scopes(summary):
    """(title, rows) of the geometric means: everything, and suite by suite."""
    found = by_suite(summary.averaged)
    return [("all", list(summary.averaged)), *found] if len(found) > 1 else found


def mean_lines(summary):
    """(metric, scope, number of rows, cells) of each line of the geometric means."""
    lines = []
    for metric in TITLES:
        for title, rows in scopes(summary):
            measured = [row for row in rows if row.compares(metric)
                        and any(row.median(metric, name) is not None for name in summary.names)]
            if measured:
                lines.append((metric, title, len(measured), [
                    mean_cell(summary, metric, name, of, measured)
                    for _, name, of in mean_columns(summary)]))
    return lines


def means_section(summary):
    columns = mean_columns(summary)
    if not columns or not summary.averaged:
        return []
    lines = [[TITLES[metric], scope, str(number), *cells]
             for metric, scope, number, cells in mean_lines(summary)]
    note = ("Geometric means of the ratios, row by row, in which each family of rows (`pair`, "
            "`batch`, `redis`) counts once. A number in brackets: so many rows, where the others "
            "failed or have no figure under one of the two.")
    if summary.subject:
        note += " Best peer: in each row the best of the others."
    return ["## Geometric means", "",
            *table(["", "suite", "rows", *(title for title, *_ in columns)], lines, left=2), "",
            note, ""]


# Targets ------------------------------------------------------------------

def targets_section(results, summary):
    found = targets.judge(results, summary)
    if not found:
        return []
    lines = [[target.what, "at most " + target.limit, outcome.measured or NOTHING, outcome.met]
             for target, outcome in found]
    return ["## Targets", "", *table(["what", "target", "measured", "met"], lines, left=4), "",
            f"Of the peers these are against {', '.join(targets.peers_of(summary)) or 'none'}. "
            "In means each family of rows counts once; the best mean is the least that one peer has "
            "over the same rows. Within noise: beyond the target, and that may be chance.", "",
            *beyond_lines(found)]


def beyond_lines(found):
    """The rows that are beyond a target, by name."""
    lines = []
    for target, outcome in found:
        if outcome.rows:
            lines += [f"Beyond *{target.what}*, {target.limit} (`?`: within noise): "
                      + ", ".join(code(row) for row in outcome.rows) + ".", ""]
    return lines


def text_targets(results, summary):
    found = targets.judge(results, summary)
    if not found:
        return []
    lines = [[target.what, target.limit, outcome.measured or NOTHING, outcome.met]
             for target, outcome in found]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return ["Targets (at most), what was measured, and whether they are met:",
            *("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
              for line in lines), ""]


# Rows lost ----------------------------------------------------------------

def best_of(summary, row, metric):
    """(best peer, Comparison of the subject with it), or (None, None)."""
    peer = summary.best_peer(row, metric) if summary.subject else None
    found = row.compare(metric, summary.subject, peer) if peer else None
    return (peer, found) if found else (None, None)


def verdict_counts(summary, metric):
    """(won, within noise, lost, too few rounds to tell): against the best peer of each row."""
    found = [best_of(summary, row, metric)[1] for row in summary.compared if row.compares(metric)]
    verdicts = [comparison.verdict for comparison in found if comparison]
    return tuple(verdicts.count(verdict) for verdict in ("less", "same", "more", "untested"))


def figure(value, metric, unit=None):
    if value is None:
        return NOTHING
    if metric in ("time", "cpu"):
        name, size = unit or time_unit(value)
        return f"{digits(value / size)} {name}"
    if metric.endswith("_kib"):
        return digits(value / 1024)
    return digits(value) if value != int(value) else f"{value:.0f}"


def lost_line(summary, row, metric):
    peer, found = best_of(summary, row, metric)
    mine, theirs = row.median(metric, summary.subject), row.median(metric, peer)
    unit = time_unit(min(mine, theirs))
    suffix = "" if metric == "time" else " MiB"
    return [code(short(row.name)), row.suite, figure(mine, metric, unit) + suffix,
            figure(theirs, metric, unit) + suffix, ratio_text(found.ratio), peer]


def counts_text(counts):
    """Of verdict_counts(): "2 won, 40 within noise, 4 lost", and what had too few rounds."""
    won, same, lost, untested = counts
    few = f", {untested} with too few rounds to tell" if untested else ""
    return f"{won} won, {same} within noise, {lost} lost{few}"


def behind(summary, metric):
    """Rows whose median is worse than that of the best peer, which is not proven: worst first."""
    found = []
    for row in summary.compared:
        peer, comparison = best_of(summary, row, metric)
        if (comparison and row.compares(metric) and comparison.ratio >= BEHIND
                and comparison.verdict in ("same", "untested")):
            found.append((comparison.ratio, row, peer))
    return sorted(found, key=lambda one: one[0], reverse=True)


def behind_lines(summary, metric):
    found = behind(summary, metric)
    if not found:
        return []
    return [f"{count_text(len(found), 'row')} more with a median at least {BEHIND:.2f} of that of "
            "the best peer, which this run does not prove: "
            + ", ".join(f"{code(short(row.name))} {ratio_text(ratio)} ({peer})"
                        for ratio, row, peer in found) + ".", ""]


def lost_section(summary):
    if not summary.subject or not summary.peers:
        return []
    lines = [f"## Where {summary.subject} is not the best", ""]
    for metric, title in TITLES.items():
        counts = verdict_counts(summary, metric)
        if not any(counts):
            continue
        lost = summary.lost(metric)
        lines += [f"### {title}: {count_text(len(lost), 'row')} lost", "",
                  f"Against the best peer of each row: {counts_text(counts)}.", ""]
        if lost:
            found = [lost_line(summary, row, metric) for row in lost]
            lines += table(["row", "suite", summary.subject, "the best", "ratio", "the best is"],
                           found, left=2) + [""]
        lines += behind_lines(summary, metric)
    return lines


# Every row ----------------------------------------------------------------

def losing_first(summary, rows, metric):
    lost = [row for row in summary.lost(metric) if row in rows]
    return lost + [row for row in rows if row not in lost]


def figure_cells(summary, row, metric):
    """The median of each allocator, the least one in bold."""
    medians = {name: row.median(metric, name) for name in summary.names}
    known = [value for value in medians.values() if value is not None]
    unit = time_unit(min(known)) if known else None
    cells = []
    for name, value in medians.items():
        text = figure(value, metric, unit)
        if name in row.failures:
            text = "failed"
        elif len(known) > 1 and value == min(known):
            text = f"**{text}**"
        cells.append(text)
    return cells


def judged_cell(row, metric, name, of):
    found = row.compare(metric, name, of) if of and name != of and row.compares(metric) else None
    return f"{ratio_text(found.ratio)} {MARKS[found.verdict]}" if found else NOTHING


def spread_cell(summary, row, metric):
    """(q3 - q1) / median: of the subject, and the largest of the others."""
    def relative(name):
        quartiles, median = row.spread(metric, name), row.median(metric, name)
        return (quartiles[1] - quartiles[0]) / median if quartiles and median else None

    spreads = {name: relative(name) for name in summary.names}
    mine = spreads.pop(summary.subject, None)
    others = max((value for value in spreads.values() if value is not None), default=None)
    shown = [NOTHING if value is None else percent(value) for value in (mine, others)]
    return " / ".join(shown if summary.subject else shown[1:])


def leanest(summary, row, metric, place):
    """Of the peers the one with the least (place 0) or second least (1) median, or None."""
    known = [(row.median(metric, name), name) for name in summary.peers
             if row.median(metric, name) is not None]
    return sorted(known)[place][1] if place < len(known) else None


def ratio_columns(summary, metric):
    """(title, function of a row that gives the cell) of each ratio of a suite's table."""
    subject, base = summary.subject, summary.base
    if not subject:
        return [(f"{name} / {base}",
                 lambda row, name=name: ratio_text(getattr(
                     row.compare(metric, name, base), "ratio", None)))
                for name in summary.names if name != base]
    columns = []
    if base in summary.peers:
        columns.append((f"/ {base}", lambda row: judged_cell(row, metric, subject, base)))
    places = ["best"] if metric == "time" else ["leanest", "2nd leanest"]
    for place, title in enumerate(places[:len(summary.peers)]):
        columns.append((f"/ {title}", lambda row, place=place: judged_cell(
            row, metric, subject, leanest(summary, row, metric, place))))
    return columns


def suite_table(summary, rows, metric):
    columns = ratio_columns(summary, metric)
    header = ["row", *summary.names, *(title for title, _ in columns), "spread", "rounds"]
    lines = [[code(short(row.name)), *figure_cells(summary, row, metric),
              *(cell(row) for _, cell in columns), spread_cell(summary, row, metric),
              str(row.rounds)]
             for row in losing_first(summary, rows, metric)]
    return table(header, lines)


def shown_in(row, metric, summary):
    """Does the row belong into the table of this figure?  Also where it failed everywhere."""
    if metric == "time":
        return row.shows(metric)
    return any(row.median(metric, name) is not None for name in summary.names)


def legend(summary):
    spread = "spread: (third quartile - first quartile) / median"
    text = ("Times are of one item where a row has items (bench/README.md), else of a whole run; "
            "memory is that of the largest process. Bold: the least figure of a row. ")
    if summary.subject:
        text += (f"Ratios are {summary.subject}'s; the sign behind one says what the difference "
                 f"is worth: `+` {summary.subject} needs less, `-` it needs more, `=` within "
                 f"noise, `?` too few rounds to tell. {spread} of {summary.subject} / the largest "
                 "of the others. ")
    else:
        text += f"{spread}, the largest. "
    return text.replace("spread:", "Spread:") + f"`{NOTHING}`: not measured."


def latency_note(results, rows):
    """What reading the clock costs, which is in all of these rows."""
    raw_of = raw_rows(results)
    costs = [sample["extra"]["clock_ns"] for row in rows
             for samples in raw_of[row.name]["samples"].values() for sample in samples
             if "clock_ns" in sample.get("extra", ())]
    if not costs:
        return []
    return [f"Of each figure {digits(statistics.median(costs))} ns are the clock's own, which "
            "nothing was taken off for. The worst case (`max`) is that of one call in a run, "
            "mostly one that was interrupted: the median over the rounds, not judged.", ""]


def rows_section(results, summary):
    lines = ["## Every row", "", legend(summary), ""]
    for suite, rows in by_suite(summary.compared):
        for metric, title in TITLES.items():
            found = [row for row in rows if shown_in(row, metric, summary)]
            if found:
                unit = "" if metric == "time" else ", MiB"
                lines += [f"### {suite}: {title.lower().replace('rss', 'RSS')}{unit}", "",
                          *suite_table(summary, found, metric), "",
                          *(latency_note(results, found) if suite == "latency" else ())]
    return lines


# Real programs, other figures, the API ------------------------------------

def raw_rows(results):
    return {row["name"]: row for row in results["rows"]}


def extra_medians(raw, name):
    """Figures of a row's own: name -> median, under one allocator."""
    found = {}
    for sample in raw["samples"].get(name, ()) if name not in raw["failures"] else ():
        for key, value in (sample.get("extra") or {}).items():
            if isinstance(value, (int, float)):
                found.setdefault(key, []).append(value)
    return {key: statistics.median(values) for key, values in found.items()}


def details_section(summary):
    rows = [row for row in summary.compared if row.suite == "real"]
    known = [(metric, title) for metric, title in DETAILS
             if any(row.median(metric, name) is not None for row in rows for name in summary.names)]
    if not known:
        return []
    lines = []
    for row in rows:
        first = code(short(row.name))
        for name in summary.names:
            if row.samples.get(name) or name in row.failures:
                cells = ["failed" if name in row.failures else figure(
                    row.median(metric, name), metric) for metric in ("time", *dict(known))]
                lines.append([first, name, *cells])
                first = ""
    return ["## Real programs: CPU, faults, switches, mappings", "",
            *table(["row", "allocator", "wall time", *(title for _, title in known)], lines,
                   left=2), ""]


def extras_section(results, summary):
    """What rows report beside the common figures, of the suites where that is little."""
    lines, raw_of = [], raw_rows(results)
    for row in summary.compared:
        if row.suite not in ("replay", "memory", "real") and row.what == "time":
            continue
        raw = raw_of[row.name]
        by_name = {name: extra_medians(raw, name) for name in summary.names}
        keys = sorted(set().union(*by_name.values()))
        lines += [[code(short(row.name)), key.replace("_", " "),
                   *("failed" if name in row.failures else
                     figure(by_name[name].get(key), "extra") for name in summary.names)]
                  for key in keys]
    if not lines:
        return []
    return ["## Other figures of rows", "", *table(["row", "figure", *summary.names], lines,
                                                   left=2), ""]


def api_partner(name):
    """The row that does by malloc what this one does by the API, or None.

    api/X goes with api_malloc/X, and api_WHAT/X with malloc_WHAT/X.
    """
    prefix = "BM_" if name.startswith("BM_") else ""
    head, slash, rest = name.removeprefix("BM_").partition("/")
    if head == "api":
        return f"{prefix}api_malloc{slash}{rest}"
    if head.startswith("api_") and head != "api_malloc":
        return f"{prefix}malloc_{head.removeprefix('api_')}{slash}{rest}"
    return None


def api_section(results, summary):
    rows = {row.name: row for row in summary.rows if row.suite == "api"}
    if not rows:
        return []
    subject = summary.subject or results["subject"]
    lines, partners = [], set()
    for row in rows.values():
        other = rows.get(api_partner(row.name))
        if other:
            partners.add(other.name)
            lines.append([code(short(row.name)), *api_cells(row, other, subject, summary.base)])
    lines += [[code(short(row.name)), *api_cells(row, None, subject, summary.base)]
              for row in rows.values() if row.name not in partners and not
              rows.get(api_partner(row.name))]
    return ["## The library's own API beside its malloc", "",
            "The same work by a function of the API, in a program that is linked with the library, "
            f"and by malloc of {subject}, preloaded, and of {summary.base}. Ratios of medians; "
            "these rows are in no mean above.", "",
            *table(["row", "API", "API, preloaded too", f"malloc of {subject}",
                    f"malloc of {summary.base}", f"API / malloc of {subject}",
                    f"API / malloc of {summary.base}"], lines), ""]


def api_cells(row, other, subject, base):
    """A row of the API without its partner has figures of its own only."""
    figures = [row.median("time", base), row.median("time", subject),
               other and other.median("time", subject), other and other.median("time", base)]
    known = [value for value in figures if value]
    unit = time_unit(min(known)) if known else None
    ratios = [figures[0] / against if figures[0] and against else None for against in figures[2:]]
    return [*(figure(value, "time", unit) for value in figures), *map(ratio_text, ratios)]


# What did not work --------------------------------------------------------

def failures(summary):
    """(row, allocator, reason) of each failure."""
    return [(row.name, name, why) for row in summary.rows for name, why in row.failures.items()]


def failures_section(results, summary):
    lines, failed = [], failures(summary)
    if failed:
        lines += ["## Failures", "", "Nothing of these is in a mean or a comparison.", "",
                  *table(["row", "allocator", "what happened"],
                         [[code(short(row)), name, code(why)] for row, name, why in failed],
                         left=3), ""]
    for key, title in (("missing", "Allocators that were not found"), ("skipped", "Skipped jobs")):
        if results.get(key):
            lines += [f"## {title}", "", *(f"- {name}: {one_line(why)}"
                                           for name, why in results[key].items()), ""]
    return lines


def markdown(results, summary):
    """The whole report."""
    lines = ["# Memory allocators compared", "", *headline(results, summary),
             *means_section(summary), *families_section(summary),
             *targets_section(results, summary), *lost_section(summary),
             *failures_section(results, summary), *rows_section(results, summary),
             *details_section(summary), *extras_section(results, summary),
             *api_section(results, summary)]
    return "\n".join(lines).rstrip("\n") + "\n"


# The terminal -------------------------------------------------------------

def text_table(lines):
    """Columns of equal width; the first is on the left."""
    widths = [max(map(len, column)) for column in zip(*lines)]
    return ["  ".join(cell.rjust(width) if place else cell.ljust(width)
                      for place, (cell, width) in enumerate(zip(line, widths))).rstrip()
            for line in lines]


def most(lines, number):
    """At most so many of them, and how many there are more."""
    if len(lines) <= number:
        return lines
    return lines[:number - 1] + [f"  and {len(lines) - number + 1} more: see the report"]


def text_means(summary):
    columns = mean_columns(summary)
    if not columns or not summary.averaged:
        return []
    titles = [title.replace(f"{summary.subject} / ", "/ ") if summary.subject else title
              for title, *_ in columns]
    lines = [[f"{TITLES[metric].lower().replace('rss', 'RSS')}, {scope}", str(number), *cells]
             for metric, scope, number, cells in mean_lines(summary) if metric != "rss_after_kib"]
    of = f"{summary.subject} as a ratio; " if summary.subject else ""
    return [f"Geometric means ({of}lower is better):",
            *("  " + line for line in text_table([["", "rows", *titles], *lines])), ""]


def text_rows(summary):
    """Every row for the terminal: times, and the subject's peak RSS."""
    subject, base = summary.subject, summary.base
    lines = [["row", *summary.names, f"/ {base}", "/ best", "peak RSS MiB", f"/ {base}", "/ best"]]
    for row in summary.compared:
        cells = []
        for metric in ("time", "peak_rss_kib"):
            peer = summary.best_peer(row, metric) if subject and row.compares(metric) else None
            if metric == "time":
                cells += [cell.strip("*") for cell in figure_cells(summary, row, metric)] \
                    if row.shows(metric) else [NOTHING] * len(summary.names)
            else:
                cells.append(figure(row.median(metric, subject or base), metric))
            cells += [judged_cell(row, metric, subject, of) if subject and peer else NOTHING
                      for of in (base, peer)]
        lines.append([short(row.name), *cells])
    legend_line = (f"Medians; ratios of {subject}: + less, - more, = within noise, "
                   "? too few rounds to tell") if subject else "Medians"
    return "\n".join([*text_table(lines), legend_line])


def text_lost(summary, metric, number):
    found = summary.lost(metric)
    counts = verdict_counts(summary, metric)
    if not any(counts):
        return []
    lines = []
    for row in found:
        peer, comparison = best_of(summary, row, metric)
        lines.append([short(row.name), ratio_text(comparison.ratio), f"of {peer}"])
    return [f"{TITLES[metric]} against the best peer: {counts_text(counts)}"
            + ("; lost, worst first:" if found else ""),
            *most(["  " + line for line in text_table(lines)], number)]


def text_problems(results, summary):
    groups = (("Failed:", [f"  {short(row)} under {name}: {one_line(why, 60)}"
                           for row, name, why in failures(summary)], 5),
              ("Not found:", [f"  {name}: {one_line(why, 90)}"
                              for name, why in results.get("missing", {}).items()], 3),
              ("Skipped:", [f"  {name}: {one_line(why, 90)}"
                            for name, why in results.get("skipped", {}).items()], 4))
    lines = []
    for title, found, number in groups:
        lines += [title, *most(found, number)] if found else []
    return lines


def summary_text(results, summary):
    """For the terminal, at most 80 lines."""
    lines = [f"{who_against_whom(results, summary)}",
             f"{count_text(len(summary.rows), 'row')}, {rounds_text(summary)}, "
             f"{results['kind']} run of {results['date']}, {state_text(results)}",
             *textwrap.wrap(machine_text(results), WIDE),
             *textwrap.wrap(settings_text(results), WIDE), "", *text_means(summary),
             *text_targets(results, summary)]
    if summary.subject and summary.peers:
        lines += text_lost(summary, "time", 10) + text_lost(summary, "peak_rss_kib", 5)
    lines += ["", *textwrap.wrap(noise_text(results, summary), WIDE)]
    lines += text_problems(results, summary)
    return "\n".join(lines)


# The README ---------------------------------------------------------------

def families(summary):
    """title -> rows, in the order of the suites."""
    found = {}
    for suite, rows in by_suite(summary.averaged):
        for row in rows:
            found.setdefault((suite, row.family), []).append(row)
    return found


def both_means(summary, name, of, rows):
    """Time and peak RSS in one cell."""
    return " · ".join(ratio_text(summary.geomean(metric, name, of, rows))
                      for metric in ("time", "peak_rss_kib"))


def group_table(summary, groups, first):
    """A line for each of title -> rows: every allocator beside the base, and the subject beside
    the best peer."""
    others = [name for name in summary.peers if name != summary.base]
    columns = [(name, name, summary.base) for name in ([summary.subject] if summary.subject
                                                       else []) + others]
    if summary.subject and len(summary.peers) > 1:
        columns.append((f"{summary.subject} / best peer", summary.subject, "best"))
    lines = [[title, str(len(rows)), *(both_means(summary, name, of, rows)
                                       for _, name, of in columns)]
             for title, rows in groups.items()]
    return table([first, "rows", *(title for title, *_ in columns)], lines)


def families_section(summary):
    groups = {f"{suite}: {family}": rows for (suite, family), rows in families(summary).items()}
    if not groups:
        return []
    return ["### By family", "",
            f"Time · peak RSS, as ratios of {summary.base}'s where the column names no other.", "",
            *group_table(summary, groups, "family"), ""]


def readme_lost(summary):
    lines = []
    for metric in ("time", "peak_rss_kib"):
        rows = []
        for row in summary.lost(metric):
            peer, found = best_of(summary, row, metric)
            rows.append((row, found.ratio, peer))
        counts = verdict_counts(summary, metric)
        if any(counts):
            lines += [f"{TITLES[metric]}, of {count_text(sum(counts), 'row')} against the best "
                      f"peer: {counts_text(counts)}"
                      + (": " + lost_text(summary, rows) if rows else "") + ".", ""]
    return lines


def lost_text(summary, lost):
    """Rows of (row, ratio, best peer), each named; where that would be no reading, by family."""
    if len(lost) <= README_LOST:
        return ", ".join(f"{code(short(row.name))} {ratio_text(ratio)} ({peer})"
                         for row, ratio, peer in lost)
    found = {}
    for row, ratio, peer in lost:
        found.setdefault((row.suite, row.family), []).append((row, ratio, peer))
    named = [rows for rows in found.values() if rows[0][1] >= README_RATIO]
    less = f", and {count_text(len(found) - len(named), 'family', 'families')} by less than " \
        f"{README_RATIO:g}" if len(named) < len(found) else ""
    return ("the worst of each family: " + ", ".join(
        f"{code(short(rows[0][0].name))} {ratio_text(rows[0][1])} ({rows[0][2]})"
        for rows in named) + less)


def readme_table(results, summary):
    """The compact table: a line for each suite, and the rows lost."""
    tail = readme_lost(summary) if summary.subject else []
    head = [f"{who_against_whom(results, summary)}; {results['machine'].get('cpu', '')}, "
            f"{results['date'][:10]}, {count_text(len(summary.rows), 'row')}, "
            f"{rounds_text(summary)}, {state_text(results)}. Geometric means of time · peak RSS, "
            f"as ratios of {summary.base}'s where the column names no other; lower is better.", ""]
    failed = failures(summary)
    if failed:
        tail.append(f"{count_text(len(failed), 'measurement')} failed and are in no mean: "
                    + ", ".join(f"{code(short(row))} ({name})" for row, name, _ in failed) + ".")
    lines = [*head, *group_table(summary, dict(scopes(summary)), "suite"), "", *tail]
    return "\n".join(line if line.startswith("|") else textwrap.fill(
        line, WIDE, break_on_hyphens=False) for line in lines).rstrip("\n")

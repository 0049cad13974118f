# SPDX-License-Identifier: MIT
"""The results as pictures, drawn by gnuplot: each as SVG and as PNG.

	overview        geometric means by suite, time and peak RSS
	rows-SUITE      every row, a line each
	scaling         throughput by number of threads
	scatter         time against peak RSS, a point for each allocator
	rss-over-time   rows that sampled their RSS while they ran

Everything is shown as a ratio of the base allocator where it is one; lower is better
but for throughput, and each title says so.  An allocator has its colour and its mark
in all of them, the subject the strongest.  What the results lack is left out.
"""

import collections
import contextlib
import math
import os
import re
import shutil
import subprocess

from kmbench import report

# The palette of Okabe and Ito, which the colour-blind can tell apart too.
SUBJECT_COLOUR = "#D55E00"
COLOURS = {"glibc": "#555555", "jemalloc": "#0072B2", "mimalloc": "#009E73", "tcmalloc": "#CC79A7"}
MORE_COLOURS = ("#E69F00", "#56B4E9", "#332288", "#882255", "#8A8A2E", "#A0522D")
SUBJECT_MARK = 7                                # a filled circle
MARKS = {"glibc": 2, "jemalloc": 5, "mimalloc": 9, "tcmalloc": 13}
MORE_MARKS = (11, 15, 4, 8, 12, 10)
BASE_LINE = "#222222"
FONT, WIDTH = "DejaVu Sans", 900
SCATTER_SIZE = (WIDTH - 94, 496)                # of its panel, in pixels
MOST_ROWS, MOST_PANELS = 40, 12                 # a picture
LONGEST = 40                                    # a row's name, in characters
FARTHEST = 32.0                                 # ratios beyond are drawn at the edge
SHORT_TITLES = {"time": "time", "peak_rss_kib": "peak RSS", "rss_after_kib": "RSS after idle"}


# gnuplot ------------------------------------------------------------------

def quoted(text):
    """A string of gnuplot, which expands nothing between single quotes."""
    return "'" + " ".join(str(text).split()).replace("'", "''") + "'"


def cell(value):
    """A figure or word within a block of data."""
    if value is None:
        return "NaN"
    if isinstance(value, str):
        return '"' + " ".join(value.split()).translate(str.maketrans('"\\`', "'/'")) + '"'
    return f"{value:.6g}"


class Picture:
    """A script of gnuplot under construction."""

    def __init__(self, name, height, width=WIDTH):
        self.name, self.width, self.height = name, width, height
        self.blocks, self.lines = [], []

    def add(self, *lines):
        self.lines += lines

    def data(self, points):
        """Define a block of data; the answer is its name."""
        name = f"$data{len(self.blocks)}"
        body = [" ".join(map(cell, point)) for point in points]
        self.blocks.append("\n".join([f"{name} << EOD", *body, "EOD"]))
        return name

    def plot(self, *items):
        self.add("plot " + ", \\\n  ".join(items))

    def script(self, directory):
        lines = [*self.blocks]
        for kind, terminal in (("svg", "svg"), ("png", "pngcairo")):
            path = os.path.join(directory, f"{self.name}.{kind}")
            lines += ["reset", f"set terminal {terminal} size {self.width},{self.height} "
                      f"noenhanced font '{FONT},11' background rgb 'white'",
                      f"set output {quoted(path)}", *STYLE, *self.lines, "unset multiplot",
                      "set output"]
        return "\n".join(lines) + "\n"

    def draw(self, gnuplot, directory):
        """The files made; raises OSError with one line where gnuplot failed."""
        names = [f"{self.name}.svg", f"{self.name}.png"]
        try:
            done = subprocess.run([gnuplot, "-"], input=self.script(directory), text=True,
                                  capture_output=True, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            raise OSError("gnuplot took more than 60 s") from None
        if done.returncode:
            for name in names:
                with contextlib.suppress(OSError):
                    os.unlink(os.path.join(directory, name))
            words = [line.strip() for line in done.stderr.splitlines() if line.strip()]
            why = words[-1] if words else f"status {done.returncode}"
            raise OSError(f"gnuplot failed: {why}")
        self.finish_svg(os.path.join(directory, names[0]))
        return names

    def finish_svg(self, path):
        """Fonts for machines that do not have ours, bold as SVG says it, and a name.

        gnuplot writes points where a browser reads pixels, so the sizes grow.
        """
        family = f'font-family="{FONT}, Verdana, sans-serif"'
        with open(path, encoding="utf-8") as file:
            text = file.read()
        text = text.replace(f'font-family="{FONT}:Bold"', f'{family} font-weight="bold"')
        text = text.replace(f'font-family="{FONT}"', family)
        text = re.sub(r'font-size="([0-9.]+)"',
                      lambda found: f'font-size="{float(found[1]) * 1.22:.1f}"', text)
        text = text.replace("<title>Gnuplot</title>", f"<title>{self.name}</title>", 1)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


STYLE = ("set border 3 lc rgb '#888888'", "set tics nomirror tc rgb '#222222' scale 0.5",
         "set grid lc rgb '#dddddd' lw 1 lt 1", "unset key",
         "set style fill solid 1.0 noborder")


def styles(results, summary):
    """name -> (colour, mark); the same for a name in every run, but that the subject's is fixed."""
    found, more = {}, 0
    for name in summary.names:
        if name == (summary.subject or results["subject"]):
            found[name] = SUBJECT_COLOUR, SUBJECT_MARK
        elif name in COLOURS:
            found[name] = COLOURS[name], MARKS[name]
        else:
            found[name] = (MORE_COLOURS[more % len(MORE_COLOURS)],
                           MORE_MARKS[more % len(MORE_MARKS)])
            more += 1
    return found


def subject_first(summary):
    return sorted(summary.names, key=lambda name: name != summary.subject)


def box(picture, left, right, top, bottom):
    """Where a panel is, in pixels from the left and from the top."""
    return [f"set lmargin at screen {left / picture.width:.4f}",
            f"set rmargin at screen {right / picture.width:.4f}",
            f"set tmargin at screen {1 - top / picture.height:.4f}",
            f"set bmargin at screen {1 - bottom / picture.height:.4f}"]


def head(picture, title, subtitle, entries=()):
    """Title, what is better, and the key: a panel of its own, the first one.

    The picture grows by what the key needs; the answer is where it ends, in pixels.
    """
    places, lines = key_places(picture, [text for text, *_ in entries])
    picture.height += 18 * lines
    bottom = 50 + 18 * lines
    titles = ((title, 18, f"font '{FONT}:Bold,13' tc rgb '#111111'"),
              (subtitle, 38, "tc rgb '#444444'"))
    picture.add("set multiplot",
                *box(picture, 0, picture.width, 0, bottom), "unset border", "unset tics",
                f"set xrange [0:{picture.width}]", f"set yrange [{bottom}:0]",
                *(f"set label {number} {quoted(text)} at {12},{down} left {look}"
                  for number, (text, down, look) in enumerate(titles, 1)))
    items = ["NaN with points"]
    for (text, colour, form), (x, y) in zip(entries, places):
        block = picture.data([(x, y, text), (x + 22, y, "")])
        middle = f"{block} every ::0::0 using ($1+11):2"
        if form == "box":
            items.append(f"{middle}:($1+2):($1+20):($2-5):($2+5) with boxxyerror lc rgb '{colour}'")
        elif form != "line":
            items.append(f"{middle} with points pt {form} ps 1.1 lc rgb '{colour}'")
        if form == "line":
            items.append(f"{block} using 1:2 with lines lw 3 lc rgb '{colour}'")
        items.append(f"{block} every ::0::0 using ($1+27):2:3 with labels left")
    picture.plot(*items)
    picture.add("unset label", *STYLE)
    return bottom


def key_places(picture, texts):
    """Where each entry of the key goes, and how many lines they are."""
    places, x, line = [], 12, 0
    for text in texts:
        width = 46 + 7.6 * len(text)
        if x + width > picture.width and x > 12:
            x, line = 12, line + 1
        places.append((x, 60 + 18 * line))
        x += width
    return places, line + 1 if texts else 0


def entries(look, names, form=None, base=None):
    """The entries of a key: each allocator with its mark, or as lines or boxes; base: at 1."""
    found = [(name, look[name][0], form or look[name][1]) for name in names]
    return found + ([(f"{base} = 1", BASE_LINE, "line")] if base else [])


# Overview -----------------------------------------------------------------

def overview(results, summary, look):
    """Bars: geometric means by suite."""
    names = [name for name in subject_first(summary) if name != summary.base]
    panels = [panel for panel in (overview_bars(summary, names, metric)
                                  for metric in ("time", "peak_rss_kib")) if panel[1]]
    if not names or not panels:
        return []
    picture = Picture("overview", 66 + 240 * len(panels))
    above = head(picture, f"Time and memory beside {summary.base}: geometric means",
                 f"Ratios, {summary.base} = 1; in brackets the number of rows. "
                 "Shorter bars are better.", entries(look, names, "box", summary.base))
    for place, panel in enumerate(panels):
        top = above + 18 + 240 * place
        picture.add(*box(picture, 62, picture.width - 14, top, top + 200))
        overview_panel(picture, summary, look, names, panel)
    return [picture]


def overview_bars(summary, names, metric):
    """(metric, [(x, name, ratio)], [(x, scope)])"""
    bars, groups, left = [], [], 0.0
    for scope, rows in report.scopes(summary):
        found = [(name, summary.geomean(metric, name, summary.base, rows)) for name in names]
        if not any(ratio for _, ratio in found):
            continue
        bars += [(left + place, name, ratio) for place, (name, ratio) in enumerate(found) if ratio]
        number = len(summary.ratios(metric, names[0], summary.base, rows))
        groups.append((left + (len(names) - 1) / 2, f"{scope} ({number})"))
        left += len(names) + 0.6
    return metric, bars, groups


def overview_panel(picture, summary, look, names, panel):
    metric, bars, groups = panel
    top = min(2.4, max(1.2, max(ratio for *_, ratio in bars)) * 1.15)
    right = groups[-1][0] + len(names) / 2 + 0.1
    tics = ", ".join(f"{quoted(scope)} {x:.3f}" for x, scope in groups)
    picture.add(f"set xrange [{-0.7}:{right:.3f}]", f"set yrange [0:{top:.3f}]",
                f"set xtics nomirror ({tics}) scale 0 font ',11'",
                "set ytics nomirror 0.5", "unset grid", "set grid ytics lc rgb '#dddddd' lt 1",
                f"set ylabel {quoted(SHORT_TITLES[metric] + ' / ' + summary.base)} offset 1")
    items = []
    for name in names:
        block = picture.data([(x, min(ratio, top), -0.46, 0.46)
                              for x, who, ratio in bars if who == name])
        items.append(f"{block} using 1:2:($1+$3):($1+$4):(0):2 with boxxyerror "
                     f"lc rgb '{look[name][0]}'")
    items.append(f"1 with lines lc rgb '{BASE_LINE}' lw 2")
    for least, colour in ((0.22, "white"), (0, "#222222")):      # within the bar, or above it
        found = [(x, 0.03 * top + (0 if least else ratio), report.ratio_text(ratio))
                 for x, _, ratio in bars if (ratio >= 0.22 * top) == bool(least)]
        if found:       # an empty block of labels crashes gnuplot 5.4
            items.append(f"{picture.data(found)} using 1:2:3 with labels rotate by 90 left "
                         f"font '{FONT}:Bold,10' tc rgb '{colour}'")
    found = [(x, top, report.ratio_text(ratio)) for x, _, ratio in bars if ratio > top]
    if found:           # the bar is cut off
        items.append(f"{picture.data(found)} using 1:2:3 with labels center offset 0,0.5 "
                     "font ',10' tc rgb '#222222'")
    picture.plot(*items)


# Rows ---------------------------------------------------------------------

def row_pictures(results, summary, look):
    found = []
    for suite, rows in report.by_suite(summary.compared):
        metrics = [metric for metric in SHORT_TITLES if any(
            summary.ratios(metric, name, summary.base, rows)
            for name in summary.names if name != summary.base)][:2]
        if not metrics:
            continue
        rows = [row for row in rows if any(row.name in summary.ratios(
            metric, name, summary.base, rows) for metric in metrics for name in summary.names
            if name != summary.base)]
        rows = by_subject(summary, rows, metrics)
        parts = -(-len(rows) // MOST_ROWS)
        size = -(-len(rows) // parts)
        for part in range(parts):
            name = f"rows-{suite}" + (f"-{part + 1}" if parts > 1 else "")
            title = f"{suite}: every row" + (f", {part + 1} of {parts}" if parts > 1 else "")
            found.append(row_picture(summary, look, name, title,
                                     rows[part * size:(part + 1) * size], metrics))
    return found


def by_subject(summary, rows, metrics):
    """Worst of the subject first."""
    who = summary.subject or next(name for name in summary.names if name != summary.base)

    def ratio(row):
        for metric in metrics:
            found = row.compare(metric, who, summary.base) if row.compares(metric) else None
            if found:
                return found.ratio
        return 0.0
    return sorted(rows, key=ratio, reverse=True)


def label(row):
    """A row's name, cut in its middle where it is too long."""
    name = report.short(row.name)
    return name if len(name) <= LONGEST else name[:LONGEST // 2] + "…" + name[-LONGEST // 2 + 1:]


def row_picture(summary, look, name, title, rows, metrics):
    line = 19
    picture = Picture(name, 62 + line * len(rows) + 50)
    order = (f"The worst of {summary.subject} at the top; whiskers are its quartiles."
             if summary.subject else "")
    names = [name for name in subject_first(summary) if name != summary.base]
    above = 12 + head(picture, title, f"Ratio to {summary.base}: farther left is better. {order}",
                      entries(look, names, base=summary.base))
    left = 20 + 7.4 * max(len(label(row)) for row in rows)
    width = (picture.width - 20 - left - 24 * (len(metrics) - 1)) / len(metrics)
    for place, metric in enumerate(metrics):
        start = left + place * (width + 24)
        picture.add(*box(picture, start, start + width, above, above + line * len(rows)))
        row_panel(picture, summary, look, rows, metric, first=place == 0)
    return picture


def ratio_range(values):
    """From, to and marks of a logarithmic axis of ratios around 1."""
    inside = [min(max(value, 1 / FARTHEST), FARTHEST) for value in values] or [1.0]
    least, largest = min(0.8, *inside, 1), max(1.25, *inside, 1)
    marks = (0.0625, 0.25, 1, 4, 16) if largest / least > 32 else (0.125, 0.25, 0.5, 1, 2, 4, 8)
    if largest / least < 6:
        marks = (0.2, 0.3, 0.5, 0.7, 1, 1.4, 2, 3, 5)
    if largest / least < 2:
        marks = (0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5)
    return least / 1.08, largest * 1.08, marks


def tic_list(marks):
    return ", ".join(f"'{mark:g}' {mark}" for mark in marks)


def row_panel(picture, summary, look, rows, metric, first):
    names = [name for name in reversed(subject_first(summary)) if name != summary.base]
    points = {name: [(place, row, found.ratio) for place, row in enumerate(rows)
                     if row.compares(metric)
                     for found in [row.compare(metric, name, summary.base)] if found]
              for name in names}
    low, high, marks = ratio_range([ratio for found in points.values() for *_, ratio in found])
    labels = ", ".join(f"{quoted(label(row) if first else '')} {place}"
                       for place, row in enumerate(rows))
    picture.add("set logscale x 2", f"set xrange [{low:.4f}:{high:.4f}]",
                f"set xtics nomirror ({tic_list(marks)})",
                f"set yrange [{len(rows) - 0.5}:-0.5]",
                f"set ytics nomirror ({labels}) scale 0 font ',10'",
                "set grid xtics ytics lc rgb '#e4e4e4' lt 1",
                f"set xlabel {quoted(SHORT_TITLES[metric] + ' / ' + summary.base)} offset 0,0.3")
    line = picture.data([(1.0, -0.5), (1.0, len(rows) - 0.5)])
    items = [f"{line} using 1:2 with lines lc rgb '{BASE_LINE}' lw 2"]
    for name in names:
        items += row_points(picture, summary, look, (metric, name), points[name])
    items += edge_labels(picture, points, low, high)
    picture.plot(*items)


def row_points(picture, summary, look, what, found):
    metric, name = what
    colour, mark = look[name]
    edge = FARTHEST
    inside = [(min(max(ratio, 1 / edge), edge), place) for place, _, ratio in found]
    items = []
    if name == summary.subject:
        whiskers = []
        for place, row, ratio in found:
            quartiles, median = row.spread(metric, name), row.median(metric, name)
            if quartiles and median and 1 / edge < ratio < edge:
                whiskers.append((ratio, place, ratio * quartiles[0] / median,
                                 ratio * quartiles[1] / median))
        block = picture.data(whiskers or [(None, None, None, None)])
        items.append(f"{block} using 1:2:3:4 with xerrorbars pt 0 lw 1.5 lc rgb '{colour}'")
    block = picture.data(inside or [(None, None)])
    size = 1.25 if name == summary.subject else 0.85
    items.append(f"{block} using 1:2 with points pt {mark} ps {size} lc rgb '{colour}'")
    return items


def edge_labels(picture, points, low, high):
    """The figure of what is too far out to be drawn: the farthest one of each row and side."""
    outside = {}
    for found in points.values():
        for place, _, ratio in found:
            if ratio > FARTHEST:
                outside[place, 1] = max(ratio, outside.get((place, 1), 0))
            elif ratio < 1 / FARTHEST:
                outside[place, 0] = min(ratio, outside.get((place, 0), 1))
    items = []
    sides = ((1 / FARTHEST, "left", 1), (FARTHEST, "right", -1))
    for side, (at, align, offset) in enumerate(sides):
        found = [(at, place, report.digits(ratio)) for (place, which), ratio in outside.items()
                 if which == side]
        if found:
            items.append(f"{picture.data(found)} using 1:2:3 with labels {align} "
                         f"offset {offset},0 font ',10' tc rgb '#222222'")
    return items


# Scaling ------------------------------------------------------------------

def without_threads(row):
    """The curve that a threaded row is a point of."""
    parts = [part for part in report.short(row.name).split("/")
             if part not in (f"threads:{row.threads}", str(row.threads))]
    return "/".join(parts)


def curves(summary):
    """curve -> {threads: row}, where there are at least two points."""
    found = collections.OrderedDict()
    for row in summary.compared:
        if row.threads and row.what == "time":
            found.setdefault(without_threads(row), {})[row.threads] = row
    return {name: rows for name, rows in found.items() if len(rows) > 1}


def panel_boxes(picture, number, columns, above, height, left=58):
    """The places of small multiples, row by row."""
    width = (picture.width - 8) / columns
    for place in range(number):
        across, down = place % columns, place // columns
        top = above + down * height
        yield box(picture, across * width + left, (across + 1) * width - 14, top, top + height - 82)


def scaling(results, summary, look):
    found = list(curves(summary).items())
    parts = -(-len(found) // MOST_PANELS)
    size = -(-len(found) // max(parts, 1))
    return [scaling_picture(results, summary, look, found[part * size:(part + 1) * size],
                            f"-{part + 1}" if parts > 1 else "") for part in range(parts)]


def scaling_picture(results, summary, look, found, suffix):
    columns = min(3, len(found))
    picture = Picture(f"scaling{suffix}", 40 + 255 * -(-len(found) // columns))
    cores = results["machine"].get("cores")
    above = head(picture, "Throughput by number of threads",
                 "Million items a second, all threads together: higher is better."
                 + (f" The machine has {report.count_text(cores, 'core')}." if cores else ""),
                 entries(look, subject_first(summary)))
    places = panel_boxes(picture, len(found), columns, above + 30, 255)
    for number, ((curve, rows), where) in enumerate(zip(found, places)):
        picture.add(*where)
        scaling_panel(picture, summary, look, curve, rows, left=number % columns == 0)
    return picture


def scaling_panel(picture, summary, look, curve, rows, left):
    threads = sorted(rows)
    lines = {name: [(n, 1e-6 / rows[n].median("time", name)) for n in threads
                    if rows[n].median("time", name)] for name in summary.names}
    rates = [rate for points in lines.values() for _, rate in points]
    top = max(rates, default=1.0) * 1.1
    picture.add(f"set title {quoted(curve)} font ',11' offset 0,-0.5", "set logscale x 2",
                "set xtics nomirror (" + ", ".join(str(n) for n in threads) + ")",
                f"set xrange [{threads[0] / 1.15}:{threads[-1] * 1.15}]",
                f"set yrange [0:{top:.5g}]", "set xlabel 'threads' offset 0,0.4",
                "set ylabel 'million items/s' offset 0.5" if left else "unset ylabel",
                "set format y '%.3g'", "set ytics nomirror autofreq")
    items = []
    for name in reversed(subject_first(summary)):
        colour, mark = look[name]
        width, size = (2.6, 0.9) if name == summary.subject else (1.5, 0.6)
        block = picture.data(lines[name] or [(None, None)])
        items.append(f"{block} using 1:2 with linespoints lc rgb '{colour}' lw {width} "
                     f"pt {mark} ps {size}")
    picture.plot(*items)


# Scatter ------------------------------------------------------------------

def scatter(results, summary, look):
    """Time against peak RSS."""
    rows = [row for row in summary.averaged if row.what == "time"]
    points = []
    for name in summary.names:
        ratios = [summary.geomean(metric, name, summary.base, rows)
                  for metric in ("time", "peak_rss_kib")]
        if all(ratios):
            points.append((*ratios, name))
    if len(points) < 2:
        return []
    picture = Picture("scatter", 620)
    reach = [scatter_reach([point[axis] for point in points]) for axis in (0, 1)]
    number = report.count_text(len(rows), "row")
    head(picture, "Time against memory: lower left is better",
         f"Geometric means of {number}, {summary.base} = 1. Faint: the single rows, as far as "
         "they lie within.")
    picture.add(*box(picture, 70, picture.width - 24, 66, picture.height - 58),
                "set logscale xy 2", "set style textbox opaque noborder fc rgb 'white' margins 0,0")
    for axis, (low, high) in zip("xy", reach):
        marks = (0.25, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.4, 1.7, 2, 2.5, 3, 4, 5, 6, 8)
        picture.add(f"set {axis}range [{low:.4f}:{high:.4f}]",
                    f"set {axis}tics nomirror ({tic_list(marks)})")
    picture.add(f"set xlabel {quoted('time / ' + summary.base)}",
                f"set ylabel {quoted('peak RSS / ' + summary.base)} offset 0.5",
                "set arrow from graph 0.12,0.12 to graph 0.03,0.03 lw 2 lc rgb '#888888'",
                "set label 'better' at graph 0.125,0.135 left tc rgb '#666666'")
    picture.plot(*scatter_rows(picture, summary, look, rows, reach),
                 *scatter_means(picture, summary, look, points, reach))
    return [picture]


def scatter_reach(values):
    """The axis shows the means with room around them, and glibc's 1."""
    low, high = min(1.0, *values), max(1.0, *values)
    room = max(1.6, (high / low) ** 0.5)
    return low / room, high * room


def scatter_rows(picture, summary, look, rows, reach):
    items = []
    for name in subject_first(summary):
        if name == summary.base:
            continue
        across, along = (summary.ratios(metric, name, summary.base, rows)
                         for metric in ("time", "peak_rss_kib"))
        found = [(across[key], along[key]) for key in across if key in along
                 and reach[0][0] < across[key] < reach[0][1]
                 and reach[1][0] < along[key] < reach[1][1]]
        block = picture.data(found or [(None, None)])
        items.append(f"{block} using 1:2 with points pt {look[name][1]} ps 0.5 "
                     f"lc rgb '#B0{look[name][0][1:]}'")
    return items


def scatter_means(picture, summary, look, points, reach):
    """Large marks, and names that keep clear of each other."""
    items = []
    for across, along, name in points:
        size = 2.4 if name == summary.subject else 1.8
        block = picture.data([(across, along)])
        items += [f"{block} using 1:2 with points pt 7 ps {size + 0.9} lc rgb 'white'",
                  f"{block} using 1:2 with points pt {look[name][1]} ps {size} "
                  f"lw 2 lc rgb '{look[name][0]}'"]
    for name, at, line in placed_names(points, reach):
        font = f"{FONT}:Bold,13" if name == summary.subject else f"{FONT}:Bold,11"
        if line:
            items.insert(0, f"{picture.data(line)} using 1:2 with lines "
                            f"lc rgb '{look[name][0]}' lw 1")
        items.append(f"{picture.data([(*at, name)])} using 1:2:3 with labels center boxed "
                     f"font '{font}' tc rgb '{look[name][0]}'")
    return items


def placed_names(points, reach):
    """(name, where its middle is, None or a line to the point) for each; nothing overlaps."""
    marks = [(*(SCATTER_SIZE[axis] * math.log(point[axis] / reach[axis][0])
                / math.log(reach[axis][1] / reach[axis][0]) for axis in (0, 1)), point[2])
             for point in points]
    taken = [(x, y, 13, 13) for x, y, _ in marks]           # middle, half the width and height
    found = []
    for (x, y, name), point in zip(marks, points):
        half = 5 * len(name) + 2
        tries = [(half + 15, 0), (-half - 15, 0), (0, 25), (0, -25)]
        tries += [(side * (half + 15 + 12 * ring), up * sign) for ring in range(12)
                  for up in range(14, 16 * ring + 15, 14) for side in (1, -1) for sign in (1, -1)]
        across, along = next((move for move in tries if free(
            (x + move[0], y + move[1], half, 10), taken)), tries[0])
        taken.append((x + across, y + along, half, 10))
        at, end = ([low * (high / low) ** (pixel / size) for (low, high), pixel, size in
                    zip(reach, (x + side, y + along), SCATTER_SIZE)]
                   for side in (across, across - math.copysign(half, across)))
        found.append((name, at, (point[:2], end) if across and along else None))
    return found


def free(place, taken):
    """Does this box lie in the panel and apart from all others?"""
    x, y, width, height = place
    inside = all(half <= at <= size - half for at, half, size in
                 zip((x, y), (width, height), SCATTER_SIZE))
    return inside and all(abs(x - left) >= width + wide or abs(y - low) >= height + high
                          for left, low, wide, high in taken)


# RSS over time ------------------------------------------------------------

def series_of(samples):
    """The one [seconds, KiB] that run.py keeps of an allocator's samples, or None."""
    return next((sample["series"] for sample in samples if len(sample.get("series") or ()) > 1),
                None)


def rss_over_time(results, summary, look):
    panels = []
    for row in results["rows"]:
        lines = {name: series_of(samples) for name, samples in row["samples"].items()
                 if name in look and name not in row["failures"]}
        lines = {name: series for name, series in lines.items() if series}
        if lines:
            panels.append((report.short(row["name"]), lines))
    parts = [panels[first:first + MOST_PANELS] for first in range(0, len(panels), MOST_PANELS)]
    return [series_picture(summary, look, part, f"-{number}" if len(parts) > 1 else "")
            for number, part in enumerate(parts, 1)]


def series_picture(summary, look, panels, suffix):
    columns = min(2, len(panels))
    picture = Picture(f"rss-over-time{suffix}", 62 + 310 * -(-len(panels) // columns))
    above = head(picture, "Resident memory over the run", "Lower is better. One run of each "
                 "allocator.", entries(look, subject_first(summary), "line"))
    for (title, lines), where in zip(
            panels, panel_boxes(picture, len(panels), columns, above + 30, 310, left=66)):
        picture.add(*where)
        series_panel(picture, summary, look, title, lines)
    return picture


def series_panel(picture, summary, look, title, lines):
    top = max(rss for series in lines.values() for _, rss in series) / 1024
    picture.add(f"set title {quoted(title)} font ',11' offset 0,-0.5",
                f"set yrange [0:{top * 1.08:.5g}]", "set xrange [0:*]",
                "set xlabel 'seconds' offset 0,0.4", "set ylabel 'RSS, MiB' offset 1")
    items = []
    for name in reversed(subject_first(summary)):
        points = [(seconds, rss / 1024) for seconds, rss in lines.get(name, ())]
        colour, width = look[name][0], 2.8 if name == summary.subject else 1.6
        if points:
            items.append(f"{picture.data(points)} using 1:2 with lines lc rgb '{colour}' "
                         f"lw {width}")
    picture.plot(*items)


# All of them --------------------------------------------------------------

PICTURES = (overview, row_pictures, scaling, scatter, rss_over_time)


def write(results, summary, directory, complain):
    """Draw what the results have into the directory; the names of the files made.

    complain is called with one line for each picture that could not be drawn, or one for all.
    """
    gnuplot = shutil.which("gnuplot")
    if not gnuplot:
        complain("no plots: gnuplot is not installed (package gnuplot-nox)")
        return []
    names, look = [], styles(results, summary)
    for make in PICTURES:
        for picture in make(results, summary, look):
            try:
                names += picture.draw(gnuplot, directory)
            except OSError as error:
                complain(f"no plot {picture.name}: {error}")
    return names

# SPDX-License-Identifier: MIT
"""What the subject is to reach, as one list, and whether the results of a run show that.

A target is judged against the four peers it names (glibc and those of allocators.py) that were
measured, and no others that a run may have had.  Met is YES where the medians are within the
limit, NO where they are beyond it and that is no chance, NOISE where they are beyond and it may
be one, MISSING where the run lacks what it takes.  Of single rows: beyond by chance is what
stats.py does not call a significant difference, or what is not significantly beyond the limit.
Of geometric means: beyond by at most two standard errors, as they follow from the spread in each
row.  Of single figures: the first quartile of the rounds is within the limit.
"""

import dataclasses
import math
import statistics

from . import allocators, stats

YES, NO, NOISE, MISSING = "yes", "no", "within noise", "not measured"
PEERS = (allocators.BASE, *(name for name, *_ in allocators.PEERS))
BURST_KIB = 100 * 1024          # of the rows of burst, at scale 1
IDLE_THREADS = 1000
OF_MEDIANS = 1.25               # the standard error of a median is so much larger than a mean's


@dataclasses.dataclass
class Outcome:
    measured: str = ""
    met: str = MISSING
    rows: tuple = ()            # "NAME FIGURE" of each row that is beyond the limit, worst first


@dataclasses.dataclass
class Target:
    what: str
    limit: str
    measure: object             # of Look -> Outcome


def peers_of(summary):
    """Those that were measured, of the four."""
    return [name for name in summary.peers if name in PEERS]


class Look:
    """The results, as targets look at them."""

    def __init__(self, results, summary):
        self.summary, self.subject, self.base = summary, summary.subject, summary.base
        self.peers = peers_of(summary)
        self.cores = results["machine"].get("cores") or 1
        self.scale = results["settings"].get("scale") or 1
        self.rows = {row.name.removeprefix("BM_"): row for row in summary.rows}

    def chosen(self, suites=None, family=None, threads=None, name=None):
        """Rows that are compared, of these suites and so on; none given: all."""
        return [row for row in self.summary.averaged
                if (suites is None or row.suite in suites)
                and (family is None or row.family == family)
                and (threads is None or row.threads == threads)
                and (name is None or row.name.removeprefix("BM_") == name)]

    def place(self, row, metric, place):
        """The peer with the least median (0), or the second least (1) and so on; or None."""
        known = sorted((row.median(metric, name), name) for name in self.peers
                       if row.median(metric, name) is not None)
        return known[place][1] if place < len(known) else None

    def by_round(self, row, name, figure):
        """round -> figure(sample), of a row by its name; what was not measured is left out."""
        found = self.rows[row].samples.get(name, ()) if row in self.rows else ()
        values = {sample["round"]: figure(sample) for sample in found}
        return {turn: value for turn, value in values.items() if value is not None}


def metric_of(name):
    return lambda sample: sample.get(name)


def extra_of(name):
    return lambda sample: sample.get("extra", {}).get(name)


# Single rows --------------------------------------------------------------

class EachRow:
    """No row is beyond limit times the median of the peer in that place."""

    def __init__(self, metric, limit, place=0, **chosen):
        self.metric, self.limit, self.at, self.chosen = metric, limit, place, chosen

    def proven(self, look, row, peer):
        found = row.compare(self.metric, look.subject, peer)
        logs = [log - math.log(self.limit)
                for log in row.log_ratios(self.metric, look.subject, peer)]
        return (found.verdict == "more" and len(logs) >= stats.LEAST_ROUNDS
                and stats.p_of_shift(logs) <= stats.ALPHA)

    def __call__(self, look):
        measured, failed, beyond, worse = 0, 0, [], 0
        for row in look.chosen(**self.chosen):
            peer = look.place(row, self.metric, self.at)
            failed += look.subject in row.failures
            found = row.compare(self.metric, look.subject, peer) if peer else None
            if not found or not row.compares(self.metric):
                continue
            measured += 1
            if found.ratio > self.limit:
                beyond.append((found.ratio, row, peer, self.proven(look, row, peer)))
                worse += beyond[-1][-1]
        return self.outcome(measured, failed, sorted(beyond, key=lambda one: -one[0]), worse)

    def outcome(self, measured, failed, beyond, worse):
        if not measured and not failed:
            return Outcome()
        text = f"{worse} of {measured} worse"
        if len(beyond) > worse:
            text += f", {len(beyond) - worse} perhaps"
        if failed:
            text += f", {failed} failed"
        names = tuple(f"{row.name.removeprefix('BM_')} {ratio:.2f}" + ("" if proven else "?")
                      for ratio, row, _, proven in beyond)
        return Outcome(text, NO if worse or failed else NOISE if beyond else YES, names)


# Geometric means ----------------------------------------------------------

class Mean:
    """The geometric mean over rows, in which each family counts once, is within the limit, as a
    ratio of the base's or of the least mean that any one peer has over the same rows."""

    def __init__(self, metric, limit, best=False, **chosen):
        self.metric, self.limit, self.best, self.chosen = metric, limit, best, chosen

    def __call__(self, look):
        rows = [row for row in look.chosen(**self.chosen) if row.compares(self.metric)
                and all(row.median(self.metric, name)
                        for name in ([*look.peers] if self.best else [look.base])
                        + [look.subject])]
        peers = look.peers if self.best else [look.base] if look.base in look.peers else []
        if not rows or not peers:
            return Outcome()
        # The peer with the least mean is the one of which the subject's is the largest ratio.
        mean, error, peer = max((*self.mean(rows, look.subject, peer), peer) for peer in peers)
        text = f"{mean:.3f} over {len(rows)} rows" + (f", {peer}" if self.best else "")
        excess = math.log(mean / self.limit)
        return Outcome(text, YES if excess <= 0 else NOISE if excess <= 2 * error else NO)

    def mean(self, rows, subject, peer):
        """(ratio, standard error of its logarithm)"""
        families = {}
        for row in rows:
            logs = row.log_ratios(self.metric, subject, peer)
            error = statistics.variance(logs) / len(logs) if len(logs) > 1 else 0.0
            families.setdefault((row.suite, row.family), []).append(
                (math.log(row.compare(self.metric, subject, peer).ratio), error))
        logs = [statistics.fmean(log for log, _ in family) for family in families.values()]
        errors = [sum(error for _, error in family) / len(family) ** 2
                  for family in families.values()]
        return math.exp(statistics.fmean(logs)), OF_MEDIANS * math.sqrt(sum(errors)) / len(errors)


# Single figures -----------------------------------------------------------

def judged(values, limit):
    """Whether figures, one of each round, are within the limit."""
    if statistics.median(values) <= limit:
        return YES
    if len(values) < stats.LEAST_ROUNDS:
        return NOISE
    return NOISE if statistics.quantiles(values, n=4, method="inclusive")[0] <= limit else NO


def worst_of(look, rows, figure, limit, text):
    """The greatest of the rows' medians; figure is one sample's, text says it."""
    found = []
    for row in rows:
        name = row.name.removeprefix("BM_")
        figures = list(look.by_round(name, look.subject, figure).values())
        if figures:
            found.append((statistics.median(figures), name, judged(figures, limit)))
    if not found:
        return Outcome()
    found.sort(reverse=True)
    met = [one for *_, one in found]
    return Outcome(f"{text(found[0][0])} ({found[0][1].split('/', 1)[-1]})",
                   NO if NO in met else NOISE if NOISE in met else YES,
                   tuple(f"{name} {text(value)}" for value, name, _ in found if value > limit))


class RestOfBurst:
    """What is resident of a burst that was freed, as a share of it; of each row, or of one."""

    def __init__(self, limit, name=None, but=None):
        self.limit, self.name, self.but = limit, name, but

    def __call__(self, look):
        rows = [row for row in look.chosen(family="burst", name=self.name)
                if row.name.removeprefix("BM_") != self.but]
        return worst_of(look, rows, lambda sample: self.share(sample, look.scale), self.limit,
                        lambda share: f"{100 * share:.0f} %")

    def share(self, sample, scale):
        """Of the whole burst; the process's own is taken off."""
        extra = sample.get("extra", {})
        if sample.get("rss_after_kib") is None:
            return None
        return (sample["rss_after_kib"] - extra.get("rss_before_kib", 0)) / (BURST_KIB * scale)


class OverInFlight:
    """Peak RSS of each row, less that before it, as a ratio of the bytes that are in flight."""

    def __init__(self, limit, **chosen):
        self.limit, self.chosen = limit, chosen

    def __call__(self, look):
        return worst_of(look, look.chosen(**self.chosen), self.ratio, self.limit,
                        lambda ratio: f"{ratio:.2f}")

    def ratio(self, sample):
        extra = sample.get("extra", {})
        if not extra.get("in_flight_kib") or sample.get("peak_rss_kib") is None:
            return None
        return (sample["peak_rss_kib"] - extra.get("rss_before_kib", 0)) / extra["in_flight_kib"]


class Ratio:
    """A row's figure, times so much, as a ratio of that of another row, both of the subject."""

    def __init__(self, name, of, limit, times=1, cores=1):
        self.name, self.of, self.limit, self.times, self.cores = name, of, limit, times, cores

    def __call__(self, look):
        upper, lower = (look.by_round(name, look.subject, metric_of("time"))
                        for name in (self.name, self.of))
        values = [self.times * upper[turn] / lower[turn] for turn in upper if turn in lower]
        if not values or look.cores < self.cores:
            return Outcome()
        return Outcome(f"{statistics.median(values):.2f}", judged(values, self.limit))


class PerThread:
    """KiB that an idle thread costs, at most limit, or as a ratio of the leanest peer's."""

    def __init__(self, limit=None, ratio=None):
        self.limit, self.ratio = limit, ratio

    def __call__(self, look):
        costs = {name: self.cost(look, name) for name in [look.subject, *look.peers]}
        mine = costs.pop(look.subject)
        costs = {name: statistics.median(cost.values()) for name, cost in costs.items() if cost}
        if not mine or not costs:
            return Outcome()
        leanest = min(costs, key=costs.get)
        text = (f"{statistics.median(mine.values()):.1f} KiB, "
                f"{leanest} {costs[leanest]:.1f}")
        return Outcome(text, judged(list(mine.values()),
                                    self.limit or self.ratio * costs[leanest]))

    def cost(self, look, name):
        many, none = (look.by_round(f"idle_threads/{number}", name, metric_of("peak_rss_kib"))
                      for number in (IDLE_THREADS, 0))
        return {turn: (many[turn] - none[turn]) / (IDLE_THREADS * look.scale)
                for turn in many if turn in none}


class MoreThanBase:
    """What the rows' figure is beyond the base's, in a unit: the worst of the rows."""

    def __init__(self, names, metric, unit, size, limit):
        self.names, self.metric, self.unit, self.size, self.limit = names, metric, unit, size, limit

    def __call__(self, look):
        found = []
        for name in self.names:
            mine, base = (look.by_round(name, who, metric_of(self.metric))
                          for who in (look.subject, look.base))
            values = [(mine[turn] - base[turn]) / self.size for turn in mine if turn in base]
            if values:
                found.append((statistics.median(values), name, judged(values, self.limit)))
        if not found:
            return Outcome()
        worst, name, met = max(found)
        return Outcome(f"{worst:.2f} {self.unit} ({name})", met)


# The list -----------------------------------------------------------------

SMALL = ("micro", "replay")
STARTS = ("start/nothing", "start/malloc")
TENTH = "burst/tenth"

TARGETS = (
    Target("time, each micro or replay row", "1.00 of the best",
           EachRow("time", 1.00, suites=SMALL)),
    Target("time, each real program", "1.01 of the best", EachRow("time", 1.01, suites=("real",))),
    Target("time, mean of micro and replay", "0.55 of glibc", Mean("time", 0.55, suites=SMALL)),
    Target("time, mean of micro and replay", "0.92 of the best mean",
           Mean("time", 0.92, best=True, suites=SMALL)),
    Target("time, mean of real programs", "0.95 of glibc", Mean("time", 0.95, suites=("real",))),
    Target("peak RSS, each row", "1.10 of the 2nd leanest",
           EachRow("peak_rss_kib", 1.10, place=1)),
    Target("peak RSS, mean of all rows", "1.00 of glibc", Mean("peak_rss_kib", 1.00)),
    Target("a burst, freed, idle 2 s", "10 % resident", RestOfBurst(0.10, but=TENTH)),
    Target("the same, a tenth alive", "50 % resident", RestOfBurst(0.50, name=TENTH)),
    Target("prodcons, 8 threads: time", "1.00 of the best",
           EachRow("time", 1.00, family="prodcons", threads=8)),
    Target("prodcons, 8 threads: peak RSS", "twice what is in flight",
           OverInFlight(2.0, family="prodcons", threads=8)),
    Target("an idle thread, with stack", "24 KiB", PerThread(24)),
    Target("the same", "1.00 of the leanest", PerThread(ratio=1.00)),
    # Times are of an item of all threads: twice that is what a thread needs for one of its own.
    Target("churn, 2 threads: an operation", "1.05 of that of 1",
           Ratio("churn/threads:2", "churn/threads:1", 1.05, times=2, cores=2)),
    Target("large/5to25m", "1.15 of touching alone",
           Ratio("large/5to25m", "large/5to25m/touch_only", 1.15)),
    Target("growth to 1 GiB", "1.10 of the best",
           EachRow("time", 1.10, name="large/realloc/grow_1gib")),
    Target("start: time", "0.3 ms more than glibc", MoreThanBase(STARTS, "time", "ms", 1e-3, 0.3)),
    Target("start: peak RSS", "0.5 MiB more than glibc",
           MoreThanBase(STARTS, "peak_rss_kib", "MiB", 1024, 0.5)),
)


def judge(results, summary):
    """(target, Outcome) of each; nothing where no subject was measured."""
    if not summary.subject:
        return []
    look = Look(results, summary)
    return [(target, target.measure(look)) for target in TARGETS]

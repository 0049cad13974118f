# SPDX-License-Identifier: MIT
"""What the samples say: medians, spreads, ratios, and which differences are real.

Two allocators are compared in a row by their samples of the same rounds, which
were taken next to each other: the logarithms of the ratios, round by round, are
tested against 0 by a t-test of their trimmed mean (Yuen), which a slow run out
of seven or two out of fourteen can not upset.  All comparisons of the subject,
over every row, peer and figure, are one family, corrected by Holm's method; a
difference is called significant where its corrected p is at most ALPHA and it is
at least FLOOR, the rest is within noise.  What failed under an allocator is not
compared.
"""

import dataclasses
import math
import statistics

ALPHA = 0.05            # chance that a run calls any difference significant where there is none
FLOOR = 0.02            # smaller differences are never called significant
LEAST_ROUNDS = 4        # fewer can not show anything
TRIMMED = 0.15          # of the samples, at each end
LEAST_SPREAD = 0.003    # nothing is known better than that, however alike the samples are
METRICS = ("time", "peak_rss_kib", "rss_after_kib")


def t_tail(t, freedom):
    """The chance of |T| >= |t| for Student's T with a whole number of degrees of freedom.

    The finite sums of Abramowitz and Stegun 26.7.3 and 26.7.4.
    """
    if math.isinf(t):
        return 0.0
    theta = math.atan(abs(t) / math.sqrt(freedom))
    cosine, sine = math.cos(theta), math.sin(theta)
    total, term = 0.0, 1.0
    if freedom % 2:
        term = cosine
        for k in range(3, freedom + 1, 2):
            total += term
            term *= cosine * cosine * (k - 1) / k
        inside = 2 / math.pi * (theta + sine * total)
    else:
        for k in range(2, freedom + 1, 2):
            total += term
            term *= cosine * cosine * (k - 1) / k
        inside = sine * total
    return min(1.0, max(0.0, 1.0 - inside))


def p_of_shift(logs):
    """The p-value of "these are centred at 0", for a list of at least LEAST_ROUNDS."""
    n = len(logs)
    cut = int(TRIMMED * n)
    values = sorted(logs)
    kept = values[cut:n - cut]
    clipped = [kept[0]] * cut + kept + [kept[-1]] * cut
    mean = statistics.fmean(kept)
    centre = statistics.fmean(clipped)
    squares = sum((value - centre) ** 2 for value in clipped)
    squares = max(squares, len(values) * LEAST_SPREAD ** 2)
    return t_tail(mean / math.sqrt(squares / (len(kept) * (len(kept) - 1))), len(kept) - 1)


def holm(p_values):
    """The corrected p-values, in the same order."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected, least = [1.0] * len(p_values), 0.0
    for place, index in enumerate(order):
        least = max(least, min(1.0, p_values[index] * (len(p_values) - place)))
        corrected[index] = least
    return corrected


def geometric_mean(values):
    values = list(values)
    return math.exp(statistics.fmean(map(math.log, values))) if values else None


@dataclasses.dataclass
class Comparison:
    """One allocator's figure as a ratio of another's, in one row; below 1 is better."""
    ratio: float
    p: float = 1.0              # corrected
    tested: bool = False        # there were LEAST_ROUNDS or more
    significant: bool = False

    @property
    def verdict(self):
        """"less", "more", "same" (within noise) or "untested"."""
        if not self.significant:
            return "same" if self.tested else "untested"
        return "less" if self.ratio < 1 else "more"


class RowSummary:
    """One row of the results."""

    def __init__(self, row):
        self.name, self.suite, self.family = row["name"], row["suite"], row["family"]
        self.what, self.threads = row["what"], row["threads"]
        self.failures = row["failures"]
        self.samples = {name: found for name, found in row["samples"].items()
                        if found and name not in self.failures}
        self.rounds = min(map(len, self.samples.values()), default=0)
        self.comparisons = {}           # (metric, name, of) -> Comparison
        self.medians = {}               # (metric, name) -> median

    def values(self, metric, name):
        return [sample[metric] for sample in self.samples.get(name, ())
                if sample.get(metric) is not None]

    def median(self, metric, name):
        if (metric, name) not in self.medians:
            found = self.values(metric, name)
            self.medians[metric, name] = statistics.median(found) if found else None
        return self.medians[metric, name]

    def spread(self, metric, name):
        """The quartiles, or None where there are too few samples."""
        found = self.values(metric, name)
        if len(found) < LEAST_ROUNDS:
            return None
        first, _, third = statistics.quantiles(found, n=4, method="inclusive")
        return first, third

    def best(self, metric, names):
        """Of these names the one with the least median, or None."""
        medians = {name: self.median(metric, name) for name in names}
        medians = {name: value for name, value in medians.items() if value is not None}
        return min(medians, key=medians.get) if medians else None

    def log_ratios(self, metric, name, of):
        """By round, where both were measured."""
        mine, theirs = ({sample["round"]: sample[metric] for sample in self.samples.get(who, ())
                         if sample.get(metric)} for who in (name, of))
        return [math.log(mine[turn] / theirs[turn]) for turn in mine if turn in theirs]

    def compares(self, metric):
        return self.what == "time" or (metric != "time" and self.what == "memory")

    def shows(self, metric):
        """Are there figures for a table?"""
        return self.compares(metric) or self.what == "shown"

    def compare(self, metric, name, of):
        """The Comparison, or None where one of both has no figure; only those of the subject
        with a peer can be significant."""
        if (metric, name, of) not in self.comparisons:
            mine, theirs = self.median(metric, name), self.median(metric, of)
            found = Comparison(mine / theirs) if mine and theirs else None
            self.comparisons[metric, name, of] = found
        return self.comparisons[metric, name, of]


class Summary:
    """The results, with everything that the reports say about them."""

    def __init__(self, results):
        self.names = [allocator["name"] for allocator in results["allocators"]]
        self.base = results["base"]
        self.subject = results["subject"] if results["subject"] in self.names else None
        self.peers = [name for name in self.names if name != self.subject]
        self.alpha = results["settings"].get("alpha", ALPHA)
        self.floor = results["settings"].get("floor", FLOOR)
        self.rows = [RowSummary(row) for row in results["rows"]]
        # The API has no peers: its rows are compared with each other by the report.
        self.compared = [row for row in self.rows if row.suite != "api"]
        # Percentiles of the same runs, of what rows of the suite threads are the mean of.
        self.averaged = [row for row in self.compared if row.suite != "latency"]
        if self.subject:
            self.judge()

    def judge(self):
        """Compare the subject with each peer in each row; correct for how many these are."""
        keys, p_values = [], []
        for row in self.compared:
            for metric in METRICS:
                for peer in self.peers:
                    logs = row.log_ratios(metric, self.subject, peer)
                    if row.compares(metric) and len(logs) >= LEAST_ROUNDS:
                        keys.append((row, metric, peer))
                        p_values.append(p_of_shift(logs))
        self.nr_comparisons = len(keys)
        for (row, metric, peer), p in zip(keys, holm(p_values)):
            found = row.compare(metric, self.subject, peer)
            found.p, found.tested = p, True
            centre = math.exp(statistics.median(row.log_ratios(metric, self.subject, peer)))
            # Both ways to say it must agree: the ratio of the medians, and the paired one.
            found.significant = (p <= self.alpha
                                 and min(abs(math.log(found.ratio)), abs(math.log(centre)))
                                 >= math.log1p(self.floor)
                                 and (found.ratio < 1) == (centre < 1))

    def best_peer(self, row, metric):
        return row.best(metric, self.peers)

    def ratios(self, metric, name, of, rows=None):
        """row name -> name's median as a ratio of of's; "best": of the best peer in each row."""
        result = {}
        for row in self.compared if rows is None else rows:
            against = row.best(metric, [peer for peer in self.peers if peer != name]) \
                if of == "best" else of
            found = row.compare(metric, name, against) if against else None
            if found and row.compares(metric):
                result[row.name] = found.ratio
        return result

    def geomean(self, metric, name, of, rows=None):
        """Of the ratios, in which each family counts once, however many rows it has."""
        rows = self.averaged if rows is None else rows
        ratios = self.ratios(metric, name, of, rows)
        families = {}
        for row in rows:
            if row.name in ratios:
                families.setdefault((row.suite, row.family), []).append(ratios[row.name])
        return geometric_mean(map(geometric_mean, families.values()))

    def lost(self, metric):
        """Rows where the subject is significantly worse than the best peer, worst first."""
        return self._against_best(metric, "more", reverse=True)

    def won(self, metric):
        """Rows where it is significantly better than the best peer, best first."""
        return self._against_best(metric, "less", reverse=False)

    def _against_best(self, metric, verdict, reverse):
        found = []
        for row in self.compared if self.subject else ():
            peer = self.best_peer(row, metric)
            comparison = row.compare(metric, self.subject, peer) if peer else None
            if comparison and row.compares(metric) and comparison.verdict == verdict:
                found.append((comparison.ratio, row))
        return [row for _, row in sorted(found, key=lambda pair: pair[0], reverse=reverse)]


def summarise(results):
    return Summary(results)


def disagreements(first, second):
    """(judged, against, doubted): how many differences either run calls significant; lines about
    those that the other run calls significantly reversed; lines about those for which the other
    run's median is on the other side, though within noise."""
    judged, against, doubted = 0, [], []
    others = {row.name: row for row in second.compared}
    for row in first.compared:
        other = others.get(row.name)
        for metric in METRICS if other else ():
            for peer in first.peers:
                pair = (row.compare(metric, first.subject, peer),
                        other.compare(metric, second.subject, peer))
                if not all(pair) or not any(one.significant for one in pair):
                    continue
                judged += 1
                if (pair[0].ratio < 1) == (pair[1].ratio < 1):
                    continue
                lines = against if all(one.significant for one in pair) else doubted
                lines.append(f"{row.name}: {metric}, of {peer}: " + ", then ".join(
                    f"{one.ratio:.3f} ({'significant' if one.significant else 'within noise'})"
                    for one in pair))
    return judged, against, doubted

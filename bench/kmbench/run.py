# SPDX-License-Identifier: MIT
"""Run the jobs: interleaved, in rotating order, as often as the time allows.

A round runs every job that is due once under every allocator, one right after
the other; who goes first rotates from job to job and from time to time, and the
direction turns each time.  A job that costs much more than the others is due only
each second round.  What failed under an allocator is not run there again.
"""

import dataclasses
import random
import statistics
import sys
import time

from .job import JobFailed

MOST_ROUNDS = 60        # more show nothing new
COSTLY = 2.25           # times the usual cost, from which on a job is due each second round


def said(error):
    """A line about an error; of one that no job foresaw, also what it was."""
    return str(error) if isinstance(error, JobFailed) else f"{type(error).__name__}: {error}"


@dataclasses.dataclass
class Progress:
    """What the runner tells while it runs."""
    stream: object = sys.stderr
    last: float = 0.0
    width: int = 0

    def show(self, text):
        now = time.monotonic()
        interval = 0.2 if self.stream.isatty() else 15
        if now - self.last < interval:
            return
        self.last = now
        if self.stream.isatty():
            print("\r" + text.ljust(self.width)[:120], end="", file=self.stream, flush=True)
            self.width = min(120, len(text))
        else:
            print(text, file=self.stream, flush=True)

    def say(self, text):
        """A line that stays."""
        self.clear()
        print(text, file=self.stream, flush=True)

    def clear(self):
        if self.stream.isatty() and self.width:
            print("\r" + " " * self.width + "\r", end="", file=self.stream, flush=True)
            self.width = 0


class Runner:
    """samples[row][allocator] and failures[row][allocator] grow while it runs."""

    def __init__(self, context, jobs, allocators, budget, *, rounds=None, seed=1, own=(),
                 progress=None):
        self.context, self.jobs, self.allocators = context, list(jobs), list(allocators)
        self.budget, self.rounds, self.seed = budget, rounds, seed
        self.own = own                  # names: what jobs without peers are run under
        self.progress = progress or Progress()
        self.rows = {row.name: row for job in self.jobs for row in job.rows}
        self.samples = {name: {one.name: [] for one in self.allocators} for name in self.rows}
        self.failures = {name: {} for name in self.rows}
        self.cost = {}                  # job name -> seconds of a round, as measured last
        self.turns = {}                 # job name -> rounds it had
        self.not_run = []               # jobs for which there was no time at all
        self.complete = False

    def prepare(self):
        """Inputs; a job that can not make its own fails under every allocator."""
        ready = []
        for job in self.jobs:
            self.progress.show(f"preparing {job.name}")
            try:
                job.prepare(self.context)
                ready.append(job)
            except Exception as error:      # pylint: disable=broad-except
                self.fail(job, [one.name for one in self.allocators], f"no input: {said(error)}")
        self.jobs = ready

    def run(self, after_round=lambda: None):
        """Everything; after_round is called when there are new samples."""
        self.started = time.monotonic()
        self.prepare()
        turn = 0
        while turn < (self.rounds or MOST_ROUNDS) and self.round(turn):
            turn += 1
            self.complete = not self.not_run
            after_round()
        self.complete = not self.not_run
        self.progress.clear()

    def left(self):
        return self.budget - (time.monotonic() - self.started)

    def is_costly(self, job):
        return (job.name in self.cost
                and self.cost[job.name] >= COSTLY * statistics.median(self.cost.values()))

    def is_due(self, job, turn):
        return turn % 2 == 0 or not self.is_costly(job)

    def round(self, turn):
        """One round; false where there was nothing left to do, or no time."""
        due = [job for job in self.jobs if turn == 0 or self.rounds or self.is_due(job, turn)]
        random.Random(self.seed * 1000003 + turn).shuffle(due)
        for place, job in enumerate(due):
            expected = self.cost.get(job.name, job.seconds * len(self.allocators))
            if not self.rounds and self.left() < expected:
                if turn == 0:
                    self.not_run.append(job.name)
                elif self.left() < min(self.cost.values(), default=0):
                    return False
                continue
            self.show(turn, job, place, len(due))
            self.run_job(job, turn)
        return bool(due)

    def show(self, turn, job, place, nr_due):
        elapsed = time.monotonic() - self.started
        if self.rounds:
            done = (turn * len(self.jobs) + place) / (self.rounds * len(self.jobs))
            left = elapsed / done - elapsed if done > 0.01 else None
        else:
            left = max(0.0, self.left())
        clock = "?:??" if left is None else f"{int(left) // 60}:{int(left) % 60:02d}"
        self.progress.show(f"round {turn + 1}, {place + 1} of {nr_due}, about {clock} left: "
                           f"{job.name}")

    @staticmethod
    def order(names, times):
        """Who is run after whom, when it was done so many times before."""
        first = times % len(names)
        order = names[first:] + names[:first]
        return order[::-1] if times % 2 else order

    def run_job(self, job, turn):
        before = time.monotonic()
        had, failed = self.turns.get(job.name, 0), False
        who = [one for one in self.allocators if job.peers or one.name in self.own]
        for allocator in self.order(who, had + self.jobs.index(job)):
            if all(allocator.name in self.failures[row.name] for row in job.rows):
                continue
            try:
                self.keep(job.run(self.context, allocator), allocator, turn)
            except Exception as error:      # pylint: disable=broad-except
                failed = True
                self.progress.say(f"FAILED: {job.name} under {allocator.name}: {said(error)}")
                self.fail(job, [allocator.name], said(error))
        # What failed may have cost a time limit, which the next time will not.
        self.cost[job.name] = job.seconds * len(who) if failed else time.monotonic() - before
        self.turns[job.name] = had + 1

    def keep(self, found, allocator, turn):
        for name, sample in found.items():
            fields = {key: value for key, value in dataclasses.asdict(sample).items()
                      if value is not None and value != {} and value != []}
            if any(before.get("series") for before in self.samples[name][allocator.name]):
                fields.pop("series", None)      # one curve is enough
            self.samples[name][allocator.name].append({"round": turn, **fields})

    def fail(self, job, names, why):
        for row in job.rows:
            for name in names:
                self.failures[row.name][name] = why

    def result_rows(self):
        """For results.json; rows that never ran are left out."""
        return [{**dataclasses.asdict(row), "samples": self.samples[name],
                 "failures": self.failures[name]}
                for name, row in self.rows.items()
                if self.failures[name] or any(self.samples[name].values())]

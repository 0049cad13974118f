# SPDX-License-Identifier: MIT
"""Scripts that free all they have in the end, idle, and say how much memory they hold then."""

import json
import os

from ..job import JobFailed
from .program import Program


class Idle(Program):
    """The script gets three arguments: how much work to do, how many seconds to idle, and the
    file for its report, {"idle": seconds, "rss_kib": ...}.  The time idled is not in the time
    of the row."""
    idle_seconds = 0.3
    idle_seconds_quick = 0.1

    def arguments(self, context):
        """The interpreter and the script."""
        raise NotImplementedError

    def prepare(self, context):
        self.prefix = self.arguments(context)
        self.idle = self.idle_seconds_quick if context.quick else self.idle_seconds
        super().prepare(context)

    def before(self, folder):
        try:
            os.unlink(os.path.join(folder, "idle.json"))
        except FileNotFoundError:
            pass

    def command(self, folder, size):
        return self.prefix + [f"{size:.4f}", str(self.idle), "idle.json"]

    def after(self, folder, sample):
        try:
            with open(os.path.join(folder, "idle.json"), encoding="utf-8") as file:
                report = json.load(file)
            sample.time -= report["idle"]
            sample.rss_after_kib = min(report["rss_kib"], sample.peak_rss_kib)
        except (OSError, ValueError, KeyError, TypeError):
            raise JobFailed(f"{self.name}: the script reported no memory") from None

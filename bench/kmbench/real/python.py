# SPDX-License-Identifier: MIT
"""python3: scripts of bench/real, with Python's own allocator for small objects in front
of malloc, as users have it (python), and without (python-malloc)."""

import os

from .idle import Idle

SCRIPTS = ("objects", "documents", "text", "threads", "numbers")
QUICK = {("python", "objects"), ("python-malloc", "objects")}
INTERPRETER = "/usr/bin/python3"


class Python(Idle):
    programs = (INTERPRETER,)
    packages = ("python3",)

    def __init__(self, kind, script):
        self.name = f"real/{kind}/{script}"
        self.quick = (kind, script) in QUICK
        self.script = script
        if kind == "python-malloc":
            self.environment = {"PYTHONMALLOC": "malloc"}
        super().__init__()

    def arguments(self, context):
        return [INTERPRETER, "-S", "-B",
                os.path.join(context.source, "bench", "real", "workload.py"), self.script]


def jobs():
    return [Python(kind, script) for kind in ("python", "python-malloc") for script in SCRIPTS]

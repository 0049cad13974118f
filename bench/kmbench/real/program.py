# SPDX-License-Identifier: MIT
"""A job that runs one program over an input made on the spot and compares its output."""

import hashlib
import os
import random
import shutil

from ..job import Job, JobFailed, Row
from ..measure import measure

# No program may take its own order, language or settings from the user's.
FIXED = {"LC_ALL": "C", "TZ": "UTC", "PYTHONHASHSEED": "0", "PERL_HASH_SEED": "0"}
DROPPED = ("LD_PRELOAD", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "XZ_DEFAULTS", "XZ_OPT",
           "PYTHONMALLOC", "PYTHONPATH", "PYTHONHOME", "PERL5OPT", "PERL5LIB", "GS_OPTIONS",
           "CPATH", "C_INCLUDE_PATH", "GCC_EXEC_PREFIX", "COMPILER_PATH", "SOURCE_DATE_EPOCH")


class Program(Job):
    """One row.  Subclasses set name, programs, packages and seconds, and implement
    make_input() and command()."""
    outputs = ()            # files in the folder, removed before each run; (): standard output
    full_share = 0.65       # of the work, in bench
    quick_share = 0.25      # in bench-quick
    environment = {}        # more of it
    reads = None            # the file in the folder that is standard input
    timeout = 60            # seconds

    def __init__(self):
        self.rows = (Row(self.name, "real", self.name.split("/")[1]),)
        self.digest = None

    def make_input(self, folder, size):
        """Fill the folder; size is 1 for the whole work and less for less."""

    def command(self, folder, size):
        """argv; it is run in the folder."""
        raise NotImplementedError

    def before(self, folder):
        """Undo what the last run left."""

    def after(self, folder, sample):
        """Complete the sample; what differs between runs must not be in the outputs."""

    def folder(self, context):
        return os.path.join(context.work, self.name.replace("/", "-"))

    def size(self, context):
        return context.scale * (self.quick_share if context.quick else self.full_share)

    def prepare(self, context):
        folder = self.folder(context)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        self.make_input(folder, self.size(context))
        self.execute(context, {key: value for key, value in os.environ.items()
                               if key != "LD_PRELOAD"})
        self.digest = self.digest_of_outputs(folder)

    def run(self, context, allocator):
        sample = self.execute(context, allocator.environment())
        if self.digest_of_outputs(self.folder(context)) != self.digest:
            raise JobFailed(f"{self.name}: the output is not that of the run without preloading")
        return {self.name: sample}

    def execute(self, context, environment):
        folder = self.folder(context)
        for name in self.outputs:
            remove(os.path.join(folder, name))
        self.before(folder)
        preload = environment.get("LD_PRELOAD")
        environment = {key: value for key, value in environment.items() if key not in DROPPED}
        environment.update(FIXED)
        environment.update(self.environment)
        if preload:
            environment["LD_PRELOAD"] = preload
        sample = measure(context, self.command(folder, self.size(context)), environment,
                         cwd=folder, stdin=self.reads and os.path.join(folder, self.reads),
                         stdout=os.path.join(folder, "stdout"), timeout=self.timeout)
        self.after(folder, sample)
        return sample

    def digest_of_outputs(self, folder):
        result = hashlib.sha256()
        for name in self.outputs or ("stdout",):
            path = os.path.join(folder, name)
            if not os.path.isfile(path) or not os.path.getsize(path):
                raise JobFailed(f"{self.name}: there is no output in {name}")
            with open(path, "rb") as file:
                result.update(hashlib.sha256(file.read()).digest())
        return result.hexdigest()


def remove(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)


def at_least(least, number):
    """A count of something, scaled: at_least(10, 5000 * size)."""
    return max(least, int(number))


def words(seed, count, least=3, most=10):
    """Made-up words, the same for the same seed."""
    source = random.Random(seed)
    return ["".join(source.choices("etaoinshrdlucmfwypvbgk", k=source.randint(least, most)))
            for _ in range(count)]

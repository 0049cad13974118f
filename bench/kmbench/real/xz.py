# SPDX-License-Identifier: MIT
"""xz, both ways: few blocks, large ones, by two threads."""

import os
import random
import subprocess

from ..job import JobFailed
from .program import Program, at_least, words

BLOCK = "256KiB"            # small enough that both threads have work


class Xz(Program):
    programs = ("/usr/bin/xz",)
    packages = ("xz-utils",)
    mebibytes = 1.5

    def make_input(self, folder, size):
        source = random.Random(31)
        known = words(32, 5000)
        wanted = at_least(64 << 10, self.mebibytes * (1 << 20) * size)
        with open(os.path.join(folder, "data"), "w", encoding="ascii") as file:
            while file.tell() < wanted:
                file.write(" ".join(source.choices(known, k=300)) + "\n")


class Compress(Xz):
    name = "real/xz/compress"
    quick = False

    def command(self, folder, size):
        return ["/usr/bin/xz", "-6", "-T2", f"--block-size={BLOCK}", "-c", "data"]


class Decompress(Xz):
    name = "real/xz/decompress"
    quick = False
    copies = 14             # one behind the other, which is a valid file

    def make_input(self, folder, size):
        super().make_input(folder, size)
        try:
            packed = subprocess.run(
                ["/usr/bin/xz", "-6", "-T2", f"--block-size={BLOCK}", "-c", "data"], cwd=folder,
                stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=60).stdout
        except (OSError, subprocess.SubprocessError) as error:
            raise JobFailed(f"{self.name}: xz could not make the input: {error}") from None
        with open(os.path.join(folder, "data.xz"), "wb") as file:
            file.write(packed * self.copies)

    def command(self, folder, size):
        return ["/usr/bin/xz", "-d", "-T2", "-c", "data.xz"]


def jobs():
    return [Compress(), Decompress()]

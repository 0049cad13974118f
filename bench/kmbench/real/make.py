# SPDX-License-Identifier: MIT
"""make: a project of small C files, built from nothing, as many jobs as there are CPUs.

Many short processes: what counts is how fast an allocator starts.
"""

import os

from .gcc import c_source
from .program import Program, at_least, remove, write

MAKEFILE = """\
objects = {objects}
program: $(objects)
	ar crD program.a $(objects)
%.o: %.c
	/usr/bin/gcc -O0 -w -c -o $@ $<
"""


class Make(Program):
    name = "real/make"
    quick = False
    programs = ("/usr/bin/make", "/usr/bin/gcc", "/usr/bin/ar")
    packages = ("make", "gcc", "binutils", "libc6-dev")
    outputs = ("program.a",)

    def files(self, size):
        return [f"file{number}" for number in range(at_least(2, 24 * size))]

    def make_input(self, folder, size):
        self.objects = [f"{name}.o" for name in self.files(size)]
        write(folder, "Makefile", MAKEFILE.format(objects=" ".join(self.objects)))
        for number, name in enumerate(self.files(size)):
            write(folder, f"{name}.c", c_source(number, 3))

    def before(self, folder):
        for name in self.objects:
            remove(os.path.join(folder, name))

    def command(self, folder, size):
        return ["/usr/bin/make", "-s", "-r", f"-j{len(os.sched_getaffinity(0))}"]


def jobs():
    return [Make()]

# SPDX-License-Identifier: MIT
"""perl and ruby: hashes, strings, regular expressions, sorting; RSS when all is freed."""

import os

from .idle import Idle
from .program import words, write

WORDS = 4000


class Script(Idle):
    """Runs the script of its name over words on standard input."""
    interpreter = script = None
    reads = "words"

    def make_input(self, folder, size):
        write(folder, "words", "\n".join(words(11, WORDS, 2, 12)) + "\n")

    def arguments(self, context):
        return [self.interpreter, os.path.join(context.source, "bench", "real", self.script)]


class Perl(Script):
    name = "real/perl"
    programs = ("/usr/bin/perl",)
    packages = ("perl",)
    interpreter = "/usr/bin/perl"
    script = "words.pl"


class Ruby(Script):
    name = "real/ruby"
    programs = ("/usr/bin/ruby",)
    packages = ("ruby",)
    interpreter = "/usr/bin/ruby"
    script = "words.rb"


def jobs():
    return [Perl(), Ruby()]

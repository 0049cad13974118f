# SPDX-License-Identifier: MIT
"""z3 on generated problems, and ghostscript on a generated drawing."""

import random

from .program import Program, at_least, write

PAGE = """\
%!PS
/seed 42 def
/rnd { /seed seed 16807 mul 2147483647 mod cvi def seed 2147483647 div } bind def
/names 200 dict def
1 1 PAGES {
	1 1 60 {
		rnd rnd rnd setrgbcolor
		newpath rnd 612 mul rnd 792 mul moveto
		6 { 6 { rnd 612 mul } repeat curveto } repeat closepath eofill
	} for
	/Helvetica findfont 9 rnd 9 mul add scalefont setfont
	1 1 60 {
		20 string cvs /text exch def
		names text cvn 10 array put
		rnd 500 mul rnd 700 mul moveto (line ) show text show
	} for
	names { pop pop } forall
	gsave 50 { rnd 612 mul rnd 792 mul rnd 40 mul 0 360 arc stroke } repeat grestore
	pop showpage
} for
"""


class Z3(Program):
    """Integer constraints; the search is the same wherever blocks lie, so its statistics are
    compared as well but for those of time and memory."""
    name = "real/z3"
    programs = ("/usr/bin/z3",)
    packages = ("z3",)

    def make_input(self, folder, size):
        source = random.Random(7)
        lines = []
        for _ in range(at_least(1, 12 * size)):
            lines += ["(reset)", "(set-logic QF_LIA)"] + self.problem(source, 30, 50)
        write(folder, "in.smt2", "\n".join(lines) + "\n")

    @staticmethod
    def problem(source, variables, clauses):
        lines = [f"(declare-const x{v} Int)\n(assert (<= 0 x{v} 100))" for v in range(variables)]
        for _ in range(clauses):
            used = source.sample(range(variables), 4)
            terms = " ".join(f"(* {source.randint(-5, 5)} x{v})" for v in used)
            lines.append(f"(assert (or (<= (+ {terms}) {source.randint(-40, 100)})"
                         f" (>= (- x{used[0]} x{used[1]}) {source.randint(0, 60)})))")
        return lines + ["(check-sat)", "(get-value (x0 x1 x2 x3))"]

    def command(self, folder, size):
        return ["/usr/bin/z3", "in.smt2"]


class Ghostscript(Program):
    name = "real/gs"
    quick = False
    programs = ("/usr/bin/gs",)
    packages = ("ghostscript",)
    outputs = ("out.pgm",)

    def make_input(self, folder, size):
        write(folder, "in.ps", PAGE.replace("PAGES", str(at_least(1, 40 * size))))

    def command(self, folder, size):
        return ["/usr/bin/gs", "-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pgmraw", "-r50",
                "-sOutputFile=out.pgm", "in.ps"]


def jobs():
    return [Z3(), Ghostscript()]

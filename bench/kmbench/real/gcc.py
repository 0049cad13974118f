# SPDX-License-Identifier: MIT
"""gcc and g++: one large generated file each; the object must be the same byte for byte."""

import random

from .program import Program, at_least, write

C_HEAD = """\
#include <stddef.h>
#include <string.h>
struct item { struct item *next; int kind; unsigned long weight; char name[24]; };
extern struct item *find(const struct item *, int);
extern void report(const char *, long);
"""

C_FUNCTION = """\
struct s{n} {{ int a{n}; long b[{fields}]; struct item *head; union {{ double d; void *p; }} u; }};
static long helper{n}(struct s{n} *s, int x)
{{
	long sum = {k1};
	for (int i = 0; i < {fields}; i++) {{
		if ((s->b[i] ^ x) & {mask})
			sum += s->b[i] * {k2} + (x >> (i & 7));
		else
			sum -= s->a{n} / (i + {k3});
	}}
	return sum;
}}
long function{n}(struct s{n} *s, struct item *items, int key)
{{
	long total = helper{n}(s, key) + helper{n}(s, key + {k3});
	for (struct item *i = items; i; i = i->next) {{
		switch (i->kind % 6) {{
		case 0: total += (long)i->weight; break;
		case 1: total ^= {k2}L << (key & 15); break;
		case 2: s->u.d = (double)total * {k1}.5; total += (long)s->u.d; break;
		case 3: report(i->name, total); break;
		case 4: s->head = find(i, key + {n}); if (s->head) total += s->head->kind; break;
		default: memcpy(i->name, "name {n}", 8); {call} break;
		}}
	}}
	return total;
}}
"""

CXX_HEAD = """\
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>
template <int N> struct Chain { long value; Chain<N - 1> rest;
	long sum() const { return value * N + rest.sum(); } };
template <> struct Chain<0> { long value; long sum() const { return value; } };
"""

CXX_CLASS = """\
struct Class{n} {{
	std::map<std::string, std::vector<Chain<{depth}>>> chains;
	std::vector<std::unique_ptr<Class{n}>> children;
	template <typename F> long each(F f) {{
		long total = 0;
		for (auto &entry : chains)
			for (auto &chain : entry.second)
				total += f(entry.first, chain);
		return total;
	}}
	long run(long k) {{
		std::sort(children.begin(), children.end(), [](const auto &a, const auto &b) {{
			return a->chains.size() < b->chains.size(); }});
		chains["key {n}"].emplace_back();
		return each([k](const std::string &name, Chain<{depth}> &chain) {{
			return chain.sum() * k + (long)name.size(); }});
	}}
}};
long run{n}(long k) {{ Class{n} object; return object.run(k); }}
"""


def c_source(seed, functions):
    source = random.Random(seed)
    parts = [C_HEAD]
    for n in range(functions):
        call = f"total += function{n - 1}(0, i, {n});" if n and n % 3 == 0 else "total--;"
        parts.append(C_FUNCTION.format(n=n, fields=source.randint(2, 20), call=call,
                                       k1=source.randint(1, 999), k2=source.randint(3, 99),
                                       k3=source.randint(1, 9), mask=source.randint(1, 255)))
    return "\n".join(parts)


class Gcc(Program):
    name = "real/gcc"
    programs = ("/usr/bin/gcc",)
    packages = ("gcc", "libc6-dev")
    outputs = ("out.o",)

    def make_input(self, folder, size):
        write(folder, "in.c", c_source(21, at_least(2, 64 * size)))

    def command(self, folder, size):
        return ["/usr/bin/gcc", "-O1", "-c", "-w", "-o", "out.o", "in.c"]


class Gxx(Program):
    name = "real/g++"
    programs = ("/usr/bin/g++",)
    packages = ("g++",)
    outputs = ("out.o",)
    quick = False           # the headers alone take the time of a quick row

    def make_input(self, folder, size):
        parts = [CXX_HEAD]
        parts += [CXX_CLASS.format(n=n, depth=n % 7 + 2) for n in range(at_least(1, 2 * size))]
        write(folder, "in.cc", "\n".join(parts))

    def command(self, folder, size):
        return ["/usr/bin/g++", "-O0", "-c", "-w", "-std=c++17", "-frandom-seed=1", "-o", "out.o",
                "in.cc"]


def jobs():
    return [Gcc(), Gxx()]

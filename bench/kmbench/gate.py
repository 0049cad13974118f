# SPDX-License-Identifier: MIT
"""The gate: instructions, system calls and page faults of fixed paths against a baseline.

Nothing here is a time.  Instructions, but for those of the program that runs the
path, are counted by callgrind, system calls by strace, page faults by the program
itself.  All three repeat exactly, because the programs see the same every time:
copies in a folder of their own, called by the same short names; an environment
of four variables; no randomised addresses; no huge pages; a clock that stands
still (bench/clock.c); the string functions of libc that every processor of the
architecture has, whatever else this one could do; one stack size.
"""

import collections
import concurrent.futures
import ctypes
import dataclasses
import json
import lzma
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile

TOLERANCE = 2.0             # percent
FAULTS_SPARE = 4            # page faults that are never a rise
TIME_LIMIT = 120            # seconds for one program
PARALLEL = 2
FORMAT = 1
STACK = 8 << 20
PR_SET_THP_DISABLE = 41     # of linux/prctl.h

PRELOAD = "libkmalloc-preload.so"
CLOCK = "libbench-clock.so"
# Paths in which threads start and end.
THREAD_PATHS = ("orphan-free", "thread")
# The traces that are replayed, of bench/traces.
TRACES = ("compiler", "database")

# Of a thread that is waited for, futex calls depend on who comes first; so do none of these.
MEMORY_CALLS = ("mmap", "munmap", "mremap", "madvise", "mprotect", "brk", "mincore", "membarrier",
                "sched_yield", "memfd_create", "ftruncate", "pwrite64", "nanosleep", "prctl",
                "sysinfo", "sched_getaffinity", "process_madvise", "rt_sigprocmask")

# What the counts depend on: of instructions, and also of calls and faults.
CODE_KEYS = ("architecture", "compiler", "flags", "debug", "libc", "valgrind")
SYSTEM_KEYS = ("kernel", "page_size")


class GateError(Exception):
    """One line for the user."""


@dataclasses.dataclass
class Path:
    """One thing that is counted, and how its program is called."""
    name: str
    operations: int
    program: str                    # of the folder
    arguments: tuple
    library: str = ""               # what malloc, or kmalloc, must come from
    preload: tuple = (CLOCK,)
    toggle: str = "measured_*"      # callgrind counts inside; "": the whole program
    code: str = ""                  # only the instructions of this library
    marks: bool = True              # strace counts between the marks, else the whole program
    less: str = ""                  # the path whose counts are taken off

    def command(self):
        return ["./" + self.program, *self.arguments]


# ---- what the machine is ----

def first_line(*command):
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        raise GateError(f"{command[0]} is missing: it was needed to count") from None
    return (result.stdout or result.stderr).split("\n", 1)[0]


def make_variables(build):
    path = os.path.join(build, "Makefile")
    try:
        with open(path, encoding="utf-8") as file:
            return dict(re.findall(r"^(\w+) = *(.*)$", file.read(), re.M))
    except OSError:
        raise GateError(f"no {path}: the gate runs in a configured build") from None


def describe_machine(build):
    """Everything the counts may depend on, as it is in the baselines."""
    variables = make_variables(build)
    compiler = variables.get("CC", "cc").split()[0]
    version = first_line(*variables.get("CC", "cc").split(), "--version")
    numbers = re.findall(r"(?<=\s)\d+\.\d[\d.]*", version)
    flags = [variables.get(name, "") for name in ("CPPFLAGS", "CFLAGS", "LDFLAGS", "KM_CFLAGS")]
    return {
        "architecture": os.uname().machine,
        "compiler": f"{os.path.basename(compiler)} {numbers[-1] if numbers else version}",
        "flags": " ".join(" ".join(flags).split()),
        "debug": bool(variables.get("KM_DEBUG", "").strip()),
        "libc": os.confstr("CS_GNU_LIBC_VERSION"),
        "valgrind": first_line("valgrind", "--version"),
        "kernel": ".".join(os.uname().release.split(".")[:2]),
        "page_size": os.sysconf("SC_PAGE_SIZE"),
    }


def differences(keys, here, there):
    return [f"{key} {here[key]} here, {there.get(key)} in the baseline"
            for key in keys if here[key] != there.get(key)]


def need_tools():
    for tool, package in (("valgrind", "valgrind"), ("strace", "strace")):
        if not shutil.which(tool):
            raise GateError(f"{tool} is missing (Debian: {package}): it was needed to count")


# ---- running ----

class Folder:
    """Copies of what is run, under names that do not depend on where the build is."""

    def __init__(self, build, source):
        self.build, self.source = build, source
        self.path = tempfile.mkdtemp(prefix="kmgate-")
        self.plain = self.find_plain()

    def __enter__(self):
        for name in ("bench/paths", "bench/paths-api", "bench/nothing", "bench/replay",
                     "preload/.libs/" + PRELOAD, "bench/.libs/" + CLOCK):
            self.take(os.path.join(self.build, name), name != "bench/replay")
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.path, ignore_errors=True)

    def take(self, path, needed):
        if os.path.exists(path):
            shutil.copy(path, self.path)
        elif needed:
            raise GateError(f"no {path}: it was to be built by \"make bench-check\"")

    def has(self, name):
        return os.path.exists(os.path.join(self.path, name))

    def find_plain(self):
        """The prefix that takes randomness from addresses, where the system lets us."""
        command = ["setarch", "-R"]
        if not shutil.which("setarch"):
            return []
        probe = subprocess.run([*command, "true"], capture_output=True, check=False)
        return [] if probe.returncode else command

    def environment(self, preload):
        return {
            "PATH": "/usr/bin:/bin",
            "LD_BIND_NOW": "1",
            "LD_PRELOAD": " ".join("./" + name for name in preload),
            "GLIBC_TUNABLES": string_tunables(),
        }

    def run(self, command, preload):
        """Standard output and the resources used."""
        with tempfile.TemporaryFile(mode="w+") as errors:
            process = subprocess.Popen(
                [*self.plain, *command], cwd=self.path, env=self.environment(preload), text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
            try:
                output = process.communicate(timeout=TIME_LIMIT)[0]
            except subprocess.TimeoutExpired:
                raise GateError(f"{' '.join(command)}: no end after {TIME_LIMIT} s") from None
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
            errors.seek(0)
            text = errors.read()
        if process.returncode:
            last = (text.strip().split("\n") or [""])[-1]
            raise GateError(f"{' '.join(command)}: status {process.returncode}: {last}")
        return output, text


def string_tunables():
    """The string functions that every processor of the architecture has."""
    if os.uname().machine != "x86_64":
        return ""
    off = "AVX2,AVX,AVX512F,AVX512VL,AVX512BW,ERMS,FSRM,SSE4_2,SSE4_1,SSSE3,BMI2,RTM,LZCNT,MOVBE"
    sizes = {"x86_non_temporal_threshold": 0xc0000, "x86_data_cache_size": 0x8000,
             "x86_shared_cache_size": 0x100000}
    return ":".join(["glibc.cpu.hwcaps=" + ",".join("-" + name for name in off.split(",")),
                     *(f"glibc.cpu.{name}={size}" for name, size in sizes.items())])


def fix_process():
    """What programs inherit: one size of pages, and of the stack, which tells where mappings go."""
    ctypes.CDLL(None).prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    if hard == resource.RLIM_INFINITY or hard >= STACK:
        resource.setrlimit(resource.RLIMIT_STACK, (STACK, hard))


# ---- counting ----

def cost_by_object(lines):
    """Of a file of callgrind: how many instructions the code of each file executed itself."""
    names, costs, object_now, after_call = {}, collections.Counter(), "", False
    for line in lines:
        if line.startswith(("ob=", "cob=")):
            number, _, name = line.split("=", 1)[1].strip().partition(" ")
            names.setdefault(number, os.path.basename(name))
            if line.startswith("ob="):
                object_now = names[number]
        elif line.startswith("calls="):
            after_call = True       # the next line has what the call cost as a whole
        elif line and line[0] in "+-*0123456789":
            costs[object_now] += 0 if after_call else int(line.split()[1])
            after_call = False
    return costs


def count_instructions(folder, path):
    """Without those of the program itself, which would hide a change of the allocator."""
    out = tempfile.mktemp(prefix="callgrind.", dir=folder.path)
    command = ["valgrind", "--tool=callgrind", "--quiet", "--fair-sched=try",
               "--callgrind-out-file=" + out]
    if path.toggle:
        command.append("--toggle-collect=" + path.toggle)
    folder.run([*command, *path.command()], path.preload)
    with open(out, encoding="utf-8") as file:
        costs = cost_by_object(file.read().splitlines())
    os.remove(out)
    result = costs[path.code] if path.code else sum(costs.values()) - costs[path.program]
    if not result:
        raise GateError(f"{path.name}: callgrind counted no instruction")
    return result


def count_calls(folder, path):
    """Calls by name, between the marks; of the whole program where nothing is marked."""
    out = tempfile.mktemp(prefix="strace.", dir=folder.path)
    folder.run(["strace", "-f", "-qq", "-o", out, "-E", "LD_PRELOAD=" +
                " ".join("./" + name for name in path.preload), *path.command()], ())
    calls, inside = collections.Counter(), not path.marks
    with open(out, encoding="utf-8", errors="replace") as file:
        for line in file:
            if path.marks and 'write(-1, "measured: ' in line:
                inside = "begin" in line
            found = re.match(r"\d+ +(\w+)\(", line)
            if inside and found and found.group(1) in MEMORY_CALLS:
                calls[found.group(1)] += 1
    os.remove(out)
    return dict(sorted(calls.items()))


def count_faults(folder, path):
    """None where the program does not say, as one that does nothing."""
    output = folder.run(path.command(), path.preload)[0]
    if not output:
        return None
    try:
        figures = json.loads(output)
        library, faults = os.path.basename(figures["malloc_from"]), figures["minor_faults"]
    except (ValueError, KeyError):
        raise GateError(f"{path.name}: not the output that was expected: "
                        f"{output.strip()[:60]}") from None
    if not library.startswith(path.library):
        raise GateError(f"{path.name}: ran with {library}, not {path.library}")
    return faults


def measure(folder, path):
    figures = {"operations": path.operations,
               "instructions": count_instructions(folder, path),
               "system_calls": count_calls(folder, path)}
    faults = count_faults(folder, path)
    if faults is not None:
        figures["page_faults"] = faults
    return figures


def take_off(figures, less):
    figures["instructions"] -= less["instructions"]
    calls = collections.Counter(figures["system_calls"])
    calls.subtract(less["system_calls"])
    figures["system_calls"] = {name: n for name, n in calls.items() if n}


# ---- the paths ----

def listed(folder, program, library, preload):
    output = folder.run(["./" + program, "--list"], ())[0]
    for line in output.splitlines():
        name, operations, _ = line.split(" ", 2)
        yield Path(name, int(operations), program, (name,), library, preload)


def with_threads(path):
    """Threads end outside every function of ours, and what libc does to wait for them depends on
    who comes first: all instructions of the library are counted, less those of the warming up."""
    path = dataclasses.replace(path, toggle="", code=path.library)
    base = dataclasses.replace(path, name=path.name + "-base",
                               arguments=(path.name, "0", str(path.operations)))
    return [base, dataclasses.replace(path, less=base.name)]


def trace_paths(folder):
    for name in TRACES:
        trace = os.path.join(folder.source, "bench", "traces", name + ".xz")
        if folder.has("replay") and os.path.exists(trace):
            # Unpacked here: the player would run xz, whose system calls are not meant.
            with lzma.open(trace) as packed, \
                    open(os.path.join(folder.path, name), "wb") as unpacked:
                shutil.copyfileobj(packed, unpacked)
            yield Path("replay-" + name, 1, "replay", ("--serial", name), PRELOAD,
                       preload=(PRELOAD, CLOCK), toggle="replay_steps*", marks=False)


def all_paths(folder):
    """In the order in which they are reported."""
    paths = [Path("start-base", 1, "nothing", (), preload=(), toggle="", marks=False),
             Path("start", 1, "nothing", (), preload=(PRELOAD,), toggle="", marks=False,
                  less="start-base")]
    for path in listed(folder, "paths", PRELOAD, (PRELOAD, CLOCK)):
        paths += with_threads(path) if path.name in THREAD_PATHS else [path]
    paths += listed(folder, "paths-api", "libkmalloc.so", (CLOCK,))
    paths += trace_paths(folder)
    return paths


def chosen_paths(folder, only):
    paths = all_paths(folder)
    by_name = {path.name: path for path in paths}
    shown = [path.name for path in paths if not path.name.endswith("-base")]
    for name in only:
        if name not in shown:
            raise GateError(f"{name}: no such path; there are {' '.join(shown)}")
    wanted = [by_name[name] for name in only or shown]
    return [by_name[path.less] for path in wanted if path.less] + wanted


def measure_all(folder, paths, progress):
    """name -> figures, two paths at a time."""
    figures = {}
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        jobs = {pool.submit(measure, folder, path): path for path in paths}
        try:
            for job in concurrent.futures.as_completed(jobs):
                figures[jobs[job].name] = job.result()
                progress(len(figures), len(paths))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    for path in paths:
        if path.less:
            take_off(figures[path.name], figures[path.less])
    bases = {path.less for path in paths}
    return {path.name: figures[path.name] for path in paths if path.name not in bases}


# ---- comparing ----

@dataclasses.dataclass
class Change:
    path: str
    what: str
    before: float
    after: float
    detail: str = ""

    @property
    def percent(self):
        if self.before == self.after:
            return 0.0
        return 100.0 * (self.after - self.before) / self.before if self.before else float("inf")

    def __str__(self):
        percent = f"{self.percent:+.1f} %" if self.before else "from none"
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.path}: {self.what} {self.before} -> {self.after}, {percent}{detail}"


def call_detail(before, after):
    names = sorted(set(before) | set(after))
    return ", ".join(f"{name} {before.get(name, 0)} -> {after.get(name, 0)}"
                     for name in names if before.get(name, 0) != after.get(name, 0))


def path_changes(name, before, after, with_system):
    yield Change(name, "instructions", before["instructions"], after["instructions"])
    if not with_system:
        return
    calls = before["system_calls"], after["system_calls"]
    yield Change(name, "system calls", *(sum(each.values()) for each in calls),
                 call_detail(*calls))
    if "page_faults" in before and "page_faults" in after:
        yield Change(name, "page faults", before["page_faults"], after["page_faults"])


def matters(change):
    """Is it more than the tolerance, up or down?"""
    if change.what == "page faults" and abs(change.after - change.before) <= FAULTS_SPARE:
        return False
    return abs(change.percent) > TOLERANCE


def compare(before, after, with_system):
    """(errors, worse, better): what can not be compared, and changes."""
    errors, worse, better = [], [], []
    for name, figures in after.items():
        old = before.get(name)
        if old is None:
            errors.append(f"{name}: not in the baseline, which was to have every path")
        elif old["operations"] != figures["operations"]:
            errors.append(f"{name}: {figures['operations']} operations, "
                          f"{old['operations']} in the baseline")
        else:
            for change in path_changes(name, old, figures, with_system):
                if matters(change):
                    (worse if change.after > change.before else better).append(change)
    return errors, worse, better


# ---- baselines ----

def load_baseline(path):
    try:
        with open(path, encoding="utf-8") as file:
            baseline = json.load(file)
    except OSError as error:
        raise GateError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise GateError(f"{path}: not JSON: {error}") from None
    if not isinstance(baseline, dict) or baseline.get("format") != FORMAT:
        raise GateError(f"{path}: a baseline of format {FORMAT} was expected")
    return baseline


def baseline_name(machine):
    parts = machine["architecture"], machine["compiler"].replace(" ", "-")
    return "-".join(parts) + ".json"


def find_baseline(folder, machine):
    """The one whose machine is most like this one, and its file."""
    names = sorted(name for name in os.listdir(folder) if name.endswith(".json")) \
        if os.path.isdir(folder) else []
    if not names:
        raise GateError(f"no baseline in {folder}: make one with \"make bench-baseline\"")
    found = [(os.path.join(folder, name), load_baseline(os.path.join(folder, name)))
             for name in names]
    return min(found, key=lambda each: (len(differences(CODE_KEYS, machine, each[1]["machine"])),
                                        each[0]))


def save_baseline(path, machine, figures):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    baseline = {"format": FORMAT, "machine": machine, "paths": figures}
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(baseline, file, indent="\t")
        file.write("\n")
    os.replace(path + ".new", path)


# ---- the command ----

def say_progress(done, total):
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\r{done} of {total} paths", end=end, file=sys.stderr, flush=True)


def update(path, machine, figures, only):
    """Write the baseline and say what changed."""
    old = load_baseline(path) if os.path.exists(path) else {"machine": machine, "paths": {}}
    other = differences(CODE_KEYS + SYSTEM_KEYS, machine, old["machine"])
    if other and only:
        raise GateError(f"{path}: {other[0]}: update all paths, not some")
    for text in other:
        print(text)
    if only:
        figures = {**old["paths"], **figures}
    save_baseline(path, machine, figures)
    for name, now in figures.items():
        before = old["paths"].get(name)
        if before is None or before["operations"] != now["operations"]:
            print(f"{name}: new")
            continue
        for change in path_changes(name, before, now, True):
            if change.before != change.after or change.detail:
                print(change)
    for name in sorted(set(old["paths"]) - set(figures)):
        print(f"{name}: gone")
    print(f"written: {path}")


def judge(baseline, figures, only, with_system):
    """Print the verdict; the exit status."""
    errors, worse, better = compare(baseline["paths"], figures, with_system)
    if not only:
        errors += [f"{name}: in the baseline, but can not be measured here"
                   for name in baseline["paths"] if name not in figures]
    for change in worse:
        print(f"{change}: worse by more than {TOLERANCE:g} %")
    for change in better:
        print(f"{change}: better than the baseline: update it")
    for text in errors:
        print(text)
    what = "instructions, system calls and page faults" if with_system else "instructions"
    if worse or errors:
        print(f"bench-check: FAILED: {len(worse)} figures worse, {len(errors)} not comparable")
        return 1
    print(f"bench-check: {len(figures)} paths: {what} within {TOLERANCE:g} % of the baseline")
    return 0


def print_figures(figures):
    for name, each in figures.items():
        calls = " ".join(f"{call}={n}" for call, n in each["system_calls"].items())
        print(f"{name}: {each['instructions'] / each['operations']:.1f} instructions an operation, "
              f"{each.get('page_faults', '?')} page faults, "
              f"system calls: {calls or 'none'}")


def check(options, build, source):
    """The exit status."""
    need_tools()
    machine = describe_machine(build)
    folder_of_baselines = os.path.join(source, "bench", "baseline")
    with_system = True
    if options.update:
        target = options.baseline or os.path.join(folder_of_baselines, baseline_name(machine))
    else:
        path, baseline = ((options.baseline, load_baseline(options.baseline)) if options.baseline
                          else find_baseline(folder_of_baselines, machine))
        other = differences(CODE_KEYS, machine, baseline["machine"])
        if other and not options.force:
            print(f"bench-check: skipped, not the toolchain of {os.path.basename(path)}: "
                  f"{'; '.join(other)}")
            return 1 if options.require else 0
        system = differences(SYSTEM_KEYS, machine, baseline["machine"])
        if system and not options.force:
            print(f"bench-check: system calls and page faults are not compared: "
                  f"{'; '.join(system)}")
            with_system = False
    fix_process()
    with Folder(build, source) as folder:
        if with_system and not folder.plain:
            print("bench-check: system calls and page faults are not compared: "
                  "\"setarch -R\" is refused here, so addresses are random")
            with_system = False
        paths = chosen_paths(folder, options.only)
        figures = measure_all(folder, paths, say_progress)
    if options.verbose:
        print_figures(figures)
    if options.update:
        update(target, machine, figures, options.only)
        return 0
    return judge(baseline, figures, options.only, with_system)

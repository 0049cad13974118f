# SPDX-License-Identifier: MIT
"""Runs a program under bench/measure, which see for what is measured."""

import json
import os
import signal
import subprocess
import tempfile

from .job import JobFailed, Sample

NOT_LOADED = "cannot be preloaded"          # ld.so only warns
GRACE = 5                                   # seconds for measure to kill what it started


def measure(context, argv, environment, cwd=None, stdin=None, stdout=None, timeout=60):
    """Run argv in the environment and return a Sample; raises JobFailed.

    LD_PRELOAD of the environment is set for the program alone.  stdin and stdout are
    paths; without them it is /dev/null.
    """
    environment = dict(environment)
    preload = environment.pop("LD_PRELOAD", None)
    with tempfile.TemporaryDirectory(dir=context.work) as folder:
        figures_path = os.path.join(folder, "figures")
        errors_path = os.path.join(folder, "errors")
        command = [context.program("measure"), "-o", figures_path, "--timeout", str(timeout)]
        if preload:
            command += [f"--preload={preload}"]
        status = run_measure(command + ["--"] + list(argv), environment, cwd, stdin, stdout,
                             errors_path, timeout)
        with open(errors_path, encoding="utf-8", errors="replace") as file:
            errors = file.read()
        if status:
            raise JobFailed(first_line(errors) or f"measure: exit status {status}")
        with open(figures_path, encoding="utf-8") as file:
            figures = json.load(file)
    check_end(figures, errors, timeout)
    check_preload(figures, errors, preload)
    return sample_of(figures)


def run_measure(command, environment, cwd, stdin, stdout, errors_path, timeout):
    """measure's exit status.  Nothing is left running, whatever happens."""
    with open(stdin or os.devnull, "rb") as source, \
            open(stdout or os.devnull, "wb") as sink, open(errors_path, "wb") as errors:
        try:
            child = subprocess.Popen(command, env=environment, cwd=cwd, stdin=source, stdout=sink,
                                     stderr=errors)
        except OSError as error:
            raise JobFailed(f"{command[0]}: {error.strerror}; build it with: make bench/measure") \
                from None
        try:
            return child.wait(timeout + GRACE)
        except subprocess.TimeoutExpired:
            raise JobFailed(f"no end after {timeout} s") from None
        finally:
            if child.poll() is None:
                stop(child)


def stop(child):
    """measure kills what it started when it is told to end, and the kernel does so when it
    is killed."""
    child.terminate()
    try:
        child.wait(GRACE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def first_line(text):
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def check_end(figures, errors, timeout):
    """Did the program end as it should have?"""
    if figures["timed_out"]:
        raise JobFailed(f"no end after {timeout} s")
    message = first_line(errors) or "no message"
    if figures["signal"]:
        raise JobFailed(f"killed by {signal_name(figures['signal'])}: {message}")
    if figures["status"]:
        raise JobFailed(f"exit status {figures['status']}: {message}")


def signal_name(number):
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def check_preload(figures, errors, preload):
    """Was the allocator in every process that was looked at?"""
    if not preload:
        return
    warning = next((line.strip() for line in errors.splitlines() if NOT_LOADED in line), None)
    if warning:
        raise JobFailed(warning)
    loaded, processes = figures["preloaded"], figures["processes"]
    if loaded is not None and loaded < processes:
        raise JobFailed(f"only {loaded} of {processes} processes had loaded {preload}")


def sample_of(figures):
    known = ("peak_rss_kib", "minor_faults", "major_faults", "voluntary_switches",
             "involuntary_switches")
    return Sample(time=figures["wall"], cpu=figures["user"] + figures["system"],
                  mappings=figures["mappings_peak"],
                  extra={"user": figures["user"], "system": figures["system"],
                         "processes": figures["processes"],
                         "rss_at_exit_kib": figures["largest_rss_end_kib"]},
                  **{name: figures[name] for name in known})

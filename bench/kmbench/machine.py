# SPDX-License-Identifier: MIT
"""What a result depends on: the machine, the kernel, its settings, the compiler."""

import os
import platform
import re
import subprocess


def first_line(path, pattern=None):
    """The first line of a file, or the first match of a pattern with one group; "" if none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return ""
    if pattern is None:
        return text.splitlines()[0].strip() if text else ""
    found = re.search(pattern, text, re.MULTILINE)
    return found[1].strip() if found else ""


def chosen(path):
    """The chosen word of a file of sysfs: "always [madvise] never"."""
    return first_line(path, r"\[(.+?)\]")


def compiler(build):
    """(name and version of the compiler, the flags) of the build tree."""
    makefile = os.path.join(build, "Makefile")
    command = first_line(makefile, r"^CC = (.*)$") or "cc"
    try:
        text = subprocess.run([*command.split(), "--version"], text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    except OSError:
        text = ""
    return (text.splitlines() or [""])[0], first_line(makefile, r"^CFLAGS = (.*)$")


def describe(build):
    name, flags = compiler(build)
    return {
        "cpu": first_line("/proc/cpuinfo", r"^model name\s*:\s*(.*)$") or platform.machine(),
        "architecture": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_kib": int(first_line("/proc/meminfo", r"^MemTotal:\s*(\d+)") or 0),
        "hypervisor": bool(first_line("/proc/cpuinfo", r"^(flags.* hypervisor)")),
        "kernel": platform.release(),
        "os": first_line("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)'),
        "libc": " ".join(platform.libc_ver()),
        "compiler": name,
        "cflags": flags,
        "page_size": os.sysconf("SC_PAGE_SIZE"),
        "thp": chosen("/sys/kernel/mm/transparent_hugepage/enabled"),
        "governor": first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "overcommit": first_line("/proc/sys/vm/overcommit_memory"),
        "aslr": first_line("/proc/sys/kernel/randomize_va_space"),
        "max_map_count": first_line("/proc/sys/vm/max_map_count"),
        "load_before": round(os.getloadavg()[0], 2),
    }

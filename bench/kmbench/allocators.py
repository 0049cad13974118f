# SPDX-License-Identifier: MIT
"""The allocators to compare: where they are on this machine, and how to get them."""

import glob
import os
import re
import shutil
import subprocess
import sysconfig

from .job import Allocator

BASE = "glibc"
SUBJECT = "libkmalloc"

# The peers: name, soname, Debian package.
PEERS = (
    ("jemalloc", "libjemalloc.so.2", "libjemalloc2"),
    ("mimalloc", "libmimalloc.so.2", "libmimalloc2.0"),
    ("tcmalloc", "libtcmalloc_minimal.so.4", "libtcmalloc-minimal4"),
)
FOLDERS = ("/usr/local/lib", f"/usr/lib/{sysconfig.get_config_var('MULTIARCH')}", "/usr/lib64",
           "/usr/lib", "/lib64", "/lib")
NAME = re.compile(r"[A-Za-z0-9][\w.+-]*")       # what no table and no option takes for more


class BadAllocator(Exception):
    """One line about what the user asked for."""


def find_library(soname):
    for folder in FOLDERS:
        found = sorted(glob.glob(os.path.join(folder, soname)))
        if found:
            return found[0]
    return None


def version_of(path):
    """By the package that owns the file, else by its full name (libx.so.1.2.3)."""
    real = os.path.realpath(path)
    if shutil.which("dpkg-query"):
        for name in (path, real, "/usr" + real):
            owner = subprocess.run(["dpkg-query", "-S", name], text=True, check=False,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
            package = owner.split(": ")[0].split(",")[0].strip()
            if package:
                return subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], text=True,
                                      check=False, stdout=subprocess.PIPE).stdout
    _, _, numbers = os.path.basename(real).partition(".so.")
    return numbers


def our_version(source):
    """What the source tree is: a commit, with a mark where it was changed since."""
    try:
        found = subprocess.run(["git", "-C", source, "describe", "--always", "--dirty"], text=True,
                               check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return "unknown"
    return found.stdout.strip() or "unknown"


def our_library(build):
    return os.path.join(build, "preload", ".libs", "libkmalloc-preload.so")


def parse_extra(texts):
    """NAME=PATH each."""
    result = []
    for text in texts:
        name, equals, path = text.partition("=")
        if not (name and equals and path):
            raise BadAllocator(f"--allocator {text}: expected NAME=PATH")
        if not NAME.fullmatch(name) or name == "best":
            raise BadAllocator(f"--allocator {text}: expected a name of letters, digits and .+-_")
        if re.search(r"[\s:]", os.path.abspath(path)):
            raise BadAllocator(f"--allocator {text}: LD_PRELOAD takes no path with a blank or a "
                               "colon; make a link to it")
        # ld.so only warns about a missing one, and glibc would be measured.
        if not os.path.isfile(path):
            raise BadAllocator(f"--allocator {text}: there is no library at {path}")
        path = os.path.abspath(path)
        result.append(Allocator(name, path, version_of(path)))
    return result


def find_all(source, build, extra=(), wanted=None):
    """(allocators in order, name -> why it is missing).  wanted: only these names."""
    found, missing = [Allocator(BASE, None, os.confstr("CS_GNU_LIBC_VERSION").split()[-1])], {}
    for name, soname, package in PEERS:
        path = find_library(soname)
        if path:
            found.append(Allocator(name, path, version_of(path)))
        else:
            missing[name] = f"{soname} is not installed (package {package})"
    ours = our_library(build)
    if os.path.isfile(ours):
        found.append(Allocator(SUBJECT, ours, our_version(source)))
    else:
        missing[SUBJECT] = f"there is no library at {ours}: build it with make"
    found += parse_extra(extra)
    names = [allocator.name for allocator in found]
    missing = {name: why for name, why in missing.items() if name not in names}
    for name in names:
        if names.count(name) > 1:
            raise BadAllocator(f"two allocators are named {name}")
    if wanted:
        for name in wanted:
            if name not in names and name not in missing:
                raise BadAllocator(f"--allocators: there is none named {name}; there are "
                                   f"{', '.join(names)}")
        found = [allocator for allocator in found if allocator.name in wanted]
        missing = {name: why for name, why in missing.items() if name in wanted}
    return found, missing


def install(packages):
    """Install Debian packages; the command is shown.  False where that failed."""
    if not shutil.which("apt-get"):
        print("bench: this is no Debian: install by hand: " + " ".join(packages))
        return False
    rights = [] if os.geteuid() == 0 else ["sudo"]
    if rights and not shutil.which("sudo"):
        print("bench: there is no sudo: install as root: " + " ".join(packages))
        return False
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    status = 0
    for arguments in (["update", "-q"],
                      ["install", "-y", "-q", "--no-install-recommends", *packages]):
        command = [*rights, "apt-get", *arguments]
        print("bench: " + " ".join(command), flush=True)
        status = subprocess.run(command, env=environment, check=False,
                                stdout=subprocess.DEVNULL).returncode
    return status == 0      # of the last; without an update it may work as well

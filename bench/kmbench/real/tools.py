# SPDX-License-Identifier: MIT
"""Tools of the command line that live by malloc: jq, xmllint, git."""

import json
import os
import random
import subprocess

from ..job import JobFailed
from .program import Program, at_least, words, write


def records(seed, count):
    source = random.Random(seed)
    known = words(seed + 1, 2000)
    for number in range(count):
        yield {"id": number, "name": source.choice(known), "price": source.randint(1, 9999),
               "tags": source.choices(known, k=source.randint(0, 6)),
               "text": " ".join(source.choices(known, k=source.randint(3, 20)))}


class Jq(Program):
    name = "real/jq"
    programs = ("/usr/bin/jq",)
    packages = ("jq",)
    reads = "in.json"

    def make_input(self, folder, size):
        write(folder, self.reads, json.dumps(list(records(41, at_least(5, 14000 * size)))))

    def command(self, folder, size):
        return ["/usr/bin/jq", "-c",
                "group_by(.name) | map({name: .[0].name, sum: (map(.price) | add),"
                " tags: (map(.tags[]) | unique), long: (map(.text | split(\" \") | length) | max)})"
                " | sort_by(.sum) | .[]"]


class Xmllint(Program):
    name = "real/xmllint"
    quick = False
    programs = ("/usr/bin/xmllint",)
    packages = ("libxml2-utils",)

    def make_input(self, folder, size):
        with open(os.path.join(folder, "in.xml"), "w", encoding="ascii") as file:
            file.write("<records>\n")
            for record in records(43, at_least(5, 70000 * size)):
                tags = "".join(f"<tag>{tag}</tag>" for tag in record["tags"])
                file.write(f'<record id="{record["id"]}" price="{record["price"]}">'
                           f'<name>{record["name"]}</name>{tags}<text>{record["text"]}</text>'
                           "</record>\n")
            file.write("</records>\n")

    def command(self, folder, size):
        return ["/usr/bin/xmllint", "--nodict", "--xpath", "sum(//record[tag]/@price)", "in.xml"]


class Git(Program):
    """A whole history read and packed again."""
    name = "real/git"
    programs = ("/usr/bin/git",)
    packages = ("git",)
    quick = False
    environment = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}

    def make_input(self, folder, size):
        try:
            self.git(folder, "init", "-q", "--bare", "repository")
            self.git(os.path.join(folder, "repository"), "fast-import", "--quiet",
                     data=self.history(at_least(5, 2500 * size)))
        except (OSError, subprocess.SubprocessError) as error:
            raise JobFailed(f"{self.name}: git could not make the input: {error}") from None

    def git(self, folder, *arguments, data=None):
        environment = {key: value for key, value in os.environ.items()
                       if key != "LD_PRELOAD" and not key.startswith("GIT_")}
        subprocess.run(["/usr/bin/git"] + list(arguments), cwd=folder, check=True, text=True,
                       env={**environment, **self.environment}, input=data, capture_output=True,
                       timeout=60)

    @staticmethod
    def history(commits):
        source = random.Random(47)
        known = words(48, 800)
        parts = []
        for number in range(commits):
            text = "\n".join(" ".join(source.choices(known, k=6)) for _ in range(30)) + "\n"
            message = f"change {number}"
            parts.append(f"commit refs/heads/main\n"
                         f"committer A B <a@b> {1700000000 + number * 60} +0000\n"
                         f"data {len(message)}\n{message}\n"
                         f"M 644 inline folder{number % 7}/file{number % 90}\n"
                         f"data {len(text)}\n{text}\n")
        return "".join(parts) + "done\n"

    def command(self, folder, size):
        return ["/usr/bin/git", "-C", "repository", "log", "-p", "--stat", "-M", "-w", "--no-color",
                "main"]


def jobs():
    return [Jq(), Xmllint(), Git()]

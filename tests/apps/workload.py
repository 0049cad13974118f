# SPDX-License-Identifier: MIT
#
# Work for the Python test: threads, JSON, regular expressions, fork and
# subprocesses, each printing one line that is the same in every run.

import collections
import gc
import hashlib
import json
import os
import random
import re
import subprocess
import sys
import threading

THREADS = 4


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def tree(rng, depth):
    if depth == 0:
        return rng.choice([rng.random(), rng.randrange(10**12), "s" * rng.randrange(200), None])
    return {"key%d" % rng.randrange(10**6): tree(rng, depth - 1) for _ in range(6)}


def json_round_trip(seed):
    rng = random.Random(seed)
    digests = []
    for _ in range(6):
        value = tree(rng, 4)
        text = json.dumps(value, sort_keys=True, indent=rng.choice([None, 2]))
        assert json.loads(text) == value
        digests.append(digest(text))
    return digest(" ".join(digests))


def words(seed):
    rng = random.Random(seed)
    text = " ".join("%s%d" % (rng.choice("abcdef") * rng.randrange(1, 40), rng.randrange(1000))
                    for _ in range(8000))
    count = collections.Counter(re.findall(r"([a-f])\1*(\d+)", text))
    text = re.sub(r"\b(a+)(\d+)\b", lambda m: m.group(2) + m.group(1), text)
    return digest(text + json.dumps(sorted(map(list, count.items()))))


def grow_and_drop(seed):
    rng = random.Random(seed)
    kept = {}
    for i in range(60000):
        kept[rng.randrange(4000)] = bytearray(rng.randrange(1, 3000))
        if i % 10 == 0:
            kept.pop(rng.randrange(4000), None)
    big = bytearray()
    for _ in range(200):
        big += bytes(rng.randrange(1, 50000))
    return "%d %d %d" % (len(kept), sum(map(len, kept.values())), len(big))


def in_threads(work):
    results = [None] * THREADS

    def run(i):
        results[i] = work(i)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(THREADS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return results


def fork_children(work, children):
    """Forks while other threads allocate; each child reports through a pipe."""
    stop = threading.Event()

    def churn():
        while not stop.is_set():
            [bytearray(n) for n in range(1, 5000, 7)]

    churners = [threading.Thread(target=churn) for _ in range(2)]
    for t in churners:
        t.start()
    lines = []
    for i in range(children):
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.write(writer, work(i).encode())
            os._exit(i % 7)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            text = pipe.read()
        lines.append("%s %d" % (text, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))
    stop.set()
    for t in churners:
        t.join()
    return digest("\n".join(lines))


def small_child(i):
    rng = random.Random(i)
    return digest(json.dumps(tree(rng, 3)) + str(len(bytearray(rng.randrange(10**6)))))


def in_subprocess(i):
    out = subprocess.run([sys.executable, "-c",
                          "import json; print(json.dumps(list(range(%d))))" % (1000 * i)],
                         capture_output=True, text=True, check=True)
    return digest(out.stdout + out.stderr)


def main():
    print("json", in_threads(json_round_trip))
    print("re", in_threads(words))
    print("containers", in_threads(grow_and_drop))
    print("fork", fork_children(small_child, 40))
    print("subprocess", in_threads(in_subprocess))
    print("threads", digest("".join(map(str, (in_threads(small_child) for _ in range(50))))))
    print("garbage", gc.collect() >= 0)


main()

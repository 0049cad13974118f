#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""workload.py NAME SIZE IDLE REPORT: work of one kind for python3, for the rows real/python/NAME.

Prints a checksum of what it computed.  Then, with all of it freed, it idles for
IDLE seconds and writes to REPORT how long that was and the RSS behind it.
"""

import collections
import decimal
import gc
import heapq
import json
import queue
import random
import re
import sys
import threading
import time
import zlib


class Node:
    """Of a graph with cycles: nothing but the collector frees it."""

    def __init__(self, key, payload):
        self.key = key
        self.payload = payload
        self.edges = []
        self.attributes = {"key": key, "weight": key * 7 % 13}


def objects(size, source):
    """Dicts, lists, tuples, sets and instances that come and go in mixed ages."""
    checksum = 0
    kept = collections.deque(maxlen=int(2000 * size) + 10)
    for turn in range(int(16 * size) + 1):
        nodes = [Node(key, bytes(key % 200)) for key in range(5000)]
        for node in nodes:
            node.edges = [nodes[source.randrange(5000)] for _ in range(3)]
        index = {f"{turn}:{node.key}": (node.key, node) for node in nodes}
        groups = collections.defaultdict(set)
        for key, (number, node) in index.items():
            groups[number % 97].add(key)
            checksum += node.edges[0].key + len(node.payload)
        kept.extend(sorted(index)[::17])
        rows = sorted(([node.attributes["weight"], node.key] for node in nodes), reverse=True)
        checksum += rows[turn][1] + max(map(len, groups.values()))
        for node in nodes[::2]:
            del node.attributes["weight"]
    return checksum + len(kept)


def documents(size, source):
    """JSON there and back, as a service does it: one small document after another."""
    checksum = 0
    for turn in range(int(120 * size) + 1):
        document = {
            "id": turn,
            "rows": [{"name": f"row {row}", "value": source.random(),
                      "tags": ["a", "b" * (row % 40)],
                      "inner": {"list": list(range(row % 12)), "null": None, "flag": row % 2 == 0}}
                     for row in range(400)],
        }
        text = json.dumps(document, sort_keys=True)
        back = json.loads(text)
        checksum = zlib.crc32(json.dumps(back["rows"][::5], indent=1).encode(), checksum)
        if back != document:
            sys.exit("documents: what came back is not what went out")
    return checksum


def text(size, source):
    """Strings joined, split, searched and replaced."""
    letters = "etaoinshrdlucmfwypvbgk"
    words = ["".join(source.choices(letters, k=source.randint(2, 12))) for _ in range(3000)]
    pattern = re.compile(r"\b([a-m]+)([n-z]+)(\w*)\b")
    checksum = 0
    for turn in range(int(110 * size) + 1):
        lines = [" ".join(source.choices(words, k=12)) for _ in range(350)]
        whole = "\n".join(lines)
        changed = pattern.sub(lambda match: match[2].upper() + "-" + match[1] + match[3], whole)
        counts = collections.Counter(changed.split())
        encoded = whole.replace("a", "\u00e4").encode("utf-8").decode("utf-8").title()
        grown = ""
        for line in lines:
            grown += line[:20] + ";"
        checksum = zlib.crc32((changed + grown + encoded[:100]).encode("utf-8"), checksum)
        checksum ^= counts.most_common(1)[0][1] + turn
    return checksum


def threads(size, source):
    """Four workers behind a queue: what one thread makes another one drops."""
    requests, replies = queue.Queue(64), queue.Queue()
    held = collections.deque(maxlen=2000)
    count = int(16000 * size) + 20
    checksum = 0

    def work():
        while (request := requests.get()) is not None:
            number, fields = request
            answer = {f"{key}-{number}": value[::-1] for key, value in fields.items()}
            replies.put((number, answer, bytearray(number % 4096)))

    def check(number, answer, buffer):
        return number * len(answer) + len(buffer) + sum(map(len, answer.values()))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for number in range(count):
        requests.put((number, {f"k{key}": "v" * source.randint(1, 200) for key in range(16)}))
        while not replies.empty():
            held.append(replies.get())
            checksum += check(*held[-1])
    for worker in workers:
        requests.put(None)
    for worker in workers:
        worker.join()
    while not replies.empty():
        checksum += check(*replies.get())
    return checksum


def numbers(size, source):
    """Big integers, decimals, a heap and sorting."""
    checksum = 0
    decimal.getcontext().prec = 60
    for turn in range(int(9 * size) + 1):
        value = 1
        for factor in range(1, 900):
            value = value * (factor + turn) + factor
        checksum = zlib.crc32(hex(value).encode(), checksum)
        total = decimal.Decimal(turn + 1)
        for term in range(1, 8000):
            total += decimal.Decimal(term).sqrt() / (term + turn)
        checksum = zlib.crc32(str(total).encode(), checksum)
        heap = []
        for _ in range(12000):
            heapq.heappush(heap, (source.random(), source.getrandbits(100)))
        drawn = [heapq.heappop(heap) for _ in range(6000)]
        floats = sorted(value / 3 for _, value in drawn + heap)
        checksum = zlib.crc32(repr(floats[:50]).encode(), checksum)
    return checksum


def rss_kib():
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def main():
    works = {work.__name__: work for work in (objects, documents, text, threads, numbers)}
    if len(sys.argv) != 5 or sys.argv[1] not in works:
        sys.exit(f"workload.py: expected NAME SIZE IDLE REPORT, NAME one of {', '.join(works)}")
    print(works[sys.argv[1]](float(sys.argv[2]), random.Random(sys.argv[1])), flush=True)
    gc.collect()
    begin = time.monotonic()
    time.sleep(float(sys.argv[3]))
    rss = rss_kib()
    with open(sys.argv[4], "w", encoding="ascii") as file:
        json.dump({"idle": time.monotonic() - begin, "rss_kib": rss}, file)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A program that allocates as many programs do: several threads build data structures, hand some of
them to each other and drop them. It prints a checksum that is the same in every run. Run it with
PYTHONMALLOC=malloc, so that every object comes from malloc."""

import queue
import random
import sys
import threading
import zlib

THREADS = 4
ROUNDS = 6


def build(rng):
    """A nested structure of a few thousand objects of all sizes."""
    index = {}
    for number in range(1500):
        key = "%x-%d" % (rng.getrandbits(64), number)
        index[key] = [rng.random(), key * rng.randrange(1, 12), (number, str(number))]
    blobs = [bytearray(rng.randrange(16, 1 << rng.randrange(6, 18))) for _ in range(120)]
    return index, blobs


def digest(item):
    """Read all of it; what is not as it was built gives another number."""
    index, blobs = item
    crc = 0
    for key in sorted(index):
        number, text, pair = index[key]
        crc = zlib.crc32(("%s %.9f %s %s" % (key, number, text, pair)).encode(), crc)
    for blob in blobs:
        crc = zlib.crc32(blob, crc)
    return crc


def work(seed, inbox, outbox, sums):
    """Build, keep a few, pass one on a round, read and drop what the neighbour passed."""
    rng = random.Random(seed)
    kept = []
    total = 0
    for _ in range(ROUNDS):
        kept.append(build(rng))
        outbox.put(build(rng))
        total += digest(inbox.get())
        if len(kept) > 3:
            total += digest(kept.pop(rng.randrange(len(kept))))
    sums[seed] = total + sum(digest(item) for item in kept)


def main():
    inboxes = [queue.Queue() for _ in range(THREADS)]
    sums = [0] * THREADS
    threads = [threading.Thread(target=work, args=(n, inboxes[n], inboxes[n - 1], sums))
               for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("%d threads, %d structures built and dropped, checksum %016x"
          % (THREADS, 2 * THREADS * ROUNDS, sum(sums)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: MIT
"""What the checks in Python print: the Test Anything Protocol."""

count, failed = 0, 0


def ok(passed, name, note=""):
    """One test.  note: what was found, said where it failed."""
    global count, failed
    count += 1
    failed += not passed
    print(f"{'ok' if passed else 'not ok'} {count} - {name}")
    if not passed and note:
        print("# " + str(note)[:4000].replace("\n", "\n# "))


def done():
    """The plan; what the program ends with."""
    print(f"1..{count}")
    return 1 if failed else 0

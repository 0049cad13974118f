#!/bin/sh
# SPDX-License-Identifier: MIT
# What 100 sleeping threads hold, a thread: nearly nothing where they never
# called malloc; at most 64 KiB for a single block, its slot included; and after
# a burst of 4000 freed blocks, 3 MiB, at most what its sheaves may keep: two of
# 64 objects, or of 64 KiB where those are larger, for each class of up to 4 KiB
# (1.9 MiB), and its share of the budget that one burst after the other earns (counted as 2.5 MiB
# in all); side by side (3 MiB) their share of the purge budget, a quarter of
# what all of them hold, once for free pages and once for free pages inside slabs.
. "$(dirname "$0")/lib.sh"
plan 4

judge()
{
	line=$(under_test "$programs/idle_threads" "$1")
	threads=$(figure threads "$line")
	at_most "$(figure idle "$line")" $((${threads:-0} * $2)) "$3"
	diag "$1: $line"
}

judge none 16 'a thread that never allocates holds at most 16 KiB, its stack included'
judge one 64 'a thread with one block holds at most 64 KiB'
judge burst 2560 'a thread that freed a burst holds at most 2.5 MiB'
judge together 3072 'threads that freed bursts side by side hold at most 3 MiB each'
done_testing

#!/bin/sh
# SPDX-License-Identifier: MIT
# Giving memory back must not cost a program that needs it again at once: a loop
# of bursts takes at most 1.10 of its CPU time without purging. Medians of 5
# interleaved runs.
. "$(dirname "$0")/lib.sh"
plan 1

count=40
purged='' kept=''
for _ in 1 2 3 4 5; do
	purged="$purged $(under_test "$programs/burst" loop $count)"
	kept="$kept $(under_test KMALLOC_OPTIONS=purge=never "$programs/burst" loop $count)"
done
purged_median=$(echo "$purged" | tr ' ' '\n' | median)
kept_median=$(echo "$kept" | tr ' ' '\n' | median)
ratio=$(awk -v a="$purged_median" -v b="$kept_median" 'BEGIN { if (b > 0) printf "%.3f", a / b }')
at_most "$ratio" 1.10 'a loop of bursts costs no more than 1.10 of the same with purge=never'
diag "CPU seconds for $count bursts: $purged_median; with purge=never: $kept_median; ratio $ratio"
done_testing

#!/bin/sh
# SPDX-License-Identifier: MIT
# A program that only starts and ends takes at most 0.5 ms more than under glibc;
# so does one that gets a single block in between. Medians of interleaved runs.
. "$(dirname "$0")/lib.sh"
plan 2

figures=$("$programs/startup" "$preload" 300)

judge()
{
	line=$(printf '%s\n' "$figures" | grep "^$1 ")
	at_most "$(figure wall_more "$line")" 500 "$2"
	diag "$line"
}

judge empty 'a program that starts and ends takes at most 0.5 ms more'
judge one 'a program that gets one block takes at most 0.5 ms more'
done_testing

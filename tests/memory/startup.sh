#!/bin/sh
# SPDX-License-Identifier: MIT
# A program that only starts and ends has a peak RSS at most 1 MiB above that
# under glibc; so has one that gets a single block in between.
. "$(dirname "$0")/lib.sh"
plan 2

figures=$("$programs/startup" "$preload" 25)

judge()
{
	line=$(printf '%s\n' "$figures" | grep "^$1 ")
	base=$(figure rss_base "$line")
	at_most "$(figure rss "$line")" $((${base:-0} + 1024)) "$2"
	diag "$line"
}

judge empty 'a program that starts and ends costs at most 1 MiB more RSS'
judge one 'a program that gets one block costs at most 1 MiB more RSS'
done_testing

#!/bin/sh
# SPDX-License-Identifier: MIT
# What stays resident of a burst of 100,000 blocks of 1000 bytes: at most 10 %
# two idle seconds after all were freed, by whatever thread in whatever order; at
# most 60 % after malloc_trim(0) with every tenth block alive.
. "$(dirname "$0")/lib.sh"
plan 11

results=$(mktemp -d) || exit 1
trap 'rm -rf "$results"' EXIT

# The runs of a mode sleep most of the time, so they go side by side.
run_orders()
{
	mode=$1
	shift
	for order in "$@"; do
		under_test "$programs/burst" "$mode" "$order" >"$results/$mode.$order" 2>&1 &
	done
	wait
}

# judge LIMIT NAME MODE ORDER...
judge()
{
	limit=$1 name=$2 mode=$3
	shift 3
	run_orders "$mode" "$@"
	for order in "$@"; do
		line=$(cat "$results/$mode.$order")
		at_most "$(figure percent "$line")" "$limit" "$name ($order)"
		diag "$line"
	done
}

judge 10 'a freed burst is given back without another call' all order reverse random
judge 10 'a burst freed by another thread is given back while its owner sleeps' \
	thread order reverse random
judge 10 'a burst freed by a thread that has ended is given back' exit order reverse random
judge 60 'malloc_trim gives back the pages between blocks that live' tenth order random
done_testing

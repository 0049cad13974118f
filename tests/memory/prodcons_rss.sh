#!/bin/sh
# SPDX-License-Identifier: MIT
# Two threads that hand 2,000,000 blocks over, never more than 1000 of them alive
# (at most 1 MiB): the RSS grows by at most 16 MiB, and by at most 4 MiB after
# the first tenth, whoever of the two is replaced in between.
. "$(dirname "$0")/lib.sh"
plan 10

judge()
{
	line=$(under_test "$programs/prodcons_rss" "$1")
	early=$(figure early "$line")
	peak=$(figure peak "$line")
	at_most "$peak" 16384 "$2: bounded"
	at_most "$peak" $((${early:-0} + 4096)) "$2: no growth after the first tenth"
	diag "$1: $line"
}

judge steady 'one producer and one consumer'
judge consumers 'a consumer that is replaced 200 times'
judge producers 'a producer that is replaced 200 times'
judge turns 'two threads that change roles'
judge sizes 'sizes that drift from class to class'
done_testing

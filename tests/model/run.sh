#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs the model of the remote-free protocol (remote-free.pml) through spin: the protocol as
# it is built must show no error, and each broken variation must show one, so that the model
# is known to be able to fail.  About 20 seconds of CPU; KMALLOC_TEST_LONG=1 adds the larger
# configurations and all the variations (about 10 minutes, up to 1 GB).
# Skips where spin or a C compiler is missing.

here=$(cd "$(dirname "$0")" && pwd)
srcdir=${abs_top_srcdir:-$here/../..}
model=$srcdir/tests/model/remote-free.pml
. "$srcdir/tests/lib/tap.sh"

cc=${MODEL_CC:-cc}
command -v spin >/dev/null 2>&1 || skip_all "spin is not installed"
command -v "$cc" >/dev/null 2>&1 || skip_all "no C compiler"

work=$(mktemp -d "${TMPDIR:-/tmp}/km-model.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# the short searches are less than 25,000 steps deep, the long ones less than 500,000
opt=1 depth=200000

# verify SWITCHES O-LEVEL: the answer of one complete search, in $answer:
# "none" (searched to the end, no error), "error" (an assertion failed), else what went wrong
verify()
{
	rm -rf "$work/v"
	mkdir "$work/v"
	cd "$work/v" || exit 1
	# shellcheck disable=SC2086
	if ! spin -a $1 "$model" >spin.out 2>&1 || ! [ -f pan.c ]; then
		answer="spin refused the model"
	elif ! "$cc" "-O$2" -w -DSAFETY -DCOLLAPSE -DMEMLIM=7500 -DVECTORSZ=2048 -o pan pan.c \
			>cc.out 2>&1; then
		answer="the verifier does not compile"
	else
		./pan -m$depth -n >pan.out 2>&1
		if grep -q 'assertion violated' pan.out; then
			answer=error
		elif grep -q 'errors: 0' pan.out && ! grep -qE \
				'not completed|too small|out of memory|invalid end state ' pan.out; then
			answer=none
		else
			answer="the search was not complete"
		fi
		diag "$1: $(grep 'states, stored' pan.out)" \
			"$(grep -o 'assertion violated.*' pan.out | head -n 1)"
	fi
	cd "$here" || exit 1
}

right()
{
	verify "$2" $opt
	is "$answer" none "$1: no error"
}

wrong()
{
	verify "$2" 0
	is "$answer" error "$1: the model finds the error"
}

turn='-DOP_EXIT -DOP_BIRTH -DOP_VISIT'
two="-DNT=2 -DNF=0 $turn"

right 'ends, births, visits and adoption' "$two"
right 'a handler at any step, with a slotless thread' "-DNT=1 -DNF=1 -DHANDLER $turn"
right 'fork from a handler at any step' '-DNT=2 -DNF=0 -DHANDLER -DOP_FORK'

wrong 'inbox of a live slot emptied without its lock' "$two -DV_LIVEDRAIN"
wrong 'adoption from a live slot that works without its lock' "$two -DV_ADOPTLIVE"
wrong 'adoption from a live slot under its lock' "$two -DV_ADOPTLIVELOCKED"
wrong 'own slot taken for held while emptying another inbox' "$two -DV_OWNISHELD"
wrong 'fork child repairs under its own interrupted free' \
	'-DNT=2 -DNF=0 -DHANDLER -DOP_FORK -DV_FORKEARLY'

if [ "${KMALLOC_TEST_LONG:-0}" = 1 ]; then
	opt=2 depth=3000000
	for v in NOHOLD STALEBIRTH NOPASS REANNOUNCE; do
		wrong "V_$v" "$two -DV_$v"
	done
	for v in WORDSFIRST LINKLATE LINKAFTER NOTOKEN NODEBT PENDLOAD BATCH ANNOUNCEFIRST; do
		wrong "V_$v" "-DV_$v"
	done
	for v in NULL NULLCOLLECT; do
		wrong "V_$v" "-DNF=1 -DOP_EXIT -DOP_BIRTH -DV_$v"
	done
	right 'two slots and a slotless thread, visits of live slots' '-DNT=2 -DNF=1 -DOP_VISIT'
	right 'everything, two slots and a slotless thread' "-DNT=2 -DNF=1 $turn"
	right 'everything, with a handler' "$two -DHANDLER"
	right 'everything, with fork from a handler' "$two -DHANDLER -DOP_FORK"
	right 'fork outside the handler' '-DNT=2 -DNF=1 -DOP_FORK'
	right 'work during visits' "$two -DOP_HELDOPS"
	right 'two threads in one slot' '-DNT=2 -DNF=1 -DM1=0 -DOP_VISIT'
	right 'three objects a slab' "$two -DNOBJ=3"
	right 'two slabs' '-DNT=2 -DNF=0 -DNSLAB=2 -DOP_VISIT'
	right 'three slots' '-DNT=3 -DNSLOT=3 -DNF=0 -DOP_VISIT'
	right 'words taken without the slab' "$two -DOP_WORDS"
	right 'push in single steps' "$two -DV_FINEPUSH"
	right 'owner read before the push' "$two -DV_OWNERFIRST"
	right 'slabs of one remote word' '-DNT=2 -DNF=1 -DOP_VISIT -DV_ONEWORD'
fi

done_testing

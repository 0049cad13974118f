#!/bin/sh
# SPDX-License-Identifier: MIT
# The tables of gfp(7), the flags of include/kmalloc/gfp.h and the names that KMALLOC_GFP knows are
# the same, and each flag has a test of what it does: a comment "gfp-test: FLAG ..." in a file below
# tests/, beside that test; what stands in parentheses there is for the reader.
# kernel-semantics.md 6.7.
: "${abs_top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$abs_top_srcdir/tests/lib/tap.sh"
LC_ALL=C
export LC_ALL

# Masks and shifts are no flags.
flags_of_header()
{
	sed -n 's/^#define[ \t]*\(\(__\)*GFP_[A-Z0-9_]*\)[ \t].*/\1/p' "$1" |
		grep -Ev '(_MASK|_SHIFT|ZONEMASK)$' | sort
}

# "NAME VERDICT" of each row.
rows_of_page()
{
	sed -n 's/^\.It Dv \(\(__\)*GFP_[A-Z0-9_]*\) Pq Em \([a-z-]*\)$/\1 \3/p' "$1" | sort
}

# missing FLAGS: those that no file given on standard input names behind "gfp-test:".
missing()
{
	tested=" $(sed -n 's/([^)]*)//g; s/.*gfp-test://p' | tr -cs 'A-Z0-9_' ' ') "
	for flag in $1; do
		case $tested in
		*" $flag "*) ;;
		*) echo "$flag" ;;
		esac
	done
}

flags=$(flags_of_header "$abs_top_srcdir/include/kmalloc/gfp.h")
rows=$(rows_of_page "$abs_top_srcdir/man/gfp.7")
[ "$(echo "$flags" | wc -l)" -gt 50 ]
ok $? "the header has flags"
is "$(echo "$rows" | sed 's/ .*//')" "$flags" \
	"gfp(7) has a row for each flag of the header and no other"
is "$(echo "$rows" | grep -Ev ' (honoured|mapped|no-op|refused)$')" "" "each row has a verdict"
is "$(sed -n 's/^\t\(WHOLE\|PART\|ALIAS_WHOLE\|ALIAS_PART\)(\([A-Z0-9_]*\)),$/\2/p
	s/^\t{ "\([A-Z0-9_]*\)".*/\1/p' "$abs_top_srcdir/src/mm/gfp_names.c" | sort)" "$flags" \
	"KMALLOC_GFP knows each flag of the header"

without=$(find "$abs_top_srcdir/tests" -name '*.[ch]' -exec cat {} + \
	-o -name '*.cc' -exec cat {} + \
	-o -name '*.sh' ! -name check_gfp_man.sh -exec cat {} + | missing "$flags")
is "$without" "" "each flag has a test of what it does"

is "$(printf '/* gfp-test: GFP_A (not GFP_B) __GFP_C */\n' | missing "GFP_A GFP_B __GFP_C C")" \
	"$(printf 'GFP_B\nC')" "a flag without a test is found"
done_testing

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

# Flags whose test is still to be written; a name that has one must go from here.
untested="
GFP_ATOMIC GFP_DMA GFP_DMA32 GFP_HIGHUSER GFP_HIGHUSER_MOVABLE GFP_KERNEL GFP_KERNEL_ACCOUNT
GFP_NOFS GFP_NOIO GFP_NOWAIT GFP_TRANSHUGE GFP_TRANSHUGE_LIGHT __GFP_ACCOUNT __GFP_COMP
__GFP_DIRECT_RECLAIM __GFP_DMA __GFP_DMA32 __GFP_FS __GFP_HIGH __GFP_HIGHMEM __GFP_IO
__GFP_KSWAPD_RECLAIM __GFP_MEMALLOC __GFP_NOFAIL __GFP_NOMEMALLOC __GFP_NORETRY __GFP_NOWARN
__GFP_RECLAIMABLE __GFP_RETRY_MAYFAIL __GFP_THISNODE
"

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

untested=$(printf '%s' "$untested" | tr -s ' \n' '\n' | sed '/^$/d' | sort)
without=$(find "$abs_top_srcdir/tests" -name '*.[ch]' -exec cat {} + \
	-o -name '*.cc' -exec cat {} + \
	-o -name '*.sh' ! -name check_gfp_man.sh -exec cat {} + | missing "$flags")
is "$without" "$untested" "each flag has a test of what it does, but for those named here"
if [ -n "$untested" ]; then
	tap_count=$((tap_count + 1))
	echo "not ok $tap_count - no flag is named here # TODO $(echo "$untested" | wc -l) flags"
fi

is "$(printf '/* gfp-test: GFP_A (not GFP_B) __GFP_C */\n' | missing "GFP_A GFP_B __GFP_C C")" \
	"$(printf 'GFP_B\nC')" "a flag without a test is found"
done_testing

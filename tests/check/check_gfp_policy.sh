#!/bin/sh
# SPDX-License-Identifier: MIT
# KMALLOC_GFP is read from the environment of an unmodified program: a right one says nothing, a
# mistake is one line and the program runs (design.md section 6).
: "${abs_top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${abs_top_builddir:=$abs_top_srcdir}"
: "${KMALLOC_PRELOAD:=$abs_top_builddir/preload/.libs/libkmalloc-preload.so}"
. "$abs_top_srcdir/tests/lib/tap.sh"
unset KMALLOC_OPTIONS KMALLOC_GFP

# under POLICY COMMAND...
under()
{
	policy=$1
	shift
	# A program of its own: a builtin of the shell would see nothing.
	KMALLOC_GFP=$policy LD_PRELOAD=$KMALLOC_PRELOAD "$@" 2>&1
}

right='GFP_KERNEL; kmalloc-64,kmalloc-96:__GFP_ZERO; vmalloc:__GFP_NORETRY; comm=nginx:GFP_NOWAIT'
is "$(under "$right" /bin/echo works)" works "a right policy says nothing"
is "$(under 'GFP_KERNL' /bin/echo works)" \
	"kmalloc: WARNING: KMALLOC_GFP: unknown flag 'GFP_KERNL' in \
'GFP_KERNL', nearest is 'GFP_KERNEL'; the block is ignored
works" "an unknown flag is one line that names the nearest"
wrong='GFP_KERNEL; kmalloc-64:__GFP_ZER0; GFP_NOFS; siez=1:GFP_NOIO; kmalloc-63:GFP_NOIO'
is "$(under "$wrong" /bin/echo works | wc -l)" 5 \
	"four mistakes are four lines, and the program runs"
is "$(KMALLOC_GFP=GFP_KERNL LD_PRELOAD='' /bin/echo works 2>&1)" works \
	"without the library nothing is read"
done_testing

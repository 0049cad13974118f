#!/bin/sh
# SPDX-License-Identifier: MIT
# The layers of src/ include downwards only, and the check of it can fail.
: "${abs_top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$abs_top_srcdir/tests/lib/tap.sh"
check=$abs_top_srcdir/build-aux/check-layers

tree=$(mktemp -d) || exit 99
trap 'rm -rf "$tree"' EXIT

# tree_with FILE LINE: make a tree of that one file with that one line.
tree_with()
{
	rm -rf "$tree/src" "$tree/preload" "$tree/include"
	mkdir -p "$tree/src/lib" "$tree/src/os" "$tree/src/mm" "$tree/src/wrong" \
		 "$tree/preload" "$tree/include/kmalloc" "$tree/include/kmalloc-linux/linux"
	echo "$2" >"$tree/$1"
}

# refuses NAME FILE LINE
refuses()
{
	tree_with "$2" "$3"
	! "$check" "$tree" 2>/dev/null
	ok $? "$1"
}

# accepts NAME FILE LINE
accepts()
{
	tree_with "$2" "$3"
	"$check" "$tree"
	ok $? "$1"
}

plan 13
"$check" "$abs_top_srcdir"
ok $? "every include of this tree points downwards"
refuses "lib does not include mm" src/lib/a.c '#include "mm/slab.h"'
refuses "mm does not include preload" src/mm/a.h '#include "preload/malloc.h"'
refuses "mm includes no system header" src/mm/a.c '#include <stdio.h>'
refuses "a header is named by its path from src" src/mm/a.c '#include "../lib/list.h"'
refuses "a public header includes no private one" include/kmalloc/a.h '#include "lib/list.h"'
refuses "nor does one of the kernel's" include/kmalloc-linux/linux/a.h '#include "lib/list.h"'
refuses "a public header includes none of those" include/kmalloc/a.h '#include <linux/list.h>'
refuses "a folder that is no layer is refused" src/wrong/a.c '#include <stddef.h>'
rm -rf "$tree/src" "$tree/preload" "$tree/include"
! "$check" "$tree" 2>/dev/null
ok $? "a tree without sources is refused"
accepts "mm includes lib" src/mm/a.c '#include "lib/list.h"'
accepts "a header of the kernel's includes the system's" include/kmalloc-linux/linux/a.h \
	'#include <stdio.h>'
accepts "os includes system headers" src/os/a.c '#include <sys/mman.h>'
done_testing

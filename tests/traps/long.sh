# SPDX-License-Identifier: MIT
# Sourced by long_NAME.sh: runs the program NAME under the preload in its long
# form. The TAP is the program's own.
here=$(cd "$(dirname "$0")" && pwd)
: "${abs_top_srcdir:=$(cd "$here/../.." && pwd)}"
: "${abs_top_builddir:=$abs_top_srcdir}"
: "${KMALLOC_PRELOAD:=$abs_top_builddir/preload/.libs/libkmalloc-preload.so}"
name=$(basename "$0" .sh)
exec env KMALLOC_TEST_LONG=1 LD_PRELOAD="$KMALLOC_PRELOAD" \
	"$abs_top_builddir/tests/traps/${name#long_}"

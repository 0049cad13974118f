#!/bin/sh
# SPDX-License-Identifier: MIT
# The same program under the preload, where kmalloc() and malloc() have one heap.
: "${abs_top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${abs_top_builddir:=$abs_top_srcdir}"
: "${KMALLOC_PRELOAD:=$abs_top_builddir/preload/.libs/libkmalloc-preload.so}"
LD_PRELOAD=$KMALLOC_PRELOAD exec "$abs_top_builddir/tests/kapi/test_conform_gfp"

#!/bin/sh
# SPDX-License-Identifier: MIT
# The examples build with pkg-config alone, against an installation, and run.
: "${abs_top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${abs_top_builddir:=$abs_top_srcdir}"
. "$abs_top_srcdir/tests/lib/tap.sh"
: "${CC:=cc}"
unset LD_PRELOAD KMALLOC_OPTIONS KMALLOC_PRELOAD MAKEFLAGS MFLAGS MAKELEVEL
command -v pkg-config >/dev/null || skip_all "pkg-config is not installed"

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
log=$work/log
make -C "$abs_top_builddir" install DESTDIR="$work/root" >"$log" 2>&1
ok $? "make install DESTDIR=..."
PKG_CONFIG_PATH=$(dirname "$(find "$work/root" -name kmalloc-linux.pc)")
PKG_CONFIG_SYSROOT_DIR=$work/root
LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR LD_LIBRARY_PATH

mkdir "$work/examples"
cp "$abs_top_srcdir"/examples/* "$work/examples"
cd "$work/examples" || exit 99
make CC="$CC" CFLAGS='-O2 -Wall -Wextra -Werror' >"$log" 2>&1
status=$?
[ $status -eq 0 ] || sed 's/^/# /' "$log"
ok $status "the examples build without a warning"

./flags >"$log" 2>&1
ok $? "flags runs"
is "$(grep -c NULL "$log")" 0 "without a limit there is memory under all flags"
./failures >"$log" 2>&1
ok $? "failures runs"
is "$(tail -n 1 "$log")" "load_config() survives each of its 4 failures" \
	"each of its allocations failed once"
./pages >"$log" 2>&1
ok $? "pages runs"
is "$(grep -c 'direct map\|vmalloc $\|not ours' "$log")" 3 "it knows whose addresses are"
./bufpool nr_writes=1000 2>"$log"
ok $? "the driver loads and unloads"
is "$(cat "$log")" "bufpool: 10890 bytes written, 10890 read, 8 buffers in reserve
bufpool: unloaded" "it gave back what was written, and its reserve is full"
KMALLOC_OPTIONS=mem=64M ./shrinker >"$log" 2>&1
ok $? "160 MB through a cache in 64 MiB"
grep -q '40000 entries made: [0-9]* cached, [1-9][0-9]* dropped' "$log"
status=$?
[ $status -eq 0 ] || sed 's/^/# /' "$log"
ok $status "the shrinker gave memory back"
done_testing

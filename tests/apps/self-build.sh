#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# This project built under the preload with two jobs: bootstrap, configure, make,
# the compiler included. The objects and libraries are those of a build without
# it, byte for byte: both are made in the same folder, one after the other.

limit=${KM_TEST_TIMEOUT:-600}
. "$(dirname "$0")/apps.sh"
need make gcc
[ -z "${KM_DISTCHECK:-}" ] || skip_all "distcheck is itself such a build"

# The sources: what git knows of and what it would add, or what a tarball holds.
source_tree()
{
	local cdup

	mkdir "$work/in/source"
	if cdup=$(git -C "$abs_top_srcdir" rev-parse --show-cdup 2>/dev/null) && [ -z "$cdup" ]; then
		(cd "$abs_top_srcdir" &&
			git ls-files -z --cached --others --exclude-standard |
			while IFS= read -r -d '' file; do
				[ ! -e "$file" ] || printf '%s\0' "$file"
			done | tar --null -T - -cf -) | tar -C "$work/in/source" -xf -
	else
		make -s -C "$abs_top_builddir" distdir distdir="$work/in/source"
	fi
}

cat >"$work/in/build.sh" <<'END'
cd "$1" || exit
if [ -x bootstrap ] && command -v autoreconf && command -v libtoolize; then
	./bootstrap || exit
fi
mkdir build && cd build && ../configure CFLAGS='-O2 -g' && exec make -j2
END

# build WHERE: in $work/build, kept as $work/WHERE/build
build()
{
	cp -a "$work/in/source" "$work/build"
	run_"$1" bash "$work/in/build.sh" "$work/build"
	mv "$work/build" "$work/$1/build"
}

# The files that a build made for the machine, with their digests.
products()
{
	(cd "$work/$1/build" && find . \( -name '*.o' -o -name '*.so' -o -path './build/tools/*' \) \
		-type f ! -path '*/.deps/*' -exec sha256sum {} + | sort -k 2)
}

source_tree >&2
[ -e "$work/in/source/configure.ac" ]
ok $? "the sources are there"
preloaded_ok make --version

build glibc
is "$glibc_status" 0 "the project builds under glibc"
build preload
is "$preload_status" 0 "the project builds under the preload"
[ "$glibc_status" -eq 0 ] && [ "$preload_status" -eq 0 ] ||
	tail -n 15 "$work/glibc.err" "$work/preload.err" | note
silent "the build under the preload is silent" "$work/preload.out" "$work/preload.err"

products glibc >"$work/a"
products preload >"$work/b"
grep -q '\.o$' "$work/a" && cmp -s "$work/a" "$work/b"
ok $? "both builds made the same objects and libraries"
diff "$work/a" "$work/b" | head -n 20 | note
note <<<"$(wc -l <"$work/b") files compared"

cmp "$work/glibc/build/build/config.h" "$work/preload/build/build/config.h" >&2
ok $? "both configure runs found the same"
done_testing

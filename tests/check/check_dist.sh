#!/bin/sh
# SPDX-License-Identifier: MIT
# Makefile.am and the fragments name every source file and every test by hand: none is forgotten,
# and none that is gone is named.
: "${abs_top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$abs_top_srcdir/tests/lib/tap.sh"
cd "$abs_top_srcdir" || exit 99

# unnamed FILE...: those that no makefile names.
unnamed()
{
	for file in "$@"; do
		cat Makefile.am tests/*/*.mk bench/local.mk examples/local.mk include/*/local.mk |
			grep -Eq "(^|[[:space:]=])$(printf '%s' "$file" | sed 's/[.+]/\\&/g')([[:space:]]|\$)" ||
			echo "$file"
	done
}

plan 4
# shellcheck disable=SC2046
is "$(unnamed $(find src preload include tools -name '*.[chS]' -o -name '*.def' -o -name '*.sym' \
	-o -name '*.py'))" "" "every source file is named in Makefile.am"
# shellcheck disable=SC2046
is "$(unnamed $(find tests bench examples -name '*.[ch]' -o -name '*.cc' -o -name '*.sh' -o -name '*.py' \
	-o -name '*.txt'))" "" "every file of the tests is named in a makefile"
# (The build makes preload/exports.sym.)
missing=$(cat Makefile.am tests/*/*.mk bench/local.mk examples/local.mk include/*/local.mk |
	grep -Eo '(^|[[:space:]])(src|preload|include|tools|tests|bench)/[A-Za-z0-9_./+-]*\.(c|cc|h|sh|py|def|sym|txt)\b' |
	grep -v 'preload/exports\.sym' | sort -u | while read -r file; do [ -e "$file" ] || echo "$file"; done)
is "$missing" "" "every file that a makefile names is there"
is "$(unnamed src/no/such_file.c)" src/no/such_file.c "a file that is not named is found"
done_testing

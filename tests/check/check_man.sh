#!/bin/sh
# SPDX-License-Identifier: MIT
# The manual pages have no mistake that mandoc warns of, and describe every function of the library.
: "${abs_top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$abs_top_srcdir/tests/lib/tap.sh"
command -v mandoc >/dev/null || skip_all "mandoc is not installed"

bad=$(mktemp) || exit 99
trap 'rm -f "$bad"' EXIT

for page in "$abs_top_srcdir"/man/*.[1-8]; do
	notes=$(mandoc -T lint -W warning "$page" 2>&1)
	ok $? "mandoc warns of nothing in ${page##*/}"
	[ -z "$notes" ] || diag "$notes"
done
# The names that the page of a function, or a link to it, is found by; and the functions that a page
# describes at another place.
names=$("$abs_top_srcdir"/build-aux/man-links "$abs_top_srcdir"/man/*.3 | sed 's/.* //' &&
	find "$abs_top_srcdir/man" -name '*.3' | sed 's|.*/||; s/\.3$//')
is "$(printf '%s\n' "$names" | sort | uniq -d)" "" "no name has two pages"
described=$(printf '%s\n' "$names" && awk '/^\./ {
	for (i = 1; i < NF; i++)
		if ($i ~ /^\.?F[no]$/)
			print $(i + 1)
}' "$abs_top_srcdir"/man/*.[1-8] | tr -d '"')

# undescribed FUNCTION...: those that no page describes.
undescribed()
{
	for function in "$@"; do
		printf '%s\n' "$described" | grep -qx "\(__\)*$function" || echo "$function"
	done
}

# shellcheck disable=SC2046
is "$(undescribed $(sed 's/^km_//' "$abs_top_srcdir/src/libkmalloc.sym"))" "" \
	"each function of the library is in a manual page"
is "$(undescribed kmalloc no_such_function)" no_such_function "one that is not is found"

printf '.Dd 1 2\n.Dt\n.Sh NAME\n.Xx\n' >"$bad"
! mandoc -T lint -W warning "$bad" >/dev/null 2>&1
ok $? "mandoc does warn of a bad page"
done_testing

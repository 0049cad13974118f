#!/bin/sh
# SPDX-License-Identifier: MIT
# The manual pages have no mistake that mandoc warns of.
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
# The functions of a page of section 3, but the first, are its links.
for page in "$abs_top_srcdir"/man/*.3; do
	page=${page##*/}
	is "$(sed -n 's/^\.Nm \([A-Za-z0-9_]*\) *,*$/\1/p' "$abs_top_srcdir/man/$page" |
		sed "1d; s/^/${page%.3}:/" | sort -u)" \
		"$(sed -n "s/^[	 ]*\(${page%.3}:[A-Za-z0-9_]*\).*/\1/p" "$abs_top_srcdir/Makefile.am" | sort -u)" \
		"Makefile.am has a link for each function of $page"
done
printf '.Dd 1 2\n.Dt\n.Sh NAME\n.Xx\n' >"$bad"
! mandoc -T lint -W warning "$bad" >/dev/null 2>&1
ok $? "mandoc does warn of a bad page"
done_testing

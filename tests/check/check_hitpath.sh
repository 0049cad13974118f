#!/bin/sh
# SPDX-License-Identifier: MIT
# The hit path of malloc, free, kmalloc and kfree is short and straight: from the entry along the
# fall-through of every conditional jump to the first return there are at most $limit instructions,
# none of them a call, a locked operation or a jump backwards.
: "${abs_top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${abs_top_builddir:=$abs_top_srcdir}"
: "${KMALLOC_PRELOAD:=$abs_top_builddir/preload/.libs/libkmalloc-preload.so}"
. "$abs_top_srcdir/tests/lib/tap.sh"
LC_ALL=C
export LC_ALL
limit=26
command -v objdump >/dev/null || skip_all "objdump is not installed"
[ "$(uname -m)" = x86_64 ] || skip_all "the count is of x86-64 instructions"
[ -z "$KM_DEBUG" ] || skip_all "assertions of a debug build lie on the hit path"

listing=$(mktemp) || exit 99
trap 'rm -f "$listing"' EXIT

# disassemble LIBRARY SYMBOL: "ADDRESS INSTRUCTION OPERANDS" lines, addresses without 0x.
disassemble()
{
	set -- "$1" $(nm -D -S --defined-only "$1" | awk -v name="$2" '$4 == name { print $1, $2; exit }')
	[ $# -eq 3 ] || return 1
	objdump -d --no-show-raw-insn --start-address="0x$2" --stop-address="$((0x$2 + 0x$3))" "$1" |
		sed -n 's/^ *\([0-9a-f]*\):[ \t]*\(.*\)/\1 \2/p'
}

# walk: follow the straight line through a listing on stdin; prints its instructions, then "END n" or
# "BAD why". An unconditional jump forward within the function is followed and counted.
walk()
{
	awk '
	function value(hex,    i, v) {
		for (i = 1; i <= length(hex); i++)
			v = v * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
		return v
	}
	{ at[NR] = value($1); op[NR] = $2; arg[NR] = $3; text[NR] = $0; line[at[NR]] = NR }
	END {
		for (i = 1; i <= NR; i++) {
			n++
			print text[i]
			if (op[i] ~ /^(bnd|notrack|rep|repz)$/) {
				op[i] = arg[i]
				split(text[i], w, " ")
				arg[i] = w[4]
			}
			if (op[i] ~ /^ret/) { print "END " n; exit }
			if (op[i] ~ /^call/) { print "BAD a call"; exit }
			if (op[i] == "lock" || op[i] ~ /^xchg/ && text[i] ~ /\(/) {
				print "BAD a locked operation"; exit }
			if (op[i] !~ /^j/)
				continue
			if (arg[i] !~ /^[0-9a-f]+$/) { print "BAD an indirect jump"; exit }
			to = value(arg[i])
			inside = to in line
			if (inside && line[to] <= i) { print "BAD a jump backwards"; exit }
			if (op[i] ~ /^jmp/) {
				if (!inside) { print "BAD a jump out of the function"; exit }
				i = line[to] - 1
			}
		}
		print "BAD no return"
	}'
}

# hit_path SYMBOL: one test.
hit_path()
{
	disassemble "$KMALLOC_PRELOAD" "$1" | walk >"$listing"
	verdict=$(tail -n 1 "$listing")
	case $verdict in
	"END "*)
		diag "$1: ${verdict#END } instructions"
		[ "${verdict#END }" -le "$limit" ] ;;
	*)
		diag "$1: ${verdict#BAD } on the hit path"
		false ;;
	esac
	status=$?
	ok $status "the hit path of $1 is a straight line of at most $limit instructions"
	# shellcheck disable=SC2046
	[ $status -eq 0 ] || sed 's/^/#	/' "$listing"
}

# finds VERDICT NAME: the walk over the listing on stdin ends with that verdict.
finds()
{
	is "$(walk | tail -n 1)" "$1" "$2"
}

plan 10
hit_path malloc
hit_path free
hit_path km_kmalloc
hit_path km_kfree
finds "END 3" "a conditional jump forward is not followed" <<'X'
10 test %rax,%rax
13 je 20 <x+0x10>
15 ret
20 call 99 <y>
X
finds "END 2" "an unconditional jump forward is followed" <<'X'
10 jmp 20 <x+0x10>
15 call 99 <y>
20 ret
X
finds "BAD a call" "a call is found" <<'X'
10 call 99 <y>
15 ret
X
finds "BAD a locked operation" "a lock prefix is found" <<'X'
10 lock cmpxchg %rax,(%rdi)
15 ret
X
finds "BAD a jump backwards" "a jump backwards is found" <<'X'
10 mov %rax,%rdi
13 jne 10 <x>
15 ret
X
finds "BAD a jump out of the function" "a jump out of the function is found" <<'X'
10 mov %rax,%rdi
13 jmp 99 <y>
X
done_testing

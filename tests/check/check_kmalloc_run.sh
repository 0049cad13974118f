#!/bin/sh
# SPDX-License-Identifier: MIT
# "kmalloc run" preloads the library into what it can be preloaded into, passes on options, arguments
# and exit status, and says in one line why it can not run the rest.
: "${abs_top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${abs_top_builddir:=$abs_top_srcdir}"
: "${KMALLOC_PRELOAD:=$abs_top_builddir/preload/.libs/libkmalloc-preload.so}"
. "$abs_top_srcdir/tests/lib/tap.sh"
: "${CC:=cc}"
unset LD_PRELOAD KMALLOC_OPTIONS
kmalloc=$abs_top_builddir/tools/kmalloc

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

# refused STATUS PATTERN NAME ARG...: kmalloc run ARG... ends with STATUS and one line like PATTERN.
refused()
{
	expected=$1 pattern=$2 name=$3
	shift 3
	"$kmalloc" run "$@" >"$work/out" 2>"$work/err"
	got=$?
	[ "$got" -eq "$expected" ] && [ ! -s "$work/out" ] &&
		[ "$(wc -l <"$work/err")" -eq 1 ] && grep -Eq "^kmalloc: ERROR: .*$pattern" "$work/err"
	ok $? "$name"
	[ "$tap_failed" -eq 0 ] || diag "exit status $got, expected $expected; $(cat "$work/err")"
}

is "$("$kmalloc" run -- grep -c 'r-xp.*libkmalloc-preload' /proc/self/maps)" 1 \
	"the library is loaded into the command"
"$kmalloc" run -- sh -c 'exit 42'
is $? 42 "the exit status is the command's"
is "$("$kmalloc" run sh -c 'printf "<%s>" "$0" "$@"' a 'b c' --slabinfo '')" "<a><b c><--slabinfo><>" \
	"arguments reach the command as they are, without -- too"
is "$(echo text | "$kmalloc" run -- cat)" text "standard input reaches the command"

is "$("$kmalloc" run --classic --purge=never --no-panic -v -o a=1 -o b --options='c=2 d' -- \
	sh -c 'echo "$KMALLOC_OPTIONS"' 2>/dev/null)" \
	"kmalloc_sizes=classic purge=never panic=0 verbose a=1 b c=2 d" "each flag sets its option"
is "$(KMALLOC_OPTIONS='purge=always x' "$kmalloc" run --purge=never -- \
	sh -c 'echo "$KMALLOC_OPTIONS"' 2>/dev/null)" "purge=always x purge=never" \
	"options of the command come after those of the environment"
is "$(KMALLOC_GFP=GFP_NOWAIT "$kmalloc" run --gfp=GFP_KERNEL --gfp='vmalloc:__GFP_NORETRY' -- \
	sh -c 'echo "$KMALLOC_GFP"' 2>&1)" "GFP_KERNEL; vmalloc:__GFP_NORETRY" \
	"--gfp is a policy in the place of the environment's, in one or several pieces"
is "$("$kmalloc" run -v --gfp='GFP_ATOMIC|__GFP_ZERO' --gfp=vmalloc:+__GFP_NORETRY -- true 2>&1 |
	sed -n '2,$p')" "kmalloc: INFO: KMALLOC_GFP: malloc is GFP_ATOMIC|__GFP_ZERO, blocks with a selector: 1" \
	"-v shows what of it is in force"
is "$("$kmalloc" run --gfp=GFP_KERNAL -- true 2>&1 | grep -c "nearest is 'GFP_KERNEL'")" 1 \
	"a mistake in it is the library's to tell"
is "$(KMALLOC_GFP=GFP_NOWAIT "$kmalloc" run -- sh -c 'echo "$KMALLOC_GFP"')" GFP_NOWAIT \
	"without it the environment's stays"
is "$(cd "$work" && "$kmalloc" run --slabinfo=table -- sh -c 'echo "$KMALLOC_OPTIONS"')" \
	"slabinfo=$(cd "$work" && pwd -P)/table" "a relative file for the slab table is made absolute"
is "$(LD_PRELOAD=libm.so.6 "$kmalloc" run -- sh -c 'echo "$LD_PRELOAD"')" \
	"$(realpath "$KMALLOC_PRELOAD"):libm.so.6" "it goes in front of other preloads"
is "$("$kmalloc" run -- "$kmalloc" run -- sh -c 'echo "$LD_PRELOAD"')" "$(realpath "$KMALLOC_PRELOAD")" \
	"run twice it is named once"

refused 127 'there is no such command' "an unknown command" -- no-such-command-here
refused 127 'No such file' "an unknown path" -- "$work/none"
refused 126 'directory' "a folder" -- "$work"
echo text >"$work/plain"
refused 126 'Permission denied' "a file that is not executable" -- "$work/plain"
refused 125 'library=.*No such file' "an unknown library" --library="$work/none" -- true

# Scripts: the interpreter is what counts.
printf '#!/bin/sh\ngrep -c "r-xp.*libkmalloc-preload" /proc/self/maps\n' >"$work/script"
chmod +x "$work/script"
is "$("$kmalloc" run -- "$work/script")" 1 "a script's interpreter is preloaded"
echo 'grep -c "r-xp.*libkmalloc-preload" /proc/self/maps; echo "$1"' >"$work/bare"
chmod +x "$work/bare"
is "$("$kmalloc" run -- "$work/bare" x | tr '\n' ' ')" "1 x " "a script without #! is run by the shell"
is "$(PATH=$work:$PATH; "$kmalloc" run -- script)" 1 "commands are found in PATH"

# Programs that nothing can be preloaded into.
cat >"$work/main.c" <<'X'
int main(void) { return 0; }
X
static=
if $CC -static -o "$work/static" "$work/main.c" 2>/dev/null; then
	static=$work/static
	refused 126 'linked statically' "a static program" -- "$work/static"
	printf '#!%s\n' "$work/static" >"$work/static-script"
	chmod +x "$work/static-script"
	refused 126 'static is linked statically' "a script with a static interpreter" -- \
		"$work/static-script"
else
	skip "a static program" "no static C library"
	skip "a script with a static interpreter" "no static C library"
fi
if $CC -static-pie -o "$work/static-pie" "$work/main.c" 2>/dev/null; then
	refused 126 'linked statically' "a static position-independent program" -- "$work/static-pie"
else
	skip "a static position-independent program" "the compiler makes none"
fi

# An ELF header of another class and machine: 32-bit ARM.
{
	printf '\177ELF\001\001\001\000\000\000\000\000\000\000\000\000'
	printf '\002\000\050\000\001\000\000\000'
	head -c 100 /dev/zero
} >"$work/arm"
chmod +x "$work/arm"
refused 126 '32-bit ARM' "a program for another machine" -- "$work/arm"

# Another C library: the loader that the program names is another one.
cp /bin/true "$work/musl"
loader=$(readelf -lW "$work/musl" 2>/dev/null | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
if [ -n "$loader" ]; then
	other=$(printf '%s' "$loader" | sed 's|ld-linux|ld-other|')
	LC_ALL=C sed -i "s|$loader|$other|" "$work/musl"
	refused 126 'another C library' "a program of another C library" -- "$work/musl"
	is "$("$kmalloc" run -- "$loader" /bin/grep -c 'r-xp.*libkmalloc-preload' \
		/proc/self/maps)" 1 "the dynamic loader run as a command is preloaded into"
else
	skip "a program of another C library" "readelf is not installed"
	skip "the dynamic loader run as a command is preloaded into" "readelf is not installed"
fi

# Setuid, setgid and capabilities: run as a user that the file does not belong to.
as_nobody=
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	as_nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
	# The build folder may be closed to others; the library and the command are copied out.
	mkdir -p "$work/tools" "$work/preload/.libs"
	cp "$kmalloc" "$work/tools/"
	cp "$KMALLOC_PRELOAD" "$work/preload/.libs/"
	$as_nobody "$work/tools/kmalloc" run -- true 2>/dev/null || as_nobody=
fi
gains_rights()
{
	if [ -z "$as_nobody" ]; then
		skip "$1" "not root, or no second user can be had"
		return
	fi
	$as_nobody "$work/tools/kmalloc" run -- "$work/$2" >"$work/out" 2>"$work/err"
	[ $? -eq 126 ] && [ "$(wc -l <"$work/err")" -eq 1 ] && grep -q "$3" "$work/err"
	ok $? "$1"
}
cp /bin/true "$work/setuid"
cp /bin/true "$work/setgid"
cp /bin/true "$work/capable"
chmod 4755 "$work/setuid"
chmod 2755 "$work/setgid"
gains_rights "a setuid program of another user" setuid 'setuid and runs as another user'
gains_rights "a setgid program of another group" setgid 'setgid and runs as another group'
if command -v setcap >/dev/null && setcap cap_net_raw+ep "$work/capable" 2>/dev/null; then
	gains_rights "a program with file capabilities" capable 'file capabilities'
else
	skip "a program with file capabilities" "setcap does not work here"
fi
if [ "$(id -u)" -eq 0 ]; then
	"$kmalloc" run -- "$work/setuid"
	is $? 0 "a setuid program of the same user runs"
else
	skip "a setuid program of the same user runs" "not root"
fi

# A library whose path LD_PRELOAD can not express.
mkdir "$work/a b"
cp "$KMALLOC_PRELOAD" "$work/a b/"
refused 125 'blank or a colon' "a library below a folder with a blank" \
	--library="$work/a b/libkmalloc-preload.so" -- true

is "$("$kmalloc" --version)" "kmalloc $(sed -n 's/^AC_INIT(\[[^]]*\], *\[\([^]]*\)\].*/\1/p' \
	"$abs_top_srcdir/configure.ac")" "--version is that of configure.ac"
"$kmalloc" --help >"$work/out" 2>"$work/err"
[ $? -eq 0 ] && [ -s "$work/out" ] && [ ! -s "$work/err" ]
ok $? "--help goes to standard output"
"$kmalloc" run >"$work/out" 2>"$work/err"
is $? 125 "run without a command is an error"
"$kmalloc" nonsense >"$work/out" 2>"$work/err"
is $? 125 "an unknown subcommand is an error"
done_testing

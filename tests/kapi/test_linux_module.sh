#!/bin/sh
# SPDX-License-Identifier: MIT
# A source with module_init() and no main() is a program (<linux/module.h>, kernel-semantics.md 12).
: "${abs_top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$abs_top_srcdir/tests/lib/tap.sh"
: "${CC:=cc}"
unset LD_PRELOAD KMALLOC_OPTIONS

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

# build PROGRAM SOURCE...
build()
{
	program=$work/$1
	shift
	$CC -std=gnu11 -Wall -Wextra -Werror -I"$abs_top_srcdir/include/kmalloc-linux" \
		-I"$abs_top_srcdir/include" -o "$program" "$@"
}

cat >"$work/hello.c" <<'C'
#define pr_fmt(fmt) "hello: " fmt
#include <linux/module.h>
#include <linux/kernel.h>
#include <linux/init.h>

static int times = 1;
module_param(times, int, 0444);
MODULE_PARM_DESC(times, "how often");
static char *whom = "world";
module_param(whom, charp, 0);
static bool quiet;
module_param(quiet, bool, 0);
static int fail;
module_param_named(error, fail, int, 0644);

static int __init hello_init(void)
{
	int i;

	for (i = 0; !quiet && i < times; i++)
		pr_info("%s\n", whom);
	return fail;
}

static void __exit hello_exit(void)
{
	printk(KERN_INFO "bye\n");
}

module_init(hello_init);
module_exit(hello_exit);
MODULE_LICENSE("Dual MIT/GPL");
MODULE_AUTHOR("A. Author");
MODULE_DESCRIPTION("Says hello");
C
cat >"$work/second.c" <<'C'
#include <linux/init.h>
#include <linux/module.h>

int second_value = 2;
EXPORT_SYMBOL_GPL(second_value);

static int __init early(void)
{
	pr_info("early\n");
	return 0;
}
static int __init second_init(void)
{
	pr_info("second\n");
	return 0;
}
static void __exit second_exit(void)
{
	pr_info("second bye\n");
}
subsys_initcall(early);
module_init(second_init);
module_exit(second_exit);
MODULE_LICENSE("GPL");
C
cat >"$work/own.c" <<'C'
#include <linux/module.h>
int main(void)
{
	return 7;
}
C

build hello "$work/hello.c"
ok $? "a module is a program"
is "$("$work/hello" 2>&1)" "hello: world
bye" "it runs init, then exit"
"$work/hello" 2>/dev/null
is $? 0 "its exit status is 0"
is "$("$work/hello" times=2 whom=you 2>&1)" "hello: you
hello: you
bye" "it takes parameters as arguments"
is "$("$work/hello" quiet 2>&1)" "bye" "a truth needs no value"
"$work/hello" times=many 2>"$work/err"
is $? 22 "a value that is no number is EINVAL"
is "$(cat "$work/err")" 'parameter times: the value "many" is not accepted' "and is named"
is "$("$work/hello" colour=1 2>&1 | head -n 1)" 'there is no parameter "colour=1"; ignored' \
	"an unknown parameter is named and ignored"
"$work/hello" error=-12 2>"$work/err"
is $? 12 "an init that fails is the exit status"
is "$(tail -n 1 "$work/err" | sed 's/.*: init/init/')" "init failed: Cannot allocate memory" \
	"its error is told, and exit is not called"

build both "$work/hello.c" "$work/second.c"
ok $? "two modules are one program"
is "$("$work/both" 2>&1)" "early
hello: world
second
second bye
bye" "init by level and link order, exit backwards"
is "$("$work/both" error=-5 2>&1 | grep -c -e second -e bye)" 0 \
	"after an init that fails no other runs"

build own "$work/hello.c" "$work/own.c"
"$work/own"
is $? 7 "a program's own main() wins"
sed 's/^#define pr_fmt/#define KMALLOC_NO_MODULE_MAIN\n&/' "$work/hello.c" >"$work/one.c"
echo 'int main(int argc, char **argv) { return 40 + kmalloc_module_main(argc, argv); }' \
	>>"$work/one.c"
build one "$work/one.c" && "$work/one" error=-2 2>/dev/null
is $? 42 "a main() in the same source calls kmalloc_module_main()"
done_testing

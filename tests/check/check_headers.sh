#!/bin/sh
# SPDX-License-Identifier: MIT
# Each public header compiles alone, as C and as C++, with warnings as errors, and leaves generic
# names to the program. Each <linux/*.h> of kmalloc-linux compiles alone as the C of the kernel,
# and the system's headers of the same names keep what they have.
: "${abs_top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$abs_top_srcdir/tests/lib/tap.sh"
: "${CC:=cc}" "${CXX:=c++}"

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
include=$abs_top_srcdir/include
warnings="-fsyntax-only -Wall -Wextra -Wundef -Werror"
flags="$warnings -pedantic -I$include"
linux_flags="$warnings -std=gnu11 -I$include/kmalloc-linux -I$include"

has_cxx=true
echo 'int i;' >"$work/t.cc"
$CXX -fsyntax-only "$work/t.cc" 2>/dev/null || has_cxx=false

# Names that a program may have for itself: as macros, then as names of anything, then as tags.
generic_macros='u8 u64 s32 min max clamp swap PAGE_SIZE PAGE_SHIFT PAGE_MASK PAGE_ALIGN container_of
	likely unlikely BIT ARRAY_SIZE ERR_PTR IS_ERR PTR_ERR READ_ONCE WARN_ON BUG_ON ALIGN
	DIV_ROUND_UP roundup round_up struct_size list_entry list_for_each_entry LIST_HEAD
	pr_info pr_err printk module_init __init __user __must_check __packed __maybe_unused
	EXPORT_SYMBOL GENMASK high_memory noinline barrier'
generic_names="$generic_macros s8 u16 s16 u32 s64 atomic_t atomic_inc spinlock_t spin_lock list_add
	list_del list_empty fls ilog2 is_power_of_2 array_size size_mul panic kref scnprintf
	strscpy loff_t umode_t mutex_lock dma_addr_t phys_addr_t"
generic_tags='list_head list_node hlist_head rcu_head atomic mutex module kref spinlock'

# What the macros of the API begin with.
api_macros='KMALLOC_|_?_*GFP_|SLAB_|ARCH_KMALLOC_|ARCH_SLAB_|ZERO_SIZE_PTR|ZERO_OR_NULL_PTR|KMEM_CACHE'
api_macros="$api_macros|VM_|PAGE_KERNEL|PF_MEMALLOC|SHRINK|DEFAULT_SEEKS|(DECLARE_)?FAULT_"
api_macros="$api_macros|k[vz]*m?alloc_|kmem_cache_|kzfree|__vmalloc|mempool_|MIGRATE_|ZONE_|__?alloc_"

{
	for name in $generic_macros; do
		printf '#ifdef %s\n#error %s is a macro\n#endif\n' "$name" "$name"
	done
	printf 'enum {\n'
	printf '\t%s,\n' $generic_names
	printf '\tthe_last_name\n};\n'
	printf 'struct %s { int mine; };\n' $generic_tags
} >"$work/mine.h"

for path in "$include"/kmalloc/*.h; do
	header=kmalloc/${path##*/}
	# Twice, so that a missing include guard shows.
	printf '#include <%s>\n#include <%s>\nint here;\n' "$header" "$header" >"$work/t.c"
	$CC -std=c11 $flags "$work/t.c"
	ok $? "$header alone is C11"
	for std in c++11 c++17; do
		if $has_cxx; then
			cp "$work/t.c" "$work/t.cc"
			$CXX -std=$std $flags "$work/t.cc"
			ok $? "$header alone is $std"
		else
			skip "$header alone is $std" "no C++ compiler"
		fi
	done
	printf '#include <%s>\n#include "mine.h"\n' "$header" >"$work/t.c"
	$CC -std=c11 $flags -I"$work" "$work/t.c"
	ok $? "$header leaves generic names to the program"
	# What a header adds to the macros of the system headers that it includes.
	sed -n 's/^[ \t]*#[ \t]*define[ \t]*\([A-Za-z0-9_]*\).*/\1/p' "$path" |
		grep -Ev "^($api_macros)" >"$work/macros"
	is "$(cat "$work/macros")" "" "$header defines macros of the API alone"
done
# The macros of slab.h, in every form that a caller may write.
cat >"$work/t.c" <<'X'
#include <kmalloc/slab.h>
struct thing { long a, b; };
struct list { int n; long element[1]; };
static void construct(void *p) { *(long *)p = 0; }
int use(struct thing *t, struct list *l);
int use(struct thing *t, struct list *l)
{
	struct kmem_cache_args args = { 64, 0, 0, 0, false, construct, 0 };
	const struct kmem_cache_args *fixed = &args;
	struct kmem_cache *s[] = {
		kmem_cache_create("a", 64, 0, SLAB_HWCACHE_ALIGN, NULL),
		kmem_cache_create("b", 64, 8u, 0, construct),
		kmem_cache_create("c", 64, sizeof(long), SLAB_PANIC, construct),
		kmem_cache_create("d", 64, &args, SLAB_NO_MERGE),
		kmem_cache_create("e", 64, fixed, 0),
		kmem_cache_create("f", 64, (struct kmem_cache_args *)NULL, 0),
		kmem_cache_create_usercopy("g", 64, 8, 0, 0, 64, NULL),
		KMEM_CACHE(thing, SLAB_ACCOUNT),
		KMEM_CACHE_USERCOPY(thing, 0, b),
	};
	t = kmalloc_obj(*t);
	t = kzalloc_obj(struct thing, GFP_ATOMIC);
	t = kvmalloc_objs(struct thing, 10);
	t = kzalloc_objs(*t, 10, GFP_NOWAIT | __GFP_NORETRY);
	l = kmalloc_flex(*l, element, 3);
	l = kvzalloc_flex(struct list, element, 3, GFP_KERNEL);
	return t && l && s[0] && ZERO_OR_NULL_PTR(t);
}
X
$CC -std=c11 $flags "$work/t.c"
ok $? "the macros of kmalloc/slab.h in C11"
if $has_cxx; then
	cp "$work/t.c" "$work/t.cc"
	$CXX -std=c++11 $flags "$work/t.cc"
	ok $? "the macros of kmalloc/slab.h in C++11"
else
	skip "the macros of kmalloc/slab.h in C++11" "no C++ compiler"
fi
echo '#include <kmalloc/slab.h>
struct kmem_cache *s(void) { return kmem_cache_create("n", 64, NULL, 0); }' >"$work/t.c"
$CC -std=c11 -Wno-missing-prototypes $flags "$work/t.c"
ok $? "kmem_cache_create() with NULL for its arguments in C11"
echo '#include <kmalloc/no-such-header.h>' >"$work/t.c"
! $CC -std=c11 $flags "$work/t.c" 2>/dev/null
ok $? "a header that does not exist is an error"
printf '#include <kmalloc/kmalloc.h>\n#define min(a, b) 0\n#include "mine.h"\n' >"$work/t.c"
! $CC -std=c11 $flags -I"$work" "$work/t.c" 2>/dev/null
ok $? "a generic name that is taken is an error"

# The kernel's names.
for header in slab mm mm_types vmalloc mempool shrinker fault; do
	[ -f "$include/kmalloc/$header.h" ] && continue
	skip "the headers of kmalloc-linux" "there is no <kmalloc/$header.h>"
	done_testing
	exit
done
cd "$include/kmalloc-linux" || exit 99
all=
for path in linux/*.h linux/*/*.h asm/*.h; do
	printf '#include <%s>\n#include <%s>\nint here;\n' "$path" "$path" >"$work/t.c"
	$CC $linux_flags "$work/t.c"
	ok $? "<$path> alone is gnu11"
	all="$all $path"
done

printf '#include <%s>\n' $all >"$work/ours.h"
printf '#include <%s>\n' sys/socket.h sys/param.h sys/user.h sys/types.h sys/stat.h sys/mman.h \
	sys/sysinfo.h sys/ioctl.h sys/time.h linux/if.h linux/errno.h linux/string.h \
	linux/netlink.h linux/fs.h linux/futex.h linux/sched.h linux/module.h linux/kernel.h \
	linux/limits.h netinet/in.h errno.h signal.h pthread.h stdatomic.h limits.h time.h \
	search.h assert.h malloc.h sched.h fcntl.h unistd.h >"$work/theirs.h"
printf '#include "ours.h"\n#include "theirs.h"\nint here;\n' >"$work/t.c"
$CC $linux_flags -I"$work" "$work/t.c"
ok $? "all of them before the system's headers"
printf '#include "theirs.h"\n#include "ours.h"\nint here;\n' >"$work/t.c"
$CC $linux_flags -I"$work" "$work/t.c"
ok $? "all of them after the system's headers"

cat >"$work/t.c" <<'C'
#include <linux/time.h>
#include <linux/types.h>
struct timespec ts;
__u64 theirs;
u64 ours;
__le32 little;
_Static_assert(__builtin_types_compatible_p(__u64, u64), "u64 is __u64");
C
$CC $linux_flags "$work/t.c"
ok $? "<linux/types.h> beside the system's <linux/time.h>"

if $has_cxx; then
	printf '#include <%s>\n' linux/types.h linux/errno.h linux/string.h linux/kernel.h \
		linux/module.h linux/limits.h linux/sched.h linux/if.h sys/sysinfo.h cerrno \
		algorithm >"$work/t.cc"
	echo 'int here = std::min(1, 2) + (int)sizeof(__u64);' >>"$work/t.cc"
	$CXX -std=c++17 $warnings -I"$include/kmalloc-linux" -I"$include" "$work/t.cc"
	ok $? "in C++ the headers that the system has are the system's"
	echo '#include <linux/slab.h>' >"$work/t.cc"
	$CXX -std=c++17 $warnings -I"$include/kmalloc-linux" -I"$include" "$work/t.cc" 2>"$work/err"
	grep -q "C++ includes <kmalloc/kmalloc.h>" "$work/err"
	ok $? "the others say that they are C"
fi
done_testing

# SPDX-License-Identifier: MIT
# The <linux/*.h> of the package kmalloc-linux, in a directory of their own so that nobody finds
# them who did not ask.

kmalloclinuxdir = $(includedir)/kmalloc-linux/linux
kmalloclinux_HEADERS = \
	include/kmalloc-linux/linux/align.h \
	include/kmalloc-linux/linux/atomic.h \
	include/kmalloc-linux/linux/bitops.h \
	include/kmalloc-linux/linux/bits.h \
	include/kmalloc-linux/linux/bug.h \
	include/kmalloc-linux/linux/build_bug.h \
	include/kmalloc-linux/linux/cache.h \
	include/kmalloc-linux/linux/cleanup.h \
	include/kmalloc-linux/linux/compiler.h \
	include/kmalloc-linux/linux/compiler_attributes.h \
	include/kmalloc-linux/linux/compiler_types.h \
	include/kmalloc-linux/linux/container_of.h \
	include/kmalloc-linux/linux/ctype.h \
	include/kmalloc-linux/linux/delay.h \
	include/kmalloc-linux/linux/err.h \
	include/kmalloc-linux/linux/errno.h \
	include/kmalloc-linux/linux/export.h \
	include/kmalloc-linux/linux/fault-inject.h \
	include/kmalloc-linux/linux/gfp.h \
	include/kmalloc-linux/linux/gfp_types.h \
	include/kmalloc-linux/linux/highmem.h \
	include/kmalloc-linux/linux/init.h \
	include/kmalloc-linux/linux/kernel.h \
	include/kmalloc-linux/linux/kref.h \
	include/kmalloc-linux/linux/kstrtox.h \
	include/kmalloc-linux/linux/limits.h \
	include/kmalloc-linux/linux/list.h \
	include/kmalloc-linux/linux/log2.h \
	include/kmalloc-linux/linux/math.h \
	include/kmalloc-linux/linux/mempool.h \
	include/kmalloc-linux/linux/minmax.h \
	include/kmalloc-linux/linux/mm.h \
	include/kmalloc-linux/linux/mm_types.h \
	include/kmalloc-linux/linux/mmzone.h \
	include/kmalloc-linux/linux/module.h \
	include/kmalloc-linux/linux/moduleparam.h \
	include/kmalloc-linux/linux/mutex.h \
	include/kmalloc-linux/linux/notifier.h \
	include/kmalloc-linux/linux/numa.h \
	include/kmalloc-linux/linux/oom.h \
	include/kmalloc-linux/linux/overflow.h \
	include/kmalloc-linux/linux/pfn.h \
	include/kmalloc-linux/linux/printk.h \
	include/kmalloc-linux/linux/ratelimit.h \
	include/kmalloc-linux/linux/refcount.h \
	include/kmalloc-linux/linux/sched.h \
	include/kmalloc-linux/linux/shrinker.h \
	include/kmalloc-linux/linux/slab.h \
	include/kmalloc-linux/linux/spinlock.h \
	include/kmalloc-linux/linux/string.h \
	include/kmalloc-linux/linux/stringify.h \
	include/kmalloc-linux/linux/types.h \
	include/kmalloc-linux/linux/vmalloc.h

kmalloclinuxscheddir = $(kmalloclinuxdir)/sched
kmalloclinuxsched_HEADERS = include/kmalloc-linux/linux/sched/mm.h

kmalloclinuxasmdir = $(includedir)/kmalloc-linux/asm
kmalloclinuxasm_HEADERS = include/kmalloc-linux/asm/atomic.h include/kmalloc-linux/asm/page.h

pkgconfig_DATA += kmalloc-linux.pc

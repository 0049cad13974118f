/* SPDX-License-Identifier: MIT */
/*
 * Hints to the compiler and attributes under their kernel names. Those that only the kernel's
 * checkers read (__user, __iomem, __rcu, ...) are empty.
 */
#ifndef KMALLOC_LINUX_COMPILER_H
#define KMALLOC_LINUX_COMPILER_H

#ifdef __cplusplus
#error "the <linux/*.h> of kmalloc-linux are for C; C++ includes <kmalloc/kmalloc.h>"
#endif

#include <sys/cdefs.h>
#include <linux/types.h>

#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define barrier()		__asm__ __volatile__("" : : : "memory")

#define __user
#define __kernel
#define __iomem
#define __rcu
#define __percpu
#define __force
#define __private
#define __read_mostly
#define __ro_after_init
#define __acquires(x)
#define __releases(x)
#define __must_hold(x)

#define __maybe_unused		__attribute__((__unused__))
#define __always_unused		__attribute__((__unused__))
#define __used			__attribute__((__used__))
#define __weak			__attribute__((__weak__))
#define __packed		__attribute__((__packed__))
#define __aligned(x)		__attribute__((__aligned__(x)))
#define __section(name)		__attribute__((__section__(name)))
#define __must_check		__attribute__((__warn_unused_result__))
#define __cold			__attribute__((__cold__))
#define __pure			__attribute__((__pure__))
#define __noreturn		__attribute__((__noreturn__))
#define __malloc		__attribute__((__malloc__))
#define __printf(fmt, first)	__attribute__((__format__(__printf__, fmt, first)))
#define noinline		__attribute__((__noinline__))
#define noinline_for_stack	noinline
#ifndef __always_inline
#define __always_inline		inline __attribute__((__always_inline__))
#endif
#ifndef __attribute_const__
#define __attribute_const__	__attribute__((__const__))
#endif
#define fallthrough		__attribute__((__fallthrough__))
#define asmlinkage
#define notrace

#define __stringify_1(x...)	#x
#define __stringify(x...)	__stringify_1(x)
#define __PASTE_1(a, b)		a##b
#define __PASTE(a, b)		__PASTE_1(a, b)
#define __UNIQUE_ID(prefix)	__PASTE(__PASTE(__UNIQUE_ID_, prefix), __COUNTER__)

#define __same_type(a, b)	__builtin_types_compatible_p(__typeof__(a), __typeof__(b))

/* One access, neither torn nor left out nor repeated, of an object of at most a word. */
#define READ_ONCE(x)		(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value)	do { *(volatile __typeof__(x) *)&(x) = (value); } while (0)

#define smp_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb()		__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()		__atomic_thread_fence(__ATOMIC_RELEASE)
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)

#define BUILD_BUG_ON_MSG(cond, msg)	_Static_assert(!(cond), msg)
#define BUILD_BUG_ON(cond)	BUILD_BUG_ON_MSG(cond, "BUILD_BUG_ON failed: " #cond)
/* 0, or no program. */
#define BUILD_BUG_ON_ZERO(cond)	((int)(sizeof(struct { int : -!!(cond); })))
#define __must_be_array(a)	BUILD_BUG_ON_ZERO(__same_type((a), &(a)[0]))

#ifndef static_assert
#define static_assert		_Static_assert
#endif

#endif

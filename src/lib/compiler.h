/* SPDX-License-Identifier: MIT */
/*
 * Compiler vocabulary. Layer: lib.
 *
 * __km(name) gives a symbol its link name: src/ uses kernel names (kmalloc, list_add, printk)
 * that a program may use too, so every shared symbol is km_<name> for the linker and hidden in
 * shared objects.
 */
#ifndef KM_LIB_COMPILER_H
#define KM_LIB_COMPILER_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <limits.h>

#define __km(name)	__asm__("km_" #name)
#define __km_export	__attribute__((visibility("default")))

#undef static_assert
#define static_assert	_Static_assert

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

#undef __always_inline
#define __always_inline	inline __attribute__((__always_inline__))
#define __cold		__attribute__((__cold__, __noinline__))
#define __hot		__attribute__((__hot__, __aligned__(64)))
#define __printf(a, b)	__attribute__((__format__(__printf__, a, b)))
#define __noreturn	__attribute__((__noreturn__))
#define __maybe_unused	__attribute__((__unused__))
#define __aligned(n)	__attribute__((__aligned__(n)))
#define __weak		__attribute__((__weak__))
#define __initial_exec	__attribute__((tls_model("initial-exec")))

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#ifdef CONFIG_DEBUG_VM
#define IS_DEBUG_VM	1
#else
#define IS_DEBUG_VM	0
#endif

/* One access of one word that another thread may read or write at the same moment; plain moves. */
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), (v), __ATOMIC_RELAXED)

/* Keeps the order of accesses as a signal handler of this thread sees it; no instruction. */
#define barrier()		atomic_signal_fence(memory_order_seq_cst)

/*
 * The compiler must take the value as it is: keeps it from folding it into a costlier address
 * computation.
 */
#define HIDE_VALUE(x)	__asm__("" : "+r"(x))

static __always_inline void cpu_relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ __volatile__("yield" ::: "memory");
#else
	barrier();
#endif
}

static_assert(sizeof(void *) == 8, "libkmalloc needs a 64-bit machine");

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Atomic counters, with the kernel's ordering: what returns a value orders everything, unless its
 * name ends in _relaxed, _acquire or _release; what returns none, and reading and setting, orders
 * nothing. <stdatomic.h> has macros named atomic_fetch_add() and so on with another order of
 * arguments: a source that includes it has those.
 */
#ifndef KMALLOC_LINUX_ATOMIC_H
#define KMALLOC_LINUX_ATOMIC_H

#include <linux/compiler.h>

#define ATOMIC_INIT(i)		{ (i) }
#define ATOMIC64_INIT(i)	{ (i) }
#define ATOMIC_LONG_INIT(i)	{ (i) }

#define xchg(ptr, value)	__atomic_exchange_n(ptr, value, __ATOMIC_SEQ_CST)
#define cmpxchg(ptr, old, new)	__sync_val_compare_and_swap(ptr, old, new)
#define try_cmpxchg(ptr, oldp, new) \
	__atomic_compare_exchange_n(ptr, oldp, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

#define smp_mb__before_atomic()	smp_mb()
#define smp_mb__after_atomic()	smp_mb()

/* For one operation: without a value, with the new one, with the old one. */
#define __ATOMIC_OP(name, type, value_t, op)							\
static inline void name##_##op(value_t i, type *v)						\
{												\
	__atomic_fetch_##op(&v->counter, i, __ATOMIC_RELAXED);					\
}												\
static inline value_t (name##_fetch_##op)(value_t i, type *v)					\
{												\
	return __atomic_fetch_##op(&v->counter, i, __ATOMIC_SEQ_CST);				\
}

#define __ATOMIC_RETURN(name, type, value_t, op)						\
static inline value_t name##_##op##_return(value_t i, type *v)					\
{												\
	return __atomic_##op##_fetch(&v->counter, i, __ATOMIC_SEQ_CST);				\
}												\
static inline value_t name##_##op##_return_relaxed(value_t i, type *v)				\
{												\
	return __atomic_##op##_fetch(&v->counter, i, __ATOMIC_RELAXED);				\
}

#define __ATOMIC_ONE(name, type, value_t, one, op)						\
static inline void name##_##one(type *v)							\
{												\
	name##_##op(1, v);									\
}												\
static inline value_t name##_##one##_return(type *v)						\
{												\
	return name##_##op##_return(1, v);							\
}												\
static inline value_t name##_fetch_##one(type *v)						\
{												\
	return (name##_fetch_##op)(1, v);							\
}												\
static inline bool name##_##one##_and_test(type *v)						\
{												\
	return name##_##op##_return(1, v) == 0;							\
}

#define __ATOMIC_PLAIN(name, type, value_t)							\
static inline value_t name##_read(const type *v)						\
{												\
	return __atomic_load_n(&v->counter, __ATOMIC_RELAXED);					\
}												\
static inline void name##_set(type *v, value_t i)						\
{												\
	__atomic_store_n(&v->counter, i, __ATOMIC_RELAXED);					\
}												\
static inline value_t name##_read_acquire(const type *v)					\
{												\
	return __atomic_load_n(&v->counter, __ATOMIC_ACQUIRE);					\
}												\
static inline void name##_set_release(type *v, value_t i)					\
{												\
	__atomic_store_n(&v->counter, i, __ATOMIC_RELEASE);					\
}

#define __ATOMIC_EXCHANGE(name, type, value_t)							\
static inline value_t name##_xchg(type *v, value_t i)						\
{												\
	return xchg(&v->counter, i);								\
}												\
static inline value_t name##_cmpxchg(type *v, value_t old, value_t new)				\
{												\
	return cmpxchg(&v->counter, old, new);							\
}												\
static inline bool name##_try_cmpxchg(type *v, value_t *old, value_t new)			\
{												\
	return try_cmpxchg(&v->counter, old, new);						\
}

/* Adds i unless the value is u, and gives the value from before. */
#define __ATOMIC_UNLESS(name, type, value_t)							\
static inline value_t name##_fetch_add_unless(type *v, value_t i, value_t u)			\
{												\
	value_t old = name##_read(v);								\
												\
	while (old != u && !name##_try_cmpxchg(v, &old, old + i))				\
		;										\
	return old;										\
}												\
static inline bool name##_add_unless(type *v, value_t i, value_t u)				\
{												\
	return name##_fetch_add_unless(v, i, u) != u;						\
}												\
static inline bool name##_inc_not_zero(type *v)							\
{												\
	return name##_add_unless(v, 1, 0);							\
}												\
static inline value_t name##_dec_if_positive(type *v)						\
{												\
	value_t old = name##_read(v);								\
												\
	while (old > 0 && !name##_try_cmpxchg(v, &old, old - 1))				\
		;										\
	return old - 1;										\
}												\
static inline bool name##_sub_and_test(value_t i, type *v)					\
{												\
	return name##_sub_return(i, v) == 0;							\
}												\
static inline bool name##_add_negative(value_t i, type *v)					\
{												\
	return name##_add_return(i, v) < 0;							\
}												\
static inline void name##_andnot(value_t i, type *v)						\
{												\
	name##_and(~i, v);									\
}

#define __ATOMIC_ALL(name, type, value_t)							\
	__ATOMIC_PLAIN(name, type, value_t)							\
	__ATOMIC_OP(name, type, value_t, add)							\
	__ATOMIC_OP(name, type, value_t, sub)							\
	__ATOMIC_OP(name, type, value_t, and)							\
	__ATOMIC_OP(name, type, value_t, or)							\
	__ATOMIC_OP(name, type, value_t, xor)							\
	__ATOMIC_RETURN(name, type, value_t, add)						\
	__ATOMIC_RETURN(name, type, value_t, sub)						\
	__ATOMIC_ONE(name, type, value_t, inc, add)						\
	__ATOMIC_ONE(name, type, value_t, dec, sub)						\
	__ATOMIC_EXCHANGE(name, type, value_t)							\
	__ATOMIC_UNLESS(name, type, value_t)

__ATOMIC_ALL(atomic, atomic_t, int)
__ATOMIC_ALL(atomic64, atomic64_t, s64)
__ATOMIC_ALL(atomic_long, atomic_long_t, long)

#undef __ATOMIC_ALL
#undef __ATOMIC_PLAIN
#undef __ATOMIC_OP
#undef __ATOMIC_RETURN
#undef __ATOMIC_ONE
#undef __ATOMIC_EXCHANGE
#undef __ATOMIC_UNLESS

#endif

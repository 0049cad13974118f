/* SPDX-License-Identifier: MIT */
/*
 * Locks that are never waited for without bound. Layer: kernel.
 *
 * spin_lock() returns false where waiting would be wrong: while a fork is under way (a thread
 * that holds a stdio lock must not wait for the forking thread, which may want that stdio
 * lock), where the thread's request may not block (it spins a little, without a system call), and
 * where the holder does not come back (it left by siglongjmp, or died in the child of a raw
 * fork). The caller then takes the nolock path. The word holds the thread_id() of the holder, so
 * that a fork child knows its own locks.
 *
 * Order: a lock may be waited for only while holding locks of lower rank; trylock is free of rank.
 *   LOCK_FORK < LOCK_SLAB < LOCK_CPU < LOCK_BARN < LOCK_ZONE < LOCK_VMAP < LOCK_SHARE
 * A second LOCK_CPU (adoption, draining of another slot) is only ever tried.
 */
#ifndef KM_KERNEL_SPINLOCK_H
#define KM_KERNEL_SPINLOCK_H

#include "kernel/percpu.h"

typedef struct {
	_Atomic unsigned long holder;	/* 0: free */
	bool lost;			/* a waiter gave up; cleared by the next unlock */
} spinlock_t;

/*
 * Forks on the way from the first process to this one; and thread_id() of the thread that made the
 * last of them, 0 if that is not known. Stored in the child, by the first that notices.
 */
extern unsigned int fork_generation __km(fork_generation);
extern unsigned long fork_survivor __km(fork_survivor);
extern unsigned int fork_under_way __km(fork_under_way);	/* by atomic operations alone */
/* how often a lock was found taken */
extern _Atomic unsigned long spin_waits __km(spin_waits);

bool __spin_lock_slow(spinlock_t *lock, bool in_fork) __km(spin_lock_slow);

static __always_inline bool spin_trylock(spinlock_t *lock)
{
	unsigned long expect = 0;

	if (atomic_load_explicit(&lock->holder, memory_order_relaxed))
		return false;
	return atomic_compare_exchange_strong_explicit(&lock->holder, &expect, thread_id(),
						       memory_order_acquire, memory_order_relaxed);
}

static __always_inline bool spin_lock(spinlock_t *lock)
{
	if (likely(spin_trylock(lock)))
		return true;
	return __spin_lock_slow(lock, false);
}

/* For the thread that forks: waits although a fork is under way, still not for ever. */
static inline bool spin_lock_fork(spinlock_t *lock)
{
	return spin_trylock(lock) || __spin_lock_slow(lock, true);
}

static __always_inline void spin_unlock(spinlock_t *lock)
{
	if (unlikely(READ_ONCE(lock->lost)))
		WRITE_ONCE(lock->lost, false);
	atomic_store_explicit(&lock->holder, 0, memory_order_release);	/* pairs: spin_trylock */
}

static inline bool spin_is_mine(spinlock_t *lock)
{
	return atomic_load_explicit(&lock->holder, memory_order_relaxed) == thread_id();
}

#endif

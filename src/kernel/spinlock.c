// SPDX-License-Identifier: MIT
/* Waiting for a lock, with a bound. Layer: kernel. */
#include "kernel/spinlock.h"
#include "os/os.h"

/* about 1 microsecond: longer than any critical section without a system call */
#define SPINS	100
#define YIELDS	50	/* lets a preempted holder run where there are fewer cores than threads */
#define SLEEPS	400	/* times SLEEP_US: about 50 ms in all, then the holder is taken for lost */
#define SLEEP_US 50
#define NONBLOCK_SPINS	1000	/* of a request that may not block, without a system call */
/* the forking thread waits that much longer, 2 s: without a lock its child loses what it guards */
#define FORK_PATIENCE 40

unsigned int fork_under_way;
unsigned int fork_generation;
unsigned long fork_survivor;
_Atomic unsigned long spin_waits;

static bool spin_nonblock(spinlock_t *lock)
{
	unsigned int i;

	for (i = 0; i < NONBLOCK_SPINS; i++) {
		if (spin_trylock(lock))
			return true;
		if (READ_ONCE(lock->lost) || READ_ONCE(fork_under_way))
			return false;
		cpu_relax();
	}
	return false;
}

bool __spin_lock_slow(spinlock_t *lock, bool in_fork)
{
	unsigned int i, sleeps = in_fork ? FORK_PATIENCE * SLEEPS : SLEEPS;

	atomic_fetch_add_explicit(&spin_waits, 1, memory_order_relaxed);
	if (spin_is_mine(lock))
		return false;	/* the code that this signal handler interrupted holds it */
	if (unlikely(task_flags & PF_KM_NONBLOCK) && !in_fork)
		return spin_nonblock(lock);
	for (i = 0; i < SPINS + YIELDS + sleeps; i++) {
		if (spin_trylock(lock))
			return true;
		if (READ_ONCE(lock->lost))
			return false;
		if (!in_fork && READ_ONCE(fork_under_way))
			return false;
		if (i < SPINS)
			cpu_relax();
		else if (i < SPINS + YIELDS)
			os_yield();
		else
			os_sleep_us(SLEEP_US);
	}
	WRITE_ONCE(lock->lost, true);
	return false;
}

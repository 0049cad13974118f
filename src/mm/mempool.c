// SPDX-License-Identifier: MIT
/*
 * Memory pools. Layer: mm, above the public allocation functions. Leads in: mempool_alloc,
 * mempool_free. Leads down: alloc_fn and free_fn, with no lock held.
 *
 * The reserve is a stack, elements[0 .. curr_nr - 1], under the pool's lock; every place above
 * curr_nr is NULL. The lock is held for a few instructions, never around a callback. It is not
 * always to be had: the thread that holds it may not be running, may be the very thread that a
 * signal handler with the same wish interrupted, or may have left by siglongjmp. Then:
 *   - a free puts its element in the pocket, places that are filled and emptied by one atomic
 *     operation each; from there any allocation may take it, with or without the lock, and the
 *     next holder of the lock moves it to the reserve. With a full pocket it goes to free_fn.
 *     So it is always in exactly one place.
 *   - an allocation looks in the pocket; one that may block tries again a little later, one
 *     that may not returns NULL after a bounded spin, without a system call.
 * A pool whose lock is lost for good works on as a plain pass-through to alloc_fn and free_fn.
 *
 * fork: no handler knows the pools. A child sees by fork_generation that it is one; the first
 * thread there that uses the pool frees the lock if a thread that does not exist any more held
 * it (private.generation: twice the generation seen, + 1 while that is done). Nor is fork a
 * snapshot of one moment: what other threads stored while it ran may have arrived in part. A
 * place is NULL once its element was taken, and so holds NULL or an element that belongs to
 * the child's reserve (its taker, if there was one, is gone); curr_nr may count a place that is
 * NULL, which is passed over.
 *
 * Waiting: who finds nothing counts itself in `waiters', reads `seq', looks again, sleeps while
 * seq is what it was. Who freed something looks at waiters, changes seq, wakes as many sleepers
 * as it freed elements, or all if one of them wants several: that one may go to sleep again and
 * leave what is there to the others. Either it sees the waiter, or the waiter sees the element.
 *
 * A free that finds the reserve full, which is nearly every one, leaves it at a glance at waiters,
 * without a fence: it may miss one that has counted itself just now. That waiter found the reserve
 * empty under the lock, so all of it is out, and what was taken is freed later. A free sees curr_nr
 * as of the taking of its element or newer (the fences in take() and is_full()): either it is not
 * full then, and the free adds the element and wakes; or another one did so since. The first one
 * to add something after the waiter looked comes to the lock after it, and so sees it.
 */
#include "lib/small.h"
#include "kmalloc/kmalloc.h"
#include "kmalloc/mempool.h"
#include "kernel/printk.h"
#include "kernel/spinlock.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "os/os.h"

#define POOL_SPINS	300u	/* a few microseconds: where no system call may be made */
#define WAIT_MS		5000u	/* elements may come from elsewhere, without a wake */
#define RETRY_MS	10u	/* the lock was not to be had */
#define PATIENCE	2000u	/* times a millisecond: of a resize, for the lock */

/* `waiters': the lower half counts all, the upper one those that want several elements */
#define WAITS_FOR_ONE	1u
#define WAITS_FOR_MANY	(1u << 16 | 1)

#define private_of(pool)	((pool)->kmalloc_private)

static_assert(sizeof(spinlock_t) == sizeof(((mempool_t *)0)->kmalloc_private.lock),
	      "the public pool has room for the lock");

/* ---- lock ---- */

static spinlock_t *lock_of(mempool_t *pool)
{
	return (spinlock_t *)(void *)private_of(pool).lock;
}

/* False: another thread makes it so just now. */
static bool pool_is_of_this_process(mempool_t *pool)
{
	unsigned int *generation = &private_of(pool).generation;
	unsigned int now = 2 * READ_ONCE(fork_generation), seen;
	spinlock_t *lock = lock_of(pool);
	unsigned long holder;

	seen = __atomic_load_n(generation, __ATOMIC_ACQUIRE);	/* pairs: the release below */
	if (likely(seen == now))
		return true;
	if (seen == now + 1 ||
	    !__atomic_compare_exchange_n(generation, &seen, now + 1, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return false;
	/* code that the forking handler interrupted goes on here, and gives the lock back */
	holder = atomic_load_explicit(&lock->holder, memory_order_relaxed);
	if (holder && holder != READ_ONCE(fork_survivor))
		spin_unlock(lock);
	__atomic_store_n(generation, now, __ATOMIC_RELEASE);
	return true;
}

/* No system call. */
static bool pool_trylock(mempool_t *pool)
{
	unsigned int i;

	for (i = 0; i < POOL_SPINS; i++) {
		if (pool_is_of_this_process(pool) && spin_trylock(lock_of(pool)))
			return true;
		if (spin_is_mine(lock_of(pool)))
			return false;
		cpu_relax();
	}
	return false;
}

static bool pool_lock(mempool_t *pool)
{
	return pool_is_of_this_process(pool) && spin_lock(lock_of(pool));
}

static bool pool_lock_patiently(mempool_t *pool)
{
	unsigned int i;

	for (i = 0; i < PATIENCE; i++) {
		if (pool_lock(pool))
			return true;
		if (spin_is_mine(lock_of(pool)))
			return false;
		os_sleep_us(1000);
	}
	return false;
}

static void pool_unlock(mempool_t *pool)
{
	spin_unlock(lock_of(pool));
}

/* ---- the pocket: no lock ---- */

static void *pocket_take(mempool_t *pool)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(private_of(pool).pocket); i++) {
		void **place = &private_of(pool).pocket[i];
		void *element = READ_ONCE(*place);

		/* pairs: pocket_put; whoever exchanges it for NULL has it */
		if (element && (element = __atomic_exchange_n(place, NULL, __ATOMIC_ACQ_REL)))
			return element;
	}
	return NULL;
}

static bool pocket_put(mempool_t *pool, void *element)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(private_of(pool).pocket); i++) {
		void **place = &private_of(pool).pocket[i], *expect = NULL;

		if (__atomic_compare_exchange_n(place, &expect, element, false, __ATOMIC_RELEASE,
						__ATOMIC_RELAXED))
			return true;
	}
	return false;
}

/* ---- the reserve: the lock is held ---- */

/* A pool with min_nr 0 has one place too, or its sleepers would never see an element. */
static int nr_places(const mempool_t *pool)
{
	return MAX(READ_ONCE(pool->min_nr), 1);
}

/* Without the lock. */
static __always_inline bool is_full(mempool_t *pool)
{
	int n;

	/* pairs: take(); the element was in our hands before we look */
	atomic_thread_fence(memory_order_acquire);
	n = READ_ONCE(pool->curr_nr);
	return n > 0 && n >= READ_ONCE(pool->min_nr);	/* nr_places() */
}

static void add_element(mempool_t *pool, void *element)
{
	WRITE_ONCE(pool->elements[pool->curr_nr], element);
	barrier();
	WRITE_ONCE(pool->curr_nr, pool->curr_nr + 1);
}

static void *remove_element(mempool_t *pool)
{
	while (pool->curr_nr > 0) {
		void **place = &pool->elements[pool->curr_nr - 1];
		void *element = *place;

		WRITE_ONCE(*place, NULL);
		barrier();
		WRITE_ONCE(pool->curr_nr, pool->curr_nr - 1);
		if (likely(element))
			return element;
	}
	return NULL;
}

static void empty_pocket(mempool_t *pool)
{
	void *element;

	while (pool->curr_nr < nr_places(pool) && (element = pocket_take(pool)))
		add_element(pool, element);
}

/* ---- sleeping ---- */

static unsigned int begin_wait(mempool_t *pool, unsigned int kind)
{
	/* pairs: the fence in wake_waiters() */
	__atomic_fetch_add(&private_of(pool).waiters, kind, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&private_of(pool).seq, __ATOMIC_SEQ_CST);
}

static void end_wait(mempool_t *pool, unsigned int kind)
{
	__atomic_fetch_sub(&private_of(pool).waiters, kind, __ATOMIC_RELAXED);
}

static unsigned int nr_waiters(const mempool_t *pool)
{
	return READ_ONCE(private_of(pool).waiters);
}

static void wake_waiters(mempool_t *pool, unsigned int n)
{
	unsigned int waiters;

	atomic_thread_fence(memory_order_seq_cst);
	waiters = nr_waiters(pool);
	if (likely(!waiters))
		return;
	if (waiters >> 16)
		n = INT_MAX;
	__atomic_fetch_add(&private_of(pool).seq, 1, __ATOMIC_SEQ_CST);
	os_futex_wake(&private_of(pool).seq, n);
}

/* ---- creation ---- */

__km_export void mempool_exit(mempool_t *pool)
{
	void *element;

	if (!pool->elements)
		return;
	while ((element = remove_element(pool)) || (element = pocket_take(pool)))
		pool->free(element, pool->pool_data);
	kfree(pool->elements);
	pool->elements = NULL;
}

__km_export int mempool_init_node(mempool_t *pool, int min_nr, mempool_alloc_t *alloc_fn,
				  mempool_free_t *free_fn, void *pool_data, gfp_t gfp, int node)
{
	void *element;

	(void)node;
	memset(pool, 0, sizeof(*pool));
	if (min_nr < 0 || !alloc_fn || !free_fn) {
		pr_warn("mempool_init: min_nr %d must not be negative, alloc_fn and free_fn must "
			"be given", min_nr);
		return -EINVAL;
	}
	private_of(pool).generation = 2 * READ_ONCE(fork_generation);
	pool->min_nr = min_nr;
	pool->pool_data = pool_data;
	pool->alloc = alloc_fn;
	pool->free = free_fn;
	pool->elements = kmalloc((size_t)nr_places(pool) * sizeof(void *), gfp | __GFP_ZERO);
	if (!pool->elements)
		return -ENOMEM;
	while (pool->curr_nr < min_nr) {
		element = alloc_fn(gfp, pool_data);
		if (unlikely(!element)) {
			mempool_exit(pool);
			return -ENOMEM;
		}
		add_element(pool, element);
	}
	return 0;
}

__km_export int mempool_init(mempool_t *pool, int min_nr, mempool_alloc_t *alloc_fn,
			     mempool_free_t *free_fn, void *pool_data)
{
	return mempool_init_node(pool, min_nr, alloc_fn, free_fn, pool_data, GFP_KERNEL, -1);
}

__km_export mempool_t *mempool_create_node(int min_nr, mempool_alloc_t *alloc_fn,
					   mempool_free_t *free_fn, void *pool_data, gfp_t gfp,
					   int node)
{
	mempool_t *pool = kmalloc(sizeof(*pool), gfp);

	if (!pool)
		return NULL;
	if (mempool_init_node(pool, min_nr, alloc_fn, free_fn, pool_data, gfp, node)) {
		kfree(pool);
		return NULL;
	}
	return pool;
}

__km_export mempool_t *mempool_create(int min_nr, mempool_alloc_t *alloc_fn,
				      mempool_free_t *free_fn, void *pool_data)
{
	return mempool_create_node(min_nr, alloc_fn, free_fn, pool_data, GFP_KERNEL, -1);
}

__km_export void mempool_destroy(mempool_t *pool)
{
	if (!pool)
		return;
	mempool_exit(pool);
	kfree(pool);
}

/* ---- allocation ---- */

/* had_lock: nothing found means that there is nothing. */
static void *take(mempool_t *pool, bool (*lock)(mempool_t *), bool *had_lock)
{
	void *element = NULL;

	*had_lock = lock(pool);
	if (likely(*had_lock)) {
		empty_pocket(pool);
		element = remove_element(pool);
		pool_unlock(pool);
		/* pairs: is_full(), wherever the element will be freed */
		atomic_thread_fence(memory_order_release);
	}
	return element ? element : pocket_take(pool);
}

static void *take_or_sleep(mempool_t *pool)
{
	unsigned int seq = begin_wait(pool, WAITS_FOR_ONE);
	bool had_lock;
	void *element = take(pool, pool_lock, &had_lock);

	if (!element)
		os_futex_wait(&private_of(pool).seq, seq, had_lock ? WAIT_MS : RETRY_MS);
	end_wait(pool, WAITS_FOR_ONE);
	return element;
}

static __cold void warn_of_zero(gfp_t gfp)
{
	static _Atomic bool warned;

	if (!atomic_exchange_explicit(&warned, true, memory_order_relaxed))
		pr_warn("mempool_alloc: flags 0x%x have __GFP_ZERO, but elements of the reserve hold "
			"old data", gfp);
}

#define POOL_GFP	(__GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN)
#define FIRST_TRY(gfp)	((gfp) & ~(__GFP_DIRECT_RECLAIM | __GFP_IO))

/* The first try of alloc_fn gave nothing. */
static __cold __attribute__((noinline)) void *alloc_reserved(mempool_t *pool, gfp_t gfp)
{
	bool may_block = gfp & __GFP_DIRECT_RECLAIM, had_lock;
	void *element;

	element = take(pool, may_block ? pool_lock : pool_trylock, &had_lock);
	while (!element && may_block) {
		element = pool->alloc(gfp, pool->pool_data);
		if (!element)
			element = take_or_sleep(pool);
	}
	return element;
}

__km_export __hot void *mempool_alloc(mempool_t *pool, gfp_t gfp)
{
	void *element;

	if (unlikely(gfp & __GFP_ZERO))
		warn_of_zero(gfp);
	gfp |= POOL_GFP;
	element = pool->alloc(FIRST_TRY(gfp), pool->pool_data);
	return likely(element) ? element : alloc_reserved(pool, gfp);
}

__km_export void *mempool_alloc_preallocated(mempool_t *pool)
{
	bool had_lock;

	return take(pool, pool_trylock, &had_lock);
}

/* The places still empty after a try of each. */
static unsigned int alloc_missing(mempool_t *pool, void **elems, unsigned int count, gfp_t gfp)
{
	unsigned int i, missing = 0;

	for (i = 0; i < count; i++) {
		if (!elems[i])
			elems[i] = pool->alloc(gfp, pool->pool_data);
		missing += !elems[i];
	}
	return missing;
}

/* All or nothing. */
static bool take_missing(mempool_t *pool, void **elems, unsigned int count, unsigned int missing,
			 bool *had_lock)
{
	unsigned int i;

	*had_lock = pool_lock(pool);
	if (!*had_lock)
		return false;
	empty_pocket(pool);
	if ((unsigned int)pool->curr_nr >= missing)
		for (i = 0; i < count && missing; i++)
			if (!elems[i] && (elems[i] = remove_element(pool)))
				missing--;
	pool_unlock(pool);
	atomic_thread_fence(memory_order_release);	/* pairs: is_full() */
	return !missing;
}

__km_export int mempool_alloc_bulk(mempool_t *pool, void **elems, unsigned int count,
				   unsigned int allocated)
{
	static _Atomic bool warned;
	gfp_t gfp = GFP_KERNEL | POOL_GFP;
	unsigned int missing, seq;
	bool had_lock, done;

	(void)allocated;	/* counted anew: the places that are not NULL */
	if (unlikely(count > (unsigned int)READ_ONCE(pool->min_nr)) &&
	    !atomic_exchange_explicit(&warned, true, memory_order_relaxed))
		pr_warn("mempool_alloc_bulk: %u elements of a pool that keeps %d may wait for ever",
			count, READ_ONCE(pool->min_nr));
	missing = alloc_missing(pool, elems, count, FIRST_TRY(gfp));
	if (!missing || take_missing(pool, elems, count, missing, &had_lock))
		return 0;
	for (;;) {
		missing = alloc_missing(pool, elems, count, gfp);
		if (!missing)
			return 0;
		seq = begin_wait(pool, WAITS_FOR_MANY);
		done = take_missing(pool, elems, count, missing, &had_lock);
		if (!done)
			os_futex_wait(&private_of(pool).seq, seq, had_lock ? WAIT_MS : RETRY_MS);
		end_wait(pool, WAITS_FOR_MANY);
		if (done)
			return 0;
	}
}

/* ---- freeing ---- */

__km_export unsigned int mempool_free_bulk(mempool_t *pool, void **elems, unsigned int count)
{
	unsigned int freed = 0;

	if (is_full(pool))
		return 0;
	if (likely(pool_trylock(pool))) {
		empty_pocket(pool);
		while (freed < count && pool->curr_nr < nr_places(pool))
			add_element(pool, elems[freed++]);
		pool_unlock(pool);
	} else {
		while (freed < count && pocket_put(pool, elems[freed]))
			freed++;
	}
	if (freed)
		wake_waiters(pool, freed);
	return freed;
}

/* Into the reserve; what goes elsewhere, who sleeps may find there. */
static __cold __attribute__((noinline)) void free_with_care(void *element, mempool_t *pool)
{
	if (!element || mempool_free_bulk(pool, &element, 1))
		return;
	pool->free(element, pool->pool_data);
	wake_waiters(pool, 1);
}

__km_export __hot void mempool_free(void *element, mempool_t *pool)
{
	if (unlikely(!element) || unlikely(!is_full(pool)) || unlikely(nr_waiters(pool)))
		free_with_care(element, pool);
	else
		pool->free(element, pool->pool_data);
}

/* ---- resize ---- */

/* The lock is held, and given back. -EBUSY: it was lost on the way, min_nr is as it was. */
static int shrink_pool(mempool_t *pool, int new_min_nr)
{
	while (pool->curr_nr > new_min_nr) {
		void *element = remove_element(pool);

		pool_unlock(pool);
		if (element)
			pool->free(element, pool->pool_data);
		if (!pool_lock_patiently(pool))
			return -EBUSY;
	}
	WRITE_ONCE(pool->min_nr, new_min_nr);
	pool_unlock(pool);
	return 0;
}

static void fill_pool(mempool_t *pool)
{
	void *element;

	while (READ_ONCE(pool->curr_nr) < READ_ONCE(pool->min_nr)) {
		element = pool->alloc(GFP_KERNEL, pool->pool_data);
		if (!element)
			return;	/* the rest comes from later frees */
		if (!mempool_free_bulk(pool, &element, 1)) {
			pool->free(element, pool->pool_data);
			return;
		}
	}
}

__km_export int mempool_resize(mempool_t *pool, int new_min_nr)
{
	void **array, **old;

	if (new_min_nr < 1) {
		pr_warn("mempool_resize: min_nr %d must be above 0", new_min_nr);
		return -EINVAL;
	}
	if (new_min_nr <= READ_ONCE(pool->min_nr))
		return pool_lock_patiently(pool) ? shrink_pool(pool, new_min_nr) : -EBUSY;
	array = kmalloc((size_t)new_min_nr * sizeof(void *), GFP_KERNEL | __GFP_ZERO);
	if (!array)
		return -ENOMEM;
	if (!pool_lock_patiently(pool)) {
		kfree(array);
		return -EBUSY;
	}
	if (unlikely(new_min_nr <= pool->min_nr)) {	/* another resize was faster */
		pool_unlock(pool);
		kfree(array);
		return 0;
	}
	old = pool->elements;
	memcpy(array, old, (size_t)pool->curr_nr * sizeof(void *));
	pool->elements = array;
	WRITE_ONCE(pool->min_nr, new_min_nr);
	pool_unlock(pool);
	kfree(old);
	fill_pool(pool);
	return 0;
}

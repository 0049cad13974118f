// SPDX-License-Identifier: MIT
/* Callbacks that may be removed while they run; see hooks.h. Layer: mm. */
#include "lib/small.h"
#include "mm/hooks.h"
#include "kernel/printk.h"
#include "lib/bits.h"
#include "os/os.h"

#define NR_CALLS	64u	/* calls at once that are told apart; more are counted alone */
#define LOCK_SPINS	100u
#define LOCK_SLEEPS	2000u	/* of LOCK_SLEEP_US: 100 ms, then the holder is taken for lost */
#define LOCK_SLEEP_US	50u
#define WAIT_MIN_US	50u
#define WAIT_MAX_US	5000u
#define LOOK_US		100000u	/* how often a removal looks whether the callers still exist */
#define PATIENCE_US	10000000u	/* then it says that it waits */

static struct {
	struct {
		_Atomic unsigned long thread;	/* thread_id(); 0: free */
		_Atomic int tid;
		struct hook *_Atomic hook;
	} call[NR_CALLS];
} hooks;

/*
 * Unlike spin_lock() it waits while a fork is under way: fork does not take this lock, and no
 * holder waits for anything.
 */
static bool list_lock(struct hook_list *list)
{
	unsigned int i;

	for (i = 0; i < LOCK_SPINS + LOCK_SLEEPS; i++) {
		if (spin_trylock(&list->lock))
			return true;
		if (spin_is_mine(&list->lock) || READ_ONCE(list->lock.lost))
			return false;
		if (i < LOCK_SPINS)
			cpu_relax();
		else
			os_sleep_us(LOCK_SLEEP_US);
	}
	WRITE_ONCE(list->lock.lost, true);
	return false;
}

static struct hook *list_first(struct hook_list *list)
{
	return atomic_load_explicit(&list->first, memory_order_relaxed);
}

bool hook_add(struct hook_list *list, struct hook *h)
{
	struct hook *prev = NULL, *pos;

	if (!list_lock(list))
		return false;
	for (pos = list_first(list); pos && pos->priority >= h->priority; pos = pos->next)
		prev = pos;
	h->next = pos;
	barrier();
	if (prev)
		WRITE_ONCE(prev->next, h);
	else
		atomic_store_explicit(&list->first, h, memory_order_relaxed);
	spin_unlock(&list->lock);
	return true;
}

/* ---- calls ---- */

static bool hook_get(struct hook *h)
{
	unsigned long users = atomic_load_explicit(&h->users, memory_order_relaxed);

	do {
		if (users & HOOK_DYING)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&h->users, &users, users + 1,
							memory_order_acquire,
							memory_order_relaxed));
	return true;
}

/* Not below none: a fork child may have forgotten the call. */
static void hook_put(struct hook *h)
{
	unsigned long users = atomic_load_explicit(&h->users, memory_order_relaxed);

	do {
		if (!(users & ~HOOK_DYING))
			return;
	} while (!atomic_compare_exchange_weak_explicit(&h->users, &users, users - 1,
							/* pairs: hook_remove */
							memory_order_release,
							memory_order_relaxed));
}

static void note_call(struct hook_call *call, struct hook *h)
{
	unsigned long free;
	unsigned int i;

	call->hook = h;
	call->entry = 0;
	for (i = 0; i < NR_CALLS; i++) {
		free = 0;
		if (!atomic_compare_exchange_strong_explicit(&hooks.call[i].thread, &free,
							     thread_id(), memory_order_acquire,
							     memory_order_relaxed))
			continue;
		atomic_store_explicit(&hooks.call[i].tid, os_gettid(), memory_order_relaxed);
		atomic_store_explicit(&hooks.call[i].hook, h, memory_order_release);
		call->entry = i + 1;
		return;
	}
}

/* Its call is over, unless another has said so already. */
static void forget_call(unsigned int i)
{
	struct hook *h = atomic_exchange_explicit(&hooks.call[i].hook, NULL, memory_order_acq_rel);

	if (!h)
		return;
	hook_put(h);
	atomic_store_explicit(&hooks.call[i].thread, 0, memory_order_release);
}

void hook_stop(struct hook_call *call)
{
	if (!call->hook)
		return;
	if (call->entry)
		forget_call(call->entry - 1);
	else
		hook_put(call->hook);
	call->hook = NULL;
}

struct hook *hook_next(struct hook_list *list, struct hook_call *call)
{
	struct hook *h;

	if (!list_lock(list)) {
		hook_stop(call);
		return NULL;
	}
	h = call->hook ? call->hook->next : list_first(list);
	while (h && !hook_get(h))
		h = h->next;
	hook_stop(call);
	spin_unlock(&list->lock);
	if (h)
		note_call(call, h);
	return h;
}

struct hook *hook_find(struct hook_list *list, const void *object)
{
	struct hook *h;

	if (!list_lock(list))
		return NULL;
	for (h = list_first(list); h; h = h->next)
		if (h->object == object &&
		    !(atomic_load_explicit(&h->users, memory_order_relaxed) & HOOK_DYING))
			break;
	spin_unlock(&list->lock);
	return h;
}

/* ---- removal ---- */

static bool call_is_of(unsigned int i, const struct hook *h)
{
	return atomic_load_explicit(&hooks.call[i].hook, memory_order_acquire) == h;
}

static bool runs_in_this_thread(const struct hook *h)
{
	unsigned int i;

	for (i = 0; i < NR_CALLS; i++)
		if (call_is_of(i, h) && atomic_load(&hooks.call[i].thread) == thread_id() &&
		    atomic_load(&hooks.call[i].tid) == os_gettid())
			return true;
	return false;
}

/* A thread that was cancelled in the callback will not return from it. */
static void forget_dead_callers(struct hook *h)
{
	unsigned int i;

	for (i = 0; i < NR_CALLS; i++)
		if (call_is_of(i, h) && os_thread_is_gone(atomic_load(&hooks.call[i].tid)))
			forget_call(i);
}

static void wait_for_calls(struct hook *h)
{
	unsigned long waited = 0, looked = 0;
	unsigned int us = WAIT_MIN_US;

	/* pairs: hook_put */
	while (atomic_load_explicit(&h->users, memory_order_acquire) & ~HOOK_DYING) {
		os_sleep_us(us);
		waited += us;
		us = MIN(2 * us, WAIT_MAX_US);
		if (waited - looked < LOOK_US)
			continue;
		if (looked < PATIENCE_US && waited >= PATIENCE_US)
			pr_warn("a shrinker or notifier is to be removed and its callback has been "
				"running for %u s; waiting", PATIENCE_US / 1000000);
		looked = waited;
		forget_dead_callers(h);
	}
}

enum hook_end hook_remove(struct hook_list *list, struct hook *h)
{
	struct hook *prev = NULL, *pos;

	if (runs_in_this_thread(h))
		return HOOK_BUSY;
	if (atomic_fetch_or_explicit(&h->users, HOOK_DYING, memory_order_acq_rel) & HOOK_DYING)
		return HOOK_LEFT;
	wait_for_calls(h);
	if (!list_lock(list))
		return HOOK_LEFT;
	for (pos = list_first(list); pos && pos != h; pos = pos->next)
		prev = pos;
	if (pos && prev)
		WRITE_ONCE(prev->next, h->next);
	else if (pos)
		atomic_store_explicit(&list->first, h->next, memory_order_relaxed);
	spin_unlock(&list->lock);
	return HOOK_GONE;
}

void hooks_fork_child(struct hook_list *list)
{
	struct hook *h;
	unsigned int i;

	for (i = 0; i < NR_CALLS; i++) {
		if (!atomic_load(&hooks.call[i].thread))
			continue;
		if (atomic_load(&hooks.call[i].thread) == thread_id()) {
			atomic_store(&hooks.call[i].tid, os_gettid());
			continue;
		}
		atomic_store(&hooks.call[i].hook, NULL);
		atomic_store(&hooks.call[i].thread, 0);
	}
	/* forked by a signal handler in the middle of our own change: it goes on with it */
	if (spin_is_mine(&list->lock))
		return;
	atomic_store(&list->lock.holder, 0);
	WRITE_ONCE(list->lock.lost, false);
	for (h = list_first(list); h; h = h->next) {
		unsigned long users = atomic_load(&h->users) & HOOK_DYING;

		for (i = 0; i < NR_CALLS; i++)
			users += call_is_of(i, h);
		atomic_store(&h->users, users);
	}
}

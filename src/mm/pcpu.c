// SPDX-License-Identifier: MIT
/* Thread slots: taking and leaving them, and the start of mm. Layer: mm. */
#include "mm/pcpu.h"
#include "mm/area_cache.h"
#include "mm/fault_inject.h"
#include "mm/gfp_policy.h"
#include "mm/meta.h"
#include "mm/purge.h"
#include "mm/reserve.h"
#include "kernel/params.h"
#include "kernel/printk.h"

#define DEAD_KEEP	2u	/* homes without a thread that keep their empty slabs */
/* homes: twice the processors, within these */
#define HOMES_MIN	4u
#define HOMES_MAX	256u
#define IDLE_HOME_TRIES	64u	/* slots looked at for one whose home no thread uses */

struct hot_data hot_data;
struct pcpu empty_cpu;	/* all zero: every cache misses */

__thread struct pcpu *this_cpu = &empty_cpu;
__thread struct pcpu *own_cpu;
__thread unsigned int exit_rounds;
__thread unsigned int early_frees;

_Atomic(struct pcpu *) all_cpus;
_Atomic(struct slab_home *) all_homes;
_Atomic unsigned int nr_dead_cpus, nr_cpus, nr_homes;
bool reap_dead_threads;

static _Atomic unsigned long fork_word_default = 1;
_Atomic unsigned long *fork_word = &fork_word_default;

_Atomic bool mm_ready;
static _Atomic unsigned int mm_init_state;

/*
 * Page size, options, caches. The first caller does it, the others wait: it takes microseconds,
 * makes no call that could come back here, and signals are blocked meanwhile.
 */
void mm_init(void)
{
	unsigned int expect = 0;
	unsigned long mask = os_block_signals();
	const char *policy;

	if (!atomic_compare_exchange_strong_explicit(&mm_init_state, &expect, 1,
						     memory_order_acquire, memory_order_relaxed)) {
		os_restore_signals(mask);
		while (!atomic_load_explicit(&mm_ready, memory_order_acquire))
			os_yield();
		return;
	}
	os_init();
	params_init(os_is_secure() ? NULL : os_getenv("KMALLOC_OPTIONS"));
	policy = os_is_secure() ? NULL : os_getenv("KMALLOC_GFP");
	if (policy)
		gfp_policy_init(policy);
	panic_on_bug = param_choice(PARAM_panic) != 0;
	watermark_init();
	reserve_setup();
	if (params_given(PARAM_failslab, PARAM_fail_nth))
		fault_init();
	vmap_init();
	area_cache_init();
	kmalloc_caches_init(param_choice(PARAM_kmalloc_sizes) == SIZES_CLASSIC);
	if (policy)
		gfp_policy_check_names();
	atomic_store_explicit(&mm_ready, true, memory_order_release);
	os_restore_signals(mask);
}

/* A LIVE slot whose thread ended without telling. */
static bool is_orphan(struct pcpu *c)
{
	int tid = atomic_load_explicit(&c->tid, memory_order_relaxed);

	return tid && os_thread_is_gone(tid);
}

void cpu_drop_sheaves(struct pcpu *c)
{
	struct kmem_cache *s;
	unsigned long lost = page_lists_drop(c);
	unsigned int i;

	for_each_cache(s, i) {
		struct cpu_cache *cc = cpu_cache(c, s);
		unsigned long n = (unsigned long)(cc->top - cc->start);

		if (!cc->end)
			continue;
		lost += n <= s->sheaf_capacity ? n : 0;
		lost += cc->spare ? MIN(cc->spare->count, s->sheaf_capacity) : 0;
		memset(cc, 0, sizeof(*cc));
	}
	atomic_fetch_add_explicit(&nr_lost_objects, lost, memory_order_relaxed);
	area_cache_drop(c);
}

/* Nobody's, and of use. */
static bool is_free(struct pcpu *c, bool orphans)
{
	if (READ_ONCE(c->home->lock.lost))
		return false;
	return atomic_load_explicit(&c->state, memory_order_relaxed) == CPU_DEAD ||
	       (orphans && is_orphan(c));
}

/* The thread that takes the slot has it from here on. False: another was faster. */
static bool take_cpu(struct pcpu *c, bool orphans)
{
	u8 dead = CPU_DEAD;
	bool taken;
	int tid;

	/* acquire: what the last thread did with it comes before; pairs with cpu_set_dead() */
	if (atomic_compare_exchange_strong_explicit(&c->state, &dead, CPU_LIVE,
						    memory_order_acquire, memory_order_relaxed)) {
		atomic_store_explicit(&c->tid, os_gettid(), memory_order_relaxed);
		atomic_fetch_sub_explicit(&nr_dead_cpus, 1, memory_order_relaxed);
		atomic_fetch_add_explicit(&c->home->nr_live, 1, memory_order_relaxed);
		return true;
	}
	/* the lock: who destroys a cache may be at its sheaves */
	if (!orphans || !spin_trylock(&c->home->lock))
		return false;
	tid = atomic_load_explicit(&c->tid, memory_order_relaxed);
	taken = is_orphan(c) &&
		atomic_compare_exchange_strong_explicit(&c->tid, &tid, os_gettid(),
							memory_order_acquire, memory_order_relaxed);
	if (taken)
		cpu_drop_sheaves(c);	/* perhaps it was cancelled inside the allocator */
	spin_unlock(&c->home->lock);
	return taken;
}

/*
 * A slot that no thread owns, for the calling one; orphans: look for those of silent ends too. Up to
 * tries slots are looked at, from where the last search ended; idle: of a home that no thread uses.
 */
static struct pcpu *search_cpu(bool orphans, unsigned int tries, bool idle)
{
	static _Atomic(struct pcpu *) last;
	/* acquire: the slot is initialised; pairs with the store below */
	struct pcpu *c = atomic_load_explicit(&last, memory_order_acquire);

	while (tries--) {
		c = c ? c->next : NULL;
		if (!c)
			c = atomic_load_explicit(&all_cpus, memory_order_acquire);
		if (!is_free(c, orphans) ||
		    (idle && atomic_load_explicit(&c->home->nr_live, memory_order_relaxed)) ||
		    !take_cpu(c, orphans))	/* another thread was faster */
			continue;
		atomic_store_explicit(&last, c, memory_order_release);
		return c;
	}
	return NULL;
}

static struct pcpu *take_free_cpu(bool orphans)
{
	unsigned int n = atomic_load_explicit(&nr_cpus, memory_order_relaxed);
	struct pcpu *c = search_cpu(orphans, MIN(n, IDLE_HOME_TRIES), true);

	return c ? c : search_cpu(orphans, n, false);
}

/*
 * Before a new slot is made. Most threads tell when they end; where none can (there was no key
 * left), all slots are looked at each time, else when their number has doubled: some threads
 * make their first allocation in the last round of their destructors.
 */
static struct pcpu *find_free_cpu(void)
{
	static _Atomic unsigned int next_look = 64;
	unsigned int n = atomic_load_explicit(&nr_cpus, memory_order_relaxed);
	bool orphans = reap_dead_threads;

	if (n >= atomic_load_explicit(&next_look, memory_order_relaxed)) {
		atomic_store_explicit(&next_look, 2 * n, memory_order_relaxed);
		orphans = true;
	}
	if (!orphans && !atomic_load_explicit(&nr_dead_cpus, memory_order_relaxed))
		return NULL;
	return take_free_cpu(orphans);
}

static unsigned int max_homes(void)
{
	static _Atomic unsigned int max;
	unsigned int n = atomic_load_explicit(&max, memory_order_relaxed);

	if (!n) {
		n = MIN(MAX(2 * os_nr_cpus(), HOMES_MIN), HOMES_MAX);
		atomic_store_explicit(&max, n, memory_order_relaxed);
	}
	return n;
}

/* The home with the fewest slots; NULL: none, or all of their locks are lost. */
static struct slab_home *least_used_home(void)
{
	struct slab_home *h, *best = NULL;

	for_each_home(h)
		if (!READ_ONCE(h->lock.lost) && (!best || h->nr_cpus < best->nr_cpus))
			best = h;
	return best;
}

static struct slab_home *new_home(void)
{
	struct slab_home *h = meta_alloc(sizeof(*h), 64);

	if (!h)
		return NULL;
	INIT_LIST_HEAD(&h->pcp);
	h->next = atomic_load_explicit(&all_homes, memory_order_relaxed);
	/* pairs: for_each_home */
	while (!atomic_compare_exchange_weak_explicit(&all_homes, &h->next, h,
						      memory_order_release, memory_order_relaxed))
		;
	return h;
}

/* One more than there are, if that is not too many. */
static struct slab_home *add_home(unsigned int max)
{
	unsigned int n = atomic_load_explicit(&nr_homes, memory_order_relaxed);
	struct slab_home *h;

	do
		if (n >= max)
			return NULL;
	while (!atomic_compare_exchange_weak_explicit(&nr_homes, &n, n + 1, memory_order_relaxed,
						      memory_order_relaxed));
	h = new_home();
	if (!h)
		atomic_fetch_sub_explicit(&nr_homes, 1, memory_order_relaxed);
	return h;
}

/* For a new slot. */
static struct slab_home *choose_home(void)
{
	struct slab_home *h = add_home(HOMES_MIN);

	if (!h)
		h = add_home(max_homes());
	if (!h)
		h = least_used_home();
	return h ? h : add_home(UINT_MAX);
}

static struct pcpu *new_cpu(void)
{
	struct slab_home *h = choose_home();
	struct pcpu *c = h ? meta_alloc(sizeof(*c), 64) : NULL;

	if (!c)
		return NULL;
	c->home = h;
	atomic_fetch_add_explicit(&h->nr_cpus, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&h->nr_live, 1, memory_order_relaxed);
	atomic_store_explicit(&c->tid, os_gettid(), memory_order_relaxed);
	atomic_store_explicit(&c->state, CPU_LIVE, memory_order_relaxed);
	c->next = atomic_load_explicit(&all_cpus, memory_order_relaxed);
	/* pairs: for_each_cpu */
	while (!atomic_compare_exchange_weak_explicit(&all_cpus, &c->next, c, memory_order_release,
						      memory_order_relaxed))
		;
	atomic_fetch_add_explicit(&nr_cpus, 1, memory_order_relaxed);
	return c;
}

struct pcpu *cpu_acquire(void)
{
	struct pcpu *c;

	if (own_cpu)	/* a signal handler got it between our load and store of this_cpu */
		return own_cpu;
	if (exit_rounds == UINT_MAX)
		return NULL;
	c = find_free_cpu();
	if (!c)
		c = new_cpu();
	own_cpu = c;
	return c;
}

void cpu_set_dead(struct pcpu *c)
{
	/* who takes the slot stores its own: until then nobody shall find this thread gone */
	atomic_store_explicit(&c->tid, 0, memory_order_relaxed);
	atomic_fetch_sub_explicit(&c->home->nr_live, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&nr_dead_cpus, 1, memory_order_relaxed);
	atomic_store_explicit(&c->state, CPU_DEAD, memory_order_release);	/* pairs: take_cpu */
}

/* Of homes that no thread uses a few keep their empty slabs for the next threads. */
static bool keeps_empty_slabs(const struct slab_home *home)
{
	unsigned int n = 0;
	struct slab_home *h;

	for_each_home(h)
		n += h != home && !atomic_load_explicit(&h->nr_live, memory_order_relaxed);
	return n < DEAD_KEEP;
}

void cpu_exit(void)
{
	struct pcpu *entered = cpu_enter(), *c = own_cpu;
	struct slab_home *h;

	own_cpu = NULL;
	exit_rounds = UINT_MAX;
	fault_thread_exit();
	/* this_cpu stays &busy_cpu: what the thread still does goes without a slot */
	/* left by siglongjmp or cancelled inside: found as an orphan, if its lock is free */
	if (!c || entered != c)
		return;
	slab_flush_all_sheaves(c);
	h = c->home;
	if (spin_lock(&h->lock)) {
		home_drain_inbox(h);
		if (atomic_load_explicit(&h->nr_live, memory_order_relaxed) == 1 &&
		    !keeps_empty_slabs(h))
			slab_release_empty(h);
		spin_unlock(&h->lock);
	}
	cpu_set_dead(c);
	purge_check();
}

void cpu_abandon(struct pcpu *c)
{
	slab_flush_all_sheaves(c);	/* by the remote path */
	own_cpu = NULL;
	cpu_set_dead(c);
}

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

#define DEAD_KEEP	2u

struct hot_data hot_data;
struct pcpu empty_cpu;	/* all zero: every cache misses */

__thread struct pcpu *this_cpu = &empty_cpu;
__thread struct pcpu *own_cpu;
__thread unsigned int exit_rounds;
__thread unsigned int early_frees;

_Atomic(struct pcpu *) all_cpus;
_Atomic unsigned int nr_dead_cpus, nr_cpus;
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
	area_cache_init();
	kmalloc_caches_init(param_choice(PARAM_kmalloc_sizes) == SIZES_CLASSIC);
	if (policy)
		gfp_policy_check_names();
	atomic_store_explicit(&mm_ready, true, memory_order_release);
	os_restore_signals(mask);
}

static void cpu_init(struct pcpu *c)
{
	unsigned int i;

	for (i = 0; i < NR_CLASSES; i++)
		INIT_LIST_HEAD(&c->slabs[i].partial);
	INIT_LIST_HEAD(&c->pcp);
}

/* A LIVE slot whose thread ended without telling. */
static bool is_orphan(struct pcpu *c)
{
	int tid = READ_ONCE(c->tid);

	return tid && os_thread_is_gone(tid);
}

void cpu_drop_sheaves(struct pcpu *c)
{
	struct kmem_cache *s;
	unsigned long lost = 0;
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

/* A slot that no thread owns, for the calling one; orphans: look for those of silent ends too. */
static struct pcpu *take_free_cpu(bool orphans)
{
	struct pcpu *c;

	for_each_cpu(c) {
		bool dead = atomic_load_explicit(&c->state, memory_order_relaxed) == CPU_DEAD;

		if (!dead && !(orphans && is_orphan(c)))
			continue;
		if (!spin_trylock(&c->lock))
			continue;
		dead = atomic_load_explicit(&c->state, memory_order_acquire) == CPU_DEAD;
		if (!dead && !(orphans && is_orphan(c))) {
			spin_unlock(&c->lock);
			continue;
		}
		if (dead)
			atomic_fetch_sub_explicit(&nr_dead_cpus, 1, memory_order_relaxed);
		else
			cpu_drop_sheaves(c);	/* perhaps it was cancelled inside the allocator */
		WRITE_ONCE(c->tid, os_gettid());
		atomic_store_explicit(&c->state, CPU_LIVE, memory_order_relaxed);
		spin_unlock(&c->lock);
		return c;
	}
	return NULL;
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

struct pcpu *cpu_acquire(void)
{
	struct pcpu *c, *head;

	if (own_cpu)	/* a signal handler got it between our load and store of this_cpu */
		return own_cpu;
	if (exit_rounds == UINT_MAX)
		return NULL;
	c = find_free_cpu();
	if (!c) {
		c = meta_alloc(sizeof(*c), 64);
		if (!c)
			return NULL;
		cpu_init(c);
		c->tid = os_gettid();
		atomic_store_explicit(&c->state, CPU_LIVE, memory_order_relaxed);
		head = atomic_load_explicit(&all_cpus, memory_order_relaxed);
		do {
			c->next = head;
		/* pairs: for_each_cpu */
		} while (!atomic_compare_exchange_weak_explicit(
			&all_cpus, &head, c, memory_order_release, memory_order_relaxed));
		atomic_fetch_add_explicit(&nr_cpus, 1, memory_order_relaxed);
	}
	own_cpu = c;
	return c;
}

void cpu_exit(void)
{
	struct pcpu *entered = cpu_enter(), *c = own_cpu;
	bool locked;

	own_cpu = NULL;
	exit_rounds = UINT_MAX;
	fault_thread_exit();
	/* this_cpu stays &busy_cpu: what the thread still does goes without a slot */
	/* left by siglongjmp or cancelled inside: found as an orphan, if its lock is free */
	if (!c || entered != c)
		return;
	slab_flush_all_sheaves(c);
	locked = spin_lock(&c->lock);
	if (locked) {
		cpu_drain_inbox(c);
		/*
		 * a few slots with their slabs wait for the next threads; of more, what is
		 * empty goes back
		 */
		if (atomic_load_explicit(&nr_dead_cpus, memory_order_relaxed) >= DEAD_KEEP)
			slab_release_empty(c);
	}
	atomic_fetch_add_explicit(&nr_dead_cpus, 1, memory_order_relaxed);
	atomic_store_explicit(&c->state, CPU_DEAD, memory_order_release);
	if (locked)
		spin_unlock(&c->lock);
	purge_check();
}

void cpu_abandon(struct pcpu *c)
{
	slab_flush_all_sheaves(c);	/* by the remote path */
	own_cpu = NULL;
	atomic_store_explicit(&c->state, CPU_DEAD, memory_order_release);
	atomic_fetch_add_explicit(&nr_dead_cpus, 1, memory_order_relaxed);
}

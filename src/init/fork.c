// SPDX-License-Identifier: MIT
/*
 * fork. Layer: init.
 *
 * Prepare: raise fork_under_way (from now on nobody waits for a lock of ours; who cannot have
 * one takes the nolock path), then take, in rank order, slab_mutex, every home's lock, the barns',
 * the zones' and the two vmap locks, each with a bound. Several threads may fork at once: the first
 * takes the locks, the last gives them back; fork_state.lock guards that count.
 * Parent: give all back. Child, where no other thread exists:
 *   - locks that the forking thread holds itself (it forks in a signal handler that interrupted
 *     the allocator) stay: the interrupted code goes on in the child and gives them back; locks
 *     that a lost thread holds stay lost: nobody waits for them
 *   - the sheaves, page lists and kept areas of other threads, which have no lock, may be half
 *     exchanged: they are dropped whole, and what lay in them is lost (counted); their slots become
 *     DEAD, and the slabs of homes without threads, whose bitmaps were stable under the locks, are
 *     adopted as usual
 *   - frees that were between R1 and R3 without a home's lock are repaired slab by slab, if
 *     there were any
 * A child of _Fork() or of a raw clone ran no handler. It finds fork_word zero
 * (MADV_WIPEONFORK) at its first miss. Locks that other threads held are lost then; what is not
 * locked is consistent.
 */
#include "lib/small.h"
#include "init/init.h"
#include "mm/fault_inject.h"
#include "mm/page_alloc.h"
#include "mm/pcpu.h"
#include "mm/reclaim.h"
#include "mm/reserve.h"
#include "mm/shrinker.h"
#include "mm/vmalloc.h"
#include "os/os.h"
#include "os/thread_key.h"

static struct {
	spinlock_t lock;		/* rank LOCK_FORK: what is held below */
	unsigned int nr_forking;
	bool mutex_held, vmap_held, share_held;
	bool zone_held[MAX_NR_ZONES];
	unsigned long preparing;	/* thread_id() of who takes the locks just now */
} fork_state;

/* Of this thread: forks under way that it announced, and whether it is counted in nr_forking. */
static __thread unsigned short my_forks __initial_exec;
static __thread unsigned short my_count __initial_exec;

/* A lock that is held for the fork already stays so: a child may come here twice. */
static void lock_everything(bool (*lock)(spinlock_t *))
{
	struct kmem_cache *s;
	struct slab_home *h;
	unsigned int i;

	fork_state.mutex_held = fork_state.mutex_held || lock(&slab_mutex);
	for_each_home(h)
		h->fork_held = h->fork_held || lock(&h->lock);
	for_each_cache(s, i)
		s->barn.fork_held = s->barn.fork_held || lock(&s->barn.lock);
	for (i = 0; i < MAX_NR_ZONES; i++)
		fork_state.zone_held[i] = fork_state.zone_held[i] || lock(&zones[i].lock);
	fork_state.vmap_held = fork_state.vmap_held || lock(&vmap_lock);
	fork_state.share_held = fork_state.share_held || lock(&vmap_share_lock);
}

static void unlock_everything(void)
{
	struct kmem_cache *s;
	struct slab_home *h;
	unsigned int i;

	if (fork_state.share_held) {
		fork_state.share_held = false;
		spin_unlock(&vmap_share_lock);
	}
	if (fork_state.vmap_held) {
		fork_state.vmap_held = false;
		spin_unlock(&vmap_lock);
	}
	for (i = 0; i < MAX_NR_ZONES; i++) {
		if (fork_state.zone_held[i]) {
			fork_state.zone_held[i] = false;
			spin_unlock(&zones[i].lock);
		}
	}
	for_each_cache(s, i) {
		if (s->barn.fork_held) {
			s->barn.fork_held = false;
			spin_unlock(&s->barn.lock);
		}
	}
	for_each_home(h) {
		if (h->fork_held) {
			h->fork_held = false;
			spin_unlock(&h->lock);
		}
	}
	if (fork_state.mutex_held) {
		fork_state.mutex_held = false;
		spin_unlock(&slab_mutex);
	}
}

void fork_prepare(void)
{
	struct pcpu *entered = cpu_enter();

	my_forks++;
	__atomic_fetch_add(&fork_under_way, 1, __ATOMIC_RELAXED);
	if (spin_lock_fork(&fork_state.lock)) {
		fork_state.preparing = thread_id();
		my_count++;
		if (!fork_state.nr_forking++)
			lock_everything(spin_lock_fork);
		fork_state.preparing = 0;
		spin_unlock(&fork_state.lock);
	}
	cpu_leave(entered);
}

void fork_parent(void)
{
	struct pcpu *entered = cpu_enter();

	if (my_count && spin_lock_fork(&fork_state.lock)) {
		my_count--;
		if (fork_state.nr_forking && !--fork_state.nr_forking)
			unlock_everything();
		spin_unlock(&fork_state.lock);
	}
	/* none of ours is counted in a child that a signal handler forked in between */
	if (my_forks) {
		my_forks--;
		__atomic_fetch_sub(&fork_under_way, 1, __ATOMIC_RELAXED);
	}
	cpu_leave(entered);
}

/* Rule 8 of the protocol: one thread, so it holds every slab. */
static void repair_slab(struct page *page, unsigned long addr, void *arg)
{
	struct slab *slab = (struct slab *)(void *)page;
	unsigned int w, n = 0;

	(void)addr;
	(void)arg;
	if (page->state != PAGE_SLAB || slab->nolock)
		return;
	for (w = 0; w < (slab->cache->objects + 63) / 64; w++) {
		u64 bits = atomic_load_explicit(&remote_map(slab)[w], memory_order_relaxed);

		if (!bits)
			continue;
		atomic_store_explicit(&remote_map(slab)[w], 0, memory_order_relaxed);
		n += hweight64(bits & ~free_map(slab)[w]);
		free_map(slab)[w] |= bits;
		slab->hint = MIN(slab->hint, w);
	}
	if (atomic_load_explicit(&slab->pending, memory_order_relaxed))
		atomic_store_explicit(&slab->pending, 0, memory_order_relaxed);
	if (slab->debt)
		slab->debt = 0;
	slab->in_inbox = false;
	if (n)
		slab_put(atomic_load_explicit(&slab->owner, memory_order_relaxed), slab, n);
}

/*
 * This thread's slot is own, or none; interrupted: it forked in a signal handler that came into
 * the allocator.
 */
static void child_slots(struct pcpu *own, bool interrupted)
{
	bool all_mine = !interrupted;
	struct slab_home *h;
	struct pcpu *c;

	for_each_home(h) {
		h->fork_held = h->fork_held || spin_trylock(&h->lock);
		all_mine &= h->fork_held;
		atomic_store_explicit(&h->nr_live, 0, memory_order_relaxed);
	}
	atomic_store_explicit(&nr_dead_cpus, 0, memory_order_relaxed);
	for_each_cpu(c) {
		bool live = atomic_load_explicit(&c->state, memory_order_relaxed) == CPU_LIVE;

		if (c == own)
			atomic_store_explicit(&c->tid, os_gettid(), memory_order_relaxed);
		/* else its thread left in the middle of something: it stays as it is */
		if (live)
			atomic_fetch_add_explicit(&c->home->nr_live, 1, memory_order_relaxed);
		else
			atomic_fetch_add_explicit(&nr_dead_cpus, 1, memory_order_relaxed);
		if (c == own || !c->home->fork_held)
			continue;
		cpu_drop_sheaves(c);
		if (live)
			cpu_set_dead(c);
	}
	/*
	 * if this thread itself was interrupted in the middle of a free, its slab must stay as
	 * it is
	 */
	if (all_mine && atomic_load_explicit(&nolock_frees_in_flight, memory_order_relaxed)) {
		atomic_store_explicit(&nolock_frees_in_flight, 0, memory_order_relaxed);
		for_each_home(h) {
			atomic_store_explicit(&h->inbox, NULL, memory_order_relaxed);
			atomic_store_explicit(&h->inbox_len, 0, memory_order_relaxed);
		}
		memmap_for_each_block(repair_slab, NULL);
	}
}

/* only_thread: no other thread can be in this process yet. */
static void repair_child(bool interrupted, bool only_thread)
{
	struct pcpu *c;
	unsigned int i;

	/* what this thread itself was giving back when a handler forked, it still holds */
	for (i = 0; i < MAX_NR_ZONES; i++)
		if (fork_state.zone_held[i] && !interrupted)
			zone_fork_child(&zones[i]);
	kswapd_fork_child();
	if (fork_state.vmap_held && !interrupted)
		vmap_fork_child();
	if (only_thread) {
		child_slots(own_cpu, interrupted);
		shrinker_fork_child();
		fault_fork_child();
	} else {
		for_each_cpu(c)	/* not known any more who lives: nobody is reaped */
			atomic_store_explicit(&c->tid, 0, memory_order_relaxed);
	}
	unlock_everything();
	fork_state.nr_forking = 0;
	fork_state.preparing = 0;
	my_forks = 0;
	my_count = 0;
	atomic_store_explicit(&fork_state.lock.holder, 0, memory_order_relaxed);
	WRITE_ONCE(fork_under_way, 0);
}

/* Locks that no fork handler knows (of mempools) are freed by who finds this number changed. */
static void new_generation(unsigned long survivor)
{
	WRITE_ONCE(fork_survivor, survivor);
	WRITE_ONCE(fork_generation, fork_generation + 1);
}

void fork_child(void)
{
	struct pcpu *entered = cpu_enter();

	atomic_store_explicit(fork_word, 1, memory_order_relaxed);
	new_generation(thread_id());
	reserve_fork_child();
	/*
	 * a signal handler may have forked in the middle of fork_prepare(), which then goes on
	 * in the child
	 */
	if (fork_state.preparing != thread_id())
		repair_child(entered == &busy_cpu, true);
	cpu_leave(entered);
}

/*
 * The caller is inside the allocator, at its entry, and holds nothing. If it has a slot, it is
 * the thread that forked; else it may be a thread that the child made since, and the slot of
 * the one that forked is in use.
 */
void fork_raw_child(void)
{
	if (atomic_exchange_explicit(fork_word, 1, memory_order_relaxed))
		return;		/* another thread does it */
	new_generation(own_cpu ? thread_id() : 0);
	reserve_fork_child();
	lock_everything(spin_trylock);
	repair_child(false, own_cpu != NULL);
}

void fork_init(void)
{
	_Atomic unsigned long *word = os_map(NULL, PAGE_SIZE);

	if (word && os_wipeonfork((void *)word, PAGE_SIZE)) {
		atomic_store_explicit(word, 1, memory_order_relaxed);
		fork_word = word;
	} else if (word) {
		/* an old kernel: a raw child is not noticed */
		os_unmap((void *)word, PAGE_SIZE);
	}
	thread_atfork(fork_prepare, fork_parent, fork_child);
}

// SPDX-License-Identifier: MIT
/*
 * The slow paths of allocation and free: sheaves, and what is done one by one. Layer: mm. Leads
 * in: slab_alloc_slow, cache_alloc_slow, slab_free_slow. Leads down: slub.c, barns, the ladder.
 *
 * A cache whose every object needs a look (debugging, fault injection, a GFP policy that changes
 * objects, init_on_alloc, init_on_free) has no sheaves: its cpu_caches stay zero, so both hit
 * paths miss, and objects go one by one between the user and the slot's slabs, here. When a
 * cache loses its sheaves while the program runs, each slot puts them away at its next miss.
 */
#include "mm/entry.h"
#include "mm/fault_inject.h"
#include "mm/gfp_policy.h"
#include "mm/purge.h"
#include "mm/util.h"
#include "mm/area_cache.h"
#include "kernel/params.h"
#include "kernel/printk.h"

#define FIRST_OBJECTS	2u	/* that a slot gets of a cache */
#define MOST_REFILLED	253u	/* at once: more is rarely asked for before as much is freed */
#define SWAPS_TO_GROW	8u
/*
 * What a slot that only frees, or only allocates, holds counts once a thread: with more than a few
 * threads that is half of the usual, and half of that in slots that only free.
 */
#define FEW_THREADS	2u
#define ONE_WAY_FLUSHES	16u	/* without a refill: it only frees */
#define LOOK_EVERY	32u	/* misses: at what is not used any more */
#define ONE_WAY_HELD	13u	/* objects, from then on: scattered ones each keep a page */

/*
 * Fills the empty main sheaf, up to want objects; the lock of its home is held. Returns how many.
 */
static unsigned int refill_sheaf(struct pcpu *c, struct kmem_cache *s, struct alloc_context *ac,
				 unsigned int want)
{
	struct cpu_cache *cc = cpu_cache(c, s);
	struct slab_home *h = c->home;
	unsigned int got = 0;
	struct slab *slab;

	home_drain_inbox(h);
	while (got < want) {
		slab = current_slab(h, s, ac, !got);
		if (!slab)
			break;
		got += take_objects(h, slab, cc->start + want - got, want - got);
	}
	if (got && got < want)
		memmove(cc->start, cc->start + want - got, got * sizeof(void *));
	WRITE_ONCE(cc->top, cc->start + got);
	return got;
}

static void swap_spare(struct cpu_cache *cc)
{
	struct slab_sheaf *old = main_sheaf(cc);

	old->seen = SEEN_MISSED;
	WRITE_ONCE(old->count, (unsigned int)(cc->top - cc->start));
	set_main_sheaf(cc, cc->spare);
	WRITE_ONCE(cc->spare, old);
}

void honour_flush_request(struct pcpu *c)
{
	WRITE_ONCE(c->flush_request, false);
	/* a fork, or who destroys the cache, has the lock: again at the next miss */
	if (!slab_flush_all_sheaves(c))
		WRITE_ONCE(c->flush_request, true);
}

static void put_away(struct kmem_cache *s, struct slab_sheaf *sheaf)
{
	if (!sheaf)
		return;
	WRITE_ONCE(sheaf->count, 0);
	barn_put_empty(s, sheaf);
}

static unsigned int usual_capacity(const struct kmem_cache *s)
{
	return nr_live_cpus() <= FEW_THREADS ? s->sheaf_usual : s->sheaf_usual / 2;
}

/*
 * How many objects the empty main sheaf gets, which is made larger for it, or made: a slot that
 * takes one object of a cache gets FIRST_OBJECTS, one that takes from it again and again twice as
 * many each time. 0 without memory.
 */
static unsigned int prepare_empty_main(struct cpu_cache *cc, struct kmem_cache *s)
{
	struct slab_sheaf *old = main_sheaf(cc), *sheaf;

	if (!old) {
		sheaf = alloc_empty_sheaf(s, 0);
		if (!sheaf)
			return 0;
		WRITE_ONCE(sheaf->count, 0);
		sheaf->flushes = 1;
		set_main_sheaf(cc, sheaf);
		return MIN(FIRST_OBJECTS, sheaf->capacity);
	}
	if (!old->flushes && next_capacity(old->capacity) <= usual_capacity(s)) {
		sheaf = alloc_larger_sheaf(s, old->capacity, old->capacity);
		if (sheaf) {
			WRITE_ONCE(sheaf->count, 0);
			set_main_sheaf(cc, sheaf);
			put_away(s, old);
		}
	}
	main_sheaf(cc)->flushes = 0;
	cc->end = cc->start + main_sheaf(cc)->capacity;
	return MIN(main_sheaf(cc)->capacity, MOST_REFILLED);
}

/* A main sheaf with at least one object; false without. The lock of the home is not held. */
static bool replace_empty_main(struct pcpu *c, struct kmem_cache *s, struct alloc_context *ac)
{
	struct cpu_cache *cc = cpu_cache(c, s);
	struct slab_sheaf *sheaf;
	unsigned int got, want;

	if (cc->spare && cc->spare->count) {
		swap_spare(cc);
		return true;
	}
	sheaf = barn_get_full(s, main_sheaf(cc));
	if (sheaf) {
		set_main_sheaf(cc, sheaf);
		return true;
	}
	want = prepare_empty_main(cc, s);
	if (!want)
		return false;
	if (!spin_lock(&c->home->lock))
		return false;
	got = refill_sheaf(c, s, ac, want);
	spin_unlock(&c->home->lock);
	purge_check_for(ac);
	return got != 0;
}

static void *pop_object(struct cpu_cache *cc)
{
	void **top = cc->top - 1;

	WRITE_ONCE(cc->top, top);
	return *top;
}

/* Straight from the slabs. */
static void *alloc_one(struct slab_home *h, struct kmem_cache *s, struct alloc_context *ac)
{
	struct slab *slab;
	void *object;

	if (!spin_lock(&h->lock))
		return NULL;
	home_drain_inbox(h);
	slab = current_slab(h, s, ac, true);
	if (slab)
		take_objects(h, slab, &object + 1, 1);
	spin_unlock(&h->lock);
	return slab ? object : NULL;
}

/*
 * Caches that lost their sheaves to fault injection alone get them back when it is over, which it
 * may be by itself: no failures are left, or the thread that counted is gone.
 */
static bool is_without_sheaves(struct pcpu *c, struct kmem_cache *s)
{
	if (likely(!READ_ONCE(s->no_sheaves)))
		return false;
	if (!atomic_load_explicit(&fault_slab_active, memory_order_relaxed) &&
	    !cache_needs_looks(s)) {
		cache_choose_sheaves(s);
		return READ_ONCE(s->no_sheaves);
	}
	/* made just before they were taken away again */
	if (unlikely(cpu_cache(c, s)->start))
		slab_flush_sheaves(c, s, true);
	return true;
}

/* The lock of the slot's home is not held. */
static void count_miss(struct pcpu *c, struct kmem_cache *s)
{
	if (cpu_cache(c, s)->start)
		main_sheaf(cpu_cache(c, s))->seen = SEEN_MISSED;
	if (unlikely(++c->misses % LOOK_EVERY == 0))
		slab_look_around(c);
}

static void *alloc_in_slot(struct pcpu *c, struct kmem_cache *s, struct alloc_context *ac)
{
	struct cpu_cache *cc = cpu_cache(c, s);
	void *object;

	if (unlikely(READ_ONCE(c->flush_request)) && may_block(ac))
		honour_flush_request(c);
	if (may_block(ac))
		count_miss(c, s);
	if (likely(!is_without_sheaves(c, s))) {
		/* a signal handler may have filled the sheaf since the entry saw it empty */
		if (cc->top != cc->start || replace_empty_main(c, s, ac))
			return pop_object(cc);
		if (cc->start)
			return ac->injected ? NULL : slab_alloc_nolock(s, ac);
	}
	object = alloc_one(c->home, s, ac);
	return object || ac->injected ? object : slab_alloc_nolock(s, ac);
}

static struct kmem_cache *cache_for(size_t size, gfp_t gfp)
{
	return &kmalloc_caches[gfp & __GFP_NATURAL ? natural_size_class(size) : size_class(size)];
}

/* Flags that an object itself shows, not only the way it was got. */
#define OBJECT_FLAGS	(__GFP_DMA | __GFP_RECLAIMABLE | __GFP_ACCOUNT)

/* What KMALLOC_GFP says of a malloc; the cache is another one where the flags want that. */
static struct kmem_cache *apply_policy(struct kmem_cache *s, size_t size, gfp_t *gfp)
{
	struct kmem_cache *other;
	gfp_t internal = *gfp & (__GFP_NATURAL | __GFP_MALLOC | __GFP_ZERO);

	*gfp = gfp_policy(s->name, size) | internal;
	if (!(*gfp & OBJECT_FLAGS))
		return s;
	/* a staggered class may be larger than all natural ones */
	other = kmalloc_slab(MIN(s->size, KMALLOC_MAX_CACHE_SIZE), *gfp);
	return other ? other : s;
}

/* The entry's work: an object of s or NULL; what failed is reported after slow_leave(). */
static void *alloc_object(struct kmem_cache *s, struct slow_entry *e, struct alloc_context *ac)
{
	void *object;

	do
		object = e->cpu ? alloc_in_slot(e->cpu, s, ac) : slab_alloc_nolock(s, ac);
	while (unlikely(!object) && !ac->injected && alloc_slowpath(ac, e));
	return object;
}

/*
 * An injected failure: as one without memory, but that nothing was tried. A handler inside the
 * allocator is spared.
 */
static bool slab_fails(struct kmem_cache *s, const struct slow_entry *e, struct alloc_context *ac)
{
	if (likely(!atomic_load_explicit(&fault_slab_active, memory_order_relaxed)) ||
	    e->nested || ac->gfp & __GFP_CHECKED)
		return false;
	ac->injected = should_failslab(s->object_size, ac->gfp, s->flags & SLAB_FAILSLAB);
	return ac->injected;
}

static void *finish_alloc(struct kmem_cache *s, struct slow_entry *e, struct alloc_context *ac,
			  size_t size, void *object)
{
	slow_leave(e);
	if (unlikely(!object)) {
		alloc_failed(ac, size);
		return NULL;
	}
	if (ac->gfp & __GFP_ZERO || (unlikely(s->no_sheaves) && !s->ctor &&
				     param_choice(PARAM_init_on_alloc)))
		memset(object, 0, s->object_size);
	return object;
}

/* Its record waits for the next cache, and nobody would find what is allocated from it. */
static bool was_destroyed(const struct kmem_cache *s)
{
	if (likely(READ_ONCE(cache_table[s->index]) == s))
		return false;
	pr_warn("kmem_cache_alloc(%s): that cache was destroyed", s->name);
	return true;
}

/* Half of all misses: the spare is full, and nothing asks for more of a look. */
static __always_inline void *from_spare(struct pcpu *c, struct kmem_cache *s, gfp_t gfp)
{
	struct cpu_cache *cc;

	if (!c || gfp & __GFP_ZERO || READ_ONCE(s->no_sheaves) || READ_ONCE(c->flush_request))
		return NULL;
	cc = cpu_cache(c, s);
	if (cc->top != cc->start || !cc->spare || !cc->spare->count)
		return NULL;
	swap_spare(cc);
	return pop_object(cc);
}

static void *cache_alloc_flags(struct kmem_cache *s, struct pcpu *c, gfp_t gfp, size_t size)
{
	struct alloc_context ac;
	struct slow_entry e;
	void *object = NULL;

	slow_enter_alloc(&e, c);
	object = from_spare(e.cpu, s, gfp);	/* of a destroyed cache there is none */
	if (object) {
		slow_leave(&e);
		return object;
	}
	alloc_context_init(&ac, gfp, slab_order(s));
	if (likely(!was_destroyed(s) && !slab_fails(s, &e, &ac)))
		object = alloc_object(s, &e, &ac);
	return finish_alloc(s, &e, &ac, size, object);
}

/* The flags are a caller's: our own bits are none of his. */
static gfp_t fix_flags(gfp_t gfp)
{
	return unlikely(gfp & GFP_SLAB_BUG_MASK) ? slab_fix_flags("kmem_cache_alloc", gfp) : gfp;
}

void *cache_alloc_slow(struct kmem_cache *s, struct pcpu *c, gfp_t gfp, size_t size)
{
	return cache_alloc_flags(s, c, fix_flags(gfp), size);
}

void *cache_alloc_rest_slow(struct kmem_cache *s, struct pcpu *c, gfp_t gfp, size_t size)
{
	return cache_alloc_flags(s, c, fix_flags(gfp) | __GFP_CHECKED, size);
}

void *slab_alloc_cache(struct kmem_cache *s, gfp_t gfp, size_t size)
{
	struct pcpu *c = cpu_enter();
	struct cpu_cache *cc = cpu_cache(c, s);
	void *object;

	if (unlikely(cc->top == cc->start))
		return cache_alloc_slow(s, c, gfp, size);
	object = pop_object(cc);
	cpu_leave(c);
	if (gfp & __GFP_ZERO)
		memset(object, 0, s->object_size);
	return object;
}

void *slab_alloc_slow(size_t size, struct pcpu *c, gfp_t gfp)
{
	struct alloc_context ac;
	struct kmem_cache *s;
	struct slow_entry e;
	void *object = NULL;

	slow_enter_alloc(&e, c);
	s = cache_or_coarse(cache_for(size, gfp), gfp);
	object = from_spare(e.cpu, s, gfp);
	if (object) {
		slow_leave(&e);
		return object;
	}
	if (unlikely(gfp_policy_active) && gfp & __GFP_MALLOC)
		s = apply_policy(s, size, &gfp);
	alloc_context_init(&ac, gfp, slab_order(s));
	if (likely(!slab_fails(s, &e, &ac)))
		object = alloc_object(s, &e, &ac);
	return finish_alloc(s, &e, &ac, size, object);
}

void *slab_zalloc_slow(size_t size, struct pcpu *c, gfp_t gfp, bool *zeroed)
{
	struct kmem_cache *s;
	struct alloc_context ac;
	struct slow_entry e;
	void *object = NULL;

	*zeroed = false;
	if (unlikely(gfp_policy_active))
		return slab_alloc_slow(size, c, gfp);
	slow_enter_alloc(&e, c);
	s = cache_or_coarse(cache_for(size, gfp), gfp);
	alloc_context_init(&ac, gfp, slab_order(s));
	if (unlikely(slab_fails(s, &e, &ac)))
		return finish_alloc(s, &e, &ac, size, NULL);
	c = e.cpu;
	if (c && !(c->cache[s->index].spare && c->cache[s->index].spare->count))
		object = take_fresh(c->home, s, &ac);
	*zeroed = object != NULL;
	if (!object && !ac.injected)
		object = alloc_object(s, &e, &ac);
	return finish_alloc(s, &e, &ac, size, object);
}

/* ---- freeing ---- */

/* slab_put_objects() did not take the object although its slab is local: it is not one in use. */
static __cold void report_bad_free(struct slab *slab, void *p)
{
	unsigned int index;

	if (slab_object_index(slab, p, &index))
		report_double_free(slab, p);
}

/*
 * Objects of the array that lie in slab, whose owner's lock we do not hold; returns how many they
 * were.
 */
static unsigned int put_run_remote(struct slab *slab, void **objects, unsigned int n,
				   struct slab_home **sleeper)
{
	unsigned long base = slab->base, size = slab->cache->blocks * PAGEBLOCK_SIZE;
	unsigned int i, index, word = 0, announced = 0;
	struct slab_home *owner;
	u64 mask = 0;

	for (i = 0; i < n && (unsigned long)objects[i] - base < size; i++) {
		if (unlikely(!slab_object_index(slab, objects[i], &index)))
			continue;
		if (mask && (index / 64 != word || mask >> index % 64 & 1)) {
			slab_free_remote(slab, word, mask, &announced);
			mask = 0;
		}
		word = index / 64;
		mask |= 1ull << index % 64;
	}
	if (mask)
		slab_free_remote(slab, word, mask, &announced);
	owner = slab_announce(slab, announced);
	if (owner)
		*sleeper = owner;
	return i;
}

/* kmem_cache_free() warns and loses the object, as the kernel does. */
static __cold void report_stray(struct kmem_cache *s, struct slab *slab, const void *p)
{
	const char *owner = slab ? slab->cache->name : "a slab that was released since";

	if (s->index >= NR_CLASSES)
		warn_bad_object(s, slab, p);
	else
		report_bug("%s: free of %p, which belongs to %s", s->name, p, owner);
}

/*
 * Objects in slabs of a home that no thread uses go there directly, if its lock is to be had;
 * returns how many they were.
 */
static unsigned int put_in_idle_home(struct slab_home *home, struct kmem_cache *s, void **objects,
				     unsigned int n)
{
	if (!home || atomic_load_explicit(&home->nr_live, memory_order_relaxed) ||
	    !spin_trylock(&home->lock))
		return 0;
	n = slab_put_objects(home, s, objects, n);
	slab_purge_partial_check(home);
	spin_unlock(&home->lock);
	return n;
}

/* h: whose lock is ours, or NULL. Returns a home whose inbox has grown long, or NULL. */
static struct slab_home *flush_objects(struct slab_home *h, struct kmem_cache *s, void **objects,
				       unsigned int n)
{
	struct slab_home *sleeper = NULL;
	unsigned int i = 0, index, run;

	while (i < n) {
		struct slab_home *owner;
		struct slab *slab;

		if (h) {
			i += slab_put_objects(h, s, objects + i, n - i);
			if (i == n)
				break;
		}
		slab = virt_to_slab((unsigned long)objects[i]);
		if (unlikely(!slab || slab->cache != s)) {
			report_stray(s, slab, objects[i++]);
		} else if (slab->nolock) {
			if (slab_object_index(slab, objects[i], &index) && !nolock_put(slab, index))
				report_double_free(slab, objects[i]);
			i++;
		} else {
			owner = atomic_load_explicit(&slab->owner, memory_order_relaxed);
			run = owner == h ? 0 : put_in_idle_home(owner, s, objects + i, n - i);
			if (owner == h)
				report_bad_free(slab, objects[i++]);
			else if (run)
				i += run;
			else
				i += put_run_remote(slab, objects + i, n - i, &sleeper);
		}
	}
	return sleeper;
}

void slab_flush(struct pcpu *c, struct kmem_cache *s, void **objects, unsigned int n)
{
	struct slab_home *h = c && spin_lock(&c->home->lock) ? c->home : NULL, *sleeper;

	if (!h)
		atomic_fetch_add_explicit(&nolock_frees_in_flight, 1, memory_order_relaxed);
	sleeper = flush_objects(h, s, objects, n);
	if (h) {
		slab_purge_partial_check(h);
		spin_unlock(&h->lock);
	} else {
		atomic_fetch_sub_explicit(&nolock_frees_in_flight, 1, memory_order_release);
	}
	if (sleeper && sleeper != h)
		home_drain_sleeper(sleeper);
	purge_check();
}

static void flush_stack(struct pcpu *c, bool locked, struct kmem_cache *s, void **objects,
			unsigned int n)
{
	if (!n)
		return;
	if (locked)
		flush_objects(c->home, s, objects, n);
	else
		slab_flush(c, s, objects, n);
}

bool slab_flush_sheaves(struct pcpu *c, struct kmem_cache *s, bool detach)
{
	struct cpu_cache *cc = cpu_cache(c, s);
	bool locked = s->index >= NR_CLASSES;
	unsigned int n;

	if (!READ_ONCE(cc->start))
		return true;
	/* who destroys the cache may be at the same sheaves */
	if (locked && !spin_lock(&c->home->lock))
		return false;
	n = (unsigned int)(cc->top - cc->start);
	WRITE_ONCE(cc->top, cc->start);
	flush_stack(c, locked, s, cc->start, n);
	if (cc->spare && cc->spare->count) {
		n = cc->spare->count;
		WRITE_ONCE(cc->spare->count, 0);
		flush_stack(c, locked, s, cc->spare->objects, n);
	}
	if (detach && cc->start) {
		struct slab_sheaf *sheaf = main_sheaf(cc), *spare = cc->spare;

		WRITE_ONCE(cc->top, NULL);
		WRITE_ONCE(cc->start, NULL);
		cc->end = NULL;
		WRITE_ONCE(cc->spare, NULL);
		put_away(s, sheaf);
		put_away(s, spare);
	}
	if (locked)
		spin_unlock(&c->home->lock);
	return true;
}

bool slab_flush_all_sheaves(struct pcpu *c)
{
	struct kmem_cache *s;
	unsigned int i;
	bool all = true;

	area_cache_flush(c);
	page_lists_flush(c);
	for_each_cache(s, i)
		if (READ_ONCE(cpu_cache(c, s)->start))
			all &= slab_flush_sheaves(c, s, READ_ONCE(s->no_sheaves));
	return all;
}

void slab_flush_barn(struct pcpu *c, struct kmem_cache *s)
{
	struct slab_sheaf *sheaf = barn_take_all_full(s), *next;

	for (; sheaf; sheaf = next) {
		next = sheaf->next;
		slab_flush(c, s, sheaf->objects, sheaf->count);
		put_away(s, sheaf);
	}
}

/* Every slot puts its sheaves away at its next miss; the caller's go now. */
void slab_sheaves_changed(void)
{
	struct pcpu *entered, *c;
	struct kmem_cache *s;
	unsigned int i;

	if (!atomic_load_explicit(&mm_ready, memory_order_acquire))
		return;
	atomic_thread_fence(memory_order_seq_cst);	/* pairs: publish() */
	for_each_cache(s, i)
		cache_choose_sheaves(s);
	for_each_cpu(c)
		WRITE_ONCE(c->flush_request, true);
	entered = cpu_enter();
	if (entered != &busy_cpu && entered != &empty_cpu)
		slab_flush_all_sheaves(entered);
	cpu_leave(entered);
}

/*
 * Whether main, which is full, or the spare, full too or empty, is better a larger sheaf: small
 * ones that take each other's place again and again; full ones of which one was refilled since the
 * last flush, as then the slot frees and allocates more in turn than they hold; others, as of a
 * thread that frees what another one allocates, as far as it makes flushes cheap.
 */
static bool should_grow(struct cpu_cache *cc, const struct kmem_cache *s)
{
	struct slab_sheaf *old = main_sheaf(cc);
	unsigned int capacity = MIN(old->capacity, cc->spare->capacity);

	if (!cc->spare->count)
		return next_capacity(capacity) <= s->sheaf_usual && ++old->swaps >= SWAPS_TO_GROW;
	return !old->flushes || !cc->spare->flushes ||
	       next_capacity(capacity) <= usual_capacity(s) / 2;
}

/*
 * The smaller of main and spare becomes a larger one, which is main then and has room. False: it
 * cannot be larger, or without memory.
 */
static bool grow_smaller(struct cpu_cache *cc, struct kmem_cache *s)
{
	struct slab_sheaf *main = container_of((void *)cc->start, struct slab_sheaf, objects);
	struct slab_sheaf *spare = cc->spare, *small, *rest, *sheaf;

	WRITE_ONCE(main->count, (unsigned int)(cc->top - cc->start));
	small = main->capacity <= spare->capacity ? main : spare;
	rest = small == main ? spare : main;
	sheaf = alloc_larger_sheaf(s, small->capacity, rest->capacity);
	if (!sheaf)
		return false;
	memcpy(sheaf->objects, small->objects, small->count * sizeof(void *));
	WRITE_ONCE(sheaf->count, small->count);
	sheaf->flushes = rest->flushes = 1;
	sheaf->swaps = 0;
	set_main_sheaf(cc, sheaf);
	WRITE_ONCE(cc->spare, rest);
	put_away(s, small);
	return true;
}

static void count_flush(struct slab_sheaf *sheaf)
{
	if (sheaf->flushes < ONE_WAY_FLUSHES)
		sheaf->flushes++;
}

/*
 * Flushes the spare; where the slot has only freed for a while, main too: scattered objects that
 * wait in sheaves each keep a page from going back, and nobody here asks for them.
 */
static void flush_full(struct pcpu *c, struct kmem_cache *s, struct cpu_cache *cc)
{
	struct slab_sheaf *main = main_sheaf(cc);

	slab_flush(c, s, cc->spare->objects, cc->spare->count);
	if (MIN(main->flushes, cc->spare->flushes) >= ONE_WAY_FLUSHES) {
		slab_flush(c, s, cc->start, (unsigned int)(cc->top - cc->start));
		WRITE_ONCE(cc->top, cc->start);
		cc->end = cc->start + MIN(main->capacity, ONE_WAY_HELD);
	}
	count_flush(main);
	count_flush(cc->spare);
}

/* For other threads: a program without any has no barn. */
static bool barn_would_take(const struct kmem_cache *s, unsigned int n)
{
	return atomic_load_explicit(&nr_cpus, memory_order_relaxed) > 1 && barn_has_room(s, n);
}

/* The main sheaf of who only frees, which is as full as it may be: see flush_full(). */
static void flush_one_way(struct pcpu *c, struct kmem_cache *s, struct cpu_cache *cc)
{
	unsigned int capacity = main_sheaf(cc)->capacity;

	if (barn_would_take(s, capacity)) {
		cc->end = cc->start + capacity;
		return;
	}
	slab_flush(c, s, cc->start, (unsigned int)(cc->top - cc->start));
	WRITE_ONCE(cc->top, cc->start);
}

/*
 * Room in the main sheaf: swap, else larger sheaves, else trade with the barn, else flush the
 * spare, which holds the older objects.
 */
static bool replace_full_main(struct pcpu *c, struct kmem_cache *s)
{
	struct cpu_cache *cc = cpu_cache(c, s);
	struct slab_sheaf *empty;

	if (!cc->start || !cc->spare) {
		empty = alloc_empty_sheaf(s, cc->start ? main_sheaf(cc)->capacity : 0);
		if (!empty)
			return false;
		WRITE_ONCE(empty->count, 0);
		empty->flushes = 1;
		if (!cc->start) {
			set_main_sheaf(cc, empty);
			return true;
		}
		WRITE_ONCE(cc->spare, empty);
	} else if (cc->end != cc->start + main_sheaf(cc)->capacity) {
		flush_one_way(c, s, cc);
		return true;
	} else if (should_grow(cc, s) && grow_smaller(cc, s)) {
		return true;
	} else if (cc->spare->count) {
		empty = barn_would_take(s, cc->spare->count) ? barn_put_full(s, cc->spare) : NULL;
		if (empty) {
			count_flush(main_sheaf(cc));
			empty->flushes = main_sheaf(cc)->flushes;
			WRITE_ONCE(cc->spare, empty);
		} else {
			flush_full(c, s, cc);
		}
		WRITE_ONCE(cc->spare->count, 0);
		if (cc->top == cc->start)
			return true;
	}
	swap_spare(cc);
	return true;
}

static void free_in_slot(struct pcpu *c, struct kmem_cache *s, void *p)
{
	struct cpu_cache *cc = cpu_cache(c, s);

	if (unlikely(READ_ONCE(c->flush_request)))
		honour_flush_request(c);
	count_miss(c, s);
	if (unlikely(is_without_sheaves(c, s))) {
		slab_flush(c, s, &p, 1);
		return;
	}
	if (cc->top != cc->start && cc->top[-1] == p) {
		report_bug("%s: double free of %p", s->name, p);
		return;
	}
	if (cc->top == cc->end && !replace_full_main(c, s)) {
		slab_flush(c, s, &p, 1);
		return;
	}
	*cc->top = p;
	WRITE_ONCE(cc->top, cc->top + 1);
}

/* init_on_free; what is not the start of an object in use is left to the checks that follow. */
static void clear_freed(struct kmem_cache *s, void *p)
{
	struct slab *slab = virt_to_slab((unsigned long)p);
	unsigned long offset;

	if (s->ctor || !slab || slab->cache != s)
		return;
	offset = (unsigned long)p - slab->base;
	if (offset % s->size == 0 && offset / s->size < s->objects &&
	    !test_bit((unsigned int)(offset / s->size), free_map(slab)))
		memset(p, 0, s->object_size);
}

void cache_free_object(struct pcpu *c, struct kmem_cache *s, void *p)
{
	if (unlikely(READ_ONCE(s->no_sheaves)) && param_choice(PARAM_init_on_free))
		clear_freed(s, p);
	if (c)
		free_in_slot(c, s, p);
	else
		slab_free_nolock(p);
}

static __attribute__((__noinline__)) void free_anything(void *p, struct pcpu *c,
							 unsigned int class)
{
	struct slow_entry e;

	slow_enter_free(&e, c);
	if (class == CLASS_FOREIGN || class == CLASS_OTHER)
		free_other(e.cpu, class, p);
	else
		cache_free_object(e.cpu, &kmalloc_caches[class], p);
	slow_leave(&e);
}

void slab_free_slow(void *p, struct pcpu *c)
{
	unsigned int class = class_of(p);

	if (!p || (class == CLASS_OTHER && area_cache_put(c, p)))
		cpu_leave(c);
	else
		free_anything(p, c, class);
}

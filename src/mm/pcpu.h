/* SPDX-License-Identifier: MIT */
/*
 * struct pcpu: a thread slot, with the sheaves of its thread; struct slab_home: the slabs that a
 * few slots take their objects from. Layer: mm.
 *
 * A slot is DEAD (no thread; may be taken) or LIVE (one thread's). It is taken from DEAD to LIVE
 * by compare-and-swap of `state`, and from a thread that ended without telling by that of `tid`.
 * Records are never unmapped. `cache`, `areas` and `page_list` belong to the slot's thread alone,
 * without a lock. The sheaves of a cache above the classes are moved as a whole under the lock of
 * the home too: who destroys the cache, which nobody uses any more, takes them.
 *
 * A slot has the same home all its life. There are at most twice as many homes as processors: the
 * first slots have one each, later ones share, so that memory follows what can run at a time and
 * not the number of threads. Everything in a home belongs to the holder of its lock, but for the
 * atomics: that is a thread once a miss, or anyone who got it by trylock. A home without threads
 * keeps its slabs, which another home adopts before it makes new ones.
 */
#ifndef KM_MM_PCPU_H
#define KM_MM_PCPU_H

#include "mm/page_list.h"
#include "mm/slab.h"

/* A sheaf as the hit paths see it: an entry whose pointers are equal always misses. */
struct cpu_cache {
	void **top;		/* first empty place of the main sheaf */
	void **start, **end;	/* of the main sheaf's objects */
	struct slab_sheaf *spare;	/* NULL, empty or full */
};

struct cpu_slabs {
	struct slab *current;		/* where objects are taken first, or NULL */
	struct list_head partial;	/* further slabs with free objects */
	unsigned long nfree;		/* objects free in all slabs of this slot and cache */
	unsigned int nr_slabs;
};

static_assert(sizeof(struct cpu_cache) == CPU_CACHE_SIZE, "hot_data has room for the classes");

enum cpu_state { CPU_DEAD, CPU_LIVE };

/* Areas kept for reuse, oldest first: see area_cache.c. Zero where nothing is, and in empty_cpu. */
#define CPU_AREAS	4u

struct cpu_areas {
	unsigned int nr;
	unsigned int sum, max;	/* pageblocks: of all of them, and how many there may be */
	u16 blocks[CPU_AREAS];	/* of each */
	struct vmap_area *area[CPU_AREAS];
};

#define PCP_MAX_BLOCKS	2u	/* pageblocks a home keeps */

struct slab_home {
	spinlock_t lock;
	bool fork_held;			/* this lock was taken for the fork that is under way */
	_Atomic u32 inbox_len;		/* slabs pushed since it was emptied; a hint */
	_Atomic(struct slab *) inbox;
	struct slab_home *next;		/* all homes; constant */
	_Atomic unsigned int nr_cpus;	/* slots that have it; only grows */
	_Atomic unsigned int nr_live;	/* those of them that are LIVE; a hint */
	unsigned long free_bytes;	/* in free objects of all own slabs */
	/* and not taken again, since free pages in partial slabs were last given back */
	unsigned long freed_bytes;
	struct list_head pcp;		/* free pageblocks kept for the next slab */
	unsigned int nr_pcp;
	/* lists are initialised with the first slab of a cache */
	struct cpu_slabs slabs[NR_CLASSES];
	/* of caches with a number above the classes */
	struct cpu_slabs more_slabs[NR_CACHES - NR_CLASSES];
};

struct pcpu {
	struct cpu_cache cache[NR_CLASSES];	/* 0 and 63 stay zero: they always miss */
	struct cpu_areas areas;
	struct page_list page_list[NR_PAGE_LISTS];	/* of small orders; by order */

	struct slab_home *home;		/* constant */
	_Atomic u8 state;		/* enum cpu_state */
	/* someone wants the memory in the sheaves: honoured at the next miss */
	bool flush_request;
	u8 misses;			/* mod 256; see slub_age.c */
	u16 looked_at;			/* number of the cache that was, last */
	_Atomic int tid;		/* of the thread that took it last */
	struct pcpu *next;		/* all slots; constant */

	/* Caches with a number above the classes; touched as they are used. */
	struct cpu_cache more_cache[NR_CACHES - NR_CLASSES];
};

static_assert(sizeof(struct pcpu) <= BUSY_BYTES, "hot_data stands for a slot");

static __always_inline struct cpu_cache *cpu_cache(struct pcpu *c, const struct kmem_cache *s)
{
	return (struct cpu_cache *)(void *)((char *)c + s->cpu_offset);
}

static inline struct cpu_slabs *home_slabs(struct slab_home *h, const struct kmem_cache *s)
{
	unsigned int i = READ_ONCE(s->index);

	return i < NR_CLASSES ? &h->slabs[i] : &h->more_slabs[i - NR_CLASSES];
}

/*
 * Until the first allocation has set up page size, options and caches; mm_init() does, once,
 * from any thread.
 */
extern _Atomic bool mm_ready __km(mm_ready);
void mm_init(void) __km(mm_init);

/*
 * In init/, registered by name: a thread got its first slot; this process is a child that no
 * fork handler told so.
 */
void cpu_thread_started(void) __km(cpu_thread_started);
void fork_raw_child(void) __km(fork_raw_child);
extern _Atomic unsigned long *fork_word __km(fork_word);	/* reads 0 in such a child */

static __always_inline void fork_check(void)
{
	if (unlikely(!atomic_load_explicit(fork_word, memory_order_relaxed)))
		fork_raw_child();
}

/* pcpu.c */
extern _Atomic(struct pcpu *) all_cpus __km(all_cpus);
#define for_each_cpu(c) \
	for (c = atomic_load_explicit(&all_cpus, memory_order_acquire); c; c = c->next)
extern _Atomic(struct slab_home *) all_homes __km(all_homes);
#define for_each_home(h) \
	for (h = atomic_load_explicit(&all_homes, memory_order_acquire); h; h = h->next)

static inline struct slab_sheaf *main_sheaf(struct cpu_cache *cc)
{
	return cc->start ? container_of((void *)cc->start, struct slab_sheaf, objects) : NULL;
}

static inline void set_main_sheaf(struct cpu_cache *cc, struct slab_sheaf *sheaf)
{
	WRITE_ONCE(cc->start, sheaf->objects);
	cc->end = sheaf->objects + sheaf->capacity;
	WRITE_ONCE(cc->top, sheaf->objects + sheaf->count);
}

/* A slot for the calling thread, which is inside the allocator without one; NULL without memory. */
struct pcpu *cpu_acquire(void) __km(cpu_acquire);
/*
 * The sheaves of a thread that is gone, perhaps in the middle of an exchange: nothing in them can
 * be trusted, so they are dropped whole, and their objects are lost (and counted).
 */
void cpu_drop_sheaves(struct pcpu *c) __km(cpu_drop_sheaves);
/* The end of a thread: nothing that it does later touches its slot. */
void cpu_exit(void) __km(cpu_exit);
/*
 * The lock of the home is lost (a visitor left by siglongjmp, or was cut off by a raw fork): the
 * thread takes another slot, of another home.
 */
void cpu_abandon(struct pcpu *c) __km(cpu_abandon);
extern _Atomic unsigned int nr_cpus __km(nr_cpus);	/* slots there are */
extern _Atomic unsigned int nr_dead_cpus __km(nr_dead_cpus);	/* a hint */
extern _Atomic unsigned int nr_homes __km(nr_homes);
/* Slots that a thread has, about; never 0. */
static inline unsigned int nr_live_cpus(void)
{
	int n = (int)(atomic_load_explicit(&nr_cpus, memory_order_relaxed) -
		      atomic_load_explicit(&nr_dead_cpus, memory_order_relaxed));

	return (unsigned int)MAX(n, 1);
}
/* From LIVE to DEAD. */
void cpu_set_dead(struct pcpu *c) __km(cpu_set_dead);
/* Set where no thread-specific key could be had: nobody tells us when a thread ends. */
extern bool reap_dead_threads __km(reap_dead_threads);

#endif

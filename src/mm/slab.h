/* SPDX-License-Identifier: MIT */
/*
 * Caches, slabs, sheaves, barns: types and the calls between the slab files. Layer: mm. slub.c
 * has the states and the locks, slub_remote.c the protocol between slots, slub_nolock.c what is
 * done without a slot.
 */
#ifndef KM_MM_SLAB_H
#define KM_MM_SLAB_H

#include "kernel/bug.h"
#include "kernel/spinlock.h"
#include "kmalloc/slab.h"
#include "mm/gfp.h"
#include "mm/memmap.h"

#define KMALLOC_MAX_CACHE_SIZE	131072ul	/* above: vmalloc */

/*
 * What the head pageblock's mem_map (1 KiB) leaves for the two bitmaps after struct slab: 56
 * words each. Slabs of the two smallest classes have no more objects than that; the rest of
 * their pageblock is address space that nobody touches.
 */
#define SLAB_HEAD_SIZE		128u
#define SLAB_MAP_WORDS		((PAGEBLOCK_FRAMES * 64u - SLAB_HEAD_SIZE) / 16u)
#define SLAB_MAX_OBJECTS	(SLAB_MAP_WORDS * 64u)
#define SLAB_MIN_OBJECTS	7u		/* slabs of large classes have more pageblocks */

#define SLAB_MAX_BYTES		(1u << 20)	/* unless one object is larger */

/*
 * Objects in a sheaf: the first a slot uses in a cache, what it grows to with the number of misses,
 * and what it grows to where refills and flushes alternate. Each step is twice the one before and
 * three, so that records are whole cache lines.
 */
#define SHEAF_FIRST		5u
#define SHEAF_USUAL		61u
#define SHEAF_USUAL_BYTES	16384u
#define SHEAF_MOST		1021u
#define SHEAF_MAX_BYTES		131072u
/* in full sheaves that a cache keeps for any thread */
#define BARN_MAX_OBJECTS	1024u
#define BARN_MAX_BYTES		(128u << 10)
#define BARN_FIRST_SHARE	16u	/* of that, until a thread takes what another one put there */

static inline unsigned int next_capacity(unsigned int capacity)
{
	return 2 * capacity + 3;
}

/*
 * An array stack of objects. While it is a slot's main sheaf, count lives in the slot's top
 * pointer.
 */
struct slab_sheaf {
	struct slab_sheaf *next;	/* in a barn */
	u16 count;
	u16 seen;			/* objects in it at the last look, or SEEN_MISSED: slub_age.c */
	u16 capacity;
	u8 flushes;			/* of the slot since it was refilled; 0: it was since the last */
	u8 swaps;			/* it was full and an empty one took its place */
	/* NULL: what the hit path of free() finds below an empty sheaf */
	void *sentinel;
	void *objects[];
};

#define SEEN_MISSED	UINT16_MAX

struct node_barn {
	spinlock_t lock;
	bool fork_held;			/* taken for the fork that is under way */
	struct slab_sheaf *full, *empty;
	unsigned int nr_full;
	unsigned int nr_objects;	/* in full */
	/* objects that there may be; a look without a lock is a hint */
	unsigned int limit;
	unsigned int looks;		/* since it last gave or took one; a hint */
};

struct slab;
struct slab_home;

struct kmem_cache {
	u32 cpu_offset;			/* of its cpu_cache in a slot: the hit path's only word */
	unsigned int size;		/* from one object to the next */
	u64 reciprocal;			/* ceil(2^40 / size): exact for slabs of up to 1 MiB */
	unsigned int objects;		/* a slab */
	unsigned int index;		/* number in cache_table; below NR_CLASSES the class too */
	unsigned int blocks;		/* pageblocks of a slab, a power of two */
	unsigned int sheaf_capacity;	/* of the largest sheaf there may be */
	unsigned int sheaf_first, sheaf_usual;	/* of a slot's first, of one without much churn */
	unsigned int max_objects;	/* of the barn, where what it has is asked for */
	unsigned int object_size;	/* what the user may touch */
	slab_flags_t flags;
	gfp_t allocflags;		/* where its slabs lie: __GFP_DMA, __GFP_RECLAIMABLE */
	bool no_sheaves;		/* every object takes the slow path */
	bool per_object;		/* KMALLOC_GFP asks for that */
	bool check_frees;		/* wrong cache, double free: at the call */
	void (*ctor)(void *object);	/* once an object, when its slab is made */
	struct node_barn barn;
	_Atomic unsigned long nr_slabs;
	/* all of them, linked by next_nolock; removed when the cache is destroyed */
	_Atomic(struct slab *) nolock_slabs;
	_Atomic(struct slab *) nolock_hint;	/* one that had a free object lately */
	_Atomic unsigned long nr_nolock_slabs;
	_Atomic long nr_nolock_free;	/* objects free in them; may be off for a moment */
	/* From here on constant in a record: who walks the table may be late. */
	const char *name;
	struct cache_details *details;	/* what kmem_cache.c alone needs; NULL: a class */
};

enum slab_where {		/* of an owned slab; see the table in slub.c */
	SLAB_FULL,
	SLAB_CURRENT,
	SLAB_PARTIAL,
};

/*
 * Lies on the first two struct pages of the slab; the bitmaps follow. Words with a comment H:
 * the holder of owner's lock.
 */
struct slab {
	u8 state;			/* PAGE_SLAB, same place as in struct page */
	u8 order;
	u8 where;			/* H enum slab_where */
	bool nolock;			/* free_map is atomic, no owner; constant */
	u32 head_offset;		/* 0, same place as in struct page */
	u32 nfree;			/* H bits set in free_map */
	s32 debt;			/* H objects collected - objects announced */
	u32 hint;			/* H no free bit in lower words */
	/* H objects from here on were never handed out and read as zero */
	u32 high_water;
	struct kmem_cache *cache;
	unsigned long base;
	_Atomic(struct slab_home *) owner;	/* stored by the holder; never NULL unless nolock */
	/* H objects freed and not taken again since the free pages were last given back */
	u32 freed;
	bool purged;			/* H pages inside were given back since it was made */
	bool from_zone;			/* nolock: not straight from the system; constant */
	bool in_inbox;			/* debug: on an inbox or in a taken list */
	/* to here: what flushes and refills need is one cache line */

	struct list_head list __aligned(64);	/* H home's partial list */
	_Atomic u32 pending;		/* objects announced and not collected */
	_Atomic(struct slab *) link;	/* in an inbox */
	struct slab *next_nolock;
};

static_assert(sizeof(struct slab) <= SLAB_HEAD_SIZE,
	      "struct slab and its bitmaps fit in a pageblock's mem_map");
static_assert(offsetof(struct slab, list) == 64, "one cache line");
static_assert(offsetof(struct slab, head_offset) == offsetof(struct page, head_offset), "overlay");

static __always_inline u64 *free_map(struct slab *slab)
{
	return (u64 *)(void *)((char *)slab + SLAB_HEAD_SIZE);
}

static __always_inline _Atomic u64 *remote_map(struct slab *slab)
{
	return (_Atomic u64 *)(void *)((char *)slab + SLAB_HEAD_SIZE) + SLAB_MAP_WORDS;
}

static inline unsigned int slab_order(const struct kmem_cache *s)
{
	return PAGEBLOCK_ORDER + ilog2(s->blocks);
}

extern struct kmem_cache kmalloc_caches[NR_CLASSES] __km(kmalloc_caches);
extern unsigned int nr_kmalloc_caches __km(nr_kmalloc_caches);	/* used: 1..nr */
/* By index; entries from NR_CLASSES on come and go (kmem_cache.c), records are never unmapped. */
extern struct kmem_cache *cache_table[NR_CACHES] __km(cache_table);
extern unsigned int nr_caches __km(nr_caches);	/* no entry from here on */
extern spinlock_t slab_mutex __km(slab_mutex);	/* who changes the table; rank LOCK_SLAB */

/* NULL: none of that number now. */
static inline struct kmem_cache *cache_nr(unsigned int i)
{
	return __atomic_load_n(&cache_table[i], __ATOMIC_ACQUIRE);	/* pairs: publish() */
}

#define for_each_cache(s, i) \
	for (i = 1; i < READ_ONCE(nr_caches); i++) \
		if (!(s = cache_nr(i))) \
			; \
		else

/*
 * The class of size is [(size + 127) / 128]; for sizes up to SMALL_SIZE_MAX see hot_data. All 0
 * before start-up.
 */
extern u8 size_class_large[KMALLOC_MAX_CACHE_SIZE / 128 + 1] __km(size_class_large);
extern u8 size_class_natural[KMALLOC_MAX_CACHE_SIZE / 128 + 1] __km(size_class_natural);

static __always_inline unsigned int size_class(size_t size)	/* size <= KMALLOC_MAX_CACHE_SIZE */
{
	return size <= SMALL_SIZE_MAX ? hot_data.size_cache_small[(size + 7) / 8] / CPU_CACHE_SIZE :
					size_class_large[(size + 127) / 128];
}

/* The class whose alignment is that of its size. */
static inline unsigned int natural_size_class(size_t size)
{
	return size <= SMALL_SIZE_MAX ? hot_data.size_cache_small[(size + 7) / 8] / CPU_CACHE_SIZE :
					size_class_natural[(size + 127) / 128];
}

/*
 * Around what a thread that does not use the cache takes out of it for a moment: a cache above
 * the classes is not destroyed meanwhile. False: not now. Never waits; index: the cache's number.
 */
static inline bool cache_hold(unsigned int index)
{
	return index < NR_CLASSES || spin_trylock(&slab_mutex);
}

static inline void cache_release(unsigned int index)
{
	if (index >= NR_CLASSES)
		spin_unlock(&slab_mutex);
}

/* slab_common.c */
void kmalloc_caches_init(bool classic) __km(kmalloc_caches_init);
/* Sizes of slab, sheaves and barn from the distance of objects; offsets from the index. */
void cache_layout(struct kmem_cache *s, unsigned int index, unsigned int size) __km(cache_layout);
/* Each object must take the slow path, for another reason than fault injection. */
bool cache_needs_looks(const struct kmem_cache *s) __km(cache_needs_looks);
/* Whether each object must take the slow path: s->no_sheaves anew. */
void cache_choose_sheaves(struct kmem_cache *s) __km(cache_choose_sheaves);
struct slab *virt_to_slab(unsigned long addr) __km(virt_to_slab);	/* NULL if there is none */
/* Number of the object at p; reports and returns false for what is not the start of one. */
bool slab_object_index(struct slab *slab, const void *p, unsigned int *index)
	__km(slab_object_index);
void report_double_free(struct slab *slab, const void *p) __km(report_double_free);
/* For so many objects, if that many are allowed; 0: the first one of a slot. */
struct slab_sheaf *alloc_empty_sheaf(struct kmem_cache *s, unsigned int capacity)
	__km(alloc_empty_sheaf);
/*
 * An empty one of the next step above `largest`, if `than` is not the last step; NULL: it is, or
 * without memory.
 */
struct slab_sheaf *alloc_larger_sheaf(struct kmem_cache *s, unsigned int than,
				      unsigned int largest) __km(alloc_larger_sheaf);
/*
 * Barn: full sheaves in exchange for empty ones; NULL or false where the barn has none, is full
 * or cannot be locked.
 */
struct slab_sheaf *barn_get_full(struct kmem_cache *s, struct slab_sheaf *empty)
	__km(barn_get_full);
struct slab_sheaf *barn_put_full(struct kmem_cache *s, struct slab_sheaf *full) __km(barn_put_full);
struct slab_sheaf *barn_take_all_full(struct kmem_cache *s) __km(barn_take_all_full);
/* Whether so many objects more may lie there. */
static inline bool barn_has_room(const struct kmem_cache *s, unsigned int n)
{
	unsigned int there = READ_ONCE(s->barn.nr_objects);

	return !there || there + n <= READ_ONCE(s->barn.limit);
}

/* Nobody has asked for what it has. */
static inline void barn_reset_limit(struct kmem_cache *s)
{
	WRITE_ONCE(s->barn.limit, MAX(1u, s->max_objects / BARN_FIRST_SHARE));
}
void barn_put_empty(struct kmem_cache *s, struct slab_sheaf *sheaf) __km(barn_put_empty);

/*
 * slub_sheaf.c: everything that misses. The busy mark is set; c is what the entry loaded, and
 * what it must hold afterwards is put back here. Allocation: NULL without memory, and ENOMEM if
 * __GFP_MALLOC. __GFP_ZERO: the object reads as zero. zeroed (may be NULL): whether it does.
 */
void *slab_alloc_slow(size_t size, struct pcpu *c, gfp_t gfp) __km(slab_alloc_slow);
void *slab_zalloc_slow(size_t size, struct pcpu *c, gfp_t gfp, bool *zeroed) __km(slab_zalloc_slow);
/* One of s; size: what was asked for. */
void *cache_alloc_slow(struct kmem_cache *s, struct pcpu *c, gfp_t gfp, size_t size)
	__km(cache_alloc_slow);
void *slab_alloc_cache(struct kmem_cache *s, gfp_t gfp, size_t size) __km(slab_alloc_cache);
void slab_free_slow(void *p, struct pcpu *c) __km(slab_free_slow);
/* The same, for the rest of a bulk: failslab was asked for the first. */
void *cache_alloc_rest_slow(struct kmem_cache *s, struct pcpu *c, gfp_t gfp, size_t size)
	__km(cache_alloc_rest_slow);
/* kmalloc.c: without the bits that no slab request may have; each is warned about once. */
gfp_t slab_fix_flags(const char *function, gfp_t flags) __km(slab_fix_flags);
/* kmem_cache_free() of p, which is in slab, of another cache than s, or in none (NULL). */
void warn_bad_object(struct kmem_cache *s, const struct slab *slab, const void *p)
	__km(warn_bad_object);
/* p is an object of s for certain; c may be NULL. */
void cache_free_object(struct pcpu *c, struct kmem_cache *s, void *p) __km(cache_free_object);
/*
 * Objects of one cache to their slabs, whosever they are; without c (NULL) or its lock all by
 * the remote path.
 */
void slab_flush(struct pcpu *c, struct kmem_cache *s, void **objects, unsigned int n)
	__km(slab_flush);
/*
 * The slot's own sheaves and page lists, by its own thread (or of a slot that has none any more).
 * False: some stay, as the home's lock was not to be had.
 */
bool slab_flush_all_sheaves(struct pcpu *c) __km(slab_flush_all_sheaves);
/* The same, asked for by c->flush_request; again at the next miss where there was no lock. */
void honour_flush_request(struct pcpu *c) __km(honour_flush_request);
/*
 * The sheaves of one cache: emptied, and with detach put away. From any thread for a cache above
 * the classes that nobody uses. False: the home's lock is not to be had.
 */
bool slab_flush_sheaves(struct pcpu *c, struct kmem_cache *s, bool detach)
	__km(slab_flush_sheaves);
void slab_flush_barn(struct pcpu *c, struct kmem_cache *s) __km(slab_flush_barn);
/* The lock of h is held for the following (slub.c). */
/* A slab with free objects, current; may_make: adopt or make one if there is none. */
struct slab *current_slab(struct slab_home *h, struct kmem_cache *s, struct alloc_context *ac,
			  bool may_make) __km(current_slab);
/* Up to want objects into the array that ends at end, the lowest address last. */
unsigned int take_objects(struct slab_home *h, struct slab *slab, void **end, unsigned int want)
	__km(take_objects);
/* Its empty slabs, all of them. */
void slab_release_empty_of(struct slab_home *h, struct kmem_cache *s) __km(slab_release_empty_of);
/* n bits were set in free_map */
void slab_put(struct slab_home *h, struct slab *slab, unsigned int n) __km(slab_put);
/*
 * Objects of s, from the first on, as long as they lie in slabs of h and are the start of an object
 * in use; returns how many they were.
 */
unsigned int slab_put_objects(struct slab_home *h, struct kmem_cache *s, void **objects,
			      unsigned int n) __km(slab_put_objects);
/* all of them, and the pageblocks kept for the next */
void slab_release_empty(struct slab_home *h) __km(slab_release_empty);
/* Gives back pages without a live object inside slabs in use; frames. */
unsigned long slab_purge_partial(struct slab_home *h) __km(slab_purge_partial);
void slab_purge_partial_check(struct slab_home *h) __km(slab_purge_partial_check);
void slab_init(struct slab *slab, struct kmem_cache *s, unsigned long base,
	       struct slab_home *owner) __km(slab_init);
void slab_mark_dirty(struct slab *slab, unsigned int first, unsigned int last)
	__km(slab_mark_dirty);
unsigned long slab_dontneed_free(struct slab *slab, const u64 *map) __km(slab_dontneed_free);

/* Takes the home's lock: the next object that was never handed out, if the current slab has one. */
void *take_fresh(struct slab_home *h, struct kmem_cache *s, struct alloc_context *ac)
	__km(take_fresh);

/* slub_remote.c */
void slab_free_remote(struct slab *slab, unsigned int word, u64 mask, unsigned int *announced)
	__km(slab_free_remote);
struct slab_home *slab_announce(struct slab *slab, unsigned int n) __km(slab_announce);
void home_drain_inbox(struct slab_home *h) __km(home_drain_inbox);
void home_drain_sleeper(struct slab_home *h) __km(home_drain_sleeper);
bool home_adopt(struct slab_home *h, struct kmem_cache *s) __km(home_adopt);

/* slub_age.c: at the next of the slot's caches */
void slab_look_around(struct pcpu *c) __km(slab_look_around);

/* slub_nolock.c */
void *slab_alloc_nolock(struct kmem_cache *s, const struct alloc_context *ac)
	__km(slab_alloc_nolock);
void slab_free_nolock(void *p) __km(slab_free_nolock);
bool nolock_put(struct slab *slab, unsigned int index) __km(nolock_put);
unsigned long nolock_purge(void) __km(nolock_purge);
/* Of a cache that nobody uses: gives back the slabs whose objects are all free. */
void nolock_release(struct kmem_cache *s) __km(nolock_release);

/* kmem_cache.c */
/* The cache of the type that the flags name, for size <= KMALLOC_MAX_CACHE_SIZE; NULL: none. */
struct kmem_cache *kmalloc_slab(size_t size, gfp_t flags) __km(kmalloc_slab);

extern _Atomic long nolock_frees_in_flight __km(nolock_frees_in_flight);
extern _Atomic unsigned long nr_nolock_allocs __km(nr_nolock_allocs);
/* left in sheaves that a fork cut off */
extern _Atomic unsigned long nr_lost_objects __km(nr_lost_objects);

#endif

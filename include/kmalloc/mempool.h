/* SPDX-License-Identifier: MIT */
/**
 * Memory pools: min_nr elements set aside, so that a caller who gives back what it takes always
 * goes on, whatever state the allocator is in. Follows include/linux/mempool.h and mm/mempool.c
 * of the kernel; mempool(3) has the whole story.
 *
 * The counts are numbers of elements. Elements are whatever alloc_fn returns; the pool never
 * looks into them. All functions but create, init, resize, exit and destroy may be called by any
 * number of threads at once, and from signal handlers as far as alloc_fn and free_fn may.
 */
#ifndef KMALLOC_MEMPOOL_H
#define KMALLOC_MEMPOOL_H

#include <kmalloc/gfp.h>

KMALLOC_BEGIN_DECLS

/** An element, or NULL. gfp: what the caller of mempool_alloc() allows, see there. */
typedef void *(mempool_alloc_t)(gfp_t gfp, void *pool_data);
typedef void (mempool_free_t)(void *element, void *pool_data);

/**
 * A pool. May be embedded; zero it, or not, before mempool_init(). The fields outside of
 * `kmalloc_private' may be read at any time and are the pool's to write; a value read without
 * the pool's lock may be old when it arrives.
 */
typedef struct mempool {
	struct {
		unsigned long lock[2];
		unsigned int generation;
		unsigned int seq, waiters;
		/* elements freed while the lock was not to be had */
		void *pocket[8];
	} kmalloc_private;
	int min_nr;		/**< elements to be kept; only mempool_resize() changes it */
	int curr_nr;		/**< elements in the reserve now */
	void **elements;	/**< the reserve, a stack of curr_nr; NULL: not initialised */
	void *pool_data;
	mempool_alloc_t *alloc;
	mempool_free_t *free;
} mempool_t;

/** mempool_initialized - whether the pool, zeroed once, has been initialised since. */
static inline bool mempool_initialized(mempool_t *pool)
{
	return pool->elements != NULL;
}

/** mempool_is_saturated - whether the reserve is full: the next element freed goes to free_fn. */
static inline bool mempool_is_saturated(mempool_t *pool)
{
	return __atomic_load_n(&pool->curr_nr, __ATOMIC_RELAXED) >=
	       __atomic_load_n(&pool->min_nr, __ATOMIC_RELAXED);
}

/**
 * mempool_create - a pool with min_nr elements in its reserve, got from alloc_fn(GFP_KERNEL).
 * min_nr may be 0. The pool and its array come from kmalloc(). Result: NULL without memory (all
 * that was got is given back), and for a negative min_nr or a missing function (named on stderr).
 */
mempool_t *mempool_create(int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
			  void *pool_data) KMALLOC_LINK_NAME(mempool_create);

/** mempool_create_node - the same with the flags for all these allocations; node is a wish. */
mempool_t *mempool_create_node(int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
			       void *pool_data, gfp_t gfp, int node)
	KMALLOC_LINK_NAME(mempool_create_node);

/** mempool_init - the same for a pool of the caller's. Result: 0, -ENOMEM or -EINVAL. */
int mempool_init(mempool_t *pool, int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
		 void *pool_data) KMALLOC_LINK_NAME(mempool_init);
int mempool_init_node(mempool_t *pool, int min_nr, mempool_alloc_t *alloc_fn,
		      mempool_free_t *free_fn, void *pool_data, gfp_t gfp, int node)
	KMALLOC_LINK_NAME(mempool_init_node);

/**
 * mempool_exit - frees the reserve; the pool is as before mempool_init(). Does nothing to a pool
 * that is all zero. Elements still in use must be back before.
 */
void mempool_exit(mempool_t *pool) KMALLOC_LINK_NAME(mempool_exit);

/** mempool_destroy - mempool_exit() and kfree() of what mempool_create() made. NULL: no-op. */
void mempool_destroy(mempool_t *pool) KMALLOC_LINK_NAME(mempool_destroy);

/**
 * mempool_alloc - an element: from alloc_fn without __GFP_DIRECT_RECLAIM and __GFP_IO, else from
 * the reserve, else from alloc_fn with all of gfp, else, sleeping, from whoever frees one. alloc_fn
 * always sees __GFP_NOMEMALLOC, __GFP_NORETRY and __GFP_NOWARN. Never NULL with
 * __GFP_DIRECT_RECLAIM: it waits for ever if need be, so a thread must not take a second element
 * from a pool while it keeps the first. Without that flag: no system call of the pool's own, and
 * NULL, silently, when both are empty. __GFP_ZERO is no promise (the reserve holds old data) and
 * is warned of once.
 */
void *mempool_alloc(mempool_t *pool, gfp_t gfp) KMALLOC_LINK_NAME(mempool_alloc);

/** mempool_alloc_preallocated - from the reserve or NULL; never sleeps, never calls alloc_fn. */
void *mempool_alloc_preallocated(mempool_t *pool) KMALLOC_LINK_NAME(mempool_alloc_preallocated);

/**
 * mempool_alloc_bulk - fills the places of elems[0 .. count - 1] that are NULL; allocated is the
 * number of the others. As mempool_alloc(GFP_KERNEL), but takes from the reserve only when that
 * fills all places. count: at most min_nr. Result: 0.
 */
int mempool_alloc_bulk(mempool_t *pool, void **elems, unsigned int count, unsigned int allocated)
	KMALLOC_LINK_NAME(mempool_alloc_bulk);

/**
 * mempool_free - to the reserve while that is not full (and wakes one sleeper), else to free_fn.
 * NULL: no-op. The reserve of a pool with min_nr 0 keeps one element.
 */
void mempool_free(void *element, mempool_t *pool) KMALLOC_LINK_NAME(mempool_free);

/** mempool_free_bulk - how many of elems[], from the first on, the reserve took; the rest stay. */
unsigned int mempool_free_bulk(mempool_t *pool, void **elems, unsigned int count)
	KMALLOC_LINK_NAME(mempool_free_bulk);

/**
 * mempool_resize - another min_nr, above 0. Shrinking frees what is too much. Growing fills the
 * reserve from alloc_fn(GFP_KERNEL); what that refuses comes from later frees. May sleep; not while
 * another thread resizes or destroys the pool, or forks a child that uses it. Result: 0; -ENOMEM:
 * as before; -EINVAL: new_min_nr below 1; -EBUSY: the caller is a signal handler that interrupted
 * the pool.
 */
int mempool_resize(mempool_t *pool, int new_min_nr) KMALLOC_LINK_NAME(mempool_resize);

/** Elements from a slab cache, pool_data; the cache must have no constructor. */
void *mempool_alloc_slab(gfp_t gfp, void *pool_data) KMALLOC_LINK_NAME(mempool_alloc_slab);
void mempool_free_slab(void *element, void *pool_data) KMALLOC_LINK_NAME(mempool_free_slab);
/** Elements of (size_t)pool_data bytes from kmalloc(). */
void *mempool_kmalloc(gfp_t gfp, void *pool_data) KMALLOC_LINK_NAME(mempool_kmalloc);
void mempool_kfree(void *element, void *pool_data) KMALLOC_LINK_NAME(mempool_kfree);
/** Elements that are struct page *, of order (long)pool_data, from alloc_pages(). */
void *mempool_alloc_pages(gfp_t gfp, void *pool_data) KMALLOC_LINK_NAME(mempool_alloc_pages);
void mempool_free_pages(void *element, void *pool_data) KMALLOC_LINK_NAME(mempool_free_pages);

/** mempool_create() and mempool_init() with these pairs. */
static inline mempool_t *mempool_create_slab_pool(int min_nr, struct kmem_cache *cache)
{
	return mempool_create(min_nr, mempool_alloc_slab, mempool_free_slab, (void *)cache);
}

static inline int mempool_init_slab_pool(mempool_t *pool, int min_nr, struct kmem_cache *cache)
{
	return mempool_init(pool, min_nr, mempool_alloc_slab, mempool_free_slab, (void *)cache);
}

static inline mempool_t *mempool_create_kmalloc_pool(int min_nr, size_t size)
{
	return mempool_create(min_nr, mempool_kmalloc, mempool_kfree, (void *)size);
}

static inline int mempool_init_kmalloc_pool(mempool_t *pool, int min_nr, size_t size)
{
	return mempool_init(pool, min_nr, mempool_kmalloc, mempool_kfree, (void *)size);
}

static inline mempool_t *mempool_create_page_pool(int min_nr, int order)
{
	return mempool_create(min_nr, mempool_alloc_pages, mempool_free_pages,
			      (void *)(long)order);
}

static inline int mempool_init_page_pool(mempool_t *pool, int min_nr, int order)
{
	return mempool_init(pool, min_nr, mempool_alloc_pages, mempool_free_pages,
			    (void *)(long)order);
}

KMALLOC_END_DECLS

#endif

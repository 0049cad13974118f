/* SPDX-License-Identifier: MIT */
/**
 * Shrinkers: caches of the program that give memory back when the allocator has none, and the
 * chain that is called before it gives up. Follows include/linux/shrinker.h, mm/shrinker.c,
 * include/linux/oom.h and include/linux/notifier.h of the kernel; shrinker(3).
 */
#ifndef KMALLOC_SHRINKER_H
#define KMALLOC_SHRINKER_H

#include <kmalloc/types.h>

/** Never defined: there are no memory cgroups inside of a process. */
struct mem_cgroup;

/** From scan_objects: no progress is possible now. */
#define SHRINK_STOP	(~0ul)
/** From count_objects: there is nothing at all, where 0 means nothing now, or not known. */
#define SHRINK_EMPTY	(~0ul - 1)
/** For shrinker.seeks: what an object costs to make again, 2 for a disk access and back. */
#define DEFAULT_SEEKS	2

/** Set by the library. */
#define SHRINKER_REGISTERED	(1u << 0)
#define SHRINKER_ALLOCATED	(1u << 1)
/** Callbacks look at sc->nid, and each node has a carry-over of its own. Else nid is 0. */
#define SHRINKER_NUMA_AWARE	(1u << 2)
/** Accepted; no effect. */
#define SHRINKER_MEMCG_AWARE	(1u << 3)
/** Accepted; no effect. */
#define SHRINKER_NONSLAB	(1u << 4)
/**
 * Of this library: the callbacks read or write files or sockets. Left out by reclaim for a
 * request without __GFP_IO (GFP_NOIO).
 */
#define SHRINKER_MAY_IO		(1u << 8)
/**
 * Of this library: the callbacks call into the code that owns the cache, and take its locks. Left
 * out by reclaim for a request without __GFP_FS (GFP_NOFS) or without __GFP_IO (GFP_NOIO).
 */
#define SHRINKER_MAY_FS		(1u << 9)

/** What reclaim wants of a callback. */
struct shrink_control {
	gfp_t gfp_mask;			/**< of the request that found no memory */
	int nid;			/**< node to take objects from */
	unsigned long nr_to_scan;	/**< objects that scan_objects is to look at; at most batch */
	/** as nr_to_scan; scan_objects may set it to the number that it did look at */
	unsigned long nr_scanned;
	struct mem_cgroup *memcg;	/**< NULL */
};

/**
 * A cache that can shrink. A static one must be zero in what is not set.
 *
 * The callbacks run in any thread that waits for memory, with no lock of the library held, in
 * several threads at the same time. They may allocate and free; such requests do not reclaim
 * again, and use the reserves. They must return: a thread that leaves one by siglongjmp() uses the
 * reserves, and reclaims nothing, for the rest of its life. They must neither register nor free
 * their own shrinker, nor wait for a lock that the owner holds around an allocation, unless that
 * allocation lacks __GFP_FS and the shrinker has SHRINKER_MAY_FS.
 */
struct shrinker {
	/** Objects that could be freed, 0 or SHRINK_EMPTY. Cheap; may be inexact. */
	unsigned long (*count_objects)(struct shrinker *shrinker, struct shrink_control *sc);
	/** Tries to free sc->nr_to_scan objects. Result: how many were freed, or SHRINK_STOP. */
	unsigned long (*scan_objects)(struct shrinker *shrinker, struct shrink_control *sc);
	long batch;		/**< objects a call of scan_objects; 0: 128 */
	int seeks;		/**< DEFAULT_SEEKS; 0: half of the objects in each round */
	unsigned int flags;	/**< SHRINKER_ */
	void *private_data;	/**< the owner's */
	void *internal;		/**< the library's */
};

KMALLOC_BEGIN_DECLS

/**
 * shrinker_alloc - a zeroed shrinker with seeks of DEFAULT_SEEKS, to be filled in and registered.
 * flags: SHRINKER_; fmt and what follows: a name of up to 47 characters for messages, as printf
 * with %s %c %d %u %x %p. Result: NULL without memory; the allocation is GFP_KERNEL.
 */
struct shrinker *shrinker_alloc(unsigned int flags, const char *fmt, ...)
	KMALLOC_LINK_NAME(shrinker_alloc) __attribute__((__format__(__printf__, 2, 3)));

/**
 * shrinker_register - from now on reclaim calls it, after all those registered before. Warns and
 * does nothing where it did not come from shrinker_alloc(), lacks a callback or is registered.
 */
void shrinker_register(struct shrinker *shrinker) KMALLOC_LINK_NAME(shrinker_register);

/**
 * shrinker_free - the end of a shrinker, registered or not: waits until the calls under way in
 * other threads have returned, then frees it. NULL is ignored. Called from its own callback it
 * warns and does nothing.
 */
void shrinker_free(struct shrinker *shrinker) KMALLOC_LINK_NAME(shrinker_free);

/**
 * register_shrinker - the way until kernel 6.6: registers a struct that is the caller's. What
 * follows the struct, a name of kernels 6.0 to 6.6, is accepted and not used. Result: 0, -ENOMEM,
 * -EINVAL (a callback is missing, or it came from shrinker_alloc()), -EEXIST (it is registered).
 */
int register_shrinker(struct shrinker *shrinker, ...) KMALLOC_LINK_NAME(register_shrinker);

/**
 * unregister_shrinker - takes it out and waits as shrinker_free() does; the struct may go then.
 * One that is not registered is ignored.
 */
void unregister_shrinker(struct shrinker *shrinker) KMALLOC_LINK_NAME(unregister_shrinker);

/** What a notifier_call returns. STOP ends the walk of the chain. */
enum {
	NOTIFY_DONE = 0,
	NOTIFY_OK = 1,
	NOTIFY_STOP_MASK = 0x8000,
	NOTIFY_BAD = NOTIFY_STOP_MASK | 2,
	NOTIFY_STOP = NOTIFY_STOP_MASK | NOTIFY_OK
};

/**
 * Called where all reclaim has failed, before the request does. data is an unsigned long *freed:
 * the callback adds the pages that it freed, and then the request tries again. action is 0. It must
 * return, as those of a shrinker.
 */
struct notifier_block {
	int (*notifier_call)(struct notifier_block *nb, unsigned long action, void *data);
	struct notifier_block *next;	/**< not used */
	int priority;			/**< the highest is called first, equal ones in order */
};

/** register_oom_notifier - Result: 0, -ENOMEM, -EINVAL (no callback), -EEXIST (registered). */
int register_oom_notifier(struct notifier_block *nb) KMALLOC_LINK_NAME(register_oom_notifier);

/**
 * unregister_oom_notifier - waits until calls under way have returned. Result: 0, -ENOENT (was not
 * registered), -EBUSY (called from the callback itself: it stays registered).
 */
int unregister_oom_notifier(struct notifier_block *nb) KMALLOC_LINK_NAME(unregister_oom_notifier);

KMALLOC_END_DECLS

#endif

/* SPDX-License-Identifier: MIT */
/**
 * kmalloc and slab caches. Follows the kernel's include/linux/slab.h, mm/slub.c, mm/slab_common.c
 * and, for the copies of strings, mm/util.c. kmalloc(3) and kmem_cache(3) tell more.
 *
 * For every function here: sizes are bytes. A failure is NULL, never an error pointer; errno is
 * ENOMEM where there is no memory, and left alone where a request is refused. Everything may be
 * called from any thread, and from a signal handler as far as its flags do not let it wait. gfp_t flags are those of <kmalloc/gfp.h>; all of the reclaim
 * modifiers, __GFP_ZERO, __GFP_NOWARN and __GFP_THISNODE are honoured, __GFP_DMA,
 * __GFP_RECLAIMABLE and __GFP_ACCOUNT choose the cache (kmalloc), and __GFP_DMA32, __GFP_HIGHMEM
 * and unknown bits are taken off with a warning that names them, once for each bit. A node is
 * a hint, -1 (NUMA_NO_NODE) none; with __GFP_THISNODE a node that is not there gives NULL.
 *
 * Under libkmalloc-preload.so all of it is the heap of malloc(): kfree() takes what malloc()
 * returned for up to KMALLOC_MAX_CACHE_SIZE bytes, free() takes what kmalloc() returned.
 */
#ifndef KMALLOC_SLAB_H
#define KMALLOC_SLAB_H

#include <kmalloc/gfp.h>

/** What a request for 0 bytes returns: not NULL, may be freed, must not be accessed. */
#define ZERO_SIZE_PTR		((void *)16)
#define ZERO_OR_NULL_PTR(p)	((uintptr_t)(p) <= (uintptr_t)ZERO_SIZE_PTR)

/** Largest size that a slab cache serves; above, kmalloc() gives whole pages. */
#define KMALLOC_MAX_CACHE_SIZE	131072ul
#define KMALLOC_SHIFT_LOW	3
#define KMALLOC_SHIFT_HIGH	17
#define KMALLOC_SHIFT_MAX	22
/** Largest size that kmalloc() serves; KMALLOC_MAX_CACHE_SIZE under kmalloc_sizes=classic. */
#define KMALLOC_MAX_SIZE	((size_t)1 << KMALLOC_SHIFT_MAX)
#define KMALLOC_MIN_SIZE	((size_t)1 << KMALLOC_SHIFT_LOW)
/**
 * What every object is aligned to. An object of kmalloc(size) is aligned to the largest power of
 * two that divides size, too.
 */
#define ARCH_KMALLOC_MINALIGN	8
#define ARCH_SLAB_MINALIGN	8

/* ---- flags of caches ---- */

/*
 * Debugging: checks at every call, guard bytes around objects, a pattern in free ones, who
 * allocated and freed, a line for every call. Accepted; see kmem_cache(3) for what is done.
 */
#define SLAB_CONSISTENCY_CHECKS	((slab_flags_t)0x00000100u)
#define SLAB_RED_ZONE		((slab_flags_t)0x00000400u)
#define SLAB_POISON		((slab_flags_t)0x00000800u)
#define SLAB_STORE_USER		((slab_flags_t)0x00010000u)
#define SLAB_TRACE		((slab_flags_t)0x00200000u)
/** A class of kmalloc, or a cache of a test that wants to be treated like one. */
#define SLAB_KMALLOC		((slab_flags_t)0x00001000u)
/** Objects begin on a cache line, small ones on a half, a quarter ... of one. */
#define SLAB_HWCACHE_ALIGN	((slab_flags_t)0x00002000u)
/** Slabs below 2 GiB, below 4 GiB of address space. */
#define SLAB_CACHE_DMA		((slab_flags_t)0x00004000u)
#define SLAB_CACHE_DMA32	((slab_flags_t)0x00008000u)
/** A shrinker can free the objects: counted as reclaimable. */
#define SLAB_RECLAIM_ACCOUNT	((slab_flags_t)0x00020000u)
#define SLAB_TEMPORARY		SLAB_RECLAIM_ACCOUNT
/** A creation that fails ends the program. */
#define SLAB_PANIC		((slab_flags_t)0x00040000u)
/** Refused: there is no RCU here. */
#define SLAB_TYPESAFE_BY_RCU	((slab_flags_t)0x00080000u)
#define SLAB_DESTROY_BY_RCU	SLAB_TYPESAFE_BY_RCU
/** Of no effect here. */
#define SLAB_MEM_SPREAD		((slab_flags_t)0u)
#define SLAB_DEBUG_OBJECTS	((slab_flags_t)0x00400000u)
#define SLAB_SKIP_KFENCE	((slab_flags_t)0x20000000u)
/** No sheaves, never merged. */
#define SLAB_NOLEAKTRACE	((slab_flags_t)0x00800000u)
#define SLAB_NO_MERGE		((slab_flags_t)0x01000000u)
/** Marked for failslab; not for kmem_cache_create(), which refuses it. */
#define SLAB_FAILSLAB		((slab_flags_t)0x02000000u)
/** Objects are counted as with __GFP_ACCOUNT. */
#define SLAB_ACCOUNT		((slab_flags_t)0x04000000u)
/** What the command line says of debugging is not for this cache. */
#define SLAB_NO_USER_FLAGS	((slab_flags_t)0x10000000u)

#define KMALLOC_ATTR_SIZE(n)	__attribute__((__malloc__, __alloc_size__(n)))
#define KMALLOC_ATTR_SIZES(n, m) __attribute__((__malloc__, __alloc_size__(n, m)))
#define KMALLOC_ATTR_REALLOC(...) \
	__attribute__((__warn_unused_result__, __alloc_size__(__VA_ARGS__)))

KMALLOC_BEGIN_DECLS

/* ---- kmalloc ---- */

/**
 * kmalloc - memory of at least size bytes, with what the last user left in it.
 * Up to KMALLOC_MAX_CACHE_SIZE an object of a slab cache: kmalloc-N, or by flag dma-kmalloc-N,
 * kmalloc-rcl-N, kmalloc-cg-N; above, a block of 2^n pages aligned to its size. Size 0:
 * ZERO_SIZE_PTR, whatever the flags. NULL: no memory under these flags; or size above
 * KMALLOC_MAX_SIZE, of which the first without __GFP_NOWARN is warned about.
 * With __GFP_ZERO all that ksize() counts is zero.
 */
void *kmalloc(size_t size, gfp_t flags) KMALLOC_LINK_NAME(kmalloc) KMALLOC_ATTR_SIZE(1);
/** kzalloc - kmalloc() of zeroed memory. */
void *kzalloc(size_t size, gfp_t flags) KMALLOC_LINK_NAME(kzalloc) KMALLOC_ATTR_SIZE(1);
/** kmalloc_node - kmalloc() on a node if possible. */
void *kmalloc_node(size_t size, gfp_t flags, int node) KMALLOC_LINK_NAME(kmalloc_node)
	KMALLOC_ATTR_SIZE(1);

/**
 * krealloc - resizes the object at p, which may move, to new_size bytes and returns it.
 * new_size 0 frees p and returns ZERO_SIZE_PTR; p NULL or ZERO_SIZE_PTR allocates. What fits in
 * ksize(p) stays where it is: shrinking never moves or releases memory. NULL: no memory, p is as
 * it was; or p is not kmalloc's, which is reported. __GFP_ZERO zeroes what is behind new_size
 * and what a move adds, so memory that had __GFP_ZERO from its kmalloc() through every
 * krealloc() is zero wherever it grows; a single call with it promises nothing.
 */
void *krealloc(const void *p, size_t new_size, gfp_t flags) KMALLOC_LINK_NAME(krealloc)
	KMALLOC_ATTR_REALLOC(2);
/**
 * krealloc_node_align - the same; moves the object, too, where its address is not a multiple of
 * align (a power of two, 1 for any; kept as far as kmalloc(new_size) is aligned so), or where
 * __GFP_THISNODE asks for a node that is not its own.
 */
void *krealloc_node_align(const void *p, size_t new_size, unsigned long align, gfp_t flags,
			  int node) KMALLOC_LINK_NAME(krealloc_node_align)
	KMALLOC_ATTR_REALLOC(2);

/**
 * kfree - gives back what kmalloc() and its relatives or a slab cache returned; NULL and
 * ZERO_SIZE_PTR are ignored. Anything else that is noticed (a block of vmalloc(), pages of
 * alloc_pages(), the inside of a large block, what is free or not the allocator's) is named in
 * one line and left alone. Never waits; keeps errno.
 */
void kfree(const void *p) KMALLOC_LINK_NAME(kfree);
/** kfree_sensitive - zeroes all ksize(p) bytes, then kfree(p). */
void kfree_sensitive(const void *p) KMALLOC_LINK_NAME(kfree_sensitive);
/** kfree_bulk - kfree() of n objects, of any caches and sizes. The array's contents are lost. */
void kfree_bulk(size_t n, void **p) KMALLOC_LINK_NAME(kfree_bulk);

/**
 * ksize - bytes of the object at p, which may be more than was asked for; 0 for NULL,
 * ZERO_SIZE_PTR and what is not kmalloc's, which is reported. To use more than was asked for, ask
 * for kmalloc_size_roundup(size).
 */
size_t ksize(const void *p) KMALLOC_LINK_NAME(ksize);
/** kmalloc_size_roundup - ksize(kmalloc(size)); 0 for 0, size itself above KMALLOC_MAX_SIZE. */
size_t kmalloc_size_roundup(size_t size) KMALLOC_LINK_NAME(kmalloc_size_roundup);

/**
 * kmalloc_nolock - kmalloc() for any moment: in a signal handler, inside a shrinker, with any
 * lock held. Waits for nothing; NULL is to be expected, and above KMALLOC_MAX_CACHE_SIZE is
 * certain. Of the flags __GFP_ZERO is honoured; __GFP_ACCOUNT and __GFP_NO_OBJ_EXT are accepted,
 * all others taken off.
 */
void *kmalloc_nolock(size_t size, gfp_t flags, int node) KMALLOC_LINK_NAME(kmalloc_nolock)
	KMALLOC_ATTR_SIZE(1);
/** kfree_nolock - kfree(), in the same places, of what kmalloc_nolock() returned. */
void kfree_nolock(const void *p) KMALLOC_LINK_NAME(kfree_nolock);

static inline KMALLOC_ATTR_SIZE(1) void *kzalloc_node(size_t size, gfp_t flags, int node)
{
	return kmalloc_node(size, flags | __GFP_ZERO, node);
}

static inline KMALLOC_ATTR_REALLOC(2) void *krealloc_node(const void *p, size_t new_size,
							  gfp_t flags, int node)
{
	return krealloc_node_align(p, new_size, 1, flags, node);
}

/* ---- arrays: n elements of size bytes; a product that overflows gives NULL, silently ---- */

static inline KMALLOC_ATTR_SIZES(1, 2) void *kmalloc_array(size_t n, size_t size, gfp_t flags)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : kmalloc(bytes, flags);
}

static inline KMALLOC_ATTR_SIZES(1, 2) void *kcalloc(size_t n, size_t size, gfp_t flags)
{
	return kmalloc_array(n, size, flags | __GFP_ZERO);
}

static inline KMALLOC_ATTR_SIZES(1, 2) void *kmalloc_array_node(size_t n, size_t size,
								 gfp_t flags, int node)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : kmalloc_node(bytes, flags, node);
}

static inline KMALLOC_ATTR_SIZES(1, 2) void *kcalloc_node(size_t n, size_t size, gfp_t flags,
							   int node)
{
	return kmalloc_array_node(n, size, flags | __GFP_ZERO, node);
}

/** Where the product overflows, p is untouched and still the caller's. */
static inline KMALLOC_ATTR_REALLOC(2, 3) void *krealloc_array(const void *p, size_t n, size_t size,
							      gfp_t flags)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : krealloc(p, bytes, flags);
}

/* ---- kmalloc or else vmalloc ---- */

/**
 * kvmalloc_node - kmalloc() of size bytes or, above one page where that fails at once, vmalloc().
 * The attempt by kmalloc() does not reclaim (but for __GFP_RETRY_MAYFAIL) and does not warn.
 * Size 0: ZERO_SIZE_PTR. NULL: no memory; or size above INT_MAX, of which the first without
 * __GFP_NOWARN is warned about. Not for __GFP_NORETRY. To be freed by kvfree().
 */
void *kvmalloc_node(size_t size, gfp_t flags, int node) KMALLOC_LINK_NAME(kvmalloc_node)
	KMALLOC_ATTR_SIZE(1);
/**
 * kvrealloc - krealloc() or vrealloc() of the block at p, else a move by kvmalloc(). new_size 0
 * frees, and returns ZERO_SIZE_PTR for an object of kmalloc(), NULL for a block of vmalloc().
 * NULL otherwise: no memory, p is as it was. __GFP_ZERO as for krealloc().
 */
void *kvrealloc(const void *p, size_t new_size, gfp_t flags) KMALLOC_LINK_NAME(kvrealloc)
	KMALLOC_ATTR_REALLOC(2);
/** kvfree - vfree() of a block of vmalloc(), kfree() of everything else. */
void kvfree(const void *p) KMALLOC_LINK_NAME(kvfree);
/** kvfree_sensitive - zeroes the first len bytes, then kvfree(p). */
void kvfree_sensitive(const void *p, size_t len) KMALLOC_LINK_NAME(kvfree_sensitive);
/** kvfree_atomic - kvfree() where nothing may be waited for. */
void kvfree_atomic(const void *p) KMALLOC_LINK_NAME(kvfree_atomic);

static inline KMALLOC_ATTR_SIZE(1) void *kvmalloc(size_t size, gfp_t flags)
{
	return kvmalloc_node(size, flags, -1);
}

static inline KMALLOC_ATTR_SIZE(1) void *kvzalloc(size_t size, gfp_t flags)
{
	return kvmalloc_node(size, flags | __GFP_ZERO, -1);
}

static inline KMALLOC_ATTR_SIZE(1) void *kvzalloc_node(size_t size, gfp_t flags, int node)
{
	return kvmalloc_node(size, flags | __GFP_ZERO, node);
}

static inline KMALLOC_ATTR_SIZES(1, 2) void *kvmalloc_array_node(size_t n, size_t size,
								  gfp_t flags, int node)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : kvmalloc_node(bytes, flags, node);
}

static inline KMALLOC_ATTR_SIZES(1, 2) void *kvmalloc_array(size_t n, size_t size, gfp_t flags)
{
	return kvmalloc_array_node(n, size, flags, -1);
}

static inline KMALLOC_ATTR_SIZES(1, 2) void *kvcalloc_node(size_t n, size_t size, gfp_t flags,
							    int node)
{
	return kvmalloc_array_node(n, size, flags | __GFP_ZERO, node);
}

static inline KMALLOC_ATTR_SIZES(1, 2) void *kvcalloc(size_t n, size_t size, gfp_t flags)
{
	return kvmalloc_array_node(n, size, flags | __GFP_ZERO, -1);
}

/* ---- copies; NULL without memory ---- */

/** kmemdup - a copy of len bytes at src; ZERO_SIZE_PTR for len 0. */
void *kmemdup(const void *src, size_t len, gfp_t flags) KMALLOC_LINK_NAME(kmemdup)
	KMALLOC_ATTR_SIZE(2);
/** kvmemdup - the same by kvmalloc(), to be freed by kvfree(). */
void *kvmemdup(const void *src, size_t len, gfp_t flags) KMALLOC_LINK_NAME(kvmemdup)
	KMALLOC_ATTR_SIZE(2);
/** kmemdup_array - a copy of n elements of size bytes; NULL where the product overflows. */
void *kmemdup_array(const void *src, size_t n, size_t size, gfp_t flags)
	KMALLOC_LINK_NAME(kmemdup_array) KMALLOC_ATTR_SIZES(2, 3);
/** kmemdup_nul - exactly len bytes at s and a NUL behind them; NULL for s NULL. */
char *kmemdup_nul(const char *s, size_t len, gfp_t flags) KMALLOC_LINK_NAME(kmemdup_nul)
	__attribute__((__malloc__));
/** kstrdup - a copy of a string; NULL for NULL. Ends with a NUL even if s changes meanwhile. */
char *kstrdup(const char *s, gfp_t flags) KMALLOC_LINK_NAME(kstrdup)
	__attribute__((__malloc__));
/** kstrndup - of at most max characters, with a NUL behind them; NULL for NULL. */
char *kstrndup(const char *s, size_t max, gfp_t flags) KMALLOC_LINK_NAME(kstrndup)
	__attribute__((__malloc__));
/**
 * kstrdup_const - kstrdup(), or s itself where it lies in memory of the program's own file that
 * is never written to, as its string literals do. To be freed by kfree_const(). (String literals
 * of shared libraries, which may be unloaded, are copied.)
 */
const char *kstrdup_const(const char *s, gfp_t flags) KMALLOC_LINK_NAME(kstrdup_const);
/** kfree_const - kfree(), but nothing for what kstrdup_const() did not copy. */
void kfree_const(const void *p) KMALLOC_LINK_NAME(kfree_const);

/* ---- slab caches ---- */

/** What a cache may be told beyond name, size and flags; zero means the usual. */
struct kmem_cache_args {
	/** Alignment of the objects in bytes, a power of two; 0: ARCH_SLAB_MINALIGN. */
	unsigned int align;
	/**
	 * The part of an object that may be copied to and from users. Recorded; a part that does
	 * not lie in the object is warned about and taken as none.
	 */
	unsigned int useroffset, usersize;
	/**
	 * Where the kernel may put its free pointer. Must lie in the object, be a multiple of the
	 * size of a pointer, and come with ctor; of no effect, as objects hold no such pointer here.
	 */
	unsigned int freeptr_offset;
	bool use_freeptr_offset;
	/**
	 * Called for every object once, when its slab is made, not at each allocation: objects are
	 * freed in the state in which it leaves them. May not allocate from the cache. Must return
	 * (no siglongjmp()), and should be short: it runs under the lock of the thread's slot.
	 */
	void (*ctor)(void *object);
	/** At least that many objects a sheaf; such a cache is never merged. */
	unsigned int sheaf_capacity;
};

/**
 * __kmem_cache_create_args - a cache of objects of size bytes; kmem_cache_create() calls it.
 * name is copied. args may be NULL. NULL, and a line that says why: a flag that may not be
 * given (SLAB_FAILSLAB, SLAB_TYPESAFE_BY_RCU, unknown ones), an impossible argument, a size of 0
 * or above KMALLOC_MAX_SIZE, no memory; with SLAB_PANIC the program ends. Like caches may be one:
 * the same pointer is returned (see kmem_cache(3), slab_nomerge and SLAB_NO_MERGE). May wait.
 */
struct kmem_cache *__kmem_cache_create_args(const char *name, unsigned int size,
					    const struct kmem_cache_args *args, slab_flags_t flags)
	KMALLOC_LINK_NAME(kmem_cache_create_args);

/** The older call of five arguments. */
static inline struct kmem_cache *__kmem_cache_create(const char *name, unsigned int size,
						     unsigned int align, slab_flags_t flags,
						     void (*ctor)(void *))
{
	struct kmem_cache_args args = { align, 0, 0, 0, false, ctor, 0 };

	return __kmem_cache_create_args(name, size, &args, flags);
}

/** kmem_cache_create_usercopy - the same with a part that may be copied to and from users. */
static inline struct kmem_cache *kmem_cache_create_usercopy(const char *name, unsigned int size,
							    unsigned int align,
							    slab_flags_t flags,
							    unsigned int useroffset,
							    unsigned int usersize,
							    void (*ctor)(void *))
{
	struct kmem_cache_args args = { align, useroffset, usersize, 0, false, ctor, 0 };

	return __kmem_cache_create_args(name, size, &args, flags);
}

/**
 * kmem_cache_destroy - ends a cache; NULL is ignored. Of a merged one, only its last user ends
 * it. Objects that are still in use are reported one by one and may be freed later; the cache
 * itself is lost then. Its name may be used again at once. May wait.
 */
void kmem_cache_destroy(struct kmem_cache *s) KMALLOC_LINK_NAME(kmem_cache_destroy);
/**
 * kmem_cache_shrink - gives back what the cache holds and does not need. 0: it has no slab left,
 * else 1. May wait.
 */
int kmem_cache_shrink(struct kmem_cache *s) KMALLOC_LINK_NAME(kmem_cache_shrink);
/** kmem_cache_size - bytes of an object: what was asked for, or more where caches were merged. */
unsigned int kmem_cache_size(struct kmem_cache *s) KMALLOC_LINK_NAME(kmem_cache_size);

/**
 * kmem_cache_alloc - an object as its constructor or its last user left it; NULL without memory.
 * Honours the flags as kmalloc(), but for those that choose a cache; where no object is at hand the
 * bits that no slab request may have are taken off, as in kmalloc(), with a line. __GFP_ZERO zeroes
 * kmem_cache_size() bytes, which for a cache with a constructor is warned about.
 */
void *kmem_cache_alloc(struct kmem_cache *s, gfp_t flags) KMALLOC_LINK_NAME(kmem_cache_alloc)
	__attribute__((__malloc__));
void *kmem_cache_alloc_node(struct kmem_cache *s, gfp_t flags, int node)
	KMALLOC_LINK_NAME(kmem_cache_alloc_node) __attribute__((__malloc__));

static inline __attribute__((__malloc__)) void *kmem_cache_zalloc(struct kmem_cache *s,
								   gfp_t flags)
{
	return kmem_cache_alloc(s, flags | __GFP_ZERO);
}

struct list_lru;

/** There are no lists by memory cgroup: lru is not looked at. */
static inline __attribute__((__malloc__)) void *kmem_cache_alloc_lru(struct kmem_cache *s,
								      struct list_lru *lru,
								      gfp_t flags)
{
	(void)lru;
	return kmem_cache_alloc(s, flags);
}

/** There is nobody to be charged for an object: true. */
static inline bool kmem_cache_charge(void *object, gfp_t flags)
{
	(void)object;
	(void)flags;
	return true;
}

/**
 * kmem_cache_free - gives an object back to its cache. NULL, an object of another cache and what
 * is no object at all is named in one line and left alone: NULL at once, others at once where the
 * cache has SLAB_CONSISTENCY_CHECKS, else when they leave the thread's sheaf for a slab, before
 * which kmem_cache_alloc() may return them (as in a kernel without hardening). Never waits; keeps
 * errno.
 */
void kmem_cache_free(struct kmem_cache *s, void *object) KMALLOC_LINK_NAME(kmem_cache_free);
/**
 * kmem_cache_alloc_bulk - n objects in p[], or none: n, or 0. flags as for kmem_cache_alloc(),
 * with a reclaim bit.
 */
int kmem_cache_alloc_bulk(struct kmem_cache *s, gfp_t flags, size_t n, void **p)
	KMALLOC_LINK_NAME(kmem_cache_alloc_bulk);
/** kmem_cache_free_bulk - frees n objects; s NULL: of any caches. The array's contents are lost. */
void kmem_cache_free_bulk(struct kmem_cache *s, size_t n, void **p)
	KMALLOC_LINK_NAME(kmem_cache_free_bulk);

/* ---- prefilled sheaves: objects put aside, so that taking them cannot fail ---- */

struct slab_sheaf;

/** kmem_cache_prefill_sheaf - n objects put aside; NULL for n 0 or without memory. */
struct slab_sheaf *kmem_cache_prefill_sheaf(struct kmem_cache *s, gfp_t flags, unsigned int n)
	KMALLOC_LINK_NAME(kmem_cache_prefill_sheaf);
/** kmem_cache_refill_sheaf - to n objects again; 0, -ENOMEM or -EINVAL. *sheaf may change. */
int kmem_cache_refill_sheaf(struct kmem_cache *s, gfp_t flags, struct slab_sheaf **sheaf,
			    unsigned int n) KMALLOC_LINK_NAME(kmem_cache_refill_sheaf);
/** kmem_cache_alloc_from_sheaf - one of them; NULL when none is left. Honours __GFP_ZERO. */
void *kmem_cache_alloc_from_sheaf(struct kmem_cache *s, gfp_t flags, struct slab_sheaf *sheaf)
	KMALLOC_LINK_NAME(kmem_cache_alloc_from_sheaf);
/** kmem_cache_sheaf_size - how many are left. */
unsigned int kmem_cache_sheaf_size(struct slab_sheaf *sheaf)
	KMALLOC_LINK_NAME(kmem_cache_sheaf_size);
/** kmem_cache_return_sheaf - gives the sheaf back with what is left in it. */
void kmem_cache_return_sheaf(struct kmem_cache *s, gfp_t flags, struct slab_sheaf *sheaf)
	KMALLOC_LINK_NAME(kmem_cache_return_sheaf);

/** Sizes that stay at SIZE_MAX where they would wrap, so that their allocation fails. */
static inline size_t kmalloc_size_mul(size_t a, size_t b)
{
	size_t bytes;

	return __builtin_mul_overflow(a, b, &bytes) ? SIZE_MAX : bytes;
}

static inline size_t kmalloc_size_add(size_t a, size_t b)
{
	size_t bytes;

	return __builtin_add_overflow(a, b, &bytes) ? SIZE_MAX : bytes;
}

KMALLOC_END_DECLS

/**
 * kmem_cache_create(name, size, align, flags, ctor), and kmem_cache_create(name, size, args, flags)
 * with a struct kmem_cache_args * or NULL.
 */
#ifdef __cplusplus
static inline struct kmem_cache *kmem_cache_create(const char *name, unsigned int size,
						   unsigned int align, slab_flags_t flags,
						   void (*ctor)(void *))
{
	return __kmem_cache_create(name, size, align, flags, ctor);
}

static inline struct kmem_cache *kmem_cache_create(const char *name, unsigned int size,
						   const struct kmem_cache_args *args,
						   slab_flags_t flags)
{
	return __kmem_cache_create_args(name, size, args, flags);
}
#else
#define kmem_cache_create(name, size, third, ...) \
	_Generic((third), \
		struct kmem_cache_args *: __kmem_cache_create_args, \
		const struct kmem_cache_args *: __kmem_cache_create_args, \
		void *: __kmem_cache_create_args, \
		default: __kmem_cache_create)(name, size, third, __VA_ARGS__)
#endif

/** A cache for struct tag, named tag. */
#define KMEM_CACHE(tag, flags) \
	__kmem_cache_create(#tag, sizeof(struct tag), __alignof__(struct tag), flags, NULL)
/** The same; users may copy one field of it. */
#define KMEM_CACHE_USERCOPY(tag, flags, field) \
	kmem_cache_create_usercopy(#tag, sizeof(struct tag), __alignof__(struct tag), flags, \
				   offsetof(struct tag, field), sizeof(((struct tag *)0)->field), \
				   NULL)

/* ---- typed allocation ---- */

/**
 * ALLOC_obj(type[, flags]), ALLOC_objs(type, n[, flags]), ALLOC_flex(type, member, n[, flags]):
 * one object, n of them, one with n elements of its flexible array member; a pointer of the type.
 * type may be an expression instead, as *p. Without flags GFP_KERNEL. A size that overflows fails.
 */
#define kmalloc_obj(...)	KMALLOC_OBJ_(kmalloc, __VA_ARGS__, GFP_KERNEL, 0)
#define kzalloc_obj(...)	KMALLOC_OBJ_(kzalloc, __VA_ARGS__, GFP_KERNEL, 0)
#define kvmalloc_obj(...)	KMALLOC_OBJ_(kvmalloc, __VA_ARGS__, GFP_KERNEL, 0)
#define kvzalloc_obj(...)	KMALLOC_OBJ_(kvzalloc, __VA_ARGS__, GFP_KERNEL, 0)
#define kmalloc_objs(type, ...)	KMALLOC_OBJS_(kmalloc, type, __VA_ARGS__, GFP_KERNEL, 0)
#define kzalloc_objs(type, ...)	KMALLOC_OBJS_(kzalloc, type, __VA_ARGS__, GFP_KERNEL, 0)
#define kvmalloc_objs(type, ...) KMALLOC_OBJS_(kvmalloc, type, __VA_ARGS__, GFP_KERNEL, 0)
#define kvzalloc_objs(type, ...) KMALLOC_OBJS_(kvzalloc, type, __VA_ARGS__, GFP_KERNEL, 0)
#define kmalloc_flex(type, member, ...) \
	KMALLOC_FLEX_(kmalloc, type, member, __VA_ARGS__, GFP_KERNEL, 0)
#define kzalloc_flex(type, member, ...) \
	KMALLOC_FLEX_(kzalloc, type, member, __VA_ARGS__, GFP_KERNEL, 0)
#define kvmalloc_flex(type, member, ...) \
	KMALLOC_FLEX_(kvmalloc, type, member, __VA_ARGS__, GFP_KERNEL, 0)
#define kvzalloc_flex(type, member, ...) \
	KMALLOC_FLEX_(kvzalloc, type, member, __VA_ARGS__, GFP_KERNEL, 0)

#define KMALLOC_OBJ_(alloc, type, flags, ...) \
	((__typeof__(type) *)alloc(sizeof(type), flags))
#define KMALLOC_OBJS_(alloc, type, n, flags, ...) \
	((__typeof__(type) *)alloc(kmalloc_size_mul(sizeof(type), n), flags))
#define KMALLOC_FLEX_(alloc, type, member, n, flags, ...) \
	((__typeof__(type) *)alloc( \
		kmalloc_size_add(sizeof(type), \
				 kmalloc_size_mul(sizeof(((__typeof__(type) *)0)->member[0]), n)), \
		flags))

/** Names of older kernels. */
#define kzfree(p)		kfree_sensitive(p)

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The two hit paths. Layer: mm. One page that everything else exists for. No lock, no atomic
 * read-modify-write, no slab metadata, no option: what is special has no sheaf and misses.
 */
#ifndef KM_MM_SLUB_FAST_H
#define KM_MM_SLUB_FAST_H

#include "mm/pcpu.h"

/*
 * What an address says of the object that begins there, by its class, without a look at its slab.
 * Constant after start-up; all zero for what is no class.
 */
struct class_info {
	u32 lo, size;		/* the requests that it serves; the bytes of an object */
	/*
	 * ceil(2^64 / size): for offsets and sizes below 2^32 offset * multiplier mod 2^64 is below
	 * the multiplier where size divides the offset, and nowhere else.
	 */
	u64 multiplier;
	u32 limit;		/* where the objects end; 0 of what is no class */
	u32 mask;		/* of an address: its offset in the slab, which is aligned to its size */
	u64 unused;		/* as large as a cpu_cache, so that one offset serves for both */
};

static_assert(sizeof(struct class_info) == CPU_CACHE_SIZE, "see class_info_at()");

/*
 * A class that a program uses a few times only would cost it a page, a slab record and a sheaf.
 * So at first its requests miss, and are served by a coarse class, 64, 256, 1024 or 4096; once
 * what this wastes may be as much as a slab costs, the class gets slabs of its own. No object ever
 * changes its class, and nothing else knows of this. For malloc and its family alone: kmalloc()
 * says beforehand how large an object will be. Not for classic sizes, and not where an object needs
 * a look, which goes by its cache.
 */
struct class_start {
	u8 left;	/* requests before the class is used */
	u8 coarse;	/* the class that serves them */
};

extern struct class_start class_start[NR_CLASSES] __km(class_start)
	__attribute__((visibility("hidden")));

/* Where a missed request of malloc for s is to be served from. */
struct kmem_cache *coarse_cache(struct kmem_cache *s) __km(coarse_cache);

static inline struct kmem_cache *cache_or_coarse(struct kmem_cache *s, gfp_t gfp)
{
	if (likely(!READ_ONCE(class_start[s->index].left)) || !(gfp & __GFP_MALLOC))
		return s;
	return coarse_cache(s);
}

/* Every class is used from now on. */
void classes_started(void) __km(classes_started);

extern struct class_info class_info[NR_CLASSES] __km(class_info)
	__attribute__((visibility("hidden")));

/* Of the object of a kmalloc class that begins at p; NULL: a longer look is needed. */
static __always_inline const struct class_info *class_info_at(const void *p)
{
	const struct class_info *info;
	u64 offset;

	if (unlikely(!is_user_address(p)))
		return NULL;
	info = (const void *)((const char *)class_info + cache_offset_of(&hot_data, p));
	offset = (unsigned long)p & info->mask;
	return offset < info->limit && offset * info->multiplier < info->multiplier ? info : NULL;
}

/* What lies offset bytes into a slot. */
static __always_inline struct cpu_cache *cache_at(struct pcpu *c, unsigned long offset)
{
	return (struct cpu_cache *)(void *)((char *)c + offset);
}

/*
 * An object of the cache whose cpu_cache is at offset in a slot. NULL: a miss, and the slow path
 * gets *missed, with the busy mark set.
 */
static __always_inline void *slab_take(unsigned long offset, struct pcpu **missed)
{
	struct pcpu *c = cpu_enter();
	struct cpu_cache *cc = cache_at(c, offset);
	void **top = cc->top;
	void *object;

	if (unlikely(top == cc->start)) {
		*missed = c;
		return NULL;
	}
	object = *--top;
	WRITE_ONCE(cc->top, top);
	cpu_leave(c);
	if (!object)
		__builtin_unreachable();
	return object;
}

/* Of at least size bytes, whose cpu_cache is at offset; or NULL and ENOMEM. */
static __always_inline void *slab_alloc_at(unsigned long offset, size_t size, gfp_t gfp)
{
	struct pcpu *c;
	void *object = slab_take(offset, &c);

	return likely(object) ? object : slab_alloc_slow(size, c, gfp);
}

/* The same; size_class(size) is class. */
static __always_inline void *slab_alloc(unsigned int class, size_t size, gfp_t gfp)
{
	return slab_alloc_at(class * CPU_CACHE_SIZE, size, gfp);
}

/*
 * p is anything: only what lies in a pageblock of a kmalloc class gets past the first test. slow
 * gets the rest, with the busy mark set and what cpu_enter() returned.
 */
static __always_inline void slab_free_or(void *p, void (*slow)(void *p, struct pcpu *c))
{
	struct hot_data *hot = &hot_data;
	struct cpu_cache *cc;
	unsigned long offset;
	struct pcpu *c;
	void **top;

	if (unlikely(!is_user_address(p))) {
		slow(p, cpu_enter());
		return;
	}
	HIDE_VALUE(hot);
	offset = cache_offset_of(hot, p);
	c = cpu_enter_hot(hot);
	cc = cache_at(c, offset);
	top = cc->top;
	if (unlikely(top == cc->end) || unlikely(top[-1] == p)) {
		slow(p, c);
		return;
	}
	*top = p;
	WRITE_ONCE(cc->top, top + 1);
	cpu_leave(c);
}

static __always_inline void slab_free(void *p)
{
	slab_free_or(p, slab_free_slow);
}

#endif

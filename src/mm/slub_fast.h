/* SPDX-License-Identifier: MIT */
/*
 * The two hit paths. Layer: mm. One page that everything else exists for. No lock, no atomic
 * read-modify-write, no slab metadata, no option: what is special has no sheaf and misses.
 */
#ifndef KM_MM_SLUB_FAST_H
#define KM_MM_SLUB_FAST_H

#include "mm/pcpu.h"

/* An object of at least size bytes (size_class(size) is class), or NULL and ENOMEM. */
static __always_inline void *slab_alloc(unsigned int class, size_t size, gfp_t gfp)
{
	struct pcpu *c = cpu_enter();
	struct cpu_cache *cc = &c->cache[class];
	void **top = cc->top;
	void *object;

	if (unlikely(top == cc->start))
		return slab_alloc_slow(size, c, gfp);
	object = *--top;
	WRITE_ONCE(cc->top, top);
	cpu_leave(c);
	return object;
}

/*
 * p is anything: only what lies in a pageblock of a kmalloc class gets past the first test. slow
 * gets the rest, with the busy mark set and what cpu_enter() returned.
 */
static __always_inline void slab_free_or(void *p, void (*slow)(void *p, struct pcpu *c))
{
	struct hot_data *hot = &hot_data;
	struct cpu_cache *cc;
	unsigned long class;
	struct pcpu *c;
	void **top;

	if (unlikely(!is_user_address(p))) {
		slow(p, cpu_enter());
		return;
	}
	HIDE_VALUE(hot);
	class = class_of_user(hot, p);
	c = cpu_enter_hot(hot);
	cc = &c->cache[class];
	HIDE_VALUE(cc);
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

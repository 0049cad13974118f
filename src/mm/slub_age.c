// SPDX-License-Identifier: MIT
/*
 * Sheaves and barns that nobody uses any more, back to their slabs. Layer: mm. Leads in:
 * slab_look_around, once every few misses of a slot. Leads down: slab_flush_sheaves,
 * slab_flush_barn.
 *
 * A program that goes on with other sizes leaves objects of the old ones in sheaves and barns, each
 * of which may keep a slab, or a page of it, from going back. A slot that misses looks in turn at
 * its caches, one a time: sheaves whose main one stands as high as at the look before, without a
 * miss in between, were not used since, or as much one way as the other, and go. Nothing on a hit
 * counts for it. A cache's barn goes when the slots have looked at it, about twice each, since it
 * last gave or took a sheaf. What is flushed in error costs a refill, once for a turn of looks.
 *
 * The sheaves are the calling thread's own; the barn's counter is a hint that slots change without
 * a lock.
 */
#include "mm/pcpu.h"

#define LOOK_TRIES	4u	/* caches that a look passes over, as there is nothing */

static void age_sheaves(struct pcpu *c, struct kmem_cache *s)
{
	struct slab_sheaf *main = main_sheaf(cpu_cache(c, s));
	unsigned int height;

	if (!main)
		return;
	height = (unsigned int)(cpu_cache(c, s)->top - main->objects);
	if (main->seen == height)
		slab_flush_sheaves(c, s, true);
	else
		main->seen = (u16)height;
}

static void age_barn(struct pcpu *c, struct kmem_cache *s)
{
	unsigned int slots = atomic_load_explicit(&nr_cpus, memory_order_relaxed) -
			     atomic_load_explicit(&nr_dead_cpus, memory_order_relaxed);
	unsigned int looks = READ_ONCE(s->barn.looks) + 1;

	if (!READ_ONCE(s->barn.full))
		return;
	WRITE_ONCE(s->barn.looks, looks);
	if (looks > 2 * slots && cache_hold(s->index)) {
		slab_flush_barn(c, s);
		barn_reset_limit(s);
		cache_release(s->index);
	}
}

void slab_look_around(struct pcpu *c)
{
	unsigned int tries, i = c->looked_at;
	struct kmem_cache *s;

	for (tries = 0; tries < LOOK_TRIES; tries++) {
		if (++i >= READ_ONCE(nr_caches))
			i = 1;
		s = cache_nr(i);
		if (s && (READ_ONCE(cpu_cache(c, s)->start) || READ_ONCE(s->barn.full))) {
			age_sheaves(c, s);
			age_barn(c, s);
			break;
		}
	}
	c->looked_at = i;
}

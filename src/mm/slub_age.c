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

/* Whether there is something that could go. */
static bool has_sheaves(struct pcpu *c, const struct kmem_cache *s)
{
	struct cpu_cache *cc = cpu_cache(c, s);
	struct slab_sheaf *spare = READ_ONCE(cc->spare);

	return READ_ONCE(cc->top) != READ_ONCE(cc->start) || (spare && READ_ONCE(spare->count));
}

static void age_sheaves(struct pcpu *c, struct kmem_cache *s)
{
	struct slab_sheaf *main = main_sheaf(cpu_cache(c, s));
	unsigned int height;

	if (!main)
		return;
	height = (unsigned int)(cpu_cache(c, s)->top - main->objects);
	if (main->seen == height)
		slab_flush_sheaves(c, s, false);
	else
		main->seen = (u16)height;
}

/* Those of the API's caches wait for reclaim, as here nothing keeps one from being destroyed. */
static bool has_barn(const struct kmem_cache *s)
{
	return s->index < NR_CLASSES && READ_ONCE(s->barn.full);
}

static void age_barn(struct pcpu *c, struct kmem_cache *s)
{
	unsigned int looks = READ_ONCE(s->barn.looks) + 1;

	WRITE_ONCE(s->barn.looks, looks);
	if (looks <= 2 * nr_live_cpus())
		return;
	slab_flush_barn(c, s);
	barn_reset_limit(s);
}

void slab_look_around(struct pcpu *c)
{
	unsigned int tries, i = c->looked_at;
	struct kmem_cache *s;

	/* there is no lock to be had, so all that is freed would take the long way */
	if (READ_ONCE(fork_under_way))
		return;
	for (tries = 0; tries < LOOK_TRIES; tries++) {
		if (++i >= READ_ONCE(nr_caches))
			i = 1;
		s = cache_nr(i);
		if (!s || !(has_sheaves(c, s) || has_barn(s)))
			continue;
		if (has_sheaves(c, s))
			age_sheaves(c, s);
		if (has_barn(s))
			age_barn(c, s);
		break;
	}
	c->looked_at = i;
}

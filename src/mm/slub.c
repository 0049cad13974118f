// SPDX-License-Identifier: MIT
/*
 * Slabs: made, filled, emptied, released. Layer: mm. Leads in: current_slab, take_objects,
 * slab_put, all under the lock of the home. Leads down: alloc_block, free_block.
 *
 * Where an owned slab is (slab->where; its owner is slab->owner, a home; being in an inbox is
 * independent of that):
 *
 *   where         free objects   list               how it gets there
 *   SLAB_CURRENT  any            none; slabs.current  made, or taken from the partial list
 *   SLAB_PARTIAL  at least 1     slabs.partial      a full one got an object back
 *   SLAB_FULL     0              none               a refill took the last object and moved on
 *   (released)    all, debt 0    page allocator's   all came home; the home has others free
 *
 * Locks: a home's slabs, lists, counters and pageblocks belong to the holder of its lock (rank
 * LOCK_CPU): threads whose slots have that home take it once a miss, others try it. Sheaves belong
 * to the slot's thread without a lock. Below: barn, zone. A thread that cannot have its home's lock
 * (a fork is under way, or someone drains the inbox) does not wait long: it allocates from the
 * nolock slabs and frees by the remote path, both lock-free.
 */
#include "mm/pcpu.h"
#include "mm/fault_inject.h"
#include "mm/page_alloc.h"
#include "mm/purge.h"
#include "kernel/params.h"

/* bytes freed in a home's slabs before their pages are worth a look */
#define PURGE_PARTIAL_MIN	(128ul << 10)
#define FULLEST_TRIES	8u	/* partial slabs among which the fullest is taken from */

/* ---- slabs ---- */

static unsigned int slab_words(const struct kmem_cache *s)
{
	return (s->objects + 63) / 64;
}

static bool blocks_are_clean(unsigned long base, unsigned int blocks)
{
	unsigned int i;

	for (i = 0; i < blocks; i++)
		if (*dirty_mask(base + i * PAGEBLOCK_SIZE))
			return false;
	return true;
}

/*
 * The head pageblock's mem_map is ours alone; nobody can reach the slab before its class bytes
 * are set.
 */
void slab_init(struct slab *slab, struct kmem_cache *s, unsigned long base, struct slab_home *owner)
{
	struct page *page = (struct page *)(void *)slab;
	unsigned int i;

	/* state: a neighbour's merge may look at it */
	memset((char *)slab + 1, 0, SLAB_HEAD_SIZE - 1);
	slab->order = (u8)slab_order(s);
	slab->cache = s;
	slab->base = base;
	slab->nolock = !owner;
	slab->nfree = s->objects;
	slab->high_water = !s->ctor && blocks_are_clean(base, s->blocks) ? 0 : s->objects;
	bitmap_fill(free_map(slab), s->objects);
	atomic_store_explicit(&slab->owner, owner, memory_order_release);
	WRITE_ONCE(slab->state, PAGE_SLAB);
	VM_BUG_ON(!IS_ALIGNED(base, s->blocks * PAGEBLOCK_SIZE));
	/* of a class virt_to_slab() knows the blocks, and their records stay untouched */
	for (i = 1; i < s->blocks && s->index >= NR_CLASSES; i++) {
		WRITE_ONCE(page[i * PAGEBLOCK_FRAMES].state, PAGE_SLAB_TAIL);
		page[i * PAGEBLOCK_FRAMES].head_offset = i;
	}
	if (s->ctor)
		for (i = 0; i < s->objects; i++)
			s->ctor((void *)(base + (unsigned long)i * s->size));
	for (i = 0; i < s->blocks; i++)
		set_class(base + i * PAGEBLOCK_SIZE,
			  s->index < NR_CLASSES ? s->index : CLASS_OTHER);
	atomic_fetch_add_explicit(&s->nr_slabs, 1, memory_order_relaxed);
}

/* What a request for an object asks of the page allocator for a slab. */
static struct alloc_context slab_request(const struct kmem_cache *s, const struct alloc_context *ac)
{
	struct alloc_context request = *ac;

	request.gfp &= GFP_RECLAIM_MASK | GFP_CONSTRAINT_MASK;
	request.gfp |= s->allocflags | (ac->gfp & __GFP_MALLOC);
	return request;
}

static bool new_slab(struct slab_home *h, struct kmem_cache *s, struct alloc_context *ac)
{
	struct alloc_context request = slab_request(s, ac);
	struct cpu_slabs *cs = home_slabs(h, s);
	struct page *page;
	struct slab *slab;

	/* pageblocks that the home kept can fail like others */
	if (page_alloc_fails(&request, slab_order(s))) {
		ac->injected = true;
		return false;
	}
	if (s->blocks == 1 && h->nr_pcp && !(s->allocflags & GFP_ZONEMASK)) {
		page = list_first_entry(&h->pcp, struct page, list);
		list_del(&page->list);
		h->nr_pcp--;
	} else {
		page = alloc_block(slab_order(s), &request);
	}
	if (!page)
		return false;
	slab = (struct slab *)(void *)page;
	slab_init(slab, s, page_address(page), h);
	if (s->ctor)
		slab_mark_dirty(slab, 0, s->objects - 1);
	slab->where = SLAB_CURRENT;
	VM_BUG_ON(cs->current);
	cs->current = slab;
	WRITE_ONCE(cs->nr_slabs, cs->nr_slabs + 1);
	WRITE_ONCE(cs->nfree, cs->nfree + s->objects);
	WRITE_ONCE(h->free_bytes, h->free_bytes + (unsigned long)s->objects * s->size);
	return true;
}

static void slab_unlink(struct slab_home *h, struct slab *slab)
{
	struct cpu_slabs *cs = home_slabs(h, slab->cache);

	if (slab->where == SLAB_PARTIAL)
		list_del(&slab->list);
	else if (cs->current == slab)
		cs->current = NULL;
	WRITE_ONCE(cs->nr_slabs, cs->nr_slabs - 1);
	WRITE_ONCE(cs->nfree, cs->nfree - slab->nfree);
	WRITE_ONCE(h->free_bytes, h->free_bytes - (unsigned long)slab->nfree * slab->cache->size);
}

/* All objects are free and nobody is on the way to it (debt 0). */
static void slab_release(struct slab_home *h, struct slab *slab)
{
	struct kmem_cache *s = slab->cache;
	struct page *page = (struct page *)(void *)slab;
	unsigned long base = slab->base, freed = (unsigned long)slab->freed * s->size;
	unsigned int order = slab->order, i;

	VM_BUG_ON(slab->nfree != s->objects || slab->debt || slab->in_inbox || slab->nolock);
	VM_BUG_ON(atomic_load(&slab->pending));
	slab_unlink(h, slab);
	if (s->ctor && param_choice(PARAM_init_on_free))	/* others were cleared one by one */
		memset((void *)base, 0, s->blocks * PAGEBLOCK_SIZE);
	h->freed_bytes -= MIN(h->freed_bytes, freed);
	for (i = 0; i < s->blocks; i++) {
		set_class(base + i * PAGEBLOCK_SIZE, CLASS_FOREIGN);
		if (i && s->index < NR_CLASSES)
			continue;
		WRITE_ONCE(page[i * PAGEBLOCK_FRAMES].state, PAGE_NONE);
		page[i * PAGEBLOCK_FRAMES].head_offset = 0;
	}
	for (i = 0; i < slab_words(s); i++)
		VM_BUG_ON(atomic_load(&remote_map(slab)[i]));
	memset(free_map(slab), 0, slab_words(s) * sizeof(u64));
	memset((char *)slab + 1, 0, SLAB_HEAD_SIZE - 1);
	WRITE_ONCE(page->state, PAGE_USED);
	page->order = (u8)order;
	page->virtual = base;
	atomic_fetch_sub_explicit(&s->nr_slabs, 1, memory_order_relaxed);
	if (s->blocks == 1 && h->nr_pcp < PCP_MAX_BLOCKS && !(s->allocflags & GFP_ZONEMASK)) {
		list_add(&page->list, &h->pcp);
		h->nr_pcp++;
	} else {
		free_block(page, order);
	}
}

static void drain_pcp(struct slab_home *h)
{
	while (h->nr_pcp) {
		struct page *page = list_last_entry(&h->pcp, struct page, list);

		list_del(&page->list);
		h->nr_pcp--;
		free_block(page, PAGEBLOCK_ORDER);
	}
}

/*
 * In a correct program debt 0 implies pending 0. Where an object was freed twice by different
 * threads, the slab may be in an inbox all the same: it stays until the report.
 */
static bool may_release(struct slab *slab)
{
	return slab->nfree == slab->cache->objects && !slab->debt &&
		!atomic_load_explicit(&slab->pending, memory_order_acquire);
}

static void count_put(struct slab_home *h, struct cpu_slabs *cs, const struct kmem_cache *s,
		      unsigned int n)
{
	WRITE_ONCE(cs->nfree, cs->nfree + n);
	WRITE_ONCE(h->free_bytes, h->free_bytes + (unsigned long)n * s->size);
	h->freed_bytes += (unsigned long)n * s->size;
}

void slab_put(struct slab_home *h, struct slab *slab, unsigned int n)
{
	struct kmem_cache *s = slab->cache;
	struct cpu_slabs *cs = home_slabs(h, s);

	slab->nfree += n;
	slab->freed += n;
	count_put(h, cs, s, n);
	if (slab->where == SLAB_FULL && slab->nfree) {
		slab->where = SLAB_PARTIAL;
		list_add(&slab->list, &cs->partial);
	}
	/*
	 * One slab's worth stays, so that a program at the boundary does not make and release
	 * slabs all day.
	 */
	if (may_release(slab) && cs->nfree - slab->nfree >= s->sheaf_usual)
		slab_release(h, slab);
}

/* The slab of s that is h's and has the object at addr, or NULL. */
static __always_inline struct slab *local_slab(struct slab_home *h, struct kmem_cache *s,
					       unsigned long addr)
{
	/* slabs are aligned to their size, a power of two */
	struct page *page = virt_to_page(addr & ~(s->blocks * PAGEBLOCK_SIZE - 1));
	struct slab *slab = (struct slab *)(void *)page;

	if (unlikely(!page || slab->state != PAGE_SLAB || slab->cache != s) ||
	    atomic_load_explicit(&slab->owner, memory_order_relaxed) != h)
		return NULL;
	return slab;
}

/* What slab_put() does, but that counts of the home wait in *put. */
static __always_inline void put_run(struct slab_home *h, struct cpu_slabs *cs, struct slab *slab,
				    unsigned int n, unsigned int *put)
{
	struct kmem_cache *s = slab->cache;

	slab->nfree += n;
	slab->freed += n;
	*put += n;
	if (unlikely(slab->where == SLAB_FULL)) {
		slab->where = SLAB_PARTIAL;
		list_add(&slab->list, &cs->partial);
	}
	if (likely(slab->nfree != s->objects) ||
	    cs->nfree + *put - slab->nfree < s->sheaf_usual || !may_release(slab))
		return;
	count_put(h, cs, s, *put);
	*put = 0;
	slab_release(h, slab);
}

unsigned int slab_put_objects(struct slab_home *h, struct kmem_cache *s, void **objects,
			      unsigned int n)
{
	unsigned long base = 0, size = s->size, bytes = s->blocks * PAGEBLOCK_SIZE, nr = s->objects;
	struct cpu_slabs *cs = home_slabs(h, s);
	unsigned int i, run = 0, put = 0;
	u64 reciprocal = s->reciprocal;
	struct slab *slab = NULL;

	for (i = 0; i < n; i++) {
		unsigned long offset = (unsigned long)objects[i] - base, index, word;
		u64 bit, *map;

		if (unlikely(!slab) || offset >= bytes) {
			if (likely(slab && run))
				put_run(h, cs, slab, run, &put);
			run = 0;
			slab = local_slab(h, s, (unsigned long)objects[i]);
			if (unlikely(!slab))
				break;
			base = slab->base;
			offset = (unsigned long)objects[i] - base;
		}
		index = offset * reciprocal >> 40;
		if (unlikely(index >= nr) || unlikely(offset != index * size))
			break;
		word = index / 64;
		map = free_map(slab) + word;
		bit = 1ull << index % 64;
		if (unlikely(*map & bit))
			break;
		*map |= bit;
		if (word < slab->hint)
			slab->hint = (u32)word;
		run++;
	}
	if (likely(slab && run))
		put_run(h, cs, slab, run, &put);
	count_put(h, cs, s, put);
	return i;
}

void slab_release_empty_of(struct slab_home *h, struct kmem_cache *s)
{
	struct cpu_slabs *cs = home_slabs(h, s);
	struct slab *slab, *n;

	if (!cs->nr_slabs)
		return;
	list_for_each_entry_safe(slab, n, &cs->partial, list)
		if (may_release(slab))
			slab_release(h, slab);
	slab = cs->current;
	if (slab && may_release(slab))
		slab_release(h, slab);
}

void slab_release_empty(struct slab_home *h)
{
	struct kmem_cache *s;
	unsigned int i;

	for_each_cache(s, i)
		slab_release_empty_of(h, s);
	drain_pcp(h);
}

/* ---- pages inside slabs ---- */

/* Objects first..last were handed out: their frames may hold memory from now on. */
void slab_mark_dirty(struct slab *slab, unsigned int first, unsigned int last)
{
	unsigned long size = slab->cache->size;
	unsigned long from = first * size >> FRAME_SHIFT,
		      to = ((last + 1) * size - 1) >> FRAME_SHIFT;
	long refault = 0;

	while (from <= to) {
		unsigned int bit = from % PAGEBLOCK_FRAMES;
		unsigned int n =
			(unsigned int)MIN(to - from + 1, (unsigned long)PAGEBLOCK_FRAMES - bit);
		u16 *mask = dirty_mask(slab->base + (from << FRAME_SHIFT));
		u16 bits = (u16)bit_range(bit, n);

		if (unlikely(slab->purged))
			refault += hweight64((u16)(bits & ~*mask));
		*mask |= bits;
		from += n;
	}
	if (unlikely(refault))
		purge_account_refault(refault);
}

/* Gives back every page of the slab whose objects are all free in map; frames. */
unsigned long slab_dontneed_free(struct slab *slab, const u64 *map)
{
	struct kmem_cache *s = slab->cache;
	unsigned long size = s->size, end = ALIGN_UP((unsigned long)s->objects * size, PAGE_SIZE);
	unsigned long page_frames = PAGE_SIZE >> FRAME_SHIFT, run = 0, off, purged = 0;
	u16 page_bits = (u16)bit_range(0, (unsigned int)page_frames);

	for (off = 0; off <= end; off += PAGE_SIZE) {
		bool free = false;

		if (off < end) {
			u16 mask = (u16)(*dirty_mask(slab->base + off) >>
					 (off >> FRAME_SHIFT) % PAGEBLOCK_FRAMES);
			unsigned int to = (unsigned int)MIN((off + PAGE_SIZE - 1) / size + 1,
							    (unsigned long)s->objects);

			free = (mask & page_bits) &&
			       bitmap_all_set(map, (unsigned int)(off / size), to);
		}
		if (free) {
			run += PAGE_SIZE;
			continue;
		}
		if (run && os_dontneed((void *)(slab->base + off - run), run)) {
			purged += run >> FRAME_SHIFT;
			for (; run; run -= PAGE_SIZE)
				*dirty_mask(slab->base + off - run) &=
					(u16) ~(page_bits
						<< ((off - run) >> FRAME_SHIFT) % PAGEBLOCK_FRAMES);
		}
		run = 0;
	}
	return purged;
}

static unsigned long purge_one_partial(struct slab *slab)
{
	unsigned long n;

	if (!slab->freed)
		return 0;
	n = slab_dontneed_free(slab, free_map(slab));
	slab->freed = 0;
	slab->purged |= n != 0;
	return n;
}

unsigned long slab_purge_partial(struct slab_home *h)
{
	struct kmem_cache *s;
	unsigned long n = 0;
	unsigned int i;

	for_each_cache(s, i) {
		struct cpu_slabs *cs = home_slabs(h, s);
		struct slab *slab;

		if (!cs->nfree || s->ctor)	/* constructed objects stay as they are */
			continue;
		if (cs->current)
			n += purge_one_partial(cs->current);
		list_for_each_entry(slab, &cs->partial, list)
			n += purge_one_partial(slab);
	}
	h->freed_bytes = 0;
	purge_account_purged((long)n);
	return n;
}

void slab_purge_partial_check(struct slab_home *h)
{
	long limit;

	if (likely(h->freed_bytes < (purge_is_always() ? PAGEBLOCK_SIZE : PURGE_PARTIAL_MIN)))
		return;
	limit = purge_limit();
	if (limit == LONG_MAX)
		return;
	/* the budget is that of all homes */
	limit /= (long)atomic_load_explicit(&nr_homes, memory_order_relaxed);
	if ((long)(h->freed_bytes >> FRAME_SHIFT) <= limit && !purge_is_always())
		return;
	slab_purge_partial(h);
}

/* ---- allocation ---- */

/* The lowest address, last in the array, is handed out first. */
unsigned int take_objects(struct slab_home *h, struct slab *slab, void **end, unsigned int want)
{
	struct kmem_cache *s = slab->cache;
	unsigned int w, words = slab_words(s), got = 0, first = 0, last = 0, back;
	unsigned long size = s->size;
	u64 *map = free_map(slab);

	for (w = slab->hint; w < words && got < want; w++) {
		unsigned long word_base = slab->base + (unsigned long)w * 64 * size;
		u64 bits = map[w];

		if (!bits)
			continue;
		if (!got)
			first = w * 64 + __ffs64(bits);
		while (bits && got < want) {
			unsigned int bit = __ffs64(bits);

			bits &= bits - 1;
			last = w * 64 + bit;
			*--end = (void *)(word_base + bit * size);
			got++;
		}
		map[w] = bits;
		if (bits)
			break;
	}
	slab->hint = w;
	slab->nfree -= got;
	back = MIN(slab->freed, got);	/* what was freed last is mostly what is taken first */
	slab->freed -= back;
	h->freed_bytes -= MIN(h->freed_bytes, back * size);
	WRITE_ONCE(home_slabs(h, s)->nfree, home_slabs(h, s)->nfree - got);
	WRITE_ONCE(h->free_bytes, h->free_bytes - got * size);
	if (!got)
		return 0;
	if (last >= slab->high_water)
		slab->high_water = last + 1;
	slab_mark_dirty(slab, first, last);
	return got;
}

/* Of the next few: those with fewer objects in use have the time to become empty. */
static struct slab *fullest(struct cpu_slabs *cs)
{
	struct slab *slab, *best = list_first_entry(&cs->partial, struct slab, list);
	unsigned int tries = FULLEST_TRIES;

	list_for_each_entry(slab, &cs->partial, list) {
		if (slab->nfree < best->nfree)
			best = slab;
		if (!--tries)
			break;
	}
	return best;
}

struct slab *current_slab(struct slab_home *h, struct kmem_cache *s, struct alloc_context *ac,
			  bool may_make)
{
	struct cpu_slabs *cs = home_slabs(h, s);

	if (unlikely(!cs->partial.next))
		INIT_LIST_HEAD(&cs->partial);
	for (;;) {
		struct slab *slab = cs->current;

		if (slab && slab->nfree)
			return slab;
		if (slab) {
			slab->where = SLAB_FULL;
			cs->current = NULL;
		}
		if (!list_empty(&cs->partial)) {
			slab = fullest(cs);
			list_del(&slab->list);
			slab->where = SLAB_CURRENT;
			cs->current = slab;
			continue;
		}
		if (!may_make)
			return NULL;
		if (home_adopt(h, s))
			continue;
		if (!new_slab(h, s, ac))
			return NULL;
	}
}

void *take_fresh(struct slab_home *h, struct kmem_cache *s, struct alloc_context *ac)
{
	void *object = NULL;
	struct slab *slab;

	if (READ_ONCE(s->barn.full) || !spin_lock(&h->lock))
		return NULL;
	home_drain_inbox(h);
	slab = current_slab(h, s, ac, true);
	/*
	 * where objects came back, they are used first: clearing one is cheaper than touching
	 * another page
	 */
	if (slab && slab->high_water < s->objects && slab->nfree == s->objects - slab->high_water) {
		unsigned int index = slab->high_water;

		VM_BUG_ON(!test_bit(index, free_map(slab)));
		free_map(slab)[index / 64] &= ~(1ull << index % 64);
		slab->nfree--;
		WRITE_ONCE(home_slabs(h, s)->nfree, home_slabs(h, s)->nfree - 1);
		WRITE_ONCE(h->free_bytes, h->free_bytes - s->size);
		slab->high_water = index + 1;
		slab_mark_dirty(slab, index, index);
		object = (void *)(slab->base + (unsigned long)index * s->size);
	}
	spin_unlock(&h->lock);
	return object;
}

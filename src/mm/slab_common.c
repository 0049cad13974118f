// SPDX-License-Identifier: MIT
/*
 * The table of kmalloc caches, object numbers, sheaves and barns. Layer: mm.
 *
 * A barn is a cache's stock of full and empty sheaves, under barn->lock (rank LOCK_BARN);
 * objects in it belong to nobody's slot, so memory freed by one thread reaches another 64
 * objects at a time. Sheaves are never unmapped.
 */
#include "mm/slab.h"
#include "mm/fault_inject.h"
#include "mm/gfp_policy.h"
#include "mm/meta.h"
#include "mm/slub_fast.h"
#include "kernel/params.h"
#include "kernel/printk.h"
#include "lib/format.h"

#define EMPTY_TRIES	8u	/* empty sheaves of a barn looked at for one that is large enough */
#define STAGGERED_FROM	(14336u + 1)	/* the smallest request that gets a staggered class */

struct kmem_cache kmalloc_caches[NR_CLASSES];
struct class_info class_info[NR_CLASSES];
struct class_start class_start[NR_CLASSES];
unsigned int nr_kmalloc_caches;
struct kmem_cache *cache_table[NR_CACHES];
unsigned int nr_caches;
u8 size_class_large[KMALLOC_MAX_CACHE_SIZE / 128 + 1];
u8 size_class_natural[KMALLOC_MAX_CACHE_SIZE / 128 + 1];

static const unsigned int default_sizes[] = {
#define KMALLOC_SIZE(n) n,
#include "mm/kmalloc_sizes.h"
#undef KMALLOC_SIZE
};

static const unsigned int staggered_sizes[] = {
#define KMALLOC_STAGGERED_SIZE(n) n,
#include "mm/kmalloc_sizes.h"
#undef KMALLOC_STAGGERED_SIZE
};

static const unsigned int classic_sizes[] = {
#define KMALLOC_CLASSIC_SIZE(n) n,
#include "mm/kmalloc_sizes.h"
#undef KMALLOC_CLASSIC_SIZE
};

static_assert(ARRAY_SIZE(default_sizes) + ARRAY_SIZE(staggered_sizes) <= CLASS_OTHER - 1,
	      "at most 62 kmalloc caches");
static_assert(ARRAY_SIZE(classic_sizes) <= CLASS_OTHER - 1, "at most 62 kmalloc caches");
#define KMALLOC_SIZE(n) \
	static_assert((n) == 8 || (n) % ((n) > SMALL_SIZE_MAX ? 256 : 16) == 0, "see the rules");
#include "mm/kmalloc_sizes.h"
#undef KMALLOC_SIZE

void cache_layout(struct kmem_cache *s, unsigned int index, unsigned int size)
{
	unsigned int wanted = MAX(MIN(SLAB_MIN_OBJECTS * size, SLAB_MAX_BYTES), size);
	unsigned int blocks =
		(unsigned int)roundup_pow_of_two(DIV_ROUND_UP(wanted, PAGEBLOCK_SIZE));
	unsigned int capacity = MAX(2u, MIN(SHEAF_MOST, SHEAF_MAX_BYTES / size));

	/* in a record that is used again: who walks the table may be late and reads these */
	WRITE_ONCE(s->size, size);
	WRITE_ONCE(s->index, index);
	s->reciprocal = DIV_ROUND_UP(1ul << 40, size);
	WRITE_ONCE(s->blocks, blocks);
	WRITE_ONCE(s->objects,
		   MIN((unsigned int)(blocks * PAGEBLOCK_SIZE / size), SLAB_MAX_OBJECTS));
	WRITE_ONCE(s->sheaf_capacity, capacity);
	s->sheaf_usual = MIN(capacity, MAX(2u, MIN(SHEAF_USUAL, SHEAF_USUAL_BYTES / size)));
	s->sheaf_first = MIN(s->sheaf_usual, SHEAF_FIRST);
	s->max_objects = MAX(1u, MIN(BARN_MAX_OBJECTS, BARN_MAX_BYTES / size));
	barn_reset_limit(s);
	WRITE_ONCE(s->cpu_offset,
		   (u32)(index < NR_CLASSES ?
			 offsetof(struct pcpu, cache) + index * CPU_CACHE_SIZE :
			 offsetof(struct pcpu, more_cache) +
			 (index - NR_CLASSES) * CPU_CACHE_SIZE));
}

#define CHECK_FREES \
	(SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER | SLAB_TRACE)

bool cache_needs_looks(const struct kmem_cache *s)
{
	return s->flags & (CHECK_FREES | SLAB_NOLEAKTRACE) || s->per_object ||
	       param_choice(PARAM_init_on_alloc) || param_choice(PARAM_init_on_free);
}

/* Who changes what is active does this afterwards; who stored last has looked last. */
void cache_choose_sheaves(struct kmem_cache *s)
{
	bool marked = s->flags & SLAB_FAILSLAB, faults;

	s->check_frees = s->flags & CHECK_FREES;
	do {
		faults = fault_reaches_cache(marked);
		__atomic_store_n(&s->no_sheaves, faults || cache_needs_looks(s), __ATOMIC_SEQ_CST);
	} while (faults != fault_reaches_cache(marked));
}

static void class_init(unsigned int index, unsigned int lo, unsigned int size)
{
	static char names[NR_CLASSES][16];
	struct kmem_cache *s = &kmalloc_caches[index];

	cache_layout(s, index, size);
	class_info[index] = (struct class_info){
		.lo = lo,
		.size = size,
		.multiplier = UINT64_MAX / size + 1,
		.limit = s->objects * size,
		.mask = (u32)(s->blocks * PAGEBLOCK_SIZE - 1),
	};
	s->object_size = size;
	s->flags = SLAB_KMALLOC;
	if (size >= 1024 && size % 1024 == 0)
		scnprintf(names[index], sizeof(names[0]), "kmalloc-%uk", size / 1024);
	else
		scnprintf(names[index], sizeof(names[0]), "kmalloc-%u", size);
	s->name = names[index];
	if (param_given(PARAM_failslab_cache_filter) && fault_cache_is_marked(s->name))
		s->flags |= SLAB_FAILSLAB;
	s->per_object = gfp_policy_active && gfp_policy_per_object(s->name, lo, size);
	cache_choose_sheaves(s);
	cache_table[index] = s;
}

/*
 * Sizes in (sizes[i - 1], sizes[i]] get class first + i, from the step of the smallest of them
 * on.
 */
static void fill_table(u8 *table, unsigned int from, const unsigned int *sizes, unsigned int n,
		       unsigned int first)
{
	unsigned int i, step = DIV_ROUND_UP(from, 128u);

	for (i = 0; i < n; i++)
		for (; step <= MIN(sizes[i], KMALLOC_MAX_CACHE_SIZE) / 128; step++)
			table[step] = (u8)(first + i);
}

#define START_WASTE	5120u	/* what the first slab of a class costs, about */
#define START_MOST	32u

/* sizes[i] is of class i + 1. */
static void class_start_init(const unsigned int *sizes, unsigned int n)
{
	static const unsigned int coarse_sizes[] = { 64, 256, 1024, 4096 };
	unsigned int i, k, next = 0;

	for (i = 0; i < ARRAY_SIZE(coarse_sizes); i++) {
		for (k = next; k < n && sizes[k] < coarse_sizes[i];)
			k++;
		if (k == n || sizes[k] != coarse_sizes[i])
			continue;
		for (; next < k; next++) {
			class_start[next + 1].left =
				(u8)MIN(START_MOST, START_WASTE / (sizes[k] - sizes[next]));
			class_start[next + 1].coarse = (u8)(k + 1);
		}
		next = k + 1;
	}
}

struct kmem_cache *coarse_cache(struct kmem_cache *s)
{
	struct class_start *start = &class_start[s->index];
	struct kmem_cache *coarse = &kmalloc_caches[start->coarse];
	u8 left = READ_ONCE(start->left);

	if (!left || READ_ONCE(s->no_sheaves) || READ_ONCE(coarse->no_sheaves) || gfp_policy_active)
		return s;
	WRITE_ONCE(start->left, left - 1);	/* of two at once one may be lost */
	return coarse;
}

void classes_started(void)
{
	unsigned int i;

	for (i = 0; i < NR_CLASSES; i++)
		WRITE_ONCE(class_start[i].left, 0);
}

void kmalloc_caches_init(bool classic)
{
	const unsigned int *sizes = classic ? classic_sizes : default_sizes;
	unsigned int i, n = classic ? ARRAY_SIZE(classic_sizes) : ARRAY_SIZE(default_sizes),
			step = 0;

	for (i = 0; i < n; i++)
		class_init(i + 1, i ? sizes[i - 1] + 1 : 0, sizes[i]);
	for (i = 0; i < n; i++)
		for (; step <= MIN(sizes[i], SMALL_SIZE_MAX) / 8; step++)
			hot_data.size_cache_small[step] = (u16)((i + 1) * CPU_CACHE_SIZE);
	fill_table(size_class_natural, 0, sizes, n, 1);
	fill_table(size_class_large, 0, sizes, n, 1);
	if (!classic) {
		class_start_init(sizes, n);
		for (i = 0; i < ARRAY_SIZE(staggered_sizes); i++)
			class_init(n + i + 1, i ? staggered_sizes[i - 1] + 1 : STAGGERED_FROM,
				   staggered_sizes[i]);
		fill_table(size_class_large, STAGGERED_FROM, staggered_sizes,
			   ARRAY_SIZE(staggered_sizes), n + 1);
		n += ARRAY_SIZE(staggered_sizes);
	}
	nr_kmalloc_caches = n;
	nr_caches = NR_CLASSES;
}

struct slab *virt_to_slab(unsigned long addr)
{
	unsigned int class = class_of((void *)addr);
	unsigned long align = class == CLASS_FOREIGN || class == CLASS_OTHER ?
		PAGEBLOCK_SIZE : kmalloc_caches[class].blocks * PAGEBLOCK_SIZE;
	struct page *page = virt_to_page(ALIGN_DOWN(addr, align));

	if (!page)
		return NULL;
	if (page->state == PAGE_SLAB_TAIL)
		page -= (size_t)page->head_offset * PAGEBLOCK_FRAMES;
	return page->state == PAGE_SLAB ? (struct slab *)(void *)page : NULL;
}

void report_double_free(struct slab *slab, const void *p)
{
	report_bug("%s: double free of %p", slab->cache->name, p);
}

bool slab_object_index(struct slab *slab, const void *p, unsigned int *index)
{
	struct kmem_cache *s = slab->cache;
	unsigned long offset = (unsigned long)p - slab->base;
	unsigned int i = (unsigned int)(offset * s->reciprocal >> 40);

	*index = i;
	if (likely(offset == (unsigned long)i * s->size && i < s->objects))
		return true;
	if (i < s->objects)
		report_bug("%s: invalid free of %p, %lu bytes inside the object at %p", s->name, p,
			   offset - (unsigned long)i * s->size,
			   (void *)(slab->base + (unsigned long)i * s->size));
	else
		report_bug("%s: invalid free of %p, which is behind the last object of a slab",
			   s->name, p);
	return false;
}

static struct slab_sheaf *pop_sheaf(struct slab_sheaf **stack)
{
	struct slab_sheaf *sheaf = *stack;

	if (sheaf)
		WRITE_ONCE(*stack, sheaf->next);
	return sheaf;
}

static void push_sheaf(struct slab_sheaf **stack, struct slab_sheaf *sheaf)
{
	sheaf->next = *stack;
	WRITE_ONCE(*stack, sheaf);
}

/* An empty one of the barn, whose lock is held, for at least so many objects. */
static struct slab_sheaf *pop_empty(struct node_barn *barn, unsigned int capacity)
{
	struct slab_sheaf *sheaf, **link = &barn->empty;
	unsigned int tries;

	for (tries = 0; (sheaf = *link) && tries < EMPTY_TRIES; tries++) {
		if (sheaf->capacity >= capacity)
			return pop_sheaf(link);
		link = &sheaf->next;
	}
	return NULL;
}

static struct slab_sheaf *make_sheaf(unsigned int capacity)
{
	struct slab_sheaf *sheaf = meta_alloc(sizeof(*sheaf) + capacity * sizeof(void *), 64);

	if (sheaf)
		sheaf->capacity = (u16)capacity;
	return sheaf;
}

static struct slab_sheaf *new_sheaf(struct kmem_cache *s, unsigned int capacity)
{
	struct slab_sheaf *sheaf = NULL;

	if (READ_ONCE(s->barn.empty) && spin_lock(&s->barn.lock)) {
		sheaf = pop_empty(&s->barn, capacity);
		spin_unlock(&s->barn.lock);
	}
	return sheaf ? sheaf : make_sheaf(capacity);
}

struct slab_sheaf *alloc_empty_sheaf(struct kmem_cache *s, unsigned int capacity)
{
	return new_sheaf(s, MIN(MAX(capacity, s->sheaf_first), s->sheaf_capacity));
}

struct slab_sheaf *alloc_larger_sheaf(struct kmem_cache *s, unsigned int than, unsigned int largest)
{
	if (than >= s->sheaf_capacity)
		return NULL;
	return new_sheaf(s, MIN(next_capacity(largest), s->sheaf_capacity));
}

struct slab_sheaf *barn_get_full(struct kmem_cache *s, struct slab_sheaf *empty)
{
	struct slab_sheaf *full = NULL;

	if (!READ_ONCE(s->barn.full) || !spin_lock(&s->barn.lock))
		return NULL;
	full = pop_sheaf(&s->barn.full);
	if (full) {
		WRITE_ONCE(s->barn.nr_full, s->barn.nr_full - 1);
		WRITE_ONCE(s->barn.nr_objects, s->barn.nr_objects - full->count);
		WRITE_ONCE(s->barn.looks, 0);
		WRITE_ONCE(s->barn.limit, MIN(2 * s->barn.limit, s->max_objects));
		if (empty)
			push_sheaf(&s->barn.empty, empty);
	}
	spin_unlock(&s->barn.lock);
	return full;
}

struct slab_sheaf *barn_put_full(struct kmem_cache *s, struct slab_sheaf *full)
{
	struct slab_sheaf *empty = NULL;

	if (!spin_lock(&s->barn.lock))
		return NULL;
	if (barn_has_room(s, full->count)) {
		empty = pop_empty(&s->barn, full->capacity);
		if (!empty)
			empty = make_sheaf(full->capacity);
	}
	if (empty) {
		push_sheaf(&s->barn.full, full);
		WRITE_ONCE(s->barn.nr_full, s->barn.nr_full + 1);
		WRITE_ONCE(s->barn.nr_objects, s->barn.nr_objects + full->count);
		WRITE_ONCE(s->barn.looks, 0);
	}
	spin_unlock(&s->barn.lock);
	return empty;
}

struct slab_sheaf *barn_take_all_full(struct kmem_cache *s)
{
	struct slab_sheaf *all;

	if (!READ_ONCE(s->barn.full) || !spin_lock(&s->barn.lock))
		return NULL;
	all = s->barn.full;
	WRITE_ONCE(s->barn.full, NULL);
	WRITE_ONCE(s->barn.nr_full, 0);
	WRITE_ONCE(s->barn.nr_objects, 0);
	spin_unlock(&s->barn.lock);
	return all;
}

void barn_put_empty(struct kmem_cache *s, struct slab_sheaf *sheaf)
{
	if (!spin_lock(&s->barn.lock))
		return;	/* a sheaf's memory is lost: only while a fork is under way */
	push_sheaf(&s->barn.empty, sheaf);
	spin_unlock(&s->barn.lock);
}

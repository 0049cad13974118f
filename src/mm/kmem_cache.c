// SPDX-License-Identifier: MIT
/*
 * Caches of the API: created, merged, destroyed; the typed kmalloc caches. Layer: mm.
 *
 * A record has a number above the classes, which is its place in every slot's tables, in
 * cache_table while it lives. slab_mutex (rank LOCK_SLAB, never held while a home's lock is
 * waited for in an allocation) guards the table, reference counts and the list of unused
 * records. Records, and the sheaves that their barns hold, are never unmapped: a destroyed cache
 * waits, with its empty sheaves, for the next one of the same sheaf capacity.
 *
 * Destruction: the program promises that nobody uses the cache. What other threads still have in
 * their sheaves is taken from there under their homes' locks, which their own flushes of such
 * caches hold too. What then is not free lives: it is reported, and the cache, its record and
 * number are lost, so that a later free of those objects still works.
 */
#include "mm/fault_inject.h"
#include "mm/gfp_policy.h"
#include "mm/meta.h"
#include "mm/entry.h"
#include "mm/purge.h"
#include "mm/slub_fast.h"
#include "mm/util.h"
#include "kernel/params.h"
#include "kernel/printk.h"
#include "lib/format.h"
#include "os/os.h"

#define NAME_MAX_SHOWN	64u	/* a longer name is cut */
#define MUTEX_TRIES	1000u	/* of 100 us */
#define FORK_TRIES	20000u	/* the same while a fork is under way: about 3 s */
#define SHEAF_LIMIT	1024u	/* of kmem_cache_args.sheaf_capacity */
#define CACHE_LINE	64u
#define MIN_ALIGN	8u
#define LISTED_OBJECTS	16u	/* of those that remain: named one by one */
#define BAD_OBJECTS_SHOWN 10u	/* frees of what is another cache's: lines a process */
#define PARTIAL_BUCKETS	64u	/* of a sort, which must be short: the home is locked */

/* What slub does not need, behind the record. */
struct cache_details {
	char name[NAME_MAX_SHOWN];
	unsigned int align;
	int refcount;		/* merged caches share; < 0: never */
	unsigned int useroffset, usersize;
	bool typed;		/* of kmalloc_slab(): never destroyed */
	bool lost;		/* destroyed with objects in use */
	struct kmem_cache *next_unused;
};

struct record {
	struct kmem_cache cache;
	struct cache_details details;
};

spinlock_t slab_mutex;
static struct kmem_cache *unused_records;

enum kmalloc_type { TYPE_DMA, TYPE_RECLAIM, TYPE_CGROUP, NR_TYPES };
static struct kmem_cache *typed_caches[NR_TYPES][NR_CLASSES];

/* A fork of a large process may take seconds, during which who creates a cache can wait. */
static bool lock_mutex(void)
{
	unsigned int i, forks = 0;

	for (i = 0; i < MUTEX_TRIES && forks < FORK_TRIES; i++) {
		if (spin_lock(&slab_mutex))
			return true;
		if (spin_is_mine(&slab_mutex))
			return false;
		if (READ_ONCE(fork_under_way)) {
			i = 0;
			forks++;
		}
		os_sleep_us(100);
	}
	return false;
}

/* ---- records ---- */

static unsigned int default_capacity(unsigned int size)
{
	struct kmem_cache s;

	memset(&s, 0, sizeof(s));
	cache_layout(&s, NR_CLASSES, size);
	return s.sheaf_capacity;
}

/* slab_mutex held. A record with a number and a layout, not in the table yet; NULL: none left. */
static struct kmem_cache *get_record(unsigned int size, unsigned int capacity)
{
	struct kmem_cache **link = &unused_records, *s;
	bool given = capacity != 0;
	unsigned int i;

	for (i = NR_CLASSES; i < NR_CACHES && cache_table[i]; i++)
		;
	if (i == NR_CACHES)
		return NULL;
	if (!capacity)
		capacity = default_capacity(size);
	while ((s = *link) && s->sheaf_capacity != capacity)
		link = &s->details->next_unused;
	if (s) {
		struct cache_details *d = s->details;
		struct slab_sheaf *empty = s->barn.empty;

		*link = d->next_unused;
		/* what cache_layout() sets is never 0 in between: see there */
		memset(&s->object_size, 0, offsetof(struct kmem_cache, name) -
		       offsetof(struct kmem_cache, object_size));
		memset(d, 0, sizeof(*d));
		s->barn.empty = empty;
	} else {
		struct record *r = meta_alloc(sizeof(*r), 64);

		if (!r)
			return NULL;
		s = &r->cache;
		s->details = &r->details;
		s->name = r->details.name;
	}
	cache_layout(s, i, size);
	if (given) {	/* kmem_cache_args: so much, from the start */
		WRITE_ONCE(s->sheaf_capacity, capacity);
		s->sheaf_first = s->sheaf_usual = capacity;
	}
	return s;
}

static void publish(struct kmem_cache *s)
{
	cache_choose_sheaves(s);
	/* pairs: for_each_cache */
	__atomic_store_n(&cache_table[s->index], s, __ATOMIC_RELEASE);
	if (s->index >= nr_caches)
		WRITE_ONCE(nr_caches, s->index + 1);
	/* pairs: slab_sheaves_changed(), which may have missed it in the table just now */
	atomic_thread_fence(memory_order_seq_cst);
	cache_choose_sheaves(s);
}

static void unpublish(struct kmem_cache *s)
{
	WRITE_ONCE(cache_table[s->index], NULL);
	s->details->next_unused = unused_records;
	unused_records = s;
}

/* ---- typed kmalloc caches ---- */

static const struct {
	const char *prefix;
	gfp_t allocflags;
	slab_flags_t flags;
} types[NR_TYPES] = {
	{ "dma-kmalloc", __GFP_DMA, SLAB_CACHE_DMA },
	{ "kmalloc-rcl", __GFP_RECLAIMABLE, SLAB_RECLAIM_ACCOUNT },
	{ "kmalloc-cg", 0, SLAB_ACCOUNT },
};

/*
 * While the list is locked, or where no record is left, an object of the plain cache serves as well,
 * but for its address. A request waits for the list no longer than for other locks.
 */
static struct kmem_cache *make_typed(enum kmalloc_type type, unsigned int class)
{
	struct kmem_cache *s, *normal = &kmalloc_caches[class];
	struct kmem_cache *instead = type == TYPE_DMA ? NULL : normal;

	if (!spin_lock(&slab_mutex))
		return instead;
	s = typed_caches[type][class];
	if (!s) {
		s = get_record(normal->size, 0);
		if (s) {
			/* behind "kmalloc" */
			scnprintf(s->details->name, NAME_MAX_SHOWN, "%s%s", types[type].prefix,
				  normal->name + 7);
			s->object_size = normal->object_size;
			s->flags = SLAB_KMALLOC | types[type].flags | (normal->flags & SLAB_FAILSLAB);
			s->allocflags = types[type].allocflags;
			s->per_object = normal->per_object;
			s->details->refcount = -1;
			s->details->typed = true;
			publish(s);
			/* pairs: kmalloc_slab */
			__atomic_store_n(&typed_caches[type][class], s, __ATOMIC_RELEASE);
		}
	}
	spin_unlock(&slab_mutex);
	return s ? s : instead;
}

struct kmem_cache *kmalloc_slab(size_t size, gfp_t flags)
{
	unsigned int class;
	enum kmalloc_type type;
	struct kmem_cache *s;

	if (unlikely(!atomic_load_explicit(&mm_ready, memory_order_acquire)))
		mm_init();
	class = natural_size_class(size);
	if (flags & __GFP_DMA)
		type = TYPE_DMA;
	else if (flags & __GFP_RECLAIMABLE)
		type = TYPE_RECLAIM;
	else if (flags & __GFP_ACCOUNT)
		type = TYPE_CGROUP;
	else
		return &kmalloc_caches[class];
	s = __atomic_load_n(&typed_caches[type][class], __ATOMIC_ACQUIRE);
	return s ? s : make_typed(type, class);
}

/* ---- creation ---- */

#define DEBUG_FLAGS \
	(SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER | SLAB_TRACE)
#define NEVER_MERGE \
	(DEBUG_FLAGS | SLAB_TYPESAFE_BY_RCU | SLAB_NOLEAKTRACE | SLAB_FAILSLAB | SLAB_NO_MERGE)
#define MERGE_SAME \
	(SLAB_RECLAIM_ACCOUNT | SLAB_CACHE_DMA | SLAB_CACHE_DMA32 | SLAB_ACCOUNT)
#define PERMITTED_FLAGS \
	(DEBUG_FLAGS | MERGE_SAME | SLAB_HWCACHE_ALIGN | SLAB_PANIC | SLAB_TYPESAFE_BY_RCU | \
	 SLAB_NO_MERGE | SLAB_NO_USER_FLAGS | SLAB_NOLEAKTRACE | SLAB_DEBUG_OBJECTS | SLAB_SKIP_KFENCE | \
	 SLAB_KMALLOC)

static unsigned int calculate_alignment(slab_flags_t flags, unsigned int align, unsigned int size)
{
	if (flags & SLAB_HWCACHE_ALIGN) {
		unsigned int line = CACHE_LINE;

		while (size <= line / 2)
			line /= 2;
		align = MAX(align, line);
	}
	return ALIGN_UP(MAX(align, MIN_ALIGN), MIN_ALIGN);
}

/* Why the request is refused, or NULL. */
static const char *refusal(const char *name, unsigned int size, const struct kmem_cache_args *args,
			   slab_flags_t flags)
{
	if (!name || !*name)
		return "a cache needs a name";
	if (!size || size > KMALLOC_MAX_SIZE)
		return "the size is not between 1 and 4194304 bytes";
	if (args->align & (args->align - 1) || args->align > KMALLOC_MAX_SIZE)
		return "the alignment is not a power of two of at most 4194304";
	if (flags & SLAB_TYPESAFE_BY_RCU)
		return "SLAB_TYPESAFE_BY_RCU needs RCU, which there is not in user space: free "
		       "objects when no reader is left, or keep the cache and its type for ever";
	if (flags & ~PERMITTED_FLAGS)
		return "a flag is not one of those that a caller may give";
	if (args->use_freeptr_offset &&
	    (!args->ctor || args->freeptr_offset >= size || args->freeptr_offset % sizeof(void *)))
		return "freeptr_offset needs a constructor, and must be aligned and inside the object";
	if (args->sheaf_capacity > SHEAF_LIMIT)
		return "sheaf_capacity is above 1024";
	return NULL;
}

static struct kmem_cache *creation_failed(const char *name, slab_flags_t flags, int error,
					  const char *why)
{
	pr_warn("kmem_cache_create(%s) failed with error %d: %s", name ? name : "(null)", error,
		why);
	if (flags & SLAB_PANIC) {
		pr_warn("kmem_cache_create(%s): SLAB_PANIC was given", name ? name : "(null)");
		os_abort();
	}
	return NULL;
}

/* The caller's window, or none where it does not fit: nothing may be copied then. */
static void check_usercopy(const char *name, unsigned int size, struct kmem_cache_args *args)
{
	if (args->usersize ? args->usersize > size || args->useroffset > size - args->usersize :
			     args->useroffset != 0) {
		pr_warn("kmem_cache_create(%s): the usercopy region of %u bytes from %u does not lie "
			"in an object of %u; none is set", name, args->usersize, args->useroffset,
			size);
		args->useroffset = args->usersize = 0;
	}
}

static void check_name(const char *name)
{
	struct kmem_cache *s;
	unsigned int i;
	const char *p;

	for (p = name; *p; p++)
		if (*p == ' ') {
			pr_warn("kmem_cache_create(%s): a name with a blank breaks who parses the "
				"slab table", name);
			break;
		}
	for_each_cache(s, i) {
		if (text_equals(s->name, name) && (s->index < NR_CLASSES || !s->details->lost)) {
			pr_warn("kmem_cache_create(%s): there is a cache of that name", name);
			break;
		}
	}
}

/* slab_mutex held. A living cache that may serve as this one too; the newest first. */
static struct kmem_cache *find_mergeable(unsigned int size, unsigned int align,
					 const struct kmem_cache_args *args, slab_flags_t flags)
{
	unsigned int i;

	if (param_choice(PARAM_slab_nomerge) || args->ctor || args->usersize ||
	    args->sheaf_capacity || flags & NEVER_MERGE)
		return NULL;
	size = ALIGN_UP(ALIGN_UP(size, 8u), align);
	for (i = nr_caches; i-- > NR_CLASSES; ) {
		struct kmem_cache *s = cache_table[i];

		if (!s || s->details->refcount < 0 || s->ctor || s->details->usersize ||
		    s->flags & NEVER_MERGE || (s->flags ^ flags) & MERGE_SAME)
			continue;
		if (size <= s->size && s->size - size < sizeof(void *) && s->size % align == 0)
			return s;
	}
	return NULL;
}

static struct kmem_cache *new_cache(const char *name, unsigned int size, unsigned int align,
				    const struct kmem_cache_args *args, slab_flags_t flags)
{
	struct kmem_cache *s;

	s = get_record(ALIGN_UP(ALIGN_UP(size, 8u), align), args->sheaf_capacity);
	if (!s)
		return NULL;
	scnprintf(s->details->name, NAME_MAX_SHOWN, "%s", name);
	s->object_size = size;
	s->flags = flags;
	s->ctor = args->ctor;
	if (fault_cache_is_marked(s->name))
		s->flags |= SLAB_FAILSLAB;
	if (flags & SLAB_CACHE_DMA)
		s->allocflags |= __GFP_DMA;
	if (flags & SLAB_CACHE_DMA32)
		s->allocflags |= __GFP_DMA32;
	if (flags & SLAB_RECLAIM_ACCOUNT)
		s->allocflags |= __GFP_RECLAIMABLE;
	s->details->align = align;
	s->details->useroffset = args->useroffset;
	s->details->usersize = args->usersize;
	s->details->refcount = args->sheaf_capacity ? -1 : 1;
	publish(s);
	return s;
}

__km_export struct kmem_cache *__kmem_cache_create_args(const char *name, unsigned int object_size,
							const struct kmem_cache_args *given,
							slab_flags_t flags)
{
	struct kmem_cache_args args;
	unsigned int align, flags_before;
	struct kmem_cache *s;
	const char *why;

	if (unlikely(!atomic_load_explicit(&mm_ready, memory_order_acquire)))
		mm_init();
	memset(&args, 0, sizeof(args));
	if (given)
		args = *given;
	why = refusal(name, object_size, &args, flags);
	if (why)
		return creation_failed(name, flags, -22, why);	/* -EINVAL */
	check_usercopy(name, object_size, &args);
	check_name(name);
	align = calculate_alignment(flags, args.align, object_size);
	if (!lock_mutex())
		return creation_failed(name, flags, -12, "the list of caches is locked");
	flags_before = may_block_save();
	s = find_mergeable(object_size, align, &args, flags);
	if (s) {
		s->details->refcount++;
		s->object_size = MAX(s->object_size, object_size);
	} else {
		s = new_cache(name, object_size, align, &args, flags & ~SLAB_PANIC);
	}
	may_block_restore(flags_before);
	spin_unlock(&slab_mutex);
	if (!s)
		return creation_failed(name, flags, -12, "no memory, or 960 caches are in use");
	return s;
}

/* ---- shrinking, destruction ---- */

/* For as long as a fork may take; false: the lock is lost. */
static bool lock_home(struct slab_home *h)
{
	unsigned int i;

	for (i = 0; i < MUTEX_TRIES && !READ_ONCE(h->lock.lost); i++) {
		if (spin_lock(&h->lock))
			return true;
		os_sleep_us(100);
	}
	return false;
}

static void release_empty(struct slab_home *h, struct kmem_cache *s)
{
	home_drain_inbox(h);
	slab_release_empty_of(h, s);
	spin_unlock(&h->lock);
}

/* Nobody uses the cache: sheaves, barn, inboxes, empty slabs. */
static void collect_all(struct kmem_cache *s, struct pcpu *own)
{
	struct slab_home *h;
	unsigned int i;
	struct pcpu *c;

	for_each_cpu(c)
		for (i = 0; i < MUTEX_TRIES && !slab_flush_sheaves(c, s, true) &&
		     !READ_ONCE(c->home->lock.lost); i++)
			os_sleep_us(100);
	slab_flush_barn(own, s);
	for_each_home(h)
		if (lock_home(h))
			release_empty(h, s);
}

/* The same of a cache in use, as far as it may be taken. */
static void collect_some(struct kmem_cache *s, struct pcpu *own)
{
	struct slab_home *h;
	struct pcpu *c;

	if (own)
		slab_flush_sheaves(own, s, false);
	slab_flush_barn(own, s);
	for_each_cpu(c)
		if (c != own)
			WRITE_ONCE(c->flush_request, true);
	for_each_home(h)
		if (spin_trylock(&h->lock))
			release_empty(h, s);
}

/* The fullest slabs first, by PARTIAL_BUCKETS steps; the lock of the home is held. */
static void sort_list(struct kmem_cache *s, struct list_head *partial)
{
	struct list_head bucket[PARTIAL_BUCKETS];
	struct slab *slab, *n;
	unsigned int i;

	for (i = 0; i < PARTIAL_BUCKETS; i++)
		INIT_LIST_HEAD(&bucket[i]);
	list_for_each_entry_safe(slab, n, partial, list) {
		i = (unsigned int)((u64)slab->nfree * PARTIAL_BUCKETS / (s->objects + 1));
		list_del(&slab->list);
		list_add_tail(&slab->list, &bucket[i]);
	}
	for (i = 0; i < PARTIAL_BUCKETS; i++) {
		list_for_each_entry_safe(slab, n, &bucket[i], list) {
			list_del(&slab->list);
			list_add_tail(&slab->list, partial);
		}
	}
}

/* Of each home's partial list the fullest slabs first: they are filled up, the others empty. */
static void sort_partial(struct kmem_cache *s)
{
	struct slab_home *h;

	for_each_home(h) {
		struct cpu_slabs *cs = home_slabs(h, s);

		if (!READ_ONCE(cs->nr_slabs) || !spin_trylock(&h->lock))
			continue;
		if (cs->nr_slabs && !list_empty(&cs->partial))
			sort_list(s, &cs->partial);
		spin_unlock(&h->lock);
	}
}

__km_export int kmem_cache_shrink(struct kmem_cache *s)
{
	struct pcpu *entered = cpu_enter();

	if (entered != &busy_cpu) {
		fork_check();
		collect_some(s, entered == &empty_cpu ? NULL : entered);
		sort_partial(s);
		purge_check();
	}
	cpu_leave(entered);
	return atomic_load_explicit(&s->nr_slabs, memory_order_relaxed) != 0;
}

struct remaining {
	struct kmem_cache *s;
	unsigned int shown;
};

static void list_slab_objects(struct page *page, unsigned long addr, void *arg)
{
	struct slab *slab = (struct slab *)(void *)page;
	struct remaining *r = arg;
	unsigned int i;

	if (READ_ONCE(page->state) != PAGE_SLAB || slab->cache != r->s)
		return;
	for (i = 0; i < slab->cache->objects; i++) {
		if (test_bit(i, free_map(slab)))
			continue;
		if (r->shown++ < LISTED_OBJECTS)
			pr_cont("  Object 0x%lx @offset=%lu", addr + (unsigned long)i * r->s->size,
				(unsigned long)i * r->s->size);
	}
}

static void report_remaining(struct kmem_cache *s, const void *caller)
{
	struct remaining r = { s, 0 };

	pr_warn("%s: Objects remaining on __kmem_cache_shutdown()", s->name);
	memmap_for_each_block(list_slab_objects, &r);
	if (r.shown > LISTED_OBJECTS)
		pr_cont("  and %u more", r.shown - LISTED_OBJECTS);
	pr_warn("kmem_cache_destroy %s: Slab cache still has objects when called from %p", s->name,
		caller);
}

__km_export void kmem_cache_destroy(struct kmem_cache *s)
{
	struct pcpu *entered;
	bool empty;

	if (!s)
		return;
	if (s->index < NR_CLASSES || s->details->typed) {
		pr_warn("kmem_cache_destroy(%s): a kmalloc cache cannot be destroyed", s->name);
		return;
	}
	if (!lock_mutex()) {
		pr_warn("kmem_cache_destroy(%s): the list of caches is locked; it stays", s->name);
		return;
	}
	if (cache_table[s->index] != s) {
		spin_unlock(&slab_mutex);
		pr_warn("kmem_cache_destroy(%p): that cache was destroyed before", (void *)s);
		return;
	}
	if (s->details->refcount > 1) {
		s->details->refcount--;
		spin_unlock(&slab_mutex);
		return;
	}
	entered = cpu_enter();
	collect_all(s, entered == &busy_cpu || entered == &empty_cpu ? NULL : entered);
	nolock_release(s);
	cpu_leave(entered);
	empty = !atomic_load_explicit(&s->nr_slabs, memory_order_relaxed);
	if (empty) {
		unpublish(s);
	} else {
		s->details->refcount = -1;	/* never merged with */
		s->details->lost = true;
	}
	spin_unlock(&slab_mutex);
	if (!empty)
		report_remaining(s, __builtin_return_address(0));
}

/* ---- allocation ---- */

/* rest: of a bulk. */
static __always_inline void *cache_alloc(struct kmem_cache *s, gfp_t gfp, bool rest)
{
	struct pcpu *c = cpu_enter();
	struct cpu_cache *cc = cpu_cache(c, s);
	void **top = cc->top;
	void *object;

	if (unlikely(top == cc->start))
		return (rest ? cache_alloc_rest_slow : cache_alloc_slow)(s, c, gfp, s->object_size);
	object = *--top;
	WRITE_ONCE(cc->top, top);
	cpu_leave(c);
	return object;
}

static __cold void *cache_zalloc(struct kmem_cache *s, gfp_t gfp, bool rest)
{
	static bool warned;
	void *object;

	if (s->ctor && !warned) {
		warned = true;
		pr_warn("kmem_cache_alloc(%s): __GFP_ZERO clears what the constructor made",
			s->name);
	}
	object = cache_alloc(s, gfp & ~__GFP_ZERO, rest);
	if (object)
		memset(object, 0, s->object_size);
	return object;
}

__km_export __hot void *kmem_cache_alloc(struct kmem_cache *s, gfp_t gfp)
{
	if (unlikely(gfp & __GFP_ZERO))
		return cache_zalloc(s, gfp, false);
	return cache_alloc(s, gfp, false);
}

/* There is one node, 0; another one, asked for with __GFP_THISNODE, has no memory. */
__km_export void *kmem_cache_alloc_node(struct kmem_cache *s, gfp_t gfp, int node)
{
	if (node > 0 && gfp & __GFP_THISNODE)
		return NULL;
	return kmem_cache_alloc(s, gfp);
}

/*
 * p is not in a slab of s; what it is stays as it is. The kernel names the first such object
 * alone; the BAD_OBJECTS_SHOWN first are named here, as each may be another mistake.
 */
__cold void warn_bad_object(struct kmem_cache *s, const struct slab *slab, const void *p)
{
	static _Atomic unsigned int shown;
	unsigned int n = atomic_load_explicit(&shown, memory_order_relaxed);

	do {
		if (n > BAD_OBJECTS_SHOWN)
			return;
	} while (!atomic_compare_exchange_weak_explicit(&shown, &n, n + 1, memory_order_relaxed,
							memory_order_relaxed));
	if (n == BAD_OBJECTS_SHOWN)
		pr_warn("kmem_cache_free(%s, %p): another object of no slab of that cache; no more "
			"of them are named", s->name, p);
	else if (slab)
		pr_warn("kmem_cache_free(%s, %p): object belongs to different cache %s", s->name, p,
			slab->cache->name);
	else
		pr_warn("kmem_cache_free(%s, %p): object is not in a slab page", s->name, p);
}

static __cold void free_bad_object(struct kmem_cache *s, const void *p)
{
	warn_bad_object(s, class_of(p) == CLASS_FOREIGN ? NULL : virt_to_slab((unsigned long)p), p);
}

static __cold __attribute__((noinline)) void cache_free_slow(struct kmem_cache *s, void *p,
							     struct pcpu *c)
{
	struct slab *slab = is_user_address(p) ? virt_to_slab((unsigned long)p) : NULL;
	struct slow_entry e;

	slow_enter_free(&e, c);
	if (unlikely(!slab || slab->cache != s))
		free_bad_object(s, p);
	else
		cache_free_object(e.cpu, s, p);
	slow_leave(&e);
}

__km_export __hot void kmem_cache_free(struct kmem_cache *s, void *p)
{
	struct pcpu *c = cpu_enter();
	struct cpu_cache *cc = cpu_cache(c, s);
	void **top = cc->top;

	if (unlikely(top == cc->end) || unlikely(top[-1] == p) || unlikely(!p)) {
		cache_free_slow(s, p, c);
		return;
	}
	*top = p;
	WRITE_ONCE(cc->top, top + 1);
	cpu_leave(c);
}

__km_export unsigned int kmem_cache_size(struct kmem_cache *s)
{
	return s->object_size;
}

/* ---- bulk ---- */

/* Up to n objects of the main sheaf, in the order in which single calls would return them. */
static __always_inline size_t take_run(struct kmem_cache *s, void **p, size_t n)
{
	struct pcpu *c = cpu_enter();
	struct cpu_cache *cc = cpu_cache(c, s);
	void **top = cc->top;
	size_t i, run = MIN((size_t)(top - cc->start), n);

	for (i = 0; i < run; i++)
		p[i] = *--top;
	if (run)	/* the busy slot is never written to */
		WRITE_ONCE(cc->top, top);
	cpu_leave(c);
	return run;
}

/* Up to n objects onto the main sheaf: up to the first that is NULL or was freed just before. */
static __always_inline size_t put_run(struct kmem_cache *s, void **p, size_t n)
{
	struct pcpu *c = cpu_enter();
	struct cpu_cache *cc = cpu_cache(c, s);
	void **top = cc->top;
	size_t i, run = MIN((size_t)(cc->end - top), n);

	for (i = 0; i < run && likely(p[i] && top[-1] != p[i]); i++)
		*top++ = p[i];
	if (i)
		WRITE_ONCE(cc->top, top);
	cpu_leave(c);
	return i;
}

/* All or nothing; failslab decides once for all of them. */
__km_export __hot int kmem_cache_alloc_bulk(struct kmem_cache *s, gfp_t gfp, size_t n, void **p)
{
	size_t done = 0;

	while (done < n) {
		size_t run = likely(!(gfp & __GFP_ZERO)) ? take_run(s, p + done, n - done) : 0;

		done += run;
		if (done == n)
			break;
		/* the next one misses, and fills the sheaf */
		p[done] = gfp & __GFP_ZERO ? cache_zalloc(s, gfp, done) : cache_alloc(s, gfp, done);
		if (unlikely(!p[done])) {
			kmem_cache_free_bulk(s, done, p);
			return 0;
		}
		done++;
	}
	return (int)n;
}

static __cold void free_bulk_one(struct kmem_cache *s, void **p, size_t i)
{
	if (!p[i])
		pr_warn("kmem_cache_free_bulk(%s): element %zu is NULL", s ? s->name : "NULL", i);
	else if (s)
		kmem_cache_free(s, p[i]);
	else
		kfree(p[i]);
}

__km_export __hot void kmem_cache_free_bulk(struct kmem_cache *s, size_t n, void **p)
{
	size_t done = 0;

	while (done < n) {
		if (likely(s))
			done += put_run(s, p + done, n - done);
		/* the next one is none, or finds the sheaf full */
		if (done < n)
			free_bulk_one(s, p, done++);
	}
}

/* ---- prefilled sheaves: objects that are there already ---- */

struct kmem_prefilled {
	unsigned int count, capacity;
	void *objects[];
};

__km_export struct slab_sheaf *kmem_cache_prefill_sheaf(struct kmem_cache *s, gfp_t gfp,
							unsigned int n)
{
	unsigned int capacity = MAX(n, s->sheaf_usual);
	struct kmem_prefilled *sheaf;

	if (!n)
		return NULL;
	sheaf = kmalloc(sizeof(*sheaf) + capacity * sizeof(void *), gfp & ~GFP_ZONEMASK);
	if (!sheaf)
		return NULL;
	sheaf->capacity = capacity;
	sheaf->count = 0;
	if (!kmem_cache_alloc_bulk(s, gfp & ~__GFP_ZERO, n, sheaf->objects)) {
		kfree(sheaf);
		return NULL;
	}
	sheaf->count = n;
	return (struct slab_sheaf *)(void *)sheaf;
}

__km_export int kmem_cache_refill_sheaf(struct kmem_cache *s, gfp_t gfp,
					struct slab_sheaf **sheafp, unsigned int n)
{
	struct kmem_prefilled *sheaf, *larger;

	if (!sheafp || !*sheafp)
		return -22;	/* -EINVAL */
	sheaf = (struct kmem_prefilled *)(void *)*sheafp;
	if (n <= sheaf->count)
		return 0;
	if (n > sheaf->capacity) {
		larger = kmalloc(sizeof(*sheaf) + n * sizeof(void *), gfp & ~GFP_ZONEMASK);
		if (!larger)
			return -12;	/* -ENOMEM */
		memcpy(larger, sheaf, sizeof(*sheaf) + sheaf->count * sizeof(void *));
		larger->capacity = n;
		kfree(sheaf);
		sheaf = larger;
		*sheafp = (struct slab_sheaf *)(void *)sheaf;
	}
	if (!kmem_cache_alloc_bulk(s, gfp & ~__GFP_ZERO, n - sheaf->count,
				   sheaf->objects + sheaf->count))
		return -12;
	sheaf->count = n;
	return 0;
}

__km_export void *kmem_cache_alloc_from_sheaf(struct kmem_cache *s, gfp_t gfp,
					      struct slab_sheaf *given)
{
	struct kmem_prefilled *sheaf = (struct kmem_prefilled *)(void *)given;
	void *object;

	if (!sheaf->count)
		return NULL;
	object = sheaf->objects[--sheaf->count];
	if (gfp & __GFP_ZERO)
		memset(object, 0, s->object_size);
	return object;
}

__km_export unsigned int kmem_cache_sheaf_size(struct slab_sheaf *sheaf)
{
	return ((struct kmem_prefilled *)(void *)sheaf)->count;
}

__km_export void kmem_cache_return_sheaf(struct kmem_cache *s, gfp_t gfp,
					 struct slab_sheaf *given)
{
	struct kmem_prefilled *sheaf = (struct kmem_prefilled *)(void *)given;

	(void)gfp;
	if (!sheaf)
		return;
	kmem_cache_free_bulk(s, sheaf->count, sheaf->objects);
	kfree(sheaf);
}

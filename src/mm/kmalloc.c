// SPDX-License-Identifier: MIT
/*
 * The public kmalloc family. Layer: mm. Leads down: slab_alloc, slab_free, alloc_large_kmalloc,
 * vmalloc.
 *
 * The hit of kmalloc() is that of malloc(): sizes up to SMALL_SIZE_MAX without a flag of
 * KMALLOC_OTHER_FLAGS; everything else leaves by kmalloc_other(). Objects are of the natural
 * classes, whose alignment is that of their size; above KMALLOC_MAX_CACHE_SIZE a block of pages.
 * Errno is set where there is no memory, and nowhere else. Misuse is one line, and what it was
 * about stays as it is.
 */
#include "kmalloc/slab.h"
#include "kmalloc/vmalloc.h"
#include "kernel/params.h"
#include "kernel/printk.h"
#include "lib/overflow.h"
#include "mm/entry.h"
#include "mm/fault_inject.h"
#include "mm/gfp_policy.h"
#include "mm/page_alloc.h"
#include "mm/pages.h"
#include "mm/purge.h"
#include "mm/util.h"
#include "mm/vmalloc.h"

/* they choose the cache */
#define KMALLOC_TYPE_FLAGS	(__GFP_DMA | __GFP_RECLAIMABLE | __GFP_ACCOUNT)
#define KMALLOC_OTHER_FLAGS	(__GFP_ZERO | KMALLOC_TYPE_FLAGS | GFP_SLAB_BUG_MASK)
#define KMALLOC_NOLOCK_FLAGS	(__GFP_ZERO | __GFP_ACCOUNT | __GFP_NO_OBJ_EXT)

/* up to here clearing is cheaper than knowing whether an object is zero */
#define CLEAR_ALWAYS	1024ul

static_assert(KMALLOC_MAX_CACHE_SIZE == 1ul << KMALLOC_SHIFT_HIGH, "one limit, two names");

/* ---- allocation ---- */

static void need_mm(void)
{
	if (unlikely(!atomic_load_explicit(&mm_ready, memory_order_acquire)))
		mm_init();
}

/* After start-up. */
static struct kmem_cache *natural_cache(size_t size)
{
	return &kmalloc_caches[natural_size_class(size)];
}

static bool sizes_are_classic(void)
{
	need_mm();
	return param_choice(PARAM_kmalloc_sizes) == SIZES_CLASSIC;
}

static unsigned int order_of(size_t size)	/* size > 0 */
{
	return size <= PAGE_SIZE ? 0 : ilog2((size - 1) >> os_page_shift) + 1;
}

/* Bits that no slab request may have, taken off; each is warned about once. */
__cold gfp_t slab_fix_flags(const char *function, gfp_t flags)
{
	static _Atomic gfp_t warned;
	gfp_t bad = flags & GFP_SLAB_BUG_MASK, fixed = flags & ~bad;
	char bad_names[96], names[160];

	if (bad & ~atomic_fetch_or_explicit(&warned, bad, memory_order_relaxed)) {
		gfp_format(bad_names, sizeof(bad_names), bad);
		gfp_format(names, sizeof(names), fixed);
		pr_warn("%s: unexpected gfp: 0x%x (%s), going on with gfp: 0x%x (%s)", function, bad,
			bad_names, fixed, names);
	}
	return fixed;
}

static __cold void *kmalloc_too_large(size_t size, gfp_t flags)
{
	static _Atomic bool warned;
	size_t limit = sizes_are_classic() ? KMALLOC_MAX_CACHE_SIZE : KMALLOC_MAX_SIZE;

	if (!(flags & __GFP_NOWARN) &&
	    !atomic_exchange_explicit(&warned, true, memory_order_relaxed))
		pr_warn("kmalloc of %zu bytes, which should be at most %zu%s: kvmalloc() or vmalloc() "
			"give more", size, limit,
			limit == KMALLOC_MAX_SIZE ? "" : " under kmalloc_sizes=classic");
	return NULL;
}

/* A block of 2^order pages, aligned to its size. */
static void *kmalloc_large(size_t size, gfp_t flags)
{
	struct alloc_context ac;
	struct slow_entry e;
	struct page *page = NULL;

	if (size > KMALLOC_MAX_SIZE || sizes_are_classic())
		return kmalloc_too_large(size, flags);
	slow_enter_alloc(&e, cpu_enter());
	alloc_context_init(&ac, flags | __GFP_COMP, order_of(size));
	ac.alloc_flags |= ALLOC_PAGES;
	ac.injected = !e.nested && page_alloc_fails(&ac, ac.order);
	if (likely(!ac.injected)) {
		do
			page = alloc_large_kmalloc(size, &ac);
		while (unlikely(!page) && alloc_slowpath(&ac, &e));
	}
	if (!e.nested)
		purge_check_for(&ac);
	slow_leave(&e);
	if (unlikely(!page)) {
		alloc_failed(&ac, size);
		return NULL;
	}
	return (void *)page_address(page);
}

/* The whole object is cleared, so that krealloc() may grow it. size <= KMALLOC_MAX_CACHE_SIZE. */
static void *kzalloc_object(size_t size, gfp_t flags)
{
	unsigned int class = natural_size_class(size);
	struct pcpu *c = cpu_enter();
	bool zeroed = false;
	void *p;

	flags = (flags & ~__GFP_ZERO) | __GFP_NATURAL;
	if (size > CLEAR_ALWAYS && c->cache[class].top == c->cache[class].start) {
		p = slab_zalloc_slow(size, c, flags, &zeroed);
	} else {
		cpu_leave(c);
		p = slab_alloc(class, size, flags);
	}
	if (likely(p) && !zeroed)
		memset(p, 0, kmem_cache_size(natural_cache(size)));
	return p;
}

/* Any size, any flags. */
static __attribute__((__noinline__)) void *kmalloc_other(size_t size, gfp_t flags)
{
	struct kmem_cache *s;

	if (!size)
		return ZERO_SIZE_PTR;
	if (unlikely(flags & GFP_SLAB_BUG_MASK))
		flags = slab_fix_flags("kmalloc", flags);
	if (size > KMALLOC_MAX_CACHE_SIZE)
		return kmalloc_large(size, flags);
	if (unlikely(flags & KMALLOC_TYPE_FLAGS)) {
		s = kmalloc_slab(size, flags);
		return s ? slab_alloc_cache(s, flags, size) : NULL;
	}
	if (flags & __GFP_ZERO)
		return kzalloc_object(size, flags);
	return slab_alloc(natural_size_class(size), size, flags | __GFP_NATURAL);
}

__km_export void *kmalloc(size_t size, gfp_t flags)
{
	size_t last = size - 1;	/* 0 wraps */

	if (unlikely(last >= SMALL_SIZE_MAX) || unlikely(flags & KMALLOC_OTHER_FLAGS))
		return kmalloc_other(size, flags);
	return slab_alloc_at(hot_data.size_cache_small[last / 8 + 1], size, flags);
}

__km_export void *kzalloc(size_t size, gfp_t flags)
{
	return kmalloc_other(size, flags | __GFP_ZERO);
}

/* There is one node that a block can be asked from: 0. */
__km_export void *kmalloc_node(size_t size, gfp_t flags, int node)
{
	if (unlikely(node > 0 && flags & __GFP_THISNODE && size))
		return NULL;
	return kmalloc(size, flags);
}

/* ---- what is at p ---- */

static bool is_start_of_object(const struct slab *slab, const void *p)
{
	const struct kmem_cache *s = slab->cache;
	unsigned long offset = (unsigned long)p - slab->base, i = offset * s->reciprocal >> 40;

	return offset == i * s->size && i < s->objects;
}

/* Bytes of the object of kmalloc() or of a slab cache that starts at p; 0: there is none. */
static size_t object_size(const void *p)
{
	struct slab *slab =
		class_of(p) == CLASS_FOREIGN ? NULL : virt_to_slab((unsigned long)p);
	struct page *page;

	if (slab)
		return is_start_of_object(slab, p) ? kmem_cache_size(slab->cache) : 0;
	page = large_kmalloc_page(p);
	return page ? large_kmalloc_size(page) : 0;
}

static bool is_vmalloc_block(const void *p)
{
	return class_of(p) == CLASS_OTHER && find_vmap_area(p);
}

__km_export size_t ksize(const void *p)
{
	size_t size;

	if (ZERO_OR_NULL_PTR(p))
		return 0;
	size = object_size(p);
	if (unlikely(!size))
		warn_not_kmalloc("ksize", p);
	return size;
}

__km_export size_t kmalloc_size_roundup(size_t size)
{
	if (!size)
		return 0;
	need_mm();
	if (size <= KMALLOC_MAX_CACHE_SIZE)
		return kmem_cache_size(natural_cache(size));
	if (size > KMALLOC_MAX_SIZE || sizes_are_classic())
		return size;
	return PAGE_SIZE << order_of(size);
}

/* ---- freeing ---- */

/* What no sheaf takes, NULL and ZERO_SIZE_PTR included. */
static __attribute__((__noinline__)) void kfree_slow(void *p, struct pcpu *c)
{
	unsigned int class = class_of(p);
	struct cpu_cache *cc = &c->cache[class];
	struct page *page;
	struct slow_entry e;

	if (ZERO_OR_NULL_PTR(p)) {
		cpu_leave(c);
		return;
	}
	if (cc->top != cc->start && cc->top[-1] == p) {
		cpu_leave(c);
		pr_warn("kfree of %p, which is free already: freed twice", p);
		return;
	}
	if (class != CLASS_FOREIGN && virt_to_slab((unsigned long)p)) {
		slab_free_slow(p, c);
		return;
	}
	slow_enter_free(&e, c);
	page = large_kmalloc_page(p);
	if (page) {
		free_large_kmalloc(page);
		if (e.cpu)
			purge_check();
	}
	slow_leave(&e);
	if (!page)
		warn_not_kmalloc("kfree", p);
}

__km_export void kfree(const void *p)
{
	slab_free_or((void *)(uintptr_t)p, kfree_slow);
}

/* The compiler may not leave it out, although the memory is freed next. */
static void memzero_explicit(void *p, size_t size)
{
	memset(p, 0, size);
	__asm__ volatile("" : : "r"(p) : "memory");
}

__km_export void kfree_sensitive(const void *p)
{
	size_t size = ZERO_OR_NULL_PTR(p) ? 0 : object_size(p);

	if (size)
		memzero_explicit((void *)(uintptr_t)p, size);
	kfree(p);
}

__km_export void kfree_bulk(size_t n, void **p)
{
	while (n--)
		kfree(*p++);
}

/* ---- krealloc ---- */

static bool must_move(const void *p, unsigned long align, gfp_t flags, int node)
{
	if (is_power_of_2(align) && !IS_ALIGNED((unsigned long)p, align))
		return true;
	return node > 0 && flags & __GFP_THISNODE;
}

__km_export void *krealloc_node_align(const void *p, size_t new_size, unsigned long align,
				      gfp_t flags, int node)
{
	size_t old_size;
	void *new;

	if (!new_size) {
		kfree(p);
		return ZERO_SIZE_PTR;
	}
	if (ZERO_OR_NULL_PTR(p))
		return kmalloc_node(new_size, flags, node);
	old_size = object_size(p);
	if (unlikely(!old_size)) {
		warn_not_kmalloc("krealloc", p);
		return NULL;
	}
	if (new_size <= old_size && !must_move(p, align, flags, node)) {
		new = (void *)(uintptr_t)p;
		/* how much of it was asked for is not known: a later growth finds zeros */
		if (flags & __GFP_ZERO)
			memset((char *)new + new_size, 0, old_size - new_size);
		return new;
	}
	new = kmalloc_node(new_size, flags, node);
	if (!new)
		return NULL;
	memcpy(new, p, MIN(old_size, new_size));
	kfree(p);
	return new;
}

__km_export void *krealloc(const void *p, size_t new_size, gfp_t flags)
{
	return krealloc_node_align(p, new_size, 1, flags, -1);
}

/* ---- kvmalloc ---- */

/* For the attempt by kmalloc() where vmalloc() can follow. */
static gfp_t kmalloc_gfp_adjust(gfp_t flags, size_t size)
{
	if (size <= PAGE_SIZE)
		return flags;
	if (!(flags & __GFP_RETRY_MAYFAIL))
		flags &= ~__GFP_DIRECT_RECLAIM;
	return (flags | __GFP_NOWARN) & ~__GFP_NOFAIL;
}

__km_export void *kvmalloc_node(size_t size, gfp_t flags, int node)
{
	static _Atomic bool warned;
	void *p;

	need_mm();	/* for the page size */
	p = kmalloc_node(size, kmalloc_gfp_adjust(flags, size), node);
	if (p || size <= PAGE_SIZE)
		return p;
	if (size > INT_MAX) {
		if (!(flags & __GFP_NOWARN) &&
		    !atomic_exchange_explicit(&warned, true, memory_order_relaxed))
			pr_warn("kvmalloc of %zu bytes, which should be at most %d: vmalloc() gives "
				"more", size, INT_MAX);
		return NULL;
	}
	if (node > 0 && flags & __GFP_THISNODE)
		return NULL;
	return __vmalloc_node(size, 1, flags, node, __builtin_return_address(0));
}

__km_export void kvfree(const void *p)
{
	if (is_vmalloc_block(p))
		vfree(p);
	else
		kfree(p);
}

__km_export void kvfree_atomic(const void *p)
{
	if (is_vmalloc_block(p))
		vfree_atomic(p);
	else
		kfree(p);
}

__km_export void kvfree_sensitive(const void *p, size_t len)
{
	if (ZERO_OR_NULL_PTR(p))
		return;
	if (is_vmalloc_block(p) || object_size(p))
		memzero_explicit((void *)(uintptr_t)p, len);
	kvfree(p);
}

__km_export void *kvrealloc(const void *p, size_t new_size, gfp_t flags)
{
	size_t old_size;
	void *new;

	if (is_vmalloc_block(p))
		return vrealloc(p, new_size, flags);
	need_mm();
	if (!ZERO_OR_NULL_PTR(p) && unlikely(!object_size(p))) {
		warn_not_kmalloc("kvrealloc", p);
		return NULL;
	}
	if (new_size && ZERO_OR_NULL_PTR(p))
		return kvmalloc_node(new_size, flags, -1);
	new = krealloc(p, new_size, kmalloc_gfp_adjust(flags, new_size));
	if (new)
		return new;
	old_size = object_size(p);
	new = kvmalloc_node(new_size, flags, -1);
	if (!new)
		return NULL;
	memcpy(new, p, MIN(old_size, new_size));
	kfree(p);
	return new;
}

/* ---- nolock ---- */

/* From the sheaf if it has one, else by atomic operations; a new slab without a lock. */
static void *alloc_nolock(struct kmem_cache *s)
{
	/* fresh memory straight from the system, unless nothing may be asked of it */
	struct alloc_context nolock = {
		.gfp = gfp_base_nonblocking ? 0 : __GFP_DIRECT_RECLAIM,
		.alloc_flags = ALLOC_TRYLOCK,
	};
	struct pcpu *c = cpu_enter();
	struct cpu_cache *cc = &c->cache[s->index];
	void *p;

	if (cc->top != cc->start) {
		p = cc->top[-1];
		WRITE_ONCE(cc->top, cc->top - 1);
	} else {
		p = slab_alloc_nolock(s, &nolock);
	}
	cpu_leave(c);
	return p;
}

__km_export void *kmalloc_nolock(size_t size, gfp_t flags, int node)
{
	struct kmem_cache *s;
	void *p;

	(void)node;
	flags &= KMALLOC_NOLOCK_FLAGS;
	if (!size)
		return ZERO_SIZE_PTR;
	if (size > KMALLOC_MAX_CACHE_SIZE)
		return NULL;
	need_mm();
	s = natural_cache(size);
	p = alloc_nolock(s);
	if (!p && kmem_cache_size(s) < KMALLOC_MAX_CACHE_SIZE) {
		s = natural_cache(kmem_cache_size(s) + 1);
		p = alloc_nolock(s);
	}
	if (p && (flags & __GFP_ZERO || param_yes(PARAM_init_on_alloc)))
		memset(p, 0, kmem_cache_size(s));
	return p;
}

static void kfree_nolock_slow(void *p, struct pcpu *c)
{
	unsigned int class = class_of(p);
	struct cpu_cache *cc = &c->cache[class];
	bool twice = cc->top != cc->start && cc->top[-1] == p;
	bool object = class != CLASS_FOREIGN && class != CLASS_OTHER;

	if (object && !twice)
		cache_free_object(NULL, &kmalloc_caches[class], p);
	cpu_leave(c);
	if (twice)
		pr_warn("kfree_nolock of %p, which is free already: freed twice", p);
	else if (!object && !ZERO_OR_NULL_PTR(p))
		warn_not_kmalloc("kfree_nolock", p);
}

__km_export void kfree_nolock(const void *p)
{
	slab_free_or((void *)(uintptr_t)p, kfree_nolock_slow);
}

// SPDX-License-Identifier: MIT
/*
 * The page API. Layer: mm. Leads in: the page functions of <kmalloc/gfp.h> and <kmalloc/mm.h>,
 * alloc_large_kmalloc. Leads down: the slot's page lists (page_list.h), alloc_block, free_block.
 *
 * The struct pages of an allocated block of 2^order pages:
 *
 *   first   PAGE_ALLOC or PAGE_KMALLOC; order, reference count, PG_compound
 *   others  PAGE_TAIL; head_offset, PG_compound as the first; no reference of their own
 *
 * split_page() makes the others PAGE_ALLOC of order 0. Freeing zeroes all but the first; on a
 * slot's page list the block is PAGE_LISTED and stays as it was. Who takes the last reference away
 * owns the block; before that, nobody looks at the others but to ask for their head and address.
 * Nothing here is locked: reference counts are atomic, everything else is written before the block
 * is handed out or after its last reference is gone.
 */
#include "lib/small.h"
#include "mm/pages.h"
#include "mm/watermark.h"
#include "mm/entry.h"
#include "mm/fault_inject.h"
#include "mm/purge.h"
#include "kernel/bug.h"
#include "kernel/params.h"
#include "kernel/printk.h"
#include "kmalloc/mm.h"

#define BAD_PAGE_BURST	60u		/* messages a minute */
#define BAD_PAGE_MS	60000ul

/* Public by other names: in src/ virt_to_page() takes a number and means the mem_map alone. */
struct page *virt_to_page_of(const void *addr) __km(virt_to_page);
void *page_to_virt(const struct page *page) __km(page_to_virt);
enum zone_type page_zonenum_of(const struct page *page) __km(page_zonenum);

static const char not_allocated[] =
	"freed, but not allocated by alloc_pages, or freed before";

static struct {
	_Atomic bool warned_order, warned_bits, warned_mobility, warned_exact,
		warned_nolock;
	/* bad pages: when the minute began, how many since */
	_Atomic unsigned long bad_ms;
	_Atomic unsigned int nr_bad;
} mm_pages;

static bool first_time(_Atomic bool *warned)
{
	return !atomic_load_explicit(warned, memory_order_relaxed) &&
	       !atomic_exchange_explicit(warned, true, memory_order_relaxed);
}

/* os_page_shift and the options are known from now on. */
static void ensure_ready(void)
{
	if (unlikely(!atomic_load_explicit(&mm_ready, memory_order_acquire)))
		mm_init();
}

static void bad_pfn(unsigned long pfn, const char *what)
{
	unsigned long now = os_clock_ms();
	unsigned long since = atomic_load_explicit(&mm_pages.bad_ms, memory_order_relaxed);
	unsigned int n;

	if (!since || now - since > BAD_PAGE_MS) {
		atomic_store_explicit(&mm_pages.bad_ms, now | 1, memory_order_relaxed);
		n = atomic_exchange_explicit(&mm_pages.nr_bad, 0, memory_order_relaxed);
		if (n > BAD_PAGE_BURST)
			pr_warn("BUG: Bad page state: %u messages suppressed", n - BAD_PAGE_BURST);
	}
	n = atomic_fetch_add_explicit(&mm_pages.nr_bad, 1, memory_order_relaxed);
	if (n < BAD_PAGE_BURST)
		pr_warn("BUG: Bad page state in process %d  pfn:%lx: %s", os_getpid(), pfn, what);
}

static void bad_page(const struct page *page, const char *what)
{
	bad_pfn(page ? page_to_pfn(page) : 0, what);
}

/* ---- blocks: from PAGE_USED and back ---- */

/* Clears what may not read as zero; the block is the caller's, its masks are as they came. */
static void clear_block(struct page *page)
{
	unsigned long addr = page_address(page), end = addr + (PAGE_SIZE << page->order), start;

	while (addr < end) {
		u16 mask = page->order < PAGEBLOCK_ORDER ? page->was_dirty : *dirty_mask(addr);

		if (!(mask >> (addr >> FRAME_SHIFT) % PAGEBLOCK_FRAMES & 1)) {
			addr += FRAME_SIZE;
			continue;
		}
		start = addr;
		do
			addr += FRAME_SIZE;
		while (addr < end && !IS_ALIGNED(addr, PAGEBLOCK_SIZE) &&
		       mask >> (addr >> FRAME_SHIFT) % PAGEBLOCK_FRAMES & 1);
		memset((void *)start, 0, addr - start);
	}
}

static void prep_block(struct page *page, enum page_state state, gfp_t gfp)
{
	unsigned long addr = page_address(page), end = addr + (PAGE_SIZE << page->order), i;
	u8 flags = page->order && gfp & __GFP_COMP ? PG_compound : 0;

	if (gfp & __GFP_ZERO || param_yes(PARAM_init_on_alloc))
		clear_block(page);
	if (page->order >= PAGEBLOCK_ORDER)
		for (i = addr; i < end; i += PAGEBLOCK_SIZE)
			*dirty_mask(i) = 0xffff;
	set_tails(page, page->order, flags);
	page->seq = 0;
	page->head_offset = 0;
	page->flags = flags;
	atomic_store_explicit(&page->refcount, 1, memory_order_relaxed);
	WRITE_ONCE(page->state, state);
}

/*
 * 2^order pages of an allocated block, or all of it: free_block()'s again. Nobody has a
 * reference to them.
 */
static void unprep_block(struct page *page, unsigned int order)
{
	if (param_yes(PARAM_init_on_free))
		memset((void *)page_address(page), 0, PAGE_SIZE << order);
	clear_tails(page, order);
	page->head_offset = 0;
	page->seq = 0;
	page->order = (u8)order;
	WRITE_ONCE(page->state, PAGE_USED);
}

static void free_part(struct page *page, unsigned int order)
{
	unprep_block(page, order);
	free_block(page, order);
}

/* ---- to and from the slot's page lists ---- */

/* Flags that the blocks of a list serve; the others take the long way, where they are looked at. */
#define LIST_GFP	(__GFP_BITS_MASK & ~(__GFP_DMA | __GFP_DMA32 | __GFP_RECLAIMABLE))

/* A block off a list is the caller's. */
static __always_inline struct page *prep_listed(struct page *page, gfp_t gfp)
{
	u8 flags = page->order && gfp & __GFP_COMP ? PG_compound : 0;

	VM_BUG_ON(page->state != PAGE_LISTED);
	if (gfp & __GFP_ZERO)
		clear_block(page);
	if (unlikely(page->flags != flags)) {
		page->flags = flags;
		set_tails(page, page->order, flags);
	}
	atomic_store_explicit(&page->refcount, 1, memory_order_relaxed);
	WRITE_ONCE(page->state, PAGE_ALLOC);
	return page;
}

static __always_inline struct page *alloc_listed(struct pcpu *c, gfp_t gfp, unsigned int order)
{
	if (unlikely(order >= NR_PAGE_LISTS || gfp & ~LIST_GFP) ||
	    unlikely(atomic_load_explicit(&fault_page_active, memory_order_relaxed)))
		return NULL;
	return page_list_pop(&c->page_list[order]);
}

/* The list of the order has room: takes the block if all of it is the caller's. */
static __always_inline bool free_listed(struct pcpu *c, struct page *page, unsigned int order)
{
	if (unlikely(READ_ONCE(page->state) != PAGE_ALLOC || page->order != order) ||
	    unlikely(page->virtual < ZONE_DMA32_END) ||
	    unlikely(atomic_load_explicit(&page->refcount, memory_order_relaxed) != 1))
		return false;
	/* orders as in drop_reference() */
	if (unlikely(atomic_fetch_sub_explicit(&page->refcount, 1, memory_order_acq_rel) != 1)) {
		atomic_fetch_add_explicit(&page->refcount, 1, memory_order_relaxed);
		return false;
	}
	page->was_dirty = 0xffff;
	page_list_push(&c->page_list[order], page);
	return true;
}

/* What lies behind the first n of the 2^order pages of a split or non-compound block. */
static void free_behind(struct page *page, unsigned long n, unsigned int order)
{
	while (n < 1ul << order) {
		unsigned int part = n ? __ffs64(n) : order;

		free_part(nth_page(page, n), part);
		n += 1ul << part;
	}
}

static void get_ready_to_free(struct pcpu *c)
{
	ensure_ready();
	if (c != &busy_cpu)
		fork_check();
}

/* Every free of the API: no slot is needed, a thread's first call does not get it one. */
static struct pcpu *enter_free(void)
{
	struct pcpu *c = cpu_enter();

	get_ready_to_free(c);
	return c;
}

/* c: a slot, the busy or the empty one. */
static bool is_slot(const struct pcpu *c)
{
	return c != &busy_cpu && c != &empty_cpu;
}

static void leave_free(struct pcpu *c)
{
	if (c != &busy_cpu)
		purge_check();
	cpu_leave(c);
}

/* ---- allocation ---- */

/*
 * Where the zone lock cannot be had (a fork is or was under way, this handler interrupted its
 * holder) a request that may make system calls gets its block straight from the system, unless it
 * names a zone. What made alloc_block() fail may be over: nothing tells that it was the lock.
 */
static struct page *get_block(unsigned int order, const struct alloc_context *ac)
{
	struct page *page = alloc_block(order, ac);

	if (likely(page) || !may_block(ac) || gfp_zonenum(ac->gfp) != ZONE_NORMAL)
		return page;
	return alloc_block_nolock(order, ac);
}

/* The flags as they will be honoured; a line for each kind of mistake, once. */
static gfp_t checked_gfp(gfp_t gfp)
{
	if (unlikely(gfp & ~__GFP_BITS_MASK)) {
		if (first_time(&mm_pages.warned_bits))
			pr_warn("alloc_pages: unknown flag bits 0x%x are ignored",
				gfp & ~__GFP_BITS_MASK);
		gfp &= __GFP_BITS_MASK;
	}
	if (unlikely((gfp & (__GFP_MOVABLE | __GFP_RECLAIMABLE)) ==
		     (__GFP_MOVABLE | __GFP_RECLAIMABLE)) &&
	    first_time(&mm_pages.warned_mobility))
		pr_warn("alloc_pages: flags 0x%x are movable and reclaimable, which excludes "
			"each other", gfp);
	return gfp;
}

static bool order_is_valid(unsigned int order, gfp_t gfp)
{
	if (likely(order <= MAX_PAGE_ORDER))
		return true;
	if (!(gfp & __GFP_NOWARN) && first_time(&mm_pages.warned_order))
		pr_warn("alloc_pages: order %u is above MAX_PAGE_ORDER, which is %u", order,
			MAX_PAGE_ORDER);
	return false;
}

/* There is one node, 0; -1 is the nearest. Another one has no memory of its own. */
static bool node_will_do(int nid, gfp_t gfp)
{
	return nid == 0 || nid == -1 || !(gfp & __GFP_THISNODE);
}

/* Fills the list of the order for a request that missed. */
static struct page *refill_and_pop(struct pcpu *c, const struct alloc_context *ac)
{
	if (unlikely(READ_ONCE(c->flush_request)) && may_block(ac))
		honour_flush_request(c);
	if (ac->order >= NR_PAGE_LISTS || gfp_zonenum(ac->gfp) != ZONE_NORMAL)
		return NULL;
	/* not empty: flags that the hit leaves to us, or a signal handler has filled it */
	if (!c->page_list[ac->order].nr && !page_list_refill(c, ac->order, ac))
		return NULL;
	return page_list_pop(&c->page_list[ac->order]);
}

/* The entry's work; a ready block. */
static struct page *get_pages(struct slow_entry *e, struct alloc_context *ac)
{
	struct page *page = e->cpu ? refill_and_pop(e->cpu, ac) : NULL;

	if (page)
		return prep_listed(page, ac->gfp);
	do
		page = get_block(ac->order, ac);
	while (unlikely(!page) && alloc_slowpath(ac, e));
	if (page)
		prep_block(page, PAGE_ALLOC, ac->gfp);
	return page;
}

static __attribute__((noinline)) struct page *
alloc_pages_slow(struct pcpu *c, int nid, gfp_t gfp, unsigned int order)
{
	struct alloc_context ac;
	struct page *page = NULL;
	struct slow_entry e;

	if (!order_is_valid(order, gfp)) {
		cpu_leave(c);
		return NULL;
	}
	gfp = checked_gfp(gfp);
	slow_enter_alloc(&e, c);
	alloc_context_init(&ac, gfp, order);
	ac.alloc_flags |= ALLOC_PAGES;
	ac.injected = !e.nested && page_alloc_fails(&ac, order);
	if (!ac.injected && node_will_do(nid, gfp))
		page = get_pages(&e, &ac);
	if (!e.nested && may_block(&ac))
		purge_check();
	slow_leave(&e);
	if (unlikely(!page))
		alloc_failed(&ac, PAGE_SIZE << order);
	return page;
}

static __always_inline struct page *alloc_pages_fast(gfp_t gfp, unsigned int order)
{
	struct pcpu *c = cpu_enter();
	struct page *page = alloc_listed(c, gfp, order);

	if (unlikely(!page))
		return alloc_pages_slow(c, 0, gfp, order);
	page = prep_listed(page, gfp);
	cpu_leave(c);
	return page;
}

__km_export __hot struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned int order)
{
	if (likely(node_will_do(nid, gfp)))
		return alloc_pages_fast(gfp, order);
	return alloc_pages_slow(cpu_enter(), nid, gfp, order);
}

__km_export __hot struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	return alloc_pages_fast(gfp, order);
}

__km_export __hot unsigned long __get_free_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages_fast(gfp & ~__GFP_HIGHMEM, order);

	return page ? page_address(page) : 0;
}

__km_export unsigned long alloc_pages_bulk(gfp_t gfp, unsigned long nr_pages,
					   struct page **page_array)
{
	unsigned long i;

	for (i = 0; i < nr_pages; i++) {
		if (page_array[i])
			continue;
		page_array[i] = alloc_pages_node(0, gfp, 0);
		if (!page_array[i])
			break;
	}
	return i;
}

__km_export struct page *alloc_pages_nolock(gfp_t gfp, int nid, unsigned int order)
{
	unsigned int flags_before = task_flags & PF_KM_MASK;
	struct alloc_context ac;
	struct page *page = NULL;
	struct pcpu *c;

	if (!order_is_valid(order, gfp))
		return NULL;
	if (gfp & ~__GFP_ACCOUNT && first_time(&mm_pages.warned_nolock))
		pr_warn("alloc_pages_nolock: flags 0x%x, where only __GFP_ACCOUNT is known", gfp);
	gfp = (gfp & __GFP_ACCOUNT) | __GFP_NOWARN | __GFP_ZERO | __GFP_NOMEMALLOC | __GFP_COMP;
	c = cpu_enter();
	get_ready_to_free(c);
	alloc_context_init(&ac, gfp, order);
	ac.alloc_flags |= ALLOC_PAGES;
	ac.alloc_flags |= ALLOC_TRYLOCK;
	if (node_will_do(nid, gfp))
		page = alloc_block(order, &ac);
	if (page)
		prep_block(page, PAGE_ALLOC, ac.gfp);
	may_block_restore(flags_before);	/* it may have interrupted one that may block */
	cpu_leave(c);
	return page;
}

__km_export void *alloc_pages_exact(size_t size, gfp_t gfp)
{
	unsigned int order = (unsigned int)get_order(size);
	struct page *page;
	struct pcpu *c;

	if (gfp & (__GFP_COMP | __GFP_HIGHMEM)) {
		if (first_time(&mm_pages.warned_exact))
			pr_warn("alloc_pages_exact: flags 0x%x: __GFP_COMP and __GFP_HIGHMEM are "
				"ignored", gfp);
		gfp &= ~(__GFP_COMP | __GFP_HIGHMEM);
	}
	page = alloc_pages_node(0, gfp, order);
	if (!page)
		return NULL;
	split_page(page, order);
	c = enter_free();
	free_behind(page, ALIGN_UP(size, PAGE_SIZE) >> os_page_shift, order);
	leave_free(c);
	return (void *)page_address(page);
}

__km_export void split_page(struct page *page, unsigned int order)
{
	unsigned long i;

	if (!page || READ_ONCE(page->state) != PAGE_ALLOC || page->flags & PG_compound ||
	    order > page->order) {
		bad_page(page, "split_page of what is no non-compound block of that order");
		return;
	}
	for (i = 1; i < 1ul << order; i++) {
		struct page *tail = nth_page(page, i);

		tail->head_offset = 0;
		tail->order = 0;
		atomic_store_explicit(&tail->refcount, 1, memory_order_relaxed);
		WRITE_ONCE(tail->state, PAGE_ALLOC);
	}
	page->order = 0;
}

/* ---- references ---- */

__km_export struct page *compound_head(const struct page *page)
{
	struct page *p = (struct page *)(uintptr_t)page;

	return READ_ONCE(p->state) == PAGE_TAIL && p->flags & PG_compound ? p - p->head_offset : p;
}

static bool is_referenced(const struct page *page)
{
	return page && READ_ONCE(page->state) == PAGE_ALLOC &&
	       atomic_load_explicit(&page->refcount, memory_order_relaxed) > 0;
}

__km_export void get_page(struct page *page)
{
	if (page)
		page = compound_head(page);
	if (!is_referenced(page)) {
		bad_page(page, "get_page of a page that alloc_pages did not return, or freed");
		return;
	}
	atomic_fetch_add_explicit(&page->refcount, 1, memory_order_relaxed);
}

/*
 * One reference less. The last one frees 2^order pages; another one of a block that is not
 * compound frees all of those but the first, for which the remaining references stay.
 */
static void drop_reference(struct page *page, unsigned int order,
			   void (*free_fn)(struct page *page, unsigned int order))
{
	bool compound = page->flags & PG_compound;
	s32 old;

	/*
	 * What the others hold then; not ours after the drop. put_page() (order 0) takes nothing
	 * away: who still has the block may free all of it.
	 */
	if (!compound && order)
		WRITE_ONCE(page->order, 0);
	/* release: our accesses come before who frees it; acquire: those of the others */
	old = atomic_fetch_sub_explicit(&page->refcount, 1, memory_order_acq_rel);
	if (old == 1) {
		free_fn(page, order);
	} else if (old < 1) {
		atomic_fetch_add_explicit(&page->refcount, 1, memory_order_relaxed);
		bad_page(page, "freed once too often");
	} else if (!compound) {
		while (order-- > 0)
			free_fn(nth_page(page, 1ul << order), order);
	}
}

/* The order that a free with this order means; false: reported, and nothing is to be freed. */
static bool check_free(const struct page *page, unsigned int *order)
{
	if (!is_referenced(page)) {
		bad_page(page, not_allocated);
		return false;
	}
	if (page->flags & PG_compound && *order != READ_ONCE(page->order)) {
		bad_page(page, "compound block freed with a wrong order, its own is taken");
		*order = page->order;
	} else if (*order > READ_ONCE(page->order)) {
		bad_page(page, "freed with a higher order than it has");
		return false;
	}
	return true;
}

static __attribute__((noinline)) void free_pages_slow(struct pcpu *c, struct page *page,
						       unsigned int order)
{
	get_ready_to_free(c);
	if (check_free(page, &order)) {
		if (unlikely(is_slot(c) && READ_ONCE(c->flush_request)))
			honour_flush_request(c);
		if (!is_slot(c) || !page_list_make_room(c, order) || !free_listed(c, page, order))
			drop_reference(page, order, free_part);
	}
	leave_free(c);
}

static __always_inline void free_pages_fast(struct page *page, unsigned int order)
{
	struct pcpu *c = cpu_enter();

	if (unlikely(order >= NR_PAGE_LISTS || !c->page_list[order].room || !page) ||
	    unlikely(!free_listed(c, page, order)))
		free_pages_slow(c, page, order);
	else
		cpu_leave(c);
}

__km_export __hot void __free_pages(struct page *page, unsigned int order)
{
	free_pages_fast(page, order);
}

static void free_part_nolock(struct page *page, unsigned int order)
{
	unprep_block(page, order);
	free_block_nolock(page, order);
}

__km_export void free_pages_nolock(struct page *page, unsigned int order)
{
	struct pcpu *c = enter_free();

	if (check_free(page, &order))
		drop_reference(page, order, free_part_nolock);
	cpu_leave(c);
}

__km_export void put_page(struct page *page)
{
	unsigned int order = 0;

	if (page) {
		page = compound_head(page);
		if (is_referenced(page) && page->flags & PG_compound)
			order = page->order;
	}
	__free_pages(page, order);
}

__km_export __hot void free_pages(unsigned long addr, unsigned int order)
{
	struct page *page;

	if (!addr)
		return;
	ensure_ready();
	/* in a slab, its bitmaps may lie there */
	page = class_of((void *)addr) == CLASS_FOREIGN ? virt_to_page(ALIGN_DOWN(addr, PAGE_SIZE)) :
							 NULL;
	if (likely(is_referenced(page)))
		free_pages_fast(page, order);
	else
		bad_pfn(addr >> os_page_shift, not_allocated);
}

__km_export void free_pages_exact(void *virt, size_t size)
{
	unsigned long addr = (unsigned long)virt, end = addr + ALIGN_UP(size, PAGE_SIZE);

	for (; addr < end; addr += PAGE_SIZE)
		free_pages(addr, 0);
}

__km_export int page_count(const struct page *page)
{
	page = compound_head(page);
	switch (READ_ONCE(page->state)) {
	case PAGE_ALLOC:
	case PAGE_KMALLOC:
		return atomic_load_explicit(&page->refcount, memory_order_relaxed);
	case PAGE_SLAB:
		return 1;
	}
	return 0;
}

/* ---- what a page is ---- */

__km_export void *page_to_virt(const struct page *page)
{
	if (READ_ONCE(page->state) == PAGE_SLAB)
		return (void *)((const struct slab *)(const void *)page)->base;
	return (void *)page_address(page);
}

__km_export struct page *virt_to_page_of(const void *addr)
{
	unsigned int class;

	ensure_ready();
	class = class_of(addr);
	if (class != CLASS_FOREIGN && class != CLASS_OTHER)
		return (struct page *)(void *)virt_to_slab((unsigned long)addr);
	return virt_addr_valid(addr) ? virt_to_page(ALIGN_DOWN((unsigned long)addr, PAGE_SIZE)) :
				       NULL;
}

__km_export struct page *virt_to_head_page(const void *addr)
{
	struct page *page = virt_to_page_of(addr);

	return page ? compound_head(page) : NULL;
}

__km_export unsigned long page_to_pfn(const struct page *page)
{
	return (unsigned long)page_to_virt(page) >> os_page_shift;
}

__km_export struct page *pfn_to_page(unsigned long pfn)
{
	ensure_ready();
	return virt_to_page_of((void *)(pfn << os_page_shift));
}

/* Is addr in a block that begins here and has at least 2^order pages? */
static bool block_covers(unsigned long addr, unsigned int order)
{
	struct page *page = virt_to_page(ALIGN_DOWN(addr, PAGE_SIZE << order));

	if (!page || page->order < order)
		return false;
	switch (READ_ONCE(page->state)) {
	case PAGE_FREE:
	case PAGE_ISOLATED:
	case PAGE_USED:
	case PAGE_LISTED:
	case PAGE_ALLOC:
	case PAGE_KMALLOC:
		return true;
	}
	return false;
}

__km_export bool virt_addr_valid(const void *p)
{
	unsigned long addr = (unsigned long)p;
	unsigned int class, order;
	struct page *page;

	ensure_ready();
	class = class_of(p);
	if (class != CLASS_FOREIGN && class != CLASS_OTHER)
		return true;
	page = is_user_address(p) ? virt_to_page(ALIGN_DOWN(addr, PAGE_SIZE)) : NULL;
	if (!page)
		return false;
	if (READ_ONCE(page->state) == PAGE_TAIL)
		return true;
	for (order = 0; order <= MAX_PAGE_ORDER; order++)
		if (block_covers(addr, order))
			return true;
	return false;
}

__km_export void *kmalloc_high_memory(void)
{
	return (void *)atomic_load_explicit(&memmap_end, memory_order_relaxed);
}

__km_export bool PageHead(const struct page *page)
{
	u8 state = READ_ONCE(page->state);

	return ((state == PAGE_ALLOC || state == PAGE_KMALLOC) && page->flags & PG_compound) ||
	       (state == PAGE_SLAB && page->order);
}

__km_export bool PageTail(const struct page *page)
{
	return READ_ONCE(page->state) == PAGE_TAIL && page->flags & PG_compound;
}

__km_export bool PageSlab(const struct page *page)
{
	return READ_ONCE(page->state) == PAGE_SLAB;
}

__km_export unsigned int compound_order(const struct page *page)
{
	return PageHead(page) ? page->order : 0;
}

__km_export unsigned long page_size(const struct page *page)
{
	return PAGE_SIZE << compound_order(page);
}

/* Zones are ranges of addresses. */
__km_export enum zone_type page_zonenum_of(const struct page *page)
{
	return addr_zonenum((unsigned long)page_to_virt(page));
}

__km_export int page_to_nid(const struct page *page)
{
	(void)page;
	return 0;
}

__km_export int get_order(unsigned long size)
{
	ensure_ready();
	return size && size <= PAGE_SIZE ? 0 : (int)(fls_long(size - 1) - os_page_shift);
}

__km_export unsigned long totalram_pages(void)
{
	ensure_ready();
	watermark_show();
	return mem_state.managed;
}

__km_export unsigned long nr_free_pages(void)
{
	ensure_ready();
	watermark_show();
	return mem_state.managed - MIN(pages_handed_out(), mem_state.managed);
}

/* ---- large kmallocs ---- */

/* No compound page: nobody asks for the pages of what malloc gave. */
static void prep_neighbours(struct page *page, gfp_t gfp)
{
	unsigned long addr = page_address(page), end = addr + large_kmalloc_size(page), a;
	bool clear = gfp & __GFP_ZERO || param_yes(PARAM_init_on_alloc);

	for (a = addr; a < end; a += PAGEBLOCK_SIZE) {
		if (clear && *dirty_mask(a))
			memset((void *)a, 0, PAGEBLOCK_SIZE);
		*dirty_mask(a) = 0xffff;
	}
	page->head_offset = 0;
	atomic_store_explicit(&page->refcount, 1, memory_order_relaxed);
	WRITE_ONCE(page->state, PAGE_KMALLOC);
}

struct page *alloc_large_kmalloc(size_t size, const struct alloc_context *ac)
{
	unsigned int order = MAX((unsigned int)get_order(size), PAGEBLOCK_ORDER);
	struct page *page;

	if (likely(order <= MAX_PAGE_ORDER))
		page = get_block(order, ac);
	else
		page = may_block(ac) ? NULL : alloc_neighbours(size, ac);
	if (!page)
		return NULL;
	if (unlikely(order > MAX_PAGE_ORDER))
		prep_neighbours(page, ac->gfp);
	else
		prep_block(page, PAGE_KMALLOC, ac->gfp | __GFP_COMP);
	set_class(page_address(page), CLASS_OTHER);
	return page;
}

void free_large_kmalloc(struct page *page)
{
	u8 expect = PAGE_KMALLOC;

	/* two threads that free it at once both found it */
	if (!__atomic_compare_exchange_n(&page->state, &expect, PAGE_USED, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED)) {
		report_bug("kmalloc: double free of the large block at %p",
			   (void *)page_address(page));
		return;
	}
	set_class(page_address(page), CLASS_FOREIGN);
	if (likely(page->order <= MAX_PAGE_ORDER)) {
		free_part(page, page->order);
		return;
	}
	if (param_yes(PARAM_init_on_free))
		memset((void *)page_address(page), 0, large_kmalloc_size(page));
	free_neighbours(page);
}

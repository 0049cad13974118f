// SPDX-License-Identifier: MIT
/*
 * kvmalloc above slabs and vmalloc. Layer: mm. Leads in: what preload/ exports.
 *
 * Up to 128 KiB: a slab cache. Above: an area of the vmalloc region. An aligned request of up
 * to 128 KiB is its size rounded up to the alignment, in its class (see kmalloc_sizes.h); so a
 * valid pointer is always the start of an object.
 */
#include "mm/util.h"
#include "mm/entry.h"
#include "mm/fault_inject.h"
#include "mm/gfp_policy.h"
#include "mm/page_alloc.h"
#include "mm/pages.h"
#include "mm/reclaim.h"
#include "mm/area_cache.h"
#include "mm/purge.h"
#include "kernel/printk.h"
#include "os/os.h"

/* up to here objects that read as zero get their pages at once: most are written next */
#define TOUCH_MAX	8192ul

_Atomic unsigned long nr_foreign_frees;

/* ---- large blocks ---- */

/*
 * Who may not block gets an area that is mapped already, else a block of pages from the free
 * lists: memory of the reserve lies there.
 */
static void *try_area(size_t size, size_t align, struct alloc_context *ac, bool may_wait)
{
	void *p = vmap_alloc(size, align, ac, may_wait);
	struct page *page;

	if (p || may_block(ac) || align > PAGE_SIZE << MAX_PAGE_ORDER)
		return p;
	page = alloc_large_kmalloc(MAX(size, align), ac);
	return page ? (void *)page_address(page) : NULL;
}

/* The flags of an area for malloc. */
static gfp_t area_gfp(size_t size, gfp_t gfp)
{
	if (likely(!gfp_policy_active))
		return gfp;
	return gfp_policy(NULL, size) | (gfp & (__GFP_ZERO | __GFP_GROWS));
}

/* c: what cpu_enter() returned. */
static __attribute__((__noinline__)) void *alloc_area_slow(struct pcpu *c, size_t size,
							    size_t align, gfp_t gfp)
{
	struct alloc_context ac;
	struct slow_entry e;
	void *p = NULL;

	slow_enter_alloc(&e, c);
	alloc_context_init(&ac, area_gfp(size, gfp), 0);
	/* one decision for the area, as for a single page */
	ac.injected = !e.nested && page_alloc_fails(&ac, 0);
	if (likely(size <= PTRDIFF_MAX) && !ac.injected) {
		ac.pages = ALIGN_UP(size, PAGE_SIZE) >> os_page_shift;
		if (e.cpu && may_block(&ac))
			area_cache_missed(e.cpu);
		do
			p = try_area(size, align, &ac, !e.nested);
		while (unlikely(!p) && alloc_slowpath(&ac, &e));
		if (!e.nested)
			purge_check_for(&ac);
	}
	slow_leave(&e);
	if (unlikely(!p))
		alloc_failed(&ac, size);
	return p;
}

/* c: what cpu_enter() returned */
static void *alloc_area(struct pcpu *c, size_t size, size_t align, gfp_t gfp)
{
	void *p = align <= PAGEBLOCK_SIZE ? area_cache_get(c, size, gfp & __GFP_ZERO) : NULL;

	if (!p)
		return alloc_area_slow(c, size, align, gfp);
	cpu_leave(c);
	return p;
}

static __attribute__((__noinline__)) void *malloc_area(size_t size)
{
	struct pcpu *c = cpu_enter();
	void *p = area_cache_get_last(c, size);

	if (unlikely(!p))
		return alloc_area(c, size, 1, GFP_MALLOC);
	cpu_leave(c);
	return p;
}

void *malloc_large(size_t size)
{
	if (unlikely(size > KMALLOC_MAX_CACHE_SIZE))
		return malloc_area(size);
	return slab_alloc(size_class_large[(size + 127) / 128], size, GFP_MALLOC);
}

/* A word in each page: an object that nobody had is read as the zero page first. */
static void touch_pages(char *p, size_t size)
{
	size_t offset;

	for (offset = 0; offset < size; offset += PAGE_SIZE)
		WRITE_ONCE(p[offset], 0);
	WRITE_ONCE(p[size - 1], 0);
}

void *kvzalloc_miss(size_t size, struct pcpu *c)
{
	void *p = slab_alloc_slow(size, c, GFP_MALLOC);

	return p ? memset(p, 0, size) : NULL;
}

void *kvzalloc_large(size_t size)
{
	struct pcpu *c;
	bool zeroed = false;
	void *p;

	if (size > KMALLOC_MAX_CACHE_SIZE)
		return alloc_area(cpu_enter(), size, 1, GFP_MALLOC | __GFP_ZERO);
	c = cpu_enter();
	if (likely(c->cache[size_class(size)].top != c->cache[size_class(size)].start)) {
		cpu_leave(c);
		p = malloc_large(size);
	} else {
		p = slab_zalloc_slow(size, c, GFP_MALLOC, &zeroed);
	}
	if (p && !zeroed)
		memset(p, 0, size);
	else if (p && size <= TOUCH_MAX)
		touch_pages(p, size);
	return p;
}

void *kvmalloc_aligned(size_t align, size_t size)
{
	size_t rounded = ALIGN_UP(size ? size : 1, align);

	if (unlikely(size > PTRDIFF_MAX || align > PTRDIFF_MAX)) {
		os_set_errno_enomem();
		return NULL;
	}
	if (rounded <= SMALL_SIZE_MAX)
		return slab_alloc_at(hot_data.size_cache_small[(rounded + 7) / 8], rounded,
				  GFP_MALLOC);
	if (rounded <= KMALLOC_MAX_CACHE_SIZE)
		return slab_alloc(size_class_natural[(rounded + 127) / 128], rounded,
				  GFP_MALLOC | __GFP_NATURAL);
	return alloc_area(cpu_enter(), MAX(size, 1ul), align, GFP_MALLOC);
}

/* ---- what is this pointer? ---- */

/*
 * glibc's own heap lies in the program break: a plugin opened with RTLD_DEEPBIND allocates
 * there.
 */
static bool in_program_break(const void *p)
{
	static _Atomic unsigned long seen_end;
	unsigned long addr = (unsigned long)p, end;

	if (!os_brk_start() || addr < os_brk_start())
		return false;
	end = atomic_load_explicit(&seen_end, memory_order_relaxed);
	if (addr >= end) {
		end = os_brk();
		atomic_store_explicit(&seen_end, end, memory_order_relaxed);
	}
	return addr < end;
}

static void report_foreign(const void *p, const char *what)
{
	struct page *page = virt_to_page(ALIGN_DOWN((unsigned long)p, PAGEBLOCK_SIZE));
	struct vmap_area *vm = find_vmap_area_inside(p);

	if (vm)
		report_bug("vmalloc: invalid %s of %p, %lu bytes inside the block at %p", what, p,
			   (unsigned long)p - vm->addr, (void *)vm->addr);
	else if (page || leaf_of((unsigned long)p))
		report_bug("%s of %p, which is not allocated: freed before, or never ours", what,
			   p);
	else
		report_bug("%s of %p, which no allocator function returned", what, p);
}

/* The block of pages in use that addr lies in, or NULL. */
static struct page *block_around(unsigned long addr)
{
	struct page *page;
	unsigned int order;

	for (order = 0; order <= MAX_PAGE_ORDER; order++) {
		page = virt_to_page(ALIGN_DOWN(addr, PAGE_SIZE << order));
		if (page && (page->state == PAGE_ALLOC || page->state == PAGE_KMALLOC) &&
		    page->order >= order)
			return page;
	}
	return NULL;
}

static void warn_inside(const char *func, const void *p, unsigned long start, const char *what)
{
	pr_warn("%s of %p, %lu bytes inside the %s at %p", func, p, (unsigned long)p - start,
		what, (void *)start);
}

void warn_not_kmalloc(const char *func, const void *p)
{
	unsigned int class = class_of(p);
	unsigned long addr = (unsigned long)p;
	struct slab *slab = class == CLASS_FOREIGN ? NULL : virt_to_slab(addr);
	struct vmap_area *vm = slab ? NULL : find_vmap_area_inside(p);
	struct page *block = slab || vm ? NULL : block_around(addr);

	if (slab)
		warn_inside(func, p, addr - (addr - slab->base) % slab->cache->size,
			    slab->cache->name);
	else if (vm && vm->addr == addr)
		pr_warn("%s of %p, a block of vmalloc: vfree() or kvfree() frees it", func, p);
	else if (vm)
		warn_inside(func, p, vm->addr, "vmalloc block");
	else if (block && page_address(block) == addr)
		pr_warn("%s of %p, a block of alloc_pages: free_pages() frees it", func, p);
	else if (block)
		warn_inside(func, p, page_address(block), "block of pages");
	else if (virt_to_page(addr) || leaf_of(addr))
		pr_warn("%s of %p, which is not allocated: freed before, or never ours", func, p);
	else if (in_program_break(p))
		pr_warn("%s of %p, which lies in the program break, as libc's own heap", func, p);
	else
		pr_warn("%s of %p, which no allocator function returned", func, p);
}

/* Among the areas of the slot; false: it must be freed. */
static bool keep_area(struct pcpu *c, struct vmap_area *vm)
{
	if (unlikely(READ_ONCE(c->flush_request)))
		honour_flush_request(c);
	return area_cache_keep(c, vm);
}

void free_other(struct pcpu *c, unsigned int class, void *p)
{
	struct slab *slab = class == CLASS_OTHER ? virt_to_slab((unsigned long)p) : NULL;
	struct vmap_area *vm = class == CLASS_OTHER ? find_vmap_area(p) : NULL;
	struct page *page = class == CLASS_OTHER && !vm ? large_kmalloc_page(p) : NULL;

	if (slab) {
		cache_free_object(c, slab->cache, p);
	} else if (vm && c && keep_area(c, vm)) {
		purge_check();
	} else if (vm && vmap_free(vm, c != NULL)) {
		if (c)
			purge_check();
	} else if (vm && vm_is_busy(vm)) {
		vm_warn_kept("free", p);
	} else if (page) {
		free_large_kmalloc(page);
		if (c)
			purge_check();
	} else if (in_program_break(p) && os_libc_free(p)) {
		atomic_fetch_add_explicit(&nr_foreign_frees, 1, memory_order_relaxed);
	} else {
		report_foreign(p, "free");
	}
}

/* Of anything but the start of an object of a class or of an area. */
static __attribute__((__noinline__)) size_t kvsize_rest(const void *p)
{
	unsigned int class = class_of(p), index;
	struct slab *slab;

	if (!p)
		return 0;
	slab = class != CLASS_FOREIGN ? virt_to_slab((unsigned long)p) : NULL;
	if (slab)
		return slab_object_index(slab, p, &index) ? slab->cache->size : 0;
	if (class == CLASS_OTHER && large_kmalloc_page(p))
		return large_kmalloc_size(large_kmalloc_page(p));
	if (!in_program_break(p))
		report_foreign(p, "use");
	return 0;
}

size_t kvsize_slow(const void *p)
{
	struct vmap_area *vm = class_of(p) == CLASS_OTHER ? __find_vmap_area(p) : NULL;

	return likely(vm) ? vm->size : kvsize_rest(p);
}

/* ---- realloc ---- */

/* Growing is the area's turn to fail, as getting another one would be. */
static bool growth_fails(struct vmap_area *vm, size_t size)
{
	struct alloc_context ac;
	struct slow_entry e;
	bool fails;

	if (likely(!atomic_load_explicit(&fault_page_active, memory_order_relaxed)) ||
	    size <= vm->size)
		return false;
	slow_enter_alloc(&e, cpu_enter());
	alloc_context_init(&ac, area_gfp(size, GFP_MALLOC), 0);
	fails = !e.nested && page_alloc_fails(&ac, 0);
	slow_leave(&e);
	return fails;
}

/* In place or by moving pages; NULL if it must be copied. */
static void *resize_area(struct vmap_area *vm, size_t size)
{
	struct pcpu *c = cpu_enter();
	void *p = NULL;

	if (c != &busy_cpu) {
		fork_check();
		p = vmap_resize(vm, size);
		purge_check();
	}
	cpu_leave(c);
	return p;
}

static __always_inline void *copy_to_new(void *p, size_t old_size, size_t size)
{
	void *new = size > KMALLOC_MAX_CACHE_SIZE && size > old_size ?
		alloc_area_slow(cpu_enter(), size, 1, GFP_MALLOC | __GFP_GROWS) :
		kvmalloc_size(size);

	if (!new)
		return NULL;
	memcpy(new, p, MIN(old_size, size));
	slab_free(p);
	return new;
}

static __attribute__((__noinline__)) void *copy_object(void *p, size_t old_size, size_t size)
{
	void *new = copy_to_new(p, old_size, size);

	/* shrinking never fails */
	return new || size > old_size ? new : p;
}

static void *realloc_large_kmalloc(void *p, size_t old_size, size_t size)
{
	if (size <= old_size && size > old_size / 2)
		return p;
	return copy_object(p, old_size, size);
}

static void *realloc_area(void *p, size_t size)
{
	struct vmap_area *vm = find_vmap_area(p);
	struct page *page = vm ? NULL : large_kmalloc_page(p);
	void *new;

	if (page)
		return realloc_large_kmalloc(p, large_kmalloc_size(page), size);
	if (!vm) {
		report_foreign(p, "realloc");
		os_set_errno_enomem();
		return NULL;
	}
	if (unlikely(growth_fails(vm, size))) {
		os_set_errno_enomem();
		return NULL;
	}
	if (size > KMALLOC_MAX_CACHE_SIZE) {
		new = size <= PTRDIFF_MAX ? resize_area(vm, size) : NULL;
		if (new)
			return new;
	}
	return copy_object(p, vm->size, size);
}

/*
 * glibc might move its block to a mapping that we could not tell from a wild pointer: it moves
 * to our heap.
 */
static void *copy_from_libc(void *p, size_t size)
{
	void *new = kvmalloc_size(size);

	if (!new)
		return NULL;
	memcpy(new, p, MIN(os_libc_usable_size(p), size));
	os_libc_free(p);
	return new;
}

/* Of a cache that is no class: as long as half of the object is used. */
static bool kept_in_place(const struct kmem_cache *s, unsigned int class, size_t size)
{
	if (class == CLASS_OTHER)
		return size <= s->size && size >= s->size / 2;
	return size_class(size) == class || natural_size_class(size) == class;
}

/* What is no object of a class. */
static __attribute__((__noinline__)) void *realloc_other(void *p, size_t size)
{
	unsigned int class = class_of(p), index;
	size_t old_size;
	struct slab *slab;

	slab = class != CLASS_FOREIGN ? virt_to_slab((unsigned long)p) : NULL;
	if (class == CLASS_OTHER && !slab)
		return realloc_area(p, size);
	if (class == CLASS_FOREIGN) {
		if (in_program_break(p)) {
			atomic_fetch_add_explicit(&nr_foreign_frees, 1, memory_order_relaxed);
			return copy_from_libc(p, size);
		}
		report_foreign(p, "realloc");
		os_set_errno_enomem();
		return NULL;
	}
	if (unlikely(!slab || !slab_object_index(slab, p, &index))) {
		os_set_errno_enomem();
		return NULL;
	}
	old_size = slab->cache->size;
	if (size <= KMALLOC_MAX_CACHE_SIZE && kept_in_place(slab->cache, class, size))
		return p;
	return copy_object(p, old_size, size);
}

/* Whether another object for size would be served by the class of info, too, or nearly so. */
static bool starts_as(size_t size, const struct class_info *info)
{
	const struct class_start *start = &class_start[size_class(size)];

	return start->coarse == info - class_info &&
		(READ_ONCE(start->left) || size >= info->size / 2);
}

void *kvrealloc_size(void *p, size_t size)
{
	const struct class_info *info = class_info_at(p);

	if (unlikely(!info))
		return realloc_other(p, size);
	if (size <= info->size && (size >= info->lo || starts_as(size, info)))
		return p;
	return copy_object(p, info->size, size);
}

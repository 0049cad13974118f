// SPDX-License-Identifier: MIT
/*
 * The public vmalloc family over vmap_alloc(), vmap_free() and vmap_resize(). Layer: mm. vmap() and
 * its like are in vmap.c. No lock of its own; each entry is a slow one (entry.h), so that it may
 * be called from anywhere.
 *
 * struct vm_struct is the part of a busy area's record that users see: its flags are 0 for what
 * malloc made, until someone asks.
 */
#include "lib/small.h"
#include "mm/entry.h"
#include "mm/fault_inject.h"
#include "mm/purge.h"
#include "mm/util.h"
#include "mm/vmap_area.h"
#include "kernel/printk.h"
#include "lib/overflow.h"
#include "os/os.h"

#define GFP_VMALLOC_SUPPORTED \
	(GFP_KERNEL | GFP_ATOMIC | GFP_NOWAIT | GFP_KERNEL_ACCOUNT | GFP_USER | __GFP_ZERO | \
	 __GFP_NOFAIL | __GFP_NORETRY | __GFP_RETRY_MAYFAIL | __GFP_NOLOCKDEP | \
	 __GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM)

#define WARN_MS		10000ul		/* one report of a failure in that time */

#define RET_IP		__builtin_return_address(0)

/* ---- messages ---- */

/* what: NULL for a failure that was said before. */
static void vmalloc_error(size_t size, gfp_t gfp, const char *what)
{
	static _Atomic unsigned long next_ms;
	unsigned long now = os_clock_ms(), next;

	os_set_errno_enomem();
	if (gfp & __GFP_NOWARN || !what)
		return;
	next = atomic_load_explicit(&next_ms, memory_order_relaxed);
	if (now < next ||
	    !atomic_compare_exchange_strong_explicit(&next_ms, &next, now + WARN_MS,
						     memory_order_relaxed, memory_order_relaxed))
		return;
	pr_warn("vmalloc error: size %lu, %s, mode:0x%x", size, what, gfp & __GFP_BITS_MASK);
}

static gfp_t vmalloc_fix_flags(gfp_t gfp)
{
	static _Atomic bool warned;
	gfp_t bad = gfp & ~GFP_VMALLOC_SUPPORTED;

	if (bad && vm_first_time(&warned))
		pr_warn("vmalloc: Unexpected gfp: 0x%x of 0x%x has no meaning here, left out",
			bad, gfp);
	return gfp & ~bad;
}

/* ---- allocation ---- */

struct vmalloc_request {
	size_t size, align;
	gfp_t gfp;
	unsigned long vm_flags;
	const void *caller;
};

/* Asking the system is for who may block; nothing that large is mapped already for the others. */
static bool exceeds_memory(size_t size, gfp_t gfp)
{
	return gfpflags_allow_blocking(gfp) && size > os_totalram();
}

/* What can be said without trying. */
static bool request_is_possible(const struct vmalloc_request *r)
{
	static _Atomic bool warned_zero, warned_align, warned_dma;

	if (!r->size) {
		if (vm_first_time(&warned_zero))
			pr_warn("vmalloc: size 0, expected at least 1 byte: NULL");
		return false;
	}
	if (!is_power_of_2(r->align)) {
		if (vm_first_time(&warned_align))
			pr_warn("vmalloc: alignment %lu, expected a power of two: NULL", r->align);
		return false;
	}
	if (r->gfp & __GFP_DMA && param_choice(PARAM_dma) == DMA_STRICT) {
		if (vm_first_time(&warned_dma))
			pr_warn("vmalloc: __GFP_DMA is refused with dma=strict: NULL");
		return false;
	}
	if (exceeds_memory(r->size, r->gfp)) {
		vmalloc_error(r->size, r->gfp, "exceeds total pages");
		return false;
	}
	return true;
}

static void *vmalloc_area(const struct vmalloc_request *r)
{
	struct alloc_context ac;
	struct slow_entry e;
	struct vmap_area *vm;
	gfp_t gfp = vmalloc_fix_flags(r->gfp);
	void *p = NULL;

	if (!request_is_possible(r))
		return NULL;
	slow_enter_alloc(&e, cpu_enter());
	alloc_context_init(&ac, gfp, 0);
	/* one decision for the area, as for a single page */
	ac.injected = !e.nested && page_alloc_fails(&ac, 0);
	if (likely(!ac.injected)) {
		do
			p = vmap_alloc(r->size, r->align, &ac, !e.nested);
		while (unlikely(!p) && alloc_slowpath(&ac, &e));
	}
	if (p) {
		vm = find_vmap_area(p);
		vm_show(vm, r->size);
		vm->pub.pages = NULL;
		vm->pub.caller = r->caller;
		vm->pub.flags = VM_ALLOC | r->vm_flags;
	}
	if (!e.nested && may_block(&ac))
		purge_check();
	slow_leave(&e);
	if (unlikely(!p))
		vmalloc_error(r->size, gfp, ac.injected ? NULL : "failed to allocate pages");
	return p;
}

static void *vmalloc_simple(size_t size, gfp_t gfp, unsigned long vm_flags, const void *caller)
{
	struct vmalloc_request r = {
		.size = size, .align = 1, .gfp = gfp, .vm_flags = vm_flags, .caller = caller,
	};

	return vmalloc_area(&r);
}

__km_export void *vmalloc(unsigned long size)
{
	return vmalloc_simple(size, GFP_KERNEL, 0, RET_IP);
}

__km_export void *vzalloc(unsigned long size)
{
	return vmalloc_simple(size, GFP_KERNEL | __GFP_ZERO, 0, RET_IP);
}

__km_export void *vmalloc_node(unsigned long size, int node)
{
	(void)node;
	return vmalloc_simple(size, GFP_KERNEL, 0, RET_IP);
}

__km_export void *vzalloc_node(unsigned long size, int node)
{
	(void)node;
	return vmalloc_simple(size, GFP_KERNEL | __GFP_ZERO, 0, RET_IP);
}

__km_export void *vmalloc_user(unsigned long size)
{
	return vmalloc_simple(size, GFP_KERNEL | __GFP_ZERO, VM_USERMAP, RET_IP);
}

__km_export void *vmalloc_32(unsigned long size)
{
	return vmalloc_simple(size, GFP_KERNEL | __GFP_DMA32, 0, RET_IP);
}

__km_export void *vmalloc_32_user(unsigned long size)
{
	return vmalloc_simple(size, GFP_KERNEL | __GFP_DMA32 | __GFP_ZERO, VM_USERMAP, RET_IP);
}

__km_export void *vmalloc_huge(unsigned long size, gfp_t flags)
{
	return vmalloc_simple(size, flags, VM_ALLOW_HUGE_VMAP, RET_IP);
}

__km_export void *vmalloc_array(size_t n, size_t size)
{
	size_t bytes;

	if (check_mul_overflow(n, size, &bytes))
		return NULL;
	return vmalloc_simple(bytes, GFP_KERNEL, 0, RET_IP);
}

__km_export void *vcalloc(size_t n, size_t size)
{
	size_t bytes;

	if (check_mul_overflow(n, size, &bytes))
		return NULL;
	return vmalloc_simple(bytes, GFP_KERNEL | __GFP_ZERO, 0, RET_IP);
}

__km_export void *(__vmalloc)(unsigned long size, gfp_t flags)
{
	return vmalloc_simple(size, flags, 0, RET_IP);
}

__km_export void *__vmalloc_node(unsigned long size, unsigned long align, gfp_t flags, int node,
				 const void *caller)
{
	struct vmalloc_request r = {
		.size = size, .align = align, .gfp = flags, .caller = caller,
	};

	(void)node;
	return vmalloc_area(&r);
}

/* ---- freeing ---- */

static void vfree_area(const void *addr, bool atomic)
{
	struct slow_entry e;
	struct vmap_area *vm;
	bool freed;

	if (!addr)
		return;
	slow_enter_free(&e, cpu_enter());
	vm = find_vmap_area(addr);
	if (!vm)
		freed = false;
	else if (atomic && !(vm->pub.flags & VM_MAP))
		freed = vmap_free_atomic(vm);
	else
		freed = vmap_free(vm, !e.nested);
	if (freed && !atomic && !e.nested)
		purge_check();
	slow_leave(&e);
	if (unlikely(!freed && vm && vm_is_busy(vm))) {
		vm_warn_kept("vfree", addr);
	} else if (unlikely(!freed)) {
		if (!IS_ALIGNED((unsigned long)addr, PAGE_SIZE))
			pr_warn("Trying to vfree() bad address (%p)", addr);
		pr_warn("Trying to vfree() nonexistent vm area (%p)", addr);
	}
}

__km_export void vfree(const void *addr)
{
	vfree_area(addr, false);
}

__km_export void vfree_atomic(const void *addr)
{
	vfree_area(addr, true);
}

__km_export void vfree_sensitive(const void *addr)
{
	struct vmap_area *vm = find_vmap_area(addr);

	if (vm) {
		memset((void *)vm->addr, 0, vm->size);
		/* the compiler must not think that nobody reads it */
		__asm__ __volatile__("" : : "r"(vm->addr) : "memory");
	}
	vfree_area(addr, false);
}

/* ---- vrealloc ---- */

/*
 * By mremap or into the free area behind; NULL: it must be copied, unless *injected says that it
 * was its turn to fail.
 */
static void *grow_area(struct vmap_area *vm, size_t size, gfp_t gfp, bool *injected)
{
	struct alloc_context ac;
	struct slow_entry e;
	void *p = NULL;

	*injected = false;
	if (gfp & __GFP_ZERO || !gfpflags_allow_blocking(gfp))
		return NULL;
	slow_enter_alloc(&e, cpu_enter());
	alloc_context_init(&ac, gfp, 0);
	*injected = !e.nested && page_alloc_fails(&ac, 0);
	if (!e.nested && !*injected) {
		p = vmap_resize(vm, size);
		purge_check();
	}
	slow_leave(&e);
	return p;
}

static void *vrealloc_area(const void *p, size_t size, size_t align, gfp_t gfp, const void *caller)
{
	struct vmalloc_request r = {
		.size = size, .align = align, .gfp = gfp, .caller = caller,
	};
	struct vm_struct *area;
	bool injected = false;
	size_t old;
	void *new;

	if (!size) {
		vfree(p);
		return NULL;
	}
	if (!p)
		return vmalloc_area(&r);
	area = find_vm_area(p);
	if (!area) {
		pr_warn("Trying to vrealloc() nonexistent vm area (%p)", p);
		return NULL;
	}
	if (!is_power_of_2(align) || !IS_ALIGNED((unsigned long)p, align)) {
		pr_warn("vrealloc: area at %p, expected an alignment of %lu", p, align);
		return NULL;
	}
	old = area->requested_size;
	if (size <= get_vm_area_size(area)) {
		if (size < old && (gfp & __GFP_ZERO || param_yes(PARAM_init_on_alloc) ||
				   param_yes(PARAM_init_on_free)))
			memset((char *)area->addr + size, 0, old - size);
		area->requested_size = size;
		return area->addr;
	}
	new = align > PAGEBLOCK_SIZE || exceeds_memory(size, gfp) ? NULL :
		grow_area(container_of(area, struct vmap_area, pub), size, gfp, &injected);
	if (new)
		return new;
	if (unlikely(injected)) {
		vmalloc_error(size, gfp, NULL);
		return NULL;
	}
	new = vmalloc_area(&r);
	if (!new)
		return NULL;
	memcpy(new, p, old);
	vfree(p);
	return new;
}

__km_export void *vrealloc(const void *p, size_t size, gfp_t flags)
{
	return vrealloc_area(p, size, 1, flags, RET_IP);
}

__km_export void *vrealloc_node_align(const void *p, size_t size, unsigned long align, gfp_t flags,
				      int node)
{
	(void)node;
	return vrealloc_area(p, size, align, flags, RET_IP);
}

/* ---- look-up ---- */

/* The area that has p in its usable part. Objects of slabs are told by their class. */
static struct vmap_area *area_around(const void *p)
{
	unsigned int class = class_of(p);
	struct vmap_area *vm;

	if (class != CLASS_FOREIGN && class != CLASS_OTHER)
		return NULL;
	vm = find_vmap_area_inside(p);
	return vm && (unsigned long)p - vm->addr < vm->size ? vm : NULL;
}

__km_export bool is_vmalloc_addr(const void *p)
{
	return area_around(p) != NULL;
}

__km_export struct vm_struct *find_vm_area(const void *addr)
{
	struct vmap_area *vm = find_vmap_area(addr);

	if (!vm)
		return NULL;
	if (!vm->pub.flags) {	/* who asks twice at the same moment writes the same twice */
		vm_show(vm, vm->size);
		vm->pub.pages = NULL;
		vm->pub.caller = NULL;
		WRITE_ONCE(vm->pub.flags, VM_ALLOC);
	}
	return &vm->pub;
}

__km_export size_t get_vm_area_size(const struct vm_struct *area)
{
	return container_of((struct vm_struct *)(uintptr_t)area, struct vmap_area, pub)->size;
}

__km_export struct page *vmalloc_to_page(const void *addr)
{
	struct vmap_area *vm = area_around(addr);
	unsigned long a = ALIGN_DOWN((unsigned long)addr, PAGE_SIZE);
	struct page *page;

	if (!vm)
		return NULL;
	if (vm->pub.flags & VM_MAP)
		return vm->pub.pages[(a - vm->addr) >> os_page_shift];
	if (!memmap_add_sections(a, PAGE_SIZE))
		return NULL;
	page = virt_to_page(a);
	page->virtual = a;
	return page;
}

__km_export unsigned long vmalloc_to_pfn(const void *addr)
{
	struct page *page = vmalloc_to_page(addr);

	return page ? vm_page_address(page) >> os_page_shift : 0;
}

__km_export unsigned long vmalloc_nr_pages(void)
{
	struct vmap_stats st;

	vmap_get_stats(&st);
	return st.busy_bytes >> os_page_shift;
}

__km_export void vm_unmap_aliases(void)
{
	struct slow_entry e;

	slow_enter_free(&e, cpu_enter());
	if (!e.nested)
		vmap_purge_lazy();
	slow_leave(&e);
}

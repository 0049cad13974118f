// SPDX-License-Identifier: MIT
#include "mm/fault_inject.h"
#include "mm/gfp_policy.h"
#include "mm/shrinker.h"
#include "mm/entry.h"
#include "mm/vmalloc.h"
#include "mm/util.h"
__weak _Atomic bool fault_slab_active, fault_page_active;
__weak bool should_failslab(size_t o, gfp_t g, bool m) { (void)o; (void)g; (void)m; return false; }
__weak bool fault_cache_is_marked(const char *n) { (void)n; return false; }
__weak unsigned long shrink_slab(gfp_t gfp, int nid, unsigned int priority) { (void)gfp; (void)nid; (void)priority; return 0; }
__weak bool have_shrinkers(void) { return false; }
__weak unsigned long oom_notify(void) { return 0; }
void *kvmalloc_area(size_t size, gfp_t flags) __km(kvmalloc_area);
void vfree(const void *p) __km(vfree);
void *vrealloc(const void *p, size_t size, gfp_t flags) __km(vrealloc);
__weak void *kvmalloc_area(size_t size, gfp_t flags)
{
	struct alloc_context ac;
	struct slow_entry e;
	void *p;

	slow_enter_alloc(&e, cpu_enter());
	alloc_context_init(&ac, flags, 0);
	do
		p = vmap_alloc(size, 1, &ac, !e.nested);
	while (!p && alloc_slowpath(&ac, &e));
	slow_leave(&e);
	return p;
}

__weak void vfree(const void *p)
{
	slab_free((void *)(uintptr_t)p);
}

__weak void *vrealloc(const void *p, size_t size, gfp_t flags)
{
	size_t old = kvsize(p);
	void *new;

	if (!size) {
		vfree(p);
		return NULL;
	}
	if (size <= old)
		return (void *)(uintptr_t)p;
	new = kvmalloc_area(size, flags);
	if (!new)
		return NULL;
	memcpy(new, p, old);
	vfree(p);
	return new;
}


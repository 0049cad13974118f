// SPDX-License-Identifier: MIT
/*
 * malloc and its family as C, POSIX and glibc define them, on top of kvmalloc. Layer: preload.
 * What a function promises beyond C is glibc's behaviour; where glibc leaves errno, so do we.
 */
#define _GNU_SOURCE
#include "mm/reclaim.h"
#include "mm/show_mem.h"
#include "mm/util.h"
#include "kernel/printk.h"
#include "lib/overflow.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#define export __attribute__((visibility("default")))

export __hot void *malloc(size_t size)
{
	return kvmalloc_size(size);
}

export __hot void free(void *p)
{
	slab_free(p);
}

export void cfree(void *p);
export void cfree(void *p)
{
	slab_free(p);
}

export void free_sized(void *p, size_t size);
export void free_sized(void *p, size_t size)
{
	(void)size;
	slab_free(p);
}

export void free_aligned_sized(void *p, size_t align, size_t size);
export void free_aligned_sized(void *p, size_t align, size_t size)
{
	(void)align;
	(void)size;
	slab_free(p);
}

export void *calloc(size_t n, size_t size)
{
	size_t bytes;

	if (unlikely(check_mul_overflow(n, size, &bytes))) {
		errno = ENOMEM;
		return NULL;
	}
	return kvzalloc_size(bytes);
}

export void *realloc(void *p, size_t size)
{
	if (unlikely(!p))
		return malloc(size);
	if (unlikely(!size)) {
		free(p);
		return NULL;
	}
	return kvrealloc_size(p, size);
}

export void *reallocarray(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (unlikely(check_mul_overflow(n, size, &bytes))) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, bytes);
}

/* As in glibc, an alignment that is no power of two is rounded up to the next. */
export void *memalign(size_t align, size_t size)
{
	if (unlikely(align > PTRDIFF_MAX)) {
		errno = EINVAL;
		return NULL;
	}
	return kvmalloc_aligned(roundup_pow_of_two(align), size);
}

export void *aligned_alloc(size_t align, size_t size)
{
	if (unlikely(!is_power_of_2(align))) {
		errno = EINVAL;
		return NULL;
	}
	return kvmalloc_aligned(align, size);
}

export int posix_memalign(void **memptr, size_t align, size_t size)
{
	int saved = errno;
	void *p;

	if (unlikely(!is_power_of_2(align) || align % sizeof(void *)))
		return EINVAL;
	p = kvmalloc_aligned(align, size);
	errno = saved;
	if (unlikely(!p))
		return ENOMEM;
	*memptr = p;
	return 0;
}

static size_t page_size(void)
{
	if (unlikely(!atomic_load_explicit(&mm_ready, memory_order_acquire)))
		mm_init();
	return PAGE_SIZE;
}

export void *valloc(size_t size)
{
	return kvmalloc_aligned(page_size(), size);
}

export void *pvalloc(size_t size)
{
	size_t page = page_size();

	if (unlikely(size > PTRDIFF_MAX)) {
		errno = ENOMEM;
		return NULL;
	}
	return kvmalloc_aligned(page, ALIGN_UP(size ? size : 1, page));
}

export size_t malloc_usable_size(void *p)
{
	return kvsize(p);
}

/* pad is what glibc leaves at the top of its heap; there is no top here. */
export int malloc_trim(size_t pad)
{
	(void)pad;
	return trim_memory() != 0;
}

/* glibc's parameters have no counterpart here: known ones are accepted and ignored. */
export int mallopt(int param, int value)
{
	(void)value;
	return param == M_MXFAST || (param <= M_TRIM_THRESHOLD && param >= M_ARENA_MAX);
}

/*
 * arena: the slab side, bytes got from the system, = uordblks (objects in use) + fordblks (the
 * rest); hblks, hblkhd: areas of the vmalloc region in use; ordblks: free objects; keepcost:
 * what of fordblks is held back.
 */
export struct mallinfo2 mallinfo2(void)
{
	struct heap_usage u;

	settle_memory();
	heap_get_usage(&u);
	return (struct mallinfo2){
		.arena = u.slab_system,
		.ordblks = u.nr_free_objects,
		.hblks = u.nr_areas,
		.hblkhd = u.area_in_use,
		.uordblks = u.slab_in_use,
		.fordblks = u.slab_system - u.slab_in_use,
		.keepcost = u.slab_dirty,
	};
}

static int to_int(size_t n)
{
	return (int)MIN(n, (size_t)INT_MAX);
}

export struct mallinfo mallinfo(void)
{
	struct mallinfo2 m = mallinfo2();

	return (struct mallinfo){
		.arena = to_int(m.arena),
		.ordblks = to_int(m.ordblks),
		.hblks = to_int(m.hblks),
		.hblkhd = to_int(m.hblkhd),
		.uordblks = to_int(m.uordblks),
		.fordblks = to_int(m.fordblks),
		.keepcost = to_int(m.keepcost),
	};
}

export void malloc_stats(void)
{
	struct heap_usage u;

	settle_memory();
	heap_get_usage(&u);
	pr_cont("libkmalloc %s", PACKAGE_VERSION);
	pr_cont("slabs:      %12zu bytes of the system, %12zu in use", u.slab_system,
		u.slab_in_use);
	pr_cont("vmalloc:    %12zu bytes of the system, %12zu in use in %lu blocks", u.area_system,
		u.area_in_use, u.nr_areas);
	pr_cont("records:    %12zu bytes of address space", u.meta);
	pr_cont("held back:  %12zu bytes free and not yet given back", u.slab_dirty + u.area_dirty);
	pr_cont("in all:     %12zu bytes of the system, %12zu in use",
		u.slab_system + u.area_system, u.slab_in_use + u.area_in_use);
}

static unsigned int next_smaller_size(unsigned int size)
{
	unsigned int i, best = 0;

	for (i = 1; i <= nr_kmalloc_caches; i++)
		if (kmalloc_caches[i].size < size)
			best = MAX(best, kmalloc_caches[i].size);
	return best;
}

/*
 * The elements and attributes of glibc's version 1, with one heap and a size element for each
 * cache.
 */
export int malloc_info(int options, FILE *fp)
{
	struct heap_usage u;
	unsigned int i;

	if (options)
		return EINVAL;
	settle_memory();
	heap_get_usage(&u);
	fputs("<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n", fp);
	for (i = 1; i <= nr_kmalloc_caches; i++) {
		struct kmem_cache *s = &kmalloc_caches[i];
		struct slab_usage su;
		unsigned long n;

		slab_get_usage(s, &su);
		n = su.num_objs - su.active_objs + su.in_sheaves;
		if (su.num_objs)
			fprintf(fp, "<size from=\"%u\" to=\"%u\" total=\"%lu\" count=\"%lu\"/>\n",
				next_smaller_size(s->size) + 1, s->size, n * s->size, n);
	}
	fprintf(fp, "</sizes>\n<total type=\"rest\" count=\"%lu\" size=\"%zu\"/>\n",
		u.nr_free_objects, u.slab_system - u.slab_in_use);
	fprintf(fp, "<system type=\"current\" size=\"%zu\"/>\n</heap>\n", u.slab_system);
	fprintf(fp, "<total type=\"mmap\" count=\"%lu\" size=\"%zu\"/>\n", u.nr_areas,
		u.area_in_use);
	fprintf(fp, "<system type=\"current\" size=\"%zu\"/>\n</malloc>\n",
		u.slab_system + u.area_system);
	return ferror(fp) ? -1 : 0;
}

// SPDX-License-Identifier: MIT
/*
 * paths_api.c - fixed paths through the kernel's API, for the gate (paths.h)
 *
 * Linked with libkmalloc, and run without the preload.
 */
#define _GNU_SOURCE
#include "paths.h"

#include <kmalloc/kmalloc.h>

#define OBJECT	192
#define BATCH	400
#define BULK	16

const void *paths_function(void)
{
	void *(*function)(size_t, gfp_t) = kmalloc;
	const void *p;

	memcpy(&p, &function, sizeof(p));
	return p;
}

static struct kmem_cache *must_create(void)
{
	return must(kmem_cache_create("paths", OBJECT, 0, SLAB_NO_MERGE, NULL));
}

static void run_kmalloc_64(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		char *p = must(kmalloc(64, GFP_KERNEL));

		mark(p, 64, i);
		kfree(p);
	}
}

static void run_kzalloc_1024(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		char *p = must(kzalloc(1024, GFP_KERNEL));

		check(p, 1024, 0);
		mark(p, 1024, ~0ull);
		kfree(p);
	}
}

static void run_kmem_cache(unsigned long n)
{
	struct kmem_cache *s = must_create();

	for (unsigned long i = 0; i < n; i++) {
		char *p = must(kmem_cache_alloc(s, GFP_KERNEL));

		mark(p, OBJECT, i);
		kmem_cache_free(s, p);
	}
	kmem_cache_destroy(s);
}

static void run_kmem_cache_batch(unsigned long n)
{
	struct kmem_cache *s = must_create();
	char *objects[BATCH];

	for (unsigned long i = 0; i < n; i++) {
		for (unsigned int j = 0; j < BATCH; j++) {
			objects[j] = must(kmem_cache_alloc(s, GFP_KERNEL));
			mark(objects[j], OBJECT, i + j);
		}
		for (unsigned int j = 0; j < BATCH; j++) {
			check(objects[j], OBJECT, i + j);
			kmem_cache_free(s, objects[j]);
		}
	}
	kmem_cache_destroy(s);
}

static void run_kmem_cache_bulk(unsigned long n)
{
	struct kmem_cache *s = must_create();
	void *objects[BULK];

	for (unsigned long i = 0; i < n; i++) {
		if (kmem_cache_alloc_bulk(s, GFP_KERNEL, BULK, objects) != BULK)
			bench_die("out of memory");
		for (unsigned int j = 0; j < BULK; j++)
			mark(objects[j], OBJECT, j);
		kmem_cache_free_bulk(s, BULK, objects);
	}
	kmem_cache_destroy(s);
}

static void run_kmem_cache_create(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		kmem_cache_destroy(must_create());
}

static void pages(unsigned long n, unsigned int order)
{
	for (unsigned long i = 0; i < n; i++) {
		struct page *page = must(alloc_pages(GFP_KERNEL, order));

		put_word(page_to_virt(page), i);
		__free_pages(page, order);
	}
}

static void run_pages_0(unsigned long n)
{
	pages(n, 0);
}

static void run_pages_4(unsigned long n)
{
	pages(n, 4);
}

static void run_vmalloc_64k(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		char *p = must(vmalloc(64 * KIB));

		mark(p, 64 * KIB, i);
		vfree(p);
	}
}

static void run_mempool_64(unsigned long n)
{
	mempool_t *pool = must(mempool_create_kmalloc_pool(8, 64));

	for (unsigned long i = 0; i < n; i++) {
		char *p = must(mempool_alloc(pool, GFP_KERNEL));

		mark(p, 64, i);
		mempool_free(p, pool);
	}
	mempool_destroy(pool);
}

const struct path paths_table[] = {
	{ "api-kmalloc-64", run_kmalloc_64, 5000, "kmalloc and kfree of 64 bytes" },
	{ "api-kzalloc-1024", run_kzalloc_1024, 2000, "kzalloc and kfree of 1 KiB" },
	{ "api-kmem-cache", run_kmem_cache, 5000, "an object of a cache and back" },
	{ "api-kmem-cache-batch", run_kmem_cache_batch, 25, "400 objects of a cache and back" },
	{ "api-kmem-cache-bulk", run_kmem_cache_bulk, 1000, "16 objects at once and back" },
	{ "api-kmem-cache-create", run_kmem_cache_create, 200, "a cache created and destroyed" },
	{ "api-pages-0", run_pages_0, 5000, "alloc_pages of order 0 and back" },
	{ "api-pages-4", run_pages_4, 5000, "alloc_pages of order 4 and back" },
	{ "api-vmalloc-64k", run_vmalloc_64k, 1000, "vmalloc and vfree of 64 KiB" },
	{ "api-mempool-64", run_mempool_64, 5000, "64 bytes of a mempool and back" },
	{ NULL, NULL, 0, NULL }
};

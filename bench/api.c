// SPDX-License-Identifier: MIT
/*
 * api.c - benchmarks: the library's own API beside malloc
 *
 * Rows come in pairs: BM_api/X does with <kmalloc/kmalloc.h> what BM_api_malloc/X does
 * with malloc and its relatives.  The program links libkmalloc; which malloc the second
 * ones call is up to what is preloaded, and under libkmalloc-preload.so both are of one
 * heap.
 *
 * BM_fit rows have no fixed number of iterations and end with the complexity that fits
 * them, so they are not for comparisons of runs:
 *
 *	bench/bench-api --benchmark_filter=BM_fit
 */
#include "common.h"

#include <kmalloc/kmalloc.h>

#define BATCH_MAX	4096

/* One way to get and to free a block, called through the pointers by both rows of a pair. */
struct api {
	const char *name;
	void *(*get)(size_t size);
	void (*put)(void *p, size_t size);
};

/* kmalloc */

static void *get_kernel(size_t size)
{
	return kmalloc(size, GFP_KERNEL);
}

static void *get_atomic(size_t size)
{
	return kmalloc(size, GFP_ATOMIC);
}

static void *get_zero(size_t size)
{
	return kmalloc(size, GFP_KERNEL | __GFP_ZERO);
}

static void put_kfree(void *p, size_t size)
{
	(void)size;
	kfree(p);
}

static void *get_kvmalloc(size_t size)
{
	return kvmalloc(size, GFP_KERNEL);
}

static void put_kvfree(void *p, size_t size)
{
	(void)size;
	kvfree(p);
}

static void *get_vmalloc(size_t size)
{
	return vmalloc(size);
}

static void put_vfree(void *p, size_t size)
{
	(void)size;
	vfree(p);
}

/* Pages; the sizes are those of orders. */

static void *get_free_pages(size_t size)
{
	return (void *)__get_free_pages(GFP_KERNEL, (unsigned int)get_order(size));
}

static void put_free_pages(void *p, size_t size)
{
	free_pages((unsigned long)p, (unsigned int)get_order(size));
}

/* The caller of alloc_pages() has the struct page, so it need not be looked up; only in pair(). */
static struct page *page;

static void *get_alloc_pages(size_t size)
{
	page = alloc_pages(GFP_KERNEL, (unsigned int)get_order(size));
	return page ? page_address(page) : NULL;
}

static void put_alloc_pages(void *p, size_t size)
{
	(void)p;
	__free_pages(page, (unsigned int)get_order(size));
}

/* A cache and a pool; they are made when their row begins. */

static struct kmem_cache *cache;
static mempool_t *pool;

static void *get_cache(size_t size)
{
	(void)size;
	return kmem_cache_alloc(cache, GFP_KERNEL);
}

static void put_cache(void *p, size_t size)
{
	(void)size;
	kmem_cache_free(cache, p);
}

static void *get_pool(size_t size)
{
	(void)size;
	return mempool_alloc(pool, GFP_KERNEL);
}

static void put_pool(void *p, size_t size)
{
	(void)size;
	mempool_free(p, pool);
}

/* malloc */

static void *get_malloc(size_t size)
{
	return malloc(size);
}

static void *get_calloc(size_t size)
{
	return calloc(1, size);
}

static void *get_aligned(size_t size)
{
	return aligned_alloc(4096, size);
}

static void put_malloc(void *p, size_t size)
{
	(void)size;
	free(p);
}

static const struct api
	api_kmalloc = { "kmalloc", get_kernel, put_kfree },
	api_atomic = { "kmalloc_atomic", get_atomic, put_kfree },
	api_zero = { "kmalloc_zero", get_zero, put_kfree },
	api_kvmalloc = { "kvmalloc", get_kvmalloc, put_kvfree },
	api_vmalloc = { "vmalloc", get_vmalloc, put_vfree },
	api_free_pages = { "get_free_pages", get_free_pages, put_free_pages },
	api_alloc_pages = { "alloc_pages", get_alloc_pages, put_alloc_pages },
	api_cache = { "kmem_cache", get_cache, put_cache },
	api_pool = { "mempool", get_pool, put_pool },
	api_malloc = { "malloc", get_malloc, put_malloc },
	api_calloc = { "calloc", get_calloc, put_malloc },
	api_aligned = { "aligned_alloc", get_aligned, put_malloc };

/* False: the row failed. */
static bool prepare(struct bench_state *state, const struct api *api, size_t size)
{
	if (api == &api_cache)
		cache = kmem_cache_create("bench", (unsigned int)size, 0, SLAB_NO_MERGE, NULL);
	if (api == &api_pool)
		pool = mempool_create_kmalloc_pool(16, size);
	if ((api == &api_cache && !cache) || (api == &api_pool && !pool)) {
		bench_fail(state, "the cache or the pool could not be made");
		return false;
	}
	return true;
}

static void clean_up(const struct api *api)
{
	if (api == &api_cache)
		kmem_cache_destroy(cache);
	if (api == &api_pool)
		mempool_destroy(pool);
}

/* One block is got, written, checked and freed. */
static void pair(struct bench_state *state)
{
	const struct api *api = bench_data(state);
	size_t size = (size_t)bench_arg(state, 0);
	uint64_t tag = 0;

	if (!prepare(state, api, size))
		return;
	BENCH_LOOP(state) {
		char *p = must(api->get(size));

		touch_pages(p, TOUCH_STEP, size, ++tag);
		mark(p, size, tag);
		bench_keep(p);
		check(p, size, tag);
		api->put(p, size);
	}
	bench_set_items(state, bench_iterations(state));
	clean_up(api);
}

/* So many, in the order in which they came. */
static void batch(struct bench_state *state)
{
	static char *block[BATCH_MAX];
	const struct api *api = bench_data(state);
	unsigned int nr = (unsigned int)bench_arg(state, 0);
	size_t size = (size_t)bench_arg(state, 1);

	if (!prepare(state, api, size))
		return;
	BENCH_LOOP(state) {
		for (unsigned int i = 0; i < nr; i++) {
			block[i] = must(api->get(size));
			mark(block[i], size, i);
		}
		for (unsigned int i = 0; i < nr; i++) {
			check(block[i], size, i);
			api->put(block[i], size);
		}
	}
	bench_set_items(state, bench_iterations(state) * nr);
	bench_set_n(state, nr);
	clean_up(api);
}

/* So many in one call; the other row of the pair is batch() with malloc. */
static void bulk(struct bench_state *state)
{
	static void *block[BATCH_MAX];
	unsigned int nr = (unsigned int)bench_arg(state, 0);
	size_t size = (size_t)bench_arg(state, 1);

	if (!prepare(state, &api_cache, size))
		return;
	BENCH_LOOP(state) {
		if (!kmem_cache_alloc_bulk(cache, GFP_KERNEL, nr, block))
			bench_die("kmem_cache_alloc_bulk gave nothing");
		for (unsigned int i = 0; i < nr; i++)
			mark(block[i], size, i);
		for (unsigned int i = 0; i < nr; i++)
			check(block[i], size, i);
		kmem_cache_free_bulk(cache, nr, block);
	}
	bench_set_items(state, bench_iterations(state) * nr);
	clean_up(&api_cache);
}

/* A buffer doubles from 16 bytes up to what the row says; an item is one growth. */

static void *grow_krealloc(void *p, size_t size)
{
	return krealloc(p, size, GFP_KERNEL);
}

static void *grow_realloc(void *p, size_t size)
{
	return realloc(p, size);
}

struct growth {
	void *(*grow)(void *p, size_t size);
	const struct api *api;		/* frees it */
};

static const struct growth growth_krealloc = { grow_krealloc, &api_kmalloc },
	growth_realloc = { grow_realloc, &api_malloc };

static void grow(struct bench_state *state)
{
	const struct growth *how = bench_data(state);
	size_t limit = (size_t)bench_arg(state, 0);
	uint64_t grown = 0;

	BENCH_LOOP(state) {
		char *p = NULL;

		for (size_t size = 16; size <= limit; size *= 2, grown++) {
			p = must(how->grow(p, size));
			if (size > 16)
				check(p, size / 2, size / 2);
			mark(p, size, size);
		}
		how->api->put(p, limit);
	}
	bench_set_items(state, grown);
}

/* Copies of a string. */

static char *copy_kstrdup(const char *s)
{
	return kstrdup(s, GFP_KERNEL);
}

static char *copy_strdup(const char *s)
{
	return strdup(s);
}

struct copy {
	char *(*copy)(const char *s);
	const struct api *api;		/* frees it */
};

static const struct copy copy_ours = { copy_kstrdup, &api_kmalloc },
	copy_libc = { copy_strdup, &api_malloc };

static void copy_string(struct bench_state *state)
{
	static char text[4096];
	const struct copy *how = bench_data(state);
	size_t length = (size_t)bench_arg(state, 0);

	memset(text, 'x', length);
	text[length] = '\0';
	bench_keep(text);
	BENCH_LOOP(state) {
		char *p = must(how->copy(text));

		if (p[length - 1] != 'x' || p[length])
			bench_die("the copy of a string is not its copy");
		how->api->put(p, length + 1);
	}
	bench_set_items(state, bench_iterations(state));
}

/* The rows */

static void add(const char *side, const char *what, bench_fn *run, const void *data,
		int64_t first, int64_t second, uint64_t iterations)
{
	char *name = bench_table(128);		/* Google Benchmark copies it */

	snprintf(name, 128, "%s/%s", side, what);
	bench_register(&(struct bench){
		.name = name, .run = run, .data = data, .args = { first, second },
		.nr_args = second ? 2 : 1, .iterations = iterations,
	});
	bench_table_free(name, 128);
}

static void add_pair(const struct api *ours, const struct api *theirs, size_t size,
		     uint64_t iterations)
{
	add("BM_api", ours->name, pair, ours, (int64_t)size, 0, iterations);
	add("BM_api_malloc", ours->name, pair, theirs, (int64_t)size, 0, iterations);
}

static void register_pairs(void)
{
	static const size_t sizes[] = { 16, 64, 256, 1024, 8192, 65536 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		add_pair(&api_kmalloc, &api_malloc, sizes[i], sizes[i] > 8192 ? 300000 : 2000000);
	add_pair(&api_atomic, &api_malloc, 64, 2000000);
	add_pair(&api_atomic, &api_malloc, 1024, 2000000);
	add_pair(&api_zero, &api_calloc, 64, 2000000);
	add_pair(&api_zero, &api_calloc, 1024, 1000000);
	add_pair(&api_cache, &api_malloc, 64, 2000000);
	add_pair(&api_cache, &api_malloc, 200, 2000000);
	add_pair(&api_pool, &api_malloc, 256, 1000000);
	add_pair(&api_free_pages, &api_aligned, 4096, 200000);
	add_pair(&api_free_pages, &api_aligned, 8 * 4096, 200000);
	add_pair(&api_alloc_pages, &api_aligned, 4096, 200000);
	add_pair(&api_alloc_pages, &api_aligned, 8 * 4096, 200000);
	add_pair(&api_kvmalloc, &api_malloc, 16 * KIB, 300000);
	add_pair(&api_kvmalloc, &api_malloc, 8 * MIB, 20);
	add_pair(&api_vmalloc, &api_malloc, MIB, 10000);
}

void bench_register_all(void)
{
	register_pairs();
	add("BM_api", "kmem_cache_batch", batch, &api_cache, 100, 200, 10000);
	add("BM_api_malloc", "kmem_cache_batch", batch, &api_malloc, 100, 200, 10000);
	add("BM_api", "kmem_cache_bulk", bulk, NULL, 100, 200, 10000);
	add("BM_api_malloc", "kmem_cache_bulk", batch, &api_malloc, 100, 200, 10000);
	add("BM_api", "krealloc", grow, &growth_krealloc, 65536, 0, 20000);
	add("BM_api_malloc", "krealloc", grow, &growth_realloc, 65536, 0, 20000);
	add("BM_api", "kstrdup", copy_string, &copy_ours, 40, 0, 1000000);
	add("BM_api_malloc", "kstrdup", copy_string, &copy_libc, 40, 0, 1000000);
	bench_register(&(struct bench){
		.name = "BM_fit/kmem_cache_batch", .run = batch, .data = &api_cache,
		.args = { 0, 200 }, .nr_args = 2, .range_from = 4, .range_to = BATCH_MAX,
		.range_step = 4, .flags = BENCH_COMPLEXITY,
	});
}

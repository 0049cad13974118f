// SPDX-License-Identifier: MIT
/*
 * Memory pools and shrinkers as text books show them, against the kernel's headers
 * (kernel-semantics.md 8.1 to 8.3, 11.2, 6.4).
 */
#include "linux.h"
#include <linux/kernel.h>
#include <linux/mempool.h>
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/sched/mm.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/string.h>

#define MY_POOL_SIZE	32

struct bio_like {
	struct list_head list;
	u64 sector;
	u8 payload[100];
};

/* A pool over a slab cache. */
static void a_pool_over_a_slab_cache(void **state)
{
	struct bio_like *held[2 * MY_POOL_SIZE];
	struct kmem_cache *cache;
	mempool_t *pool;
	int i;

	(void)state;
	cache = kmem_cache_create("bio_like_test", sizeof(struct bio_like), 0, 0, NULL);
	assert_non_null(cache);
	pool = mempool_create(MY_POOL_SIZE, mempool_alloc_slab, mempool_free_slab, cache);
	assert_non_null(pool);
	assert_int_equal(pool->curr_nr, MY_POOL_SIZE);
	for (i = 0; i < (int)ARRAY_SIZE(held); i++) {
		held[i] = mempool_alloc(pool, GFP_NOIO);
		assert_non_null(held[i]);
		held[i]->sector = (u64)i;
	}
	for (i = 0; i < (int)ARRAY_SIZE(held); i++) {
		assert_int_equal(held[i]->sector, i);
		mempool_free(held[i], pool);
	}
	assert_int_equal(pool->curr_nr, MY_POOL_SIZE);
	mempool_destroy(pool);
	kmem_cache_destroy(cache);
}

static bool starved;

static void *starving_alloc(gfp_t gfp, void *pool_data)
{
	return starved ? NULL : kmalloc((size_t)pool_data, gfp);
}

static void plain_free(void *element, void *pool_data)
{
	(void)pool_data;
	kfree(element);
}

/* 8.2, 13.7 number 11: min_nr elements and not one more where nothing may be waited for. */
static void the_reserve_is_exactly_its_size(void **state)
{
	mempool_t *pool = mempool_create(4, starving_alloc, plain_free, (void *)64);
	void *held[4];
	int i;

	(void)state;
	assert_non_null(pool);
	starved = true;
	for (i = 0; i < 4; i++) {
		held[i] = mempool_alloc(pool, GFP_ATOMIC);
		assert_non_null(held[i]);
	}
	assert_null(mempool_alloc(pool, GFP_ATOMIC));
	mempool_free(held[0], pool);
	held[0] = mempool_alloc(pool, GFP_ATOMIC);
	assert_non_null(held[0]);
	starved = false;
	for (i = 0; i < 4; i++)
		mempool_free(held[i], pool);
	mempool_destroy(pool);
}

static void pools_of_bytes_and_of_pages(void **state)
{
	mempool_t *bytes = mempool_create_kmalloc_pool(2, 300);
	mempool_t *blocks = mempool_create_page_pool(2, 1);
	struct page *page;
	void *p;

	(void)state;
	assert_non_null(bytes);
	assert_non_null(blocks);
	p = mempool_alloc(bytes, GFP_KERNEL);
	memset(p, 1, 300);
	mempool_free(p, bytes);
	page = mempool_alloc(blocks, GFP_KERNEL);
	memset(page_address(page), 1, 2 * PAGE_SIZE);
	mempool_free(page, blocks);
	mempool_destroy(bytes);
	mempool_destroy(blocks);
	mempool_destroy(NULL);
}

static unsigned long my_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	(void)sc;
	return *(unsigned long *)shrinker->private_data;
}

static unsigned long my_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	unsigned long *left = shrinker->private_data, n = min(*left, sc->nr_to_scan);

	if (!(sc->gfp_mask & __GFP_FS))
		return SHRINK_STOP;
	*left -= n;
	return n;
}

static void a_shrinker_comes_and_goes(void **state)
{
	struct shrinker *shrinker = shrinker_alloc(0, "textbook-%d", 1);
	unsigned long left = 1000;

	(void)state;
	assert_non_null(shrinker);
	assert_int_equal(shrinker->seeks, DEFAULT_SEEKS);
	shrinker->count_objects = my_count;
	shrinker->scan_objects = my_scan;
	shrinker->private_data = &left;
	shrinker_register(shrinker);
	shrinker_free(shrinker);
	shrinker_free(NULL);
}

/* 6.4: scopes nest. */
static void scopes_nest(void **state)
{
	unsigned int noio = memalloc_noio_save(), nofs;
	void *p;

	(void)state;
	nofs = memalloc_nofs_save();
	p = kmalloc(100, GFP_KERNEL);
	assert_non_null(p);
	kfree(p);
	memalloc_nofs_restore(nofs);
	memalloc_noio_restore(noio);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pool_over_a_slab_cache),
		cmocka_unit_test(the_reserve_is_exactly_its_size),
		cmocka_unit_test(pools_of_bytes_and_of_pages),
		cmocka_unit_test(a_shrinker_comes_and_goes),
		cmocka_unit_test(scopes_nest),
	};

	return cmocka_run_group_tests_name("textbook_mempool", tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
/*
 * Mempools, one thread: kernel-semantics 8.1 to 8.5 and 8.7, number 11 of 13.7, the row of
 * __GFP_ZERO in 6.6.
 */
#include "mempool_test.h"

#include <kmalloc/mm.h>
#include <kmalloc/slab.h>

static struct source src;

/* 8.1 */
static void create_gets_min_nr_elements_with_gfp_kernel(void **state)
{
	mempool_t *pool;

	(void)state;
	source_reset(&src, -1);
	pool = mempool_create(5, source_alloc, source_free, &src);
	assert_non_null(pool);
	assert_int_equal(src.nr_allocs, 5);
	assert_int_equal(src.common_flags, GFP_KERNEL);
	assert_int_equal(src.all_flags, GFP_KERNEL);
	assert_int_equal(pool->min_nr, 5);
	assert_int_equal(pool->curr_nr, 5);
	assert_ptr_equal(pool->pool_data, &src);
	assert_ptr_equal(pool->alloc, source_alloc);
	assert_ptr_equal(pool->free, source_free);
	assert_true(mempool_initialized(pool));
	assert_true(mempool_is_saturated(pool));
	mempool_destroy(pool);
	assert_int_equal(src.nr_frees, 5);
}

static void create_node_uses_the_given_flags(void **state)
{
	mempool_t *pool;

	(void)state;
	source_reset(&src, -1);
	pool = mempool_create_node(2, source_alloc, source_free, &src, GFP_NOIO, 0);
	assert_non_null(pool);
	assert_int_equal(src.all_flags, GFP_NOIO);
	end_pool(pool, &src);
}

static void a_create_that_fails_halfway_undoes_everything(void **state)
{
	mempool_t pool;

	(void)state;
	source_reset(&src, 3);
	assert_null(mempool_create(4, source_alloc, source_free, &src));
	assert_int_equal(src.nr_allocs, 3);
	assert_int_equal(src.nr_frees, 3);
	src.left = 3;
	assert_int_equal(mempool_init(&pool, 4, source_alloc, source_free, &src), -ENOMEM);
	assert_int_equal(src.nr_frees, 6);
	assert_false(mempool_initialized(&pool));
}

static void init_and_exit_of_an_embedded_pool(void **state)
{
	struct {
		char before[16];
		mempool_t pool;
		char after[16];
	} owner;

	(void)state;
	memset(&owner, 0xee, sizeof(owner));
	source_reset(&src, -1);
	assert_int_equal(mempool_init(&owner.pool, 3, source_alloc, source_free, &src), 0);
	assert_int_equal(owner.pool.curr_nr, 3);
	mempool_exit(&owner.pool);
	assert_int_equal(src.nr_frees, 3);
	assert_false(mempool_initialized(&owner.pool));
	mempool_exit(&owner.pool);
	assert_int_equal(src.nr_frees, 3);
	assert_int_equal(mempool_init_node(&owner.pool, 1, source_alloc, source_free, &src,
					   GFP_KERNEL, 0), 0);
	mempool_exit(&owner.pool);
	assert_int_equal(src.nr_frees, src.nr_allocs);
	assert_true(owner.before[15] == (char)0xee && owner.after[0] == (char)0xee);
}

static void exit_of_a_zeroed_pool_and_destroy_of_null(void **state)
{
	static mempool_t pool;

	(void)state;
	assert_false(mempool_initialized(&pool));
	mempool_exit(&pool);
	mempool_destroy(NULL);
	mempool_destroy(mempool_create(0, source_alloc, source_free, &src));
}

static void bad_arguments_are_named_in_one_line(void **state)
{
	mempool_t pool;
	const char *text;

	(void)state;
	catch_stderr();
	assert_null(mempool_create(-1, source_alloc, source_free, &src));
	text = caught_text();
	assert_non_null(strstr(text, "mempool_init: min_nr -1"));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	catch_stderr();
	assert_int_equal(mempool_init(&pool, 1, NULL, source_free, &src), -EINVAL);
	assert_non_null(strstr(caught_text(), "mempool_init"));
}

/* ---- 8.7, cell by cell ---- */

static const gfp_t blocking[] = { GFP_KERNEL, GFP_NOIO, GFP_NOFS };
static const gfp_t not_blocking[] = { GFP_ATOMIC, GFP_NOWAIT, __GFP_HIGH, 0 };

static void allocator_ok_gives_a_fresh_element_to_everyone(void **state)
{
	mempool_t *pool = new_pool(&src, 2);
	unsigned int i;
	void *p;

	(void)state;
	for (i = 0; i < 7; i++) {
		source_forget(&src, -1);
		p = mempool_alloc(pool, i < 3 ? blocking[i] : not_blocking[i - 3]);
		assert_non_null(p);
		assert_int_equal(src.nr_tries, 1);
		assert_int_equal(pool->curr_nr, 2);
		mempool_free(p, pool);
		assert_ptr_equal(src.last_freed, p);
	}
	end_pool(pool, &src);
}

/* 8.2 steps 2 to 4: one try, with the flags below, before the reserve. */
static void the_reserve_is_used_before_direct_reclaim(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		mempool_t *pool = new_pool(&src, 1);
		void *p;

		source_forget(&src, 0);
		p = mempool_alloc(pool, blocking[i]);
		assert_non_null(p);
		assert_int_equal(src.nr_tries, 1);
		assert_int_equal(src.nr_full_tries, 0);
		assert_int_equal(src.flags[0],
				 (blocking[i] & ~(__GFP_DIRECT_RECLAIM | __GFP_IO)) |
				 __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN);
		assert_int_equal(pool->curr_nr, 0);
		mempool_free(p, pool);
		end_pool(pool, &src);
	}
}

/* 8.2 step 5. An allocator that only reclaim can help. */
static void *needs_reclaim(gfp_t gfp, void *pool_data)
{
	void *p = source_alloc(gfp, pool_data);

	if (p && !(gfp & __GFP_DIRECT_RECLAIM)) {
		source_free(p, pool_data);
		return NULL;
	}
	return p;
}

static void an_empty_reserve_leads_to_a_second_try_with_all_flags(void **state)
{
	mempool_t *pool;
	void *p, *q;

	(void)state;
	source_reset(&src, -1);
	pool = mempool_create(1, needs_reclaim, source_free, &src);
	assert_non_null(pool);
	source_forget(&src, -1);
	p = mempool_alloc(pool, GFP_KERNEL);
	assert_int_equal(src.nr_tries, 1);	/* the reserve's */
	source_forget(&src, -1);
	q = mempool_alloc(pool, GFP_KERNEL);
	assert_non_null(q);
	assert_int_equal(src.nr_tries, 2);
	assert_int_equal(src.flags[0], (GFP_KERNEL & ~(__GFP_DIRECT_RECLAIM | __GFP_IO)) |
				       __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN);
	assert_int_equal(src.flags[1],
			 GFP_KERNEL | __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN);
	mempool_free(p, pool);
	mempool_free(q, pool);
	end_pool(pool, &src);
}

/* 13.7 number 11 */
static void min_nr_elements_survive_and_atomic_gets_null_after_them(void **state)
{
	unsigned int i, k;

	(void)state;
	for (k = 0; k < 4; k++) {
		mempool_t *pool = new_pool(&src, 8);
		void *p[8];

		source_forget(&src, 0);
		for (i = 0; i < 8; i++) {
			p[i] = mempool_alloc(pool, not_blocking[k]);
			assert_non_null(p[i]);
		}
		catch_stderr();
		assert_null(mempool_alloc(pool, not_blocking[k]));
		assert_string_equal(caught_text(), "");
		assert_int_equal(src.nr_tries, 9);
		assert_int_equal(src.nr_full_tries, 0);
		for (i = 0; i < 8; i++) {
			assert_false(mempool_is_saturated(pool));
			mempool_free(p[i], pool);
		}
		assert_true(mempool_is_saturated(pool));
		assert_int_equal(src.nr_frees, 0);
		end_pool(pool, &src);
	}
}

static void preallocated_never_asks_the_allocator(void **state)
{
	mempool_t *pool = new_pool(&src, 2);
	void *p, *q;

	(void)state;
	p = mempool_alloc_preallocated(pool);
	q = mempool_alloc_preallocated(pool);
	assert_true(p && q && p != q);
	assert_null(mempool_alloc_preallocated(pool));
	assert_int_equal(src.nr_tries, 0);
	mempool_free(p, pool);
	assert_ptr_equal(mempool_alloc_preallocated(pool), p);
	mempool_free(p, pool);
	mempool_free(q, pool);
	end_pool(pool, &src);
}

/* 8.2 step 4 */
static void the_reserve_is_a_stack(void **state)
{
	mempool_t *pool = new_pool(&src, 4);
	void *p[4];
	int i;

	(void)state;
	source_forget(&src, 0);
	for (i = 0; i < 4; i++) {
		void *top = pool->elements[pool->curr_nr - 1];

		p[i] = mempool_alloc(pool, GFP_ATOMIC);
		assert_ptr_equal(p[i], top);
	}
	for (i = 0; i < 4; i++)
		mempool_free(p[i], pool);
	for (i = 3; i >= 0; i--)
		assert_ptr_equal(mempool_alloc(pool, GFP_ATOMIC), p[i]);
	for (i = 0; i < 4; i++)
		mempool_free(p[i], pool);
	end_pool(pool, &src);
}

/* 8.3 */
static void free_refills_the_reserve_before_the_allocator(void **state)
{
	mempool_t *pool = new_pool(&src, 1);
	void *p, *q;

	(void)state;
	p = mempool_alloc(pool, GFP_KERNEL);
	source_forget(&src, 0);
	q = mempool_alloc(pool, GFP_KERNEL);
	assert_int_equal(pool->curr_nr, 0);
	mempool_free(p, pool);
	assert_int_equal(src.nr_frees, 0);
	assert_int_equal(pool->curr_nr, 1);
	mempool_free(q, pool);
	assert_int_equal(src.nr_frees, 1);
	mempool_free(NULL, pool);
	assert_int_equal(src.nr_frees, 1);
	end_pool(pool, &src);
}

static void a_pool_that_keeps_nothing_passes_elements_through(void **state)
{
	mempool_t *pool = new_pool(&src, 0);
	void *p, *q;

	(void)state;
	assert_true(mempool_is_saturated(pool));
	p = mempool_alloc(pool, GFP_ATOMIC);
	q = mempool_alloc(pool, GFP_KERNEL);
	assert_true(p && q);
	src.left = 0;
	assert_null(mempool_alloc(pool, GFP_ATOMIC));
	mempool_free(p, pool);
	mempool_free(q, pool);
	assert_true(src.nr_frees >= 1);
	end_pool(pool, &src);
}

/* 6.6 */
static void gfp_zero_is_warned_of_once(void **state)
{
	mempool_t *pool = new_pool(&src, 1);
	const char *text;
	void *p;

	(void)state;
	catch_stderr();
	p = mempool_alloc(pool, GFP_KERNEL | __GFP_ZERO);
	mempool_free(p, pool);
	p = mempool_alloc(pool, GFP_KERNEL | __GFP_ZERO);
	text = caught_text();
	assert_non_null(p);
	assert_non_null(strstr(text, "__GFP_ZERO"));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_true(src.all_flags & __GFP_ZERO);
	mempool_free(p, pool);
	end_pool(pool, &src);
}

/* 8.5 */
static void resize_down_frees_what_is_too_much(void **state)
{
	mempool_t *pool = new_pool(&src, 6);
	void *p;

	(void)state;
	source_forget(&src, 0);
	p = mempool_alloc(pool, GFP_KERNEL);
	assert_int_equal(mempool_resize(pool, 3), 0);
	assert_int_equal(pool->min_nr, 3);
	assert_int_equal(pool->curr_nr, 3);
	assert_int_equal(src.nr_frees, 2);
	mempool_free(p, pool);
	assert_int_equal(src.nr_frees, 3);
	assert_int_equal(mempool_resize(pool, 3), 0);
	end_pool(pool, &src);
}

static void resize_up_fills_with_gfp_kernel(void **state)
{
	mempool_t *pool = new_pool(&src, 2);

	(void)state;
	assert_int_equal(mempool_resize(pool, 100), 0);
	assert_int_equal(pool->min_nr, 100);
	assert_int_equal(pool->curr_nr, 100);
	assert_int_equal(src.nr_tries, 98);
	assert_int_equal(src.all_flags, GFP_KERNEL);
	end_pool(pool, &src);
}

static void resize_up_without_elements_is_refilled_by_frees(void **state)
{
	mempool_t *pool = new_pool(&src, 1);
	void *p[3];
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		p[i] = mempool_alloc(pool, GFP_KERNEL);
	src.left = 1;
	assert_int_equal(mempool_resize(pool, 4), 0);
	assert_int_equal(pool->min_nr, 4);
	assert_int_equal(pool->curr_nr, 2);
	for (i = 0; i < 3; i++)
		mempool_free(p[i], pool);
	assert_int_equal(pool->curr_nr, 4);
	assert_int_equal(src.nr_frees, 1);
	end_pool(pool, &src);
}

static void resize_below_one_is_refused_and_named(void **state)
{
	mempool_t *pool = new_pool(&src, 2);

	(void)state;
	catch_stderr();
	assert_int_equal(mempool_resize(pool, 0), -EINVAL);
	assert_non_null(strstr(caught_text(), "mempool_resize: min_nr 0"));
	assert_int_equal(pool->min_nr, 2);
	end_pool(pool, &src);
}

static void resize_keeps_the_elements(void **state)
{
	mempool_t *pool = new_pool(&src, 3);
	void *before[3];

	(void)state;
	memcpy(before, pool->elements, sizeof(before));
	assert_int_equal(mempool_resize(pool, 50), 0);
	assert_memory_equal(before, pool->elements, sizeof(before));
	assert_int_equal(mempool_resize(pool, 1), 0);
	assert_ptr_equal(pool->elements[0], before[0]);
	assert_int_equal(mempool_resize(pool, 2), 0);
	end_pool(pool, &src);
}

/* 8.4 */
static void bulk_fills_the_empty_places_alone(void **state)
{
	mempool_t *pool = new_pool(&src, 4);
	void *p[4] = { NULL }, *mine = mempool_alloc(pool, GFP_KERNEL);
	int i;

	(void)state;
	p[2] = mine;
	assert_int_equal(mempool_alloc_bulk(pool, p, 4, 1), 0);
	assert_ptr_equal(p[2], mine);
	for (i = 0; i < 4; i++)
		assert_non_null(p[i]);
	assert_int_equal(pool->curr_nr, 4);
	assert_int_equal(mempool_free_bulk(pool, p, 4), 0);
	for (i = 0; i < 4; i++)
		mempool_free(p[i], pool);
	end_pool(pool, &src);
}

static void bulk_takes_from_the_reserve_what_the_allocator_refuses(void **state)
{
	mempool_t *pool = new_pool(&src, 4);
	void *p[4] = { NULL };

	(void)state;
	source_forget(&src, 1);
	assert_int_equal(mempool_alloc_bulk(pool, p, 4, 0), 0);
	assert_true(p[0] && p[1] && p[2] && p[3]);
	assert_int_equal(pool->curr_nr, 1);
	assert_int_equal(src.nr_full_tries, 0);
	/* three places: the last element is the caller's */
	assert_int_equal(mempool_free_bulk(pool, p, 4), 3);
	assert_int_equal(src.nr_frees, 0);
	source_free(p[3], &src);
	end_pool(pool, &src);
}

/* ---- helpers ---- */

static void kmalloc_pools(void **state)
{
	mempool_t *pool = mempool_create_kmalloc_pool(3, 300), embedded;
	char *p;

	(void)state;
	assert_non_null(pool);
	assert_int_equal(pool->curr_nr, 3);
	p = mempool_alloc_preallocated(pool);
	assert_true(ksize(p) >= 300);
	memset(p, 1, 300);
	mempool_free(p, pool);
	p = mempool_alloc(pool, GFP_ATOMIC);
	assert_non_null(p);
	mempool_free(p, pool);
	mempool_destroy(pool);
	assert_int_equal(mempool_init_kmalloc_pool(&embedded, 1, 64), 0);
	mempool_exit(&embedded);
	assert_null(mempool_create_kmalloc_pool(1, KMALLOC_MAX_SIZE + 1));
}

static void slab_pools(void **state)
{
	struct kmem_cache *cache = kmem_cache_create("mempool-test", 200, 0, 0, NULL);
	mempool_t *pool, embedded;
	char *p;

	(void)state;
	assert_non_null(cache);
	pool = mempool_create_slab_pool(4, cache);
	assert_non_null(pool);
	assert_int_equal(pool->curr_nr, 4);
	assert_ptr_equal(pool->pool_data, cache);
	p = mempool_alloc_preallocated(pool);
	memset(p, 1, 200);
	mempool_free(p, pool);
	p = mempool_alloc(pool, GFP_ATOMIC);
	assert_non_null(p);
	mempool_free(p, pool);
	mempool_destroy(pool);
	assert_int_equal(mempool_init_slab_pool(&embedded, 1, cache), 0);
	mempool_exit(&embedded);
	kmem_cache_destroy(cache);
}

static void page_pools(void **state)
{
	mempool_t *pool = mempool_create_page_pool(2, 1), embedded;
	struct page *page;

	(void)state;
	assert_non_null(pool);
	assert_int_equal(pool->curr_nr, 2);
	page = mempool_alloc_preallocated(pool);
	memset(page_address(page), 1, 2 * (size_t)sysconf(_SC_PAGESIZE));
	mempool_free(page, pool);
	page = mempool_alloc(pool, GFP_KERNEL);
	assert_non_null(page);
	mempool_free(page, pool);
	mempool_destroy(pool);
	assert_int_equal(mempool_init_page_pool(&embedded, 1, 0), 0);
	mempool_exit(&embedded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(create_gets_min_nr_elements_with_gfp_kernel),
		cmocka_unit_test(create_node_uses_the_given_flags),
		cmocka_unit_test(a_create_that_fails_halfway_undoes_everything),
		cmocka_unit_test(init_and_exit_of_an_embedded_pool),
		cmocka_unit_test(exit_of_a_zeroed_pool_and_destroy_of_null),
		cmocka_unit_test(bad_arguments_are_named_in_one_line),
		cmocka_unit_test(allocator_ok_gives_a_fresh_element_to_everyone),
		cmocka_unit_test(the_reserve_is_used_before_direct_reclaim),
		cmocka_unit_test(an_empty_reserve_leads_to_a_second_try_with_all_flags),
		cmocka_unit_test(min_nr_elements_survive_and_atomic_gets_null_after_them),
		cmocka_unit_test(preallocated_never_asks_the_allocator),
		cmocka_unit_test(the_reserve_is_a_stack),
		cmocka_unit_test(free_refills_the_reserve_before_the_allocator),
		cmocka_unit_test(a_pool_that_keeps_nothing_passes_elements_through),
		cmocka_unit_test(gfp_zero_is_warned_of_once),
		cmocka_unit_test(resize_down_frees_what_is_too_much),
		cmocka_unit_test(resize_up_fills_with_gfp_kernel),
		cmocka_unit_test(resize_up_without_elements_is_refilled_by_frees),
		cmocka_unit_test(resize_below_one_is_refused_and_named),
		cmocka_unit_test(resize_keeps_the_elements),
		cmocka_unit_test(bulk_fills_the_empty_places_alone),
		cmocka_unit_test(bulk_takes_from_the_reserve_what_the_allocator_refuses),
		cmocka_unit_test(kmalloc_pools),
		cmocka_unit_test(slab_pools),
		cmocka_unit_test(page_pools),
	};

	return cmocka_run_group_tests_name("mempool", tests, NULL, NULL);
}

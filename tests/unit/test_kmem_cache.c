// SPDX-License-Identifier: MIT
/*
 * Caches of the API, from inside: after each test the whole heap is walked. Sections are those of
 * the reference of kernel semantics.
 */
#include "unit.h"
#include "heap_walk.h"
#include "init/init.h"
#include "mm/fault_inject.h"
#include "mm/reclaim.h"
#include "mm/show_mem.h"
#include "mm/util.h"
#include "kernel/params.h"
#include "kernel/printk.h"
#include <pthread.h>
#include <sys/wait.h>

static unsigned long slabs_of(struct kmem_cache *s)
{
	return atomic_load(&s->nr_slabs);
}

static int quiet(void **state)
{
	(void)state;
	params_init(NULL);
	slab_sheaves_changed();
	panic_on_bug = false;
	kfree(kmalloc(1, GFP_KERNEL));
	trim_memory();
	return heap_walk() || all_live_objects() ? -1 : 0;
}

static int walk_after(void **state)
{
	return quiet(state);
}

static struct kmem_cache *make(const char *name, unsigned int size, slab_flags_t flags)
{
	struct kmem_cache *s = __kmem_cache_create_args(name, size, NULL, flags);

	assert_non_null(s);
	return s;
}

/* 2.1: the table of calculate_alignment's examples. */
static void hwcache_align_gives_the_alignments_of_the_table(void **state)
{
	static const struct { unsigned int size, align; } rows[] = {
		{ 64, 64 }, { 33, 64 }, { 32, 32 }, { 20, 32 }, { 16, 16 }, { 9, 16 }, { 8, 8 },
	};
	unsigned int i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kmem_cache *s = make("align", rows[i].size, SLAB_HWCACHE_ALIGN);
		void *p[100];

		assert_int_equal(s->size % rows[i].align, 0);
		assert_true(s->size < 2 * rows[i].align);
		for (k = 0; k < 100; k++) {
			p[k] = kmem_cache_alloc(s, GFP_KERNEL);
			assert_true(IS_ALIGNED((unsigned long)p[k], (unsigned long)rows[i].align));
		}
		kmem_cache_free_bulk(s, 100, p);
		kmem_cache_destroy(s);
	}
}

static void objects_of_every_size_and_alignment_are_distinct_and_aligned(void **state)
{
	static const unsigned int sizes[] = { 1, 7, 8, 24, 100, 1000, 4096, 5000, 70000, 131073,
					      1000000, 1048577, 4194304 };
	unsigned int i, k, align;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (align = 8; align <= 65536; align *= 8) {
			struct kmem_cache_args args = { .align = align };
			struct kmem_cache *s = __kmem_cache_create_args("sizes", sizes[i], &args, 0);
			void *p[20];

			assert_non_null(s);
			assert_int_equal(kmem_cache_size(s), sizes[i]);
			for (k = 0; k < ARRAY_SIZE(p); k++) {
				p[k] = kmem_cache_alloc(s, GFP_KERNEL);
				assert_non_null(p[k]);
				assert_true(IS_ALIGNED((unsigned long)p[k], (unsigned long)align));
				fill_block(p[k], MIN(sizes[i], 3000u), k);
			}
			assert_int_equal(heap_walk(), 0);
			for (k = 0; k < ARRAY_SIZE(p); k++) {
				assert_true(check_block(p[k], MIN(sizes[i], 3000u), k));
				kmem_cache_free(s, p[k]);
			}
			kmem_cache_destroy(s);
			assert_int_equal(slabs_of(s), 0);
		}
	}
}

/* 2.6, 13.7#16 */
static void like_caches_share_and_unlike_ones_do_not(void **state)
{
	static const struct { const char *what; unsigned int size; struct kmem_cache_args args; slab_flags_t flags; } unlike[] = {
		{ "smaller by a word", 56, { 0 }, 0 }, { "larger", 72, { 0 }, 0 },
		{ "usercopy", 64, { .usersize = 8 }, 0 }, { "sheaf_capacity", 64, { .sheaf_capacity = 8 }, 0 },
		{ "NO_MERGE", 64, { 0 }, SLAB_NO_MERGE }, { "ACCOUNT", 64, { 0 }, SLAB_ACCOUNT },
		{ "RECLAIM_ACCOUNT", 64, { 0 }, SLAB_RECLAIM_ACCOUNT }, { "DMA", 64, { 0 }, SLAB_CACHE_DMA },
		{ "debug", 64, { 0 }, SLAB_CONSISTENCY_CHECKS }, { "NOLEAKTRACE", 64, { 0 }, SLAB_NOLEAKTRACE },
		{ "alignment", 64, { .align = 128 }, 0 },
	};
	struct kmem_cache *s = make("first", 60, 0), *t = make("second", 64, 0), *u;
	unsigned int i;

	(void)state;
	assert_ptr_equal(s, t);
	assert_int_equal(kmem_cache_size(s), 64);	/* the larger of the two */
	for (i = 0; i < ARRAY_SIZE(unlike); i++) {
		u = __kmem_cache_create_args("other", unlike[i].size, &unlike[i].args, unlike[i].flags);
		assert_non_null(u);
		if (u == s)
			fail_msg("%s merged", unlike[i].what);
		kmem_cache_destroy(u);
	}
	kmem_cache_destroy(s);
	assert_ptr_equal(cache_table[t->index], t);	/* the second user's */
	kmem_cache_destroy(t);
	assert_null(cache_table[t->index]);
	params_init("slab_nomerge");
	s = make("first", 64, 0);
	t = make("second", 64, 0);
	assert_ptr_not_equal(s, t);
	kmem_cache_destroy(s);
	kmem_cache_destroy(t);
}

static unsigned int constructed;

static void construct(void *object)
{
	memset(object, 'x', 40);
	constructed++;
}

/* 2.1, 14.1#9: once an object when the slab is made; the state is kept, memory is not purged away. */
static void a_constructor_runs_once_an_object_and_its_work_stays(void **state)
{
	struct kmem_cache_args args = { .ctor = construct };
	struct kmem_cache *s = __kmem_cache_create_args("ctor", 40, &args, 0);
	unsigned int i, k, round;
	char *p[500];

	(void)state;
	constructed = 0;
	for (round = 0; round < 3; round++) {
		for (i = 0; i < ARRAY_SIZE(p); i++) {
			p[i] = kmem_cache_alloc(s, GFP_KERNEL);
			for (k = 0; k < 40; k++)
				assert_int_equal(p[i][k], 'x');
		}
		assert_int_equal(constructed, slabs_of(s) * s->objects);
		for (i = 1; i < ARRAY_SIZE(p); i++)
			kmem_cache_free(s, p[i]);
		trim_memory();
		kmem_cache_free(s, p[0]);
	}
	kmem_cache_destroy(s);
}

static void zero_on_a_constructed_object_is_done_and_warned_about_once(void **state)
{
	struct kmem_cache_args args = { .ctor = construct };
	struct kmem_cache *s = __kmem_cache_create_args("ctor", 40, &args, 0);
	char zero[40] = "", *p, *q;

	(void)state;
	catch_stderr();
	p = kmem_cache_zalloc(s, GFP_KERNEL);
	q = kmem_cache_alloc(s, GFP_KERNEL | __GFP_ZERO);
	assert_int_equal(count_lines(caught_text()), 1);
	assert_memory_equal(p, zero, 40);
	assert_memory_equal(q, zero, 40);
	memset(p, 'x', 40);
	memset(q, 'x', 40);
	kmem_cache_free(s, p);
	kmem_cache_free(s, q);
	kmem_cache_destroy(s);
}

/* 2.1, bad input: one line each, NULL, nothing else. */
static void impossible_caches_are_refused_with_one_line(void **state)
{
	static const struct { const char *name; unsigned int size; struct kmem_cache_args args; slab_flags_t flags; } rows[] = {
		{ NULL, 8, { 0 }, 0 }, { "", 8, { 0 }, 0 }, { "x", 0, { 0 }, 0 }, { "x", 4194305, { 0 }, 0 },
		{ "x", ~0u, { 0 }, 0 }, { "x", 8, { .align = 24 }, 0 }, { "x", 8, { .align = 8388608 }, 0 },
		{ "x", 8, { 0 }, SLAB_TYPESAFE_BY_RCU }, { "x", 8, { 0 }, SLAB_FAILSLAB },
		{ "x", 8, { 0 }, 0x80000000u }, { "x", 64, { .use_freeptr_offset = true }, 0 },
		{ "x", 64, { .use_freeptr_offset = true, .freeptr_offset = 12, .ctor = construct }, 0 },
		{ "x", 64, { .use_freeptr_offset = true, .freeptr_offset = 64, .ctor = construct }, 0 },
		{ "x", 64, { .sheaf_capacity = 5000 }, 0 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		catch_stderr();
		assert_null(__kmem_cache_create_args(rows[i].name, rows[i].size, &rows[i].args, rows[i].flags));
		if (count_lines(caught_text()) != 1)
			fail_msg("row %u gave '%s'", i, caught.text);
	}
}

/* 2.5, 13.1 test_leak_destroy */
static void destruction_with_live_objects_names_them_and_a_later_free_works(void **state)
{
	struct kmem_cache *s = make("leaky", 100, SLAB_NO_MERGE), *t;
	void *p = kmem_cache_alloc(s, GFP_KERNEL), *q = kmem_cache_alloc(s, GFP_KERNEL);
	char address[40];

	(void)state;
	kmem_cache_free(s, q);
	catch_stderr();
	kmem_cache_destroy(s);
	caught_text();
	snprintf(address, sizeof(address), "Object 0x%lx @offset=", (unsigned long)p);
	assert_non_null(strstr(caught.text, "leaky: Objects remaining on __kmem_cache_shutdown()"));
	assert_non_null(strstr(caught.text, address));
	assert_non_null(strstr(caught.text, "kmem_cache_destroy leaky: Slab cache still has objects when called from"));
	assert_int_equal(count_lines(caught.text), 3);
	catch_stderr();
	t = make("leaky", 100, 0);		/* the name can be reused at once */
	assert_string_equal(caught_text(), "");
	assert_ptr_not_equal(s, t);
	catch_stderr();
	kmem_cache_destroy(make("leaky", 200, 0));
	assert_int_equal(count_lines(caught_text()), 1);
	kmem_cache_destroy(t);
	kfree(p);	/* 1.8: still valid */
	assert_int_equal(heap_walk(), 0);
}

static struct {
	struct kmem_cache *s;
	void *p[1000];
	pthread_barrier_t barrier;
} shared;

static void *free_and_linger(void *arg)
{
	unsigned int i;

	(void)arg;
	for (i = 0; i < ARRAY_SIZE(shared.p); i++)
		kmem_cache_free(shared.s, shared.p[i]);
	for (i = 0; i < 100; i++)
		kmem_cache_free(shared.s, kmem_cache_alloc(shared.s, GFP_KERNEL));
	pthread_barrier_wait(&shared.barrier);
	pthread_barrier_wait(&shared.barrier);
	kfree(kmalloc(10, GFP_KERNEL));
	return NULL;
}

static void objects_in_sheaves_of_other_threads_do_not_keep_a_cache(void **state)
{
	unsigned int i, round;
	pthread_t thread;

	(void)state;
	for (round = 0; round < 20; round++) {
		shared.s = make("threads", 100, SLAB_NO_MERGE);
		pthread_barrier_init(&shared.barrier, NULL, 2);
		for (i = 0; i < ARRAY_SIZE(shared.p); i++)
			shared.p[i] = kmem_cache_alloc(shared.s, GFP_KERNEL);
		assert_int_equal(pthread_create(&thread, NULL, free_and_linger, NULL), 0);
		pthread_barrier_wait(&shared.barrier);
		catch_stderr();
		kmem_cache_destroy(shared.s);
		assert_string_equal(caught_text(), "");
		assert_int_equal(slabs_of(shared.s), 0);
		pthread_barrier_wait(&shared.barrier);
		pthread_join(thread, NULL);
	}
}

static void creating_and_destroying_for_ever_costs_no_memory(void **state)
{
	unsigned long meta = 0;
	struct heap_usage u;
	unsigned int i;

	(void)state;
	for (i = 0; i < 3000; i++) {
		struct kmem_cache *s = make("again", 16 + i % 7 * 300, SLAB_NO_MERGE);

		kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
		kmem_cache_destroy(s);
		if (i == 300) {
			heap_get_usage(&u);
			meta = u.meta;
		}
	}
	heap_get_usage(&u);
	assert_true(u.meta <= meta);
}

static void the_table_of_caches_fills_up_with_a_line_and_empties_again(void **state)
{
	static struct kmem_cache *s[NR_CACHES];
	unsigned int n = 0;

	(void)state;
	catch_stderr();
	do {
		char name[20];

		snprintf(name, sizeof(name), "many%u", n);
		s[n] = __kmem_cache_create_args(name, 32, NULL, SLAB_NO_MERGE);
	} while (s[n] && ++n < NR_CACHES);
	caught_text();
	assert_true(n > 900 && n < NR_CACHES);
	assert_non_null(strstr(caught.text, "960 caches"));
	while (n--) {
		kmem_cache_free(s[n], kmem_cache_alloc(s[n], GFP_KERNEL));
		kmem_cache_destroy(s[n]);
	}
}

/* 2.3, 13.7#7 */
/* Runs out of the sheaves and back: the same objects in the same order; what is odd is reported. */
static void bulk_is_as_single_calls(struct kmem_cache *s)
{
	void *p[201], *q[200];
	unsigned int i, n;

	for (n = 1; n <= 200; n += 33) {
		for (i = 0; i < n; i++)
			q[i] = kmem_cache_alloc(s, GFP_KERNEL);
		for (i = n; i--; )
			kmem_cache_free(s, q[i]);
		assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, n, p), n);
		if (n < 34)	/* no longer than a sheaf */
			assert_memory_equal(p, q, n * sizeof(*p));
		for (i = 0; i < n; i++)
			memset(p[i], (int)i, 48);
		kmem_cache_free_bulk(s, n, p);
		assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL | __GFP_ZERO, n, p), n);
		for (i = 0; i < n; i++)
			assert_true(all_bytes(p[i], 0, 48));
		kmem_cache_free_bulk(s, n, p);
	}
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 3, p), 3);
	q[0] = p[0];
	q[1] = NULL;
	q[2] = p[1];
	q[3] = p[2];
	q[4] = p[2];
	panic_on_bug = false;
	catch_stderr();
	kmem_cache_free_bulk(s, 5, q);
	assert_int_equal(count_lines(caught_text()), 2);	/* NULL, freed twice */
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 3, p), 3);
	assert_true(p[0] != p[1] && p[1] != p[2] && p[0] != p[2]);
	kmem_cache_free_bulk(s, 3, p);
}

static void bulk_is_all_or_nothing_and_mixed_frees_find_their_caches(void **state)
{
	struct kmem_cache *s = make("bulk", 48, SLAB_NO_MERGE);
	void *p[300];

	(void)state;
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 0, p), 0);
	bulk_is_as_single_calls(s);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 300, p), 300);
	assert_int_equal(live_objects(s), 300);
	kmem_cache_free(s, p[298]);
	kmem_cache_free(s, p[299]);
	p[298] = kmalloc(100, GFP_KERNEL);
	p[299] = kmalloc(70000, GFP_KERNEL);
	kmem_cache_free_bulk(NULL, 300, p);
	assert_int_equal(live_objects(s), 0);
	kmem_cache_destroy(s);
}

/* 2.5 */
static void shrink_says_whether_a_slab_is_left(void **state)
{
	struct kmem_cache *s = make("shrink", 200, SLAB_NO_MERGE);
	void *p[2000];

	(void)state;
	assert_int_equal(kmem_cache_shrink(s), 0);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 2000, p), 2000);
	kmem_cache_free_bulk(s, 1999, p);
	assert_int_equal(kmem_cache_shrink(s), 1);
	assert_int_equal(slabs_of(s), 1);
	kmem_cache_free(s, p[1999]);
	assert_int_equal(kmem_cache_shrink(s), 0);
	kmem_cache_destroy(s);
}

/* 2.10: n calls cannot fail, afterwards NULL. */
static void a_prefilled_sheaf_gives_what_it_promised(void **state)
{
	struct kmem_cache *s = make("sheaf", 96, SLAB_NO_MERGE);
	struct slab_sheaf *sheaf;
	void *p[200];
	unsigned int i;

	(void)state;
	assert_null(kmem_cache_prefill_sheaf(s, GFP_KERNEL, 0));
	sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 5);
	assert_int_equal(kmem_cache_sheaf_size(sheaf), 5);
	for (i = 0; i < 5; i++)
		assert_non_null(p[i] = kmem_cache_alloc_from_sheaf(s, GFP_NOWAIT, sheaf));
	assert_null(kmem_cache_alloc_from_sheaf(s, GFP_KERNEL, sheaf));
	assert_int_equal(kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 200), 0);
	assert_int_equal(kmem_cache_sheaf_size(sheaf), 200);
	assert_int_equal(kmem_cache_refill_sheaf(s, GFP_KERNEL, NULL, 1), -22);
	for (; i < 100; i++)
		assert_non_null(p[i] = kmem_cache_alloc_from_sheaf(s, GFP_NOWAIT, sheaf));
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
	kmem_cache_free_bulk(s, 100, p);
	assert_int_equal(live_objects(s), 0);
	kmem_cache_destroy(s);
}

/* 1.2 */
static void type_bits_choose_the_cache_by_their_priority(void **state)
{
	static const struct { gfp_t gfp; const char *name; } rows[] = {
		{ 0, "kmalloc-64" }, { __GFP_ACCOUNT, "kmalloc-cg-64" }, { __GFP_RECLAIMABLE, "kmalloc-rcl-64" },
		{ __GFP_RECLAIMABLE | __GFP_ACCOUNT, "kmalloc-rcl-64" },
		{ __GFP_DMA | __GFP_RECLAIMABLE | __GFP_ACCOUNT, "dma-kmalloc-64" },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kmem_cache *s = kmalloc_slab(64, GFP_KERNEL | rows[i].gfp);

		assert_string_equal(s->name, rows[i].name);
		assert_ptr_equal(kmalloc_slab(64, rows[i].gfp), s);
		if (!(rows[i].gfp & __GFP_DMA)) {
			void *p = slab_alloc_cache(s, GFP_KERNEL, 64);

			assert_ptr_equal(virt_to_slab((unsigned long)p)->cache, s);
			assert_int_equal(kvsize(p), 64);
			slab_free(p);
			assert_int_equal(live_objects(s), 0);
		}
	}
}

/* free() and realloc() of an object of a cache: found by its slab. */
static void any_free_takes_an_object_of_a_cache(void **state)
{
	struct kmem_cache *s = make("anyfree", 500, SLAB_NO_MERGE);
	char *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	strcpy(p, "content");
	assert_ptr_equal(kvrealloc_size(p, 400), p);
	p = kvrealloc_size(p, 5000);
	assert_string_equal(p, "content");
	slab_free(p);
	slab_free(kmem_cache_alloc(s, GFP_KERNEL));
	kfree(kmem_cache_alloc(s, GFP_KERNEL));
	assert_int_equal(live_objects(s), 0);
	kmem_cache_destroy(s);
}

/* 2.4 */
static void an_object_of_another_cache_is_named_and_lost(void **state)
{
	struct kmem_cache *s = make("mine", 64, SLAB_NO_MERGE | SLAB_CONSISTENCY_CHECKS);
	struct kmem_cache *t = make("theirs", 64, SLAB_NO_MERGE);
	void *p = kmem_cache_alloc(t, GFP_KERNEL);
	int local;

	(void)state;
	catch_stderr();
	kmem_cache_free(s, p);
	kmem_cache_free(s, &local);
	kmem_cache_free(s, (void *)~0ul);
	caught_text();
	assert_int_equal(count_lines(caught.text), 3);
	assert_non_null(strstr(caught.text, "object belongs to different cache theirs"));
	assert_non_null(strstr(caught.text, "object is not in a slab page"));
	kmem_cache_free(t, p);
	kmem_cache_destroy(s);
	kmem_cache_destroy(t);
}

static int allocate_badly(struct kmem_cache *s)
{
	static const gfp_t bad[] = { __GFP_HIGHMEM, __GFP_DMA32, __GFP_CHECKED, __GFP_MALLOC };
	unsigned int i, k;
	void *p[100];

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		for (k = 0; k < ARRAY_SIZE(p); k++)
			p[k] = kmem_cache_alloc(s, GFP_KERNEL | bad[i]);
		kmem_cache_free_bulk(s, ARRAY_SIZE(p), p);
		if (kmem_cache_alloc_bulk(s, GFP_KERNEL | bad[i], ARRAY_SIZE(p), p) != 100)
			return 1;
		kmem_cache_free_bulk(s, ARRAY_SIZE(p), p);
	}
	return 0;
}

/* 1.10, where no sheaf hides the flags; bits of ours are as unknown as any. */
static void flags_of_no_slab_request_are_stripped_and_named_once(void **state)
{
	struct kmem_cache *s = make("flags", 64, SLAB_NO_MERGE | SLAB_CONSISTENCY_CHECKS);
	int status = -1;
	pid_t pid;

	(void)state;
	catch_stderr();
	pid = fork();
	if (!pid)
		_exit(allocate_badly(s));
	waitpid(pid, &status, 0);
	caught_text();
	assert_int_equal(status, 0);
	assert_int_equal(count_lines(caught.text), 4);
	assert_non_null(strstr(caught.text, "kmem_cache_alloc: unexpected gfp: 0x2 "));
	kmem_cache_destroy(s);
}

static int free_mixed_up(struct kmem_cache *s, void *p)
{
	unsigned int i;

	for (i = 0; i < 1000; i++)
		kmem_cache_free(s, p);
	return 0;
}

/* 2.4: the kernel says it once. */
static void objects_of_other_caches_are_named_ten_times_at_most(void **state)
{
	struct kmem_cache *s = make("mine", 64, SLAB_NO_MERGE | SLAB_CONSISTENCY_CHECKS);
	struct kmem_cache *t = make("theirs", 64, SLAB_NO_MERGE);
	void *p = kmem_cache_alloc(t, GFP_KERNEL);
	int status = -1;
	pid_t pid;

	(void)state;
	catch_stderr();
	pid = fork();
	if (!pid)
		_exit(free_mixed_up(s, p));
	waitpid(pid, &status, 0);
	caught_text();
	assert_int_equal(status, 0);
	/* some were, perhaps, in tests before */
	assert_in_range(count_lines(caught.text), 2, 11);
	assert_non_null(strstr(caught.text, "no more of them are named"));
	kmem_cache_free(t, p);
	kmem_cache_destroy(s);
	kmem_cache_destroy(t);
}

/* A cache without sheaves: reports at the call. */
static void a_checked_cache_reports_a_double_free_at_once(void **state)
{
	struct kmem_cache *s = make("checked", 64, SLAB_CONSISTENCY_CHECKS);
	char *p = kmem_cache_alloc(s, GFP_KERNEL), *q = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	kmem_cache_free(s, p);
	catch_stderr();
	kmem_cache_free(s, p);
	assert_non_null(strstr(caught_text(), "checked: double free"));
	catch_stderr();
	kmem_cache_free(s, q + 8);
	assert_non_null(strstr(caught_text(), "checked: invalid free"));
	kmem_cache_free(s, q);
	kmem_cache_destroy(s);
}

/* 10.9, 13.4: plain objects are zero at every allocation, constructed ones keep their state. */
static void init_options_clear_objects_but_constructed_ones(void **state)
{
	/* what was freed before the program asked for init_on_free is gone from the heap then */
	static const char *const options[] = { "init_on_alloc", "init_on_free" };
	struct kmem_cache_args args = { .ctor = construct };
	char zero[2048] = "";
	unsigned int o, i, size, round;

	(void)state;
	for (o = 0; o < ARRAY_SIZE(options); o++) {
		trim_memory();
		params_init(options[o]);
		slab_sheaves_changed();
		for (size = 8; size <= 2048; size *= 2) {
			struct kmem_cache *s = make("plain", size, SLAB_NO_MERGE);

			for (round = 0; round < 10; round++) {
				void *p[100];

				for (i = 0; i < 100; i++) {
					p[i] = kmem_cache_alloc(s, GFP_KERNEL);
					assert_memory_equal(p[i], zero, size);
					memset(p[i], 0x9e, size);
				}
				kmem_cache_free_bulk(s, 100, p);
			}
			kmem_cache_destroy(s);
		}
		for (round = 0; round < 10; round++) {
			struct kmem_cache *s = __kmem_cache_create_args("ctor", 40, &args, 0);
			char *p = kmem_cache_alloc(s, GFP_KERNEL);

			assert_int_equal(p[0], 'x');
			kmem_cache_free(s, p);
			assert_int_equal(*(char *)kmem_cache_alloc(s, GFP_KERNEL), 'x');
			kmem_cache_free(s, p);
			kmem_cache_destroy(s);
		}
	}
}

static void *churn(void *arg)
{
	struct kmem_cache *s = arg;
	uint64_t seed = (uint64_t)(uintptr_t)&seed;
	void *p[200] = { NULL };
	unsigned int i;

	for (i = 0; i < 20000; i++) {
		unsigned int k = (unsigned int)(next_random(&seed) % 200);

		if (p[k]) {
			kmem_cache_free(s, p[k]);
			p[k] = NULL;
		} else {
			p[k] = kmem_cache_alloc(s, GFP_KERNEL);
			memset(p[k], (int)i, 88);
		}
		if (i % 5000 == 0)
			kmem_cache_shrink(s);
	}
	for (i = 0; i < 200; i++)
		if (p[i])
			kmem_cache_free(s, p[i]);
	return NULL;
}

static void threads_share_a_cache_that_is_shrunk_all_the_time(void **state)
{
	struct kmem_cache *s = make("churn", 88, SLAB_NO_MERGE);
	pthread_t thread[4];
	unsigned int i;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, churn, s), 0);
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	/* what ending threads freed by the remote path counts as in use until somebody collects it */
	assert_int_equal(kmem_cache_shrink(s), 0);
	assert_int_equal(live_objects(s), 0);
	assert_int_equal(heap_walk(), 0);
	catch_stderr();
	kmem_cache_destroy(s);
	assert_string_equal(caught_text(), "");
	assert_int_equal(slabs_of(s), 0);
}

/* 2.2: the flag is for tests too, as those of 13.1 */
static void a_cache_marked_as_a_class_of_kmalloc_can_be_destroyed(void **state)
{
	struct kmem_cache *s = make("like_kmalloc", 40, SLAB_KMALLOC | SLAB_NO_MERGE);
	unsigned int index = s->index;

	(void)state;
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	catch_stderr();
	kmem_cache_destroy(s);
	assert_string_equal(caught_text(), "");
	assert_null(cache_table[index]);
	s = kmalloc_slab(40, __GFP_ACCOUNT);
	catch_stderr();
	kmem_cache_destroy(s);
	assert_non_null(strstr(caught_text(), "a kmalloc cache cannot be destroyed"));
	assert_ptr_equal(kmalloc_slab(40, __GFP_ACCOUNT), s);
}

static void a_destroyed_cache_gives_nothing_and_says_why(void **state)
{
	struct kmem_cache *s = make("gone", 56, SLAB_NO_MERGE);

	(void)state;
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	kmem_cache_destroy(s);
	catch_stderr();
	assert_null(kmem_cache_alloc(s, GFP_KERNEL));
	assert_non_null(strstr(caught_text(), "kmem_cache_alloc(gone): that cache was destroyed"));
	assert_int_equal(slabs_of(s), 0);
}

/* 10.9: every object and page when it is handed out, when it is freed */
static void init_options_clear_objects_of_nolock_too(void **state)
{
	unsigned int i, k;

	(void)state;
	for (i = 0; i < 2; i++) {
		unsigned char *p;

		params_init(i ? "init_on_free" : "init_on_alloc");
		slab_sheaves_changed();
		for (k = 0; k < 3; k++) {
			p = kmalloc_nolock(200, 0, -1);
			assert_non_null(p);
			assert_true(i && !k ? true : !p[0] && !p[100] && !p[199]);
			memset(p, 0xaa, 200);
			kfree_nolock(p);
			if (i)
				assert_true(!p[0] && !p[100] && !p[199]);
		}
	}
}

/* 2.1: creating a cache may block, whatever the thread's last request was. */
static void caches_are_made_after_an_atomic_request(void **state)
{
	/* large sheaves use up the records' memory; no other test leaves records of that kind */
	struct kmem_cache_args args = { .sheaf_capacity = 999 };
	struct kmem_cache *made[120];
	unsigned int i;
	char name[16];

	(void)state;
	for (i = 0; i < ARRAY_SIZE(made); i++) {
		snprintf(name, sizeof(name), "atomic-%u", i);
		task_flags = (task_flags & ~PF_KM_MASK) | PF_KM_NONBLOCK;
		made[i] = __kmem_cache_create_args(name, 1000, &args, SLAB_NO_MERGE);
		assert_non_null(made[i]);
		assert_int_equal(task_flags & PF_KM_MASK, PF_KM_NONBLOCK);
		kmem_cache_free(made[i], kmem_cache_alloc(made[i], GFP_ATOMIC));
	}
	while (i--)
		kmem_cache_destroy(made[i]);
}

static _Atomic bool forking;

static void *fork_for_long(void *arg)
{
	fork_prepare();
	atomic_store(&forking, true);
	usleep(300000);
	fork_parent();
	return arg;
}

static pthread_t begin_long_fork(void)
{
	pthread_t thread;

	atomic_store(&forking, false);
	assert_int_equal(pthread_create(&thread, NULL, fork_for_long, NULL), 0);
	while (!atomic_load(&forking))
		usleep(100);
	return thread;
}

/* 2.1, 2.5: a fork of a large process takes longer than locks are waited for. */
static void caches_come_and_go_during_a_long_fork(void **state)
{
	struct kmem_cache *s = make("before", 104, SLAB_NO_MERGE), *t;
	pthread_t thread = begin_long_fork();

	(void)state;
	t = make("meanwhile", 104, SLAB_NO_MERGE);
	pthread_join(thread, NULL);
	thread = begin_long_fork();
	kmem_cache_destroy(s);
	kmem_cache_destroy(t);
	pthread_join(thread, NULL);
}

/* 1.2: the type of a cache says where its objects lie, not whether there are any. */
static void a_typed_request_during_a_fork_gets_a_plain_object(void **state)
{
	unsigned int class = natural_size_class(96 << 10);
	pthread_t thread = begin_long_fork();

	(void)state;
	assert_ptr_equal(kmalloc_slab(96 << 10, __GFP_ACCOUNT), &kmalloc_caches[class]);
	assert_null(kmalloc_slab(96 << 10, __GFP_DMA));
	pthread_join(thread, NULL);
	assert_ptr_not_equal(kmalloc_slab(96 << 10, __GFP_ACCOUNT), &kmalloc_caches[class]);
	assert_non_null(kmalloc_slab(96 << 10, __GFP_DMA));
}

/* 2.5: the fuller slabs are used first afterwards. */
static void shrinking_puts_the_fuller_slabs_first(void **state)
{
	struct kmem_cache *s = make("sorted", 8192, SLAB_NO_MERGE);
	unsigned int i, last = 0, n = 40 * s->objects;
	void **p = malloc(n * sizeof(void *));
	struct slab *slab;

	(void)state;
	for (i = 0; i < n; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (i = 0; i < n; i++)
		if (i % s->objects <= i / s->objects * 7 % s->objects)
			kmem_cache_free(s, p[i]), p[i] = NULL;
	kmem_cache_shrink(s);
	list_for_each_entry(slab, &home_slabs(own_cpu->home, s)->partial, list) {
		assert_true(slab->nfree >= last);
		last = slab->nfree;
	}
	assert_int_not_equal(last, 0);
	for (i = 0; i < n; i++)
		if (p[i])
			kmem_cache_free(s, p[i]);
	free(p);
	kmem_cache_destroy(s);
}

static _Atomic bool trim_on;

static void *trim_always(void *arg)
{
	while (atomic_load(&trim_on)) {
		struct heap_usage u;

		trim_memory();
		heap_get_usage(&u);
	}
	return arg;
}

/* 2.5: only live objects keep a cache; barns, nolock slabs are emptied by two threads at once. */
static void caches_are_destroyed_while_another_thread_trims(void **state)
{
	pthread_t thread;
	unsigned int round, i;

	(void)state;
	catch_stderr();
	atomic_store(&trim_on, true);
	assert_int_equal(pthread_create(&thread, NULL, trim_always, NULL), 0);
	for (round = 0; round < (UNIT_TSAN ? 200 : 2000); round++) {
		struct kmem_cache *s = make("trimmed", 72, SLAB_NO_MERGE);
		void *p[400];

		for (i = 0; i < ARRAY_SIZE(p); i++)
			p[i] = i % 16 ? kmem_cache_alloc(s, GFP_KERNEL) :
					slab_alloc_nolock(s, &kernel_request);
		for (i = 0; i < ARRAY_SIZE(p); i++)
			kmem_cache_free(s, p[i]);
		kmem_cache_destroy(s);
	}
	atomic_store(&trim_on, false);
	pthread_join(thread, NULL);
	assert_string_equal(caught_text(), "");
}

#define test(f) cmocka_unit_test_setup_teardown(f, quiet, walk_after)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(hwcache_align_gives_the_alignments_of_the_table),
		test(objects_of_every_size_and_alignment_are_distinct_and_aligned),
		test(like_caches_share_and_unlike_ones_do_not),
		test(a_constructor_runs_once_an_object_and_its_work_stays),
		test(zero_on_a_constructed_object_is_done_and_warned_about_once),
		test(impossible_caches_are_refused_with_one_line),
		test(destruction_with_live_objects_names_them_and_a_later_free_works),
		test(objects_in_sheaves_of_other_threads_do_not_keep_a_cache),
		test(creating_and_destroying_for_ever_costs_no_memory),
		test(the_table_of_caches_fills_up_with_a_line_and_empties_again),
		test(bulk_is_all_or_nothing_and_mixed_frees_find_their_caches),
		test(shrink_says_whether_a_slab_is_left),
		test(a_prefilled_sheaf_gives_what_it_promised),
		test(type_bits_choose_the_cache_by_their_priority),
		test(any_free_takes_an_object_of_a_cache),
		test(an_object_of_another_cache_is_named_and_lost),
		test(flags_of_no_slab_request_are_stripped_and_named_once),
		test(objects_of_other_caches_are_named_ten_times_at_most),
		test(a_checked_cache_reports_a_double_free_at_once),
		test(init_options_clear_objects_but_constructed_ones),
		test(a_cache_marked_as_a_class_of_kmalloc_can_be_destroyed),
		test(a_destroyed_cache_gives_nothing_and_says_why),
		test(init_options_clear_objects_of_nolock_too),
		test(threads_share_a_cache_that_is_shrunk_all_the_time),
		test(caches_are_made_after_an_atomic_request),
		test(caches_come_and_go_during_a_long_fork),
		test(a_typed_request_during_a_fork_gets_a_plain_object),
		test(shrinking_puts_the_fuller_slabs_first),
		test(caches_are_destroyed_while_another_thread_trims),
	};

	return cmocka_run_group_tests_name("kmem_cache", tests, NULL, NULL);
}

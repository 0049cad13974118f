// SPDX-License-Identifier: MIT
/* Slabs: contents, states, reports of misuse, zeroed memory, pages given back, the numbers of the slab table. */
#include "unit.h"
#include "heap_walk.h"
#include "mm/reclaim.h"
#include "mm/util.h"
#include "kernel/printk.h"

static void flush_mine(void)
{
	struct pcpu *c = cpu_enter();
	struct kmem_cache *s;
	unsigned int i;

	slab_flush_all_sheaves(c);
	for_each_cache(s, i)
		slab_flush_barn(c, s);
	cpu_leave(c);
}

static struct kmem_cache *cache_for(size_t size)
{
	return &kmalloc_caches[size_class(size)];
}

static void every_size_gives_an_object_of_its_own(void **state)
{
	static void *p[1100];
	static size_t size[1100];
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		size[i] = i < 1025 ? i : 1025 + random_below(KMALLOC_MAX_CACHE_SIZE - 1025);
		p[i] = kvmalloc_size(size[i]);
		assert_non_null(p[i]);
		assert_true(IS_ALIGNED((unsigned long)p[i], size[i] > 8 ? 16ul : 8ul));
		assert_true(kvsize(p[i]) >= size[i]);
		assert_int_equal(kvsize(p[i]), cache_for(size[i])->size);
		assert_int_equal(class_of(p[i]), size_class(size[i]));
		fill_block(p[i], kvsize(p[i]), i);
	}
	assert_int_equal(heap_walk(), 0);
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		assert_true(check_block(p[i], kvsize(p[i]), i));
		slab_free(p[i]);
	}
	assert_int_equal(heap_walk(), 0);
}

static void random_use_of_all_classes_keeps_contents_and_invariants(void **state)
{
	static struct { void *p; size_t size; uint64_t seed; } shadow[2000];
	unsigned int i, k;

	(void)state;
	for (i = 0; i < 60000; i++) {
		k = (unsigned int)random_below(ARRAY_SIZE(shadow));
		if (shadow[k].p) {
			if (!check_block(shadow[k].p, shadow[k].size, shadow[k].seed))
				fail_msg("a block of %zu bytes was overwritten", shadow[k].size);
			slab_free(shadow[k].p);
			shadow[k].p = NULL;
		} else {
			shadow[k].size = random_below(random_below(8) ? 400 : 40000);
			shadow[k].seed = i;
			shadow[k].p = kvmalloc_size(shadow[k].size);
			assert_non_null(shadow[k].p);
			fill_block(shadow[k].p, shadow[k].size, i);
		}
		if (i % 6000 == 0) {
			assert_int_equal(heap_walk(), 0);
			trim_memory();
			assert_int_equal(heap_walk(), 0);
		}
	}
	for (k = 0; k < ARRAY_SIZE(shadow); k++) {
		if (!shadow[k].p)
			continue;
		assert_true(check_block(shadow[k].p, shadow[k].size, shadow[k].seed));
		slab_free(shadow[k].p);
		shadow[k].p = NULL;
	}
	flush_mine();
	assert_int_equal(heap_walk(), 0);
	assert_int_equal(all_live_objects(), 0);
}

static void aligned_objects_are_aligned_and_freed_as_others(void **state)
{
	size_t align, size;

	(void)state;
	for (align = 1; align <= KMALLOC_MAX_CACHE_SIZE; align *= 2) {
		for (size = 0; size < 3 * align && size <= 70000; size += align / 3 + 1) {
			char *p = kvmalloc_aligned(align, size);

			assert_non_null(p);
			assert_true(IS_ALIGNED((unsigned long)p, align));
			assert_true(kvsize(p) >= size);
			memset(p, 0x5a, size);
			slab_free(p);
		}
	}
	assert_int_equal(heap_walk(), 0);
	assert_int_equal(all_live_objects(), 0);
}

/* ---- states ---- */

static void a_slab_goes_from_current_to_full_to_partial_to_released(void **state)
{
	struct kmem_cache *s = cache_for(4096);
	unsigned int n = s->objects * 3, i, full = 0;
	void **p = calloc(n, sizeof(*p));
	struct slab *first;

	(void)state;
	for (i = 0; i < n; i++)
		p[i] = kvmalloc_size(4096);
	first = virt_to_slab((unsigned long)p[0]);
	assert_int_equal(first->where, SLAB_FULL);
	assert_int_equal(first->nfree, 0);
	for (i = 0; i < n; i++)
		full += virt_to_slab((unsigned long)p[i])->where == SLAB_FULL;
	assert_true(full >= n - s->objects);
	assert_int_equal(heap_walk(), 0);
	slab_free(p[0]);
	flush_mine();
	assert_int_equal(first->where, SLAB_PARTIAL);
	assert_int_equal(first->nfree, 1);
	assert_int_equal(heap_walk(), 0);
	for (i = 1; i < n; i++)
		slab_free(p[i]);
	flush_mine();
	assert_int_equal(heap_walk(), 0);
	assert_true(atomic_load(&s->nr_slabs) <= 2);	/* one slab's worth may stay */
	trim_memory();
	assert_int_equal(atomic_load(&s->nr_slabs), 0);
	assert_int_equal(class_of(p[0]), CLASS_FOREIGN);
	assert_null(virt_to_slab((unsigned long)p[0]));
	free(p);
}

static struct slab *slab_of(const void *p)
{
	return virt_to_slab((unsigned long)p);
}

static void objects_are_taken_from_the_fullest_slab_first(void **state)
{
	enum { SLABS = 5, EACH = 16 };
	static const unsigned int freed[SLABS] = { 9, 3, 12, 6, 15 };
	struct kmem_cache *s = cache_for(4096);
	struct slab *current, *slab, *last = NULL;
	unsigned int i, k, full = 0;
	void *p[SLABS * EACH];

	(void)state;
	assert_int_equal(s->objects, EACH);
	for (i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = kvmalloc_size(4096);
	flush_mine();
	for (i = 0; i < SLABS; i++)
		for (k = 0; k < freed[i]; k++) {
			slab_free(p[i * EACH + k]);
			p[i * EACH + k] = NULL;
		}
	flush_mine();
	current = home_slabs(own_cpu->home, s)->current;
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		if (p[i])
			continue;
		p[i] = kvmalloc_size(4096);
		slab = slab_of(p[i]);
		if (slab == current || slab == last)
			continue;
		for (k = 0; k < SLABS && slab_of(p[k * EACH + EACH - 1]) != slab;)
			k++;
		assert_in_range(k, 0, SLABS - 1);
		assert_true(freed[k] >= full);	/* fuller ones were used up before */
		full = freed[k];
		last = slab;
	}
	assert_true(full > freed[1]);
	for (i = 0; i < ARRAY_SIZE(p); i++)
		slab_free(p[i]);
}

static void everything_freed_and_trimmed_leaves_nothing_in_use(void **state)
{
	static void *p[3000];
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = kvmalloc_size(random_below(20000));
		memset(p[i], 1, kvsize(p[i]));
	}
	for (i = 0; i < ARRAY_SIZE(p); i++)
		slab_free(p[i]);
	assert_true(trim_memory() > 0);
	assert_int_equal(heap_walk(), 0);
	assert_int_equal(atomic_load(&purge_state.used), 0);
	assert_int_equal(atomic_load(&purge_state.dirty), 0);
	assert_int_equal(zone_normal.free_pages, zone_normal.managed_pages);
}

/* ---- misuse ---- */

static void a_second_free_at_once_is_reported_and_changes_nothing(void **state)
{
	char *p = kvmalloc_size(64), expect[80];
	void *q, *r;

	(void)state;
	slab_free(p);
	catch_stderr();
	slab_free(p);
	snprintf(expect, sizeof(expect), "kmalloc: BUG: kmalloc-64: double free of %p\n", (void *)p);
	assert_string_equal(caught_text(), expect);
	q = kvmalloc_size(64);
	r = kvmalloc_size(64);
	assert_ptr_not_equal(q, r);
	slab_free(q);
	slab_free(r);
	assert_int_equal(heap_walk(), 0);
	flush_mine();
	assert_int_equal(heap_walk(), 0);
	assert_int_equal(all_live_objects(), 0);
}

static void a_second_free_with_others_between_is_reported_at_the_flush(void **state)
{
	char *p = kvmalloc_size(100), *q = kvmalloc_size(100), expect[80];

	(void)state;
	slab_free(p);
	slab_free(q);
	catch_stderr();
	slab_free(p);
	flush_mine();
	snprintf(expect, sizeof(expect), "kmalloc: BUG: kmalloc-112: double free of %p\n", (void *)p);
	assert_string_equal(caught_text(), expect);
	assert_int_equal(heap_walk(), 0);
	assert_int_equal(all_live_objects(), 0);
}

static void a_free_of_what_lies_in_the_slab_already_is_reported(void **state)
{
	char *p = kvmalloc_size(1000), *keep = kvmalloc_size(1000), expect[80];

	(void)state;
	slab_free(p);
	flush_mine();
	catch_stderr();
	slab_free(p);
	flush_mine();
	snprintf(expect, sizeof(expect), "kmalloc: BUG: kmalloc-1k: double free of %p\n", (void *)p);
	assert_string_equal(caught_text(), expect);
	slab_free(keep);
	flush_mine();
	assert_int_equal(heap_walk(), 0);
	assert_int_equal(all_live_objects(), 0);
}

static void an_interior_pointer_is_reported_with_its_object(void **state)
{
	char *p = kvmalloc_size(200), expect[120];
	const char *text;

	(void)state;
	catch_stderr();
	slab_free(p + 24);
	flush_mine();
	text = caught_text();
	snprintf(expect, sizeof(expect),
		 "kmalloc: BUG: kmalloc-224: invalid free of %p, 24 bytes inside the object at %p\n",
		 (void *)(p + 24), (void *)p);
	assert_string_equal(text, expect);
	slab_free(p);
	flush_mine();
	assert_int_equal(heap_walk(), 0);
	assert_int_equal(all_live_objects(), 0);
}

static void what_was_never_ours_is_reported(void **state)
{
	static int here;
	char *area = kvmalloc_size(400000);

	(void)state;
	catch_stderr();
	slab_free(&here);
	slab_free((void *)8);
	slab_free((void *)~15ul);
	slab_free(area + 65536 + 16);
	assert_int_equal(count_lines(caught_text()), 4);
	catch_stderr();
	slab_free(NULL);
	slab_free(area);
	assert_string_equal(caught_text(), "");
	assert_int_equal(heap_walk(), 0);
}

static void a_free_after_the_slab_was_released_is_reported(void **state)
{
	char *p = kvmalloc_size(3000);

	(void)state;
	slab_free(p);
	trim_memory();
	catch_stderr();
	slab_free(p);
	assert_int_equal(count_lines(caught_text()), 1);
	assert_int_equal(heap_walk(), 0);
}

/* ---- zero ---- */

static void zeroed_objects_read_zero_whatever_was_there(void **state)
{
	static void *p[600];
	unsigned int round, i;

	(void)state;
	for (round = 0; round < 12; round++) {
		for (i = 0; i < ARRAY_SIZE(p); i++) {
			size_t size = random_below(random_below(4) ? 3000 : 60000);

			p[i] = kvzalloc_size(size);
			assert_non_null(p[i]);
			assert_true(all_bytes(p[i], 0, size));
			memset(p[i], 0xff, kvsize(p[i]));
		}
		for (i = 0; i < ARRAY_SIZE(p); i++)
			if (i % 7 || round % 3 == 2)
				slab_free(p[i]);
		if (round % 3 == 1)
			trim_memory();
		if (round % 3 != 2)
			for (i = 0; i < ARRAY_SIZE(p); i += 7)
				slab_free(p[i]);
		assert_int_equal(heap_walk(), 0);
	}
}

static void fresh_memory_is_known_to_be_zero(void **state)
{
	struct kmem_cache *s = cache_for(8192);
	bool zeroed = false;
	struct pcpu *c;
	char *p;

	(void)state;
	assert_int_equal(atomic_load(&s->nr_slabs), 0);
	purge_all();
	c = cpu_enter();
	p = slab_zalloc_slow(8192, c, GFP_KERNEL, &zeroed);
	assert_non_null(p);
	assert_true(zeroed);
	assert_true(all_bytes(p, 0, 8192));
	memset(p, 1, 8192);
	slab_free(p);
	flush_mine();
	c = cpu_enter();
	p = slab_zalloc_slow(8192, c, GFP_KERNEL, &zeroed);
	assert_true(!zeroed || all_bytes(p, 0, 8192));
	slab_free(p);
}

/* ---- pages inside slabs ---- */

static void trimming_keeps_what_lives_beside_what_it_gives_back(void **state)
{
	static char *p[4096];
	unsigned int i;
	size_t given;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = kvmalloc_size(2048);
		fill_block(p[i], 2048, i);
	}
	for (i = 0; i < ARRAY_SIZE(p); i++)
		if (i / 8 % 2)
			slab_free(p[i]);
	given = trim_memory();
	assert_true(given >= 2048u * 2048 - (1u << 20));
	assert_int_equal(heap_walk(), 0);
	for (i = 0; i < ARRAY_SIZE(p); i++)
		if (!(i / 8 % 2))
			assert_true(check_block(p[i], 2048, i));
	for (i = 0; i < ARRAY_SIZE(p); i++)	/* the same places are used again */
		if (i / 8 % 2) {
			p[i] = kvzalloc_size(2048);
			assert_true(all_bytes(p[i], 0, 2048));
			fill_block(p[i], 2048, i);
		}
	assert_int_equal(heap_walk(), 0);
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		assert_true(check_block(p[i], 2048, i));
		slab_free(p[i]);
	}
}

static void only_pages_without_a_live_object_are_given_back(void **state)
{
	static char *p[2000];
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(p); i++) {	/* 3072 is no divisor of a page: objects lie across pages */
		p[i] = kvmalloc_size(3072);
		fill_block(p[i], 3072, i);
	}
	for (i = 0; i < ARRAY_SIZE(p); i++)
		if (i % 5) {
			slab_free(p[i]);
			p[i] = NULL;
		}
	trim_memory();
	for (i = 0; i < ARRAY_SIZE(p); i += 5) {
		assert_true(check_block(p[i], 3072, i));
		slab_free(p[i]);
	}
	assert_int_equal(heap_walk(), 0);
}

/* ---- slab table ---- */

static void sum_line(const char *line, size_t len, void *arg)
{
	unsigned long active, objs, size, per_slab, pages, slabs, slabs2;
	unsigned int *lines = arg;
	char name[32];

	assert_int_equal(line[len - 1], '\n');
	assert_int_equal(strlen(line), len);
	++*lines;
	if (*lines <= 2)
		return;
	assert_int_equal(sscanf(line, "%31s %lu %lu %lu %lu %lu : tunables %*u %*u %*u : slabdata %lu %lu 0", name,
				&active, &objs, &size, &per_slab, &pages, &slabs, &slabs2), 8);
	assert_true(active <= objs);
	assert_int_equal(objs, slabs * per_slab);
	assert_int_equal(slabs, slabs2);
	assert_true(size * per_slab <= pages * PAGE_SIZE);
}

static void the_slab_table_adds_up(void **state)
{
	static void *p[5000];
	unsigned long live[NR_CLASSES] = { 0 }, bytes = 0;
	struct heap_usage u;
	unsigned int i, lines = 0;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = kvmalloc_size(random_below(i % 50 ? 600 : 30000));
		live[class_of(p[i])]++;
		bytes += kvsize(p[i]);
	}
	for (i = 0; i < ARRAY_SIZE(p); i += 2) {
		live[class_of(p[i])]--;
		bytes -= kvsize(p[i]);
		slab_free(p[i]);
	}
	for (i = 1; i <= nr_kmalloc_caches; i++) {
		struct slab_usage su;

		slab_get_usage(&kmalloc_caches[i], &su);
		assert_int_equal(su.num_objs, su.nr_slabs * kmalloc_caches[i].objects);
		assert_int_equal(su.active_objs - su.in_sheaves, live[i]);
	}
	heap_get_usage(&u);
	assert_int_equal(u.slab_in_use, bytes);
	assert_true(u.slab_system >= u.slab_in_use);
	slabinfo_show(sum_line, &lines);
	assert_int_equal(lines, nr_kmalloc_caches + 2);
	for (i = 1; i < ARRAY_SIZE(p); i += 2)
		slab_free(p[i]);
	assert_int_equal(all_live_objects(), 0);
	heap_get_usage(&u);
	assert_int_equal(u.slab_in_use, 0);
}

#define T(f) cmocka_unit_test_setup(f, quiet_heap)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_size_gives_an_object_of_its_own),
		T(random_use_of_all_classes_keeps_contents_and_invariants),
		T(aligned_objects_are_aligned_and_freed_as_others),
		T(a_slab_goes_from_current_to_full_to_partial_to_released),
		T(objects_are_taken_from_the_fullest_slab_first),
		T(everything_freed_and_trimmed_leaves_nothing_in_use),
		T(a_second_free_at_once_is_reported_and_changes_nothing),
		T(a_second_free_with_others_between_is_reported_at_the_flush),
		T(a_free_of_what_lies_in_the_slab_already_is_reported),
		T(an_interior_pointer_is_reported_with_its_object),
		T(what_was_never_ours_is_reported),
		T(a_free_after_the_slab_was_released_is_reported),
		T(zeroed_objects_read_zero_whatever_was_there),
		T(fresh_memory_is_known_to_be_zero),
		T(trimming_keeps_what_lives_beside_what_it_gives_back),
		T(only_pages_without_a_live_object_are_given_back),
		T(the_slab_table_adds_up),
	};

	return cmocka_run_group_tests_name("slub", tests, NULL, NULL);
}

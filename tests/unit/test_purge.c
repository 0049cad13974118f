// SPDX-License-Identifier: MIT
/* How much free memory is held back: the options, the budget, and what it learns. */
#include "unit.h"
#include "heap_walk.h"
#include "mm/reclaim.h"
#include "mm/util.h"
#include "kernel/params.h"
#include "os/os.h"

#define MIB (1ul << 20)

static long dirty_bytes(void)
{
	return atomic_load(&purge_state.dirty) << FRAME_SHIFT;
}

static int fresh(void **state)
{
	(void)state;
	params_init(NULL);
	slab_free(kvmalloc_size(1));
	trim_memory();
	return dirty_bytes() || heap_walk() ? -1 : 0;
}

static void burst_of_areas(void)
{
	void *p[64];
	unsigned int i;

	for (i = 0; i < 64; i++) {
		p[i] = kvmalloc_size(MIB);
		memset(p[i], 1, MIB);
	}
	for (i = 0; i < 64; i++)
		slab_free(p[i]);
}

static void burst_of_objects(void)
{
	static void *p[32768];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = kvmalloc_size(1024);
		memset(p[i], 1, 1024);
	}
	for (i = 0; i < ARRAY_SIZE(p); i++)
		slab_free(p[i]);
}

static void free_areas_stay_within_the_budget(void **state)
{
	long extra;

	(void)state;

	burst_of_areas();
	extra = atomic_load(&purge_state.extra) << FRAME_SHIFT;
	assert_true(atomic_load(&purge_state.nr_purged) > 0);
	assert_true(atomic_load(&purge_state.dirty) <= purge_limit());
	assert_true(dirty_bytes() <= (long)(8 * MIB) + extra);
}

static void free_slabs_stay_within_the_budget(void **state)
{
	long extra;

	(void)state;
	burst_of_objects();
	extra = atomic_load(&purge_state.extra) << FRAME_SHIFT;
	assert_true(atomic_load(&purge_state.dirty) <= purge_limit());
	assert_true(dirty_bytes() <= (long)(8 * MIB) + extra);
}

static void the_budget_grows_with_what_is_in_use(void **state)
{
	long least = purge_limit() << FRAME_SHIFT;
	void *p;

	(void)state;
	assert_true(least > 0 && least <= (long)(4 * MIB));
	p = kvmalloc_size(80 * MIB);
	assert_true(purge_limit() << FRAME_SHIFT >= (long)(20 * MIB));
	assert_true(purge_limit() << FRAME_SHIFT <= (long)(22 * MIB) + least);
	slab_free(p);
	assert_true(dirty_bytes() <= least);
}

static void a_loop_of_equal_bursts_keeps_its_memory(void **state)
{
	unsigned long purged[8];
	unsigned int i;

	(void)state;
	for (i = 0; i < 8; i++) {
		burst_of_areas();
		purged[i] = atomic_load(&purge_state.nr_purged);
	}
	assert_true(purged[7] - purged[3] <= (8 * MIB) >> FRAME_SHIFT);
}

/* Pieces too small for what is asked for later, which a large budget would keep. */
static void free_and_used_stay_near_the_peak(void **state)
{
	char *small[32], *large[12];
	unsigned int i;
	long peak, sum;

	(void)state;
	atomic_store(&purge_state.extra, (long)(1024 * MIB >> FRAME_SHIFT));
	atomic_store(&purge_state.period_ms, os_clock_ms());
	atomic_store(&purge_state.peak_used, atomic_load(&purge_state.used));
	for (i = 0; i < ARRAY_SIZE(small); i++) {
		small[i] = kvmalloc_size(3 * MIB);
		memset(small[i], 1, 3 * MIB);
	}
	for (i = 0; i < ARRAY_SIZE(small); i += 2)
		slab_free(small[i]);
	for (i = 0; i < ARRAY_SIZE(large); i++) {
		large[i] = kvmalloc_size(7 * MIB);
		peak = atomic_load(&purge_state.peak_used);
		sum = atomic_load(&purge_state.used) + atomic_load(&purge_state.dirty);
		assert_true(sum <= peak + peak / 3 + (long)(MIB >> FRAME_SHIFT));
		memset(large[i], 1, 7 * MIB);
	}
	for (i = 0; i < ARRAY_SIZE(large); i++)
		slab_free(large[i]);
	for (i = 1; i < ARRAY_SIZE(small); i += 2)
		slab_free(small[i]);
}

static void purge_always_holds_nothing_back(void **state)
{
	(void)state;
	params_init("purge=always");
	burst_of_areas();
	assert_int_equal(dirty_bytes(), 0);
	burst_of_objects();
	assert_int_equal(dirty_bytes(), 0);
	assert_int_equal(heap_walk(), 0);
}

static void purge_never_gives_nothing_back_until_asked(void **state)
{
	unsigned long before = atomic_load(&purge_state.nr_purged);

	(void)state;
	params_init("purge=never");
	burst_of_areas();
	burst_of_objects();
	assert_true(atomic_load(&purge_state.nr_purged) == before);
	assert_true(dirty_bytes() >= (long)(64 * MIB));
	trim_memory();
	assert_int_equal(dirty_bytes(), 0);
	assert_true(atomic_load(&purge_state.nr_purged) > before);
}

static void purge_all_says_what_it_gave(void **state)
{
	long dirty;

	(void)state;
	params_init("purge=never");
	burst_of_areas();
	area_cache_flush(own_cpu);
	dirty = atomic_load(&purge_state.dirty);
	assert_true(dirty >= (long)(64 * MIB >> FRAME_SHIFT));
	assert_int_equal(purge_all(), dirty);
	assert_int_equal(purge_all(), 0);
}

/* Frees of both kinds age by one clock. */
static void the_oldest_goes_first_whatever_it_is(void **state)
{
	unsigned long zone_seq, vm_seq;
	void *area = kvmalloc_size(MIB);
	struct page *page = alloc_block(MAX_PAGE_ORDER, &kernel_request);

	(void)state;
	params_init("purge=never");
	*dirty_mask(page_address(page)) = 0xffff;
	slab_free(area);
	area_cache_flush(own_cpu);
	free_block(page, MAX_PAGE_ORDER);
	zone_seq = zone_oldest_seq();
	vm_seq = vmap_oldest_seq();
	assert_true(vm_seq < zone_seq);
	assert_true(zone_seq != ULONG_MAX);
	purge_all();
	assert_true(zone_oldest_seq() == ULONG_MAX);
	assert_true(vmap_oldest_seq() == ULONG_MAX);
}

static void counts_never_turn_negative(void **state)
{
	static const char *const options[] = { "purge=auto", "purge=always", "purge=never" };
	void *p[40] = { NULL };
	unsigned int i, k;

	(void)state;
	for (i = 0; i < 3000; i++) {
		if (i % 100 == 0)
			params_init(options[i / 100 % 3]);
		k = (unsigned int)random_below(40);
		if (p[k]) {
			slab_free(p[k]);
			p[k] = NULL;
		} else {
			p[k] = random_below(4) ? kvmalloc_size(random_below(MIB)) : kvzalloc_size(random_below(MIB));
			memset(p[k], 1, kvsize(p[k]) / (1 + random_below(4)));
		}
		assert_true(atomic_load(&purge_state.dirty) >= 0);
		assert_true(atomic_load(&purge_state.used) >= 0);
		assert_true(atomic_load(&purge_state.recent) >= 0);
		assert_true(atomic_load(&purge_state.extra) >= 0);
	}
	for (k = 0; k < 40; k++)
		slab_free(p[k]);
	trim_memory();
	assert_int_equal(atomic_load(&purge_state.dirty), 0);
	assert_int_equal(atomic_load(&purge_state.used), 0);
}

#define T(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_budget_grows_with_what_is_in_use),
		T(free_areas_stay_within_the_budget),
		T(free_slabs_stay_within_the_budget),
		T(a_loop_of_equal_bursts_keeps_its_memory),
		T(free_and_used_stay_near_the_peak),
		T(purge_always_holds_nothing_back),
		T(purge_never_gives_nothing_back_until_asked),
		T(purge_all_says_what_it_gave),
		T(the_oldest_goes_first_whatever_it_is),
		T(counts_never_turn_negative),
	};

	return cmocka_run_group_tests_name("purge", tests, NULL, NULL);
}

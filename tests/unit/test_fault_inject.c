// SPDX-License-Identifier: MIT
/* failslab and fail_page_alloc: kernel-semantics 9 and 13.7 number 15. */
#include "unit.h"
#include "kmalloc/fault.h"
#include "kmalloc/kmalloc.h"
#include "kernel/params.h"
#include "mm/fault_inject.h"
#include "init/init.h"

#include <limits.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* A candidate that the defaults let pass to the attribute: it does not wait. */
static bool slab_fails(void)
{
	return should_failslab(64, GFP_ATOMIC, false);
}

static bool page_fails(unsigned int order)
{
	return should_fail_alloc_page(GFP_ATOMIC, order);
}

/* As at the start of a process with these options; what it says. */
static const char *start_with(const char *options)
{
	catch_stderr();
	params_init(options);
	fault_init();
	return caught_text();
}

static int quiet(void **state)
{
	(void)state;
	fail_nth_set(0);
	make_it_fail_set(false);
	assert_string_equal(start_with("fail_verbose=0"), "");
	assert_false(fault_slab_active);
	assert_false(fault_page_active);
	return 0;
}

static struct fault_attr get(const char *name)
{
	struct fault_attr attr;

	assert_true(fault_attr_get(name, &attr));
	return attr;
}

static void set(const char *name, unsigned long interval, unsigned long probability,
		unsigned long space, long times)
{
	struct fault_attr attr = FAULT_ATTR_INITIALIZER;

	attr.interval = interval;
	attr.probability = probability;
	attr.space = space;
	attr.times = times;
	attr.verbose = 0;
	assert_true(fault_attr_set(name, &attr));
}

static unsigned int failures_in(unsigned int n)
{
	unsigned int failed = 0;

	while (n--)
		failed += slab_fails();
	return failed;
}

/* ---- 9.1: what there is to set ---- */

static void the_defaults_are_the_kernels(void **state)
{
	struct fault_attr attr;
	long value;

	(void)state;
	start_with(NULL);
	attr = get("failslab");
	assert_int_equal(attr.probability, 0);
	assert_int_equal(attr.interval, 1);
	assert_int_equal(attr.times, 1);
	assert_int_equal(attr.space, 0);
	assert_int_equal(attr.verbose, 2);
	assert_false(attr.task_filter);
	assert_string_equal(attr.name, "failslab");
	assert_string_equal(get("fail_page_alloc").name, "fail_page_alloc");
	assert_true(fault_option_get("failslab.ignore-gfp-wait", &value) && value == 1);
	assert_true(fault_option_get("failslab.cache-filter", &value) && value == 0);
	assert_true(fault_option_get("fail_page_alloc.ignore-gfp-wait", &value) && value == 1);
	assert_true(fault_option_get("fail_page_alloc.ignore-gfp-highmem", &value) && value == 1);
	assert_true(fault_option_get("fail_page_alloc.min-order", &value) && value == 1);
}

static void options_set_what_they_name(void **state)
{
	struct fault_attr attr;
	long value;

	(void)state;
	assert_string_equal(start_with("failslab=3,50,700,-1 fail_page_alloc=1,100,0,7 "
				       "failslab.ignore-gfp-wait=N failslab.cache-filter=a,b "
				       "fail_page_alloc.ignore-gfp-wait=N fail_verbose=1 "
				       "fail_page_alloc.ignore-gfp-highmem=N fail_seed=5 "
				       "fail_page_alloc.min-order=3 fail_task=worker"), "");
	attr = get("failslab");
	assert_int_equal(attr.interval, 3);
	assert_int_equal(attr.probability, 50);
	assert_int_equal(attr.space, 700);
	assert_int_equal(attr.times, -1);
	assert_int_equal(attr.verbose, 1);
	assert_true(attr.task_filter);
	assert_int_equal(get("fail_page_alloc").times, 7);
	assert_true(fault_option_get("failslab.ignore-gfp-wait", &value) && value == 0);
	assert_true(fault_option_get("failslab.cache-filter", &value) && value == 1);
	assert_true(fault_option_get("fail_page_alloc.ignore-gfp-wait", &value) && value == 0);
	assert_true(fault_option_get("fail_page_alloc.ignore-gfp-highmem", &value) && value == 0);
	assert_true(fault_option_get("fail_page_alloc.min-order", &value) && value == 3);
	assert_true(fault_slab_active && fault_page_active);
}

static void bad_numbers_are_one_line_and_leave_injection_off(void **state)
{
	static const char *const bad[] = {
		"1", "1,100", "1,100,0", "1,100,0,", "1,100,0,1,", "1,100,0,1x", "1,100,0,1,2",
		",100,0,1", "x,100,0,1", "-1,100,0,1", "1,-100,0,1", "1,100,-1,1", "1,100,0,--1",
		"1,100,0,-", "1,101,0,1", "1;100;0;1", "1,100,0,99999999999999999999",
		"99999999999999999999,100,0,1", "0x1,100,0,1", "on", ",,,",
	};
	char option[100];
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct fault_attr attr = FAULT_ATTR_INITIALIZER;
		const char *said;

		snprintf(option, sizeof(option), "failslab=%s", bad[i]);
		said = start_with(option);
		assert_int_equal(count_lines(said), 1);
		assert_non_null(strstr(said, "FAULT_INJECTION: failed to parse arguments"));
		snprintf(option, sizeof(option), "failslab has '%s'", bad[i]);
		assert_non_null(strstr(said, option));
		assert_non_null(strstr(said, "interval,probability,space,times"));
		assert_false(fault_slab_active);
		assert_false(slab_fails());
		catch_stderr();
		assert_int_equal(setup_fault_attr(&attr, bad[i]), 0);
		assert_int_equal(count_lines(caught_text()), 1);
		assert_int_equal(attr.probability, 0);
		assert_int_equal(attr.interval, 1);
	}
	catch_stderr();
	assert_int_equal(setup_fault_attr(NULL, "1,1,1,1"), 0);
	assert_int_equal(setup_fault_attr(&(struct fault_attr)FAULT_ATTR_INITIALIZER, NULL), 0);
	assert_int_equal(count_lines(caught_text()), 1);
}

static void good_numbers_are_taken(void **state)
{
	struct fault_attr attr = FAULT_ATTR_INITIALIZER;

	(void)state;
	assert_int_equal(setup_fault_attr(&attr, "7,100,4096,-1"), 1);
	assert_int_equal(attr.interval, 7);
	assert_int_equal(attr.probability, 100);
	assert_int_equal(attr.space, 4096);
	assert_int_equal(attr.times, -1);
	assert_int_equal(setup_fault_attr(&attr, "0,0,0,0"), 1);
	assert_int_equal(attr.times, 0);
}

static void other_bad_options_are_named(void **state)
{
	long value;
	const char *said = start_with("fail_page_alloc.min-order=11");

	(void)state;
	assert_int_equal(count_lines(said), 1);
	assert_non_null(strstr(said, "'fail_page_alloc.min-order' has the value '11'"));
	assert_true(fault_option_get("fail_page_alloc.min-order", &value) && value == 1);
	said = start_with("fail_task=sixteen-letters-");
	assert_int_equal(count_lines(said), 1);
	assert_non_null(strstr(said, "'fail_task' has the value 'sixteen-letters-'"));
	assert_non_null(strstr(said, "using 'sixteen-letters'"));
	said = start_with("fail_nth=many");
	assert_int_equal(count_lines(said), 1);
	assert_int_equal(fail_nth_process_get(), 0);
	said = start_with("fail_verbose=3");
	assert_int_equal(count_lines(said), 1);
	said = start_with("failslab.ignore-gfp-wait=perhaps");
	assert_int_equal(count_lines(said), 1);
}

static void bad_names_and_values_of_the_API_change_nothing(void **state)
{
	struct fault_attr attr = FAULT_ATTR_INITIALIZER;
	long value = 5;

	(void)state;
	assert_false(fault_attr_get("fail_futex", &attr));
	assert_false(fault_attr_set("fail_futex", &attr));
	assert_false(fault_attr_get(NULL, &attr));
	assert_false(fault_attr_set("failslab", NULL));
	assert_false(fault_attr_get("failslab", NULL));
	assert_false(fault_option_set("failslab.min-order", 1));
	assert_false(fault_option_set(NULL, 1));
	assert_false(fault_option_set("fail_page_alloc.min-order", 11));
	assert_false(fault_option_set("fail_page_alloc.min-order", -1));
	assert_false(fault_option_set("failslab.ignore-gfp-wait", 2));
	assert_false(fault_option_get("failslab", &value));
	assert_false(fault_option_get("failslab.cache-filter", NULL));
	assert_int_equal(value, 5);
	assert_true(fault_option_set("fail_page_alloc.min-order", 10));
	assert_true(fault_option_get("fail_page_alloc.min-order", &value) && value == 10);
	assert_false(should_fail(NULL, 1));
}

/* ---- 9.2: the order; a row that lets pass must leave what later rows count alone ---- */

struct row {
	unsigned int nth;
	unsigned long interval, probability, space;
	long times;
	bool filter;
	/* what is there after one candidate of size 10 */
	bool fails;
	unsigned long space_after, count_after;
	long times_after;
};

static void assert_row(const struct row *r)
{
	struct fault_attr attr = FAULT_ATTR_INITIALIZER;

	attr.interval = r->interval;
	attr.probability = r->probability;
	attr.space = r->space;
	attr.times = r->times;
	attr.task_filter = r->filter;
	attr.verbose = 0;
	fail_nth_set(r->nth);
	assert_int_equal(should_fail(&attr, 10), r->fails);
	assert_int_equal(attr.space, r->space_after);
	assert_int_equal(attr.count, r->count_after);
	assert_int_equal(attr.times, r->times_after);
	fail_nth_set(0);
}

static void row_1_a_count_of_the_thread_comes_before_everything(void **state)
{
	(void)state;
	/* counting: nothing else is looked at, though all would fail */
	assert_row(&(struct row){ 2, 2, 100, 50, 5, false, false, 50, 0, 5 });
	/* reached: fails with probability 0, a filter, no times, space, interval */
	assert_row(&(struct row){ 1, 2, 0, 50, 0, true, true, 50, 0, 0 });
	/* and takes one of the times */
	assert_row(&(struct row){ 1, 1, 0, 0, 5, false, true, 0, 0, 4 });
	assert_row(&(struct row){ 1, 1, 0, 0, -1, false, true, 0, 0, -1 });
}

static void row_2_probability_0_passes_before_filter_space_and_interval(void **state)
{
	(void)state;
	assert_row(&(struct row){ 0, 2, 0, 50, 5, true, false, 50, 0, 5 });
}

static void row_3_the_task_filter_passes_before_times_space_and_interval(void **state)
{
	(void)state;
	assert_row(&(struct row){ 0, 2, 100, 50, 5, true, false, 50, 0, 5 });
	make_it_fail_set(true);
	assert_true(make_it_fail_get());
	assert_row(&(struct row){ 0, 2, 100, 50, 5, true, false, 40, 0, 5 });
	assert_row(&(struct row){ 0, 1, 100, 0, 5, true, true, 0, 0, 4 });
}

static void row_4_no_times_left_passes_before_space_and_interval(void **state)
{
	(void)state;
	assert_row(&(struct row){ 0, 2, 100, 50, 0, false, false, 50, 0, 0 });
}

static void row_6_space_above_the_size_pays_and_passes_before_interval(void **state)
{
	(void)state;
	assert_row(&(struct row){ 0, 2, 100, 50, 5, false, false, 40, 0, 5 });
	assert_row(&(struct row){ 0, 1, 100, 11, 5, false, false, 1, 0, 5 });
	/* equal is not above */
	assert_row(&(struct row){ 0, 1, 100, 10, 5, false, true, 10, 0, 4 });
}

static void row_7_the_interval_counts_and_passes_before_the_dice(void **state)
{
	(void)state;
	assert_row(&(struct row){ 0, 2, 100, 0, 5, false, false, 0, 1, 5 });
	assert_row(&(struct row){ 0, 1, 100, 0, 5, false, true, 0, 0, 4 });
	assert_row(&(struct row){ 0, 0, 100, 0, 5, false, true, 0, 0, 4 });
}

/* The dice are not thrown for what the interval lets pass: the same failures of those that are. */
static void row_8_dice_are_thrown_for_every_interval_th_candidate_alone(void **state)
{
	bool all[100];
	unsigned int i;

	(void)state;
	set("failslab", 1, 50, 0, -1);
	fault_seed(99);
	for (i = 0; i < 100; i++)
		all[i] = slab_fails();
	set("failslab", 3, 50, 0, -1);
	fault_seed(99);
	for (i = 0; i < 300; i++)
		assert_int_equal(slab_fails(), i % 3 == 2 && all[i / 3]);
}

static void row_10_times_counts_down_but_for_negative_ones(void **state)
{
	(void)state;
	assert_row(&(struct row){ 0, 1, 100, 0, 1, false, true, 0, 0, 0 });
	assert_row(&(struct row){ 0, 1, 100, 0, -1, false, true, 0, 0, -1 });
	assert_row(&(struct row){ 0, 1, 100, 0, -7, false, true, 0, 0, -7 });
}

/* 13.7 number 15 */
static void interval_3_and_probability_100_fail_exactly_every_third(void **state)
{
	unsigned int i;

	(void)state;
	set("failslab", 3, 100, 0, -1);
	for (i = 1; i <= 300; i++)
		assert_int_equal(slab_fails(), i % 3 == 0);
	/* times: the last failures of it */
	set("failslab", 3, 100, 0, 2);
	for (i = 1; i <= 300; i++)
		assert_int_equal(slab_fails(), i == 3 || i == 6);
	/* space: 64 bytes each until it is not above 64 */
	set("failslab", 1, 100, 640, 1);
	for (i = 1; i <= 20; i++)
		assert_int_equal(slab_fails(), i == 10);
}

static void the_size_of_pages_is_their_number(void **state)
{
	(void)state;
	set("fail_page_alloc", 1, 100, 17, -1);
	assert_false(page_fails(3));
	assert_false(page_fails(3));
	assert_true(page_fails(3));
	assert_int_equal(get("fail_page_alloc").space, 1);
}

static void probabilities_are_percents(void **state)
{
	unsigned int failed;

	(void)state;
	set("failslab", 1, 0, 0, -1);
	assert_int_equal(failures_in(1000), 0);
	set("failslab", 1, 100, 0, -1);
	assert_int_equal(failures_in(1000), 1000);
	set("failslab", 1, 10, 0, -1);
	fault_seed(1);
	failed = failures_in(10000);
	assert_in_range(failed, 880, 1120);
	set("failslab", 1, 99, 0, -1);
	failed = failures_in(10000);
	assert_in_range(failed, 9850, 9950);
}

static void a_seed_repeats_and_others_differ(void **state)
{
	uint64_t bits[4];
	unsigned int i, j;

	(void)state;
	set("failslab", 1, 50, 0, -1);
	for (i = 0; i < 4; i++) {
		fault_seed(i < 2 ? 7 : i - 2 ? 0 : 8);
		for (bits[i] = 0, j = 0; j < 64; j++)
			bits[i] = bits[i] << 1 | slab_fails();
	}
	assert_int_equal(bits[0], bits[1]);
	assert_int_not_equal(bits[0], bits[2]);
	assert_int_not_equal(bits[0], bits[3]);
	/* by the option too */
	start_with("failslab=1,50,0,-1 fail_seed=7 fail_verbose=0");
	for (bits[1] = 0, j = 0; j < 64; j++)
		bits[1] = bits[1] << 1 | slab_fails();
	assert_int_equal(bits[0], bits[1]);
}

static void a_run_without_a_seed_says_the_one_that_it_takes(void **state)
{
	const char *said = start_with("failslab=1,50,0,-1 fail_verbose=1");
	char option[100];
	uint64_t bits[2] = { 0, 0 };
	unsigned int j;

	(void)state;
	assert_int_equal(count_lines(said), 1);
	said = strstr(said, "fail_seed=");
	assert_non_null(said);
	snprintf(option, sizeof(option), "failslab=1,50,0,-1 fail_verbose=0 %.*s",
		 (int)strcspn(said, " "), said);
	catch_stderr();
	for (j = 0; j < 64; j++)
		bits[0] = bits[0] << 1 | slab_fails();
	caught_text();
	assert_string_equal(start_with(option), "");
	for (j = 0; j < 64; j++)
		bits[1] = bits[1] << 1 | slab_fails();
	assert_int_equal(bits[0], bits[1]);
}

/* ---- 9.3: what is never failed, and does not count either ---- */

static void failslab_spares_what_it_must(void **state)
{
	(void)state;
	set("failslab", 1, 100, 0, -1);
	assert_true(should_failslab(8, 0, false));
	assert_true(should_failslab(8, GFP_ATOMIC, false));
	assert_true(should_failslab(8, GFP_NOWAIT, false));
	/* not any reclaim bit: the one that waits */
	assert_false(should_failslab(8, GFP_KERNEL, false));
	assert_false(should_failslab(8, GFP_NOIO, false));
	assert_false(should_failslab(8, GFP_ATOMIC | __GFP_NOFAIL, false));
	fault_option_set("failslab.ignore-gfp-wait", 0);
	assert_true(should_failslab(8, GFP_KERNEL, false));
	assert_true(should_failslab(8, GFP_MALLOC, false));
	assert_false(should_failslab(8, GFP_KERNEL | __GFP_NOFAIL, false));
	fault_option_set("failslab.cache-filter", 1);
	assert_false(should_failslab(8, GFP_KERNEL, false));
	assert_true(should_failslab(8, GFP_KERNEL, true));
	assert_false(should_failslab(8, GFP_KERNEL | __GFP_NOFAIL, true));
}

static void fail_page_alloc_spares_what_it_must(void **state)
{
	(void)state;
	set("fail_page_alloc", 1, 100, 0, -1);
	assert_false(page_fails(0));
	assert_true(page_fails(1));
	assert_false(should_fail_alloc_page(GFP_ATOMIC | __GFP_NOFAIL, 1));
	assert_false(should_fail_alloc_page(GFP_ATOMIC | __GFP_HIGHMEM, 1));
	assert_false(should_fail_alloc_page(GFP_KERNEL, 1));
	fault_option_set("fail_page_alloc.min-order", 0);
	assert_true(page_fails(0));
	fault_option_set("fail_page_alloc.min-order", 4);
	assert_false(page_fails(3));
	assert_true(page_fails(4));
	fault_option_set("fail_page_alloc.ignore-gfp-highmem", 0);
	assert_true(should_fail_alloc_page(GFP_ATOMIC | __GFP_HIGHMEM, 4));
	fault_option_set("fail_page_alloc.ignore-gfp-wait", 0);
	assert_true(should_fail_alloc_page(GFP_KERNEL, 4));
	assert_false(should_fail_alloc_page(GFP_KERNEL | __GFP_NOFAIL, 4));
}

static void spared_candidates_are_not_counted(void **state)
{
	unsigned int i;

	(void)state;
	set("failslab", 2, 100, 0, -1);
	for (i = 0; i < 5; i++)
		should_failslab(8, GFP_KERNEL, false);
	assert_int_equal(get("failslab").count, 0);
	fail_nth_set(2);
	for (i = 0; i < 5; i++) {
		assert_false(should_failslab(8, GFP_KERNEL, false));
		assert_false(should_fail_alloc_page(GFP_ATOMIC, 0));
	}
	assert_int_equal(fail_nth_get(), 2);
}

static void the_cache_filter_knows_names_and_patterns(void **state)
{
	(void)state;
	start_with("failslab.cache-filter=kmalloc-64,,my*,x?");
	assert_true(fault_cache_is_marked("kmalloc-64"));
	assert_true(fault_cache_is_marked("my_cache"));
	assert_true(fault_cache_is_marked("xy"));
	assert_false(fault_cache_is_marked("kmalloc-640"));
	assert_false(fault_cache_is_marked("kmalloc-6"));
	assert_false(fault_cache_is_marked("xyz"));
	assert_false(fault_cache_is_marked(""));
	start_with(NULL);
	assert_false(fault_cache_is_marked("kmalloc-64"));
}

static void fail_task_names_the_thread(void **state)
{
	char old[16];

	(void)state;
	prctl(PR_GET_NAME, old);
	start_with("failslab=1,100,0,-1 fail_task=worker-1 fail_verbose=0");
	assert_false(slab_fails());
	prctl(PR_SET_NAME, "worker-1");
	assert_true(slab_fails());
	prctl(PR_SET_NAME, "worker-12");
	assert_false(slab_fails());
	/* the mark does too */
	make_it_fail_set(true);
	assert_true(slab_fails());
	prctl(PR_SET_NAME, old);
}

/* ---- messages ---- */

static void *caller;

static __attribute__((noinline)) bool fails_from_here(gfp_t gfp)
{
	bool fails = should_failslab(64, gfp, false);

	caller = __builtin_return_address(0);
	return fails;
}

static void verbose_says_what_the_kernel_says(void **state)
{
	char here[40];
	const char *said;

	(void)state;
	start_with("failslab=1,100,0,42 fail_verbose=1");
	catch_stderr();
	assert_true(fails_from_here(GFP_ATOMIC));
	said = caught_text();
	assert_int_equal(count_lines(said), 2);
	assert_non_null(strstr(said, "FAULT_INJECTION: forcing a failure.\n"
			       "name failslab, interval 1, probability 100, space 0, times 42\n"));
	start_with("failslab=1,100,0,42 fail_verbose=0");
	catch_stderr();
	assert_true(fails_from_here(GFP_ATOMIC));
	assert_string_equal(caught_text(), "");
	start_with("failslab=1,100,0,42 fail_verbose=2");
	catch_stderr();
	assert_true(fails_from_here(GFP_ATOMIC));
	said = caught_text();
#if defined(__x86_64__) || defined(__aarch64__)
	assert_int_equal(count_lines(said), 3);
	snprintf(here, sizeof(here), " ? %p", caller);
	assert_non_null(strstr(said, "\nCall Trace: ? 0x"));
	assert_non_null(strstr(said, here));
#endif
	(void)here;
}

static void NOWARN_says_nothing(void **state)
{
	(void)state;
	start_with("failslab=1,100,0,-1 fail_page_alloc=1,100,0,-1 fail_verbose=2");
	catch_stderr();
	assert_true(should_failslab(8, GFP_ATOMIC | __GFP_NOWARN, false));
	assert_true(should_failslab(8, GFP_NOWAIT, false));
	assert_true(should_fail_alloc_page(GFP_ATOMIC | __GFP_NOWARN, 2));
	fail_nth_set(1);
	assert_true(should_failslab(8, GFP_ATOMIC | __GFP_NOWARN, false));
	assert_string_equal(caught_text(), "");
}

static void passing_says_nothing(void **state)
{
	(void)state;
	start_with("failslab=2,100,0,-1 fail_verbose=2");
	catch_stderr();
	assert_false(slab_fails());
	assert_string_equal(caught_text(), "");
}

/* ---- 9.4: one failure, exactly where it is wanted ---- */

static void fail_nth_fails_exactly_the_nth_candidate(void **state)
{
	unsigned int n, i;

	(void)state;
	for (n = 1; n < 20; n++) {
		fail_nth_set(n);
		assert_true(fault_slab_active && fault_page_active);
		for (i = 1; i < 30; i++) {
			assert_int_equal(fail_nth_get(), i <= n ? n - i + 1 : 0);
			/* both injectors count */
			assert_int_equal(i & 1 ? slab_fails() : page_fails(1), i == n);
		}
		assert_false(fault_slab_active || fault_page_active);
	}
	/* not reached */
	fail_nth_set(5);
	slab_fails();
	assert_int_equal(fail_nth_get(), 4);
	fail_nth_set(0);
	assert_false(slab_fails());
	fail_nth_set(UINT_MAX);
	assert_int_equal(fail_nth_get(), INT_MAX);
}

static void *other_thread(void *arg)
{
	/* its own count begins with none */
	if (fail_nth_get() || make_it_fail_get() || slab_fails())
		return (void *)(uintptr_t)"it inherited the count";
	fail_nth_set(2);
	if (slab_fails() || !slab_fails() || fail_nth_get())
		return (void *)(uintptr_t)"it is not exact";
	return arg;
}

static void fail_nth_and_make_it_fail_are_of_one_thread(void **state)
{
	pthread_t t;
	void *error;

	(void)state;
	fail_nth_set(3);
	make_it_fail_set(true);
	pthread_create(&t, NULL, other_thread, NULL);
	pthread_join(t, &error);
	assert_null(error);
	assert_int_equal(fail_nth_get(), 3);
	assert_true(fault_slab_active);
}

static void *ends_counting(void *arg)
{
	kfree(kmalloc(100, GFP_KERNEL));
	fail_nth_set(1000000);
	return arg;
}

static void a_count_ends_with_its_thread(void **state)
{
	pthread_t t;

	(void)state;
	pthread_create(&t, NULL, ends_counting, NULL);
	pthread_join(t, NULL);
	assert_false(fault_slab_active || fault_page_active);
}

static void a_fork_child_counts_nothing_and_keeps_its_mark(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	fail_nth_set(3);
	make_it_fail_set(true);
	pid = fork();
	if (!pid)
		_exit(fail_nth_get() || fault_slab_active || !make_it_fail_get());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(fail_nth_get(), 3);
}

static void option_fail_nth_counts_in_the_whole_process(void **state)
{
	pthread_t t;
	void *error = NULL;

	(void)state;
	start_with("fail_nth=4 fail_verbose=0");
	assert_true(fault_slab_active && fault_page_active);
	/* it reaches what waits and single pages too */
	assert_false(should_failslab(8, GFP_MALLOC, false));
	assert_false(should_fail_alloc_page(GFP_KERNEL, 0));
	/* never failed, never counted */
	assert_false(should_failslab(8, GFP_KERNEL | __GFP_NOFAIL, false));
	assert_int_equal(fail_nth_process_get(), 2);
	/* a thread's own count hides its candidates: one of it counts, two do not */
	pthread_create(&t, NULL, other_thread, NULL);
	pthread_join(t, &error);
	assert_null(error);
	assert_int_equal(fail_nth_process_get(), 1);
	assert_true(should_failslab(8, GFP_KERNEL, false));
	assert_int_equal(fail_nth_process_get(), 0);
	assert_false(fault_slab_active || fault_page_active);
	assert_int_equal(failures_in(100), 0);
}

static void option_fail_nth_leaves_what_is_given_alone(void **state)
{
	long value;

	(void)state;
	start_with("fail_nth=1 failslab.ignore-gfp-wait=Y fail_page_alloc.ignore-gfp-wait=1 "
		   "fail_page_alloc.min-order=1 fail_verbose=0");
	assert_false(should_failslab(8, GFP_KERNEL, false));
	assert_false(should_fail_alloc_page(GFP_KERNEL, 1));
	assert_false(should_fail_alloc_page(GFP_ATOMIC, 0));
	assert_int_equal(fail_nth_process_get(), 1);
	assert_true(slab_fails());
	/* a bad value is no value */
	start_with("fail_nth=1 failslab.ignore-gfp-wait=perhaps");
	assert_true(fault_option_get("failslab.ignore-gfp-wait", &value) && value == 0);
	start_with("failslab=1,1,1,1");
	assert_true(fault_option_get("failslab.ignore-gfp-wait", &value) && value == 1);
}

static void an_attribute_of_the_program_counts_for_the_thread_alone(void **state)
{
	DECLARE_FAULT_ATTR(fail_my_driver);

	(void)state;
	assert_string_equal(fail_my_driver.name, "fail_my_driver");
	fail_my_driver.verbose = 1;
	start_with("fail_nth=1 fail_verbose=0");
	assert_false(should_fail(&fail_my_driver, 1));
	assert_int_equal(fail_nth_process_get(), 1);
	fail_nth_set(1);
	catch_stderr();
	assert_true(should_fail(&fail_my_driver, 1));
	assert_non_null(strstr(caught_text(), "name fail_my_driver, interval 1, probability 0, "
			       "space 0, times 1\n"));
	fail_nth_set(1);
	catch_stderr();
	assert_true(should_fail_ex(&fail_my_driver, 1, FAULT_NOWARN));
	assert_string_equal(caught_text(), "");
}

/* ---- on and off ---- */

static void it_is_active_exactly_while_something_could_fail(void **state)
{
	(void)state;
	set("failslab", 1, 100, 0, 2);
	assert_true(fault_slab_active);
	assert_false(fault_page_active);
	assert_true(slab_fails());
	assert_true(fault_slab_active);
	assert_true(slab_fails());
	/* none left */
	assert_false(fault_slab_active);
	set("fail_page_alloc", 1, 1, 0, -1);
	assert_true(fault_page_active);
	assert_false(fault_slab_active);
	set("fail_page_alloc", 1, 0, 0, -1);
	assert_false(fault_page_active);
	set("failslab", 1, 100, 0, 0);
	assert_false(fault_slab_active);
}

/* ---- threads ---- */

#define THREADS	4
#define ROUNDS	30000

static void *candidates(void *arg)
{
	unsigned int *failed = arg, i;

	for (i = 0; i < ROUNDS; i++)
		*failed += slab_fails();
	return NULL;
}

static unsigned int failures_of_threads(void)
{
	unsigned int failed[THREADS] = { 0 }, sum = 0, i;
	pthread_t t[THREADS];

	for (i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, candidates, &failed[i]);
	for (i = 0; i < THREADS; i++) {
		pthread_join(t[i], NULL);
		sum += failed[i];
	}
	return sum;
}

static void interval_times_space_and_fail_nth_are_exact_over_threads(void **state)
{
	(void)state;
	set("failslab", 3, 100, 0, -1);
	assert_int_equal(failures_of_threads(), THREADS * ROUNDS / 3);
	set("failslab", 1, 100, 0, 1000);
	assert_int_equal(failures_of_threads(), 1000);
	assert_false(fault_slab_active);
	set("failslab", 1, 100, 64 * 5000, -1);
	assert_int_equal(failures_of_threads(), THREADS * ROUNDS - 4999);
	start_with("fail_nth=50000 fail_verbose=0");
	assert_int_equal(failures_of_threads(), 1);
}

#define T(f) cmocka_unit_test_setup(f, quiet)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_defaults_are_the_kernels),
		T(options_set_what_they_name),
		T(bad_numbers_are_one_line_and_leave_injection_off),
		T(good_numbers_are_taken),
		T(other_bad_options_are_named),
		T(bad_names_and_values_of_the_API_change_nothing),
		T(row_1_a_count_of_the_thread_comes_before_everything),
		T(row_2_probability_0_passes_before_filter_space_and_interval),
		T(row_3_the_task_filter_passes_before_times_space_and_interval),
		T(row_4_no_times_left_passes_before_space_and_interval),
		T(row_6_space_above_the_size_pays_and_passes_before_interval),
		T(row_7_the_interval_counts_and_passes_before_the_dice),
		T(row_8_dice_are_thrown_for_every_interval_th_candidate_alone),
		T(row_10_times_counts_down_but_for_negative_ones),
		T(interval_3_and_probability_100_fail_exactly_every_third),
		T(the_size_of_pages_is_their_number),
		T(probabilities_are_percents),
		T(a_seed_repeats_and_others_differ),
		T(a_run_without_a_seed_says_the_one_that_it_takes),
		T(failslab_spares_what_it_must),
		T(fail_page_alloc_spares_what_it_must),
		T(spared_candidates_are_not_counted),
		T(the_cache_filter_knows_names_and_patterns),
		T(fail_task_names_the_thread),
		T(verbose_says_what_the_kernel_says),
		T(NOWARN_says_nothing),
		T(passing_says_nothing),
		T(fail_nth_fails_exactly_the_nth_candidate),
		T(fail_nth_and_make_it_fail_are_of_one_thread),
		T(a_count_ends_with_its_thread),
		T(a_fork_child_counts_nothing_and_keeps_its_mark),
		T(option_fail_nth_counts_in_the_whole_process),
		T(option_fail_nth_leaves_what_is_given_alone),
		T(an_attribute_of_the_program_counts_for_the_thread_alone),
		T(it_is_active_exactly_while_something_could_fail),
		T(interval_times_space_and_fail_nth_are_exact_over_threads),
	};

	start_kernel();
	return cmocka_run_group_tests_name("fault_inject", tests, NULL, NULL);
}

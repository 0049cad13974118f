// SPDX-License-Identifier: MIT
/* The marks and the limit: kernel-semantics 5.6, and what mem= takes. */
#include "ladder.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define KIB_PAGES(kib) ((kib) >> (os_page_shift - 10))

static unsigned long min_kib(unsigned long managed_kib, unsigned long option)
{
	unsigned long mark[NR_WMARK];

	setup_watermarks(KIB_PAGES(managed_kib), option, mark);
	return mark[WMARK_MIN] << (os_page_shift - 10);
}

static void min_is_the_root_of_sixteen_times_the_kib(void **state)
{
	(void)state;
	assert_int_equal(min_kib(64ul << 10, 0), 1024);
	assert_int_equal(min_kib(1ul << 20, 0), 4096);
	assert_int_equal(min_kib(16ul << 20, 0), 16384);
	assert_int_equal(min_kib(512, 0), 128);			/* clamped */
	assert_int_equal(min_kib(1ul << 40, 0), 262144);
}

static void min_free_kbytes_wins_where_it_is_larger(void **state)
{
	(void)state;
	assert_int_equal(min_kib(64ul << 10, 2048), 2048);
	assert_int_equal(min_kib(64ul << 10, 512), 1024);
	assert_int_equal(min_kib(4ul << 20, 524288), 524288);	/* above the clamp */
}

static void the_step_is_a_quarter_of_min_or_a_thousandth(void **state)
{
	unsigned long mark[NR_WMARK], pages = KIB_PAGES(64ul << 10);

	(void)state;
	setup_watermarks(pages, 0, mark);
	assert_int_equal(mark[WMARK_LOW] - mark[WMARK_MIN], mark[WMARK_MIN] / 4);
	assert_int_equal(mark[WMARK_HIGH] - mark[WMARK_LOW], mark[WMARK_MIN] / 4);
	pages = KIB_PAGES(1ul << 30);		/* 1 TiB */
	setup_watermarks(pages, 0, mark);
	assert_int_equal(mark[WMARK_LOW] - mark[WMARK_MIN], pages * 10 / 10000);
	assert_int_equal(mark[WMARK_HIGH] - mark[WMARK_LOW], pages * 10 / 10000);
}

static void reductions_are_a_half_and_then_a_quarter(void **state)
{
	unsigned long min;

	(void)state;
	set_options("mem=64M");
	min = mem_state.watermark[WMARK_MIN];
	assert_int_equal(effective_watermark(ALLOC_WMARK_MIN), min);
	assert_int_equal(effective_watermark(ALLOC_WMARK_LOW), mem_state.watermark[WMARK_LOW]);
	assert_int_equal(effective_watermark(ALLOC_WMARK_HIGH), mem_state.watermark[WMARK_HIGH]);
	assert_int_equal(effective_watermark(ALLOC_MIN_RESERVE), min / 2);
	assert_int_equal(effective_watermark(ALLOC_MIN_RESERVE | ALLOC_NON_BLOCK), min * 3 / 8);
	assert_int_equal(effective_watermark(ALLOC_NON_BLOCK), min);
	assert_int_equal(effective_watermark(ALLOC_NO_WATERMARKS), 0);
	set_options(NULL);
}

/* Half of the limit is the most that min may be. */
static void all_marks_lie_below_the_limit(void **state)
{
	static const char *const options[] = {
		"mem=64M min_free_kbytes=32768", "mem=64M min_free_kbytes=32832",
		"mem=64M min_free_kbytes=60000", "mem=64M min_free_kbytes=65535",
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		catch_stderr();
		set_options(options[i]);
		assert_int_equal(count_lines(caught_text()), i ? 1 : 0);
		assert_true(mem_state.watermark[WMARK_MIN] > 0);
		assert_true(mem_state.watermark[WMARK_HIGH] < mem_state.limit);
	}
	set_options(NULL);
}

static void exactly_at_the_mark_fails(void **state)
{
	unsigned long min;
	unsigned int order;

	(void)state;
	set_options("mem=64M");
	min = mem_state.watermark[WMARK_MIN];
	for (order = 0; order <= MAX_PAGE_ORDER; order++) {
		unsigned long pages = 1ul << order;

		assert_false(watermark_ok(min + pages - 1, pages, ALLOC_WMARK_MIN));
		assert_true(watermark_ok(min + pages, pages, ALLOC_WMARK_MIN));
		assert_false(watermark_ok(pages - 1, pages, ALLOC_NO_WATERMARKS));
		assert_true(watermark_ok(pages, pages, ALLOC_NO_WATERMARKS));
	}
	set_options(NULL);
}

static void *charge_all(void *arg)
{
	struct alloc_context ac = kernel_request;
	unsigned long *n = arg;

	ac.alloc_flags = ALLOC_WMARK_MIN;
	while (mem_charge(3, &ac))
		*n += 3;
	return NULL;
}

static void charges_of_threads_together_stop_at_the_mark(void **state)
{
	unsigned long n[4] = { 0 }, before, sum = 0;
	pthread_t t[4];
	unsigned int i;

	(void)state;
	set_options("mem=64M");
	before = mem_committed();
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, charge_all, &n[i]), 0);
	for (i = 0; i < 4; i++) {
		pthread_join(t[i], NULL);
		sum += n[i];
	}
	assert_int_equal(mem_committed(), before + sum);
	/* the last charge left more than min + 2, one more would not have */
	assert_true(mem_free() >= mem_state.watermark[WMARK_MIN]);
	assert_true(mem_free() <= mem_state.watermark[WMARK_MIN] + 2);
	mem_uncharge(sum);
	assert_int_equal(mem_committed(), before);
	set_options(NULL);
}

static void without_a_limit_everything_is_granted_and_counted(void **state)
{
	unsigned long before = mem_committed();

	(void)state;
	set_options(NULL);
	assert_true(mem_charge(1ul << 50, &kernel_request));
	assert_int_equal(mem_committed(), before + (1ul << 50));
	mem_uncharge(1ul << 50);
	assert_true(mem_state.managed > 0);	/* physical memory */
	assert_true(mem_state.watermark[WMARK_MIN] > 0);
}

static const char *complaint(const char *options)
{
	catch_stderr();
	set_options(options);
	return caught_text();
}

static void a_bad_limit_is_one_line_and_no_limit(void **state)
{
	static const char *const bad[] = { "mem=foo", "mem=12X", "mem=-5", "mem=4K", "mem=0" };
	unsigned int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		const char *text = complaint(bad[i]);

		assert_int_equal(count_lines(text), 1);
		assert_non_null(strstr(text, "no limit"));
		assert_false(mem_limited());
	}
	assert_string_equal(complaint("mem=256M"), "");
	assert_int_equal(mem_state.limit, KIB_PAGES(256ul << 10));
	assert_int_equal(count_lines(complaint("mem=64M min_free_kbytes=1G")), 1);
	assert_int_equal(mem_state.watermark[WMARK_MIN], KIB_PAGES(1024));
	set_options(NULL);
}

static void check_rlimit(void)
{
	struct rlimit r = { 3ul << 30, RLIM_INFINITY };

	watermark_init();
	CHECK(!mem_limited());
	CHECK(!setrlimit(RLIMIT_AS, &r));
	watermark_init();
	CHECK_EQ(mem_state.limit, KIB_PAGES(3ul << 20));
	r.rlim_cur = 1ul << 30;
	CHECK(!setrlimit(RLIMIT_DATA, &r));
	watermark_init();
	CHECK_EQ(mem_state.limit, KIB_PAGES(1ul << 20));
}

static void mem_rlimit_is_the_smaller_of_the_two(void **state)
{
	(void)state;
	in_child("mem=rlimit", check_rlimit);
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void mem_cgroup_takes_the_least_up_the_tree(void **state)
{
	char root[] = "/tmp/kmcgXXXXXX", command[100], dir[200];

	(void)state;
	assert_non_null(mkdtemp(root));
	snprintf(dir, sizeof(dir), "mkdir -p %s/a/b/c %s/memory/x/y", root, root);
	assert_int_equal(system(dir), 0);
	assert_int_equal(cgroup_memory_limit("0::/a/b/c\n", root), ULONG_MAX);
	write_file(root, "a/b/c/memory.max", "max\n");
	assert_int_equal(cgroup_memory_limit("0::/a/b/c\n", root), 0);
	write_file(root, "a/memory.max", "300000000\n");
	assert_int_equal(cgroup_memory_limit("0::/a/b/c\n", root), 300000000);
	write_file(root, "a/b/memory.max", "200000000\n");
	assert_int_equal(cgroup_memory_limit("1:cpu:/a\n0::/a/b/c\n", root), 200000000);
	assert_int_equal(cgroup_memory_limit("0::/a", root), 300000000);
	assert_int_equal(cgroup_memory_limit("0::/\n", root), ULONG_MAX);
	/* v1: no limit is a huge number */
	write_file(root, "memory/memory.limit_in_bytes", "9223372036854771712\n");
	assert_int_equal(cgroup_memory_limit("4:memory:/x/y\n0::/q\n", root), 0);
	write_file(root, "memory/x/memory.limit_in_bytes", "100000000\n");
	assert_int_equal(cgroup_memory_limit("5:cpu,memory:/x/y\n", root), 100000000);
	assert_int_equal(cgroup_memory_limit("5:cpu,memoryx:/x/y\n", root), ULONG_MAX);
	assert_int_equal(cgroup_memory_limit("\n:\n::\nx", root), ULONG_MAX);
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(min_is_the_root_of_sixteen_times_the_kib),
		cmocka_unit_test(min_free_kbytes_wins_where_it_is_larger),
		cmocka_unit_test(the_step_is_a_quarter_of_min_or_a_thousandth),
		cmocka_unit_test(reductions_are_a_half_and_then_a_quarter),
		cmocka_unit_test(all_marks_lie_below_the_limit),
		cmocka_unit_test(exactly_at_the_mark_fails),
		cmocka_unit_test(charges_of_threads_together_stop_at_the_mark),
		cmocka_unit_test(without_a_limit_everything_is_granted_and_counted),
		cmocka_unit_test(a_bad_limit_is_one_line_and_no_limit),
		cmocka_unit_test(mem_rlimit_is_the_smaller_of_the_two),
		cmocka_unit_test(mem_cgroup_takes_the_least_up_the_tree),
	};

	return cmocka_run_group_tests_name("watermark", tests, NULL, NULL);
}

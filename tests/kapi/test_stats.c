// SPDX-License-Identifier: MIT
/* Statistics of caches: counts follow what is allocated, and agree with the table. 4.1 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <kmalloc/kmalloc.h>
#include <kmalloc/stats.h>

static struct kmalloc_cache_stats stats_of(const char *name)
{
	struct kmalloc_cache_stats st;

	assert_int_equal(kmalloc_cache_get_stats(name, &st), 0);
	assert_string_equal(st.name, name);
	assert_true(st.active_objs <= st.num_objs);
	assert_true(st.sheaf_objs <= st.active_objs);
	assert_int_equal(st.num_objs, st.nr_slabs * st.objects_per_slab);
	assert_int_equal(st.slab_bytes,
			 st.nr_slabs * st.pages_per_slab * (size_t)sysconf(_SC_PAGESIZE));
	assert_true(st.size >= st.object_size);
	return st;
}

static int count(const struct kmalloc_cache_stats *st, void *arg)
{
	assert_true(st->name[0] && st->size && st->objects_per_slab && st->pages_per_slab);
	++*(unsigned int *)arg;
	return 0;
}

/* First of all tests: nothing was allocated before. */
static void a_program_that_allocated_nothing_sees_the_caches(void **state)
{
	unsigned int n = 0;

	(void)state;
	assert_int_equal(kmalloc_for_each_cache(count, &n), 0);
	assert_true(n >= 12);
}

static int stop_at_third(const struct kmalloc_cache_stats *st, void *arg)
{
	(void)st;
	return ++*(int *)arg == 3 ? 42 : 0;
}

static void the_walk_ends_where_it_is_told_to(void **state)
{
	int n = 0;

	(void)state;
	assert_int_equal(kmalloc_for_each_cache(stop_at_third, &n), 42);
	assert_int_equal(n, 3);
}

static void a_cache_that_is_not_there_is_enoent(void **state)
{
	struct kmalloc_cache_stats st, before;

	(void)state;
	memset(&st, 0x55, sizeof(st));
	before = st;
	assert_int_equal(kmalloc_cache_get_stats("no-such-cache", &st), -ENOENT);
	assert_int_equal(kmalloc_cache_get_stats("", &st), -ENOENT);
	assert_memory_equal(&st, &before, sizeof(st));
}

static unsigned long in_use(const char *name)
{
	struct kmalloc_cache_stats st = stats_of(name);

	return st.active_objs - st.sheaf_objs;
}

static void objects_in_use_are_counted_exactly(void **state)
{
	static const struct {
		const char *name;
		size_t size;
	} caches[] = { { "kmalloc-64", 60 }, { "kmalloc-1k", 1024 }, { "kmalloc-32k", 32768 } };
	static void *p[1000];
	unsigned int c, i;

	(void)state;
	for (c = 0; c < 3; c++) {
		unsigned int n = caches[c].size > 10000 ? 50 : 1000;
		unsigned long before = in_use(caches[c].name);

		for (i = 0; i < n; i++)
			p[i] = kmalloc(caches[c].size, GFP_KERNEL);
		assert_int_equal(in_use(caches[c].name), before + n);
		assert_int_equal(stats_of(caches[c].name).object_size, ksize(p[0]));
		for (i = 0; i < n; i++)
			kfree(p[i]);
		assert_int_equal(in_use(caches[c].name), before);
		assert_true(stats_of(caches[c].name).sheaf_objs > 0);
	}
}

struct table {
	char text[1 << 16];
};

static int is_in_table(const struct kmalloc_cache_stats *st, void *arg)
{
	struct table *t = arg;
	unsigned long active, num, slabs;
	unsigned int size, per_slab, pages;
	char key[80], *line;

	snprintf(key, sizeof(key), "\n%s ", st->name);
	line = strstr(t->text, key);
	assert_non_null(line);
	assert_int_equal(sscanf(line + strlen(key), "%lu %lu %u %u %u : tunables %*u %*u %*u "
				": slabdata %*u %lu", &active, &num, &size, &per_slab, &pages,
				&slabs), 6);
	assert_int_equal(num, st->num_objs);
	assert_int_equal(active, st->active_objs);
	assert_int_equal(size, st->size);
	assert_int_equal(per_slab, st->objects_per_slab);
	assert_int_equal(pages, st->pages_per_slab);
	assert_int_equal(slabs, st->nr_slabs);
	return 0;
}

static void the_table_has_the_same_numbers(void **state)
{
	static struct table t;
	void *p = kmalloc(200, GFP_KERNEL);
	FILE *f = tmpfile();

	(void)state;
	assert_non_null(f);
	assert_int_equal(kmalloc_write_slabinfo(fileno(f)), 0);
	rewind(f);
	t.text[fread(t.text, 1, sizeof(t.text) - 1, f)] = '\0';
	fclose(f);
	assert_ptr_equal(strstr(t.text, "slabinfo - version: 2.1\n# name "), t.text);
	assert_int_equal(kmalloc_for_each_cache(is_in_table, &t), 0);
	kfree(p);
}

static void a_table_that_cannot_be_written_is_eio(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(kmalloc_write_slabinfo(-1), -EIO);
	if (fd >= 0)
		assert_int_equal(kmalloc_write_slabinfo(fd), -EIO);
	close(fd);
}

static _Atomic int stop;

static void *churn(void *arg)
{
	void *p[200];
	unsigned int i;

	while (!stop) {
		for (i = 0; i < 200; i++)
			p[i] = kmalloc(64, GFP_KERNEL);
		for (i = 0; i < 200; i++)
			kfree(p[i]);
	}
	return arg;
}

static void counts_stay_sane_while_threads_allocate(void **state)
{
	pthread_t thread[2];
	unsigned int i;

	(void)state;
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, churn, NULL), 0);
	for (i = 0; i < 2000; i++)
		stats_of("kmalloc-64");
	stop = 1;
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_that_allocated_nothing_sees_the_caches),
		cmocka_unit_test(the_walk_ends_where_it_is_told_to),
		cmocka_unit_test(a_cache_that_is_not_there_is_enoent),
		cmocka_unit_test(objects_in_use_are_counted_exactly),
		cmocka_unit_test(the_table_has_the_same_numbers),
		cmocka_unit_test(a_table_that_cannot_be_written_is_eio),
		cmocka_unit_test(counts_stay_sane_while_threads_allocate),
	};

	return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}

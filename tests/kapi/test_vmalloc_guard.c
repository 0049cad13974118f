// SPDX-License-Identifier: MIT
/*
 * vmalloc_guard=1: property 14 of kernel-semantics.md 13.7, and its 7.6. The program runs itself
 * with the option set.
 */
#include "vmalloc_test.h"

#include <sys/mman.h>

static size_t page;

static size_t lazy_limit(void)
{
	cpu_set_t cpus;
	unsigned int n, bits = 0;

	assert_int_equal(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
	for (n = (unsigned int)CPU_COUNT(&cpus); n; n >>= 1)
		bits++;
	return bits * 32 * MIB;
}

static char *victim;

static void read_victim(void)
{
	(void)*(volatile char *)victim;
}

static void write_victim(void)
{
	*(volatile char *)victim = 1;
}

static bool faults(void (*access)(void), char *p)
{
	int status;

	victim = p;
	status = in_child(access);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

static void the_byte_behind_the_last_page_faults(void **state)
{
	static const size_t sizes[] = { 1, 4096, 60 * KIB, 64 * KIB, 300 * KIB, 5 * MIB };
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *p = i % 2 ? vzalloc(sizes[i]) : vmalloc(sizes[i]), *end;

		assert_non_null(p);
		end = p + get_vm_area_size(find_vm_area(p));
		memset(p, 1, (size_t)(end - p));
		assert_false(faults(write_victim, end - 1));
		assert_true(faults(write_victim, end));
		assert_true(faults(read_victim, end));
		vfree(p);
	}
}

static void a_freed_area_faults(void **state)
{
	char *p = vmalloc(300 * KIB);

	(void)state;
	memset(p, 1, 300 * KIB);
	vfree(p);
	assert_true(faults(read_victim, p));
	assert_true(faults(write_victim, p + 200 * KIB));
}

/* No address comes back before more than the limit was freed; then all may. */
static void a_freed_address_is_not_reused_before_the_purge(void **state)
{
	size_t size = MIB - 64 * KIB, sum = 0, step;
	char *first = vmalloc(size), *p;

	(void)state;
	vm_unmap_aliases();
	step = MIB;
	vfree(first);
	for (sum = step; sum + step <= lazy_limit(); sum += step) {
		p = vmalloc(size);
		assert_non_null(p);
		if (p == first)
			fail_msg("reused after %zu of %zu bytes", sum, lazy_limit());
		vfree(p);
	}
}

static void vm_unmap_aliases_purges_at_once(void **state)
{
	unsigned char in_core;
	char *p;

	(void)state;
	vm_unmap_aliases();
	p = vmalloc(700 * KIB);
	vfree(p);
	assert_int_equal(mincore(p, page, &in_core), 0);	/* mapped, without access */
	vm_unmap_aliases();
	assert_int_equal(mincore(p, page, &in_core), -1);
}

static size_t resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long size = 0, rss = 0;

	assert_int_equal(fscanf(f, "%lu %lu", &size, &rss), 2);
	fclose(f);
	return rss * page;
}

static void the_memory_of_freed_areas_is_given_back_at_once(void **state)
{
	char *p = vmalloc(20 * MIB);
	size_t before;

	(void)state;
	memset(p, 1, 20 * MIB);
	before = resident();
	vfree(p);
	assert_true(before - resident() >= 19 * MIB);
}

static void realloc_and_zeroing_work_with_guards(void **state)
{
	char *p = vzalloc(1000);
	size_t size = 1000;

	(void)state;
	for (; size < 4 * MIB; size *= 3) {
		assert_true(all_bytes(p, 0, size));
		p = vrealloc(p, size * 3, GFP_KERNEL | __GFP_ZERO);
		assert_non_null(p);
	}
	assert_true(faults(write_victim, p + get_vm_area_size(find_vm_area(p))));
	vfree(p);
}

static void kvmalloc_blocks_above_kmalloc_have_a_guard_too(void **state)
{
	char *p = kvmalloc(8000 * KIB, GFP_KERNEL);

	(void)state;
	assert_non_null(p);
	memset(p, 1, 8000 * KIB);
	assert_true(faults(write_victim, p + 8000 * KIB));
	kvfree(p);
	assert_true(faults(write_victim, p));
}

static void freed_twice(void)
{
	char *p = vmalloc(300 * KIB);

	vfree(p);
	vfree(opaque(p));
}

static void a_double_free_is_named(void **state)
{
	(void)state;
	assert_int_equal(in_child(freed_twice), 0);
	assert_int_equal(lines_with("nonexistent vm area"), 1);
}

static void thousands_of_areas_fit_into_the_mapping_budget(void **state)
{
	enum { NR = 20000 };
	static void *p[NR];
	unsigned int i;

	(void)state;
	for (i = 0; i < NR; i++) {
		p[i] = vmalloc(100);
		assert_non_null(p[i]);
		*(volatile char *)p[i] = 1;
	}
	for (i = 0; i < NR; i++)
		vfree(p[i]);
}

static unsigned int nr_mappings(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned int n = 0;
	int c;

	assert_non_null(f);
	while ((c = fgetc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

static void blocks_of_all_sizes_for_ever_leave_no_mappings(void **state)
{
	unsigned int i, before, x = 1;

	(void)state;
	vm_unmap_aliases();
	before = nr_mappings();
	for (i = 0; i < 2000; i++) {
		x = x * 1103515245 + 12345;
		vfree(vmalloc(100 * KIB + (x >> 8) % (9 * MIB)));
	}
	vm_unmap_aliases();
	assert_in_range(nr_mappings(), 1, before + 50);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_byte_behind_the_last_page_faults),
		cmocka_unit_test(a_freed_area_faults),
		cmocka_unit_test(a_freed_address_is_not_reused_before_the_purge),
		cmocka_unit_test(vm_unmap_aliases_purges_at_once),
		cmocka_unit_test(the_memory_of_freed_areas_is_given_back_at_once),
		cmocka_unit_test(realloc_and_zeroing_work_with_guards),
		cmocka_unit_test(kvmalloc_blocks_above_kmalloc_have_a_guard_too),
		cmocka_unit_test(a_double_free_is_named),
		cmocka_unit_test(blocks_of_all_sizes_for_ever_leave_no_mappings),
		cmocka_unit_test(thousands_of_areas_fit_into_the_mapping_budget),
	};

	(void)argc;
	page = (size_t)sysconf(_SC_PAGESIZE);
	if (!getenv("KMALLOC_OPTIONS")) {
		setenv("KMALLOC_OPTIONS", "vmalloc_guard=1", 1);
		execv("/proc/self/exe", argv);
		return 1;
	}
	return cmocka_run_group_tests_name("vmalloc_guard", tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
/* vmap() through the public header: kernel-semantics.md 7.1. Pages are those of vmalloc areas. */
#include "vmalloc_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#define NR	24

static size_t page;
static char *area[NR];		/* one page of each, and what lies around it */
static char *at[NR];
static struct page *pages[NR];

static int scattered_pages(void **state)
{
	unsigned int i;

	(void)state;
	page = (size_t)sysconf(_SC_PAGESIZE);
	for (i = 0; i < NR; i++) {
		area[i] = vmalloc(5 * page);
		if (!area[i])
			return -1;
		memset(area[i], 0x80 + (int)i, 5 * page);
		at[i] = area[i] + (i % 5) * page;
		memset(at[i], (int)i + 1, page);
		pages[i] = vmalloc_to_page(at[i]);
	}
	return 0;
}

/* What lies around the pages is as it was. */
static int free_pages_of_test(void **state)
{
	unsigned int i;
	size_t k;

	(void)state;
	for (i = 0; i < NR; i++) {
		for (k = 0; k < 5; k++)
			if (k != i % 5 &&
			    !all_bytes(area[i] + k * page, (unsigned char)(0x80 + i), page))
				return -1;
		vfree(area[i]);
	}
	return 0;
}

static void assert_writes_are_seen_both_ways(char *map, char *const *place, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		map[i * page + 7] = (char)(i ^ 0x55);
		assert_int_equal((unsigned char)place[i][7], i ^ 0x55);
		place[i][page - 1] = (char)(i ^ 0x33);
		assert_int_equal((unsigned char)map[i * page + page - 1], i ^ 0x33);
	}
}

static void scattered_pages_are_contiguous_with_their_content(void **state)
{
	char *p = vmap(pages, NR, VM_MAP, PAGE_KERNEL);
	struct vm_struct *vm = find_vm_area(p);
	unsigned int i;

	(void)state;
	assert_non_null(p);
	for (i = 0; i < NR; i++)
		assert_true(all_bytes(p + i * page, (unsigned char)(i + 1), page));
	assert_true(vm->flags & VM_MAP);
	assert_int_equal(vm->nr_pages, NR);
	assert_ptr_equal(vm->pages[3], pages[3]);
	assert_true(is_vmalloc_addr(p + NR * page - 1));
	assert_ptr_equal(vmalloc_to_page(p + 5 * page + 1), pages[5]);
	assert_int_equal(vmalloc_to_pfn(p + 5 * page), (uintptr_t)at[5] / page);
	vunmap(p);
	assert_null(find_vm_area(p));
}

static void writes_are_seen_both_ways_until_vunmap_and_stay(void **state)
{
	char *p = vmap(pages, NR, VM_MAP, PAGE_KERNEL);
	unsigned int i;

	(void)state;
	assert_writes_are_seen_both_ways(p, at, NR);
	vunmap(p);
	for (i = 0; i < NR; i++) {
		assert_int_equal((unsigned char)at[i][7], i ^ 0x55);
		assert_int_equal((unsigned char)at[i][page - 1], i ^ 0x33);
		at[i][0] = 1;
	}
	vunmap(NULL);
}

static void contiguous_pages_and_pages_in_reverse_order_can_be_mapped(void **state)
{
	char *block = vmalloc(16 * page), *place[16], *p;
	struct page *list[16];
	unsigned int i, reverse;

	(void)state;
	for (reverse = 0; reverse < 2; reverse++) {
		for (i = 0; i < 16; i++) {
			place[i] = block + (reverse ? 15 - i : i) * page;
			memset(place[i], (int)i, page);
			list[i] = vmalloc_to_page(place[i]);
		}
		p = vmap(list, 16, VM_MAP, PAGE_KERNEL);
		assert_non_null(p);
		for (i = 0; i < 16; i++)
			assert_true(all_bytes(p + i * page, (unsigned char)i, page));
		assert_writes_are_seen_both_ways(p, place, 16);
		vunmap(p);
	}
	vfree(block);
}

static void one_page_can_be_in_a_map_twice_and_in_two_maps(void **state)
{
	struct page *twice[4] = { pages[0], pages[1], pages[0], pages[0] };
	char *p = vmap(twice, 4, VM_MAP, PAGE_KERNEL), *q, *r;

	(void)state;
	assert_non_null(p);
	p[0] = 42;
	assert_int_equal(p[2 * page], 42);
	assert_int_equal(p[3 * page], 42);
	assert_int_equal(at[0][0], 42);
	q = vmap(pages, NR, VM_MAP, PAGE_KERNEL);
	assert_non_null(q);
	assert_int_equal(q[0], 42);
	r = vmap(pages, 2, VM_MAP, PAGE_KERNEL);
	assert_non_null(r);
	p[page] = 43;
	assert_int_equal(q[page], 43);
	assert_int_equal(r[page], 43);
	vunmap(p);
	/* the others hold on to what p shared first */
	at[0][1] = 44;
	assert_int_equal(q[1], 44);
	assert_int_equal(r[1], 44);
	vunmap(q);
	r[1] = 45;
	assert_int_equal(at[0][1], 45);
	vunmap(r);
	assert_int_equal(at[0][1], 45);
	assert_int_equal(at[0][0], 42);
	assert_int_equal(at[1][0], 43);
}

static void write_to_read_only(void)
{
	char *p = vmap(pages, NR, VM_MAP, PAGE_KERNEL_RO);

	CHECK(p && p[0] == 1);
	at[0][0] = 9;
	CHECK(p[0] == 9);
	p[0] = 1;
}

static void a_read_only_map_faults_when_written(void **state)
{
	int status = in_child(write_to_read_only);

	(void)state;
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	assert_string_equal(child_text, "");
}

static void wrong_calls(void)
{
	char *p = vmalloc(100), *q;

	vunmap(opaque(p + 4096));
	vunmap(opaque(p));			/* no vmap() area: stays */
	CHECK(find_vm_area(p));
	CHECK(!vmap(pages, 0, VM_MAP, PAGE_KERNEL));
	CHECK(!vmap(NULL, 3, VM_MAP, PAGE_KERNEL));
	CHECK(!vmap(pages, 0xffffffffu, VM_MAP, PAGE_KERNEL));
	q = vmap(pages, 3, VM_MAP | VM_NO_GUARD, PAGE_KERNEL);
	CHECK(q && !(find_vm_area(q)->flags & VM_NO_GUARD));
	vunmap(q);
	vunmap(opaque(q));
}

static void wrong_calls_are_named_and_do_nothing(void **state)
{
	(void)state;
	assert_int_equal(in_child(wrong_calls), 0);
	assert_int_equal(lines_with("Trying to vunmap() nonexistent vm area"), 3);
	assert_int_equal(lines_with("VM_NO_GUARD"), 1);
	assert_int_equal(lines_with("\n"), 4);
}

static void vfree_of_a_map_undoes_it(void **state)
{
	char *p = vmap(pages, NR, VM_MAP, PAGE_KERNEL), *q = vmap(pages, 3, VM_MAP, PAGE_KERNEL);

	(void)state;
	p[0] = 77;
	vfree(p);
	vfree_atomic(q);
	assert_null(find_vm_area(p));
	assert_int_equal(at[0][0], 77);
}

static void maps_come_and_go_without_leaving_mappings_behind(void **state)
{
	unsigned int i, lines[2] = { 0, 0 };

	(void)state;
	for (i = 0; i < 600; i++) {
		char *p = vmap(pages, NR, VM_MAP, PAGE_KERNEL);

		assert_non_null(p);
		p[i % page] = (char)i;
		assert_int_equal((unsigned char)at[0][i % page], (unsigned char)i);
		vunmap(p);
		if (i == 10 || i == 599) {
			FILE *f = fopen("/proc/self/maps", "r");
			int c;

			while ((c = getc(f)) != EOF)
				lines[i == 599] += c == '\n';
			fclose(f);
		}
	}
	assert_true(lines[1] <= lines[0] + 4);
}

/* vm_map_ram_test of 13.2 */
static void vm_map_ram_test(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		unsigned int n = 1 + (unsigned int)random_below(NR);
		char *p = vm_map_ram(pages, n, -1);

		assert_non_null(p);
		assert_writes_are_seen_both_ways(p, at, n);
		vm_unmap_ram(p, n);
		assert_null(find_vm_area(p));
	}
}

static void unmap_wrong_count(void)
{
	char *p = vm_map_ram(pages, 4, -1);

	vm_unmap_ram(p, 3);
}

static void vm_unmap_ram_with_another_count_is_a_bug(void **state)
{
	int status = in_child(unmap_wrong_count);

	(void)state;
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_int_equal(lines_with("vm_unmap_ram"), 1);
}

static void child_of_a_fork(void)
{
	CHECK(at[0][0] == 50);
	at[0][0] = 51;
}

/* What the manual page says of fork. */
static void a_fork_child_shares_the_pages_until_vunmap(void **state)
{
	char *p = vmap(pages, 1, VM_MAP, PAGE_KERNEL);

	(void)state;
	p[0] = 50;
	assert_int_equal(in_child(child_of_a_fork), 0);
	assert_int_equal(p[0], 51);
	vunmap(p);
	at[0][0] = 50;
	assert_int_equal(in_child(child_of_a_fork), 0);
	assert_int_equal(at[0][0], 50);
}

static atomic_bool stop;

static void *map_and_unmap(void *arg)
{
	void *p;

	while (!atomic_load(&stop)) {
		p = vmap(pages, NR - 2, VM_MAP, PAGE_KERNEL);
		if (!p)
			return arg;
		vunmap(p);
	}
	return NULL;
}

static void child_maps(void)
{
	char *p;

	alarm(20);
	p = vmap(pages + NR - 2, 2, VM_MAP, PAGE_KERNEL);
	CHECK(p && p[0] == NR - 1 && p[page] == NR);
	vunmap(p);
	CHECK(!find_vm_area(p));
}

/* fork waits until no other thread is in the middle of an exchange of mappings. */
static void a_child_forked_while_another_thread_maps_can_map(void **state)
{
	pthread_t thread;
	unsigned int i;
	void *ret;

	(void)state;
	atomic_store(&stop, false);
	assert_int_equal(pthread_create(&thread, NULL, map_and_unmap, &stop), 0);
	for (i = 0; i < 30; i++) {
		assert_int_equal(in_child(child_maps), 0);
		assert_int_equal(lines_with("vmap"), 0);
	}
	atomic_store(&stop, true);
	pthread_join(thread, &ret);
	assert_null(ret);
}

static void refuse_memfd(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_memfd_create, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = 4, .filter = code };
	unsigned int i;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0))
		_exit(77);
	CHECK(!vmap(pages, NR, VM_MAP, PAGE_KERNEL));
	CHECK(errno == ENOMEM);
	for (i = 0; i < NR; i++)
		CHECK(all_bytes(at[i] + 8, (unsigned char)(i + 1), page - 16));
}

static void without_memfd_vmap_is_null_with_one_line(void **state)
{
	int status = in_child(refuse_memfd);

	(void)state;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
	assert_int_equal(lines_with("\n"), 1);
	assert_int_equal(lines_with("vmap: 24 pages"), 1);
}

/* ---- threads ---- */

static void *map_own_pages(void *arg)
{
	unsigned int first = (unsigned int)(uintptr_t)arg * 6, round;

	for (round = 0; round < 150; round++) {
		char *p = vmap(pages + first, 6, VM_MAP, PAGE_KERNEL), *q;

		if (!p)
			return pages;
		p[page + 1] = (char)round;
		q = vmalloc((1 + round % 9) * 50 * KIB);
		if (!q || (unsigned char)at[first + 1][1] != round % 256)
			return pages;
		q[0] = 1;
		vfree(q);
		vunmap(p);
		if ((unsigned char)at[first + 1][1] != round % 256)
			return pages;
	}
	return NULL;
}

static void threads_map_and_free_at_once(void **state)
{
	pthread_t threads[4];
	unsigned int i, failed = 0;
	void *ret;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, map_own_pages,
						(void *)(uintptr_t)i), 0);
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], &ret);
		failed += ret != NULL;
	}
	assert_int_equal(failed, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, scattered_pages, free_pages_of_test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(scattered_pages_are_contiguous_with_their_content),
		T(writes_are_seen_both_ways_until_vunmap_and_stay),
		T(contiguous_pages_and_pages_in_reverse_order_can_be_mapped),
		T(one_page_can_be_in_a_map_twice_and_in_two_maps),
		T(a_read_only_map_faults_when_written),
		T(wrong_calls_are_named_and_do_nothing),
		T(vfree_of_a_map_undoes_it),
		T(maps_come_and_go_without_leaving_mappings_behind),
		T(vm_map_ram_test),
		T(vm_unmap_ram_with_another_count_is_a_bug),
		T(a_fork_child_shares_the_pages_until_vunmap),
		T(a_child_forked_while_another_thread_maps_can_map),
		T(threads_map_and_free_at_once),
		T(without_memfd_vmap_is_null_with_one_line),
	};

	return cmocka_run_group_tests_name("vmap", tests, NULL, NULL);
}

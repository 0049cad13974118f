// SPDX-License-Identifier: MIT
/* The address space as mm_snapshot() shows it, against /proc, the linker's symbols, and mmap. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <kmalloc/kmalloc.h>
#include <kmalloc/mm_types.h>

extern char etext, edata;

static unsigned long page;

static struct mm_struct *snapshot(void)
{
	struct mm_struct *mm = mm_snapshot();

	assert_non_null(mm);
	return mm;
}

static void *map(size_t pages, int prot, int flags)
{
	void *p = mmap(NULL, pages * page, prot, flags | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
}

/* Field nr of /proc/self/stat, as proc(5) counts. */
static unsigned long stat_field(unsigned int nr)
{
	char text[2048], *p;
	FILE *f = fopen("/proc/self/stat", "re");
	unsigned int i;

	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	p = strrchr(text, ')') + 2;
	for (i = 3; i < nr; i++)
		p = strchr(p, ' ') + 1;
	return strtoul(p, NULL, 10);
}

static void fields_are_those_of_proc_stat(void **state)
{
	struct mm_struct *mm = snapshot();

	(void)state;
	assert_int_equal(mm->start_code, stat_field(26));
	assert_int_equal(mm->end_code, stat_field(27));
	assert_int_equal(mm->start_stack, stat_field(28));
	assert_int_equal(mm->start_data, stat_field(45));
	assert_int_equal(mm->end_data, stat_field(46));
	assert_int_equal(mm->start_brk, stat_field(47));
	assert_int_equal(mm->arg_start, stat_field(48));
	assert_int_equal(mm->arg_end, stat_field(49));
	assert_int_equal(mm->env_start, stat_field(50));
	assert_int_equal(mm->env_end, stat_field(51));
	assert_int_equal(mm->brk, sbrk(0));
	mmput(mm);
}

static int initialised = 1;

static void code_data_stack_and_environment_lie_where_the_linker_says(void **state)
{
	struct mm_struct *mm = snapshot();
	struct vm_area_struct *vma;
	int local = 0;

	(void)state;
	assert_true(mm->start_code <= (uintptr_t)snapshot && (uintptr_t)snapshot < mm->end_code);
	assert_true((uintptr_t)&etext <= mm->end_code);
	assert_true(mm->start_data <= (uintptr_t)&initialised &&
		    (uintptr_t)&initialised < mm->end_data);
	assert_true((uintptr_t)&edata <= mm->end_data);
	assert_true((uintptr_t)&local < mm->start_stack);
	assert_true(mm->env_start <= (uintptr_t)environ[0] && (uintptr_t)environ[0] < mm->env_end);
	assert_true(mm->arg_start < mm->arg_end && mm->arg_end <= mm->env_start);
	assert_true(mm->start_brk <= mm->brk);
	vma = vma_lookup(mm, (uintptr_t)&local);
	assert_non_null(vma);
	assert_string_equal(vma->vm_name, "[stack]");
	assert_true(vma->vm_flags & VM_GROWSDOWN);
	assert_ptr_equal(vma_lookup(mm, mm->start_stack), vma);
	assert_true(vma->vm_end <= mm->task_size);
	assert_true(mm->mmap_base <= vma->vm_start && mm->mmap_base > mm->brk);
	vma = vma_lookup(mm, (uintptr_t)snapshot);
	assert_int_equal(vma->vm_flags & (VM_READ | VM_WRITE | VM_EXEC | VM_SHARED),
			 VM_READ | VM_EXEC);
	assert_non_null(vma->vm_file);
	assert_non_null(strstr(vma->vm_file, "test_mm_struct"));
	assert_true(vma->vm_ino != 0);
	mmput(mm);
}

static void total_vm_is_the_size_in_statm(void **state)
{
	struct mm_struct *mm = snapshot();
	struct vm_area_struct *vma;
	unsigned long size, pages = 0;
	FILE *f;

	(void)state;
	mmput(mm);	/* of its own mappings */
	f = fopen("/proc/self/statm", "re");
	assert_int_equal(fscanf(f, "%lu", &size), 1);
	fclose(f);
	mm = snapshot();
	KMALLOC_FOR_EACH_VMA(mm, vma)
		pages += vma_pages(vma);
	assert_int_equal(pages, mm->total_vm);
	/* the text of the snapshot itself: 128 KiB */
	assert_int_equal(mm->total_vm, size + (128ul << 10) / page);
	assert_true(mm->hiwater_vm >= mm->total_vm && mm->hiwater_rss >= mm->rss);
	assert_true(mm->exec_vm && mm->data_vm && mm->stack_vm);
	assert_true(mm->exec_vm + mm->data_vm < mm->total_vm);
	assert_int_equal(mm->locked_vm, 0);
	mmput(mm);
}

static void map_count_is_the_number_of_lines_in_maps(void **state)
{
	struct mm_struct *mm;
	unsigned int lines = 0;
	char line[4200];
	FILE *f = fopen("/proc/self/maps", "re");

	(void)state;
	setvbuf(f, NULL, _IOFBF, 1 << 16);
	while (fgets(line, sizeof(line), f))
		lines += !strstr(line, "[vsyscall]");
	mm = snapshot();
	/* the text may be a mapping more */
	assert_in_range(mm->map_count, lines, lines + 1);
	assert_true(mm->nr_areas >= mm->map_count);
	fclose(f);
	mmput(mm);
}

static void areas_are_in_order_and_find_vma_finds_them_at_every_boundary(void **state)
{
	struct mm_struct *mm = snapshot();
	struct vm_area_struct *vma, *last = NULL;
	unsigned int n = 0;

	(void)state;
	KMALLOC_FOR_EACH_VMA(mm, vma) {
		n++;
		assert_ptr_equal(vma->vm_mm, mm);
		assert_true(vma->vm_start < vma->vm_end);
		assert_true(!last || last->vm_end <= vma->vm_start);
		assert_ptr_equal(find_vma(mm, vma->vm_start), vma);
		assert_ptr_equal(find_vma(mm, vma->vm_end - 1), vma);
		assert_ptr_equal(find_vma(mm, vma->vm_end), vma->vm_next);
		assert_ptr_equal(vma_lookup(mm, vma->vm_start), vma);
		assert_ptr_equal(vma_lookup(mm, vma->vm_end - 1), vma);
		if (!last || last->vm_end < vma->vm_start) {
			assert_ptr_equal(find_vma(mm, vma->vm_start - 1), vma);
			assert_null(vma_lookup(mm, vma->vm_start - 1));
			assert_null(find_vma_intersection(mm, vma->vm_start - 1, vma->vm_start));
		}
		assert_ptr_equal(find_vma_intersection(mm, vma->vm_start, vma->vm_start + 1), vma);
		assert_ptr_equal(find_vma_intersection(mm, vma->vm_end - 1, ~0ul), vma);
		last = vma;
	}
	assert_int_equal(n, mm->nr_areas);
	assert_ptr_equal(find_vma(mm, 0), mm->mmap);
	assert_null(find_vma(mm, ~0ul));
	mmput(mm);
	mmput(NULL);
}

static void a_fresh_mapping_appears_with_its_flags(void **state)
{
	static const struct {
		int prot, flags;
		unsigned long vm_flags;
	} cases[] = {
		{ PROT_READ, MAP_PRIVATE, VM_READ },
		{ PROT_NONE, MAP_PRIVATE, 0 },
		{ PROT_READ | PROT_WRITE, MAP_PRIVATE, VM_READ | VM_WRITE },
		{ PROT_READ | PROT_EXEC, MAP_PRIVATE, VM_READ | VM_EXEC },
		{ PROT_READ | PROT_WRITE, MAP_SHARED, VM_READ | VM_WRITE | VM_SHARED },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		/* far from all others: nothing else is mapped there once it is unmapped */
		char *p = mmap((void *)(1ul << 44), 5 * page, PROT_NONE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		struct vm_area_struct *vma;
		struct mm_struct *mm;

		assert_ptr_equal(mmap(p + page, 3 * page, cases[i].prot,
				      cases[i].flags | MAP_ANONYMOUS | MAP_FIXED, -1, 0), p + page);
		mm = snapshot();
		vma = vma_lookup(mm, (uintptr_t)p + page);
		assert_non_null(vma);
		if (i != 1) {
			assert_int_equal(vma->vm_start, p + page);
			assert_int_equal(vma->vm_end, p + 4 * page);
			assert_int_equal(vma_pages(vma), 3);
		}
		assert_int_equal(vma->vm_flags & 0xf, cases[i].vm_flags);
		mmput(mm);
		munmap(p, 5 * page);
#ifndef __SANITIZE_ADDRESS__	/* its malloc() maps memory there */
		mm = snapshot();
		assert_null(vma_lookup(mm, (uintptr_t)p + page));
		mmput(mm);
#endif
	}
}

static void a_file_mapping_has_name_offset_and_inode(void **state)
{
	char name[] = "/tmp/test mm_structXXXXXX";
	int fd = mkstemp(name);
	struct vm_area_struct *vma;
	struct mm_struct *mm;
	void *p;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)(4 * page)), 0);
	p = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, (off_t)(3 * page));
	assert_ptr_not_equal(p, MAP_FAILED);
	mm = snapshot();
	vma = vma_lookup(mm, (uintptr_t)p);
	assert_string_equal(vma->vm_file, name);
	assert_null(vma->vm_name);
	assert_int_equal(vma->vm_pgoff, 3);
	assert_true(vma->vm_ino != 0);
	mmput(mm);
	munmap(p, page);
	close(fd);
	unlink(name);
}

static void locked_memory_is_known(void **state)
{
	char *p = map(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	struct mm_struct *mm;

	(void)state;
	/* no sanitizer's mlock(), which does nothing */
	if (syscall(SYS_mlock, p + page, 2 * page))
		skip();
	mm = snapshot();
	assert_int_equal(mm->locked_vm, 2);
	assert_true(vma_lookup(mm, (uintptr_t)p + page)->vm_flags & VM_LOCKED);
	assert_false(vma_lookup(mm, (uintptr_t)p + 3 * page)->vm_flags & VM_LOCKED);
	mmput(mm);
	syscall(SYS_munlock, p + page, 2 * page);
	munmap(p, 4 * page);
}

/* ---- what is ours ---- */

static void a_large_block_of_ours_appears(void **state)
{
	size_t size = 3000000;
	char *p = vmalloc(size);
	struct vm_area_struct *vma;
	struct mm_struct *mm;

	(void)state;
	assert_non_null(p);
	mm = snapshot();
	vma = vma_lookup(mm, (uintptr_t)p + size / 2);
	assert_non_null(vma);
	assert_int_equal(vma->vm_kind, KMALLOC_VMA_VMALLOC);
	assert_int_equal(vma->vm_start, p);
	assert_true(vma->vm_size >= size && vma->vm_size < size + page);
	assert_true(vma->vm_end - vma->vm_start >= vma->vm_size);
	mmput(mm);
	vfree(p);
	mm = snapshot();
	vma = vma_lookup(mm, (uintptr_t)p);
	assert_true(!vma || vma->vm_kind != KMALLOC_VMA_VMALLOC);
	mmput(mm);
}

static void each_of_many_large_blocks_is_an_area(void **state)
{
	static char *p[200];
	struct mm_struct *mm;
	unsigned int i;

	(void)state;
	for (i = 0; i < 200; i++)
		assert_non_null(p[i] = vmalloc(150000 + 1000 * i));
	mm = snapshot();
	for (i = 0; i < 200; i++) {
		struct vm_area_struct *vma = vma_lookup(mm, (uintptr_t)p[i]);

		assert_int_equal(vma->vm_kind, KMALLOC_VMA_VMALLOC);
		assert_int_equal(vma->vm_start, p[i]);
		assert_true(vma->vm_size >= 150000 + 1000 * i);
	}
	assert_true(mm->nr_areas > mm->map_count);
	mmput(mm);
	for (i = 0; i < 200; i++)
		vfree(p[i]);
}

static void small_objects_lie_in_the_direct_map_and_records_are_known(void **state)
{
	char *p = kmalloc(100, GFP_KERNEL), *q = kmalloc(100000, GFP_KERNEL);
	struct mm_struct *mm = snapshot();
	struct vm_area_struct *vma;
	unsigned int records = 0;
	int local;

	(void)state;
	assert_int_equal(vma_lookup(mm, (uintptr_t)p)->vm_kind, KMALLOC_VMA_DIRECT_MAP);
	assert_int_equal(vma_lookup(mm, (uintptr_t)q)->vm_kind, KMALLOC_VMA_DIRECT_MAP);
	assert_int_equal(vma_lookup(mm, (uintptr_t)q + 99999)->vm_kind, KMALLOC_VMA_DIRECT_MAP);
	assert_int_equal(vma_lookup(mm, (uintptr_t)&local)->vm_kind, KMALLOC_VMA_OTHER);
	assert_int_equal(vma_lookup(mm, (uintptr_t)&initialised)->vm_kind, KMALLOC_VMA_OTHER);
	KMALLOC_FOR_EACH_VMA(mm, vma)
		records += vma->vm_kind == KMALLOC_VMA_METADATA;
	assert_true(records > 0);
	mmput(mm);
	kfree(p);
	kfree(q);
}

static void a_snapshot_takes_nothing_from_the_heap(void **state)
{
	struct mm_struct *mm = snapshot(), *again;
	unsigned int i;

	(void)state;
	mmput(mm);
	mm = snapshot();
	for (i = 0; i < 20; i++)
		mmput(snapshot());
	again = snapshot();
	/* two snapshots at a time: at most the two mappings of the first one more */
	assert_in_range(again->map_count, mm->map_count, mm->map_count + 2);
	mmput(again);
	mmput(mm);
}

/* ---- many areas, other threads ---- */

static void thousands_of_areas(void **state)
{
	enum { NR = 6000 };
	char *p = map(2 * NR, PROT_NONE, MAP_PRIVATE);
	struct mm_struct *mm;
	unsigned int i;

	(void)state;
	for (i = 0; i < NR; i++)
		assert_int_equal(mprotect(p + (2 * i + 1) * page, page, PROT_READ), 0);
	mm = snapshot();
	assert_true(mm->map_count > 2 * NR - 2);
	for (i = 0; i < NR; i++) {
		struct vm_area_struct *vma = find_vma(mm, (uintptr_t)p + (2 * i + 1) * page);

		assert_int_equal(vma->vm_start, p + (2 * i + 1) * page);
		assert_int_equal(vma->vm_flags & 0xf, VM_READ);
	}
	mmput(mm);
	munmap(p, 2 * NR * page);
}

static _Atomic int stop;

static void *map_and_unmap(void *arg)
{
	(void)arg;
	while (!stop) {
		void *p = map(3, PROT_READ, MAP_PRIVATE), *q = kmalloc(500000, GFP_KERNEL);

		munmap(p, 3 * page);
		kfree(q);
	}
	return NULL;
}

static void while_other_threads_map_and_unmap(void **state)
{
	pthread_t thread[2];
	unsigned int i;

	(void)state;
	stop = 0;
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, map_and_unmap, NULL), 0);
	for (i = 0; i < 100; i++) {
		struct mm_struct *mm = snapshot();
		struct vm_area_struct *vma, *last = NULL;

		KMALLOC_FOR_EACH_VMA(mm, vma) {
			assert_true(vma->vm_start < vma->vm_end);
			assert_true(!last || last->vm_end <= vma->vm_start);
			last = vma;
		}
		assert_non_null(vma_lookup(mm, (uintptr_t)&i));
		assert_non_null(vma_lookup(mm, (uintptr_t)snapshot));
		mmput(mm);
	}
	stop = 1;
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
}

/* In a child that sees an empty directory in the place of /proc. */
static void without_proc_there_is_none(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		if (chroot("/tmp"))
			_exit(77);
		_exit(mm_snapshot() == NULL ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_those_of_proc_stat),
		cmocka_unit_test(code_data_stack_and_environment_lie_where_the_linker_says),
		cmocka_unit_test(total_vm_is_the_size_in_statm),
		cmocka_unit_test(map_count_is_the_number_of_lines_in_maps),
		cmocka_unit_test(areas_are_in_order_and_find_vma_finds_them_at_every_boundary),
		cmocka_unit_test(a_fresh_mapping_appears_with_its_flags),
		cmocka_unit_test(a_file_mapping_has_name_offset_and_inode),
		cmocka_unit_test(locked_memory_is_known),
		cmocka_unit_test(a_large_block_of_ours_appears),
		cmocka_unit_test(each_of_many_large_blocks_is_an_area),
		cmocka_unit_test(small_objects_lie_in_the_direct_map_and_records_are_known),
		cmocka_unit_test(a_snapshot_takes_nothing_from_the_heap),
		cmocka_unit_test(thousands_of_areas),
		cmocka_unit_test(while_other_threads_map_and_unmap),
		cmocka_unit_test(without_proc_there_is_none),
	};

	page = (unsigned long)sysconf(_SC_PAGESIZE);
	return cmocka_run_group_tests_name("mm_struct", tests, NULL, NULL);
}

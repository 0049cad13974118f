/* SPDX-License-Identifier: MIT */
/*
 * free in all its forms keeps errno: for every size, for the last object of a
 * slab, across threads, and where munmap and madvise fail underneath. Trap C31.
 */
#include "../traps/trap.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

enum { MARK = 1234, MANY = 20000 };

static const size_t sizes[] = { 0,     1,     8,      24,      64,	1000,	 4096,
				20000, 65536, 131072, 131073,  500000,	2 << 20, 40 << 20 };
enum { NR_SIZES = sizeof(sizes) / sizeof(sizes[0]) };

static void free_kept(void *p)
{
	errno = MARK;
	free(p);
	CHECK(errno == MARK);
}

static void *touched(size_t n)
{
	char *p = (char *)malloc(n);

	CHECK(p);
	if (n)
		p[0] = p[n / 2] = p[n - 1] = 1;
	return p;
}

/* One of each, then enough of a size that slabs and caches empty. */
static void free_everything(void)
{
	static void *p[MANY];
	unsigned int i, s;

	free_kept(NULL);
	for (s = 0; s < NR_SIZES; s++)
		free_kept(touched(sizes[s]));
	for (s = 0; s < NR_SIZES; s++) {
		unsigned int nr = sizes[s] < 2000 ? MANY : sizes[s] < 200000 ? 300 : 10;

		for (i = 0; i < nr; i++)
			p[i] = touched(sizes[s]);
		for (i = 0; i < nr; i++)
			free_kept(p[i]);
	}
	free_kept(memalign(65536, 300000));
	free_kept(memalign((size_t)1 << 30, 300000));
	free_kept(valloc(1));
}

static void every_size(void)
{
	free_everything();
}

static void realloc_to_zero(void)
{
	unsigned int s;

	for (s = 0; s < NR_SIZES; s++) {
		void *p = touched(sizes[s]);

		errno = MARK;
		CHECK(realloc(p, 0) == NULL && errno == MARK);
	}
}

static void trim_and_usable_size(void)
{
	void *p = touched(100000);

	free(touched(2 << 20));
	errno = MARK;
	CHECK(malloc_usable_size(p) >= 100000 && errno == MARK);
	free_kept(p);
}

static void refuse_memory_calls(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_munmap, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) != 0)
		trap_skip("no seccomp filters here");
	CHECK(munmap((void *)4096, 4096) < 0 && errno == EPERM);
}

static void munmap_and_madvise_fail(void)
{
	refuse_memory_calls();
	free_everything();
}

/* At vm.max_map_count a munmap in the middle of a mapping fails by itself. */
static void no_mapping_left(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), nr = 1000000, i;
	void *p[NR_SIZES], *many[300];
	char *area;

	for (i = 0; i < NR_SIZES; i++)
		p[i] = touched(sizes[i]);
	for (i = 0; i < 300; i++)
		many[i] = touched(140000);
	area = (char *)mmap(NULL, nr * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(area != MAP_FAILED);
	for (i = 0; i < nr; i += 2)
		if (mprotect(area + i * page, page, PROT_READ) != 0)
			break;
	if (i >= nr)
		trap_skip("vm.max_map_count is too high to be reached");
	for (i = 0; i < NR_SIZES; i++)
		free_kept(p[i]);
	for (i = 0; i < 300; i += 2)
		free_kept(many[i]);
	for (i = 1; i < 300; i += 2)
		free_kept(many[i]);
	errno = MARK;
	malloc_trim(0);
	CHECK(munmap(area, nr * page) == 0);
	churn_once(1, 1000);
}

static void locked_pages(void)
{
	if (mlockall(MCL_CURRENT) != 0)
		trap_skip("mlockall is not allowed");
	free_everything();
}

static void purge_always(void)
{
	free_everything();
}

static void *free_here(void *arg)
{
	void **p = (void **)arg;
	unsigned int i;

	for (i = 0; i < MANY; i++)
		free_kept(p[i]);
	return NULL;
}

static void another_threads_blocks(void)
{
	static void *p[MANY];
	unsigned int i;
	pthread_t t;

	for (i = 0; i < MANY; i++)
		p[i] = touched(i % 100 ? i % 3000 : 200000);
	CHECK(pthread_create(&t, NULL, free_here, p) == 0);
	CHECK(pthread_join(t, NULL) == 0);
}

/* Success may not leave traces either, where nothing was refused. */
static void successful_calls(void)
{
	unsigned int s;

	for (s = 0; s < NR_SIZES; s++) {
		void *p;

		errno = MARK;
		p = malloc(sizes[s]);
		CHECK(p && errno == MARK);
		p = realloc(p, sizes[s] + 5000);
		CHECK(p && errno == MARK);
		free(p);
		p = calloc(1, sizes[s]);
		CHECK(p && errno == MARK);
		free(p);
		p = memalign(4096, sizes[s]);
		CHECK(p && errno == MARK);
		free(p);
	}
}

static const struct trap_case cases[] = {
	{ .name = "free of every size keeps errno", .run = every_size },
	{ .name = "realloc to zero keeps errno", .run = realloc_to_zero },
	{ .name = "malloc_usable_size keeps errno", .run = trim_and_usable_size },
	{ .name = "free keeps errno where munmap and madvise fail",
	  .run = munmap_and_madvise_fail },
	{ .name = "free keeps errno where no mapping is left", .run = no_mapping_left },
	{ .name = "free keeps errno on locked pages", .run = locked_pages },
	{ .name = "free keeps errno with purge=always", .run = purge_always,
	  .options = "purge=always" },
	{ .name = "free of another thread's blocks keeps errno", .run = another_threads_blocks },
	{ .name = "calls that succeed keep errno", .run = successful_calls },
};

TRAP_MAIN(cases)

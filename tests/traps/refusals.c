/* SPDX-License-Identifier: MIT */
/*
 * A kernel that says no: limits on address space, data and mappings, system
 * calls refused by a seccomp filter, locked pages, no /proc.
 * Traps C36, C38, C51 to C56, C58, C62, C65.
 */
#include "trap.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

static void lower(int what, size_t to)
{
	struct rlimit rl = { to, to };

	CHECK(setrlimit((__rlimit_resource_t)what, &rl) == 0);
}

/* Blocks of one size until none is left; how many. They hang together in a list. */
static size_t fill_up(void **list, size_t n)
{
	size_t nr = 0;
	void **p;

	*list = NULL;
	for (;;) {
		errno = 0;
		p = (void **)malloc(n);
		if (!p)
			break;
		memset(p, 1, n);
		*p = *list;
		*list = p;
		nr++;
	}
	CHECK(errno == ENOMEM);
	return nr;
}

static void empty_out(void *list)
{
	while (list) {
		void *next = *(void **)list;

		free(list);
		list = next;
	}
}

/* Fills up with small, medium and large blocks in turn; each time all is usable again. */
static void fill_and_go_on(size_t limit)
{
	static const size_t sizes[] = { 64, 1000, 20000, 100000, 1 << 20, 5 << 20, 64 };
	unsigned int i, round;
	void *list;

	for (round = 0; round < (trap_long() ? 10u : 2u); round++)
		for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			size_t got = fill_up(&list, sizes[i]) * sizes[i];

			empty_out(list);
			if (got < limit / 4) {
				trap_note("%zu bytes in blocks of %zu under a limit of %zu\n",
					  got, sizes[i], limit);
				_exit(1);
			}
		}
	churn_once(1, 5000);
}

static void address_space_64m(void)
{
	lower(RLIMIT_AS, 64 << 20);
	fill_and_go_on(64 << 20);
}

/* 16 MiB, of which metadata and other libraries' data take their part. */
static void data_16m(void)
{
	lower(RLIMIT_DATA, 16 << 20);
	fill_and_go_on(8 << 20);
}

/* The limit comes mid-run, when more than it allows is in use. */
static void limit_lowered_mid_run(void)
{
	struct churn c;
	unsigned int i;
	void *p = malloc(200 << 20);

	CHECK(p);
	churn_start(&c, 1);
	churn_steps(&c, 5000);
	lower(RLIMIT_AS, 32 << 20);
	CHECK(malloc(400 << 20) == opaque(NULL) && errno == ENOMEM);
	for (i = 0; i < 5000; i++)
		churn_step_may(&c, true);
	churn_finish(&c);
	free(p);
}

static void *fill_thread(void *arg)
{
	void *list;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		fill_up(&list, (size_t)(uintptr_t)arg);
		empty_out(list);
	}
	return NULL;
}

static void threads_fill_up_together(void)
{
	static const uintptr_t sizes[] = { 100, 3000, 50000, 400000 };
	pthread_t t[4];
	unsigned int i;

	for (i = 0; i < 4; i++)
		CHECK(pthread_create(&t[i], NULL, fill_thread, (void *)sizes[i]) == 0);
	lower(RLIMIT_AS, 400 << 20);
	for (i = 0; i < 4; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	churn_once(1, 2000);
}

/* A failed realloc keeps the block; shrinking never fails. */
static void realloc_at_the_limit(void)
{
	static const size_t sizes[] = { 100, 5000, 100000, 1 << 20, 8 << 20 };
	void *p[5], *list, *rest, *q;
	unsigned int i;

	lower(RLIMIT_AS, 128 << 20);
	for (i = 0; i < 5; i++) {
		p[i] = malloc(sizes[i]);
		CHECK(p[i]);
		block_fill(p[i], sizes[i], i);
	}
	fill_up(&list, 1 << 16);
	fill_up(&rest, 64);
	for (i = 0; i < 5; i++) {
		errno = 0;
		CHECK(realloc(p[i], (size_t)256 << 20) == NULL && errno == ENOMEM);
		CHECK(block_intact(opaque(p[i]), sizes[i], sizes[i], i));
		errno = 0;
		q = realloc(p[i], sizes[i] / 2);
		if (!q)
			trap_note("shrinking %zu to %zu failed\n", sizes[i], sizes[i] / 2);
		CHECK(q);
		CHECK(block_intact(q, sizes[i], sizes[i] / 2, i));
		free(q);
	}
	empty_out(rest);
	empty_out(list);
}

static void forks_at_the_limit(void)
{
	void *list;
	pid_t pid;

	lower(RLIMIT_AS, 64 << 20);
	fill_up(&list, 1000);
	pid = fork();
	if (pid == 0) {
		empty_out(list);
		churn_once(1, 1000);
		_exit(0);
	}
	trap_reap(pid);
	empty_out(list);
}

/* Adjacent pages of different protection can not merge: each is one mapping. */
static void almost_no_mappings_left(void)
{
	unsigned long nr, max = 65530;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *p;
	struct churn c;
	FILE *f = fopen("/proc/sys/vm/max_map_count", "r");

	if (f) {
		CHECK(fscanf(f, "%lu", &max) == 1);
		fclose(f);
	}
	if (max > 1000000)
		trap_skip("vm.max_map_count is too high to be reached");
	churn_start(&c, 1);
	churn_steps(&c, 2000);
	p = (char *)mmap(NULL, (max + 2) * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	for (nr = 0; nr < max / 2 - 200; nr++)
		if (mprotect(p + nr * 2 * page, page, PROT_READ) != 0)
			break;
	churn_steps(&c, trap_long() ? 2000000 : 50000);
	/* Now none at all: what fails must fail cleanly, what is freed must be free. */
	for (; nr < max / 2 + 1; nr++)
		if (mprotect(p + nr * 2 * page, page, PROT_READ) != 0)
			break;
	for (nr = 0; nr < (trap_long() ? 500000u : 20000u); nr++)
		churn_step_may(&c, true);
	churn_finish(&c);
	CHECK(munmap(p, (max + 2) * page) == 0);
	churn_once(1, 5000);
}

/* A filter that answers one system call with an error and lets all others pass. */
static void refuse(int nr, int with)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned int)with),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) != 0)
		trap_skip("no seccomp filters here");
}

static void work_refused(int nr, int with)
{
	struct churn c;
	void *big;
	pid_t pid;

	churn_start(&c, 1);
	churn_steps(&c, 2000);
	refuse(nr, with);
	churn_steps(&c, 20000);
	big = malloc(40 << 20);
	CHECK(big);
	block_fill(big, 40 << 20, 5);
	big = realloc(big, 90 << 20);
	CHECK(big && block_intact(big, 40 << 20, 40 << 20, 5));
	free(big);
	malloc_trim(0);
	trap_start_churners(2);
	usleep(20000);
	trap_stop_churners();
	pid = fork();
	if (pid == 0) {
		churn_once(3, 500);
		_exit(0);
	}
	trap_reap(pid);
	churn_finish(&c);
}

static void madvise_refused(void)
{
	work_refused(SYS_madvise, EPERM);
}

static void madvise_unknown(void)
{
	work_refused(SYS_madvise, ENOSYS);
}

static void mremap_refused(void)
{
	work_refused(SYS_mremap, EPERM);
}

static void prctl_refused(void)
{
	work_refused(SYS_prctl, EPERM);
}

static void munmap_refused(void)
{
	work_refused(SYS_munmap, EPERM);
}

static void getrandom_refused(void)
{
	work_refused(SYS_getrandom, EPERM);
}

static void open_refused(void)
{
	work_refused(SYS_openat, EPERM);
}

static void clock_refused(void)
{
	work_refused(SYS_clock_gettime, EPERM);
}

static void getcpu_refused(void)
{
	work_refused(SYS_getcpu, EPERM);
}

static void membarrier_refused(void)
{
	work_refused(SYS_membarrier, EPERM);
}

static void affinity_refused(void)
{
	work_refused(SYS_sched_getaffinity, EPERM);
}

/* The filter is there before the first allocation: a program that starts under it. */
static void refused_from_the_start(int nr, const char *mark)
{
	char program[] = "/proc/self/exe", flag[] = "--case";
	char *argv[] = { program, flag, (char *)opaque((void *)mark), NULL };
	pid_t pid;

	if (getenv("TRAP_UNDER_FILTER")) {
		churn_once(1, 20000);
		exit(0);
	}
	CHECK(setenv("TRAP_UNDER_FILTER", "1", 1) == 0);
	pid = fork();
	if (pid == 0) {
		refuse(nr, EPERM);
		execv(program, argv);
		_exit(99);
	}
	trap_reap(pid);
}

static void madvise_refused_from_the_start(void)
{
	refused_from_the_start(SYS_madvise, "0");
}

static void prctl_refused_from_the_start(void)
{
	refused_from_the_start(SYS_prctl, "1");
}

/* Only what a strict sandbox leaves: memory, futex, write, exit. */
static void strict_sandbox(void)
{
	static const int allowed[] = { SYS_mmap, SYS_munmap, SYS_mprotect, SYS_madvise,
				       SYS_futex, SYS_write, SYS_exit_group, SYS_exit,
				       SYS_clock_gettime, SYS_rt_sigreturn, SYS_brk,
				       SYS_mremap };
	enum { NR = sizeof(allowed) / sizeof(allowed[0]) };
	struct sock_filter code[NR + 3];
	struct sock_fprog prog = { NR + 3, code };
	struct churn c;
	unsigned int i;

	churn_start(&c, 1);
	churn_steps(&c, 100);
	code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					       offsetof(struct seccomp_data, nr));
	for (i = 0; i < NR; i++)
		code[1 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							   (unsigned int)allowed[i],
							   (unsigned char)(NR - i), 0);
	code[NR + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	code[NR + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) != 0)
		trap_skip("no seccomp filters here");
	churn_steps(&c, 20000);
	malloc_trim(0);
	churn_finish(&c);
}

/* On locked pages MADV_DONTNEED fails: memory thought to be zero again is not. */
static void calloc_on_locked_pages(void)
{
	static const size_t sizes[] = { 100, 2000, 20000, 100000, 300000, 2 << 20 };
	unsigned int i, round;
	size_t j;

	if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
		trap_skip("mlockall is not allowed");
	for (round = 0; round < 20; round++)
		for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			size_t n = sizes[i];
			unsigned char *p[8];
			unsigned int k;

			for (k = 0; k < 8; k++) {
				p[k] = (unsigned char *)malloc(n);
				CHECK(p[k]);
				memset(p[k], 0xee, n);
			}
			for (k = 0; k < 8; k++)
				free(p[k]);
			malloc_trim(0);
			for (k = 0; k < 8; k++) {
				p[k] = (unsigned char *)calloc(1, n);
				CHECK(p[k]);
				for (j = 0; j < n; j++)
					CHECK(p[k][j] == 0);
			}
			for (k = 0; k < 8; k++)
				free(p[k]);
		}
}

static void mlockall_with_a_small_limit(void)
{
	struct rlimit rl = { 64 << 20, 64 << 20 };
	void *list;

	if (setrlimit(RLIMIT_MEMLOCK, &rl) != 0)
		trap_skip("the limit on locked memory can not be raised to 64 MiB");
	/* As a user without privilege, for whom the limit counts. */
	if (setresuid(65534, 65534, 65534) != 0 || mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
		trap_skip("mlockall is not allowed");
	CHECK(fill_up(&list, 10000) > 500);
	empty_out(list);
	churn_once(1, 5000);
}

static void no_proc(void)
{
	struct churn c;
	char dir[] = "/tmp/trap-root-XXXXXX";

	CHECK(mkdtemp(dir));
	churn_start(&c, 1);
	if (chroot(dir) != 0 || chdir("/") != 0) {
		rmdir(dir);
		trap_skip("chroot is not allowed");
	}
	churn_steps(&c, 20000);
	malloc_trim(0);
	trap_start_churners(2);
	usleep(10000);
	trap_stop_churners();
	churn_finish(&c);
}

/* Growth of a big block must not copy it: 1 GiB, doubled, under a limit below twice that. */
static void huge_growth(void)
{
	size_t n = 1 << 20;
	char *p = (char *)malloc(n);

	CHECK(p);
	p[0] = 'a';
	while (n < (size_t)2 << 30) {
		p[n - 1] = 'b';
		p = (char *)realloc(p, n * 2);
		CHECK(p && p[0] == 'a' && p[n - 1] == 'b');
		n *= 2;
	}
	CHECK(trap_rss() < 64 << 20);
	free(p);
}

/* Memory never touched is neither cleared nor made resident, nor by its free. */
static void huge_calloc(void)
{
	unsigned int i;

	for (i = 0; i < 10; i++) {
		char *p = (char *)calloc(4, (size_t)1 << 30);

		CHECK(p);
		p[(size_t)3 << 30] = 1;
		CHECK(p[0] == 0 && p[((size_t)4 << 30) - 1] == 0);
		free(p);
		CHECK(trap_rss() < 64 << 20);
	}
}

static const struct trap_case cases[] = {
	/* The first two name themselves by number when they run themselves again. */
	{ .name = "a program starts where madvise is refused",
	  .run = madvise_refused_from_the_start },
	{ .name = "a program starts where prctl is refused", .run = prctl_refused_from_the_start },
	{ .name = "64 MiB of address space: fills up, gets ENOMEM, goes on",
	  .run = address_space_64m },
	{ .name = "16 MiB of data: fills up, gets ENOMEM, goes on", .run = data_16m },
	{ .name = "the limit is lowered mid-run", .run = limit_lowered_mid_run },
	{ .name = "four threads fill up together", .run = threads_fill_up_together },
	{ .name = "realloc at the limit keeps the block and shrinks", .run = realloc_at_the_limit,
	  .ours = true },
	{ .name = "a child forked at the limit frees and goes on", .run = forks_at_the_limit },
	{ .name = "with vm.max_map_count reached, allocation fails cleanly and recovers",
	  .run = almost_no_mappings_left },
	{ .name = "madvise gives EPERM", .run = madvise_refused },
	{ .name = "madvise gives ENOSYS", .run = madvise_unknown },
	{ .name = "mremap gives EPERM", .run = mremap_refused, .ours = true },
	{ .name = "prctl gives EPERM", .run = prctl_refused },
	{ .name = "munmap gives EPERM", .run = munmap_refused },
	{ .name = "getrandom gives EPERM", .run = getrandom_refused },
	{ .name = "openat gives EPERM", .run = open_refused },
	{ .name = "clock_gettime gives EPERM", .run = clock_refused },
	{ .name = "getcpu gives EPERM", .run = getcpu_refused },
	{ .name = "membarrier gives EPERM", .run = membarrier_refused },
	{ .name = "sched_getaffinity gives EPERM", .run = affinity_refused },
	{ .name = "a strict sandbox that kills on other system calls", .run = strict_sandbox,
	  .ours = true },
	{ .name = "calloc gives zeros on locked pages", .run = calloc_on_locked_pages },
	{ .name = "mlockall under a limit of 64 MiB", .run = mlockall_with_a_small_limit },
	{ .name = "without /proc and /sys", .run = no_proc },
	{ .name = "calloc of 4 GiB stays untouched", .run = huge_calloc },
	{ .name = "growth to 2 GiB neither copies nor touches", .run = huge_growth },
};

TRAP_MAIN(cases)

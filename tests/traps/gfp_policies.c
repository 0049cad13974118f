/* SPDX-License-Identifier: MIT */
/*
 * KMALLOC_GFP on programs that know nothing of it: what malloc gives and does under a policy.
 * Cases that need the kernel's API (a shrinker) bind to the preloaded library's copy.
 */
#include "trap.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <kmalloc/kmalloc.h>

#define MIB	((size_t)1 << 20)

static const size_t sizes[] = { 1, 8, 24, 64, 100, 128, 500, 1000, 1024, 1025, 4096, 20000, 100000,
				131072, 131073, 300000, 3000000 };
enum { NR_SIZES = sizeof(sizes) / sizeof(sizes[0]) };

static void __attribute__((noreturn, format(printf, 1, 2))) failed(const char *fmt, ...)
{
	char text[200];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text) - 1, fmt, ap);
	va_end(ap);
	text[n] = '\n';
	if (write(2, text, (size_t)n + 1) < 0)
		_exit(2);
	_exit(1);
}

/* ---- zeroing ---- */

static bool is_zero(const unsigned char *p, size_t n)
{
	return !n || (!p[0] && !memcmp(p, p + 1, n - 1));
}

/* How many of 40 blocks that were filled and freed before come back with something in them. */
static unsigned int stale_blocks(size_t size)
{
	unsigned int i, stale = 0;
	void *p[40];

	for (i = 0; i < 40; i++) {
		p[i] = malloc(size);
		memset(p[i], 0x9e, size);
	}
	for (i = 0; i < 40; i++)
		free(p[i]);
	for (i = 0; i < 40; i++) {
		p[i] = i % 2 ? malloc(size) : aligned_alloc(16, (size + 15) & ~(size_t)15);
		stale += !is_zero(p[i], size);
	}
	for (i = 0; i < 40; i++)
		free(p[i]);
	return stale;
}

static void without_a_policy_old_content_comes_back(void)
{
	if (!stale_blocks(100))
		failed("malloc cleared memory that nobody asked it to clear");
}

static void every_block_is_zero(void)
{
	unsigned int i;

	for (i = 0; i < NR_SIZES; i++)
		if (stale_blocks(sizes[i]))
			failed("blocks of %zu bytes held old content", sizes[i]);
}

static void only_sizes_100_to_1000_are_zero(void)
{
	unsigned int i;

	for (i = 0; i < NR_SIZES; i++) {
		bool in = sizes[i] >= 100 && sizes[i] <= 1000;

		if (in && stale_blocks(sizes[i]))
			failed("%zu bytes held old content", sizes[i]);
	}
	if (!stale_blocks(64) || !stale_blocks(4096))
		failed("sizes outside the range were cleared");
}

static void *stale_in_thread(void *name)
{
	prctl(PR_SET_NAME, name);
	return (void *)(uintptr_t)stale_blocks(64);
}

static void only_threads_named_worker_get_zeroed_memory(void)
{
	pthread_t t;
	void *stale;

	pthread_create(&t, NULL, stale_in_thread, (char[]){ "worker" });
	pthread_join(t, &stale);
	if (stale)
		failed("the worker got old content");
	pthread_create(&t, NULL, stale_in_thread, (char[]){ "other" });
	pthread_join(t, &stale);
	if (!stale)
		failed("another thread's memory was cleared");
}

/* ---- no system call ---- */

#define KILL_ON(nr) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

/* From now on any memory system call or futex ends the whole process. */
static void forbid_memory_calls(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		KILL_ON(SYS_mmap), KILL_ON(SYS_munmap), KILL_ON(SYS_mremap), KILL_ON(SYS_mprotect),
		KILL_ON(SYS_madvise), KILL_ON(SYS_brk), KILL_ON(SYS_futex),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(filter) / sizeof(filter[0]), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog))
		trap_skip("no seccomp filter here");
}

enum { SLOTS = 600 };
static _Atomic(void *) exchange[64];
static atomic_int ready, go, finished;

static unsigned int next(unsigned int *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Blocks of 1 byte to 1 MiB, about 20 MiB at a time, some freed by the other thread. */
static void churn(unsigned int seed, unsigned int rounds)
{
	static __thread unsigned char *p[SLOTS];
	static __thread size_t size[SLOTS];
	unsigned int i, k;

	for (i = 0; i < rounds; i++) {
		k = next(&seed) % SLOTS;
		if (p[k]) {
			if (p[k][0] != (unsigned char)k || p[k][size[k] - 1] != (unsigned char)k)
				failed("a block of %zu bytes changed", size[k]);
			if (next(&seed) % 4 == 0)
				p[k] = atomic_exchange(&exchange[k % 64], p[k]);
			else if (next(&seed) % 4 == 0)
				p[k] = realloc(p[k], size[k] / 2 + 1);
			free(p[k]);
		}
		size[k] = k < 8 ? 1 + next(&seed) % MIB : k < 80 ? 1 + next(&seed) % 60000 :
			  1 + next(&seed) % 600;
		p[k] = next(&seed) % 8 ? malloc(size[k]) : calloc(1, size[k]);
		if (!p[k])
			failed("no memory for %zu bytes within the reserve", size[k]);
		p[k][0] = p[k][size[k] - 1] = (unsigned char)k;
	}
}

static void *other_thread(void *arg)
{
	(void)arg;
	free(malloc(100));
	atomic_store(&ready, 1);
	while (!atomic_load(&go))
		;
	churn(1, 60000);
	atomic_store(&finished, 1);
	for (;;)
		;
	return NULL;
}

static void two_threads_churn_without_a_memory_call(void)
{
	pthread_t t;

	pthread_create(&t, NULL, other_thread, NULL);
	while (!atomic_load(&ready))
		;
	forbid_memory_calls();
	atomic_store(&go, 1);
	churn(2, 60000);
	while (!atomic_load(&finished))
		;
	_exit(0);
}

/* The proof can fail: the default policy asks the system for memory. */
static void the_default_policy_makes_memory_calls(void)
{
	forbid_memory_calls();
	churn(2, 60000);
	_exit(0);
}

static void the_reserve_ends_with_NULL_and_not_with_a_call(void)
{
	size_t sum = 0;
	unsigned int i;

	forbid_memory_calls();
	for (i = 0; i < 1000000; i++) {
		void *p = malloc(10000);

		if (!p)
			break;
		memset(p, 1, 10000);
		sum += 10000;
	}
	if (i == 1000000 || errno != ENOMEM)
		_exit(1);
	if (sum < 12 * MIB)	/* of 16 */
		_exit(2);
	_exit(0);
}

/* ---- the hit path of other caches ---- */

#if defined(__x86_64__)
/* Instructions of malloc(size) and free() from one int3 to the next, as distances in the library. */
static unsigned int trace_hits(const char *gfp, size_t size, unsigned long *at, unsigned int max)
{
	unsigned int n = 0;
	int status;
	pid_t pid;

	if (gfp)
		setenv("KMALLOC_GFP", gfp, 1);
	else
		unsetenv("KMALLOC_GFP");
	pid = fork();
	if (!pid) {
		char text[20];

		snprintf(text, sizeof(text), "%zu", size);
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execl("/proc/self/exe", "gfp_policies", "--hits", text, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);		/* the exec */
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &status, 0);		/* the first int3 */
	while (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP && n < max) {
		struct user_regs_struct regs;

		ptrace(PTRACE_GETREGS, pid, 0, &regs);
		at[n++] = regs.rip;
		/* the second int3 is the instruction whose address follows the marker's call */
		if (n > 1 && (ptrace(PTRACE_PEEKTEXT, pid, (void *)(regs.rip - 1), 0) & 0xff) == 0xcc &&
		    (ptrace(PTRACE_PEEKTEXT, pid, (void *)regs.rip, 0) & 0xff) == 0x90)
			break;
		ptrace(PTRACE_SINGLESTEP, pid, 0, 0);
		waitpid(pid, &status, 0);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return n;
}

/* Run by trace_hits(): warm, then one malloc and one free between two breakpoints. */
static void run_hits(size_t size)
{
	void *(*volatile alloc)(size_t) = malloc;
	void (*volatile give)(void *) = free;
	unsigned int i;
	void *p;

	for (i = 0; i < 50; i++)
		give(alloc(size));
	__asm__ volatile("int3");
	p = alloc(size);
	give(p);
	__asm__ volatile("int3; nop");
	_exit(0);
}

/* Number of steps, or 0 where two runs do not go the same way (they differ by the load address). */
static unsigned int same_way(const char *gfp, size_t size)
{
	static unsigned long a[5000], b[5000];
	unsigned int n = trace_hits(NULL, size, a, 5000), m = trace_hits(gfp, size, b, 5000), i;

	if (n < 10 || n == 5000 || n != m)
		return 0;
	for (i = 0; i < n; i++)	/* addresses within a page do not depend on where it lies */
		if ((a[i] & 0xfff) != (b[i] & 0xfff))
			return 0;
	return n;
}

static void a_policy_for_one_cache_leaves_the_hits_of_others_as_they_are(void)
{
	static const char gfp[] = "GFP_KERNEL; kmalloc-64:__GFP_ZERO";

	if (!same_way(gfp, 100) || !same_way(gfp, 1000) || !same_way(gfp, 40))
		failed("the instructions of a hit differ");
	if (same_way(gfp, 60))
		failed("the cache with the policy takes the usual way: the test sees nothing");
}

static void a_policy_for_the_way_memory_is_got_leaves_all_hits_as_they_are(void)
{
	if (!same_way("GFP_ATOMIC", 100) || !same_way("GFP_KERNEL|__GFP_NORETRY", 100))
		failed("the instructions of a hit differ");
}
#endif

/* ---- NORETRY, RETRY_MAYFAIL, NOFAIL at the limit of mem= ---- */

static struct {
	void *block[256];
	unsigned int n, scans;
} hoard;

static unsigned long count_hoard(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return hoard.n;
}

static unsigned long scan_hoard(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long freed = 0;

	(void)s;
	hoard.scans++;
	while (hoard.n && freed < sc->nr_to_scan) {
		free(hoard.block[--hoard.n]);
		freed++;
	}
	return freed;
}

/* 16 MiB that a shrinker can give back, and then blocks until malloc fails. */
static size_t fill_up(void)
{
	struct shrinker *s = shrinker_alloc(0, "hoard");
	size_t sum = 0;

	if (!s)
		failed("no shrinker");
	s->count_objects = count_hoard;
	s->scan_objects = scan_hoard;
	shrinker_register(s);
	while (hoard.n < 256)
		hoard.block[hoard.n++] = malloc(65536);
	while (malloc(10000))
		sum += 10000;
	return sum;
}

static void noretry_fails_and_spares_the_shrinker(void)
{
	fill_up();
	if (hoard.n != 256)
		failed("%u objects were shrunk", 256 - hoard.n);
}

static void retry_mayfail_shrinks_before_it_fails(void)
{
	size_t sum = fill_up();

	if (hoard.n)
		failed("%u objects are left after %zu bytes", hoard.n, sum);
}

static void *free_later(void *list)
{
	void **p = list, **next;

	usleep(200000);
	for (; p; p = next) {
		next = *p;
		free(p);
	}
	return NULL;
}

static void nofail_waits_until_another_thread_frees(void)
{
	void **list = NULL, **p;
	struct timespec before, after;
	size_t n;
	pthread_t t;

	/* 63 of 64 MiB in blocks of which nobody needs a page of its own */
	for (n = 0; n < 60 * 16; n++) {
		p = malloc(65536 - 64);
		*p = list;
		list = p;
	}
	pthread_create(&t, NULL, free_later, list);
	clock_gettime(CLOCK_MONOTONIC, &before);
	for (n = 0; n < 20; n++)
		if (!malloc(MIB))
			failed("a __GFP_NOFAIL malloc returned NULL");
	clock_gettime(CLOCK_MONOTONIC, &after);
	if ((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 < 100)
		failed("it did not wait");
	pthread_join(t, NULL);
}

/* ---- mem= ---- */

static void a_leak_gets_ENOMEM_at_the_limit_and_the_program_goes_on(void)
{
	void **list = NULL, **p;
	size_t n = 0;

	errno = 0;
	while ((p = malloc(1000))) {
		*p = list;
		list = p;
		n++;
	}
	if (errno != ENOMEM)
		failed("errno is %d", errno);
	if (n * 1024 < 56 * MIB || n * 1000 > 64 * MIB)
		failed("%zu blocks of 1000 bytes fit into 64 MiB", n);
	if (malloc(1000))
		failed("there was memory after all");
	for (; n > 1000; n--) {
		p = *list;
		free(list);
		list = p;
	}
	if (!malloc(40 * MIB))
		failed("what was freed does not come back");
}

static void what_is_larger_than_the_limit_fails_at_once(void)
{
	struct timespec before, after;

	clock_gettime(CLOCK_MONOTONIC, &before);
	if (malloc(65 * MIB) || malloc((size_t)1 << 46))
		failed("that is more than there is");
	clock_gettime(CLOCK_MONOTONIC, &after);
	if (after.tv_sec - before.tv_sec > 1)
		failed("it took seconds");
}

static const struct trap_case cases[] = {
	{ "without a policy old content comes back", without_a_policy_old_content_comes_back },
	{ "GFP_KERNEL|__GFP_ZERO: every block is zero", every_block_is_zero,
	  .gfp = "GFP_KERNEL|__GFP_ZERO", .err = "", .ours = true },
	{ "init_on_alloc: every block is zero", every_block_is_zero, "init_on_alloc", .err = "", .ours = true },
	{ "init_on_free: every block is zero", every_block_is_zero, "init_on_free", .err = "", .ours = true },
	{ "size=: the range alone is zeroed", only_sizes_100_to_1000_are_zero,
	  .gfp = "GFP_KERNEL; size=100-1000:__GFP_ZERO", .err = "", .ours = true },
	{ "thread=: the named threads' blocks alone are zeroed", only_threads_named_worker_get_zeroed_memory,
	  .gfp = "GFP_KERNEL; thread=worker:__GFP_ZERO", .err = "", .ours = true },
	{ "comm=: this program's (exe) blocks are zeroed", every_block_is_zero,
	  .gfp = "GFP_KERNEL; comm=ex*:__GFP_ZERO", .err = "", .ours = true },
	{ "comm=: another program's policy is not ours", without_a_policy_old_content_comes_back,
	  .gfp = "GFP_KERNEL; comm=nginx:__GFP_ZERO", .err = "", .ours = true },
	{ "GFP_ATOMIC: two threads make no memory call and no futex", two_threads_churn_without_a_memory_call,
	  "min_free_kbytes=64K", .err = "", .ours = true, .gfp = "GFP_ATOMIC" },
	{ "GFP_KERNEL makes memory calls, so the filter works", the_default_policy_makes_memory_calls,
	  .sig = SIGSYS, .ours = true },
	{ "GFP_ATOMIC: the end of the reserve is NULL", the_reserve_ends_with_NULL_and_not_with_a_call,
	  "min_free_kbytes=16K", .ours = true, .gfp = "GFP_ATOMIC" },
#if defined(__x86_64__)
	{ "a policy for one cache leaves the others' hits, instruction for instruction",
	  a_policy_for_one_cache_leaves_the_hits_of_others_as_they_are, .ours = true },
	{ "GFP_ATOMIC and NORETRY leave all hits, instruction for instruction",
	  a_policy_for_the_way_memory_is_got_leaves_all_hits_as_they_are, .ours = true },
#endif
	{ "__GFP_NORETRY fails and spares the shrinker", noretry_fails_and_spares_the_shrinker, "mem=64M oom=null",
	  .gfp = "GFP_KERNEL|__GFP_NORETRY", .err = "", .ours = true },
	{ "__GFP_RETRY_MAYFAIL shrinks before it fails", retry_mayfail_shrinks_before_it_fails,
	  "mem=64M oom=null", .gfp = "GFP_KERNEL|__GFP_RETRY_MAYFAIL", .err = "", .ours = true },
	{ "__GFP_NOFAIL waits until another thread frees", nofail_waits_until_another_thread_frees, "mem=64M",
	  .gfp = "GFP_KERNEL|__GFP_NOFAIL", .ours = true },
	{ "mem=64M: a leak gets ENOMEM, one report, and goes on",
	  a_leak_gets_ENOMEM_at_the_limit_and_the_program_goes_on, "mem=64M", .err = "kmalloc-1k", .ours = true },
	{ "mem=64M: a block above the limit fails at once", what_is_larger_than_the_limit_fails_at_once,
	  "mem=64M oom=null", .err = "", .ours = true },
};

int main(int argc, char **argv)
{
#if defined(__x86_64__)
	if (argc == 3 && strcmp(argv[1], "--hits") == 0)
		run_hits(strtoul(argv[2], NULL, 10));
#endif
	return trap_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}

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
#include <sys/personality.h>
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
		p[i] = i % 2 || size % 16 ? malloc(size) : memalign(16, size);
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
	/* 1001 bytes come from the cache that serves 1000 */
	if (!stale_blocks(64) || !stale_blocks(99) || !stale_blocks(1001) || !stale_blocks(4096))
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

/* Above what the buddy allocator has in one block, and its growth by realloc. */
static void large_blocks_make_no_memory_call(void)
{
	size_t n, old = 0;
	char *p = NULL;
	unsigned int i;

	forbid_memory_calls();
	for (i = 0; i < 3; i++) {
		for (n = 300000; n < 33 * MIB; old = n, n += n / 2) {
			p = realloc(p, n);
			if (!p || (old && (p[0] != 7 || p[old - 1] != 7)))
				failed("realloc of %zu bytes gave %p", n, (void *)p);
			memset(p, 7, n);
		}
		p = realloc(p, 1000);
		free(p);
		p = NULL;
		old = 0;
		if (!is_zero(opaque(calloc(1, 9 * MIB)), 9 * MIB))
			failed("calloc of 9 MiB");
		if (malloc((size_t)1 << 40) || malloc(PTRDIFF_MAX))
			failed("what no reserve holds was given");
	}
	_exit(0);
}

static void a_fork_child_makes_no_memory_call(void)
{
	unsigned int i;

	churn(1, 10000);
	forbid_memory_calls();
	for (i = 0; i < 3; i++) {
		pid_t pid = fork();

		if (!pid) {
			churn(i + 2, 20000);
			_exit(0);
		}
		churn(i + 7, 5000);
		trap_reap(pid);
	}
	_exit(0);
}

/* The proof can fail: the default policy asks the system for memory. */
static void the_default_policy_makes_memory_calls(void)
{
	forbid_memory_calls();
	churn(2, 60000);
	_exit(0);
}

/* What a reserve of min = 16 MiB gives a program of which nothing may block. */
static void reserve_of_16_MiB_gives(size_t least, size_t most)
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
	if (sum < least || sum > most)
		failed("%zu KiB", sum >> 10);
	_exit(0);
}

/* From the high mark, 24 MiB, to 3/8 of min (5.2 of kernel-semantics), in slabs of 12 blocks. */
static void the_reserve_ends_with_NULL_and_not_with_a_call(void)
{
	reserve_of_16_MiB_gives(15 * MIB, 18 * MIB);
}

/* From the high mark to min. */
static void NOWAIT_leaves_the_reserve_below_min(void)
{
	reserve_of_16_MiB_gives(6 * MIB, 8 * MIB);
}

/* Once, although this program is linked with the API library, which has a copy of all. */
static void the_reserve_is_half_as_much_again_and_resident(void)
{
	size_t rss = trap_rss();

	if (rss < 96 * MIB || rss > 106 * MIB)
		failed("%zu MiB are resident", rss / MIB);
}

static void a_wrong_option_is_told_once(void)
{
	free(malloc(1));
	kfree(kmalloc(1, GFP_KERNEL));
}

/* ---- the hit path of other caches ---- */

#if defined(__x86_64__)
struct setting {
	const char *gfp, *options;
};

static void set_or_unset(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

/* The addresses of the instructions of malloc(size) and free(), from one int3 to the next. */
static unsigned int trace_hits(struct setting setting, size_t size, unsigned long *at,
			       unsigned int max)
{
	unsigned int n = 0;
	int status;
	pid_t pid;

	set_or_unset("KMALLOC_GFP", setting.gfp);
	set_or_unset("KMALLOC_OPTIONS", setting.options);
	pid = fork();
	if (!pid) {
		char text[20];

		snprintf(text, sizeof(text), "%zu", size);
		if (personality(ADDR_NO_RANDOMIZE) < 0 || ptrace(PTRACE_TRACEME, 0, 0, 0))
			_exit(127);
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
		/* the second int3 has a nop after it */
		if (n > 1 && (ptrace(PTRACE_PEEKTEXT, pid, regs.rip - 1, 0) & 0xffff) == 0x90cc)
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

/* Number of steps, or 0 where a run with the setting does not go the way of one without. */
static unsigned int same_way(struct setting setting, size_t size)
{
	static unsigned long a[5000], b[5000];
	unsigned int n = trace_hits((struct setting){ NULL, NULL }, size, a, 5000);
	unsigned int m = trace_hits(setting, size, b, 5000);

	if (n < 10 || n == 5000)
		trap_skip("no single steps here");
	return n == m && !memcmp(a, b, n * sizeof(a[0])) ? n : 0;
}

static void only_hits_of_kmalloc_64_differ(struct setting setting)
{
	static const size_t others[] = { 8, 40, 48, 65, 100, 1000, 60000 };
	unsigned int i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!same_way(setting, others[i]))
			failed("the instructions of a hit of %zu bytes differ", others[i]);
	if (same_way(setting, 60))
		failed("the cache that is meant takes the usual way: the test sees nothing");
}

static void a_policy_for_one_cache_leaves_the_hits_of_others_as_they_are(void)
{
	only_hits_of_kmalloc_64_differ((struct setting){
		.gfp = "GFP_KERNEL; kmalloc-64:__GFP_ZERO" });
}

static void failslab_for_one_cache_leaves_the_hits_of_others_as_they_are(void)
{
	only_hits_of_kmalloc_64_differ((struct setting){
		.options = "failslab=1,1,0,-1 failslab.cache-filter=kmalloc-64" });
}

static void a_policy_for_the_way_memory_is_got_leaves_all_hits_as_they_are(void)
{
	static const char *const policies[] = {
		"GFP_ATOMIC", "GFP_NOWAIT", "GFP_KERNEL|__GFP_NORETRY", "vmalloc:__GFP_NORETRY",
		"GFP_KERNEL|__GFP_NOFAIL",
	};
	unsigned int i;

	for (i = 0; i < sizeof(policies) / sizeof(policies[0]); i++)
		if (!same_way((struct setting){ .gfp = policies[i] }, 60))
			failed("the instructions of a hit differ under %s", policies[i]);
	if (!same_way((struct setting){ .options = "mem=64M" }, 60))
		failed("the instructions of a hit differ under mem=64M");
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

	/* 58 of 64 MiB: seven of these in each slab of 512 KiB */
	for (n = 0; n < 116 * 7; n++) {
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

/* How many MiB malloc() gives in blocks of size bytes until it fails. */
static size_t mib_until_it_fails(size_t size)
{
	size_t sum = 0;

	while (malloc(size))
		sum += size;
	return sum / MIB;
}

static void fill_and_free(size_t size, size_t mib)
{
	void **list = NULL, **p;
	size_t n;

	for (n = 0; n < mib * MIB; n += size) {
		p = malloc(size);
		if (!p)
			failed("only %zu bytes", n);
		*p = list;
		list = p;
	}
	while ((p = list)) {
		list = *p;
		free(p);
	}
}

static void *park(void *stays)
{
	fill_and_free(1000, 50);
	fill_and_free(100, 50);
	fill_and_free(3000, 50);
	atomic_store(&ready, 1);
	while (stays)
		pause();
	return NULL;
}

/*
 * A thread that sleeps keeps what is in its sheaves, at most 128 objects or 128 KiB of each cache,
 * and the slabs these lie in; every other slab of it is there for the rest.
 */
static void what_a_sleeping_thread_freed_is_used_before_NULL(void)
{
	pthread_t t;
	size_t mib;

	pthread_create(&t, NULL, park, &ready);
	while (!atomic_load(&ready))
		usleep(1000);
	mib = mib_until_it_fails(10000);
	if (mib < 52)
		failed("%zu of 64 MiB", mib);
}

static void what_a_dead_thread_left_is_used_before_NULL(void)
{
	pthread_t t;
	size_t mib;

	pthread_create(&t, NULL, park, NULL);
	pthread_join(t, NULL);
	mib = mib_until_it_fails(10000);
	if (mib < 57)	/* 12 objects in 128 KiB */
		failed("%zu of 64 MiB", mib);
}

static void what_own_sheaves_and_barns_hold_is_used_before_NULL(void)
{
	size_t size, mib;

	for (size = 16; size <= 60000; size += size / 8 + 8)
		fill_and_free(size, 4);
	fill_and_free(300000, 40);
	mib = mib_until_it_fails(10000);
	if (mib < 57)	/* 12 objects in 128 KiB */
		failed("%zu of 64 MiB", mib);
}

static void what_a_shrinker_holds_is_used_before_NULL(void)
{
	size_t sum = fill_up();

	if (hoard.n)
		failed("%u objects are left after %zu bytes", hoard.n, sum);
	if (sum < 56 * MIB)
		failed("%zu MiB of 64", sum / MIB);
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
	{ .name = "without a policy old content comes back",
	  .run = without_a_policy_old_content_comes_back },
	{ .name = "GFP_KERNEL|__GFP_ZERO: every block is zero", .run = every_block_is_zero,
	  .gfp = "GFP_KERNEL|__GFP_ZERO", .err = "", .ours = true },
	{ .name = "init_on_alloc: every block is zero", .run = every_block_is_zero,
	  .options = "init_on_alloc", .err = "", .ours = true },
	{ .name = "init_on_free: every block is zero", .run = every_block_is_zero,
	  .options = "init_on_free", .err = "", .ours = true },
	{ .name = "size=: the range alone is zeroed", .run = only_sizes_100_to_1000_are_zero,
	  .gfp = "GFP_KERNEL; size=100-1000:__GFP_ZERO", .err = "", .ours = true },
	{ .name = "thread=: the named threads' blocks alone are zeroed",
	  .run = only_threads_named_worker_get_zeroed_memory,
	  .gfp = "GFP_KERNEL; thread=worker:__GFP_ZERO", .err = "", .ours = true },
	{ .name = "comm=: this program's (exe) blocks are zeroed", .run = every_block_is_zero,
	  .gfp = "GFP_KERNEL; comm=ex*:__GFP_ZERO", .err = "", .ours = true },
	{ .name = "comm=: another program's policy is not ours",
	  .run = without_a_policy_old_content_comes_back,
	  .gfp = "GFP_KERNEL; comm=nginx:__GFP_ZERO", .err = "", .ours = true },
	{ .name = "GFP_ATOMIC: two threads make no memory call and no futex",
	  .run = two_threads_churn_without_a_memory_call,
	  .options = "min_free_kbytes=64K", .gfp = "GFP_ATOMIC", .err = "", .ours = true },
	{ .name = "GFP_ATOMIC: large blocks make no memory call and no futex",
	  .run = large_blocks_make_no_memory_call,
	  .options = "min_free_kbytes=192K", .gfp = "GFP_ATOMIC", .err = "", .ours = true },
	{ .name = "GFP_ATOMIC: fork children make no memory call and no futex",
	  .run = a_fork_child_makes_no_memory_call,
	  .options = "min_free_kbytes=64K", .gfp = "GFP_ATOMIC", .err = "", .ours = true },
	{ .name = "GFP_KERNEL makes memory calls, so the filter works",
	  .run = the_default_policy_makes_memory_calls, .sig = SIGSYS, .ours = true },
	{ .name = "GFP_ATOMIC: the end of the reserve is NULL",
	  .run = the_reserve_ends_with_NULL_and_not_with_a_call,
	  .options = "min_free_kbytes=16K", .gfp = "GFP_ATOMIC", .err = "", .ours = true },
	{ .name = "GFP_NOWAIT: the reserve below min is not for it",
	  .run = NOWAIT_leaves_the_reserve_below_min,
	  .options = "min_free_kbytes=16K", .gfp = "GFP_NOWAIT", .err = "", .ours = true },
	{ .name = "min_free_kbytes: 1.5 times as much is resident from the start",
	  .run = the_reserve_is_half_as_much_again_and_resident,
	  .options = "min_free_kbytes=65536", .err = "", .ours = true },
	{ .name = "a program linked with the API library is told of a wrong option once",
	  .run = a_wrong_option_is_told_once, .options = "bogus=1",
	  .err = "unknown option 'bogus'", .err_lines = 1, .ours = true },
#if defined(__x86_64__)
	{ .name = "a policy for one cache leaves the others' hits, instruction for instruction",
	  .run = a_policy_for_one_cache_leaves_the_hits_of_others_as_they_are, .ours = true },
	{ .name = "failslab for one cache leaves the others' hits, instruction for instruction",
	  .run = failslab_for_one_cache_leaves_the_hits_of_others_as_they_are, .ours = true },
	{ .name = "flags for the way memory is got leave all hits, instruction for instruction",
	  .run = a_policy_for_the_way_memory_is_got_leaves_all_hits_as_they_are, .ours = true },
#endif
	{ .name = "__GFP_NORETRY fails and spares the shrinker",
	  .run = noretry_fails_and_spares_the_shrinker, .options = "mem=64M oom=null",
	  .gfp = "GFP_KERNEL|__GFP_NORETRY", .err = "", .ours = true },
	{ .name = "__GFP_RETRY_MAYFAIL shrinks before it fails",
	  .run = retry_mayfail_shrinks_before_it_fails, .options = "mem=64M oom=null",
	  .gfp = "GFP_KERNEL|__GFP_RETRY_MAYFAIL", .err = "", .ours = true },
	{ .name = "__GFP_NOFAIL waits until another thread frees",
	  .run = nofail_waits_until_another_thread_frees, .options = "mem=64M",
	  .gfp = "GFP_KERNEL|__GFP_NOFAIL", .err = "", .ours = true },
	{ .name = "mem=64M: a leak gets ENOMEM, one report, and goes on",
	  .run = a_leak_gets_ENOMEM_at_the_limit_and_the_program_goes_on,
	  .options = "mem=64M", .err = "kmalloc-1k", .ours = true },
	{ .name = "mem=64M: what a sleeping thread freed is used before NULL",
	  .run = what_a_sleeping_thread_freed_is_used_before_NULL,
	  .options = "mem=64M oom=null", .err = "", .ours = true },
	{ .name = "mem=64M: what a dead thread left is used before NULL",
	  .run = what_a_dead_thread_left_is_used_before_NULL,
	  .options = "mem=64M oom=null", .err = "", .ours = true },
	{ .name = "mem=64M: what own sheaves and barns hold is used before NULL",
	  .run = what_own_sheaves_and_barns_hold_is_used_before_NULL,
	  .options = "mem=64M oom=null", .err = "", .ours = true },
	{ .name = "mem=64M: what a shrinker holds is used before NULL",
	  .run = what_a_shrinker_holds_is_used_before_NULL,
	  .options = "mem=64M oom=null", .err = "", .ours = true },
	{ .name = "mem=64M: a block above the limit fails at once",
	  .run = what_is_larger_than_the_limit_fails_at_once,
	  .options = "mem=64M oom=null", .err = "", .ours = true },
};

int main(int argc, char **argv)
{
#if defined(__x86_64__)
	if (argc == 3 && strcmp(argv[1], "--hits") == 0)
		run_hits(strtoul(argv[2], NULL, 10));
#endif
	return trap_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}

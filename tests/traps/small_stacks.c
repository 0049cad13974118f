/* SPDX-License-Identifier: MIT */
/*
 * Every call of the interface, and every report, on small stacks: threads of
 * PTHREAD_STACK_MIN and coroutines of 8 KiB. Traps C70, C71.
 */
#include "trap.h"

#include <limits.h>
#include <ucontext.h>

static void every_call(void)
{
	static const size_t sizes[] = { 1, 24, 500, 5000, 100000, 1 << 20, 20 << 20 };
	unsigned int i;
	void *p, *q;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t n = sizes[i];

		p = malloc(n);
		CHECK(p && malloc_usable_size(p) >= n);
		p = realloc(p, n * 2);
		CHECK(p);
		p = reallocarray(p, n, 3);
		CHECK(p);
		free(p);
		p = calloc(n, 2);
		CHECK(p);
		free(p);
		p = memalign(256, n);
		CHECK(p);
		free(p);
		p = aligned_alloc(4096, n);
		CHECK(p);
		free(p);
		p = valloc(n);
		CHECK(p);
		free(p);
		p = pvalloc(n);
		CHECK(p);
		free(p);
		CHECK(posix_memalign(&q, 64, n) == 0);
		free(q);
	}
	CHECK(malloc((size_t)PTRDIFF_MAX + (size_t)opaque((void *)1)) == NULL);
	mallopt(M_TRIM_THRESHOLD, 1 << 20);
	malloc_trim(0);
	CHECK(mallinfo2().arena > 0 || mallinfo2().hblkhd > 0);
}

static void every_report(void)
{
	FILE *f = fopen("/dev/null", "w");

	malloc_stats();
	CHECK(f && malloc_info(0, f) == 0);
	fclose(f);
}

static void *on_small_stack(void *arg)
{
	(void)arg;
	every_call();
	return NULL;
}

static void *reports_on_small_stack(void *arg)
{
	(void)arg;
	every_report();
	return NULL;
}

static void in_a_small_thread(void *(*fn)(void *))
{
	pthread_attr_t attr;
	unsigned int i;

	CHECK(pthread_attr_init(&attr) == 0);
	CHECK(pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN) == 0);
	for (i = 0; i < 20; i++) {
		pthread_t t;

		CHECK(pthread_create(&t, &attr, fn, NULL) == 0);
		CHECK(pthread_join(t, NULL) == 0);
	}
}

static void smallest_thread(void)
{
	in_a_small_thread(on_small_stack);
}

static void reports_in_smallest_thread(void)
{
	CHECK(dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 2) == 2);
	in_a_small_thread(reports_on_small_stack);
}

static char to_be_misused[64];

static void *misuse_on_small_stack(void *arg)
{
	(void)arg;
	free(opaque(to_be_misused + 16));
	return NULL;
}

static void misuse_in_smallest_thread(void)
{
	in_a_small_thread(misuse_on_small_stack);
}

enum { COROUTINES = 16, STACK = 8 << 10 };
static ucontext_t scheduler, coroutine[COROUTINES];
static struct churn heaps[COROUTINES];
static unsigned int done;

static void coroutine_main(int nr)
{
	unsigned int i;

	for (i = 0; i < 200; i++) {
		churn_steps(&heaps[nr], 10);
		swapcontext(&coroutine[nr], &scheduler);
	}
	churn_finish(&heaps[nr]);
	done++;
}

/* A stack that ends at a page without access, of at least a page. */
static char *guarded_stack(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *p = (char *)mmap(NULL, n + page, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED && mprotect(p, page, PROT_NONE) == 0);
	return p + page;
}

static void make_coroutine(unsigned int i)
{
	ucontext_t *context = &coroutine[i];

	churn_start(&heaps[i], i + 1);
	CHECK(getcontext(context) == 0);
	context->uc_stack.ss_sp = i & 1 ? guarded_stack(STACK) : (char *)malloc(STACK);
	CHECK(context->uc_stack.ss_sp);
	context->uc_stack.ss_size = STACK;
	context->uc_link = &scheduler;
	makecontext(context, (void (*)(void))coroutine_main, 1, (int)i);
}

static void run_coroutines(void)
{
	unsigned int i, round;

	for (i = 0; i < COROUTINES; i++)
		make_coroutine(i);
	for (round = 0; round < 201; round++)
		for (i = 0; i < COROUTINES; i++)
			CHECK(swapcontext(&scheduler, &coroutine[i]) == 0);
	CHECK(done == COROUTINES);
}

/* A handler on a small alternate stack that allocates. */
static void *volatile from_handler;

static void on_alternate_stack(int sig)
{
	(void)sig;
	from_handler = malloc(3000);
	free(malloc(2 << 20));
}

static void alternate_stack(void)
{
	/* What the signal frame needs, which grows with the vector registers, and 4 KiB. */
	size_t n = ((size_t)sysconf(_SC_MINSIGSTKSZ) + 8191) / 4096 * 4096;
	stack_t ss = { .ss_sp = guarded_stack(n), .ss_size = n };
	struct sigaction sa = { .sa_flags = SA_ONSTACK };
	unsigned int i;

	sa.sa_handler = on_alternate_stack;
	CHECK(sigaltstack(&ss, NULL) == 0 && sigaction(SIGUSR1, &sa, NULL) == 0);
	for (i = 0; i < 100; i++) {
		raise(SIGUSR1);
		CHECK(from_handler);
		free(from_handler);
	}
}

static const struct trap_case cases[] = {
	{ .name = "a thread of PTHREAD_STACK_MIN makes every call", .run = smallest_thread },
	{ .name = "a thread of PTHREAD_STACK_MIN prints the statistics",
	  .run = reports_in_smallest_thread, .ours = true },
	{ .name = "a thread of PTHREAD_STACK_MIN reports a foreign pointer",
	  .run = misuse_in_smallest_thread, .sig = SIGABRT, .ours = true,
	  .err = "^kmalloc: BUG: ", .err_lines = 1 },
	{ .name = "coroutines with stacks of 8 KiB allocate", .run = run_coroutines },
	{ .name = "a handler on a small alternate stack allocates", .run = alternate_stack },
};

TRAP_MAIN(cases)

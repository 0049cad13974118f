/* SPDX-License-Identifier: MIT */
/*
 * Pointers that free, realloc and malloc_usable_size must refuse: foreign
 * ones, freed ones, interior ones. Each is one line on stderr that names the
 * pointer, then SIGABRT; with panic=0 the program goes on, nothing changed.
 * Traps C6, C63, C86, C94, C95.
 */
#include "trap.h"

/* Notes that the report names @p, and hands it on to be misused. */
static void *named(void *p)
{
	trap_expect("%p", p);
	return opaque(p);
}

static char in_bss[64];

static void *on_stack(void)
{
	static __thread char *p;
	char block[64];

	p = (char *)opaque(block);
	return p + 16;
}

static void *page_of_ours(void)
{
	char *p = (char *)mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p + 4096;
}

/* An address where nothing is mapped, in the neighbourhood of what is. */
static void *unmapped(void)
{
	char *p = (char *)page_of_ours() - 4096;

	CHECK(munmap(p, 1 << 16) == 0);
	return p + 64;
}

static void free_stack(void)
{
	free(named(on_stack()));
}

static void free_static(void)
{
	free(named(in_bss + 16));
}

static void free_function(void)
{
	free(named((void *)(uintptr_t)free_static));
}

static void free_mapped(void)
{
	free(named(page_of_ours()));
}

static void free_unmapped(void)
{
	free(named(unmapped()));
}

static void free_kernel_address(void)
{
	free(named((void *)0xffff888000001000));
}

static void free_non_canonical(void)
{
	free(named((void *)0x0800000000001000));
}

static void free_small_number(void)
{
	free(named((void *)48));
}

static void free_all_ones(void)
{
	free(named((void *)-1));
}

static void realloc_foreign(void)
{
	CHECK(realloc(named(in_bss + 16), 100) == opaque(NULL));
}

static void usable_size_foreign(void)
{
	CHECK(malloc_usable_size(named(in_bss + 16)) == 0);
}

/* The heap works after a report that did not abort. */
static void goes_on(void)
{
	free_stack();
	churn_once(1, 2000);
}

static void goes_on_after_all(void)
{
	free_stack();
	free_static();
	free_mapped();
	free_unmapped();
	free_kernel_address();
	free_non_canonical();
	churn_once(1, 2000);
}

static void double_free_of(size_t n)
{
	void *p = malloc(n);

	CHECK(p);
	free(p);
	free(named(p));
}

static void double_free_8(void)
{
	double_free_of(8);
}

static void double_free_64(void)
{
	double_free_of(64);
}

static void double_free_3000(void)
{
	double_free_of(3000);
}

static void double_free_100k(void)
{
	double_free_of(100000);
}

static void double_free_large(void)
{
	double_free_of(1 << 20);
}

static void double_free_huge(void)
{
	double_free_of((size_t)300 << 20);
}

static void double_free_aligned(void)
{
	void *p = memalign(4096, 10000);

	CHECK(p);
	free(p);
	free(named(p));
}

/* A second thread frees what the first has freed already. */
static void *free_it(void *p)
{
	free(p);
	return NULL;
}

enum { MANY = 20000 };

/*
 * Every pointer is freed once, the first of them twice, with nothing handed
 * out in between: it may not be lost, though it may be reported late.
 */
static void double_free_after_many(void)
{
	static void *p[MANY];
	unsigned int i;

	for (i = 0; i < MANY; i++) {
		p[i] = malloc(64);
		CHECK(p[i]);
	}
	trap_expect("%p", p[0]);
	for (i = 0; i < MANY; i++)
		free(p[i]);
	free(opaque(p[0]));
	/* Late reports come when the caches are flushed. */
	malloc_trim(0);
}

static void double_free_after_some(void)
{
	static void *p[100];
	unsigned int i;

	for (i = 0; i < 100; i++) {
		p[i] = malloc(64);
		CHECK(p[i]);
	}
	trap_expect("%p", p[90]);
	for (i = 0; i < 100; i++)
		free(p[i]);
	free(opaque(p[90]));
	malloc_trim(0);
}

static void double_free_in_two_threads(void)
{
	static void *p[MANY];
	unsigned int i;
	pthread_t t;

	for (i = 0; i < MANY; i++) {
		p[i] = malloc(64);
		CHECK(p[i]);
	}
	trap_expect("%p", p[5]);
	for (i = 0; i < MANY; i++)
		free(p[i]);
	malloc_trim(0);
	CHECK(pthread_create(&t, NULL, free_it, opaque(p[5])) == 0);
	CHECK(pthread_join(t, NULL) == 0);
	malloc_trim(0);
}

static void interior_of(size_t n, size_t offset)
{
	char *p = (char *)malloc(n);

	CHECK(p);
	free(named(p + offset));
	malloc_trim(0);
}

static void interior_small(void)
{
	interior_of(64, 16);
}

static void interior_medium(void)
{
	interior_of(3000, 1024);
}

static void interior_odd(void)
{
	interior_of(64, 3);
}

static void interior_large(void)
{
	interior_of(1 << 20, 4096);
}

static void interior_large_far(void)
{
	interior_of(8 << 20, 7 << 20);
}

static void interior_large_by_16(void)
{
	interior_of(1 << 20, 16);
}

static void realloc_freed_large(void)
{
	void *p = malloc(1 << 20);

	CHECK(p);
	free(p);
	p = realloc(named(p), 2 << 20);
	free(p);
}

static void realloc_freed_small(void)
{
	void *p = malloc(64);

	CHECK(p);
	free(p);
	p = realloc(named(p), 5000);
	malloc_trim(0);
}

static void usable_size_freed_large(void)
{
	void *p = malloc(1 << 20);

	CHECK(p);
	free(p);
	CHECK(malloc_usable_size(named(p)) == 0);
}

/* A corrupt program may not report itself into a hang: stdio's lock is held here. */
static void report_under_stdio_lock(void)
{
	flockfile(stderr);
	flockfile(stdout);
	free(named(in_bss + 16));
}

static void *free_foreign(void *p)
{
	free(p);
	return NULL;
}

/* Many threads report at once; lines do not run into each other. */
static void reports_in_threads(void)
{
	pthread_t t[8];
	unsigned int i;

	for (i = 0; i < 8; i++)
		CHECK(pthread_create(&t[i], NULL, free_foreign, opaque(in_bss + i * 8)) == 0);
	for (i = 0; i < 8; i++) {
		CHECK(pthread_join(t[i], NULL) == 0);
		trap_expect("%p", (void *)(in_bss + i * 8));
	}
}

static void report_with_closed_stderr(void)
{
	close(2);
	free(opaque(in_bss + 16));
}

static void report_into_a_full_pipe(void)
{
	static char fill[4096];
	int fds[2];

	CHECK(pipe2(fds, O_NONBLOCK) == 0);
	while (write(fds[1], fill, sizeof(fill)) > 0)
		;
	CHECK(dup2(fds[1], 2) == 2);
	free(opaque(in_bss + 16));
}

/* errno survives a report that goes on. */
static void errno_survives(void)
{
	errno = 1234;
	free(named(in_bss + 16));
	CHECK(errno == 1234);
}

/* The program break is glibc's or the program's: memory there is another heap's. */
static void own_sbrk(void)
{
	char *p = (char *)sbrk(1 << 16);

	CHECK(p != (char *)-1);
	memset(p, 7, 1 << 16);
	churn_once(1, 5000);
	for (int i = 0; i < 1 << 16; i++)
		CHECK(p[i] == 7);
}

#define ABORTS .sig = SIGABRT, .err = "^kmalloc: BUG: ", .err_lines = 1, .ours = true
#define REPORTS(n)                                                                    \
	.options = "panic=0", .err = "^kmalloc: BUG: ", .err_lines = (n), .ours = true

static const struct trap_case cases[] = {
	{ .name = "free of a stack address", .run = free_stack, ABORTS },
	{ .name = "free of a static object", .run = free_static, ABORTS },
	{ .name = "free of a function", .run = free_function, ABORTS },
	{ .name = "free inside another mapping", .run = free_mapped, ABORTS },
	{ .name = "free of an unmapped address", .run = free_unmapped, ABORTS },
	{ .name = "free of a kernel address", .run = free_kernel_address, ABORTS },
	{ .name = "free of a non-canonical address", .run = free_non_canonical, ABORTS },
	{ .name = "free of a small number", .run = free_small_number, ABORTS },
	{ .name = "free of all ones", .run = free_all_ones, ABORTS },
	{ .name = "realloc of a static object", .run = realloc_foreign, ABORTS },
	{ .name = "malloc_usable_size of a static object", .run = usable_size_foreign, ABORTS },
	{ .name = "panic=0 reports a foreign free and goes on", .run = goes_on, REPORTS(1) },
	{ .name = "panic=0 reports six foreign frees and goes on", .run = goes_on_after_all,
	  REPORTS(6) },
	{ .name = "panic=0 realloc of a static object gives NULL", .run = realloc_foreign,
	  REPORTS(1) },
	{ .name = "panic=0 malloc_usable_size of a static object is 0",
	  .run = usable_size_foreign, REPORTS(1) },
	{ .name = "double free of 8 bytes", .run = double_free_8, ABORTS },
	{ .name = "double free of 64 bytes", .run = double_free_64, ABORTS },
	{ .name = "double free of 3000 bytes", .run = double_free_3000, ABORTS },
	{ .name = "double free of 100,000 bytes", .run = double_free_100k, ABORTS },
	{ .name = "double free of 1 MiB", .run = double_free_large, ABORTS },
	{ .name = "double free of 300 MiB", .run = double_free_huge, ABORTS },
	{ .name = "double free of an aligned block", .run = double_free_aligned, ABORTS },
	{ .name = "panic=0 double free of 64 bytes goes on", .run = double_free_64, REPORTS(1) },
	{ .name = "panic=0 double free of 1 MiB goes on", .run = double_free_large, REPORTS(1) },
	{ .name = "double free after 20,000 other frees", .run = double_free_after_many, ABORTS },
	{ .name = "double free after a few other frees", .run = double_free_after_some, ABORTS },
	{ .name = "panic=0 double free after 20,000 other frees", .run = double_free_after_many,
	  REPORTS(1) },
	{ .name = "double free by another thread", .run = double_free_in_two_threads, ABORTS },
	{ .name = "free inside a small object", .run = interior_small, ABORTS },
	{ .name = "free inside a medium object", .run = interior_medium, ABORTS },
	{ .name = "free at an odd address", .run = interior_odd, ABORTS },
	{ .name = "free inside a large block", .run = interior_large, ABORTS },
	{ .name = "free far inside a large block", .run = interior_large_far, ABORTS },
	{ .name = "free 16 bytes into a large block", .run = interior_large_by_16, ABORTS },
	{ .name = "realloc of a freed large block", .run = realloc_freed_large, ABORTS },
	{ .name = "realloc of a freed small block", .run = realloc_freed_small, ABORTS },
	{ .name = "malloc_usable_size of a freed large block", .run = usable_size_freed_large,
	  ABORTS },
	{ .name = "a report while the stdio locks are held", .run = report_under_stdio_lock,
	  ABORTS },
	{ .name = "eight threads report at once", .run = reports_in_threads, REPORTS(8) },
	{ .name = "a report with stderr closed still aborts", .run = report_with_closed_stderr,
	  .sig = SIGABRT, .ours = true },
	{ .name = "a report into a full pipe does not hang", .run = report_into_a_full_pipe,
	  .sig = SIGABRT, .ours = true },
	{ .name = "panic=0 keeps errno over a report", .run = errno_survives, REPORTS(1) },
	{ .name = "memory of a program's own sbrk is left alone", .run = own_sbrk },
};

TRAP_MAIN(cases)

/* SPDX-License-Identifier: MIT */
/*
 * malloc_trim, mallopt, mallinfo, mallinfo2, malloc_info and malloc_stats:
 * their numbers are this heap's and add up, and trimming really gives back.
 */
#include "../traps/trap.h"

enum { NR = 20000 };
static void *blocks[100000];

static size_t in_use(void)
{
	struct mallinfo2 mi = mallinfo2();

	return mi.uordblks + mi.hblkhd;
}

static void check_sums(void)
{
	struct mallinfo2 mi = mallinfo2();

	if (mi.uordblks + mi.fordblks != mi.arena) {
		trap_note("uordblks %zu + fordblks %zu != arena %zu\n", mi.uordblks, mi.fordblks,
			  mi.arena);
		_exit(1);
	}
	CHECK(mi.keepcost <= mi.arena + mi.hblkhd);
	CHECK((mi.hblks == 0) == (mi.hblkhd == 0));
}

static void mallinfo2_grows_by_what_is_allocated(void)
{
	static const size_t sizes[] = { 24, 100, 1000, 5000, 60000 };
	unsigned int i, s;

	for (s = 0; s < 5; s++) {
		size_t n = sizes[s], nr = n > 10000 ? 200 : NR;
		size_t before = in_use(), after;

		for (i = 0; i < nr; i++) {
			blocks[i] = malloc(n);
			CHECK(blocks[i]);
			*(char *)blocks[i] = 1;
		}
		after = in_use();
		check_sums();
		if (after < before + nr * n || after > before + nr * n * 2) {
			trap_note("%zu blocks of %zu: %zu in use before, %zu after\n", nr, n,
				  before, after);
			_exit(1);
		}
		for (i = 0; i < nr; i++)
			free(blocks[i]);
		malloc_trim(0);
		check_sums();
		if (in_use() > before + nr * n / 4) {
			trap_note("%zu blocks of %zu: %zu in use before, %zu after free\n", nr, n,
				  before, in_use());
			_exit(1);
		}
	}
}

static void mallinfo2_counts_large_blocks(void)
{
	size_t before = in_use();
	void *p = malloc(50 << 20), *q = malloc(3 << 20);

	CHECK(p && q);
	CHECK(in_use() >= before + (53 << 20));
	CHECK(in_use() <= before + (60 << 20));
	check_sums();
	p = realloc(p, 80 << 20);
	CHECK(p);
	CHECK(in_use() >= before + (83 << 20));
	free(p);
	free(q);
	CHECK(in_use() < before + (2 << 20));
	check_sums();
}

static void *allocate_and_stay(void *arg)
{
	unsigned int i;

	for (i = 0; i < NR; i++) {
		blocks[i] = malloc(1000);
		CHECK(blocks[i]);
	}
	__atomic_store_n((int *)arg, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n((int *)arg, __ATOMIC_ACQUIRE) != 2)
		usleep(100);
	return NULL;
}

static void mallinfo2_counts_other_threads(void)
{
	size_t before = in_use();
	int stage = 0;
	unsigned int i;
	pthread_t t;

	CHECK(pthread_create(&t, NULL, allocate_and_stay, &stage) == 0);
	while (__atomic_load_n(&stage, __ATOMIC_ACQUIRE) != 1)
		usleep(100);
	CHECK(in_use() >= before + NR * 1000);
	check_sums();
	__atomic_store_n(&stage, 2, __ATOMIC_RELEASE);
	CHECK(pthread_join(t, NULL) == 0);
	CHECK(in_use() >= before + NR * 1000);
	for (i = 0; i < NR; i++)
		free(blocks[i]);
	malloc_trim(0);
	CHECK(in_use() < before + NR * 250);
}

/* Sums taken while others allocate are not exact, but neither negative nor absurd. */
static void mallinfo2_while_threads_allocate(void)
{
	unsigned int i;

	trap_start_churners(3);
	for (i = 0; i < 5000; i++) {
		struct mallinfo2 mi = mallinfo2();

		CHECK(mi.uordblks < (size_t)1 << 32 && mi.fordblks < (size_t)1 << 32);
		CHECK(mi.arena < (size_t)1 << 32 && mi.hblkhd < (size_t)1 << 32);
	}
	trap_stop_churners();
	check_sums();
}

/* mallinfo is the same in fields of an int. */
static void mallinfo_agrees(void)
{
	struct mallinfo (*old)(void) = (struct mallinfo(*)(void))dlsym(RTLD_DEFAULT, "mallinfo");
	struct mallinfo2 mi;
	struct mallinfo narrow;
	void *p = malloc(1 << 20);

	CHECK(p && old);
	mi = mallinfo2();
	narrow = old();
	CHECK(narrow.arena == (int)mi.arena && narrow.uordblks == (int)mi.uordblks);
	CHECK(narrow.fordblks == (int)mi.fordblks && narrow.hblkhd == (int)mi.hblkhd);
	CHECK(narrow.hblks == (int)mi.hblks);
	free(p);
}

static void mallopt_answers(void)
{
	static const int known[] = { M_MXFAST, M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD,
				     M_MMAP_MAX, M_CHECK_ACTION, M_PERTURB, M_ARENA_TEST,
				     M_ARENA_MAX };
	unsigned int i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		CHECK(mallopt(known[i], known[i] == M_MXFAST ? 64 : 0) == 1);
	churn_once(1, 1000);
}

static void mallopt_refuses_what_it_does_not_know(void)
{
	CHECK(mallopt(4711, 1) == 0);
	CHECK(mallopt(-4711, 1) == 0);
}

/* Tags that open are closed in their order, attributes have quotes. */
static bool well_formed(const char *s)
{
	char open[32][32];
	unsigned int depth = 0;
	bool seen = false;

	while ((s = strchr(s, '<')) != NULL) {
		const char *end = strchr(s, '>');
		bool closes = s[1] == '/', empty;
		size_t n;

		if (!end || memchr(s + 1, '<', (size_t)(end - s - 1)))
			return false;
		empty = end[-1] == '/';
		s += 1 + closes;
		n = strcspn(s, " />\n");
		if (n == 0 || n > 31)
			return false;
		if (closes) {
			if (depth == 0 || strncmp(open[depth - 1], s, n) || open[depth - 1][n])
				return false;
			depth--;
		} else if (!empty) {
			if (depth == 32 || (depth == 0 && seen))
				return false;
			memcpy(open[depth], s, n);
			open[depth++][n] = '\0';
			seen = true;
		}
		unsigned int quotes = 0;
		for (; s < end; s++)
			quotes += *s == '"';
		if (quotes & 1)
			return false;
	}
	return seen && depth == 0;
}

static void malloc_info_is_well_formed(void)
{
	char *text = NULL;
	size_t size;
	FILE *f;

	CHECK(well_formed("<a x=\"1\">\n<b/><c y=\"2\"/></a>\n"));
	CHECK(!well_formed("<a><b></a></b>") && !well_formed("<a>") && !well_formed("<a x=\"1>"));
	churn_once(1, 3000);
	f = open_memstream(&text, &size);
	CHECK(f);
	CHECK(malloc_info(0, f) == 0);
	CHECK(fclose(f) == 0);
	CHECK(size > 20 && strncmp(text, "<malloc version=", 16) == 0);
	if (!well_formed(text)) {
		trap_note("%.400s\n", text);
		_exit(1);
	}
	free(text);
}

static void malloc_info_refuses_options(void)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	CHECK(f);
	CHECK(malloc_info(1, f) != 0);
	CHECK(fclose(f) == 0 && size == 0);
	free(text);
}

static void malloc_stats_prints(void)
{
	churn_once(1, 1000);
	errno = 1234;
	malloc_stats();
}

static void trim_answers(void)
{
	unsigned int i;

	for (i = 0; i < NR; i++) {
		blocks[i] = malloc(1000);
		CHECK(blocks[i]);
		memset(blocks[i], 1, 1000);
	}
	for (i = 0; i < NR; i++)
		free(blocks[i]);
	i = (unsigned int)malloc_trim(0);
	CHECK(i == 0 || i == 1);
	/* Nothing is left to give back. */
	malloc_trim(0);
	i = (unsigned int)malloc_trim(0);
	CHECK(i == 0 || i == 1);
	i = (unsigned int)malloc_trim(SIZE_MAX);
	CHECK(i == 0 || i == 1);
	churn_once(1, 1000);
}

static size_t burst(size_t nr, size_t n)
{
	size_t before = trap_rss();
	unsigned int i;

	for (i = 0; i < nr; i++) {
		blocks[i] = malloc(n);
		CHECK(blocks[i]);
		memset(blocks[i], 1, n);
	}
	CHECK(trap_rss() >= before + nr * n);
	return before;
}

static void resident_at_most(size_t before, size_t allowed)
{
	size_t now = trap_rss();

	if (now > before + allowed) {
		trap_note("%zu bytes resident more than before the burst, allowed %zu\n",
			  now - before, allowed);
		_exit(1);
	}
}

static void trim_gives_all_back(void)
{
	static const struct {
		size_t nr, n;
	} bursts[] = { { 100000, 64 }, { 100000, 1000 }, { 20000, 5000 }, { 500, 100000 },
		       { 20, 5 << 20 } };
	unsigned int b, i;

	for (b = 0; b < 5; b++) {
		size_t before = burst(bursts[b].nr, bursts[b].n);

		for (i = 0; i < bursts[b].nr; i++)
			free(blocks[i]);
		malloc_trim(0);
		resident_at_most(before, bursts[b].nr * bursts[b].n / 10 + (1 << 20));
	}
}

/* Pages without live objects are given back also where their slab is in use. */
static void trim_gives_back_pages_between_live_objects(void)
{
	size_t before = burst(100000, 1000);
	unsigned int i;

	for (i = 0; i < 100000; i++)
		if (i % 10)
			free(blocks[i]);
	CHECK(malloc_trim(0) == 1);
	resident_at_most(before, 100000 * 1000 / 10 * 6);
	for (i = 0; i < 100000; i += 10) {
		CHECK(((char *)blocks[i])[0] == 1 && ((char *)blocks[i])[999] == 1);
		free(blocks[i]);
	}
}

static void *free_all(void *arg)
{
	unsigned int i;

	for (i = 0; i < *(unsigned int *)arg; i++)
		free(blocks[i]);
	return NULL;
}

static void trim_gives_back_what_another_thread_freed(void)
{
	unsigned int nr = 100000;
	size_t before = burst(nr, 1000);
	pthread_t t;

	CHECK(pthread_create(&t, NULL, free_all, &nr) == 0);
	CHECK(pthread_join(t, NULL) == 0);
	malloc_trim(0);
	resident_at_most(before, (size_t)nr * 1000 / 10);
}

static void trim_while_threads_allocate(void)
{
	unsigned int i;

	trap_start_churners(3);
	for (i = 0; i < 500; i++)
		malloc_trim(0);
	trap_stop_churners();
}

static void calloc_after_trim_is_zero(void)
{
	unsigned int i, j;

	for (i = 0; i < 1000; i++) {
		blocks[i] = malloc(3000);
		CHECK(blocks[i]);
		memset(blocks[i], 0xee, 3000);
	}
	for (i = 0; i < 1000; i++)
		if (i % 3)
			free(blocks[i]);
	malloc_trim(0);
	for (i = 0; i < 1000; i++) {
		unsigned char *p = (unsigned char *)calloc(1, 3000);

		CHECK(p);
		for (j = 0; j < 3000; j++)
			CHECK(p[j] == 0);
	}
	for (i = 0; i < 1000; i += 3)
		CHECK(((unsigned char *)blocks[i])[2999] == 0xee);
}

static const struct trap_case cases[] = {
	{ .name = "mallinfo2 grows by what is allocated and falls by what is freed",
	  .run = mallinfo2_grows_by_what_is_allocated },
	{ .name = "mallinfo2 counts large blocks", .run = mallinfo2_counts_large_blocks },
	{ .name = "mallinfo2 counts what other threads hold and have left",
	  .run = mallinfo2_counts_other_threads, .ours = true },
	{ .name = "mallinfo2 while threads allocate", .run = mallinfo2_while_threads_allocate },
	{ .name = "mallinfo agrees with mallinfo2", .run = mallinfo_agrees },
	{ .name = "mallopt answers 1 to the parameters of the manual", .run = mallopt_answers },
	{ .name = "mallopt answers 0 to others", .run = mallopt_refuses_what_it_does_not_know,
	  .ours = true },
	{ .name = "malloc_info writes well-formed XML", .run = malloc_info_is_well_formed },
	{ .name = "malloc_info refuses options", .run = malloc_info_refuses_options },
	{ .name = "malloc_stats prints numbers on stderr", .run = malloc_stats_prints,
	  .err = "[a-z].*[0-9]" },
	{ .name = "malloc_trim answers 1 or 0", .run = trim_answers },
	{ .name = "malloc_trim gives bursts back", .run = trim_gives_all_back },
	{ .name = "malloc_trim gives back pages between live objects",
	  .run = trim_gives_back_pages_between_live_objects, .ours = true },
	{ .name = "malloc_trim gives back what another thread freed",
	  .run = trim_gives_back_what_another_thread_freed },
	{ .name = "malloc_trim while threads allocate", .run = trim_while_threads_allocate },
	{ .name = "calloc gives zeros after malloc_trim", .run = calloc_after_trim_is_zero },
};

TRAP_MAIN(cases)

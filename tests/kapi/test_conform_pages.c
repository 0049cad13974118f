// SPDX-License-Identifier: MIT
/*
 * The outcome table of kernel-semantics 5.7 and the numbers of 5.6 as a program sees them: mem=
 * makes a zone of 64 MiB, a shrinker counts the rounds. test_ladder.c has the same from inside.
 */
#include "conform.h"

/* ---- 5.6: the marks ---- */

static void check_marks(unsigned long min, unsigned long step)
{
	struct kmalloc_zone_stats z = zone("Normal");

	CHECK_EQ(z.min, min);
	CHECK_EQ(z.low, min + step);
	CHECK_EQ(z.high, min + 2 * step);
}

/* min = sqrt(KiB * 16) = 1 MiB for 64 MiB, step min / 4 */
static void marks(void)
{
	CHECK_EQ(zone("Normal").managed, 16384);
	check_marks(256, 64);
}

/* min_free_kbytes wins where it is larger */
static void marks_set(void)
{
	check_marks(2048, 512);
}

/* ---- 5.7: one row each ---- */

struct row {
	gfp_t gfp;
	unsigned int order;
	unsigned int passes, notified;
};

static void check_row(const struct row *row)
{
	exhaust();
	CHECK(!alloc_pages(row->gfp | __GFP_NOWARN, row->order));
	CHECK_EQ(seen.passes, row->passes);
	CHECK_EQ(seen.notified, row->notified);
	CHECK_EQ(mem_free(), mark_min());
	if (row->passes)
		CHECK_EQ(seen.gfp & ~__GFP_NOWARN, row->gfp);
}

static void outcomes(void)
{
	static const struct row rows[] = {
		{ GFP_KERNEL, 0, 16 * ROUND, 1 },
		{ GFP_KERNEL, 1, 16 * ROUND, 1 },
		{ GFP_KERNEL, 3, 16 * ROUND, 1 },
		{ GFP_KERNEL | __GFP_NORETRY, 0, 1, 0 },
		{ GFP_KERNEL | __GFP_NORETRY, 3, 1, 0 },
		{ GFP_KERNEL | __GFP_RETRY_MAYFAIL, 0, 16 * ROUND, 0 },
		{ GFP_NOFS, 0, 16 * ROUND, 1 },
		{ GFP_NOIO, 0, 16 * ROUND, 1 },
		{ GFP_NOWAIT, 0, 0, 0 },
		{ GFP_KERNEL & ~__GFP_RECLAIM, 0, 0, 0 },
		{ 0, 0, 0, 0 },
		{ GFP_KERNEL, 4, ROUND, 0 },
		{ GFP_KERNEL, 9, ROUND, 0 },
		{ GFP_KERNEL | __GFP_RETRY_MAYFAIL, 4, 16 * ROUND, 0 },
		{ GFP_KERNEL | __GFP_NORETRY, 4, 1, 0 },
		/* step 15: no notifier for these */
		{ GFP_KERNEL | __GFP_THISNODE, 0, 16 * ROUND, 0 },
		{ GFP_KERNEL | __GFP_DMA, 0, 16 * ROUND, 0 },
		{ GFP_KERNEL | __GFP_DMA32, 0, 16 * ROUND, 0 },
	};
	unsigned int i;

	register_counting(0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i]);
}

/* Steps 13 and 15: progress starts the count again; a notifier that frees makes it start over */
static void progress_resets(void)
{
	register_counting(0);
	exhaust();
	seen.gives = 1;
	seen.gives_after = 15 * ROUND;
	/* one page of the eight that are wanted with each round from now on */
	CHECK(alloc_pages(GFP_KERNEL, 3));
	CHECK(seen.passes > 15 * ROUND);
	CHECK_EQ(seen.notified, 0);
	exhaust();
	seen.notify_gives = 4;
	CHECK(alloc_pages(GFP_KERNEL, 2));
	CHECK_EQ(seen.notified, 1);
}

/* Step 7: who reclaims already does not reclaim for what it allocates itself */
static unsigned long count_and_allocate(struct shrinker *s, struct shrink_control *sc)
{
	struct page *page;

	(void)s;
	(void)sc;
	seen.passes++;
	page = alloc_page(GFP_KERNEL);	/* from the reserve */
	CHECK(page);
	__free_page(page);
	CHECK(!alloc_page(GFP_KERNEL | __GFP_NOMEMALLOC | __GFP_NOWARN));
	return 0;
}

static void no_recursion(void)
{
	struct shrinker *s = shrinker_alloc(0, "recursive");

	CHECK(s);
	s->count_objects = count_and_allocate;
	s->scan_objects = scan_held;
	shrinker_register(s);
	exhaust();
	CHECK(!alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN));
	CHECK_EQ(seen.passes, 1);
}

/* 5.9: one line in ten seconds, of any caller */
static void one_line(void)
{
	unsigned int i;

	exhaust();
	for (i = 0; i < 5; i++) {
		CHECK(!alloc_pages(GFP_KERNEL, 4));
		CHECK(!opaque(kmalloc(100000, GFP_KERNEL | __GFP_NORETRY)) || true);
	}
}

/* ---- 5.1: bulk and nolock at the limit ---- */

/* A bulk gets at least one page if there is one, and says how many there are */
static void bulk_partial(void)
{
	struct page *pages[100] = { NULL };
	unsigned long n;

	exhaust();
	give_back(40);
	n = alloc_pages_bulk(GFP_NOWAIT, 100, pages);
	CHECK(n >= 1 && n <= 40);
	CHECK(pages[n - 1] && !pages[n]);
	while (n)
		__free_page(pages[--n]);
}

/* nolock requests have no rights to the reserve */
static void nolock_at_the_mark(void)
{
	exhaust();
	CHECK(!alloc_pages_nolock(0, -1, 0));
	give_back(200);
	CHECK(alloc_pages_nolock(0, -1, 0));
}

/* ---- 7.4, 7.7: vmalloc at the limit ---- */

static void vmalloc_fails(void)
{
	void *p;

	exhaust();
	CHECK(!vmalloc_huge(1 << 20, GFP_KERNEL | __GFP_NOWARN));
	CHECK(!opaque(__vmalloc(1 << 20, GFP_ATOMIC | __GFP_NOWARN)));
	CHECK(!opaque(kvmalloc(1 << 20, GFP_KERNEL | __GFP_NOWARN)));
	CHECK(!opaque(vzalloc(1 << 20)));	/* one line */
	give_back(600);
	p = vmalloc(1 << 20);
	CHECK(p);
	memset(p, 1, 1 << 20);
	CHECK(mem_free() < mark_min() + 600 - 256 + 1);
	vfree(p);
	CHECK_EQ(mem_free(), mark_min() + 600);
}

/* ---- 2.3, 6.7: the flags of every call reach the ladder ---- */

static struct kmem_cache *cache;

static void *by_kmalloc(gfp_t gfp)
{
	return kmalloc(30000, gfp);
}

static void *by_large_kmalloc(gfp_t gfp)
{
	return kmalloc(300000, gfp);
}

static void *by_kcalloc(gfp_t gfp)
{
	return kcalloc(100, 700, gfp);
}

static void *by_krealloc(gfp_t gfp)
{
	void *p = kmalloc(10, GFP_NOWAIT | __GFP_MEMALLOC), *q;

	CHECK(p);
	q = krealloc(p, 40000, gfp);
	if (!q)
		kfree(p);
	return q;
}

static void *by_cache(gfp_t gfp)
{
	return kmem_cache_alloc(cache, gfp);
}

static void *by_cache_bulk(gfp_t gfp)
{
	static void *p[200];

	return kmem_cache_alloc_bulk(cache, gfp, 200, p) ? p : NULL;
}

static void *by_exact(gfp_t gfp)
{
	return alloc_pages_exact(20480, gfp);
}

static void *by_zeroed_page(gfp_t gfp)
{
	return (void *)get_zeroed_page(gfp);
}

static void *by_vmalloc(gfp_t gfp)
{
	return __vmalloc(300000, gfp);
}

static void *by_kvmalloc(gfp_t gfp)
{
	return kvmalloc(300000, gfp);
}

static void *by_kmemdup(gfp_t gfp)
{
	static const char text[30000];

	return kmemdup(text, sizeof(text), gfp);
}

/* Nobody reclaims for NOWAIT; NOFS and KERNEL get what the shrinker has, which sees their mask. */
static void check_entry(void *(*get)(gfp_t gfp))
{
	exhaust();
	while (opaque(get(GFP_NOWAIT)))	/* what was in its slabs */
		;
	CHECK_EQ(seen.passes, 0);
	CHECK(!opaque(get(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN)));
	CHECK(seen.passes <= 2);
	CHECK_EQ(seen.notified, 0);
	memset(&seen, 0, sizeof(seen));
	seen.gives = 200;
	CHECK(opaque(get(GFP_NOFS)));
	CHECK(seen.passes > 0);
	CHECK_EQ(seen.gfp & (GFP_KERNEL | __GFP_HIGH), GFP_NOFS);
	memset(&seen, 0, sizeof(seen));
	exhaust();
	seen.gives = 200;
	while (!seen.passes)
		CHECK(opaque(get(GFP_KERNEL)));
	CHECK_EQ(seen.notified, 0);
}

static void every_entry(void)
{
	cache = kmem_cache_create("entry", 3000, 0, SLAB_NO_MERGE, NULL);
	CHECK(cache);
	register_counting(0);
	check_entry(by_kmalloc);
	check_entry(by_large_kmalloc);
	check_entry(by_kcalloc);
	check_entry(by_krealloc);
	check_entry(by_cache);
	check_entry(by_cache_bulk);
	check_entry(by_exact);
	check_entry(by_zeroed_page);
	check_entry(by_vmalloc);
	check_entry(by_kvmalloc);
	check_entry(by_kmemdup);
}

static const struct trap_case cases[] = {
	{ .name = "5.6 the marks of 64 MiB", .run = marks, .options = LIMIT, SILENT },
	{ .name = "5.6 min_free_kbytes", .run = marks_set, .options = LIMIT " min_free_kbytes=8192",
	  SILENT },
	{ .name = "5.7 every row of the outcome table", .run = outcomes, .options = LIMIT, SILENT },
	{ .name = "5.7 progress starts the count again", .run = progress_resets, .options = LIMIT,
	  SILENT },
	{ .name = "5.7 a shrinker's own requests do not reclaim", .run = no_recursion,
	  .options = LIMIT, SILENT },
	{ .name = "5.9 one line in ten seconds", .run = one_line, .options = LIMIT,
	  WARNS(1, "page allocation failure: order:4, mode:0xcc0\\(GFP_KERNEL\\), nodemask=\\(null\\)") },
	{ .name = "5.1 a bulk may get fewer pages", .run = bulk_partial, .options = LIMIT, SILENT },
	{ .name = "5.1 alloc_pages_nolock stops at the mark", .run = nolock_at_the_mark,
	  .options = LIMIT, SILENT },
	{ .name = "6.7 the flags of every call reach the ladder", .run = every_entry,
	  .options = LIMIT, SILENT },
	{ .name = "7.7 vmalloc at the limit", .run = vmalloc_fails, .options = LIMIT,
	  WARNS(1, "vmalloc error: size 1048576") },
};

TRAP_MAIN(cases)

/* SPDX-License-Identifier: MIT */
/*
 * What the conformance tests of flags share: the limit of mem= used up to a mark, a shrinker and a
 * notifier that count and give pages back. Public headers alone; each case is a process.
 */
#ifndef TESTS_KAPI_CONFORM_H
#define TESTS_KAPI_CONFORM_H

#include "kapi.h"
#include <kmalloc/kmalloc.h>
#include <kmalloc/mm.h>
#include <kmalloc/shrinker.h>
#include <kmalloc/stats.h>
#include <kmalloc/vmalloc.h>

#define LIMIT	"mem=64M oom=null"
#define SILENT	.err = ""
#define WARNS(n, what) .err = what, .err_lines = (n)
/* passes of the shrinkers in a round without progress: priorities 12 to 1 */
#define ROUND	12u

#define CHECK_EQ(a, b) do { \
	long a_ = (long)(a), b_ = (long)(b); \
	if (a_ != b_) { \
		trap_note("%s:%d: %s is %ld, not %ld\n", __FILE__, __LINE__, #a, a_, b_); \
		_exit(1); \
	} \
} while (0)

enum { MAX_HELD = 20000 };

static struct page *held[MAX_HELD];
static unsigned int nr_held;

static struct {
	unsigned int passes;	/* calls of count_objects */
	unsigned int scans;	/* calls of scan_objects */
	unsigned int notified;
	unsigned int gives;	/* pages that a scan gives back, as long as there are */
	unsigned int gives_after;	/* passes before it does */
	unsigned int notify_gives;
	gfp_t gfp;		/* as the callback saw it */
	pid_t thread;		/* that scanned last */
} seen;

static inline struct kmalloc_zone_stats zone(const char *name)
{
	struct kmalloc_zone_stats z;

	CHECK(kmalloc_zone_stats(name, &z) == 0);
	return z;
}

static inline unsigned long mem_free(void)
{
	return zone("Normal").free;
}

static inline unsigned long mark_min(void)
{
	return zone("Normal").min;
}

/* Single pages until the request fails; how many there were. */
static inline unsigned int eat(gfp_t gfp)
{
	unsigned int n = 0;
	struct page *page;

	while (nr_held < MAX_HELD && (page = alloc_page(gfp | __GFP_NOWARN))) {
		held[nr_held++] = page;
		n++;
	}
	return n;
}

static inline unsigned int give_back(unsigned int n)
{
	unsigned int given = 0;

	while (given < n && nr_held) {
		__free_page(held[--nr_held]);
		given++;
	}
	return given;
}

/* More objects than a pass ever looks at, none of which comes free unless seen.gives says so. */
static unsigned long count_many(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	seen.passes++;
	seen.gfp = sc->gfp_mask;
	return 1ul << 20;
}

static unsigned long scan_held(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	seen.scans++;
	seen.thread = (pid_t)syscall(SYS_gettid);
	if (!seen.gives || seen.passes <= seen.gives_after)
		return SHRINK_STOP;
	return give_back(seen.gives);
}

static int notify_held(struct notifier_block *nb, unsigned long action, void *data)
{
	(void)nb;
	(void)action;
	seen.notified++;
	*(unsigned long *)data += give_back(seen.notify_gives);
	return NOTIFY_OK;
}

static inline void register_counting(unsigned int flags)
{
	static struct notifier_block nb = { .notifier_call = notify_held };
	struct shrinker *s = shrinker_alloc(flags, "conform");

	CHECK(s);
	s->count_objects = count_many;
	s->scan_objects = scan_held;
	shrinker_register(s);
	CHECK(register_oom_notifier(&nb) == 0);
}

/* Free is min exactly, as where GFP_KERNEL fails, and nothing has been seen yet. */
static inline void exhaust(void)
{
	memset(&seen, 0, sizeof(seen));
	eat(GFP_KERNEL | __GFP_NORETRY);
	CHECK_EQ(mem_free(), mark_min());
	memset(&seen, 0, sizeof(seen));
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * fail_nth = 1, 2, 3, ... until nothing fails any more (kernel-semantics 9.4).
 *
 * A scenario allocates, checks what it got or what failed, and frees all of it; it says whether a
 * call failed. walk() runs it once for each n. After each run no object, no page and no area is
 * in use that was not before; a call that fails says so as documented, with ENOMEM in errno where
 * it returns a pointer; nothing is printed. For processes of their own, as trap.h makes them.
 */
#ifndef TESTS_KAPI_FAIL_NTH_H
#define TESTS_KAPI_FAIL_NTH_H

#include <limits.h>
#include <kmalloc/fault.h>
#include <kmalloc/kmalloc.h>
#include <kmalloc/mempool.h>
#include <kmalloc/mm.h>
#include <kmalloc/shrinker.h>
#include <kmalloc/stats.h>
#include <kmalloc/vmalloc.h>

#define KIB	1024ul
#define MIB	(1024 * KIB)
#define SILENT	.options = "fail_verbose=0", .err = ""

/* ---- what is in use ---- */

struct usage {
	unsigned long objects;		/* in all caches, not counting those in sheaves */
	unsigned long hash;		/* of each cache with objects in use */
	unsigned long slab_pages;
	unsigned long committed;	/* pages handed out: slabs, blocks, areas */
	unsigned long vmalloc_pages;
};

static inline int add_cache(const struct kmalloc_cache_stats *st, void *arg)
{
	struct usage *u = (struct usage *)arg;
	unsigned long live = st->active_objs - st->sheaf_objs;
	const char *p;

	u->slab_pages += st->nr_slabs * st->pages_per_slab;
	if (!live)	/* caches come into being at their first use */
		return 0;
	u->objects += live;
	for (p = st->name; *p; p++)
		u->hash = u->hash * 31 + (unsigned char)*p;
	u->hash = u->hash * 31 + live;
	return 0;
}

/*
 * With the sheaves put away. What vunmap() frees inside of the library is on its way home until
 * the thread misses: no candidate does that.
 */
static inline struct usage in_use(void)
{
	struct kmalloc_zone_stats zone;
	struct usage u;

	kfree(kmalloc(8, GFP_KERNEL | __GFP_NOFAIL));
	memset(&u, 0, sizeof(u));
	kmalloc_for_each_cache(add_cache, &u);
	CHECK(kmalloc_zone_stats("Normal", &zone) == 0);
	u.committed = zone.committed;
	u.vmalloc_pages = vmalloc_nr_pages();
	return u;
}

/* Pages that a slot keeps for its next slabs are handed out too: at most so many. */
static inline unsigned long kept_pages(void)
{
	return 64 * 65536 / (unsigned long)sysconf(_SC_PAGESIZE);
}

static inline void check_same(const struct usage *before, const struct usage *after, unsigned int n)
{
	unsigned long pages = before->committed - before->slab_pages,
		      now = after->committed - after->slab_pages;

	if (before->hash == after->hash && before->objects == after->objects &&
	    before->vmalloc_pages == after->vmalloc_pages && now <= pages + kept_pages())
		return;
	trap_note("after n = %u: %lu objects, %lu pages of areas, %lu others; before %lu, %lu, "
		  "%lu\n", n, after->objects, after->vmalloc_pages, now, before->objects,
		  before->vmalloc_pages, pages);
	_exit(1);
}

/* ---- the loop ---- */

static inline void all_can_fail(void)
{
	CHECK(fault_option_set("failslab.ignore-gfp-wait", 0));
	CHECK(fault_option_set("fail_page_alloc.ignore-gfp-wait", 0));
	CHECK(fault_option_set("fail_page_alloc.ignore-gfp-highmem", 0));
	CHECK(fault_option_set("fail_page_alloc.min-order", 0));
}

/* Without sheaves and with what the library makes once. */
static inline struct usage settle(bool (*run)(void))
{
	fail_nth_set(INT_MAX);
	CHECK(!run());
	CHECK(!run());
	return in_use();
}

/* One walk; the number of failures. absorbed: a failure may be made good inside of the call. */
static inline unsigned int walk_once(bool (*run)(void), bool absorbed)
{
	struct usage before = settle(run), after;
	unsigned int n, left;
	bool failed;

	for (n = 1;; n++) {
		CHECK(n < 10000);
		fail_nth_set(n);
		errno = 0;
		failed = run();
		left = fail_nth_get();
		fail_nth_set(INT_MAX);
		after = in_use();
		check_same(&before, &after, n);
		CHECK(left ? !failed : failed || absorbed);
		if (left)
			break;
	}
	fail_nth_set(0);
	return n - 1;
}

/* Twice: what the first walk left behind is there after the second, and not twice. */
static inline unsigned int walk_any(bool (*run)(void), bool absorbed)
{
	struct usage first, second;
	unsigned int failures;

	all_can_fail();
	failures = walk_once(run, absorbed);
	first = settle(run);
	CHECK(walk_once(run, absorbed) > 0);
	second = settle(run);
	CHECK(second.committed <= first.committed);
	fail_nth_set(0);
	CHECK(!run());
	return failures;
}

static inline void walk(bool (*run)(void), unsigned int at_least)
{
	CHECK(walk_any(run, false) >= at_least);
}

static inline void walk_absorbing(bool (*run)(void), unsigned int at_least)
{
	CHECK(walk_any(run, true) >= at_least);
}

/* ---- pointers that are NULL or good ---- */

static inline bool failed(const void *p)
{
	if (p)
		return false;
	CHECK(errno == ENOMEM);
	errno = 0;
	return true;
}

static inline bool try_block(void *p, size_t size, void (*put)(const void *))
{
	if (failed(opaque(p)))
		return true;
	memset(p, 0x5a, size < 5000 ? size : 5000);
	((unsigned char *)p)[size - 1] = 0x5a;
	put(p);
	return false;
}

static inline void set_rate(const char *name, unsigned long probability, long times)
{
	struct fault_attr attr;

	CHECK(fault_attr_get(name, &attr));
	attr.probability = probability;
	attr.times = times;
	CHECK(fault_attr_set(name, &attr));
}

#endif

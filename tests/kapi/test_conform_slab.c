// SPDX-License-Identifier: MIT
/*
 * What kernel-semantics sections 1, 2, 13.1, 13.4, 13.5 and 14.1 promise of kmalloc and of slab
 * caches and no other test shows; 13.4 is lib/test_meminit.c row by row.
 */
#include "conform.h"
#include <kmalloc/fault.h>

#define GARBAGE		0x9e
#define BULK_SIZE	100

static void *get(size_t size)
{
	void *p = opaque(kmalloc(size, GFP_KERNEL));

	CHECK(p);
	return p;
}

static struct kmem_cache *make(const char *name, unsigned int size, slab_flags_t flags)
{
	struct kmem_cache *s = kmem_cache_create(name, size, 0, flags, NULL);

	CHECK(s);
	return s;
}

/* ---- 1.8 ---- */

/* Pages of alloc_pages are no kmalloc allocation: named, and still the caller's. */
static void kfree_of_pages(void)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);
	char *p = (char *)page_address(page);

	memset(p, 7, 16384);
	trap_expect("%p", (void *)p);
	kfree(opaque(p));
	CHECK_EQ(page_count(page), 1);
	CHECK(kapi_all(p, 7, 16384));
	__free_pages(page, 2);
}

/* kfree and kfree_bulk of objects of caches; a large one is whole after it (ksize) */
static void kfree_of_cache_objects(void)
{
	struct kmem_cache *s = make("any", 200, SLAB_NO_MERGE);
	void *p[3];
	struct kmalloc_cache_stats st;

	kfree(kmem_cache_alloc(s, GFP_KERNEL));
	p[0] = kmem_cache_alloc(s, GFP_KERNEL);
	p[1] = get(300000);
	p[2] = get(10);
	CHECK_EQ(ksize(p[1]), 1 << 19);
	kfree_bulk(3, p);
	CHECK_EQ(kmem_cache_shrink(s), 0);
	CHECK(!kmalloc_cache_get_stats("any", &st) && st.nr_slabs == 0);
	kmem_cache_destroy(s);
}

/* ---- 2.1 ---- */

static unsigned int constructed;

static void construct(void *p)
{
	memset(p, 'A', 8);
	constructed++;
}

struct packet {
	long a;
	char b[40];
};

struct letter {
	long a;
	char b[40];
};

/* Both shapes of the call, KMEM_CACHE and its sister; the name is copied, the size kept */
static void creation(void)
{
	struct kmem_cache_args args = { .align = 256, .ctor = construct };
	char name[] = "copied";
	struct kmem_cache *s[6];
	struct kmalloc_cache_stats st;
	unsigned int i;
	void *p;

	s[0] = kmem_cache_create(name, 100, 64, SLAB_NO_MERGE, construct);
	s[1] = kmem_cache_create("args", 100, &args, SLAB_NO_MERGE);
	s[2] = kmem_cache_create("null", 100, NULL, SLAB_NO_MERGE);
	s[3] = KMEM_CACHE(packet, SLAB_NO_MERGE);
	s[4] = KMEM_CACHE_USERCOPY(letter, SLAB_NO_MERGE, b);
	s[5] = kmem_cache_create_usercopy("user", 100, 8, 0, 20, 30, NULL);
	memset(name, 'x', 6);
	CHECK(!kmalloc_cache_get_stats("copied", &st));
	for (i = 0; i < 6; i++) {
		CHECK(s[i]);
		p = kmem_cache_alloc(s[i], GFP_KERNEL);
		CHECK(p && kapi_aligned(p, i == 0 ? 64 : i == 1 ? 256 : 8));
		CHECK_EQ(kmem_cache_size(s[i]), i == 3 || i == 4 ? sizeof(struct packet) : 100);
		CHECK(i > 1 || kapi_all(p, 'A', 8));
		kmem_cache_free(s[i], p);
		kmem_cache_destroy(s[i]);
	}
	kmem_cache_destroy(NULL);
}

/* A window outside of the object is warned about, and the cache is made */
static void bad_usercopy(void)
{
	struct kmem_cache *s;

	s = kmem_cache_create_usercopy("window", 100, 0, 0, 90, 20, NULL);
	CHECK(s);
	kmem_cache_destroy(s);
	s = kmem_cache_create_usercopy("window", 100, 0, 0, 8, 0, NULL);
	CHECK(s);
	kmem_cache_destroy(s);
}

static void odd_names(void)
{
	struct kmem_cache *s = make("name", 100, SLAB_NO_MERGE);
	struct kmem_cache *t = make("name", 100, SLAB_NO_MERGE);
	struct kmem_cache *u = make("two words", 100, SLAB_NO_MERGE);

	CHECK(s != t);
	kmem_cache_destroy(s);
	kmem_cache_destroy(t);
	kmem_cache_destroy(u);
}

static void slab_panic(void)
{
	kmem_cache_create("panic", 100, 0, SLAB_PANIC | SLAB_FAILSLAB, NULL);
}

static void rcu_refused(void)
{
	CHECK(!kmem_cache_create("rcu", 100, 0, SLAB_TYPESAFE_BY_RCU, NULL));
}

/* ---- 2.2: flags that may be given, and what they do ---- */

static void cache_flags(void)
{
	static const slab_flags_t quiet[] = {
		SLAB_CONSISTENCY_CHECKS, SLAB_RED_ZONE, SLAB_POISON, SLAB_STORE_USER,
		SLAB_HWCACHE_ALIGN, SLAB_ACCOUNT, SLAB_RECLAIM_ACCOUNT, SLAB_TEMPORARY,
		SLAB_NO_MERGE, SLAB_NO_USER_FLAGS, SLAB_NOLEAKTRACE, SLAB_DEBUG_OBJECTS, SLAB_KMALLOC, SLAB_PANIC,
		SLAB_CACHE_DMA, SLAB_CACHE_DMA32, 0,
	};
	unsigned int i, k;

	for (i = 0; i < sizeof(quiet) / sizeof(quiet[0]); i++) {
		struct kmem_cache *s = make("flags", 72, quiet[i]);
		void *p[50];

		CHECK(s);
		for (k = 0; k < 50; k++) {
			p[k] = kmem_cache_alloc(s, GFP_KERNEL);
			CHECK(p[k]);
			CHECK(quiet[i] != SLAB_HWCACHE_ALIGN || kapi_aligned(p[k], 64));
			CHECK(quiet[i] != SLAB_CACHE_DMA || (uintptr_t)p[k] < 2ul << 30);
			CHECK(quiet[i] != SLAB_CACHE_DMA32 || (uintptr_t)p[k] < 4ul << 30);
			memset(p[k], 0xff, 72);
		}
		kmem_cache_free_bulk(s, 50, p);
		kmem_cache_destroy(s);
	}
}

/* 6.3: a zone flag of the caller counts for kmalloc alone; a cache has its own */
static void zone_is_the_caches(void)
{
	struct kmem_cache *s = make("dma", 72, SLAB_CACHE_DMA | SLAB_NO_MERGE);

	CHECK((uintptr_t)kmem_cache_alloc(s, GFP_KERNEL) < 2ul << 30);
	CHECK((uintptr_t)kmem_cache_alloc(s, GFP_KERNEL | GFP_DMA) < 2ul << 30);
}

/* ---- 2.3, 13.7 #7 ---- */

/* A bulk that fails leaves nothing: as many objects can be had afterwards as before. */
static void bulk_fails_whole(void)
{
	enum { NR = 30000 };
	struct kmem_cache *s = make("bulk", 4000, SLAB_NO_MERGE);
	struct kmalloc_cache_stats st;
	static void *p[NR];
	size_t n = 0;

	CHECK_EQ(kmem_cache_alloc_bulk(s, GFP_KERNEL | __GFP_NOWARN, NR, p), 0);
	while (n < NR && (p[n] = kmem_cache_alloc(s, GFP_KERNEL | __GFP_NOWARN)))
		n++;
	CHECK(n > 14000 && n < NR);
	kmem_cache_free_bulk(s, n, p);
	CHECK(!kmalloc_cache_get_stats("bulk", &st));
	CHECK_EQ(st.active_objs, st.sheaf_objs);
	CHECK_EQ(kmem_cache_alloc_bulk(s, GFP_KERNEL, 1000, p), 1000);
	kmem_cache_free_bulk(s, 1000, p);
	kmem_cache_destroy(s);
}

/* 9.3: a bulk is one candidate, and fails whole */
static void bulk_injected(void)
{
	struct kmem_cache *s = make("bulk", 100, SLAB_NO_MERGE);
	struct kmalloc_cache_stats st;
	void *p[10];

	CHECK_EQ(kmem_cache_alloc_bulk(s, GFP_KERNEL, 10, p), 10);
	kmem_cache_free_bulk(s, 10, p);
	CHECK_EQ(kmem_cache_alloc_bulk(s, GFP_KERNEL, 10, p), 0);
	CHECK(!kmalloc_cache_get_stats("bulk", &st));
	CHECK_EQ(st.active_objs, st.sheaf_objs);
}

/* ---- 2.4 ---- */

static void free_mixups(struct kmem_cache *s)
{
	struct kmem_cache *t = make("theirs", 64, SLAB_NO_MERGE);
	void *p = kmem_cache_alloc(t, GFP_KERNEL);

	memset(p, 1, 64);
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	kmem_cache_free(s, NULL);
	kmem_cache_free(s, p);
	kmem_cache_free(s, get(300000));
	CHECK_EQ(kmem_cache_shrink(s), 0);
	CHECK(kapi_all(p, 1, 64));
	kmem_cache_free(t, p);
	CHECK_EQ(kmem_cache_shrink(t), 0);
}

/* With checks a mix-up is named at the call, without when it leaves the sheaf; NULL always. */
static void free_mixups_checked(void)
{
	struct kmem_cache *s = make("mine", 64, SLAB_NO_MERGE | SLAB_CONSISTENCY_CHECKS);

	free_mixups(s);
	CHECK(kmem_cache_alloc(s, GFP_KERNEL));
}

static void free_mixups_unchecked(void)
{
	free_mixups(make("mine", 64, SLAB_NO_MERGE));
}

static void free_of_null(void)
{
	struct kmem_cache *s = make("mine", 64, SLAB_NO_MERGE);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	kmem_cache_free(s, p);
	kmem_cache_free(s, NULL);
	CHECK(kmem_cache_alloc(s, GFP_KERNEL) == p);
}

/* ---- 2.5, 13.1 test_leak_destroy ---- */

static void leak_destroy(void)
{
	struct kmem_cache *s = make("TestSlub_leak_destroy", 64, SLAB_NO_MERGE), *t;
	char *p = (char *)kmem_cache_alloc(s, GFP_KERNEL);

	memset(p, 5, 64);
	trap_expect("Object %p @offset=", (void *)p);
	kmem_cache_destroy(s);
	CHECK(kapi_all(p, 5, 64));
	/* the name is free again, and a cache of that name is another one */
	t = make("TestSlub_leak_destroy", 64, SLAB_NO_MERGE);
	CHECK(t != s && kmem_cache_alloc(t, GFP_KERNEL) != p);
	kfree(p);
}

/* The last of two users of a merged cache ends it: nothing is reported before. 2.6, 13.7 #16 */
static void merged_destroy(void)
{
	struct kmem_cache *s = make("one", 60, 0), *t = make("two", 64, 0);
	struct kmalloc_cache_stats st;
	char *p;

	CHECK(s == t);
	CHECK_EQ(kmem_cache_size(s), 64);
	p = (char *)kmem_cache_zalloc(s, GFP_KERNEL);
	CHECK(kapi_all(p, 0, 64));
	kmem_cache_destroy(s);
	memset(p, 1, 64);
	/* the survivor alone is listed */
	CHECK(kmalloc_cache_get_stats("two", &st) == -ENOENT);
	CHECK(!kmalloc_cache_get_stats("one", &st));
	kmem_cache_free(t, p);
	kmem_cache_destroy(t);
}

static void nomerge(void)
{
	CHECK(make("one", 64, 0) != make("two", 64, 0));
}

/* 13.7 #16: what has something of its own does not share */
static void unlike_caches(void)
{
	struct kmem_cache *s = make("plain", 64, 0);

	CHECK(make("plain2", 60, 0) == s);
	CHECK(kmem_cache_create("ctor", 64, 0, 0, construct) != s);
	CHECK(make("nomerge", 64, SLAB_NO_MERGE) != s);
	CHECK(make("debug", 64, SLAB_RED_ZONE) != s);
	CHECK(kmem_cache_create_usercopy("user", 64, 0, 0, 0, 8, NULL) != s);
	CHECK(make("account", 64, SLAB_ACCOUNT) != s);
	CHECK(make("smaller", 48, 0) != s);
}

/* 14.1 #9: the constructor runs once a slot, not once an allocation */
static void ctor_once(void)
{
	struct kmem_cache *s = kmem_cache_create("ctor", 64, 0, 0, construct);
	unsigned int i, first;
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	first = constructed;
	CHECK(first > 1);
	for (i = 0; i < 1000; i++) {
		kmem_cache_free(s, p);
		p = kmem_cache_alloc(s, GFP_KERNEL);
		CHECK(kapi_all(p, 'A', 8));
	}
	CHECK_EQ(constructed, first);
}

/* 14.1 #18: the array of a bulk free is the library's to permute, its objects are all free */
static void bulk_array(void)
{
	struct kmem_cache *s = make("array", 64, SLAB_NO_MERGE);
	void *p[BULK_SIZE];

	CHECK_EQ(kmem_cache_alloc_bulk(s, GFP_KERNEL, BULK_SIZE, p), BULK_SIZE);
	kmem_cache_free_bulk(NULL, BULK_SIZE, p);
	kmem_cache_free_bulk(s, 0, p);
	CHECK_EQ(kmem_cache_shrink(s), 0);
}

/* ---- 13.4: lib/test_meminit.c, under init_on_alloc or init_on_free ---- */

static void meminit_pages(void)
{
	unsigned int order, i;

	for (order = 0; order <= MAX_PAGE_ORDER; order++)
		for (i = 0; i < 2; i++) {
			void *p = (void *)__get_free_pages(GFP_KERNEL, order);

			CHECK(p && kapi_all(p, 0, 4096ul << order));
			memset(p, GARBAGE, 4096ul << order);
			free_pages((unsigned long)p, order);
		}
}

static void meminit_kvmalloc(void)
{
	unsigned int shift, i;
	void *p;

	for (shift = 0; shift < 20; shift++)
		for (i = 0; i < 3; i++) {
			size_t size = (size_t)1 << shift;

			p = get(size);
			CHECK(kapi_all(p, 0, ksize(p)));
			memset(p, GARBAGE, size);
			kfree(p);
			p = vmalloc(size);
			CHECK(p && kapi_all(p, 0, size));
			memset(p, GARBAGE, size);
			vfree(p);
			p = kvmalloc(size, GFP_KERNEL);
			CHECK(p && kapi_all(p, 0, size));
			memset(p, GARBAGE, size);
			kvfree(p);
		}
}

static void construct_meminit(void *p)
{
	memset(p, 0x41, 4);
}

static void check_object(void *p, size_t size, bool ctor)
{
	CHECK(p);
	if (ctor)
		CHECK(kapi_all(p, 0x41, 4));
	else
		CHECK(kapi_all(p, 0, size));
	memset((char *)p + 4 * ctor, GARBAGE, size - 4 * ctor);
}

static void meminit_cache_size(unsigned int size, bool ctor, bool zero)
{
	struct kmem_cache *s = kmem_cache_create("test_cache", size, 1, 0,
						 ctor ? construct_meminit : NULL);
	gfp_t gfp = GFP_KERNEL | (zero ? __GFP_ZERO : 0);
	void *p[BULK_SIZE];
	unsigned int iter, i;

	CHECK(s);
	for (iter = 0; iter < 10; iter++) {
		if (!ctor) {
			CHECK_EQ(kmem_cache_alloc_bulk(s, gfp, BULK_SIZE, p), BULK_SIZE);
			for (i = 0; i < BULK_SIZE; i++)
				check_object(p[i], size, false);
			kmem_cache_free_bulk(s, BULK_SIZE, p);
		}
		p[0] = kmem_cache_alloc(s, gfp);
		check_object(p[0], size, ctor);
		kmem_cache_free(s, p[0]);
	}
	kmem_cache_destroy(s);
}

static void meminit_caches(void)
{
	unsigned int shift;

	for (shift = 3; shift < 13; shift++) {
		meminit_cache_size(1u << shift, false, false);
		meminit_cache_size(1u << shift, false, true);
		meminit_cache_size(1u << shift, true, false);
	}
}

static void meminit_bulk_of_size(unsigned int size)
{
	struct kmem_cache *s = kmem_cache_create("test_cache", size, size, 0, NULL);
	void *p[10];
	unsigned int i, iter;

	CHECK(s);
	for (iter = 0; iter < 200; iter++) {
		CHECK_EQ(kmem_cache_alloc_bulk(s, GFP_KERNEL, 10, p), 10);
		for (i = 0; i < 10; i++) {
			CHECK(kapi_aligned(p[i], size));
			check_object(p[i], size, false);
		}
		kmem_cache_free_bulk(s, 10, p);
	}
	kmem_cache_destroy(s);
}

static void meminit_bulk(void)
{
	unsigned int shift;

	for (shift = 3; shift < 13; shift++)
		meminit_bulk_of_size(1u << shift);
}

/* With both off the rows of __GFP_ZERO hold, and the content of a freed object comes back. */
static void meminit_off(void)
{
	unsigned int shift;
	char *p;

	for (shift = 3; shift < 13; shift++) {
		meminit_cache_size(1u << shift, false, true);
		meminit_cache_size(1u << shift, true, false);
	}
	p = (char *)get(500);
	memset(p, GARBAGE, 500);
	kfree(p);
	CHECK(get(500) == p && kapi_all(p, GARBAGE, 500));
}

/* ---- 13.5 ---- */

/* lib/tests/overflow_kunit.c: a product that overflows is NULL from every allocator */
static void overflow_rows(void)
{
	size_t n = (size_t)opaque((void *)(SIZE_MAX / 4096 + 2)), size = 4096;
	size_t max = (size_t)opaque((void *)SIZE_MAX);
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN;
	void *p = get(8);

	CHECK(!opaque(kmalloc(max, gfp)) && !opaque(kmalloc_array(n, size, gfp)));
	CHECK(!opaque(kmalloc_node(max, gfp, 0)) && !opaque(kmalloc_array_node(n, size, gfp, 0)));
	CHECK(!opaque(kzalloc(max, gfp)) && !opaque(kcalloc(n, size, gfp)));
	CHECK(!opaque(kzalloc_node(max, gfp, 0)) && !opaque(kcalloc_node(n, size, gfp, 0)));
	CHECK(!opaque(kvmalloc(max, gfp)) && !opaque(kvmalloc_array(n, size, gfp)));
	CHECK(!opaque(kvmalloc_node(max, gfp, 0)) && !opaque(kvzalloc(max, gfp)));
	CHECK(!opaque(kvcalloc(n, size, gfp)) && !opaque(kvzalloc_node(max, gfp, 0)));
	CHECK(!opaque(__vmalloc(max, gfp)) && !opaque(vmalloc_array(n, size)));
	CHECK(!opaque(vcalloc(n, size)) && !opaque(krealloc_array(p, n, size, gfp)));
	CHECK(!opaque(krealloc(p, max, gfp)) && !opaque(kvrealloc(p, max, gfp)));
	CHECK(!opaque(kmemdup_array(p, n, size, gfp)));
	CHECK_EQ(ksize(p), 8);
	kfree(p);
}

/*
 * lib/tests/fortify_kunit.c: the compiler knows the size of what each function returns.
 * Compiled with optimisation; without, it knows nothing and the test has nothing to say.
 */
static void alloc_sizes(void)
{
#ifdef __OPTIMIZE__
	void *p = kmalloc(40, GFP_KERNEL), *q = kcalloc(5, 8, GFP_KERNEL);
	void *r = vmalloc(40), *t = kvmalloc(40, GFP_KERNEL);
	void *u = krealloc(kmalloc(8, GFP_KERNEL), 40, GFP_KERNEL);

	CHECK(__builtin_object_size(p, 1) == 40);
	CHECK(__builtin_object_size(q, 1) == 40);
	CHECK(__builtin_object_size(r, 1) == 40);
	CHECK(__builtin_object_size(t, 1) == 40);
	CHECK(__builtin_object_size(u, 1) == 40);
	kfree(p);
	kfree(q);
	vfree(r);
	kvfree(t);
	kfree(u);
#else
	trap_skip("no optimisation");
#endif
}

/* tools/testing/radix-tree test_kmem_cache_bulk: its sequence, without its shim's own counts */
static void radix_tree_bulk(void)
{
	struct kmem_cache *s = make("test_cache", 256, SLAB_PANIC), *t;
	void *p[12];
	unsigned int i;

	for (i = 0; i < 5; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (i = 0; i < 5; i++)
		kmem_cache_free(s, p[i]);
	CHECK_EQ(kmem_cache_alloc_bulk(s, GFP_KERNEL, 5, p), 5);
	kmem_cache_free_bulk(s, 5, p);
	for (i = 0; i < 12; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (i = 0; i < 12; i++)
		kmem_cache_free(s, p[i]);
	t = kmem_cache_create("test_cache2", 128, 128, SLAB_PANIC, NULL);
	CHECK_EQ(kmem_cache_alloc_bulk(t, GFP_KERNEL | __GFP_ZERO, 10, p), 10);
	for (i = 0; i < 10; i++)
		CHECK(kapi_aligned(p[i], 128) && kapi_all(p[i], 0, 128));
	kmem_cache_free_bulk(t, 10, p);
	kmem_cache_destroy(s);
	kmem_cache_destroy(t);
}

/* ---- 9.1, 9.2 seen from the API; 13.7 #15, 14.1 #7 ---- */

static void failslab_third(void)
{
	struct kmem_cache *s = make("third", 100, SLAB_NO_MERGE);
	struct kmem_cache *t = make("other", 100, SLAB_NO_MERGE);
	unsigned int i;

	for (i = 1; i <= 30; i++) {
		void *p = kmem_cache_alloc(s, GFP_KERNEL);

		CHECK_EQ(!p, i % 3 == 0);
		CHECK(kmem_cache_alloc(t, GFP_KERNEL));	/* not in the filter, not counted */
		if (p)
			kmem_cache_free(s, p);
	}
}

static void failslab_defaults(void)
{
	unsigned int i, failed = 0;

	for (i = 0; i < 20; i++) {
		CHECK(opaque(kmalloc(100, GFP_KERNEL)));	/* may wait: spared */
		CHECK(alloc_page(GFP_KERNEL) && alloc_pages(GFP_KERNEL, 2));
		failed += !opaque(kmalloc(100, GFP_NOWAIT));
	}
	CHECK_EQ(failed, 2);	/* times */
}

static void failpage_min_order(void)
{
	struct page *page = alloc_pages(GFP_KERNEL, 4);

	__free_pages(page, 4);
	page = alloc_page(GFP_NOWAIT);
	CHECK(page);
	CHECK(!alloc_pages(GFP_NOWAIT, 1));
	CHECK(!alloc_pages(GFP_NOWAIT, 3));
	CHECK(alloc_pages(GFP_NOWAIT | __GFP_NOFAIL, 1));	/* 9.3: never failed */
}

#define INIT_CASE(opt, what, fn) \
	{ .name = "13.4 " opt ": " what, .run = fn, .options = opt, SILENT }
#define INIT_CASES(opt) \
	INIT_CASE(opt, "test_pages", meminit_pages), \
	INIT_CASE(opt, "test_kvmalloc", meminit_kvmalloc), \
	INIT_CASE(opt, "do_kmem_cache_size", meminit_caches), \
	INIT_CASE(opt, "do_kmem_cache_size_bulk", meminit_bulk)

static const struct trap_case cases[] = {
	{ .name = "1.8 kfree of pages is named and frees nothing", .run = kfree_of_pages,
	  WARNS(1, "^kmalloc: WARNING: kfree of 0x") },
	{ .name = "1.8 kfree and kfree_bulk take objects of caches",
	  .run = kfree_of_cache_objects, SILENT },
	{ .name = "2.1 every shape of kmem_cache_create", .run = creation, SILENT },
	{ .name = "2.1 a usercopy window outside of the object is warned about",
	  .run = bad_usercopy, WARNS(2, "kmem_cache_create\\(window\\): the usercopy region") },
	{ .name = "2.1 a name twice and a name with a blank are warned about", .run = odd_names,
	  WARNS(2, "kmem_cache_create\\(") },
	{ .name = "2.1 SLAB_PANIC ends the program where creation fails", .run = slab_panic,
	  .sig = SIGABRT, .err = "SLAB_PANIC" },
	{ .name = "2.2 SLAB_TYPESAFE_BY_RCU is refused with the reason", .run = rcu_refused,
	  WARNS(1, "RCU") },
	{ .name = "2.2 every flag that may be given", .run = cache_flags, SILENT },
	{ .name = "2.2 the zone of a cache is its own", .run = zone_is_the_caches, SILENT },
	{ .name = "2.3 a bulk that finds no memory leaves nothing", .run = bulk_fails_whole,
	  .options = LIMIT, SILENT },
	{ .name = "2.3 a bulk with an injected failure leaves nothing", .run = bulk_injected,
	  .options = "failslab=2,100,0,-1 failslab.ignore-gfp-wait=N fail_verbose=0", SILENT },
	{ .name = "2.4 with checks what is freed to the wrong cache is named at once",
	  .run = free_mixups_checked, WARNS(3, "object belongs to different cache theirs") },
	{ .name = "2.4 without checks it is named when it leaves the sheaf",
	  .run = free_mixups_unchecked, WARNS(3, "object belongs to different cache theirs") },
	{ .name = "2.4 NULL is named and not handed out", .run = free_of_null,
	  WARNS(1, "kmem_cache_free.mine, 0x0.: object is not in a slab page") },
	{ .name = "2.5 13.1 destruction with live objects", .run = leak_destroy,
	  .err = "kmem_cache_destroy TestSlub_leak_destroy: Slab cache still has objects" },
	{ .name = "2.6 the last user of a merged cache ends it", .run = merged_destroy, SILENT },
	{ .name = "2.6 slab_nomerge: like caches stay apart", .run = nomerge,
	  .options = "slab_nomerge", SILENT },
	{ .name = "2.6 unlike caches stay apart", .run = unlike_caches, SILENT },
	{ .name = "14.1 the constructor runs once a slot", .run = ctor_once, SILENT },
	{ .name = "14.1 kfree_bulk may permute its array", .run = bulk_array, SILENT },
	INIT_CASES("init_on_alloc=1"),
	INIT_CASES("init_on_free=1"),
	{ .name = "13.4 both off: __GFP_ZERO and constructors alone", .run = meminit_off, SILENT },
	{ .name = "13.5 overflowing products are NULL everywhere", .run = overflow_rows, SILENT },
	{ .name = "13.5 the compiler knows the sizes", .run = alloc_sizes, SILENT },
	{ .name = "13.5 test_kmem_cache_bulk", .run = radix_tree_bulk, SILENT },
	{ .name = "13.7 failslab=3,100,0,-1 fails every third", .run = failslab_third,
	  .options = "failslab=3,100,0,-1 failslab.ignore-gfp-wait=N failslab.cache-filter=third "
		     "fail_verbose=0", SILENT },
	{ .name = "9.1 failslab by default spares who may wait, and times counts",
	  .run = failslab_defaults,
	  .options = "failslab=1,100,0,2 fail_page_alloc=1,100,0,-1 fail_verbose=0", SILENT },
	{ .name = "9.1 fail_page_alloc by default spares order 0", .run = failpage_min_order,
	  .options = "fail_page_alloc=1,100,0,-1 fail_verbose=0" },
};

TRAP_MAIN(cases)

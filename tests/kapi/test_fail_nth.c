// SPDX-License-Identifier: MIT
/*
 * fail_nth = 1, 2, 3, ... until nothing fails any more, over the API (kernel-semantics 9.2 to 9.4).
 *
 * A scenario allocates, checks what it got or what failed, and frees all of it; it says whether a
 * call failed. walk() runs it once for each n. After each run no object, no page and no area is
 * in use that was not before; a call that fails says so as documented, with ENOMEM in errno where
 * it returns a pointer; nothing is printed.
 */
#include "kapi.h"

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

static int add_cache(const struct kmalloc_cache_stats *st, void *arg)
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
static struct usage in_use(void)
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
static unsigned long kept_pages(void)
{
	return 64 * 65536 / (unsigned long)sysconf(_SC_PAGESIZE);
}

static void check_same(const struct usage *before, const struct usage *after, unsigned int n)
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

static void all_can_fail(void)
{
	CHECK(fault_option_set("failslab.ignore-gfp-wait", 0));
	CHECK(fault_option_set("fail_page_alloc.ignore-gfp-wait", 0));
	CHECK(fault_option_set("fail_page_alloc.ignore-gfp-highmem", 0));
	CHECK(fault_option_set("fail_page_alloc.min-order", 0));
}

/* Without sheaves and with what the library makes once. */
static struct usage settle(bool (*run)(void))
{
	fail_nth_set(INT_MAX);
	CHECK(!run());
	CHECK(!run());
	return in_use();
}

/* One walk; the number of failures. absorbed: a failure may be made good inside of the call. */
static unsigned int walk_once(bool (*run)(void), bool absorbed)
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
static unsigned int walk_any(bool (*run)(void), bool absorbed)
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

static void walk(bool (*run)(void), unsigned int at_least)
{
	CHECK(walk_any(run, false) >= at_least);
}

static void walk_absorbing(bool (*run)(void), unsigned int at_least)
{
	CHECK(walk_any(run, true) >= at_least);
}

/* ---- pointers that are NULL or good ---- */

static bool failed(const void *p)
{
	if (p)
		return false;
	CHECK(errno == ENOMEM);
	errno = 0;
	return true;
}

static bool try_block(void *p, size_t size, void (*put)(const void *))
{
	if (failed(opaque(p)))
		return true;
	memset(p, 0x5a, size);
	put(p);
	return false;
}

static bool try_zero(void *p, size_t size, void (*put)(const void *))
{
	CHECK(!p || kapi_all(p, 0, size));
	return try_block(p, size, put);
}

static const size_t sizes[] = { 1, 24, 96, 1000, 5000, 20000, 131072, 131073, 1 << 20, 4 << 20 };

#define NR_SIZES	(sizeof(sizes) / sizeof(sizes[0]))

static bool run_kmalloc(void)
{
	static const gfp_t flags[] = {
		GFP_KERNEL, GFP_ATOMIC, GFP_NOWAIT, GFP_KERNEL | __GFP_NORETRY, GFP_NOIO,
		GFP_KERNEL | __GFP_RETRY_MAYFAIL, GFP_KERNEL | __GFP_DMA, GFP_KERNEL_ACCOUNT,
		GFP_KERNEL | __GFP_RECLAIMABLE,
	};
	unsigned int i, j;
	bool any = false;

	for (i = 0; i < NR_SIZES; i++)
		for (j = 0; j < sizeof(flags) / sizeof(flags[0]); j++)
			any |= try_block(kmalloc(sizes[i], flags[j]), sizes[i], kfree);
	return any;
}

static void kmalloc_family(void)
{
	walk(run_kmalloc, NR_SIZES * 9);
}

static bool run_zeroed(void)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < NR_SIZES; i++) {
		size_t size = sizes[i];

		any |= try_zero(kzalloc(size, GFP_KERNEL), size, kfree);
		any |= try_zero(kcalloc(1, size, GFP_KERNEL), size, kfree);
		any |= try_zero(kzalloc_node(size, GFP_KERNEL, 0), size, kfree);
		any |= try_block(kmalloc_array(size, 1, GFP_KERNEL), size, kfree_sensitive);
		any |= try_block(kmalloc_node(size, GFP_KERNEL, 0), size, kfree);
	}
	return any;
}

static void kzalloc_family(void)
{
	walk(run_zeroed, NR_SIZES * 5);
}

static bool run_copies(void)
{
	static char text[30000];
	bool any = false;

	memset(text, 'x', sizeof(text) - 1);
	any |= try_block(kmemdup(text, 5000, GFP_KERNEL), 5000, kfree);
	any |= try_block(kmemdup_array(text, 10, 50, GFP_KERNEL), 500, kfree);
	any |= try_block(kmemdup_nul(text, 30, GFP_KERNEL), 31, kfree);
	any |= try_block(kstrdup(text, GFP_KERNEL), sizeof(text), kfree);
	any |= try_block(kstrndup(text, 3, GFP_KERNEL), 4, kfree);
	any |= try_block((void *)(uintptr_t)kstrdup_const(text, GFP_KERNEL), 10, kfree_const);
	any |= try_block(kvmemdup(text, 100, GFP_KERNEL), 100, kvfree);
	/* a literal is not copied */
	CHECK(kstrdup_const("literal", GFP_KERNEL));
	return any;
}

static void copies(void)
{
	walk(run_copies, 7);
}

/* 9.3: in place no failure; else the old block stays as it was */
static bool run_krealloc(void)
{
	static const size_t steps[] = { 10, 100, 5000, 4000, 100000, 300000, 1 << 20, 90000, 8 };
	unsigned char *p = NULL, *q;
	size_t size = 0;
	bool any = false;
	unsigned int i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		q = (unsigned char *)krealloc(p, steps[i], GFP_KERNEL);
		if (failed(q)) {
			any = true;
			CHECK(kapi_all(p, 0x33, size));
			continue;
		}
		CHECK(kapi_all(q, 0x33, size < steps[i] ? size : steps[i]));
		p = q;
		size = steps[i];
		memset(p, 0x33, size);
	}
	q = (unsigned char *)krealloc_array(p, 1000, 500, GFP_KERNEL | __GFP_ZERO);
	any |= failed(q);
	kfree(q ? q : p);
	return any;
}

static void krealloc_keeps_the_block(void)
{
	walk(run_krealloc, 6);
}

/*
 * kvmalloc of more than a page tries kmalloc, then vmalloc: a failure of the first is made good.
 * kmalloc may not map memory there, so that of the second need not be.
 */
static bool run_kvmalloc(void)
{
	bool any = false;

	any |= try_block(kvmalloc(20000, GFP_KERNEL), 20000, kvfree);
	any |= try_block(kvmalloc(MIB, GFP_KERNEL), MIB, kvfree);
	any |= try_block(kvmalloc_array(100, 1000, GFP_KERNEL), 100000, kvfree);
	any |= try_zero(kvzalloc(200 * KIB, GFP_KERNEL), 200 * KIB, kvfree);
	any |= try_zero(kvcalloc(3, 50 * KIB, GFP_KERNEL), 150 * KIB, kvfree);
	return any;
}

static bool run_kvmalloc_of_a_page(void)
{
	return try_block(kvmalloc(100, GFP_KERNEL), 100, kvfree);
}

static bool run_kvmalloc_above(void)
{
	/* more than kmalloc has: vmalloc alone */
	return try_block(kvmalloc(5 * MIB, GFP_KERNEL), 5 * MIB, kvfree);
}

static void kvmalloc_falls_back(void)
{
	walk_absorbing(run_kvmalloc, 5);
	fail_nth_set(1);
	CHECK(!try_block(kvmalloc(20000, GFP_KERNEL), 20000, kvfree));
	CHECK(fail_nth_get() == 0);
	fail_nth_set(1);
	CHECK(!try_zero(kvcalloc(5, 50 * KIB, GFP_KERNEL), 250 * KIB, kvfree));
	CHECK(fail_nth_get() == 0);
	walk(run_kvmalloc_of_a_page, 1);
	walk(run_kvmalloc_above, 1);
}

static bool run_kvrealloc(void)
{
	static const size_t steps[] = { 100, 3000, 20000, MIB, 6 * MIB, 8 * MIB, 5000 };
	unsigned char *p = NULL, *q;
	size_t size = 0;
	bool any = false;
	unsigned int i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		q = (unsigned char *)kvrealloc(p, steps[i], GFP_KERNEL);
		if (failed(q)) {
			any = true;
			CHECK(kapi_all(p, 0x33, size));
			continue;
		}
		CHECK(kapi_all(q, 0x33, size < steps[i] ? size : steps[i]));
		p = q;
		size = steps[i];
		memset(p, 0x33, size);
	}
	kvfree(p);
	return any;
}

static void kvrealloc_keeps_the_block(void)
{
	walk_absorbing(run_kvrealloc, 6);
}

/* ---- caches ---- */

#define BULK	100

static void make_ones(void *object)
{
	memset(object, 1, 3000);
}

static bool use_sheaf(struct kmem_cache *s)
{
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 30);
	bool any = false;
	void *p;
	int err;

	if (failed(sheaf))
		return true;
	CHECK(kmem_cache_sheaf_size(sheaf) == 30);
	p = kmem_cache_alloc_from_sheaf(s, GFP_KERNEL, sheaf);
	CHECK(p);
	kmem_cache_free(s, p);
	err = kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 200);
	CHECK(err == 0 || err == -ENOMEM);
	CHECK(kmem_cache_sheaf_size(sheaf) == (err ? 29 : 200));
	any = err != 0;
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
	return any;
}

static bool use_cache(struct kmem_cache *s)
{
	void *p[BULK], *one = kmem_cache_alloc(s, GFP_KERNEL), *zero;
	bool any = failed(one);
	int n;

	zero = kmem_cache_alloc_node(s, GFP_ATOMIC, 0);
	any |= failed(zero);
	errno = 0;
	n = kmem_cache_alloc_bulk(s, GFP_KERNEL, BULK, p);
	CHECK(n == BULK || (n == 0 && errno == ENOMEM));
	any |= !n;
	if (n)
		kmem_cache_free_bulk(s, BULK, p);
	any |= use_sheaf(s);
	if (zero)
		kmem_cache_free(s, zero);
	if (one)
		kmem_cache_free(s, one);
	return any;
}

static bool run_cache(void)
{
	struct kmem_cache *s = kmem_cache_create("walked", 3000, 0, SLAB_NO_MERGE, NULL);
	bool any;

	CHECK(s);
	any = use_cache(s);
	kmem_cache_destroy(s);
	s = kmem_cache_create("walked-ctor", 3000, 0, SLAB_HWCACHE_ALIGN, make_ones);
	CHECK(s);
	any |= use_cache(s);
	kmem_cache_shrink(s);
	kmem_cache_destroy(s);
	return any;
}

/* both injectors: the object, and each of the slabs that so many need */
static void caches(void)
{
	walk(run_cache, 20);
}

static bool run_kmem_cache_zalloc(void)
{
	struct kmem_cache *s = kmem_cache_create("zeroed", 200, 0, SLAB_NO_MERGE, NULL);
	void *p = kmem_cache_zalloc(s, GFP_KERNEL);
	bool any = failed(p);

	CHECK(any || kapi_all(p, 0, 200));
	if (p)
		kmem_cache_free(s, p);
	kmem_cache_destroy(s);
	return any;
}

static void zalloc_of_a_cache(void)
{
	walk(run_kmem_cache_zalloc, 2);
}

/* ---- pages ---- */

static bool run_pages(void)
{
	static const gfp_t flags[] = { GFP_KERNEL, GFP_ATOMIC, GFP_HIGHUSER_MOVABLE, GFP_KERNEL |
				       __GFP_COMP | __GFP_ZERO, GFP_KERNEL | GFP_DMA };
	bool any = false;
	unsigned int order, i;

	for (order = 0; order <= MAX_PAGE_ORDER; order++)
		for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
			struct page *page = alloc_pages(flags[i], order);

			any |= failed(page);
			if (page)
				__free_pages(page, order);
		}
	return any;
}

static bool run_free_pages(void)
{
	unsigned long a = __get_free_pages(GFP_KERNEL, 3), b = get_zeroed_page(GFP_KERNEL),
		      c = __get_free_page(GFP_KERNEL), d = __get_dma_pages(GFP_KERNEL, 1);
	bool any = !a || !b || !c || !d;

	CHECK(errno == (any ? ENOMEM : 0));
	free_pages(a, 3);
	free_page(b);
	free_page(c);
	free_pages(d, 1);
	return any;
}

static bool run_exact(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p = alloc_pages_exact(5 * page, GFP_KERNEL);

	if (failed(p))
		return true;
	memset(p, 1, 5 * page);
	free_pages_exact(p, 5 * page);
	return false;
}

static bool run_bulk(void)
{
	struct page *pages[20] = { NULL };
	unsigned long n, i;

	pages[7] = alloc_page(GFP_KERNEL);
	n = alloc_pages_bulk(GFP_KERNEL, 20, pages);
	for (i = 0; i < 20; i++) {
		CHECK((pages[i] != NULL) == (i < n) || (i == 7 && pages[7]));
		if (pages[i])
			__free_page(pages[i]);
	}
	return n < 20;
}

static void pages(void)
{
	walk(run_pages, (MAX_PAGE_ORDER + 1) * 5);
	walk(run_free_pages, 4);
	walk(run_exact, 1);
	/* one that failed may be got by the bulk */
	walk_absorbing(run_bulk, 20);
}

/* ---- vmalloc ---- */

static bool run_vmalloc(void)
{
	bool any = false;

	any |= try_block(vmalloc(5000), 5000, vfree);
	any |= try_zero(vzalloc(300 * KIB), 300 * KIB, vfree);
	any |= try_block(vmalloc_node(5000, 0), 5000, vfree);
	any |= try_zero(vzalloc_node(5000, 0), 5000, vfree);
	any |= try_zero(vmalloc_user(5000), 5000, vfree);
	any |= try_block(vmalloc_32(5000), 5000, vfree);
	any |= try_zero(vmalloc_32_user(5000), 5000, vfree);
	any |= try_block(vmalloc_huge(4 * MIB, GFP_KERNEL), 4 * MIB, vfree);
	any |= try_block(vmalloc_array(100, 100), 10000, vfree_atomic);
	any |= try_zero(vcalloc(100, 100), 10000, vfree_sensitive);
	any |= try_block(__vmalloc(5000, GFP_ATOMIC), 5000, vfree);
	any |= try_block(__vmalloc(5000, GFP_KERNEL | __GFP_HIGHMEM, PAGE_KERNEL), 5000, vfree);
	any |= try_block(__vmalloc_node(5000, 65536, GFP_KERNEL, 0, NULL), 5000, vfree);
	return any;
}

static bool run_vrealloc(void)
{
	static const size_t steps[] = { 5000, 300000, 10 * MIB, 9 * MIB, 60 * MIB, 100 };
	unsigned char *p = NULL, *q;
	size_t size = 0;
	bool any = false;
	unsigned int i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		q = (unsigned char *)vrealloc(p, steps[i], GFP_KERNEL);
		if (failed(q)) {
			any = true;
			CHECK(!size || (p[0] == 0x33 && p[size - 1] == 0x33));
			continue;
		}
		p = q;
		CHECK(!size || p[0] == 0x33);
		size = steps[i];
		p[0] = p[size - 1] = 0x33;
	}
	vfree(p);
	return any;
}

static bool run_vmap(void)
{
	struct page *array[4];
	struct vm_struct *area;
	bool any = false;
	unsigned int i;
	void *p;

	for (i = 0; i < 4; i++)
		array[i] = NULL;
	if (alloc_pages_bulk(GFP_KERNEL, 4, array) == 4) {
		p = vmap(array, 4, VM_MAP, PAGE_KERNEL);
		any |= failed(p);
		vunmap(p);
		p = vm_map_ram(array, 3, 0);
		any |= failed(p);
		if (p)
			vm_unmap_ram(p, 3);
	} else {
		any = true;
	}
	for (i = 0; i < 4; i++)
		if (array[i])
			__free_page(array[i]);
	area = get_vm_area(5000, VM_IOREMAP);
	any |= !area;
	if (area)
		free_vm_area(area);
	return any;
}

static void vmalloc_family(void)
{
	walk(run_vmalloc, 13);
	walk(run_vrealloc, 4);
	walk(run_vmap, 6);
}

/* ---- pools ---- */

/* One failure: the reserve helps, as it was made for. */
static bool use_pool(mempool_t *pool)
{
	void *p[12];
	bool any = false;
	int i, err;

	for (i = 0; i < 12; i++) {
		p[i] = mempool_alloc(pool, i & 1 ? GFP_KERNEL : GFP_ATOMIC);
		CHECK(p[i]);
	}
	err = mempool_resize(pool, 12);
	CHECK(err == 0 || err == -ENOMEM);
	any = err != 0;
	for (i = 0; i < 12; i++)
		mempool_free(p[i], pool);
	CHECK(mempool_resize(pool, 2) == 0);
	CHECK(mempool_alloc_bulk(pool, p, 0, 0) == 0);
	return any;
}

static bool try_pool(mempool_t *pool)
{
	bool any = failed(pool);

	if (pool)
		any |= use_pool(pool);
	mempool_destroy(pool);
	return any;
}

static bool run_kmalloc_pool(void)
{
	return try_pool(mempool_create_kmalloc_pool(8, 700));
}

static bool run_page_pool(void)
{
	return try_pool(mempool_create_page_pool(8, 1));
}

static bool run_slab_pool(void)
{
	struct kmem_cache *s = kmem_cache_create("pooled", 700, 0, SLAB_NO_MERGE, NULL);
	bool any;
	int err;
	mempool_t pool;

	CHECK(s);
	any = try_pool(mempool_create_slab_pool(8, s));
	err = mempool_init_slab_pool(&pool, 8, s);
	CHECK(err == 0 || err == -ENOMEM);
	any |= err;
	CHECK(mempool_initialized(&pool) == !err);
	mempool_exit(&pool);
	kmem_cache_destroy(s);
	return any;
}

static void pools(void)
{
	/* creation has 10 candidates that must not fail; later ones are made good */
	walk_absorbing(run_kmalloc_pool, 10 + 12);
	walk_absorbing(run_page_pool, 10 + 12);
	walk_absorbing(run_slab_pool, 19 + 12);
}

/* ---- the rest ---- */

static unsigned long nothing(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return SHRINK_EMPTY;
}

static int ignore(struct notifier_block *nb, unsigned long action, void *data)
{
	(void)nb;
	(void)action;
	(void)data;
	return NOTIFY_DONE;
}

static bool run_callbacks(void)
{
	static struct shrinker old = { .count_objects = nothing, .scan_objects = nothing,
				       .seeks = DEFAULT_SEEKS };
	static struct notifier_block nb = { .notifier_call = ignore };
	struct shrinker *s = shrinker_alloc(0, "walked-%d", 1);
	bool any = failed(s);
	int err;

	if (s) {
		s->count_objects = s->scan_objects = nothing;
		shrinker_register(s);
		shrinker_free(s);
	}
	err = register_shrinker(&old);
	CHECK(err == 0 || err == -ENOMEM);
	any |= err;
	if (!err)
		unregister_shrinker(&old);
	err = register_oom_notifier(&nb);
	CHECK(err == 0 || err == -ENOMEM);
	any |= err;
	if (!err)
		CHECK(unregister_oom_notifier(&nb) == 0);
	return any;
}

static void shrinkers_and_notifiers(void)
{
	walk(run_callbacks, 3);
}

/* What is no allocation of the program has no candidate: it cannot fail. */
static void what_never_fails(void)
{
	struct mm_struct *mm;
	struct kmem_cache *s;
	void *p;

	all_can_fail();
	kfree(kmalloc(100, GFP_KERNEL));
	s = kmem_cache_create("never", 100, 0, 0, NULL);
	fail_nth_set(1);
	p = kmalloc(100, GFP_KERNEL | __GFP_NOFAIL);
	CHECK(p);
	kfree(p);
	p = kmem_cache_alloc(s, GFP_KERNEL | __GFP_NOFAIL);
	CHECK(p);
	kmem_cache_free(s, p);
	p = kvmalloc(100, GFP_KERNEL | __GFP_NOFAIL);
	CHECK(p);
	kvfree(p);
	p = vmalloc_huge(5000, GFP_KERNEL | __GFP_NOFAIL);
	CHECK(p);
	vfree(p);
	p = alloc_pages(GFP_KERNEL | __GFP_NOFAIL, 1);
	CHECK(p);
	__free_pages((struct page *)p, 1);
	p = kmalloc_nolock(100, 0, -1);
	CHECK(p);
	kfree_nolock(p);
	p = alloc_pages_nolock(0, -1, 0);
	CHECK(p);
	free_pages_nolock((struct page *)p, 0);
	mm = mm_snapshot();
	CHECK(mm);
	mmput(mm);
	kmem_cache_destroy(kmem_cache_create("never-2", 100, 0, 0, NULL));
	/* in place */
	p = krealloc(opaque(s ? (void *)0 : NULL), 0, GFP_KERNEL);
	CHECK(p == ZERO_SIZE_PTR);
	CHECK(fail_nth_get() == 1);
	CHECK(!kmalloc(100, GFP_KERNEL) && errno == ENOMEM);
	CHECK(fail_nth_get() == 0);
	kmem_cache_destroy(s);
}

/* ---- all of it fails, for a while ---- */

static void set_rate(const char *name, unsigned long probability, long times)
{
	struct fault_attr attr;

	CHECK(fault_attr_get(name, &attr));
	attr.probability = probability;
	attr.times = times;
	CHECK(fault_attr_set(name, &attr));
}

static void everything_fails_and_comes_back(void)
{
	bool (*const run[])(void) = { run_kmalloc, run_zeroed, run_copies, run_pages, run_vmalloc };
	char *p = (char *)kmalloc(100, GFP_KERNEL), *v = (char *)vmalloc(300000), *q;
	unsigned int i;
	struct usage before, after;

	CHECK(p && v);
	p[99] = v[299999] = 7;
	all_can_fail();
	before = settle(run_kmalloc);
	fail_nth_set(0);
	set_rate("failslab", 100, -1);
	set_rate("fail_page_alloc", 100, -1);
	for (i = 0; i < sizeof(run) / sizeof(run[0]); i++)
		CHECK(run[i]());
	q = (char *)krealloc(p, 5000, GFP_KERNEL);
	CHECK(failed(q) && p[99] == 7);
	q = (char *)vrealloc(v, 9 * MIB, GFP_KERNEL);
	CHECK(failed(q) && v[299999] == 7);
	q = (char *)kvmalloc(MIB, GFP_KERNEL);
	CHECK(failed(q));
	CHECK(!mempool_create_kmalloc_pool(2, 100));
	after = in_use();
	check_same(&before, &after, 0);
	set_rate("failslab", 0, -1);
	set_rate("fail_page_alloc", 0, -1);
	for (i = 0; i < sizeof(run) / sizeof(run[0]); i++)
		CHECK(!run[i]());
	kfree(p);
	vfree(v);
}

/* ---- sheaves: put away while something could fail, and there again afterwards ---- */

static unsigned long in_sheaves(const char *cache)
{
	struct kmalloc_cache_stats st;

	CHECK(kmalloc_cache_get_stats(cache, &st) == 0);
	return st.sheaf_objs;
}

/* Each object comes from a sheaf and goes there, or none. */
static bool sheaves_work(void)
{
	void *p = kmalloc(64, GFP_KERNEL);
	unsigned long had = in_sheaves("kmalloc-64"), has;

	CHECK(p);
	kfree(p);
	has = in_sheaves("kmalloc-64");
	CHECK(has == had + 1 || (had == 0 && has == 0));
	return has != 0;
}

static void sheaves_go_and_come_back(void)
{
	all_can_fail();
	CHECK(sheaves_work());
	fail_nth_set(1000);
	CHECK(!sheaves_work());
	fail_nth_set(0);
	CHECK(sheaves_work());
	/* reached: nobody calls anything */
	fail_nth_set(1);
	CHECK(!kmalloc(64, GFP_KERNEL));
	CHECK(sheaves_work());
	/* no times left */
	set_rate("failslab", 100, 1);
	CHECK(!kmalloc(64, GFP_KERNEL));
	CHECK(sheaves_work());
	set_rate("failslab", 1, -1);
	CHECK(in_sheaves("kmalloc-64") == 0);
	set_rate("failslab", 0, -1);
	CHECK(sheaves_work());
}

static void *count_and_end(void *arg)
{
	/* its first call: it has allocated nothing */
	fail_nth_set(1000000);
	return arg;
}

/* A thread that counts takes everybody's sheaves; its end gives them back. */
static void sheaves_come_back_when_a_counting_thread_ends(void)
{
	pthread_t t;

	all_can_fail();
	CHECK(sheaves_work());
	CHECK(pthread_create(&t, NULL, count_and_end, NULL) == 0);
	CHECK(pthread_join(t, NULL) == 0);
	CHECK(sheaves_work());
	CHECK(sheaves_work());
}

static _Atomic int stage;

static void wait_for(int n)
{
	while (stage < n)
		sched_yield();
}

static void *other_thread(void *arg)
{
	unsigned int i;
	void *p[64];

	/* sheaves full of objects */
	for (i = 0; i < 64; i++)
		p[i] = kmalloc(64, GFP_KERNEL);
	for (i = 0; i < 64; i++)
		kfree(p[i]);
	stage = 1;
	wait_for(2);
	/* hits go on until the sheaves are empty; from then on its objects can fail */
	for (i = 0; i < 1000 && kmalloc(64, GFP_KERNEL); i++)
		;
	CHECK(i > 0 && i < 200);
	CHECK(!kmalloc(64, GFP_KERNEL));
	stage = 3;
	wait_for(4);
	CHECK(kmalloc(64, GFP_KERNEL));
	CHECK(in_sheaves("kmalloc-64") > 0);
	return arg;
}

static void other_threads_lose_their_sheaves_at_their_next_miss(void)
{
	pthread_t t;

	all_can_fail();
	CHECK(pthread_create(&t, NULL, other_thread, NULL) == 0);
	wait_for(1);
	set_rate("failslab", 100, -1);
	stage = 2;
	wait_for(3);
	set_rate("failslab", 0, -1);
	stage = 4;
	CHECK(pthread_join(t, NULL) == 0);
}

/* 9.4: a count is of one thread and of one process */
static void a_fork_child_has_sheaves_and_no_count(void)
{
	int status;
	pid_t pid;

	all_can_fail();
	CHECK(sheaves_work());
	fail_nth_set(5);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		CHECK(fail_nth_get() == 0);
		CHECK(sheaves_work());
		fail_nth_set(1);
		CHECK(!kmalloc(64, GFP_KERNEL));
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(fail_nth_get() == 5);
}

/* The loop on one thread while others allocate as they like. */
static _Atomic bool stop;

static void *churn(void *arg)
{
	while (!stop) {
		void *p = kmalloc(64, GFP_KERNEL), *q = kmalloc(9000, GFP_KERNEL);

		CHECK(p && q);
		memset(p, 1, 64);
		kfree(p);
		kfree(q);
	}
	return arg;
}

static void other_threads_never_fail(void)
{
	pthread_t t[3];
	unsigned int i, n;

	all_can_fail();
	for (i = 0; i < 3; i++)
		CHECK(pthread_create(&t[i], NULL, churn, NULL) == 0);
	for (n = 1; n < 300; n++) {
		unsigned int left;
		bool any;

		fail_nth_set(n % 20 + 1);
		any = run_copies();
		left = fail_nth_get();
		fail_nth_set(0);
		CHECK(any == !left);
	}
	stop = true;
	for (i = 0; i < 3; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
}

/* ---- table ---- */

static const struct trap_case cases[] = {
	{ .name = "kmalloc of all sizes and flags", .run = kmalloc_family, SILENT },
	{ .name = "kzalloc, kcalloc, arrays and nodes", .run = kzalloc_family, SILENT },
	{ .name = "copies of memory and strings", .run = copies, SILENT },
	{ .name = "krealloc keeps the block that it cannot grow", .run = krealloc_keeps_the_block,
	  SILENT },
	{ .name = "kvmalloc falls back to vmalloc", .run = kvmalloc_falls_back, SILENT },
	{ .name = "kvrealloc keeps the block", .run = kvrealloc_keeps_the_block, SILENT },
	{ .name = "kmem_cache: objects, bulk, sheaves, slabs", .run = caches, SILENT },
	{ .name = "kmem_cache_zalloc", .run = zalloc_of_a_cache, SILENT },
	{ .name = "pages: orders, flags, exact, bulk", .run = pages, SILENT },
	{ .name = "vmalloc, vrealloc, vmap", .run = vmalloc_family, SILENT },
	{ .name = "mempools: creation fails, allocation does not", .run = pools, SILENT },
	{ .name = "shrinkers and notifiers", .run = shrinkers_and_notifiers, SILENT },
	{ .name = "NOFAIL, nolock, snapshots and creation of caches are no candidates",
	  .run = what_never_fails, SILENT },
	{ .name = "everything fails, and nothing is lost", .run = everything_fails_and_comes_back,
	  SILENT },
	{ .name = "sheaves go with the first that could fail and come with the last",
	  .run = sheaves_go_and_come_back, SILENT },
	{ .name = "sheaves come back when a counting thread ends",
	  .run = sheaves_come_back_when_a_counting_thread_ends, SILENT },
	{ .name = "other threads lose their sheaves at their next miss",
	  .run = other_threads_lose_their_sheaves_at_their_next_miss, SILENT },
	{ .name = "a fork child has sheaves and no count",
	  .run = a_fork_child_has_sheaves_and_no_count, SILENT },
	{ .name = "other threads never fail", .run = other_threads_never_fail, SILENT },
};

TRAP_MAIN(cases)

// SPDX-License-Identifier: MIT
/* Every failure of every function of the API: kernel-semantics 9.2 to 9.4, fail_nth.h. */
#include "kapi.h"
#include "fail_nth.h"

static bool try_zero(void *p, size_t size, void (*put)(const void *))
{
	CHECK(!p || kapi_all(p, 0, size));
	return try_block(p, size, put);
}

static const size_t sizes[] = { 1, 24, 1000, 5000, 20000, 131072, 131073, 4 << 20 };

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
			if (!j || (i + j) % 3 == 0)
				any |= try_block(kmalloc(sizes[i], flags[j]), sizes[i], kfree);
	return any;
}

static void kmalloc_family(void)
{
	walk(run_kmalloc, NR_SIZES * 3);
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
		for (i = 0; i < (order > 3 ? 2 : sizeof(flags) / sizeof(flags[0])); i++) {
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
	walk(run_pages, 4 * 5 + (MAX_PAGE_ORDER - 3) * 2);
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
};

TRAP_MAIN(cases)

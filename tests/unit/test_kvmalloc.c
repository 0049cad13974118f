// SPDX-License-Identifier: MIT
/*
 * Which way kmalloc() and kvmalloc() go, and with which flags: the ways down are wrapped. Numbers
 * are sections of the reference of kernel semantics.
 */
#include "unit.h"
#include "kernel/printk.h"
#include "mm/pages.h"
#include "mm/page_alloc.h"
#include "mm/util.h"
#include "mm/vmalloc.h"
#include "kmalloc/slab.h"
#include "kmalloc/vmalloc.h"

#define MiB (1ul << 20)

static struct {
	bool refuse;	/* kmalloc's ways fail */
	unsigned int objects, blocks, areas, types;
	gfp_t object_gfp, block_gfp, area_gfp, type_gfp;
	unsigned int order;
	size_t area_size;
} seen;

void *wrapped_object(size_t size, struct pcpu *c, gfp_t gfp) __asm__("__wrap_km_slab_alloc_slow");
void *real_object(size_t size, struct pcpu *c, gfp_t gfp) __asm__("__real_km_slab_alloc_slow");
struct page *wrapped_block(size_t size, const struct alloc_context *ac)
	__asm__("__wrap_km_alloc_large_kmalloc");
struct page *real_block(size_t size, const struct alloc_context *ac)
	__asm__("__real_km_alloc_large_kmalloc");
void *wrapped_area(unsigned long size, unsigned long align, gfp_t gfp, int node,
		   const void *caller) __asm__("__wrap_km___vmalloc_node");
void *real_area(unsigned long size, unsigned long align, gfp_t gfp, int node, const void *caller)
	__asm__("__real_km___vmalloc_node");
struct kmem_cache *wrapped_slab(size_t size, gfp_t gfp) __asm__("__wrap_km_kmalloc_slab");
struct kmem_cache *real_slab(size_t size, gfp_t gfp) __asm__("__real_km_kmalloc_slab");

void *wrapped_object(size_t size, struct pcpu *c, gfp_t gfp)
{
	seen.objects++;
	seen.object_gfp = gfp & ~__GFP_NATURAL;
	if (!seen.refuse)
		return real_object(size, c, gfp);
	cpu_leave(c);
	return NULL;
}

struct page *wrapped_block(size_t size, const struct alloc_context *ac)
{
	seen.blocks++;
	seen.block_gfp = ac->gfp;
	seen.order = ac->order;
	return seen.refuse ? NULL : real_block(size, ac);
}

void *wrapped_area(unsigned long size, unsigned long align, gfp_t gfp, int node,
		   const void *caller)
{
	seen.areas++;
	seen.area_gfp = gfp;
	seen.area_size = size;
	return real_area(size, align, gfp, node, caller);
}

struct kmem_cache *wrapped_slab(size_t size, gfp_t gfp)
{
	seen.types++;
	seen.type_gfp = gfp;
	return seen.refuse ? NULL : real_slab(size, gfp);
}

/* The next allocation of that size misses: the sheaf of its class is empty afterwards. */
static void empty_the_sheaf(size_t size)
{
	struct pcpu *c = cpu_enter();

	slab_flush_all_sheaves(c);
	cpu_leave(c);
	assert_ptr_equal(this_cpu->cache[natural_size_class(size)].top,
			 this_cpu->cache[natural_size_class(size)].start);
}

static int start(void **state)
{
	(void)state;
	seen.refuse = false;
	kfree(kmalloc(1, GFP_KERNEL));
	memset(&seen, 0, sizeof(seen));
	return 0;
}

/* 1.12 step 1 */
static void up_to_a_page_kvmalloc_is_kmalloc_with_the_callers_flags(void **state)
{
	static const gfp_t masks[] = { GFP_KERNEL, GFP_KERNEL | __GFP_NOFAIL, GFP_ATOMIC };
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		empty_the_sheaf(PAGE_SIZE);
		kvfree(kvmalloc(PAGE_SIZE, masks[i]));
		assert_int_equal(seen.objects, i + 1);
		assert_int_equal(seen.object_gfp, masks[i]);
	}
	assert_int_equal(seen.areas, 0);
}

/* 1.12 step 1, 14.1 #16 */
static void up_to_a_page_kvmalloc_never_goes_to_vmalloc(void **state)
{
	static const size_t sizes[] = { 1, 100, 3000 };
	unsigned int i;

	(void)state;
	seen.refuse = true;
	for (i = 0; i < 3; i++) {
		empty_the_sheaf(sizes[i]);
		assert_null(kvmalloc(sizes[i], GFP_KERNEL));
	}
	empty_the_sheaf(PAGE_SIZE);
	assert_null(kvmalloc(PAGE_SIZE, GFP_KERNEL));
	assert_int_equal(seen.objects, 4);
	assert_int_equal(seen.areas, 0);
}

/* 1.12 step 2 */
static void above_a_page_kmalloc_is_tried_without_reclaim_and_silently(void **state)
{
	(void)state;
	kvfree(kvmalloc(MiB, GFP_KERNEL));
	assert_int_equal(seen.blocks, 1);
	assert_int_equal(seen.order, ilog2(MiB / PAGE_SIZE));
	assert_int_equal(seen.block_gfp & ~__GFP_COMP,
			 (GFP_KERNEL | __GFP_NOWARN) & ~__GFP_DIRECT_RECLAIM);
	empty_the_sheaf(20000);
	kvfree(kvmalloc(20000, GFP_KERNEL | __GFP_NOFAIL));
	assert_int_equal(seen.object_gfp, (GFP_KERNEL | __GFP_NOWARN) & ~__GFP_DIRECT_RECLAIM);
	kvfree(kvmalloc(MiB, GFP_KERNEL | __GFP_RETRY_MAYFAIL));
	assert_int_equal(seen.block_gfp & ~__GFP_COMP,
			 GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
	assert_int_equal(seen.areas, 0);
}

/* 1.12 step 3 */
static void then_vmalloc_gets_the_callers_flags(void **state)
{
	gfp_t flags = GFP_KERNEL | __GFP_NOFAIL | __GFP_ZERO;
	void *p;

	(void)state;
	seen.refuse = true;
	p = kvmalloc(MiB, flags);
	assert_non_null(p);
	assert_true(all_bytes(p, 0, MiB));
	assert_int_equal(seen.areas, 1);
	assert_int_equal(seen.area_gfp, flags);
	assert_int_equal(seen.area_size, MiB);
	seen.refuse = false;
	kvfree(p);
	assert_null(find_vmap_area(p));
	seen.refuse = true;
	empty_the_sheaf(20000);
	p = kvmalloc(20000, GFP_KERNEL);
	assert_non_null(p);
	assert_int_equal(seen.areas, 2);
	seen.refuse = false;
	kvfree(p);
	p = kvmalloc(5 * MiB, GFP_KERNEL);	/* more than kmalloc has: silent */
	assert_non_null(p);
	assert_int_equal(seen.areas, 3);
	assert_int_equal(seen.area_gfp, GFP_KERNEL);
	kvfree(p);
}

/* 1.12: kvrealloc moves to vmalloc where krealloc fails, and leaves all as it was where both do */
static void kvrealloc_goes_to_vmalloc(void **state)
{
	char *p = kvmalloc(20000, GFP_KERNEL), *q;

	(void)state;
	assert_non_null(p);
	fill_block(p, 20000, 1);
	seen.refuse = true;
	q = kvrealloc(p, 300000, GFP_KERNEL);
	assert_non_null(q);
	assert_int_equal(seen.areas, 1);
	assert_int_equal(seen.block_gfp & (__GFP_DIRECT_RECLAIM | __GFP_NOWARN), __GFP_NOWARN);
	assert_true(check_block(q, 20000, 1));
	seen.refuse = false;
	kvfree(q);
	p = kmalloc(100, GFP_KERNEL);
	fill_block(p, 100, 2);
	seen.refuse = true;
	empty_the_sheaf(2000);
	assert_null(kvrealloc(p, 2000, GFP_KERNEL));
	assert_int_equal(seen.areas, 1);
	assert_true(check_block(p, 100, 2));
	seen.refuse = false;
	kfree(p);
}

/* 1.2, 1.10: what reaches the choice of a cache */
static void type_bits_choose_the_cache(void **state)
{
	static const gfp_t types[] = { __GFP_DMA, __GFP_RECLAIMABLE, __GFP_ACCOUNT };
	unsigned int i;
	void *p;

	(void)state;
	for (i = 0; i < 3; i++) {
		p = kmalloc(100, GFP_KERNEL | types[i]);
		assert_non_null(p);
		kfree(p);
		assert_int_equal(seen.types, i + 1);
		assert_int_equal(seen.type_gfp, GFP_KERNEL | types[i]);
	}
	kfree(kmalloc(100, GFP_KERNEL | __GFP_NOWARN | __GFP_THISNODE));
	kfree(kzalloc(100, GFP_KERNEL));
	assert_int_equal(seen.types, 3);
	seen.refuse = true;
	assert_null(kmalloc(100, GFP_KERNEL_ACCOUNT));
	assert_null(kmalloc_node(100, GFP_KERNEL_ACCOUNT, 0));
}

static void bad_bits_do_not_reach_the_allocator(void **state)
{
	(void)state;
	catch_stderr();
	empty_the_sheaf(64);
	kfree(kmalloc(64, GFP_KERNEL | __GFP_NATURAL | __GFP_MALLOC | __GFP_HIGHMEM));
	assert_int_equal(seen.object_gfp, GFP_KERNEL);
	kfree(kmalloc(MiB, GFP_KERNEL | __GFP_DMA32));
	assert_int_equal(seen.block_gfp, GFP_KERNEL | __GFP_COMP);
	assert_int_equal(count_lines(caught_text()), 2);
}

/* The order of a block: get_order(size) (1.3) */
static void a_large_kmalloc_has_the_order_of_its_size(void **state)
{
	(void)state;
	kfree(kmalloc(KMALLOC_MAX_CACHE_SIZE + 1, GFP_KERNEL));
	assert_int_equal(seen.order, ilog2(2 * KMALLOC_MAX_CACHE_SIZE / PAGE_SIZE));
	kfree(kmalloc(MiB, GFP_KERNEL));
	assert_int_equal(seen.order, ilog2(MiB / PAGE_SIZE));
	kfree(kmalloc(MiB + 1, GFP_KERNEL));
	assert_int_equal(seen.order, ilog2(2 * MiB / PAGE_SIZE));
	assert_true(seen.block_gfp & __GFP_COMP);
}

/* 1.8: nolock; all locks are held by the thread itself */
static void nolock_waits_for_no_lock(void **state)
{
	struct pcpu *mine = this_cpu;
	struct kmem_cache *s = &kmalloc_caches[natural_size_class(500)];
	static char *p[300];
	unsigned long waits;
	unsigned int i;

	(void)state;
	assert_true(spin_lock(&mine->home->lock) && spin_lock(&s->barn.lock));
	assert_true(spin_lock(&zone_normal.lock) && spin_lock(&vmap_lock));
	waits = atomic_load(&spin_waits);
	for (i = 0; i < 300; i++) {
		p[i] = kmalloc_nolock(500, 0, -1);
		assert_non_null(p[i]);
		fill_block(p[i], 500, i);
	}
	for (i = 0; i < 300; i++) {
		assert_true(check_block(p[i], 500, i));
		kfree_nolock(p[i]);
	}
	assert_int_equal(atomic_load(&spin_waits), waits);
	spin_unlock(&vmap_lock);
	spin_unlock(&zone_normal.lock);
	spin_unlock(&s->barn.lock);
	spin_unlock(&mine->home->lock);
	assert_int_equal(seen.objects, 0);
}

/* In a signal handler that interrupted the allocator: every call works or says NULL. */
static void inside_the_allocator(void **state)
{
	static const size_t sizes[] = { 8, 100, 1024, 3000, 131072, 200000, 5 * MiB };
	struct pcpu *c = cpu_enter();
	unsigned int i, round;
	char *p;

	(void)state;
	for (round = 0; round < 20; round++)
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			p = kvmalloc(sizes[i], round & 1 ? GFP_ATOMIC : GFP_KERNEL | __GFP_ZERO);
			assert_ptr_equal(this_cpu, &busy_cpu);
			if (!p)
				continue;
			if (!(round & 1))
				assert_true(all_bytes(p, 0, sizes[i]));
			fill_block(p, sizes[i], i);
			p = kvrealloc(p, sizes[i] + 100, GFP_KERNEL);
			assert_true(!p || check_block(p, sizes[i], i));
			kvfree(p);
			assert_ptr_equal(this_cpu, &busy_cpu);
		}
	cpu_leave(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(up_to_a_page_kvmalloc_is_kmalloc_with_the_callers_flags,
				       start),
		cmocka_unit_test_setup(up_to_a_page_kvmalloc_never_goes_to_vmalloc, start),
		cmocka_unit_test_setup(above_a_page_kmalloc_is_tried_without_reclaim_and_silently,
				       start),
		cmocka_unit_test_setup(then_vmalloc_gets_the_callers_flags, start),
		cmocka_unit_test_setup(kvrealloc_goes_to_vmalloc, start),
		cmocka_unit_test_setup(type_bits_choose_the_cache, start),
		cmocka_unit_test_setup(bad_bits_do_not_reach_the_allocator, start),
		cmocka_unit_test_setup(a_large_kmalloc_has_the_order_of_its_size, start),
		cmocka_unit_test_setup(nolock_waits_for_no_lock, start),
		cmocka_unit_test_setup(inside_the_allocator, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

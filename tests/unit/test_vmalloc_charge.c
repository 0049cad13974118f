// SPDX-License-Identifier: MIT
/*
 * What vmalloc takes of the limit of mem= and gives back balances, whatever way an area goes; and
 * requests that may not block make no call to the system. mem_charge() and the calls of os.h are
 * wrapped (ld --wrap).
 */
#include "unit.h"
#include "heap_walk.h"
#include "mm/area_cache.h"
#include "mm/util.h"
#include "mm/vmap_area.h"
#include "kmalloc/kmalloc.h"

#include <sys/wait.h>

#define KIB 1024ul
#define MIB (1024 * KIB)

static long charged;		/* pages out */
static long limit = LONG_MAX;
static unsigned int system_calls;

bool counted_charge(unsigned long pages, const struct alloc_context *ac)
	__asm__("__wrap_km_mem_charge");
void counted_uncharge(unsigned long pages) __asm__("__wrap_km_mem_uncharge");

/* What the buddy allocator takes for slabs is its own. */
static unsigned int in_buddy;

struct page *marked_alloc_block(unsigned int order, const struct alloc_context *ac)
	__asm__("__wrap_km_alloc_block");
struct page *real_alloc_block(unsigned int order, const struct alloc_context *ac)
	__asm__("__real_km_alloc_block");
void marked_free_block(struct page *page, unsigned int order) __asm__("__wrap_km_free_block");
void real_free_block(struct page *page, unsigned int order) __asm__("__real_km_free_block");
unsigned int marked_alloc_blocks(unsigned int order, unsigned int n, const struct alloc_context *ac,
				 struct page **first) __asm__("__wrap_km_alloc_blocks");
unsigned int real_alloc_blocks(unsigned int order, unsigned int n, const struct alloc_context *ac,
			       struct page **first) __asm__("__real_km_alloc_blocks");
void marked_free_blocks(struct page *first) __asm__("__wrap_km_free_blocks");
void real_free_blocks(struct page *first) __asm__("__real_km_free_blocks");

struct page *marked_alloc_block(unsigned int order, const struct alloc_context *ac)
{
	struct page *page;

	in_buddy++;
	page = real_alloc_block(order, ac);
	in_buddy--;
	return page;
}

void marked_free_block(struct page *page, unsigned int order)
{
	in_buddy++;
	real_free_block(page, order);
	in_buddy--;
}

unsigned int marked_alloc_blocks(unsigned int order, unsigned int n, const struct alloc_context *ac,
				 struct page **first)
{
	unsigned int got;

	in_buddy++;
	got = real_alloc_blocks(order, n, ac, first);
	in_buddy--;
	return got;
}

void marked_free_blocks(struct page *first)
{
	in_buddy++;
	real_free_blocks(first);
	in_buddy--;
}

bool counted_charge(unsigned long pages, const struct alloc_context *ac)
{
	assert_non_null(ac);
	if (in_buddy)
		return true;
	if (charged + (long)pages > limit)
		return false;
	charged += (long)pages;
	return true;
}

void counted_uncharge(unsigned long pages)
{
	if (in_buddy)
		return;
	charged -= (long)pages;
	assert_true(charged >= 0);
}

/* The ladder is not what is tested here: who may not block gets no further step. */
bool blocking_slowpath(struct alloc_context *ac, struct slow_entry *e)
	__asm__("__wrap_km_alloc_slowpath");
bool real_slowpath(struct alloc_context *ac, struct slow_entry *e)
	__asm__("__real_km_alloc_slowpath");

bool blocking_slowpath(struct alloc_context *ac, struct slow_entry *e)
{
	return may_block(ac) && real_slowpath(ac, e);
}

#define COUNT_CALL(type, name, params, args) \
	type counted_##name params __asm__("__wrap_km_" #name); \
	type real_##name params __asm__("__real_km_" #name); \
	type counted_##name params \
	{ \
		system_calls++; \
		return real_##name args; \
	}

COUNT_CALL(void *, os_map, (void *hint, size_t size), (hint, size))
COUNT_CALL(void *, os_map_aligned, (size_t size, size_t align), (size, align))
COUNT_CALL(bool, os_map_over, (void *p, size_t size), (p, size))
COUNT_CALL(bool, os_unmap, (void *p, size_t size), (p, size))
COUNT_CALL(bool, os_dontneed, (void *p, size_t size), (p, size))
COUNT_CALL(bool, os_remap, (void *from, size_t n, void *to, size_t m), (from, n, to, m))

static long pages_of(const void *p)
{
	return (long)(find_vmap_area(p)->size >> os_page_shift);
}

static int balanced(void **state)
{
	(void)state;
	limit = LONG_MAX;
	area_cache_blocks = 0;	/* freed is uncharged */
	vfree(vmalloc(1));
	return charged ? -1 : 0;
}

static void an_area_is_charged_for_its_size_and_uncharged(void **state)
{
	void *p = vmalloc(300 * KIB + 1), *q = kvmalloc_size(5 * MIB), *r = vmalloc_32(100);

	(void)state;
	assert_int_equal(charged, pages_of(p) + pages_of(q) + pages_of(r));
	vfree(p);
	assert_int_equal(charged, pages_of(q) + pages_of(r));
	slab_free(q);
	vfree(r);
	assert_int_equal(charged, 0);
}

static void what_fails_is_not_charged(void **state)
{
	char *p;

	(void)state;
	p = vmalloc(MIB);
	limit = charged;
	catch_stderr();
	assert_null(vmalloc(100));
	assert_null(vrealloc(p, 3 * MIB, GFP_KERNEL));
	assert_null(__vmalloc_node(100, 1ul << 62, GFP_KERNEL, 0, NULL));
	limit = LONG_MAX;
	assert_null(__vmalloc_node(100, 1ul << 62, GFP_KERNEL, 0, NULL));
	caught_text();
	assert_int_equal(charged, pages_of(p));
	vfree(p);
	assert_int_equal(charged, 0);
}

static void resizing_charges_the_difference(void **state)
{
	size_t size = 300 * KIB;
	char *p = kvmalloc_size(size), *wall[60];
	unsigned int i, n = 0, moved = 0;

	(void)state;
	memset(p, 1, size);
	for (i = 0; i < 200; i++) {
		char *old = p;

		size = 150 * KIB + random_below(i % 4 ? 900 * KIB : 6 * MIB);
		p = kvrealloc_size(p, size);
		assert_non_null(p);
		moved += p != old;
		assert_int_equal(charged, pages_of(p));
		find_vmap_area(p)->grows = false;	/* what is behind it may be taken */
		if (i % 4 == 1 && n < 60) {
			long before = charged;

			wall[n] = kvmalloc_size(140 * KIB);
			charged -= pages_of(wall[n++]);
			assert_int_equal(charged, before);
		}
	}
	assert_true(moved > 3);
	slab_free(p);
	assert_int_equal(charged, 0);
	while (n) {
		charged += pages_of(wall[--n]);
		slab_free(wall[n]);
	}
	assert_int_equal(charged, 0);
}

static void growth_beyond_the_limit_leaves_the_block(void **state)
{
	char *p = kvmalloc_size(MIB);

	(void)state;
	limit = charged + 10;
	assert_null(kvrealloc_size(p, 2 * MIB));
	assert_int_equal(charged, pages_of(p));
	limit = LONG_MAX;
	p = kvrealloc_size(p, 2 * MIB);
	assert_non_null(p);
	assert_int_equal(charged, pages_of(p));
	slab_free(p);
}

static void without_the_lock_the_count_balances_too(void **state)
{
	char *p, *q;

	(void)state;
	assert_true(spin_lock(&vmap_lock));
	p = vmap_alloc(500 * KIB, 1, &kernel_request, false);
	q = vmap_alloc(500 * KIB, 1, &kernel_request, false);
	assert_int_equal(charged, pages_of(p) + pages_of(q));
	assert_true(vmap_free(find_vmap_area(p), false));
	assert_true(vmap_free_atomic(find_vmap_area(q)));
	assert_int_equal(charged, 0);
	spin_unlock(&vmap_lock);
	assert_true(vmap_validate());
}

static void a_fork_child_frees_what_its_parent_charged(void **state)
{
	char *p = vmalloc(MIB);
	int status;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		vfree(p);
		_exit(charged != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	vfree(p);
	assert_int_equal(charged, 0);
}

static void a_map_of_pages_is_not_charged_twice(void **state)
{
	char *p = vmalloc(64 * KIB), *q;
	struct page *list[2] = { vmalloc_to_page(p + 8192), vmalloc_to_page(p) };
	long before = charged;

	(void)state;
	q = vmap(list, 2, VM_MAP, PAGE_KERNEL);
	assert_non_null(q);
	assert_int_equal(charged, before);
	vunmap(q);
	assert_int_equal(charged, before);
	vfree(p);
	free_vm_area(get_vm_area(MIB, VM_IOREMAP));
	assert_int_equal(charged, 0);
}

static void a_map_that_puts_its_pages_frees_them_and_the_array(void **state)
{
	struct page **list = kmalloc(4 * sizeof(*list), GFP_KERNEL);
	struct page *kept[4];
	unsigned int i;
	char *p;

	(void)state;
	for (i = 0; i < 4; i++) {
		list[i] = alloc_pages(GFP_KERNEL, 0);
		assert_non_null(list[i]);
		memset((void *)page_address(list[i]), (int)i, PAGE_SIZE);
	}
	p = vmap(list, 4, VM_MAP | VM_MAP_PUT_PAGES, PAGE_KERNEL);
	assert_non_null(p);
	for (i = 0; i < 4; i++)
		assert_true(all_bytes(p + i * PAGE_SIZE, (unsigned char)i, PAGE_SIZE));
	memcpy(kept, list, sizeof(kept));
	vfree(p);
	for (i = 0; i < 4; i++)
		assert_true(kept[i]->state != PAGE_ALLOC);
	assert_int_equal(charged, 0);
}

/* Tail pages of a block have no address filled in. */
static void frames_inside_a_block_are_mapped_by_their_place(void **state)
{
	struct page *block, *list[4];
	struct pcpu *c = cpu_enter();
	unsigned int i, frames = (unsigned int)(PAGE_SIZE >> FRAME_SHIFT);
	unsigned long addr;
	char *p;

	(void)state;
	block = alloc_block(2, &kernel_request);
	cpu_leave(c);
	assert_non_null(block);
	addr = page_address(block);
	for (i = 0; i < 4; i++) {
		list[i] = block + (3 - i) * frames;
		assert_int_equal(vm_page_address(list[i]), addr + (3 - i) * PAGE_SIZE);
		memset((void *)(addr + i * PAGE_SIZE), (int)i, PAGE_SIZE);
	}
	p = vmap(list, 4, VM_MAP, PAGE_KERNEL);
	assert_non_null(p);
	for (i = 0; i < 4; i++)
		assert_true(all_bytes(p + i * PAGE_SIZE, (unsigned char)(3 - i), PAGE_SIZE));
	vunmap(p);
	for (i = 0; i < 4; i++)
		assert_true(all_bytes((void *)(addr + i * PAGE_SIZE), (unsigned char)i, PAGE_SIZE));
	c = cpu_enter();
	free_block(block, 2);
	cpu_leave(c);
}

/* ---- without __GFP_DIRECT_RECLAIM ---- */

static void nonblocking_requests_make_no_system_call(void **state)
{
	unsigned int i, got = 0;
	void *p[200];

	(void)state;
	for (i = 0; i < 200; i++)
		p[i] = vmalloc((1 + random_below(30)) * 16 * KIB);
	for (i = 0; i < 200; i += 2)
		vfree_atomic(p[i]);
	system_calls = 0;
	for (i = 0; i < 200; i += 2) {
		gfp_t gfp = (i % 4 ? GFP_ATOMIC : GFP_NOWAIT) | (i % 3 ? __GFP_ZERO : 0);

		p[i] = __vmalloc((1 + random_below(30)) * 16 * KIB, gfp | __GFP_NOWARN);
		got += p[i] != NULL;
	}
	assert_null(__vmalloc(2048 * MIB, GFP_ATOMIC | __GFP_NOWARN));
	for (i = 0; i < 200; i += 2)
		vfree_atomic(p[i]);
	assert_int_equal(system_calls, 0);
	assert_true(got > 20);
	for (i = 1; i < 200; i += 2)
		vfree(p[i]);
	assert_int_equal(charged, 0);
	assert_true(vmap_validate());
}

static void areas_for_a_reserve_are_touched_wholly(void **state)
{
	struct vmap_area *vm;
	unsigned int i;
	char *p = vmalloc(3 * MIB), *q = vmalloc(200 * KIB);

	(void)state;
	memset(p, 1, 3 * MIB);
	vfree(p);		/* dirty */
	for (i = 0; i < 3; i++) {
		struct pcpu *c = cpu_enter();

		assert_true(lock_vmap(true));
		vm = vm_alloc_area_mapped(700 * KIB, vm_area_bytes(700 * KIB), PAGEBLOCK_SIZE,
					  true);
		assert_non_null(vm);
		assert_true(vm_count_dirty(vm->addr, 640 * KIB) == 640 / 4);
		vm_make_busy(vm, 700 * KIB);
		unlock_vmap();
		purge_account_alloc(used_frames(vm->bytes), vm->dirty);
		assert_true(vmap_free(vm, true));
		cpu_leave(c);
	}
	purge_all();		/* all clean */
	assert_true(lock_vmap(true));
	assert_null(vm_alloc_area_mapped(64, vm_area_bytes(64), PAGEBLOCK_SIZE, true));
	unlock_vmap();
	vfree(q);
	assert_true(vmap_validate());
}

#define T(f) cmocka_unit_test_setup(f, balanced)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_area_is_charged_for_its_size_and_uncharged),
		T(what_fails_is_not_charged),
		T(resizing_charges_the_difference),
		T(growth_beyond_the_limit_leaves_the_block),
		T(without_the_lock_the_count_balances_too),
		T(a_fork_child_frees_what_its_parent_charged),
		T(a_map_of_pages_is_not_charged_twice),
		T(a_map_that_puts_its_pages_frees_them_and_the_array),
		T(frames_inside_a_block_are_mapped_by_their_place),
		T(nonblocking_requests_make_no_system_call),
		T(areas_for_a_reserve_are_touched_wholly),
	};

	return cmocka_run_group_tests_name("vmalloc_charge", tests, NULL, NULL);
}

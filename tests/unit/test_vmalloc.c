// SPDX-License-Identifier: MIT
/* The vmalloc region: areas against a shadow of their contents. */
#include "unit.h"
#include "heap_walk.h"
#include "mm/hot.h"
#include "mm/util.h"
#include "kmalloc/vmalloc.h"
#include "mm/area_cache.h"
#include "mm/vmap_area.h"
#include "os/os.h"

#include <sys/mman.h>

#define KIB (1ul << 10)
#define MIB (1ul << 20)

static void *area(size_t size, size_t align, bool zero)
{
	struct pcpu *c = cpu_enter();
	void *p = vmap_alloc(size, align, zero ? &zeroed_request : &kernel_request, true);

	cpu_leave(c);
	return p;
}

static void release(void *p)
{
	struct pcpu *c = cpu_enter();
	struct vmap_area *vm = find_vmap_area(p);

	assert_non_null(vm);
	assert_true(vmap_free(vm, true));
	cpu_leave(c);
}

static void *resize_with_room(void *p, size_t size)
{
	struct pcpu *c = cpu_enter();
	void *new = vmap_resize(find_vmap_area(p), size);

	cpu_leave(c);
	return new;
}

/* What is behind it is not kept for its growth: so it moves more often. */
static void *resize(void *p, size_t size)
{
	void *new = resize_with_room(p, size);

	if (new)
		find_vmap_area(new)->grows = false;
	return new;
}

static int fresh_region(void **state)
{
	(void)state;
	assert_true(atomic_load(&mm_ready));
	purge_all();
	while (vmap_unmap_free())
		;
	return 0;
}

static void an_area_is_found_by_its_start_alone(void **state)
{
	char *p = area(300 * KIB, 1, false);
	struct vmap_area *vm = find_vmap_area(p);

	(void)state;
	assert_non_null(vm);
	assert_int_equal(vm->size, 300 * KIB);
	assert_int_equal(class_of(p), CLASS_OTHER);
	assert_null(find_vmap_area(p + 16));
	assert_null(find_vmap_area(p + PAGEBLOCK_SIZE));
	assert_ptr_equal(find_vmap_area_inside(p + 299 * KIB), vm);
	release(p);
	assert_null(find_vmap_area(p));
	assert_null(find_vmap_area_inside(p + 100));
	assert_int_equal(class_of(p), CLASS_FOREIGN);
}

static void alignments_up_to_one_gib_are_kept(void **state)
{
	size_t align;

	(void)state;
	for (align = 1; align <= 1024 * MIB; align *= 2) {
		char *p = area(200 * KIB, align, false), *q = area(3 * MIB, align, false);

		assert_non_null(p);
		assert_non_null(q);
		assert_true(IS_ALIGNED((unsigned long)p, align));
		assert_true(IS_ALIGNED((unsigned long)q, align));
		memset(p, 1, 200 * KIB);
		memset(q, 2, 3 * MIB);
		assert_true(vmap_validate());
		release(p);
		release(q);
		assert_true(vmap_validate());
	}
}

static void impossible_sizes_fail_without_a_trace(void **state)
{
	static const size_t sizes[] = { SIZE_MAX, SIZE_MAX - 4095, PTRDIFF_MAX, 1ul << 47, 1ul << 62 };
	struct vmap_stats before, after;
	unsigned int i;

	(void)state;
	vmap_get_stats(&before);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		assert_null(area(sizes[i], 1, false));
	assert_null(area(200 * KIB, 1ul << 62, false));
	vmap_get_stats(&after);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_true(vmap_validate());
}

static void guard_follows_every_area(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 40; i++) {
		size_t size = 128 * KIB + 1 + random_below(600 * KIB);
		char *p = area(size, 1, false);
		struct vmap_area *vm = find_vmap_area(p);

		assert_true(vm->size >= size && vm->size - size < PAGE_SIZE);
		assert_true(vm->bytes >= vm->size + PAGE_SIZE);
		release(p);
	}
}

/* ---- zero ---- */

static void assert_zero(char *p, size_t size)
{
	assert_non_null(p);
	assert_true(all_bytes(p, 0, size));
}

static void zeroed_area_after_dirty_reuse_reads_zero(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 200; i++) {
		size_t size = 128 * KIB + random_below(400 * KIB);
		char *p = area(size, 1, false), *q;

		memset(p, 0xaa, find_vmap_area(p)->size);
		release(p);
		size = 128 * KIB + random_below(400 * KIB);
		q = area(size, 1, true);
		assert_zero(q, size);
		memset(q, 0xbb, size);
		release(q);
	}
}

/* The pages behind the end of a smaller area keep what the larger one before it left there. */
static void zeroed_area_reads_zero_after_a_smaller_one_at_its_place(void **state)
{
	char *p = area(200 * KIB, 1, false), *q, *r;

	(void)state;
	memset(p, 0xaa, 200 * KIB);
	release(p);
	q = area(192 * KIB, 1, false);
	assert_ptr_equal(p, q);		/* else this test tests nothing */
	release(q);
	r = area(200 * KIB, 1, true);
	assert_ptr_equal(p, r);
	assert_zero(r, 200 * KIB);
	release(r);
}

static void zeroed_area_reads_zero_after_one_that_shrank_a_little(void **state)
{
	char *p = area(250 * KIB, 1, false), *r;

	(void)state;
	memset(p, 0xaa, 250 * KIB);
	assert_ptr_equal(resize(p, 192 * KIB), p);
	release(p);
	r = area(250 * KIB, 1, true);
	assert_ptr_equal(p, r);
	assert_zero(r, 250 * KIB);
	release(r);
}

static void zeroed_area_reads_zero_after_one_that_lost_its_tail(void **state)
{
	char *p = area(900 * KIB, 1, false), *r;

	(void)state;
	memset(p, 0xaa, 900 * KIB);
	assert_ptr_equal(resize(p, 192 * KIB), p);
	assert_true(find_vmap_area(p)->bytes < 900 * KIB);
	release(p);
	r = area(900 * KIB, 1, true);
	assert_ptr_equal(p, r);
	assert_zero(r, 900 * KIB);
	release(r);
}

/* Random resizing between dirty and zeroed use, so that no other path forgets what it touched. */
static void zeroed_areas_read_zero_whatever_was_resized_before(void **state)
{
	char *slot[8] = { NULL };
	unsigned int i;

	(void)state;
	for (i = 0; i < 1500; i++) {
		unsigned int k = (unsigned int)random_below(8);
		size_t size = (1 + random_below(14)) * PAGEBLOCK_SIZE + (random_below(2) ? 0 : random_below(60000));

		if (!slot[k]) {
			slot[k] = area(size, 1, true);
			assert_zero(slot[k], find_vmap_area(slot[k])->size);
		} else if (random_below(2)) {
			char *p = resize(slot[k], size);

			if (p)
				slot[k] = p;
		} else {
			memset(slot[k], 0xcc, find_vmap_area(slot[k])->size);
			release(slot[k]);
			slot[k] = NULL;
			continue;
		}
		memset(slot[k], 0xcc, find_vmap_area(slot[k])->size);
	}
	for (i = 0; i < 8; i++)
		if (slot[i])
			release(slot[i]);
	assert_true(vmap_validate());
}

/* ---- resizing ---- */

static void growth_by_moving_keeps_the_contents(void **state)
{
	size_t size = 300 * KIB;
	char *p = area(size, 1, false), *wall, *moved;
	unsigned int moves = 0;

	(void)state;
	fill_block(p, size, 7);
	while (size < 24 * MIB) {
		size_t more = size + size / 4;

		wall = area(150 * KIB, 1, false);	/* takes the place behind, if it is free */
		moved = resize(p, more);
		if (!moved) {	/* as realloc does then */
			moved = area(more, 1, false);
			assert_non_null(moved);
			memcpy(moved, p, size);
			release(p);
		}
		moves += moved != p;
		p = moved;
		assert_true(check_block(p, size, 7));
		size = more;
		fill_block(p, size, 7);
		release(wall);
		assert_true(vmap_validate());
	}
	assert_true(moves > 0);
	release(p);
}

/*
 * A moved area grown in place consists of two mappings of the system's: it cannot be moved by one mremap. Whatever
 * then happens, no free area may be without memory.
 */
static void free_areas_are_mapped_after_a_move_that_the_system_refused(void **state)
{
	char *walls[64], *p = area(300 * KIB, 1, false), *q;
	size_t size = 300 * KIB;
	unsigned int i, n = 0;

	(void)state;
	memset(p, 1, size);
	for (i = 0; i < 24; i++) {
		walls[n++] = area(140 * KIB, 1, false);
		q = resize(p, size + 100 * KIB);
		if (!q)
			continue;
		p = q;
		size += 100 * KIB;
		memset(p, 1, size);
	}
	assert_true(all_bytes(p, 1, size));
	/* touch all there is */
	for (i = 0; i < 24; i++) {
		q = area((1 + random_below(12)) * PAGEBLOCK_SIZE, 1, false);
		assert_non_null(q);
		memset(q, 2, find_vmap_area(q)->size);
		walls[n++] = q;
	}
	assert_true(all_bytes(p, 1, size));
	while (n)
		release(walls[--n]);
	release(p);
	assert_true(vmap_validate());
}

static void who_grows_has_room(void **state)
{
	char *p[2], *wall[100], *old;
	size_t size = 300 * KIB;
	unsigned int n = 0, i, moves = 0;

	(void)state;
	for (i = 0; i < 2; i++) {
		p[i] = area(size, 1, false);
		fill_block(p[i], size, i);
	}
	for (; size < 6 * MIB; size += size / 4) {
		for (i = 0; i < 2; i++) {
			old = p[i];
			p[i] = resize_with_room(p[i], size + size / 4);
			assert_non_null(p[i]);
			moves += p[i] != old;
			assert_true(check_block(p[i], size, i));
			fill_block(p[i], size + size / 4, i);
		}
		for (i = 0; i < 4; i++)
			wall[n++] = area(200 * KIB, 1, false);
	}
	assert_true(moves <= 2);
	while (n)
		release(wall[--n]);
	release(p[0]);
	release(p[1]);
	assert_true(vmap_validate());
}

/* An area whose pages mremap moved there; there is something behind it. */
static char *moved_area(char **wall)
{
	char *p = area(300 * KIB, 1, false), *q;

	*wall = area(300 * KIB, 1, false);
	memset(p, 1, 300 * KIB);
	q = resize(p, 900 * KIB);
	assert_ptr_not_equal(q, p);
	assert_true(find_vmap_area(q)->seams);
	memset(q, 2, 900 * KIB);
	return q;
}

static void pages_that_moved_stay_when_they_are_freed(void **state)
{
	char *wall, *p = moved_area(&wall), *q;

	(void)state;
	assert_true(vmap_state.nr_seams > 0);
	release(p);
	assert_true(vmap_state.dirty << FRAME_SHIFT >= (long)(900 * KIB));
	q = area(900 * KIB, 1, false);
	assert_true(find_vmap_area(q)->dirty << FRAME_SHIFT >= (long)(900 * KIB));
	release(q);
	release(wall);
	assert_true(vmap_validate());
	purge_all();
	assert_int_equal(vmap_state.nr_seams, 0);
	q = area(900 * KIB, 1, true);
	assert_true(all_bytes(q, 0, 900 * KIB));
	release(q);
}

static void where_many_moved_they_do_not(void **state)
{
	char *wall, *p = moved_area(&wall);
	long seams = vmap_state.nr_seams;

	(void)state;
	purge_all();
	vmap_state.nr_seams += 1 << 20;
	release(p);
	vmap_state.nr_seams -= 1 << 20;
	assert_int_equal(vmap_state.dirty, 0);
	assert_int_equal(vmap_state.nr_seams, seams - 1);
	release(wall);
	assert_true(vmap_validate());
}

/* ---- huge pages ---- */

/* A block of malloc(), of memory that no other touched; whether it asked for huge pages. */
static char *fresh_block(size_t size, bool *huge)
{
	char *p;

	purge_all();
	p = kvmalloc_size(size);
	assert_non_null(p);
	*huge = find_vmap_area(p)->huge;
	return p;
}

static bool system_gives_huge_pages(void)
{
	char text[64] = "";
	FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");

	if (f && !fgets(text, sizeof(text), f))
		text[0] = '\0';
	if (f)
		fclose(f);
	return strstr(text, "[madvise]");
}

static void blocks_whose_like_were_full_have_huge_pages(void **state)
{
	unsigned int i, nr_huge = 0;
	bool huge;
	char *p;

	(void)state;
	if (!system_gives_huge_pages())
		skip();
	for (i = 0; i < 17; i++) {
		p = fresh_block(9 * MIB, &huge);
		assert_true(i || !huge);
		nr_huge += huge;
		memset(p, 1, 9 * MIB);
		slab_free(p);
	}
	assert_in_range(nr_huge, 12, 15);	/* all but the first and the probes */
	p = fresh_block(5 * MIB, &huge);	/* of another power of two */
	assert_false(huge);
	slab_free(p);
}

static void one_that_is_not_full_ends_it(void **state)
{
	unsigned int i;
	bool huge;
	char *p;

	(void)state;
	for (i = 0; i < 9; i++) {
		p = fresh_block(9 * MIB, &huge);
		memset(p, 1, i ? 5 * MIB : 9 * MIB);
		slab_free(p);
		if (i && !huge)
			break;
	}
	assert_true(i < 9);
	p = fresh_block(9 * MIB, &huge);
	assert_false(huge);
	slab_free(p);
}

static void free_memory_asks_for_no_huge_pages(void **state)
{
	unsigned int i;
	bool huge = false;
	char *p, *q;

	(void)state;
	if (!system_gives_huge_pages())
		skip();
	for (i = 0; i < 4 && !huge; i++) {
		p = fresh_block(9 * MIB, &huge);
		memset(p, 1, 9 * MIB);
		slab_free(p);
	}
	assert_true(huge);
	purge_all();
	q = area(9 * MIB, 1, false);	/* not malloc's */
	assert_ptr_equal(q, p);
	*q = 1;
	assert_true(os_is_resident(q, 1));
	assert_false(os_is_resident(q + MIB, 1));
	release(q);
}

static void shrinking_gives_the_tail_back(void **state)
{
	char *p = area(4 * MIB, 1, false);
	struct vmap_stats before, after;

	(void)state;
	fill_block(p, 4 * MIB, 3);
	vmap_get_stats(&before);
	assert_ptr_equal(resize(p, 200 * KIB), p);
	vmap_get_stats(&after);
	assert_true(before.busy_bytes - after.busy_bytes >= 3 * MIB);
	assert_true(check_block(p, 200 * KIB, 3));
	assert_true(vmap_validate());
	release(p);
}

/* ---- shadow ---- */

#define NR_SHADOW 64

static void random_use_keeps_contents_apart(void **state)
{
	struct { char *p; size_t size; uint64_t seed; } shadow[NR_SHADOW];
	struct vmap_stats st, before;
	unsigned int i, k, n;
	size_t busy;

	(void)state;
	vmap_get_stats(&before);
	busy = before.busy_bytes;
	memset(shadow, 0, sizeof(shadow));
	for (i = 0; i < 1200; i++) {
		struct vmap_area *vm;
		size_t size = 128 * KIB + random_below(i % 16 ? 300 * KIB : 3 * MIB);
		char *p;

		k = (unsigned int)random_below(NR_SHADOW);
		if (shadow[k].p && !check_block(shadow[k].p, shadow[k].size, shadow[k].seed))
			fail_msg("area %u of %zu bytes was overwritten at step %u", k, shadow[k].size, i);
		if (shadow[k].p && random_below(3)) {
			busy -= find_vmap_area(shadow[k].p)->bytes;
			release(shadow[k].p);
			shadow[k].p = NULL;
		} else if (shadow[k].p) {
			busy -= find_vmap_area(shadow[k].p)->bytes;
			p = resize(shadow[k].p, size);
			if (p) {
				assert_true(check_block(p, MIN(size, shadow[k].size) & ~7ul, shadow[k].seed));
				shadow[k].p = p;
				shadow[k].size = size;
				fill_block(p, size, shadow[k].seed);
			}
			busy += find_vmap_area(shadow[k].p)->bytes;
		} else {
			p = area(size, 1ul << random_below(21), i % 2);
			assert_non_null(p);
			if (i % 2)
				assert_zero(p, size);
			shadow[k].p = p;
			shadow[k].size = size;
			shadow[k].seed = i;
			fill_block(p, size, i);
			busy += find_vmap_area(p)->bytes;
		}
		for (n = 0; shadow[k].p && n < NR_SHADOW; n++) {
			vm = shadow[n].p && n != k ? find_vmap_area(shadow[n].p) : NULL;
			assert_true(!vm || (unsigned long)shadow[k].p + find_vmap_area(shadow[k].p)->bytes <= vm->addr ||
				    vm->addr + vm->bytes <= (unsigned long)shadow[k].p);
		}
		if (i % 64 == 0)
			vmap_purge_oldest();
		assert_true(vmap_validate());
		assert_true(atomic_load(&purge_state.dirty) >= 0);
		vmap_get_stats(&st);
		assert_int_equal(st.busy_bytes, busy);
	}
	for (k = 0; k < NR_SHADOW; k++) {
		if (!shadow[k].p)
			continue;
		assert_true(check_block(shadow[k].p, shadow[k].size, shadow[k].seed));
		release(shadow[k].p);
	}
	vmap_get_stats(&st);
	assert_int_equal(st.nr_busy, before.nr_busy);
	assert_int_equal(st.busy_bytes, before.busy_bytes);
	assert_int_equal(heap_walk(), 0);
	purge_all();
	assert_int_equal(atomic_load(&purge_state.dirty), 0);
	assert_int_equal(atomic_load(&purge_state.used) << FRAME_SHIFT, st.busy_bytes);
}

/* ---- giving back ---- */

static unsigned long resident(const void *p, size_t size)
{
	static unsigned char vec[65536];
	unsigned long n = 0, i;

	assert_true(size / 4096 <= sizeof(vec));
	if (mincore((void *)(uintptr_t)p, size, vec))
		return 0;	/* not mapped */
	for (i = 0; i < size / 4096; i++)
		n += vec[i] & 1;
	return n;
}

static void purged_areas_hold_no_memory_and_read_zero(void **state)
{
	char *p = area(8 * MIB, 1, false), *q;

	(void)state;
	memset(p, 0xdd, 8 * MIB);
	release(p);
	assert_true(resident(p, 8 * MIB) >= 2048);
	assert_true(purge_all() >= 2048);
	assert_int_equal(resident(p, 8 * MIB), 0);
	q = area(8 * MIB, 1, true);
	assert_zero(q, 8 * MIB);
	release(q);
	purge_all();
}

/* Memory that the system refuses to take (locked by the program) must not be tried for ever, now or later. */
static void purging_ends_where_the_system_took_back_a_refusal(void **state)
{
	char *p = area(200 * KIB, 1, false), *q = area(200 * KIB, 1, false);

	(void)state;
	if (mlock(p, 200 * KIB)) {
		release(p);
		release(q);
		skip();
	}
	assert_ptr_equal(q, p + find_vmap_area(p)->bytes);
	memset(p, 1, 200 * KIB);
	memset(q, 1, 200 * KIB);
	release(p);
	alarm(10);
	purge_all();			/* refused */
	munlock(p, 256 * KIB);
	release(q);			/* merges with what was refused */
	purge_all();
	alarm(0);
	assert_true(vmap_validate());
	assert_true(atomic_load(&purge_state.dirty) >= 0);
}

static void handlers_get_areas_without_the_lock(void **state)
{
	char *p, *q;

	(void)state;
	assert_true(spin_lock(&vmap_lock));
	p = vmap_alloc(500 * KIB, 1, &kernel_request, false);
	q = vmap_alloc(500 * KIB, 4 * MIB, &kernel_request, false);
	assert_non_null(p);
	assert_non_null(q);
	assert_true(IS_ALIGNED((unsigned long)q, 4 * MIB));
	memset(p, 1, 500 * KIB);
	memset(q, 2, 500 * KIB);
	assert_true(vmap_free(find_vmap_area(p), false));
	spin_unlock(&vmap_lock);
	assert_true(vmap_validate());	/* takes the lock and so what was put off */
	assert_null(find_vmap_area(p));
	assert_true(all_bytes(q, 2, 500 * KIB));
	release(q);
	assert_true(vmap_validate());
}

static void areas_of_their_own_use_the_records_of_earlier_ones(void **state)
{
	unsigned int i, nr = 0;

	(void)state;
	for (i = 0; i < 200; i++) {
		if (i == 10)
			nr = atomic_load(&vmap_state.next_nr);
		vfree(vmalloc_32(100 * KIB));
		free_vm_area(get_vm_area(300 * KIB, 0));
	}
	assert_int_equal(atomic_load(&vmap_state.next_nr), nr);
}

#define T(f) cmocka_unit_test_setup(f, fresh_region)

static unsigned int nr_mappings(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned int n = 0;
	int c;

	assert_non_null(f);
	while ((c = getc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

/* A guarded area is unmapped when it is freed: what lay around it merges with nothing. */
static void blocks_that_grow_with_guards_leave_no_mappings(void **state)
{
	unsigned int i, before, kept = area_cache_blocks;

	(void)state;
	params_init("vmalloc_guard=1");
	area_cache_blocks = 0;
	purge_all();
	before = nr_mappings();
	for (i = 0; i < 300; i++) {
		char *p = kvmalloc_size(600000);

		p = kvrealloc_size(p, 1000000 + i % 7 * 200000);
		assert_non_null(p);
		slab_free(p);
	}
	vmap_purge_lazy();
	assert_in_range(nr_mappings(), 1, before + 20);
	area_cache_blocks = kept;
	params_init("transparent_hugepage=madvise");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_area_is_found_by_its_start_alone),
		T(alignments_up_to_one_gib_are_kept),
		T(impossible_sizes_fail_without_a_trace),
		T(guard_follows_every_area),
		T(zeroed_area_after_dirty_reuse_reads_zero),
		T(zeroed_area_reads_zero_after_a_smaller_one_at_its_place),
		T(zeroed_area_reads_zero_after_one_that_shrank_a_little),
		T(zeroed_area_reads_zero_after_one_that_lost_its_tail),
		T(zeroed_areas_read_zero_whatever_was_resized_before),
		T(growth_by_moving_keeps_the_contents),
		T(who_grows_has_room),
		T(pages_that_moved_stay_when_they_are_freed),
		T(where_many_moved_they_do_not),
		T(blocks_whose_like_were_full_have_huge_pages),
		T(one_that_is_not_full_ends_it),
		T(free_memory_asks_for_no_huge_pages),
		T(shrinking_gives_the_tail_back),
		T(random_use_keeps_contents_apart),
		T(purged_areas_hold_no_memory_and_read_zero),
		T(handlers_get_areas_without_the_lock),
		T(free_areas_are_mapped_after_a_move_that_the_system_refused),
		T(purging_ends_where_the_system_took_back_a_refusal),
		T(areas_of_their_own_use_the_records_of_earlier_ones),
		cmocka_unit_test(blocks_that_grow_with_guards_leave_no_mappings),
	};

	mm_init();
	params_init("transparent_hugepage=madvise");
	return cmocka_run_group_tests_name("vmalloc", tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
/*
 * GFP flags as numbers, as names and as text: kernel-semantics.md 6.1 to 6.5. A line
 * "gfp-test: FLAG" marks the test of what a flag does; tests/check/check_gfp_man.sh looks for one
 * for each.
 */
#include "unit.h"
#include "kmalloc/kmalloc.h"
#include "mm/gfp_names.h"
#include "mm/gfp_policy.h"
#include "os/os.h"

struct value {
	gfp_t got, expected;
	const char *name;
};

#define V(flag, number) { flag, number, #flag }

static void assert_values(const struct value *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (v[i].got != v[i].expected)
			fail_msg("%s is 0x%x, expected 0x%x", v[i].name, v[i].got, v[i].expected);
}

/* 6.1 */
static void single_bits_have_the_kernels_values(void **state)
{
	static const struct value bits[] = {
		V(__GFP_DMA, 0x1), V(__GFP_HIGHMEM, 0x2), V(__GFP_DMA32, 0x4),
		V(__GFP_MOVABLE, 0x8), V(__GFP_RECLAIMABLE, 0x10), V(__GFP_HIGH, 0x20),
		V(__GFP_IO, 0x40), V(__GFP_FS, 0x80), V(__GFP_ZERO, 0x100),
		V(__GFP_DIRECT_RECLAIM, 0x400), V(__GFP_KSWAPD_RECLAIM, 0x800),
		V(__GFP_WRITE, 0x1000), V(__GFP_NOWARN, 0x2000), V(__GFP_RETRY_MAYFAIL, 0x4000),
		V(__GFP_NOFAIL, 0x8000), V(__GFP_NORETRY, 0x10000), V(__GFP_MEMALLOC, 0x20000),
		V(__GFP_COMP, 0x40000), V(__GFP_NOMEMALLOC, 0x80000),
		V(__GFP_HARDWALL, 0x100000), V(__GFP_THISNODE, 0x200000),
		V(__GFP_ACCOUNT, 0x400000), V(__GFP_ZEROTAGS, 0x800000),
		V(__GFP_NO_OBJ_EXT, 0x1000000), V(__GFP_SKIP_ZERO, 0), V(__GFP_SKIP_KASAN, 0),
		V(__GFP_NOLOCKDEP, 0), V(__GFP_RECLAIM, 0xc00), V(GFP_ZONEMASK, 0xf),
		V(__GFP_BITS_MASK, 0x1ffffff),
	};

	(void)state;
	/* gfp-test: __GFP_RECLAIM (both bits, each of which has its own test) */
	assert_values(bits, ARRAY_SIZE(bits));
}

/* 6.2 */
static void combinations_have_the_kernels_values(void **state)
{
	static const struct value combinations[] = {
		V(GFP_ATOMIC, 0x820), V(GFP_KERNEL, 0xcc0), V(GFP_KERNEL_ACCOUNT, 0x400cc0),
		V(GFP_NOWAIT, 0x2800), V(GFP_NOIO, 0xc00), V(GFP_NOFS, 0xc40),
		V(GFP_USER, 0x100cc0), V(GFP_DMA, 0x1), V(GFP_DMA32, 0x4),
		V(GFP_HIGHUSER, 0x100cc2), V(GFP_HIGHUSER_MOVABLE, 0x100cca),
		V(GFP_TRANSHUGE_LIGHT, 0x1c20ca), V(GFP_TRANSHUGE, 0x1c24ca),
		V(GFP_ATOMIC_RT, 0x820),
	};

	(void)state;
	/* gfp-test: GFP_ATOMIC_RT (GFP_ATOMIC by another name) */
	assert_values(combinations, ARRAY_SIZE(combinations));
}

/*
 * 6.3: old names with today's bits.
 * gfp-test: __GFP_WAIT __GFP_REPEAT GFP_TEMPORARY GFP_IOFS GFP_THISNODE
 * gfp-test: GFP_NOFS_PAGECACHE GFP_USER_PAGECACHE GFP_HIGHUSER_PAGECACHE
 */
static void old_names_are_other_names_for_todays_bits(void **state)
{
	static const struct value old[] = {
		V(__GFP_WAIT, __GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM),
		V(__GFP_REPEAT, __GFP_RETRY_MAYFAIL), V(GFP_TEMPORARY, 0xcc0 | 0x10),
		V(GFP_IOFS, 0xc0), V(GFP_THISNODE, 0x200000 | 0x2000 | 0x10000),
		V(GFP_NOFS_PAGECACHE, 0xc48), V(GFP_USER_PAGECACHE, 0x100cc8),
		V(GFP_HIGHUSER_PAGECACHE, 0x100cca), V(__GFP_COLD, 0), V(__GFP_NO_GROW, 0),
		V(__GFP_NOTRACK, 0), V(__GFP_OTHER_NODE, 0), V(__GFP_ATOMIC, 0),
	};

	(void)state;
	assert_values(old, ARRAY_SIZE(old));
}

/* 6.5 */
static void masks_hold_what_the_kernels_hold(void **state)
{
	static const struct value masks[] = {
		V(GFP_RECLAIM_MASK, 0xc00 | 0x20 | 0xc0 | 0x2000 | 0x4000 | 0x8000 | 0x10000 |
		  0x20000 | 0x80000),
		V(GFP_CONSTRAINT_MASK, 0x300000), V(GFP_BOOT_MASK, 0x1ffffff & ~0xcc0u),
		V(GFP_SLAB_BUG_MASK, 0x6 | 0xfe000000),
	};

	(void)state;
	assert_values(masks, ARRAY_SIZE(masks));
}

/* 6.4 */
static void helpers_look_at_the_bits_that_the_kernels_do(void **state)
{
	(void)state;
	assert_true(gfpflags_allow_blocking(GFP_KERNEL));
	assert_true(gfpflags_allow_blocking(__GFP_DIRECT_RECLAIM));
	assert_false(gfpflags_allow_blocking(GFP_ATOMIC));
	assert_false(gfpflags_allow_blocking(GFP_NOWAIT));
	assert_false(gfpflags_allow_blocking(0));

	assert_true(gfpflags_allow_spinning(GFP_ATOMIC));
	assert_true(gfpflags_allow_spinning(__GFP_DIRECT_RECLAIM));
	assert_false(gfpflags_allow_spinning(__GFP_HIGH | __GFP_IO | __GFP_FS));

	assert_true(gfpflags_normal_context(GFP_NOIO));
	assert_false(gfpflags_normal_context(GFP_KERNEL | __GFP_MEMALLOC));
	assert_false(gfpflags_normal_context(GFP_ATOMIC));

	assert_true(gfp_has_io_fs(GFP_IOFS));
	assert_false(gfp_has_io_fs(GFP_NOFS));
	assert_false(gfp_has_io_fs(__GFP_FS));

	assert_true(gfp_compaction_allowed(GFP_NOFS));
	assert_false(gfp_compaction_allowed(GFP_NOIO));

	might_alloc(GFP_KERNEL);
	fs_reclaim_acquire(GFP_KERNEL);
	fs_reclaim_release(GFP_KERNEL);
}

/* 6.4: no NOFAIL, no zone, no ZERO is inherited. */
static void the_nested_mask_keeps_only_how_to_wait(void **state)
{
	const gfp_t added = __GFP_NORETRY | __GFP_NOMEMALLOC | __GFP_NOWARN;

	(void)state;
	assert_int_equal(gfp_nested_mask(GFP_KERNEL), GFP_KERNEL | added);
	assert_int_equal(gfp_nested_mask(GFP_ATOMIC), GFP_ATOMIC | added);
	assert_int_equal(gfp_nested_mask(0), added);
	assert_int_equal(gfp_nested_mask(GFP_NOFS | __GFP_NOFAIL | __GFP_ZERO | GFP_DMA |
					 __GFP_MEMALLOC | __GFP_RETRY_MAYFAIL | __GFP_ACCOUNT),
			 GFP_NOFS | added);
}

static void assert_text(gfp_t gfp, const char *expected)
{
	char buf[400];
	size_t n = gfp_format(buf, sizeof(buf), gfp);

	assert_string_equal(buf, expected);
	assert_int_equal(n, strlen(expected));
}

/* 5.9 and the head of 6.1: the largest composition, then what is left. */
static void masks_are_printed_as_the_kernel_prints_them(void **state)
{
	(void)state;
	assert_text(0, "none");
	assert_text(GFP_KERNEL, "GFP_KERNEL");
	assert_text(GFP_KERNEL | __GFP_ZERO, "GFP_KERNEL|__GFP_ZERO");
	assert_text(GFP_ATOMIC, "GFP_ATOMIC");
	assert_text(GFP_ATOMIC | __GFP_NOWARN, "GFP_ATOMIC|__GFP_NOWARN");
	assert_text(GFP_NOWAIT, "GFP_NOWAIT");
	assert_text(GFP_NOFS | __GFP_NOFAIL, "GFP_NOFS|__GFP_NOFAIL");
	assert_text(GFP_NOIO, "GFP_NOIO");
	assert_text(GFP_KERNEL_ACCOUNT, "GFP_KERNEL_ACCOUNT");
	assert_text(GFP_HIGHUSER_MOVABLE, "GFP_HIGHUSER_MOVABLE");
	assert_text(GFP_TRANSHUGE, "GFP_TRANSHUGE");
	assert_text(GFP_TRANSHUGE_LIGHT, "GFP_TRANSHUGE_LIGHT");
	assert_text(GFP_KERNEL | GFP_DMA, "GFP_KERNEL|GFP_DMA");
	assert_text(GFP_DMA32, "GFP_DMA32");
	assert_text(__GFP_DIRECT_RECLAIM, "__GFP_DIRECT_RECLAIM");
	assert_text(GFP_TEMPORARY, "GFP_KERNEL|__GFP_RECLAIMABLE");
	assert_text(0x200, "0x200");
	assert_text(GFP_KERNEL | 0x6000000, "GFP_KERNEL|0x6000000");
	assert_text(GFP_MALLOC | __GFP_NATURAL, "GFP_KERNEL");
}

static void a_printed_mask_never_leaves_its_buffer(void **state)
{
	char full[400], buf[401];
	size_t size, n;

	(void)state;
	gfp_format(full, sizeof(full), __GFP_BITS_MASK);
	for (size = 1; size <= strlen(full) + 1; size++) {
		memset(buf, 'x', sizeof(buf));
		n = gfp_format(buf, size, __GFP_BITS_MASK);
		assert_int_equal(n, size - 1);
		assert_memory_equal(buf, full, n);
		assert_int_equal(buf[n], 0);
		assert_true(all_bytes(buf + size, 'x', sizeof(buf) - size));
	}
	buf[0] = 'x';
	assert_int_equal(gfp_format(buf, 0, GFP_KERNEL), 0);
	assert_int_equal(buf[0], 'x');
}

/* Whatever is printed can be read again by its names. */
static void every_bit_is_printed_with_names_that_hold_it(void **state)
{
	char buf[64];
	unsigned int i;

	(void)state;
	for (i = 0; i < __GFP_BITS_SHIFT; i++) {
		const struct gfp_name *name;

		if (1u << i == 0x200)
			continue;
		gfp_format(buf, sizeof(buf), 1u << i);
		name = gfp_name_find(buf, strlen(buf));
		assert_non_null(name);
		assert_int_equal(name->flags, 1u << i);
	}
}

static void names_are_found_and_wrong_ones_have_a_nearest(void **state)
{
	static const char *const wrong[][2] = {
		{ "GFP_KERNL", "GFP_KERNEL" }, { "__GFP_ZER0", "__GFP_ZERO" },
		{ "ZERO", "__GFP_ZERO" }, { "GFP_ZERO", "__GFP_ZERO" },
		{ "gfp_atomic", "GFP_ATOMIC" }, { "__GFP_NORETYR", "__GFP_NORETRY" },
		{ "__GFP_DIRECTRECLAIM", "__GFP_DIRECT_RECLAIM" }, { "NOWAIT", "GFP_NOWAIT" },
		{ "__GFP_KERNEL", "GFP_KERNEL" }, { "GFP_NOSF", "GFP_NOFS" },
	};
	unsigned int i;

	(void)state;
	for (i = 0; gfp_name_at(i); i++) {
		const char *name = gfp_name_at(i)->name;

		assert_ptr_equal(gfp_name_find(name, strlen(name)), gfp_name_at(i));
		assert_string_equal(gfp_name_nearest(name, strlen(name)), name);
	}
	assert_true(i > 50);
	assert_null(gfp_name_find("GFP_KERNE", 9));
	assert_null(gfp_name_find("", 0));
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_string_equal(gfp_name_nearest(wrong[i][0], strlen(wrong[i][0])),
				    wrong[i][1]);
	assert_non_null(gfp_name_nearest("", 0));
	assert_non_null(gfp_name_nearest("a word that is much longer than every name", 42));
}

/*
 * 6.7: accepted, and the request is served as without, without a word.
 * gfp-test: __GFP_HARDWALL __GFP_WRITE __GFP_MOVABLE __GFP_ZEROTAGS
 * gfp-test: __GFP_SKIP_ZERO __GFP_SKIP_KASAN __GFP_NOLOCKDEP
 * gfp-test: __GFP_COLD __GFP_NO_GROW __GFP_NOTRACK __GFP_OTHER_NODE __GFP_ATOMIC
 * gfp-test: __GFP_NO_OBJ_EXT GFP_USER
 */
static void hints_are_accepted_in_silence(void **state)
{
	static const gfp_t hints[] = {
		__GFP_HARDWALL, __GFP_WRITE, __GFP_MOVABLE, __GFP_ZEROTAGS, __GFP_SKIP_ZERO,
		__GFP_SKIP_KASAN, __GFP_NOLOCKDEP, __GFP_COLD, __GFP_NO_GROW, __GFP_NOTRACK,
		__GFP_OTHER_NODE, __GFP_ATOMIC, __GFP_NO_OBJ_EXT, GFP_USER,
	};
	static const size_t sizes[] = { 1, 100, 8000, 200000 };
	unsigned int i, j;

	(void)state;
	catch_stderr();
	for (i = 0; i < ARRAY_SIZE(hints); i++)
		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			unsigned char *p = kmalloc(sizes[j], GFP_KERNEL | hints[i]);

			assert_non_null(p);
			assert_true(ksize(p) >= sizes[j]);
			memset(p, 0xa5, sizes[j]);
			kfree(p);
		}
	assert_string_equal(caught_text(), "");
}

/*
 * 1.3 and 6.7: ZERO clears what a former owner left; SKIP_ZERO does not take that away.
 * gfp-test: __GFP_ZERO __GFP_SKIP_ZERO
 */
static void zero_clears_what_the_last_owner_wrote(void **state)
{
	static const size_t sizes[] = { 8, 100, 1024, 3000, 40000, 131072, 200000, 3ul << 20 };
	unsigned int i, round;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (round = 0; round < 3; round++) {
			void *p = kmalloc(sizes[i], GFP_KERNEL);

			assert_non_null(p);
			memset(p, 0xa5, sizes[i]);
			kfree(p);
			p = kmalloc(sizes[i], GFP_KERNEL | __GFP_ZERO | __GFP_SKIP_ZERO);
			assert_non_null(p);
			assert_true(all_bytes(p, 0, sizes[i]));
			memset(p, 0x5a, sizes[i]);
			kfree(p);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_bits_have_the_kernels_values),
		cmocka_unit_test(combinations_have_the_kernels_values),
		cmocka_unit_test(old_names_are_other_names_for_todays_bits),
		cmocka_unit_test(masks_hold_what_the_kernels_hold),
		cmocka_unit_test(helpers_look_at_the_bits_that_the_kernels_do),
		cmocka_unit_test(the_nested_mask_keeps_only_how_to_wait),
		cmocka_unit_test(masks_are_printed_as_the_kernel_prints_them),
		cmocka_unit_test(a_printed_mask_never_leaves_its_buffer),
		cmocka_unit_test(every_bit_is_printed_with_names_that_hold_it),
		cmocka_unit_test(names_are_found_and_wrong_ones_have_a_nearest),
		cmocka_unit_test(hints_are_accepted_in_silence),
		cmocka_unit_test(zero_clears_what_the_last_owner_wrote),
	};

	return cmocka_run_group_tests_name("gfp_flags", tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
/*
 * KMALLOC_GFP (design.md section 6): what is understood, which block wins, and that every mistake
 * costs one line and one block.
 */
#include "unit.h"
#include "kmalloc/kmalloc.h"
#include "mm/gfp_policy.h"
#include "os/os.h"

#include <errno.h>
#include <sys/prctl.h>

/* The lines that it cost; their text is in caught.text. */
static unsigned int parse(const char *text)
{
	catch_stderr();
	gfp_policy_init(text);
	return count_lines(caught_text());
}

static gfp_t policy_of(const char *cache, size_t size)
{
	gfp_t gfp = gfp_policy(cache, size);

	assert_true(gfp & __GFP_MALLOC);
	return gfp & ~__GFP_MALLOC;
}

static void nothing_given_is_gfp_kernel(void **state)
{
	static const char *const texts[] = {
		NULL, "", "  ", ";", " ; ;\t\n;", "GFP_KERNEL", "0xcc0", " GFP_KERNEL ; ",
		"GFP_ATOMIC -__GFP_HIGH +GFP_KERNEL",
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(parse("GFP_ATOMIC; vmalloc:__GFP_ZERO"), 0);
		assert_true(gfp_policy_active);
		assert_true(gfp_base_nonblocking);
		assert_int_equal(parse(texts[i]), 0);
		assert_false(gfp_policy_active);
		assert_false(gfp_base_nonblocking);
		assert_int_equal(gfp_policy("kmalloc-64", 64), GFP_MALLOC);
		assert_int_equal(gfp_policy(NULL, 1 << 20), GFP_MALLOC);
		assert_false(gfp_policy_per_object("kmalloc-64", 49, 64));
	}
}

/* The base block alone: text, the mask that follows, the lines written. */
static void base_flags_are_composed(void **state)
{
	static const struct {
		const char *text;
		gfp_t gfp;
		unsigned int lines;
	} good[] = {
		{ "GFP_KERNEL|__GFP_ZERO", GFP_KERNEL | __GFP_ZERO, 0 },
		{ "__GFP_ZERO|GFP_KERNEL", GFP_KERNEL | __GFP_ZERO, 0 },
		{ " GFP_KERNEL\t|\n__GFP_ZERO ", GFP_KERNEL | __GFP_ZERO, 0 },
		{ "GFP_ATOMIC", GFP_ATOMIC, 0 },
		{ "GFP_ATOMIC_RT", GFP_ATOMIC, 0 },
		{ "GFP_NOWAIT", GFP_NOWAIT, 0 },
		{ "GFP_NOIO|GFP_NOFS", GFP_NOFS, 0 },
		{ "GFP_USER", GFP_USER, 0 },
		{ "GFP_KERNEL_ACCOUNT", GFP_KERNEL_ACCOUNT, 0 },
		/* bare bits are added to GFP_KERNEL */
		{ "__GFP_ZERO", GFP_KERNEL | __GFP_ZERO, 0 },
		{ "+__GFP_ZERO", GFP_KERNEL | __GFP_ZERO, 0 },
		{ "__GFP_NORETRY|__GFP_NOWARN", GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN, 0 },
		{ "GFP_DMA", GFP_KERNEL | __GFP_DMA, 0 },
		{ "GFP_THISNODE", GFP_KERNEL | GFP_THISNODE, 0 },
		/* + and - */
		{ "-__GFP_FS", GFP_NOFS, 0 },
		{ "GFP_KERNEL-__GFP_FS-__GFP_IO", GFP_NOIO, 0 },
		{ "GFP_KERNEL | -__GFP_FS | - __GFP_IO", GFP_NOIO, 0 },
		{ "GFP_ATOMIC +__GFP_NOWARN -__GFP_HIGH", GFP_NOWAIT, 0 },
		{ "+__GFP_ZERO -__GFP_ZERO", GFP_KERNEL, 0 },
		{ "-__GFP_ZERO +__GFP_ZERO", GFP_KERNEL | __GFP_ZERO, 0 },
		{ "-__GFP_ZERO|__GFP_ZERO", GFP_KERNEL, 0 },
		{ "-__GFP_DIRECT_RECLAIM", GFP_KERNEL & ~__GFP_DIRECT_RECLAIM, 0 },
		/* 6.3: clearing WAIT clears the sleeping alone */
		{ "-__GFP_WAIT", GFP_KERNEL & ~__GFP_DIRECT_RECLAIM, 0 },
		{ "-__GFP_RECLAIM", __GFP_IO | __GFP_FS, 0 },
		/* numbers are whole masks */
		{ "0x820", GFP_ATOMIC, 0 },
		{ "0X2dC0", GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN, 0 },
		{ "0x0", 0, 0 },
		{ "+0x100", GFP_KERNEL | __GFP_ZERO, 0 },
		{ "-0x80", GFP_NOFS, 0 },
		{ "-0xffffffff", 0, 0 },
		/* old names */
		{ "GFP_ATOMIC|__GFP_WAIT", GFP_ATOMIC | __GFP_RECLAIM, 0 },
		{ "__GFP_REPEAT", GFP_KERNEL | __GFP_RETRY_MAYFAIL, 0 },
		{ "GFP_KERNEL|__GFP_COLD", GFP_KERNEL, 0 },
		{ "GFP_TEMPORARY", GFP_KERNEL | __GFP_RECLAIMABLE, 0 },
		/* not for malloc: a line each */
		{ "GFP_KERNEL|__GFP_COMP", GFP_KERNEL, 1 },
		{ "GFP_HIGHUSER", GFP_USER, 1 },
		{ "GFP_KERNEL|GFP_DMA32|__GFP_HIGHMEM", GFP_KERNEL, 2 },
		{ "GFP_TRANSHUGE", (GFP_TRANSHUGE & ~(__GFP_COMP | __GFP_HIGHMEM)), 2 },
		{ "GFP_KERNEL|__GFP_NO_OBJ_EXT", GFP_KERNEL, 1 },
		{ "0xc0000cc0", GFP_KERNEL, 1 },
		{ "0x2000ec0", GFP_KERNEL, 1 },
		{ "GFP_KERNEL|__GFP_COMP-__GFP_COMP", GFP_KERNEL, 0 },
	};
	unsigned int i, lines;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		lines = parse(good[i].text);
		if (policy_of("kmalloc-64", 64) != good[i].gfp || lines != good[i].lines)
			fail_msg("%s: 0x%x and %u lines\n%s", good[i].text,
				 policy_of("kmalloc-64", 64), lines, caught.text);
		assert_int_equal(policy_of(NULL, 1 << 20), good[i].gfp);
		assert_int_equal(gfp_base_nonblocking, !(good[i].gfp & __GFP_DIRECT_RECLAIM));
		assert_int_equal(gfp_policy_active, good[i].gfp != GFP_KERNEL);
	}
}

static void a_wrong_base_costs_one_line_and_leaves_gfp_kernel(void **state)
{
	static const char *const bad[] = {
		"GFP_KERNL", "GFP_KERNEL|__GFP_ZER0", "kmalloc", "__GFP_ZERO GFP_KERNEL",
		"GFP_KERNEL|", "|GFP_KERNEL", "GFP_KERNEL||__GFP_ZERO", "+", "GFP_KERNEL-",
		"GFP_KERNEL+-__GFP_FS", "0x", "0xg", "0x1cc0ffee1", "820", "GFP_KERNEL,__GFP_ZERO",
		"gfp_kernel", "GFP_KERNEL\001",
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (parse(bad[i]) != 1)
			fail_msg("'%s' cost these lines:\n%s", bad[i], caught.text);
		assert_non_null(strstr(caught.text, "kmalloc: WARNING: KMALLOC_GFP: "));
		assert_false(gfp_policy_active);
		assert_int_equal(policy_of("kmalloc-64", 64), GFP_KERNEL);
	}
	parse("GFP_KERNEL|__GFP_ZER0");
	assert_non_null(strstr(caught.text, "unknown flag '__GFP_ZER0'"));
	assert_non_null(strstr(caught.text, "nearest is '__GFP_ZERO'"));
}

/* A mistake in one block leaves the others. */
static void a_wrong_block_costs_one_line_and_nothing_else(void **state)
{
	static const char *const bad[] = {
		"kmalloc-64:", ":__GFP_ZERO", "kmalloc-64,:__GFP_ZERO", ",:__GFP_ZERO",
		"kmalloc-64:__GFP_ZER0", "kmalloc-64: ", "size=:__GFP_ZERO", "size=9-8:__GFP_ZERO",
		"size=a-b:__GFP_ZERO", "size=-9:__GFP_ZERO", "size=1-:__GFP_ZERO",
		"size=1-2-3:__GFP_ZERO", "size=99999999999999999999:__GFP_ZERO",
		"siez=1-2:__GFP_ZERO", "comm=:__GFP_ZERO", "thread=:__GFP_ZERO", "=:__GFP_ZERO",
		"__GFP_ZERO", "kmalloc-64,size=x:__GFP_ZERO", "kmalloc-64:__GFP_ZERO,__GFP_DMA",
		"comm=*,siez=1:__GFP_ZERO",
	};
	char text[200];
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "GFP_NOFS; %s; vmalloc:__GFP_NORETRY", bad[i]);
		if (parse(text) != 1)
			fail_msg("'%s' cost these lines:\n%s", text, caught.text);
		assert_int_equal(policy_of("kmalloc-64", 64), GFP_NOFS);
		assert_int_equal(policy_of("kmalloc-8", 5), GFP_NOFS);
		assert_int_equal(policy_of(NULL, 1 << 20), GFP_NOFS | __GFP_NORETRY);
		assert_false(gfp_policy_per_object("kmalloc-64", 49, 64));
	}
}

/* The example of design.md. */
static void the_example_of_the_design_means_what_it_says(void **state)
{
	(void)state;
	assert_int_equal(parse("GFP_KERNEL; kmalloc-64,kmalloc-96:__GFP_ZERO; "
			       "vmalloc:__GFP_NORETRY; comm=no-such-program:GFP_NOWAIT"), 0);
	assert_true(gfp_policy_active);
	assert_false(gfp_base_nonblocking);
	assert_int_equal(policy_of("kmalloc-48", 40), GFP_KERNEL);
	assert_int_equal(policy_of("kmalloc-64", 64), GFP_KERNEL | __GFP_ZERO);
	assert_int_equal(policy_of("kmalloc-96", 90), GFP_KERNEL | __GFP_ZERO);
	assert_int_equal(policy_of("kmalloc-640", 600), GFP_KERNEL);
	assert_int_equal(policy_of(NULL, 1 << 20), GFP_KERNEL | __GFP_NORETRY);
}

static void names_may_be_patterns(void **state)
{
	(void)state;
	assert_int_equal(parse("kmalloc-1*,kmalloc-?:__GFP_NOWARN"), 0);
	assert_int_equal(policy_of("kmalloc-16", 16), GFP_KERNEL | __GFP_NOWARN);
	assert_int_equal(policy_of("kmalloc-128k", 131072), GFP_KERNEL | __GFP_NOWARN);
	assert_int_equal(policy_of("kmalloc-8", 8), GFP_KERNEL | __GFP_NOWARN);
	assert_int_equal(policy_of("kmalloc-32", 32), GFP_KERNEL);
	assert_int_equal(policy_of(NULL, 1 << 20), GFP_KERNEL);
	/* a pattern is for caches, and the vmalloc region is none */
	assert_int_equal(parse("*:__GFP_NOWARN"), 0);
	assert_int_equal(policy_of("kmalloc-32", 32), GFP_KERNEL | __GFP_NOWARN);
	assert_int_equal(policy_of(NULL, 1 << 20), GFP_KERNEL);
}

static void sizes_are_bounds_that_count(void **state)
{
	(void)state;
	assert_int_equal(parse("size=100-4K:__GFP_NOWARN; size=1m:__GFP_NORETRY"), 0);
	assert_int_equal(policy_of("kmalloc-112", 99), GFP_KERNEL);
	assert_int_equal(policy_of("kmalloc-112", 100), GFP_KERNEL | __GFP_NOWARN);
	assert_int_equal(policy_of("kmalloc-4k", 4096), GFP_KERNEL | __GFP_NOWARN);
	assert_int_equal(policy_of("kmalloc-5k", 4097), GFP_KERNEL);
	assert_int_equal(policy_of(NULL, 1 << 20), GFP_KERNEL | __GFP_NORETRY);
	assert_int_equal(policy_of(NULL, (1 << 20) + 1), GFP_KERNEL);
	assert_int_equal(parse("size= 8 - 16 : __GFP_NOWARN"), 0);
	assert_int_equal(policy_of("kmalloc-16", 16), GFP_KERNEL | __GFP_NOWARN);
}

static void selectors_of_a_block_are_alternatives(void **state)
{
	(void)state;
	assert_int_equal(parse("kmalloc-64 , vmalloc,size=1-8:__GFP_NOWARN"), 0);
	assert_int_equal(policy_of("kmalloc-64", 60), GFP_KERNEL | __GFP_NOWARN);
	assert_int_equal(policy_of("kmalloc-8", 8), GFP_KERNEL | __GFP_NOWARN);
	assert_int_equal(policy_of(NULL, 1 << 20), GFP_KERNEL | __GFP_NOWARN);
	assert_int_equal(policy_of("kmalloc-48", 48), GFP_KERNEL);
}

/* Compositions replace how memory is got, and keep what the object is. */
static void a_composition_replaces_and_a_bit_adds(void **state)
{
	(void)state;
	assert_int_equal(parse("GFP_KERNEL|__GFP_ZERO|__GFP_NOFAIL; kmalloc-8:GFP_NOWAIT; "
			       "kmalloc-16:__GFP_NOWARN; kmalloc-32:GFP_ATOMIC|__GFP_NOWARN; "
			       "kmalloc-48:-__GFP_ZERO; kmalloc-64:GFP_DMA; kmalloc-80:0x20"), 0);
	assert_int_equal(policy_of("kmalloc-8", 8), GFP_NOWAIT | __GFP_ZERO);
	assert_int_equal(policy_of("kmalloc-16", 16),
			 GFP_KERNEL | __GFP_ZERO | __GFP_NOFAIL | __GFP_NOWARN);
	assert_int_equal(policy_of("kmalloc-32", 32), GFP_ATOMIC | __GFP_NOWARN | __GFP_ZERO);
	assert_int_equal(policy_of("kmalloc-48", 48), GFP_KERNEL | __GFP_NOFAIL);
	assert_int_equal(policy_of("kmalloc-64", 64),
			 GFP_KERNEL | __GFP_ZERO | __GFP_NOFAIL | __GFP_DMA);
	assert_int_equal(policy_of("kmalloc-80", 80), __GFP_HIGH | __GFP_ZERO);
}

static void later_blocks_win_and_the_base_comes_first(void **state)
{
	(void)state;
	assert_int_equal(parse("kmalloc-*:GFP_NOWAIT; kmalloc-64:GFP_NOFS; GFP_ATOMIC; "
			       "size=60-64:+__GFP_NOWARN; kmalloc-64:-__GFP_IO"), 0);
	assert_true(gfp_base_nonblocking);
	assert_int_equal(policy_of("kmalloc-32", 32), GFP_NOWAIT);
	assert_int_equal(policy_of("kmalloc-64", 50), GFP_NOIO);
	assert_int_equal(policy_of("kmalloc-64", 60), GFP_NOIO | __GFP_NOWARN);
	assert_int_equal(policy_of(NULL, 1 << 20), GFP_ATOMIC);
	assert_int_equal(parse("GFP_NOFS; GFP_NOIO"), 1);
	assert_int_equal(policy_of("kmalloc-32", 32), GFP_NOFS);
	/* the first one is the base although it is wrong */
	assert_int_equal(parse("GFP_NOSF; GFP_NOIO"), 2);
	assert_int_equal(policy_of("kmalloc-32", 32), GFP_KERNEL);
}

static void a_program_is_known_by_the_name_of_its_file(void **state)
{
	const char *name = strrchr(program_invocation_name, '/');
	char text[300];

	(void)state;
	name = name ? name + 1 : program_invocation_name;
	assert_string_equal(os_program_name(), name);

	snprintf(text, sizeof(text), "comm=%s:GFP_NOWAIT", name);
	assert_int_equal(parse(text), 0);
	assert_int_equal(policy_of("kmalloc-64", 64), GFP_NOWAIT);
	assert_int_equal(policy_of(NULL, 1 << 20), GFP_NOWAIT);
	assert_true(gfp_policy_active);
	assert_true(gfp_base_nonblocking);
	assert_false(gfp_policy_per_object("kmalloc-64", 49, 64));

	/* what ps shows of it */
	snprintf(text, sizeof(text), "comm=%.15s:GFP_NOWAIT", name);
	assert_int_equal(parse(text), 0);
	assert_int_equal(policy_of("kmalloc-64", 64), GFP_NOWAIT);
	assert_int_equal(parse("comm=*:GFP_NOWAIT; kmalloc-64:GFP_KERNEL"), 0);
	assert_true(gfp_base_nonblocking);
	assert_int_equal(policy_of("kmalloc-64", 64), GFP_KERNEL);
	snprintf(text, sizeof(text), "comm=nginx,comm=%.1s*%s:GFP_NOWAIT", name,
		 name + strlen(name) - 1);
	assert_int_equal(parse(text), 0);
	assert_true(gfp_base_nonblocking);

	assert_int_equal(parse("comm=nginx:GFP_NOWAIT"), 0);
	assert_false(gfp_policy_active);
	assert_int_equal(policy_of("kmalloc-64", 64), GFP_KERNEL);
	assert_int_equal(parse("comm=nginx,kmalloc-64:GFP_NOWAIT"), 0);
	assert_int_equal(policy_of("kmalloc-64", 64), GFP_NOWAIT);
	assert_int_equal(policy_of("kmalloc-32", 32), GFP_KERNEL);
	assert_false(gfp_base_nonblocking);
	/* its mistakes are told in every program */
	assert_int_equal(parse("comm=nginx:GFP_NOWIAT"), 1);
}

static void a_thread_is_known_by_the_name_that_it_has_now(void **state)
{
	char old[16];

	(void)state;
	prctl(PR_GET_NAME, old);
	assert_int_equal(parse("thread=worker-*:GFP_NOWAIT; kmalloc-64:__GFP_NOWARN"), 0);
	assert_true(gfp_policy_active);
	assert_false(gfp_base_nonblocking);
	assert_int_equal(policy_of("kmalloc-8", 8), GFP_KERNEL);
	prctl(PR_SET_NAME, "worker-1");
	assert_int_equal(policy_of("kmalloc-8", 8), GFP_NOWAIT);
	assert_int_equal(policy_of("kmalloc-64", 64), GFP_NOWAIT | __GFP_NOWARN);
	assert_int_equal(policy_of(NULL, 1 << 20), GFP_NOWAIT);
	prctl(PR_SET_NAME, "a:b;c");
	assert_int_equal(parse("thread=a:b?c:GFP_NOIO"), 0);
	assert_int_equal(policy_of("kmalloc-8", 8), GFP_NOIO);
	prctl(PR_SET_NAME, old);
	assert_int_equal(policy_of("kmalloc-8", 8), GFP_KERNEL);
}

/* design.md section 4: which caches lose their sheaves. kmalloc-64 serves 49 to 64 bytes. */
static void only_what_concerns_single_objects_costs_the_sheaves(void **state)
{
	static const struct {
		const char *text;
		bool per_object;
	} rows[] = {
		{ "GFP_ATOMIC", false }, { "GFP_KERNEL|__GFP_NOFAIL|__GFP_NORETRY", false },
		{ "GFP_KERNEL|__GFP_HIGH|__GFP_MOVABLE|__GFP_HARDWALL", false },
		{ "__GFP_ZERO", true }, { "GFP_DMA", true }, { "GFP_KERNEL_ACCOUNT", true },
		{ "GFP_TEMPORARY", true },
		{ "kmalloc-64:__GFP_ZERO", true }, { "kmalloc-64:GFP_ATOMIC", false },
		{ "kmalloc-48:__GFP_ZERO", false }, { "vmalloc:__GFP_ZERO", false },
		{ "__GFP_ZERO; kmalloc-64:-__GFP_ZERO", false },
		{ "size=49-64:GFP_ATOMIC", false }, { "size=1-1M:GFP_ATOMIC", false },
		{ "size=49-64:__GFP_ZERO", true }, { "size=50-64:GFP_ATOMIC", true },
		{ "size=49-63:GFP_ATOMIC", true }, { "size=56:GFP_ATOMIC", true },
		{ "size=64-80:GFP_ATOMIC", true }, { "size=65-80:__GFP_ZERO", false },
		{ "size=1-48:__GFP_ZERO", false },
		{ "kmalloc-64,size=50:GFP_ATOMIC", false },
		{ "thread=x:GFP_ATOMIC", true }, { "thread=x,kmalloc-*:GFP_ATOMIC", false },
		{ "comm=*:__GFP_ZERO", true }, { "comm=nginx:__GFP_ZERO", false },
		{ "comm=nginx,thread=x:GFP_ATOMIC", true },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(parse(rows[i].text), 0);
		if (gfp_policy_per_object("kmalloc-64", 49, 64) != rows[i].per_object)
			fail_msg("%s: expected %d", rows[i].text, rows[i].per_object);
	}
}

static void too_much_is_one_line(void **state)
{
	static char text[6000];
	unsigned int i;
	size_t n = 0;

	(void)state;
	/* 16 blocks, then 18 */
	for (i = 0; i < 16; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "kmalloc-%u:GFP_NOFS;", i);
	assert_int_equal(parse(text), 0);
	assert_int_equal(policy_of("kmalloc-15", 1), GFP_NOFS);
	snprintf(text + n, sizeof(text) - n, "kmalloc-16:GFP_NOFS;kmalloc-17:GFP_NOFS");
	assert_int_equal(parse(text), 1);
	assert_int_equal(policy_of("kmalloc-15", 1), GFP_NOFS);
	assert_int_equal(policy_of("kmalloc-16", 1), GFP_KERNEL);

	/* 64 selectors, then 65 */
	for (i = 0, n = 0; i < 64; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%skmalloc-%u", i ? "," : "", i);
	snprintf(text + n, sizeof(text) - n, ":GFP_NOFS");
	assert_int_equal(parse(text), 0);
	assert_int_equal(policy_of("kmalloc-63", 1), GFP_NOFS);
	snprintf(text + n, sizeof(text) - n, ",x:GFP_NOFS; GFP_NOIO; x:GFP_NOFS");
	assert_int_equal(parse(text), 1);
	assert_int_equal(policy_of("kmalloc-63", 1), GFP_NOIO);
	assert_int_equal(policy_of("x", 1), GFP_NOFS);

	/* 2047 characters, then 2048 */
	memset(text, ' ', sizeof(text));
	memcpy(text, "GFP_NOFS", 8);
	text[2047] = '\0';
	assert_int_equal(parse(text), 0);
	assert_int_equal(policy_of("kmalloc-8", 1), GFP_NOFS);
	text[2047] = ' ';
	text[2048] = '\0';
	assert_int_equal(parse(text), 1);
	assert_int_equal(policy_of("kmalloc-8", 1), GFP_KERNEL);
	assert_false(gfp_policy_active);
}

static void the_text_may_change_afterwards(void **state)
{
	char text[] = "kmalloc-64:GFP_NOFS";

	(void)state;
	assert_int_equal(parse(text), 0);
	memset(text, '*', sizeof(text) - 1);
	assert_int_equal(policy_of("kmalloc-64", 1), GFP_NOFS);
	assert_int_equal(policy_of("kmalloc-48", 1), GFP_KERNEL);
}

static unsigned int check_names(const char *text)
{
	parse(text);
	catch_stderr();
	gfp_policy_check_names();
	return count_lines(caught_text());
}

static void a_name_of_no_cache_is_told(void **state)
{
	(void)state;
	kfree(kmalloc(1, GFP_KERNEL));	/* makes the caches */
	assert_int_equal(check_names("kmalloc-64,kmalloc-*,vmalloc,size=3,thread=x,comm=y:"
				     "GFP_NOFS"), 0);
	assert_int_equal(check_names("kmalloc-63,kmalloc-64:GFP_NOFS; *-x:GFP_NOFS"), 2);
	assert_non_null(strstr(caught.text, "'kmalloc-63'"));
	assert_non_null(strstr(caught.text, "'*-x'"));
	assert_int_equal(policy_of("kmalloc-64", 64), GFP_NOFS);
	assert_int_equal(check_names(NULL), 0);
}

/* Any bytes: no crash, one line a block at most but for dropped flags, always a policy. */
static void rubbish_is_survived(void **state)
{
	static const char *const words[] = {
		"GFP_KERNEL", "__GFP_ZERO", "kmalloc-*", "size=", "1-64", ":", ":", ";", ";", ",",
		"|", "+", "-", " ", "comm=*", "thread=*", "vmalloc", "0x", "ffffffff", "\377",
		"\n", "GFP_ATOMIC", "***", "=",
	};
	char text[600];
	unsigned int i, j, n;

	(void)state;
	for (i = 0; i < 2000; i++) {
		text[0] = '\0';
		n = random_below(30);
		for (j = 0; j < n; j++)
			strcat(text, words[random_below(ARRAY_SIZE(words))]);
		parse(text);
		for (j = 0; caught.text[j]; j++)
			assert_true(caught.text[j] == '\n' ||
				    (caught.text[j] >= ' ' && caught.text[j] <= '~'));
		policy_of("kmalloc-64", 64);
		policy_of(NULL, 1 << 20);
		gfp_policy_per_object("kmalloc-64", 49, 64);
	}
	parse(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_given_is_gfp_kernel),
		cmocka_unit_test(base_flags_are_composed),
		cmocka_unit_test(a_wrong_base_costs_one_line_and_leaves_gfp_kernel),
		cmocka_unit_test(a_wrong_block_costs_one_line_and_nothing_else),
		cmocka_unit_test(the_example_of_the_design_means_what_it_says),
		cmocka_unit_test(names_may_be_patterns),
		cmocka_unit_test(sizes_are_bounds_that_count),
		cmocka_unit_test(selectors_of_a_block_are_alternatives),
		cmocka_unit_test(a_composition_replaces_and_a_bit_adds),
		cmocka_unit_test(later_blocks_win_and_the_base_comes_first),
		cmocka_unit_test(a_program_is_known_by_the_name_of_its_file),
		cmocka_unit_test(a_thread_is_known_by_the_name_that_it_has_now),
		cmocka_unit_test(only_what_concerns_single_objects_costs_the_sheaves),
		cmocka_unit_test(too_much_is_one_line),
		cmocka_unit_test(the_text_may_change_afterwards),
		cmocka_unit_test(a_name_of_no_cache_is_told),
		cmocka_unit_test(rubbish_is_survived),
	};

	return cmocka_run_group_tests_name("gfp_policy", tests, NULL, NULL);
}

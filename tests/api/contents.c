/* SPDX-License-Identifier: MIT */
/*
 * What the interface gives: alignment, zeros, contents kept by realloc, the
 * usable size, the sized frees, and libc's own allocations.
 */
#include "entry_points.h"

#include <dirent.h>
#include <dlfcn.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <wchar.h>
#include <cmocka.h>

/* Sizes that lie close together where they are small and around powers of two. */
static size_t next_size(size_t n)
{
	size_t power = 1;

	if (n < 1100)
		return n + 1;
	while (power < n + 2)
		power *= 2;
	if (n + 1 == power || n + 2 == power || n == power / 2)
		return n + 1;
	n += n / 23;
	return n < power ? n : power - 1;
}

#define for_each_size(n, max) for (size_t n = 0; n <= (max); n = next_size(n))

static void blocks_are_aligned(void **state)
{
	(void)state;
	for_each_entry_point(ep) {
		for_each_size(n, 300000) {
			size_t align = ep->align ? ep->align : n > 8 ? 16 : 8;
			void *p = ep->alloc(n), *q = ep->alloc(n);

			assert_non_null(p);
			assert_non_null(q);
			if (((uintptr_t)p | (uintptr_t)q) % align)
				fail_msg("%s with n = %zu gave %p and %p", ep->name, n, p, q);
			free(q);
			free(p);
		}
	}
}

static void realloc_gives_aligned_blocks(void **state)
{
	void *p = NULL;

	(void)state;
	for_each_size(n, 300000) {
		if (!n)
			continue;
		p = realloc(p, n);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % (n > 8 ? 16 : 8), 0);
	}
	free(p);
}

/* Address space alone: nothing is touched but the first bytes. */
static void alignments_up_to_2_GiB(void **state)
{
	static const size_t sizes[] = { 1, 100, 5000, 200000, 3 << 20 };
	unsigned int shift, i;

	(void)state;
	for (shift = 3; shift <= 31; shift++)
		for (i = 0; i < 5; i++) {
			size_t align = (size_t)1 << shift;
			void *p = memalign(align, sizes[i]), *q = aligned_alloc(align, sizes[i]);
			void *r = NULL;

			assert_int_equal(posix_memalign(&r, align, sizes[i]), 0);
			assert_non_null(p);
			assert_non_null(q);
			assert_int_equal(((uintptr_t)p | (uintptr_t)q | (uintptr_t)r) % align, 0);
			assert_true(malloc_usable_size(p) >= sizes[i]);
			*(char *)p = *(char *)q = *(char *)r = 1;
			((char *)p)[sizes[i] - 1] = 1;
			free(p);
			free(q);
			free(r);
		}
}

static void fill(unsigned char *p, size_t n, unsigned int seed)
{
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = (unsigned char)(seed + i * 31 + (i >> 8));
}

static void assert_filled(const unsigned char *p, size_t n, unsigned int seed)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i] != (unsigned char)(seed + i * 31 + (i >> 8)))
			fail_msg("byte %zu of %zu is %#x", i, n, p[i]);
}

static void realloc_keeps_contents(void **state)
{
	static const size_t sizes[] = { 1,	8,	9,	16,	17,	100,
					128,	1000,	4096,	16384,	60000,	131072,
					131073, 200000, 600000, 3 << 20 };
	unsigned int i, j, nr = sizeof(sizes) / sizeof(sizes[0]);

	(void)state;
	for (i = 0; i < nr; i++)
		for (j = 0; j < nr; j++) {
			size_t kept = sizes[i] < sizes[j] ? sizes[i] : sizes[j];
			unsigned char *p = malloc(sizes[i]);

			assert_non_null(p);
			fill(p, sizes[i], i);
			p = realloc(p, sizes[j]);
			assert_non_null(p);
			assert_filled(p, kept, i);
			fill(p, sizes[j], j);
			p = reallocarray(p, sizes[i], 1);
			assert_non_null(p);
			assert_filled(p, kept, j);
			free(p);
		}
}

static void realloc_grows_and_shrinks_step_by_step(void **state)
{
	unsigned char *p = malloc(1);
	size_t n, old = 1;

	(void)state;
	assert_non_null(p);
	p[0] = 42;
	for (n = 1; n < 4 << 20; n += n / 5 + 1) {
		p = realloc(p, n);
		assert_non_null(p);
		assert_int_equal(p[0], 42);
		if (old > 1)
			assert_int_equal(p[old - 1], 43);
		p[n - 1] = n > 1 ? 43 : 42;
		old = n;
	}
	for (n = old; n > 1; n -= n / 5 + 1) {
		p[n - 1] = 44;
		p = realloc(p, n);
		assert_non_null(p);
		assert_int_equal(p[0], 42);
		assert_int_equal(p[n - 1], 44);
	}
	free(p);
}

static void realloc_of_aligned_blocks_keeps_contents(void **state)
{
	static const size_t sizes[] = { 1, 20, 100, 1000, 5000, 40000, 140000, 1 << 20 };
	unsigned int shift, i, j;

	(void)state;
	for (shift = 4; shift <= 21; shift++)
		for (i = 0; i < 8; i++)
			for (j = 0; j < 8; j += shift > 12 ? 3 : 1) {
				size_t kept = sizes[i] < sizes[j] ? sizes[i] : sizes[j];
				unsigned char *p = memalign((size_t)1 << shift, sizes[i]);

				assert_non_null(p);
				if (kept > 5000)
					kept = 5000;
				fill(p, kept, shift);
				p = realloc(p, sizes[j]);
				assert_non_null(p);
				assert_filled(p, kept, shift);
				p[sizes[j] - 1] = 1;
				free(p);
			}
}

static void calloc_gives_zeros_after_dirty_reuse(void **state)
{
	static unsigned char zeros[1 << 20];
	unsigned int i;

	(void)state;
	for_each_size(n, 1 << 20) {
		unsigned int nr = n > 20000 ? 2 : 5;
		unsigned char *p[5];

		for (i = 0; i < nr; i++) {
			p[i] = malloc(n);
			assert_non_null(p[i]);
			memset(p[i], 0xff, malloc_usable_size(p[i]));
		}
		for (i = 0; i < nr; i++)
			free(p[i]);
		for (i = 0; i < nr; i++) {
			p[i] = i & 1 ? calloc(n, 1) : calloc(1, n);
			assert_non_null(p[i]);
			if (memcmp(p[i], zeros, n))
				fail_msg("calloc of %zu is dirty", n);
		}
		for (i = 0; i < nr; i++)
			free(p[i]);
	}
}

/* Large blocks are cached, split and joined; where a dirty one was, zeros must come. */
static void calloc_gives_zeros_in_split_and_joined_blocks(void **state)
{
	static const size_t steps[] = { 3 << 20, 1 << 20, 500000, 200000, 140000, 5 << 20 };
	unsigned int i, j, k;

	(void)state;
	for (i = 0; i < 6; i++)
		for (j = 0; j < 6; j++) {
			unsigned char *p[4];
			size_t b;

			for (k = 0; k < 4; k++) {
				p[k] = malloc(steps[i]);
				assert_non_null(p[k]);
				memset(p[k], 0xdd, steps[i]);
			}
			free(p[1]);
			free(p[2]);
			free(p[0]);
			p[0] = calloc(1, steps[j]);
			p[1] = calloc(1, steps[j]);
			assert_non_null(p[0]);
			assert_non_null(p[1]);
			for (b = 0; b < steps[j]; b += b < 4096 ? 1 : 509)
				if (p[0][b] || p[1][b])
					fail_msg("calloc of %zu after %zu is dirty at %zu",
						 steps[j], steps[i], b);
			free(p[0]);
			free(p[1]);
			free(p[3]);
		}
}

/* What a shrinking realloc left dirty behind the block belongs to the next one. */
static void calloc_gives_zeros_after_shrinking(void **state)
{
	static const size_t sizes[] = { 100,	1000,	5000,	  40000,   131072, 140000,
					200000, 333333, 2 << 20,  5 << 20 };
	static unsigned char zeros[5 << 20];
	unsigned int i, j;

	(void)state;
	for (i = 1; i < 10; i++)
		for (j = 0; j < i; j++) {
			unsigned char *p = malloc(sizes[i]);

			assert_non_null(p);
			memset(p, 0xcc, malloc_usable_size(p));
			p = realloc(p, sizes[j]);
			assert_non_null(p);
			free(p);
			p = calloc(1, sizes[i]);
			assert_non_null(p);
			if (memcmp(p, zeros, sizes[i]))
				fail_msg("calloc of %zu after %zu is dirty", sizes[i], sizes[j]);
			free(p);
		}
}

/* Large blocks of random sizes come and go, all of them dirty, some of them by calloc. */
static void calloc_gives_zeros_among_dirty_large_blocks(void **state)
{
	static unsigned char zeros[700000];
	unsigned char *p[24] = { NULL };
	uint64_t random = 88172645463325252u;
	unsigned int i, round;

	(void)state;
	for (round = 0; round < 6000; round++) {
		size_t n;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		i = (unsigned int)(random % 24);
		n = (random >> 8) % sizeof(zeros) + 1;
		if (p[i] && (random >> 60) < 4) {
			p[i] = realloc(p[i], n);
			assert_non_null(p[i]);
			memset(p[i], 0xbb, n);
			continue;
		}
		free(p[i]);
		p[i] = round & 1 ? calloc(1, n) : malloc(n);
		assert_non_null(p[i]);
		if (round & 1 && memcmp(p[i], zeros, n))
			fail_msg("calloc of %zu is dirty in round %u", n, round);
		memset(p[i], 0xaa, n);
	}
	for (i = 0; i < 24; i++)
		free(p[i]);
}

static void usable_size_is_writable_and_stable(void **state)
{
	(void)state;
	assert_int_equal(malloc_usable_size(NULL), 0);
	for_each_size(n, 1 << 20) {
		unsigned char *p[3];
		size_t usable[3];
		unsigned int i;

		for (i = 0; i < 3; i++) {
			p[i] = malloc(n);
			assert_non_null(p[i]);
			usable[i] = malloc_usable_size(p[i]);
			assert_true(usable[i] >= n);
			memset(p[i], (int)i + 1, usable[i]);
		}
		for (i = 0; i < 3; i++) {
			assert_int_equal(malloc_usable_size(p[i]), usable[i]);
			if (usable[i]) {
				assert_int_equal(p[i][0], i + 1);
				assert_int_equal(p[i][usable[i] - 1], i + 1);
			}
		}
		/* Growth into what is usable keeps everything. */
		if (usable[0]) {
			p[0] = realloc(p[0], usable[0]);
			assert_non_null(p[0]);
			assert_int_equal(p[0][usable[0] - 1], 1);
		}
		for (i = 0; i < 3; i++)
			free(p[i]);
	}
}

static void usable_size_after_every_entry_point(void **state)
{
	static const size_t sizes[] = { 0, 1, 24, 1000, 9000, 100000, 131073, 1 << 20 };
	unsigned int i;

	(void)state;
	for_each_entry_point(ep) {
		for (i = 0; i < 8; i++) {
			void *p = ep->alloc(sizes[i]);

			assert_non_null(p);
			assert_true(malloc_usable_size(p) >= sizes[i]);
			memset(p, 0x77, malloc_usable_size(p));
			free(p);
		}
	}
}

static void blocks_do_not_overlap(void **state)
{
	enum { NR = 400 };
	static unsigned char *p[NR];
	static size_t size[NR];
	unsigned int i, round;

	(void)state;
	for (round = 0; round < 3; round++) {
		for (i = 0; i < NR; i++) {
			size[i] = (i * 7919u + round * 131u) % (i % 16 ? 3000 : 150000);
			p[i] = entry_points[i % NR_ENTRY_POINTS].align < 4096 ?
				       entry_points[i % NR_ENTRY_POINTS].alloc(size[i]) :
				       malloc(size[i]);
			assert_non_null(p[i]);
			fill(p[i], size[i], i);
		}
		for (i = 0; i < NR; i++) {
			assert_filled(p[i], size[i], i);
			free(p[i]);
		}
	}
}

typedef void (*free_sized_fn)(void *p, size_t n);
typedef void (*free_aligned_sized_fn)(void *p, size_t align, size_t n);

/* glibc has them not yet, so they are ours alone to give. */
static void free_sized_frees(void **state)
{
	free_sized_fn fn = (free_sized_fn)dlsym(RTLD_DEFAULT, "free_sized");

	(void)state;
	if (!fn && other_malloc())
		return;
	assert_non_null(fn);
	fn(NULL, 0);
	fn(NULL, 100);
	for_each_size(n, 300000) {
		void *p = malloc(n);

		assert_non_null(p);
		errno = 1234;
		fn(p, n);
		assert_int_equal(errno, 1234);
		fn(calloc(n, 3), n * 3);
		if (n)
			fn(realloc(malloc(n / 2 + 1), n), n);
	}
}

static void free_aligned_sized_frees(void **state)
{
	free_aligned_sized_fn fn =
		(free_aligned_sized_fn)dlsym(RTLD_DEFAULT, "free_aligned_sized");
	unsigned int shift;

	(void)state;
	if (!fn && other_malloc())
		return;
	assert_non_null(fn);
	fn(NULL, 64, 0);
	for (shift = 0; shift <= 22; shift++)
		for (size_t n = 0; n < 300000; n = n * 3 + 1) {
			void *p = aligned_alloc((size_t)1 << shift, n);

			assert_non_null(p);
			errno = 1234;
			fn(p, (size_t)1 << shift, n);
			assert_int_equal(errno, 1234);
		}
}

/* Gone from glibc's headers, but old programs link to it. */
static void cfree_frees(void **state)
{
	void (*fn)(void *p) = (void (*)(void *))dlsym(RTLD_DEFAULT, "cfree");
	unsigned int i;

	(void)state;
	if (!fn && other_malloc())
		return;
	assert_non_null(fn);
	fn(NULL);
	for (i = 0; i < 1000; i++)
		fn(malloc(i * 300));
}

static void every_name_is_found(void **state)
{
	static const char *const names[] = {
		"malloc", "free", "calloc", "realloc", "reallocarray", "aligned_alloc",
		"posix_memalign", "memalign", "valloc", "pvalloc", "malloc_usable_size",
		"free_sized", "free_aligned_sized", "cfree", "malloc_trim", "malloc_stats",
		"malloc_info", "mallinfo", "mallinfo2", "mallopt", "_Znwm", "_Znam",
		"_ZdlPv", "_ZdaPv", "_ZdlPvm", "_ZdaPvm", "_ZnwmRKSt9nothrow_t",
		"_ZnamRKSt9nothrow_t", "_ZnwmSt11align_val_t", "_ZnamSt11align_val_t",
		"_ZdlPvSt11align_val_t", "_ZdaPvmSt11align_val_t",
	};
	unsigned int i;
	Dl_info info, first;

	(void)state;
	if (other_malloc())
		return;
	assert_int_not_equal(dladdr(dlsym(RTLD_DEFAULT, "malloc"), &first), 0);
	assert_non_null(strstr(first.dli_fname, "libkmalloc"));
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		void *sym = dlsym(RTLD_DEFAULT, names[i]);

		if (!sym || !dladdr(sym, &info) || strcmp(info.dli_fname, first.dli_fname))
			fail_msg("%s is not ours", names[i]);
	}
}

/* Of our heap, as malloc_usable_size would report a foreign pointer; and free. */
static void take(const char *what, void *p)
{
	if (!p || !malloc_usable_size(p))
		fail_msg("%s gave %p", what, p);
	free(p);
}

static void blocks_made_by_libc_are_freed(void **state)
{
	char *text = NULL, *name = NULL;
	struct dirent **list = NULL;
	wchar_t *wide = NULL;
	size_t size = 0;
	glob_t found;
	int i, n;
	FILE *f;

	(void)state;
	take("strdup", strdup("some text"));
	take("strndup", strndup("some text", 4));
	take("wcsdup", wcsdup(L"some text"));
	assert_true(asprintf(&text, "%0300d", 7) == 300);
	take("asprintf", text);
	f = fopen("/proc/self/status", "r");
	assert_non_null(f);
	text = NULL;
	assert_true(getline(&text, &size, f) > 0);
	assert_true(getline(&text, &size, f) > 0);
	take("getline", text);
	text = malloc(1);
	size = 1;
	assert_true(getdelim(&text, &size, 0, f) > 1);
	take("getdelim", text);
	fclose(f);
	f = open_memstream(&text, &size);
	assert_non_null(f);
	for (i = 0; i < 20000; i++)
		fprintf(f, "%d ", i);
	fclose(f);
	assert_true(size > 100000);
	take("open_memstream", text);
	f = open_wmemstream(&wide, &size);
	assert_non_null(f);
	fputws(L"wide", f);
	fclose(f);
	take("open_wmemstream", wide);
	take("realpath", realpath("/", NULL));
	take("getcwd", getcwd(NULL, 0));
	take("get_current_dir_name", get_current_dir_name());
	assert_int_equal(sscanf("word", "%ms", &name), 1);
	take("sscanf with %ms", name);
	n = scandir("/", &list, NULL, alphasort);
	assert_true(n > 2);
	for (i = 0; i < n; i++)
		take("scandir", list[i]);
	take("scandir's list", list);
	assert_int_equal(glob("/*", 0, NULL, &found), 0);
	globfree(&found);
	assert_int_equal(setenv("KMALLOC_TEST_NAME", "value", 1), 0);
	assert_int_equal(unsetenv("KMALLOC_TEST_NAME"), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_is_found),
		cmocka_unit_test(blocks_are_aligned),
		cmocka_unit_test(realloc_gives_aligned_blocks),
		cmocka_unit_test(alignments_up_to_2_GiB),
		cmocka_unit_test(blocks_do_not_overlap),
		cmocka_unit_test(realloc_keeps_contents),
		cmocka_unit_test(realloc_grows_and_shrinks_step_by_step),
		cmocka_unit_test(realloc_of_aligned_blocks_keeps_contents),
		cmocka_unit_test(calloc_gives_zeros_after_dirty_reuse),
		cmocka_unit_test(calloc_gives_zeros_in_split_and_joined_blocks),
		cmocka_unit_test(calloc_gives_zeros_after_shrinking),
		cmocka_unit_test(calloc_gives_zeros_among_dirty_large_blocks),
		cmocka_unit_test(usable_size_is_writable_and_stable),
		cmocka_unit_test(usable_size_after_every_entry_point),
		cmocka_unit_test(free_sized_frees),
		cmocka_unit_test(free_aligned_sized_frees),
		cmocka_unit_test(cfree_frees),
		cmocka_unit_test(blocks_made_by_libc_are_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * What the interface answers to sizes and alignments it must refuse, to zero
 * sizes, and what it leaves alone while refusing.
 */
#include "entry_points.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const size_t impossible[] = {
	(size_t)PTRDIFF_MAX,	 (size_t)PTRDIFF_MAX + 1, (size_t)PTRDIFF_MAX + 4096,
	SIZE_MAX - (4 << 20),	 SIZE_MAX - 65536,	  SIZE_MAX - 4096,
	SIZE_MAX - 4095,	 SIZE_MAX - 127,	  SIZE_MAX - 16,
	SIZE_MAX - 15,		 SIZE_MAX - 8,		  SIZE_MAX - 1,
	SIZE_MAX,		 SIZE_MAX / 4 * 3,	  (size_t)1 << 62,
	(size_t)PTRDIFF_MAX - 16,
};

enum { NR_IMPOSSIBLE = sizeof(impossible) / sizeof(impossible[0]) };

static void refused(const char *what, size_t n, const void *p, int want)
{
	if (p || errno != want)
		fail_msg("%s with n = %#zx gave %p and errno %d", what, n, p, errno);
}

static void impossible_sizes_give_ENOMEM(void **state)
{
	unsigned int i;

	(void)state;
	for_each_entry_point(ep) {
		for (i = 0; i < NR_IMPOSSIBLE; i++) {
			errno = 0;
			refused(ep->name, impossible[i], ep->alloc(impossible[i]), ENOMEM);
		}
	}
}

static void every_alignment_refuses_impossible_sizes(void **state)
{
	unsigned int i, shift;
	void *p;

	(void)state;
	for (shift = 3; shift < 40; shift++)
		for (i = 0; i < NR_IMPOSSIBLE; i++) {
			size_t align = (size_t)1 << shift;

			errno = 0;
			refused("memalign", impossible[i], memalign(align, impossible[i]), ENOMEM);
			errno = 0;
			refused("aligned_alloc", impossible[i],
				aligned_alloc(align, impossible[i]), ENOMEM);
			assert_int_equal(posix_memalign(&p, align, impossible[i]), ENOMEM);
		}
}

static void impossible_alignments_give_ENOMEM(void **state)
{
	static const unsigned int shifts[] = { 47, 48, 56, 62 };
	unsigned int i;
	void *p;

	(void)state;
	for (i = 0; i < 4; i++) {
		size_t align = (size_t)1 << shifts[i];

		errno = 0;
		refused("memalign", align, memalign(align, 1), ENOMEM);
		errno = 0;
		refused("aligned_alloc", align, aligned_alloc(align, 1), ENOMEM);
		assert_int_equal(posix_memalign(&p, align, 1), ENOMEM);
	}
	/* What can not be rounded up to a power of two at all is refused somehow. */
	errno = 0;
	assert_null(memalign(SIZE_MAX / 2 + 2, 1));
	assert_true(errno == EINVAL || errno == ENOMEM);
	errno = 0;
	assert_null(memalign(SIZE_MAX, 1));
	assert_true(errno == EINVAL || errno == ENOMEM);
}

static const struct {
	size_t nr, n;
} overflowing[] = {
	{ SIZE_MAX / 2 + 1, 2 },
	{ 2, SIZE_MAX / 2 + 1 },
	{ (size_t)1 << 32, (size_t)1 << 32 },
	{ SIZE_MAX, SIZE_MAX },
	{ SIZE_MAX, 2 },
	{ SIZE_MAX / 16 + 1, 16 },
	{ SIZE_MAX / 3 + 1, 3 },
	{ (size_t)1 << 33, ((size_t)1 << 31) + 1 },
	/* No overflow, but above PTRDIFF_MAX. */
	{ SIZE_MAX / 2, 2 },
	{ (size_t)1 << 32, (size_t)1 << 31 },
};

static void overflowing_products_give_ENOMEM(void **state)
{
	volatile size_t most = SIZE_MAX;
	unsigned int i;
	void *zero;

	(void)state;
	for (i = 0; i < sizeof(overflowing) / sizeof(overflowing[0]); i++) {
		size_t nr = overflowing[i].nr, n = overflowing[i].n;
		char *volatile p = malloc(100);

		assert_non_null(p);
		memset(p, 'x', 100);
		errno = 0;
		refused("calloc", nr, calloc(nr, n), ENOMEM);
		errno = 0;
		refused("reallocarray(NULL)", nr, reallocarray(NULL, nr, n), ENOMEM);
		errno = 0;
		refused("reallocarray", nr, reallocarray(p, nr, n), ENOMEM);
		assert_int_equal(p[0], 'x');
		assert_int_equal(p[99], 'x');
		free(p);
	}
	/* A zero factor is no overflow. */
	zero = calloc(0, most);
	assert_non_null(zero);
	free(zero);
	zero = calloc(most, 0);
	assert_non_null(zero);
	free(zero);
}

static void failing_realloc_keeps_the_block(void **state)
{
	static const size_t sizes[] = { 0, 1, 8, 24, 500, 5000, 70000, 131072, 131073, 1 << 20 };
	unsigned int i, j, k;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (j = 0; j < NR_IMPOSSIBLE; j++) {
			unsigned char *p = malloc(sizes[i]);

			assert_non_null(p);
			memset(p, 0x5a, sizes[i]);
			errno = 0;
			refused("realloc", impossible[j], realloc(p, impossible[j]), ENOMEM);
			for (k = 0; k < sizes[i]; k += k < 64 ? 1 : 97)
				assert_int_equal(p[k], 0x5a);
			free(p);
		}
}

static void posix_memalign_refuses_other_alignments(void **state)
{
	static const size_t odd[] = { 0, 1, 2, 3, 4, 5, 7, 12, 24, 40, 100, 4095, 4097, SIZE_MAX };
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		void *const mark = &i;
		void *p = mark;

		errno = 1234;
		assert_int_equal(posix_memalign(&p, odd[i], 100), EINVAL);
		assert_ptr_equal(p, mark);
		assert_int_equal(errno, 1234);
	}
}

static void failing_posix_memalign_leaves_errno_and_pointer(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < NR_IMPOSSIBLE; i++) {
		void *const mark = &i;
		void *p = mark;

		errno = 1234;
		assert_int_equal(posix_memalign(&p, 64, impossible[i]), ENOMEM);
		assert_ptr_equal(p, mark);
		/* The others say it by errno; this one returns it. glibc lets it through. */
		if (!other_malloc())
			assert_int_equal(errno, 1234);
	}
}

static void succeeding_posix_memalign_leaves_errno(void **state)
{
	static const size_t sizes[] = { 0, 1, 100, 10000, 1 << 20 };
	unsigned int i, shift;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (shift = 3; shift < 24; shift++) {
			void *p = NULL;

			errno = 1234;
			assert_int_equal(posix_memalign(&p, (size_t)1 << shift, sizes[i]), 0);
			assert_int_equal(errno, 1234);
			assert_non_null(p);
			free(p);
		}
}

static void aligned_alloc_refuses_other_alignments(void **state)
{
	static const size_t odd[] = { 0, 3, 5, 6, 7, 12, 24, 40, 100, 4095, 4097 };
	unsigned int i;

	(void)state;
	if (other_malloc())
		return;
	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		errno = 0;
		refused("aligned_alloc", odd[i], aligned_alloc(odd[i], 100), EINVAL);
	}
	errno = 0;
	refused("aligned_alloc", SIZE_MAX, aligned_alloc(SIZE_MAX, 100), EINVAL);
}

static void aligned_alloc_takes_sizes_that_are_no_multiple(void **state)
{
	size_t align, n;

	(void)state;
	for (align = 1; align <= 65536; align *= 2)
		for (n = 0; n < 300; n += 7) {
			void *p = aligned_alloc(align, n);

			assert_non_null(p);
			assert_int_equal((uintptr_t)p % align, 0);
			free(p);
		}
}

static void memalign_rounds_alignments_up(void **state)
{
	static const struct {
		size_t asked, given;
	} odd[] = {
		{ 0, 8 },     { 1, 8 },	    { 3, 8 },	   { 5, 8 },	    { 12, 16 },
		{ 17, 32 },   { 24, 32 },   { 33, 64 },	   { 40, 64 },	    { 100, 128 },
		{ 129, 256 }, { 3000, 4096 }, { 4097, 8192 }, { 70000, 131072 },
		{ (1 << 20) + 1, 2 << 20 },
	};
	unsigned int i, k;

	(void)state;
	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		for (k = 0; k < 8; k++) {
			void *p = memalign(odd[i].asked, 100);

			assert_non_null(p);
			assert_int_equal((uintptr_t)p % odd[i].given, 0);
			memset(p, 1, 100);
			free(p);
		}
}

static void zero_sizes_give_unique_pointers(void **state)
{
	enum { NR = 200 };

	(void)state;
	for_each_entry_point(ep) {
		void *p[NR];
		unsigned int i, j;

		for (i = 0; i < NR; i++) {
			p[i] = ep->alloc(0);
			if (!p[i])
				fail_msg("%s with n = 0 gave NULL", ep->name);
			for (j = 0; j < i; j++)
				assert_ptr_not_equal(p[i], p[j]);
		}
		for (i = 0; i < NR; i++)
			free(p[i]);
	}
}

/* pvalloc(0) is one page in glibc: what it gives is there to be written. */
static void pvalloc_rounds_up_to_pages(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p = pvalloc(0);

	(void)state;
	assert_non_null(p);
	free(p);
	p = pvalloc(1);
	assert_non_null(p);
	assert_true(malloc_usable_size(p) >= page);
	memset(p, 1, page);
	free(p);
	p = pvalloc(page + 1);
	assert_non_null(p);
	assert_true(malloc_usable_size(p) >= 2 * page);
	free(p);
}

static void realloc_to_zero_frees(void **state)
{
	static const size_t sizes[] = { 0, 1, 24, 5000, 131072, 131073, 1 << 20, 40 << 20 };
	unsigned int i, k;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (k = 0; k < 100; k++) {
			void *p = malloc(sizes[i]);

			assert_non_null(p);
			errno = 1234;
			assert_null(realloc(p, 0));
			assert_int_equal(errno, 1234);
			p = malloc(sizes[i]);
			assert_non_null(p);
			assert_null(reallocarray(p, 0, 8));
			p = malloc(sizes[i]);
			assert_non_null(p);
			assert_null(reallocarray(p, 8, 0));
		}
}

static void realloc_of_nothing_to_zero_allocates(void **state)
{
	void *p = realloc(NULL, 0), *q = reallocarray(NULL, 0, 0);

	(void)state;
	assert_non_null(p);
	assert_non_null(q);
	assert_ptr_not_equal(p, q);
	free(p);
	free(q);
}

/* More than there is address space, though below PTRDIFF_MAX. */
static void more_than_the_address_space_gives_ENOMEM(void **state)
{
	(void)state;
	for_each_entry_point(ep) {
		errno = 0;
		refused(ep->name, (size_t)1 << 60, ep->alloc((size_t)1 << 60), ENOMEM);
		errno = 0;
		refused(ep->name, (size_t)1 << 47, ep->alloc((size_t)1 << 47), ENOMEM);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(impossible_sizes_give_ENOMEM),
		cmocka_unit_test(every_alignment_refuses_impossible_sizes),
		cmocka_unit_test(impossible_alignments_give_ENOMEM),
		cmocka_unit_test(more_than_the_address_space_gives_ENOMEM),
		cmocka_unit_test(overflowing_products_give_ENOMEM),
		cmocka_unit_test(failing_realloc_keeps_the_block),
		cmocka_unit_test(posix_memalign_refuses_other_alignments),
		cmocka_unit_test(failing_posix_memalign_leaves_errno_and_pointer),
		cmocka_unit_test(succeeding_posix_memalign_leaves_errno),
		cmocka_unit_test(aligned_alloc_refuses_other_alignments),
		cmocka_unit_test(aligned_alloc_takes_sizes_that_are_no_multiple),
		cmocka_unit_test(memalign_rounds_alignments_up),
		cmocka_unit_test(zero_sizes_give_unique_pointers),
		cmocka_unit_test(pvalloc_rounds_up_to_pages),
		cmocka_unit_test(realloc_to_zero_frees),
		cmocka_unit_test(realloc_of_nothing_to_zero_allocates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

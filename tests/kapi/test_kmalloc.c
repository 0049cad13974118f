/* SPDX-License-Identifier: MIT */
/*
 * kmalloc and its relatives keep the kernel's promises. Numbers like 1.3 or 13.7 #4 are sections of
 * the reference of kernel semantics (kernel-semantics.md).
 */
#include "kapi.h"
#include <kmalloc/kmalloc.h>
#include <limits.h>

#define CLASSIC "kmalloc_sizes=classic"

static void *get(size_t size)
{
	void *p = opaque(kmalloc(size, GFP_KERNEL));

	CHECK(p);
	return p;
}

/* ---- 1.3, 1.4: kmalloc ---- */

/* 14.1 #1, 13.7 #3, 1.3 row 1; flags are not looked at */
static void zero_size(void)
{
	CHECK(opaque(kmalloc(0, GFP_KERNEL)) == (void *)16);
	CHECK(opaque(kmalloc(0, 0)) == ZERO_SIZE_PTR);
	CHECK(opaque(kmalloc(0, ~0u)) == ZERO_SIZE_PTR);
	CHECK(opaque(kzalloc(0, GFP_ATOMIC)) == ZERO_SIZE_PTR);
	CHECK(opaque(kmalloc_node(0, GFP_KERNEL | __GFP_THISNODE, 5)) == ZERO_SIZE_PTR);
	CHECK(opaque(kmalloc_array(0, 8, GFP_KERNEL)) == ZERO_SIZE_PTR);
	CHECK(opaque(kcalloc(8, 0, GFP_KERNEL)) == ZERO_SIZE_PTR);
	CHECK(opaque(kvmalloc(0, GFP_KERNEL)) == ZERO_SIZE_PTR);
	CHECK(opaque(kmalloc_nolock(0, 0, -1)) == ZERO_SIZE_PTR);
	CHECK(ZERO_OR_NULL_PTR(NULL) && ZERO_OR_NULL_PTR(ZERO_SIZE_PTR));
	CHECK(!ZERO_OR_NULL_PTR((void *)17));
	CHECK(ksize(NULL) == 0 && ksize(ZERO_SIZE_PTR) == 0);
}

/* 1.8 row 1, 13.7 #3 */
static void free_of_nothing(void)
{
	kfree(NULL);
	kfree(ZERO_SIZE_PTR);
	kfree_sensitive(NULL);
	kfree_sensitive(ZERO_SIZE_PTR);
	kvfree(NULL);
	kvfree(ZERO_SIZE_PTR);
	kvfree_atomic(NULL);
	kvfree_sensitive(NULL, 100);
	kfree_nolock(NULL);
	kfree_nolock(ZERO_SIZE_PTR);
	kfree_bulk(0, NULL);
	kfree_const(NULL);
}

static void check_alignment(size_t n)
{
	void *p = get(n);

	CHECK(kapi_aligned(p, 8));
	CHECK(kapi_aligned(p, n & -n));
	CHECK(ksize(p) >= n);
	kfree(p);
}

/* 1.4, 13.7 #1 */
static void alignment(void)
{
	size_t n;

	for (n = 1; n <= 4096; n++)
		check_alignment(n);
	for (n = 4096; n <= KMALLOC_MAX_CACHE_SIZE; n += 256)
		check_alignment(n);
	for (n = 1; n <= KMALLOC_MAX_SIZE; n *= 2)
		check_alignment(n);
	check_alignment(12288);
	check_alignment(3 * 65536);
	check_alignment(131072 + 4096);
}

static void check_size(size_t n, size_t wanted)
{
	void *p = get(n);

	CHECK(ksize(p) == wanted);
	CHECK(kmalloc_size_roundup(n) == wanted);
	memset(p, 1, wanted);
	kfree(p);
}

/* 1.1, 13.7 #2 */
static void classic_sizes(void)
{
	static const size_t sizes[] = { 8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096,
		8192, 16384, 32768, 65536, 131072 };
	size_t i, low = 1;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		check_size(low, sizes[i]);
		check_size(sizes[i], sizes[i]);
		low = sizes[i] + 1;
	}
	check_size(65, 96);
	check_size(129, 192);
	check_size(193, 256);
	check_size(8193, 16384);
}

/* 1.7 */
static void roundup(void)
{
	size_t n;

	CHECK(kmalloc_size_roundup(0) == 0);
	for (n = 1; n < 5000; n += 3)
		CHECK(kmalloc_size_roundup(n) >= n && kmalloc_size_roundup(n) < n + n / 3 + 16);
	for (n = 1; n <= KMALLOC_MAX_SIZE; n *= 2) {
		void *p = get(kmalloc_size_roundup(n));

		CHECK(ksize(p) == kmalloc_size_roundup(n));
		kfree(p);
	}
	CHECK(kmalloc_size_roundup(131073) == 262144);
	CHECK(kmalloc_size_roundup((1 << 20) + 1) == 2 << 20);
	CHECK(kmalloc_size_roundup(KMALLOC_MAX_SIZE) == KMALLOC_MAX_SIZE);
	CHECK(kmalloc_size_roundup(KMALLOC_MAX_SIZE + 1) == KMALLOC_MAX_SIZE + 1);
	CHECK(kmalloc_size_roundup(SIZE_MAX) == SIZE_MAX);
}

static void roundup_classic(void)
{
	CHECK(kmalloc_size_roundup(131072) == 131072);
	CHECK(kmalloc_size_roundup(131073) == 131073);
}

/* 1.3 row 3, 1.7 row 1: whole blocks of 2^n pages, aligned to their size */
static void large(void)
{
	static const size_t sizes[] = { 131073, 150000, 262144, 262145, 1 << 20, (1 << 20) + 1,
		4 << 20 };
	size_t i, block;
	char *p;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		p = (char *)get(sizes[i]);
		for (block = 131072; block < sizes[i]; block *= 2)
			;
		CHECK(ksize(p) == block);
		CHECK(kapi_aligned(p, block));
		memset(p, 7, block);
		kfree(p);
		p = (char *)kzalloc(sizes[i], GFP_KERNEL);
		CHECK(p && kapi_all(p, 0, block));
		kfree(p);
	}
}

/* 1.3 row 4, 13.7 #4: one warning in a process's life */
static void too_large(void)
{
	void *p = kmalloc(KMALLOC_MAX_SIZE, GFP_KERNEL);

	CHECK(p);
	kfree(p);
	errno = 77;
	CHECK(!opaque(kmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL)));
	CHECK(!opaque(kmalloc(SIZE_MAX, GFP_KERNEL)));
	CHECK(!opaque(kzalloc(SIZE_MAX / 2, GFP_ATOMIC)));
	CHECK(errno == 77);
}

/* 1.3 row 4: and NOWARN does not use it up */
static void too_large_nowarn(void)
{
	CHECK(!opaque(kmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL | __GFP_NOWARN)));
	CHECK(!opaque(kmalloc(SIZE_MAX, GFP_NOWAIT)));
}

static void too_large_nowarn_first(void)
{
	too_large_nowarn();
	CHECK(!opaque(kmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL)));
}

/* the 2.6 limit, 1.14 */
static void too_large_classic(void)
{
	void *p = kmalloc(131072, GFP_KERNEL);

	CHECK(p && ksize(p) == 131072);
	kfree(p);
	CHECK(!opaque(kmalloc(131073, GFP_KERNEL)));
	CHECK(!opaque(kmalloc(1 << 20, GFP_KERNEL)));
	p = kvmalloc(131073, GFP_KERNEL);	/* 1.12: vmalloc's */
	CHECK(p);
	memset(p, 1, 131073);
	kvfree(p);
}

/* no content is promised, and the last object freed is the next one, as it was left */
static void reuse(void)
{
	static const size_t sizes[] = { 8, 64, 100, 1000, 5000, 100000 };
	size_t i;
	char *p, *q;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		p = (char *)get(sizes[i]);
		memset(p, 0x5c, sizes[i]);
		kfree(p);
		q = (char *)get(sizes[i]);
		CHECK(p == q);
		CHECK(kapi_all(q, 0x5c, sizes[i]));
		kfree(q);
	}
}

/* 1.3: zeroing clears the whole object */
static void zeroing(void)
{
	static const size_t sizes[] = { 1, 8, 9, 60, 100, 1000, 1025, 5000, 33000, 131072, 131073 };
	static const gfp_t kinds[] = { 0, __GFP_RECLAIMABLE, __GFP_ACCOUNT };
	size_t i, k, round;
	void *p;

	for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			for (round = 0; round < 3; round++) {
				p = opaque(kzalloc(sizes[i], GFP_KERNEL | kinds[k]));
				CHECK(p && kapi_all(p, 0, ksize(p)));
				memset(p, 0xee, ksize(p));
				kfree(p);
			}
	p = opaque(kmalloc(100, GFP_KERNEL | __GFP_ZERO));
	CHECK(p && kapi_all(p, 0, 100));
	kfree(p);
}

/* 1.2: every type and every kind of context gives memory that kfree() takes */
static void flags(void)
{
	static const gfp_t masks[] = { GFP_KERNEL, GFP_ATOMIC, GFP_NOWAIT, GFP_NOIO, GFP_NOFS,
		GFP_USER, GFP_KERNEL_ACCOUNT, GFP_KERNEL | __GFP_RECLAIMABLE,
		GFP_KERNEL | __GFP_NORETRY, GFP_KERNEL | __GFP_RETRY_MAYFAIL,
		GFP_KERNEL | __GFP_NOFAIL, GFP_KERNEL | __GFP_NOWARN | __GFP_COMP,
		GFP_KERNEL | __GFP_THISNODE, GFP_KERNEL | __GFP_RECLAIMABLE | __GFP_ACCOUNT,
		GFP_KERNEL | __GFP_WRITE | __GFP_HARDWALL | __GFP_MEMALLOC | __GFP_NOMEMALLOC };
	size_t i, n;

	for (n = 10; n < 100000; n *= 7) {
		kfree(get(n));	/* what does not wait finds memory */
		for (i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
			void *p = kmalloc(n, masks[i]);

			CHECK(p || !(masks[i] & __GFP_DIRECT_RECLAIM));
			if (p)
				memset(p, 1, n);
			kfree(p);
		}
	}
}

/* 1.10: taken off, named once, and the call goes on */
static void bug_bits(void)
{
	unsigned int i;
	void *p;

	for (i = 0; i < 3; i++) {
		p = opaque(kmalloc(64, GFP_KERNEL | __GFP_HIGHMEM));
		CHECK(p);
		kfree(p);
	}
}

static void bug_bits_each(void)
{
	static const gfp_t bits[] = { __GFP_DMA32, __GFP_HIGHMEM, 1u << 28, 1u << 31 };
	unsigned int i;
	void *p;

	for (i = 0; i < 8; i++) {
		p = opaque(kzalloc(i < 4 ? 64 : 200000, GFP_KERNEL | bits[i % 4]));
		CHECK(p && kapi_all(p, 0, 64));
		kfree(p);
	}
}

/* 1.13; one node here */
static void nodes(void)
{
	void *p = kmalloc_node(100, GFP_KERNEL, -1);

	CHECK(p);
	kfree(p);
	p = kzalloc_node(100, GFP_KERNEL | __GFP_THISNODE, 0);
	CHECK(p && kapi_all(p, 0, 100));
	kfree(p);
	p = kmalloc_node(100, GFP_KERNEL, 3);	/* falls back */
	CHECK(p);
	kfree(p);
	CHECK(!opaque(kmalloc_node(100, GFP_KERNEL | __GFP_THISNODE, 3)));
	CHECK(!opaque(kvmalloc_node(1 << 20, GFP_KERNEL | __GFP_THISNODE, 3)));
	p = kcalloc_node(10, 10, GFP_KERNEL, 0);
	CHECK(p && kapi_all(p, 0, 100));
	kfree(p);
}

/* ---- 1.5: arrays and types ---- */

/* 13.7 #5 */
static void array_overflow(void)
{
	size_t half = (size_t)opaque((void *)(SIZE_MAX / 2));
	char *p = (char *)get(100);
	void *q;

	errno = 77;
	CHECK(!opaque(kcalloc(half, 3, GFP_KERNEL)));
	CHECK(!opaque(kmalloc_array(3, half, GFP_KERNEL)));
	CHECK(!opaque(kmalloc_array_node(3, half, GFP_KERNEL, 0)));
	CHECK(!opaque(kcalloc_node(3, half, GFP_KERNEL, 0)));
	CHECK(!opaque(kvcalloc(3, half, GFP_KERNEL)));
	CHECK(!opaque(kvmalloc_array(3, half, GFP_KERNEL)));
	memset(p, 3, 100);
	q = krealloc_array(p, half, 3, GFP_KERNEL);
	CHECK(!q && kapi_all(p, 3, 100));	/* still ours */
	CHECK(errno == 77);
	kfree(p);
}

static void arrays(void)
{
	void *p = kmalloc_array(10, 30, GFP_KERNEL);

	CHECK(p && ksize(p) >= 300);
	p = krealloc_array(p, 100, 30, GFP_KERNEL);
	CHECK(p && ksize(p) >= 3000);
	kfree(p);
	p = kcalloc(100, 70, GFP_KERNEL);
	CHECK(p && kapi_all(p, 0, 7000));
	kfree(p);
}

struct thing {
	long a, b;
};

struct flexible {
	int n;
	long long element[];
};

/* typed; sizes saturate */
static void typed(void)
{
	struct thing *t = kmalloc_obj(struct thing), *u = kzalloc_obj(*u, GFP_ATOMIC);
	struct flexible *f = kzalloc_flex(struct flexible, element, 20);
	size_t many = (size_t)opaque((void *)(SIZE_MAX / 4));

	CHECK(t && u && !u->a && !u->b && f && kapi_all(f, 0, sizeof(*f) + 20 * 8));
	kfree(t);
	kfree(u);
	kfree(f);
	t = kmalloc_objs(struct thing, 100, GFP_KERNEL | __GFP_NOWARN);
	CHECK(t && ksize(t) >= 100 * sizeof(*t));
	kfree(t);
	t = kvzalloc_objs(*t, 100000);
	CHECK(t && kapi_all(t, 0, 100000 * sizeof(*t)));
	kvfree(t);
	CHECK(!opaque(kmalloc_objs(struct thing, many, GFP_KERNEL | __GFP_NOWARN)));
	CHECK(!opaque(kvmalloc_objs(struct thing, many, GFP_KERNEL | __GFP_NOWARN)));
	CHECK(!opaque(kmalloc_flex(struct flexible, element, SIZE_MAX / 8,
				   GFP_KERNEL | __GFP_NOWARN)));
	CHECK(opaque(kmalloc_objs(struct thing, 0)) == ZERO_SIZE_PTR);
}

/* ---- 1.6: krealloc, row by row; 13.7 #6 ---- */

static void krealloc_to_zero(void)
{
	void *p = get(100), *q;

	CHECK(krealloc(p, 0, GFP_KERNEL) == ZERO_SIZE_PTR);
	q = get(100);
	CHECK(q == p);	/* it was freed */
	kfree(q);
	CHECK(krealloc(NULL, 0, GFP_KERNEL) == ZERO_SIZE_PTR);
	CHECK(krealloc(ZERO_SIZE_PTR, 0, GFP_KERNEL) == ZERO_SIZE_PTR);
}

static void krealloc_of_nothing(void)
{
	void *p = krealloc(NULL, 100, GFP_KERNEL), *q = krealloc(ZERO_SIZE_PTR, 100, GFP_KERNEL);

	CHECK(p && q && p != q && ksize(p) >= 100 && ksize(q) >= 100);
	kfree(p);
	kfree(q);
}

/* in place: up to the size of the bucket, and never a move when it shrinks */
static void krealloc_in_place(void)
{
	static const size_t sizes[] = { 50, 1000, 5000, 100000, 200000 };
	size_t i, n;
	char *p;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		p = (char *)get(sizes[i]);
		memset(p, 9, ksize(p));
		CHECK(krealloc(p, ksize(p), GFP_KERNEL) == p);
		for (n = sizes[i]; n; n /= 3)
			CHECK(krealloc(p, n, GFP_KERNEL) == p);
		CHECK(krealloc(p, sizes[i], 0) == p);
		CHECK(kapi_all(p, 9, ksize(p)));
		kfree(p);
	}
}

static void krealloc_grows(void)
{
	static const size_t sizes[] = { 8, 50, 1000, 5000, 100000, 200000, 1000000 };
	size_t i, old;
	char *p = NULL, *q;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		old = ksize(p);
		q = (char *)krealloc(p, sizes[i], GFP_KERNEL);
		CHECK(q && q != p && ksize(q) >= sizes[i]);
		CHECK(kapi_all(q, 9, old));	/* bucket bytes are copied */
		memset(q, 9, ksize(q));
		p = q;
	}
	kfree(p);
}

static void krealloc_fails(void)
{
	char *p = (char *)get(1000), *q;

	memset(p, 4, 1000);
	errno = 77;
	q = (char *)krealloc(p, KMALLOC_MAX_SIZE + 1, GFP_KERNEL | __GFP_NOWARN);
	CHECK(!q && kapi_all(p, 4, 1000));
	q = (char *)krealloc_node(p, 1 << 20, GFP_KERNEL | __GFP_THISNODE, 3);
	CHECK(!q && kapi_all(p, 4, 1000));
	CHECK(errno == 77);
	kfree(p);
}

/* a node that it is not on, an alignment that it has not */
static void krealloc_must_move(void)
{
	char *p = (char *)get(100), *q;
	unsigned int i;

	CHECK(!krealloc_node(p, 50, GFP_KERNEL | __GFP_THISNODE, 3));
	CHECK(krealloc_node(p, 50, GFP_KERNEL, 3) == p);
	CHECK(krealloc_node(p, 50, GFP_KERNEL | __GFP_THISNODE, 0) == p);
	kfree(p);
	for (i = 0; i < 50; i++) {
		p = (char *)get(96);
		memset(p, 5, 96);
		q = (char *)krealloc_node_align(p, 64, 64, GFP_KERNEL, -1);
		CHECK(q && kapi_aligned(q, 64) && kapi_all(q, 5, 64));
		CHECK(q == p || !kapi_aligned(p, 64));
	}
}

/* 14.1 #4 */
static void krealloc_zeroing(void)
{
	char *p = (char *)kzalloc(1000, GFP_KERNEL), *q;
	size_t size;

	CHECK(p);
	size = ksize(p);
	memset(p, 1, 1000);
	q = (char *)krealloc(p, 300, GFP_KERNEL | __GFP_ZERO);
	CHECK(q == p && kapi_all(q, 1, 300) && kapi_all(q + 300, 0, size - 300));
	q = (char *)krealloc(p, 600, GFP_KERNEL | __GFP_ZERO);
	CHECK(q == p && kapi_all(q, 1, 300) && kapi_all(q + 300, 0, 300));
	memset(q, 1, 600);
	p = (char *)krealloc(q, 9000, GFP_KERNEL | __GFP_ZERO);
	CHECK(p && kapi_all(p, 1, 600) && kapi_all(p + 600, 0, ksize(p) - 600));
	memset(p, 1, ksize(p));
	q = (char *)krealloc(p, 9000 - 100, GFP_KERNEL);	/* without the flag: left */
	CHECK(q == p && kapi_all(p, 1, ksize(p)));
	kfree(p);
}

/* ---- 1.8: freeing ---- */

static void sensitive(void)
{
	static const size_t sizes[] = { 40, 3000 };
	size_t i;
	char *p, *q;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		p = (char *)get(sizes[i]);
		memset(p, 0xaa, ksize(p));
		kfree_sensitive(p);
		q = (char *)get(sizes[i]);
		CHECK(p == q && kapi_all(q, 0, ksize(q)));
		kfree(q);
		memset(q = (char *)get(sizes[i]), 0xaa, sizes[i]);
		kzfree(q);
		q = (char *)get(sizes[i]);
		CHECK(kapi_all(q, 0, sizes[i]));
		kvfree_sensitive(q, sizes[i]);
	}
	p = (char *)get(200000);
	kfree_sensitive(p);
}

static void bulk(void)
{
	void *p[100];
	size_t i, round;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < 100; i++)
			p[i] = get(i % 50 ? i * 37 + 1 : 200000);
		kfree_bulk(100, p);
	}
}

static void nolock(void)
{
	size_t n;
	void *p, *q;

	for (n = 1; n <= KMALLOC_MAX_CACHE_SIZE; n *= 2) {
		p = kmalloc_nolock(n, __GFP_ZERO | __GFP_ACCOUNT, -1);
		CHECK(p && kapi_all(p, 0, n) && kapi_aligned(p, n < 8 ? 8 : n));
		memset(p, 1, n);
		/* other flags are taken off */
		q = kmalloc_nolock(n, GFP_KERNEL | __GFP_HIGHMEM | 1u << 31, 3);
		CHECK(q && q != p);
		memset(q, 2, n);
		CHECK(kapi_all(p, 1, n));
		kfree_nolock(p);
		kfree(q);
	}
	CHECK(!opaque(kmalloc_nolock(KMALLOC_MAX_CACHE_SIZE + 1, 0, -1)));
}

/* ---- 1.11: copies ---- */

static char in_bss[64];

static void copies(void)
{
	static const char text[] = "seventeen letters";
	const char *volatile literal = "a literal";
	const char *c;
	char *s;
	void *p;

	CHECK(!opaque(kstrdup(NULL, GFP_KERNEL)));
	CHECK(!opaque(kstrndup(NULL, 5, GFP_KERNEL)));
	CHECK(!opaque(kmemdup_nul(NULL, 5, GFP_KERNEL)));
	s = kstrdup(text, GFP_KERNEL);
	CHECK(s && s != text && !strcmp(s, text));
	kfree(s);
	s = kstrdup("", GFP_KERNEL);
	CHECK(s && !*s && ksize(s) == 8);
	kfree(s);
	s = kstrndup(text, 5, GFP_KERNEL);
	CHECK(s && !strcmp(s, "seven"));
	kfree(s);
	s = kstrndup(text, SIZE_MAX, GFP_KERNEL);	/* allocates what is needed */
	CHECK(s && !strcmp(s, text) && ksize(s) <= 32);
	kfree(s);
	s = kmemdup_nul("ab\0cd", 5, GFP_KERNEL);
	CHECK(s && !memcmp(s, "ab\0cd", 6));
	kfree(s);
	CHECK(!opaque(kmemdup_nul(text, (size_t)opaque((void *)SIZE_MAX), GFP_NOWAIT)));
	CHECK(opaque(kmemdup(text, 0, GFP_KERNEL)) == ZERO_SIZE_PTR);
	p = kmemdup(text, sizeof(text), GFP_KERNEL);
	CHECK(p && !memcmp(p, text, sizeof(text)));
	kfree(p);
	p = kmemdup_array(text, 4, 3, GFP_KERNEL);
	CHECK(p && !memcmp(p, text, 12));
	kfree(p);
	CHECK(!opaque(kmemdup_array(text, (size_t)opaque((void *)(SIZE_MAX / 2)), 3, GFP_NOWAIT)));
	s = (char *)calloc(1, 9 << 20);
	CHECK(s);
	memset(s, 0x31, 9 << 20);
	p = kvmemdup(s, 9 << 20, GFP_KERNEL);
	CHECK(p && !memcmp(p, s, 9 << 20));
	kvfree(p);
	free(s);
	c = kstrdup_const(literal, GFP_KERNEL);
	CHECK(c == literal);
	kfree_const(c);
	strcpy(in_bss, "not constant");
	c = kstrdup_const(in_bss, GFP_KERNEL);
	CHECK(c && c != in_bss && !strcmp(c, in_bss));
	kfree_const(c);
	CHECK(!kstrdup_const(NULL, GFP_KERNEL));
}

/* ---- 1.12: kvmalloc ---- */

static void kvmalloc_sizes(void)
{
	static const size_t sizes[] = { 1, 100, 4096, 5000, 100000, 131073, 1 << 20, (4 << 20) + 1,
		40 << 20 };
	size_t i;
	char *p;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		p = (char *)kvmalloc(sizes[i], GFP_KERNEL);
		CHECK(p);
		memset(p, 0xdd, sizes[i]);
		kvfree(p);
		p = (char *)kvzalloc(sizes[i], GFP_KERNEL);
		CHECK(p && kapi_all(p, 0, sizes[i]));
		kvfree_sensitive(p, sizes[i]);
		p = (char *)kvzalloc_node(sizes[i], GFP_KERNEL, 0);
		CHECK(p && kapi_all(p, 0, sizes[i]));
		kvfree_atomic(p);
	}
}

/* 14.1 #16 */
static void kvmalloc_too_large(void)
{
	errno = 77;
	CHECK(!opaque(kvmalloc((size_t)INT_MAX + 1, GFP_KERNEL)));
	CHECK(!opaque(kvmalloc(SIZE_MAX, GFP_KERNEL)));
	CHECK(errno == 77);
}

static void kvmalloc_too_large_nowarn(void)
{
	CHECK(!opaque(kvmalloc((size_t)INT_MAX + 1, GFP_KERNEL | __GFP_NOWARN)));
	CHECK(!opaque(kvmalloc_array(1 << 20, 1 << 20, GFP_KERNEL | __GFP_NOWARN)));
}

static void kvrealloc_rows(void)
{
	static const size_t sizes[] = { 10, 1000, 100000, 1000000, 9000000, 20000000 };
	size_t i, old = 0;
	char *p = NULL, *q;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		q = (char *)kvrealloc(p, sizes[i], GFP_KERNEL);
		CHECK(q && kapi_all(q, 6, old));
		memset(q, 6, sizes[i]);
		p = q;
		old = sizes[i];
	}
	/* vmalloc's now: vrealloc's rules, NULL for 0 */
	q = (char *)kvrealloc(p, 5000000, GFP_KERNEL);
	CHECK(q && kapi_all(q, 6, 5000000));
	CHECK(!kvrealloc(q, 0, GFP_KERNEL));
	/* kmalloc's */
	p = (char *)kvrealloc(NULL, 100, GFP_KERNEL);
	CHECK(p && kvrealloc(p, 50, GFP_KERNEL) == p);
	CHECK(kvrealloc(p, 0, GFP_KERNEL) == ZERO_SIZE_PTR);
	CHECK(kvrealloc(NULL, 0, GFP_KERNEL) == ZERO_SIZE_PTR);
	p = (char *)kvrealloc(ZERO_SIZE_PTR, 6 << 20, GFP_KERNEL);
	CHECK(p);
	kvfree(p);
	p = (char *)get(100);
	memset(p, 6, 100);
	q = (char *)kvrealloc(p, (size_t)INT_MAX + 1, GFP_KERNEL | __GFP_NOWARN);
	CHECK(!q && kapi_all(p, 6, 100));
	kfree(p);
}

/* ---- no memory: NULL, and errno is ENOMEM (1.3 row 5) ---- */

static void no_memory(size_t size)
{
	struct rlimit rl = { 200 << 20, 200 << 20 };
	void **list = NULL, **p;
	unsigned int n = 0;

#ifdef __SANITIZE_ADDRESS__
	trap_skip("the address sanitizer's shadow is beyond any limit");
#endif
	kfree(get(size));
	CHECK(setrlimit(RLIMIT_AS, &rl) == 0);
	errno = 77;
	while ((p = (void **)kmalloc(size, GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY))) {
		*p = list;
		list = p;
		n++;
	}
	CHECK(errno == ENOMEM && n > 100);
	errno = 77;
	p = (void **)krealloc(list, size * 4, GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY);
	CHECK(!p && errno == ENOMEM);
	while (list) {
		p = (void **)*list;
		kfree(list);
		list = p;
	}
	kfree(get(size));
}

static void no_memory_for_objects(void)
{
	no_memory(30000);
}

static void no_memory_for_blocks(void)
{
	no_memory(200000);
}

/* ---- threads ---- */

static void *churn_kmalloc(void *arg)
{
	uint64_t random = (uintptr_t)arg + 88172645463325252ull;
	static _Atomic(void *) shared[64];
	unsigned int i;

	for (i = 0; i < 40000; i++) {
		uint64_t r = trap_random(&random);
		size_t n = (r >> 8) % ((r & 31) ? 600 : 200000) + 1;
		void *p = kmalloc(n, r & 64 ? GFP_KERNEL : GFP_KERNEL | __GFP_ZERO);

		CHECK(p && ksize(p) >= n);
		memset(p, (int)r, n < 100 ? n : 100);
		if (r & 128)
			p = krealloc(p, n + 40, GFP_KERNEL);
		/* somebody else's is freed */
		kfree(__atomic_exchange_n(&shared[r >> 40 & 63], p, __ATOMIC_ACQ_REL));
	}
	return NULL;
}

static void threads(void)
{
	pthread_t t[4];
	uintptr_t i;

	for (i = 0; i < 4; i++)
		CHECK(pthread_create(&t[i], NULL, churn_kmalloc, (void *)(i * 977 + 1)) == 0);
	for (i = 0; i < 4; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
}

/* 13.1, test_kmalloc_kfree_nolock: a handler instead of an NMI */
static volatile unsigned int handled;

static void on_timer(int sig)
{
	static char *kept[8];
	unsigned int i = handled++ % 8;

	(void)sig;
	if (kept[i])
		CHECK(kapi_all(kept[i], (unsigned char)i, 200));
	kfree_nolock(kept[i]);
	kept[i] = (char *)kmalloc_nolock(200, handled & 1 ? __GFP_ZERO : 0, -1);
	if (kept[i])
		memset(kept[i], (int)i, 200);
}

static void nolock_in_a_handler(void)
{
	struct itimerval often = { { 0, 50 }, { 0, 50 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction sa = { .sa_handler = on_timer, .sa_flags = SA_RESTART };
	unsigned int i, j;
	char *p[40];

	CHECK(sigaction(SIGALRM, &sa, NULL) == 0);
	CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
	for (i = 0; i < 100000; i++) {
		for (j = 0; j < (i % 100 ? 1 : 40); j++) {
			p[j] = (char *)get(200);
			memset(p[j], 0x40 + (int)j, 200);
		}
		while (j--) {
			CHECK(kapi_all(p[j], (unsigned char)(0x40 + j), i % 100 ? 8 : 200));
			kfree(p[j]);
		}
	}
	CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
	CHECK(handled > 10);
}

#define SILENT .err = ""
#define WARNS(n, what) .err = "^kmalloc: WARNING: .*" what, .err_lines = (n)

static const struct trap_case cases[] = {
	{ .name = "1.3 size 0 is ZERO_SIZE_PTR whatever the flags", .run = zero_size, SILENT },
	{ .name = "1.8 freeing NULL and ZERO_SIZE_PTR does nothing", .run = free_of_nothing, SILENT },
	{ .name = "1.4 alignment is the largest power of two that divides the size",
	  .run = alignment, SILENT },
	{ .name = "1.1 classic: ksize is the kernel's class", .run = classic_sizes,
	  .options = CLASSIC, SILENT },
	{ .name = "1.7 kmalloc_size_roundup is what ksize will be", .run = roundup, SILENT },
	{ .name = "1.7 classic: nothing to round up to above 128 KiB", .run = roundup_classic,
	  .options = CLASSIC, SILENT },
	{ .name = "1.3 above 128 KiB a block of pages aligned to its size", .run = large, SILENT },
	{ .name = "1.3 above 4 MiB NULL, one warning in all", .run = too_large,
	  WARNS(1, "4194305 bytes.* 4194304") },
	{ .name = "1.3 above 4 MiB no warning with NOWARN", .run = too_large_nowarn, SILENT },
	{ .name = "1.3 NOWARN does not use the warning up", .run = too_large_nowarn_first,
	  WARNS(1, "4194305 bytes") },
	{ .name = "1.14 classic: above 128 KiB NULL, one warning that says so",
	  .run = too_large_classic, .options = CLASSIC,
	  WARNS(1, "131073 bytes.* 131072 under kmalloc_sizes=classic") },
	{ .name = "kmalloc after kfree is the same object with its old content", .run = reuse,
	  SILENT },
	{ .name = "1.3 zeroing clears the whole object", .run = zeroing, SILENT },
	{ .name = "1.2 all contexts and types give memory that kfree takes", .run = flags, SILENT },
	{ .name = "1.10 a bad bit is warned about once and taken off", .run = bug_bits,
	  WARNS(1, "unexpected gfp: 0x2 ") },
	{ .name = "1.10 each bad bit is warned about", .run = bug_bits_each,
	  WARNS(4, "unexpected gfp: 0x4 ") },
	{ .name = "1.13 a node is a hint, with THISNODE a demand", .run = nodes, SILENT },
	{ .name = "1.5 an array that overflows is NULL without a word", .run = array_overflow,
	  SILENT },
	{ .name = "1.5 arrays have room for all elements", .run = arrays, SILENT },
	{ .name = "1.5 typed allocation saturates", .run = typed, SILENT },
	{ .name = "1.6 krealloc to 0 frees and is ZERO_SIZE_PTR", .run = krealloc_to_zero, SILENT },
	{ .name = "1.6 krealloc of nothing allocates", .run = krealloc_of_nothing, SILENT },
	{ .name = "1.6 krealloc within the bucket stays, however small", .run = krealloc_in_place,
	  SILENT },
	{ .name = "1.6 krealloc beyond the bucket moves the content", .run = krealloc_grows,
	  SILENT },
	{ .name = "1.6 krealloc that fails leaves the object", .run = krealloc_fails, SILENT },
	{ .name = "1.6 krealloc moves for a node or an alignment", .run = krealloc_must_move,
	  SILENT },
	{ .name = "1.6 krealloc with ZERO keeps zeros behind the end", .run = krealloc_zeroing,
	  SILENT },
	{ .name = "1.8 kfree_sensitive clears all of it", .run = sensitive, SILENT },
	{ .name = "1.8 kfree_bulk takes objects of any size", .run = bulk, SILENT },
	{ .name = "1.8 kmalloc_nolock gives memory up to 128 KiB", .run = nolock, SILENT },
	{ .name = "1.11 copies of strings and memory", .run = copies, SILENT },
	{ .name = "1.12 kvmalloc of any size", .run = kvmalloc_sizes, SILENT },
	{ .name = "1.12 kvmalloc above INT_MAX is NULL, one warning in all",
	  .run = kvmalloc_too_large, WARNS(1, "2147483648 bytes.* 2147483647") },
	{ .name = "1.12 kvmalloc above INT_MAX is silent with NOWARN",
	  .run = kvmalloc_too_large_nowarn, SILENT },
	{ .name = "1.12 kvrealloc row by row", .run = kvrealloc_rows, SILENT },
	{ .name = "1.3 objects run out: NULL, ENOMEM, all usable again",
	  .run = no_memory_for_objects, SILENT },
	{ .name = "1.3 blocks run out: NULL, ENOMEM, all usable again",
	  .run = no_memory_for_blocks, SILENT },
	{ .name = "threads free each other's objects", .run = threads, SILENT },
	{ .name = "13.1 kmalloc_nolock in a signal handler", .run = nolock_in_a_handler, SILENT },
};

TRAP_MAIN(cases)

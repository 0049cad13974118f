/* SPDX-License-Identifier: MIT */
/*
 * What kfree() and its relatives must not touch: one line that names the pointer and what it is,
 * nothing freed, no abort. 1.8 is a section of the reference of kernel semantics.
 */
#include "kapi.h"
#include <kmalloc/kmalloc.h>

static char in_bss[64];

static void *get(size_t size)
{
	void *p = opaque(kmalloc(size, GFP_KERNEL));

	CHECK(p);
	return p;
}

static void *named(void *p)
{
	trap_expect("%p", p);
	return opaque(p);
}

static void *on_stack(void)
{
	static __thread char *p;
	char block[64];

	p = (char *)opaque(block);
	return p + 16;
}

static void kfree_stack(void)
{
	kfree(named(on_stack()));
}

static void kfree_static(void)
{
	kfree(named(in_bss + 16));
}

static void kfree_wild(void)
{
	kfree(named((void *)0xffff888000001000));
}

static void kfree_small_number(void)
{
	kfree(named((void *)48));
}

static void kfree_mapped(void)
{
	kfree(named(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)));
}

static void *vmalloc_block(void)
{
	char *p = (char *)kvmalloc(20 << 20, GFP_KERNEL);

	CHECK(p);
	memset(p, 1, 20 << 20);
	return p;
}

static void kfree_vmalloc(void)
{
	char *p = (char *)vmalloc_block();

	kfree(named(p));
	CHECK(kapi_all(p, 1, 20 << 20));
	kvfree(p);
}

static void kfree_inside_vmalloc(void)
{
	char *p = (char *)vmalloc_block();

	kfree(named(p + 4096));
	kvfree(p);
}

static void kfree_far_inside_vmalloc(void)
{
	char *p = (char *)vmalloc_block();

	kfree(named(p + (10 << 20)));
	kvfree(p);
}

static void kvfree_inside_vmalloc(void)
{
	char *p = (char *)vmalloc_block();

	kvfree(named(p + 64));
	kvfree(p);
}

static void kfree_inside_large(void)
{
	char *p = (char *)get(200000);

	kfree(named(p + 100));
	kfree(p);
}

static void kfree_twice(void)
{
	void *p = get(100), *a, *b;

	kfree(p);
	kfree(named(p));
	a = get(100);
	b = get(100);
	CHECK(a == p && b != a);
}

static void kfree_large_twice(void)
{
	void *p = get(200000);

	kfree(p);
	kfree(named(p));
}

static void kfree_nolock_mixups(void)
{
	kfree_nolock(named(in_bss));
	kfree_nolock(named(get(200000)));
}

static void krealloc_mixups(void)
{
	char *p = (char *)get(100), *v = (char *)vmalloc_block();

	CHECK(!krealloc(named(in_bss), 10, GFP_KERNEL));
	CHECK(!krealloc(named(p + 16), 10, GFP_KERNEL));
	CHECK(!krealloc(named(v), 10, GFP_KERNEL));
	CHECK(!kvrealloc(named(in_bss), 10, GFP_KERNEL));
	kfree(p);
	kvfree(v);
}

static void ksize_mixups(void)
{
	char *p = (char *)get(100), *v = (char *)vmalloc_block();

	CHECK(ksize(named(in_bss)) == 0);
	CHECK(ksize(named(p + 16)) == 0);
	CHECK(ksize(named(v)) == 0);
	kfree(p);
	kvfree(v);
}

static void keeps_errno(void)
{
	errno = 77;
	kfree(get(100));
	kfree(get(200000));
	kvfree(kvmalloc(20 << 20, GFP_KERNEL));
	kfree(named(in_bss));
	CHECK(errno == 77);
}

static void goes_on(void)
{
	size_t n;
	char *p;

	kfree_stack();
	kfree_static();
	kfree_wild();
	for (n = 1; n < 300000; n = n * 5 / 4 + 1) {
		p = (char *)get(n);
		CHECK(ksize(p) >= n);
		memset(p, 1, n);
		kfree(p);
	}
}

#define WARNS(n, what) .err = "^kmalloc: WARNING: .*" what, .err_lines = (n)

static const struct trap_case cases[] = {
	{ .name = "kfree of a stack address", .run = kfree_stack, WARNS(1, "no allocator function") },
	{ .name = "kfree of a static object", .run = kfree_static, WARNS(1, "kfree of 0x") },
	{ .name = "kfree of a kernel address", .run = kfree_wild,
	  WARNS(1, "no allocator function") },
	{ .name = "kfree of a small number", .run = kfree_small_number,
	  WARNS(1, "no allocator function") },
	{ .name = "kfree of a mapping", .run = kfree_mapped, WARNS(1, "kfree of 0x") },
	{ .name = "1.8 kfree of a vmalloc block is named and leaves it", .run = kfree_vmalloc,
	  WARNS(1, "a block of vmalloc") },
	{ .name = "kfree inside a vmalloc block", .run = kfree_inside_vmalloc,
	  WARNS(1, "4096 bytes inside the vmalloc block at") },
	{ .name = "kfree far inside a vmalloc block", .run = kfree_far_inside_vmalloc,
	  WARNS(1, "10485760 bytes inside the vmalloc block at") },
	{ .name = "kvfree inside a vmalloc block", .run = kvfree_inside_vmalloc,
	  WARNS(1, "64 bytes inside the vmalloc block at") },
	{ .name = "kfree inside a large block", .run = kfree_inside_large,
	  WARNS(1, "100 bytes inside") },
	{ .name = "1.8 kfree twice is named and the object is handed out once", .run = kfree_twice,
	  WARNS(1, "freed twice") },
	{ .name = "kfree of a large block twice", .run = kfree_large_twice,
	  WARNS(1, "not allocated") },
	{ .name = "kfree_nolock of what it cannot free", .run = kfree_nolock_mixups,
	  WARNS(2, "kfree_nolock of 0x") },
	{ .name = "krealloc of what it cannot resize is NULL", .run = krealloc_mixups,
	  WARNS(4, "krealloc of 0x") },
	{ .name = "ksize of what has no size is 0", .run = ksize_mixups, WARNS(3, "ksize of 0x") },
	{ .name = "errno is kept by all that frees", .run = keeps_errno, WARNS(1, "kfree of 0x") },
	{ .name = "the heap works after mix-ups", .run = goes_on, WARNS(3, "kfree of 0x") },
};

TRAP_MAIN(cases)

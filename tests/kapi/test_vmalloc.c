// SPDX-License-Identifier: MIT
/* The vmalloc family by its public header: kernel-semantics.md 7 and 13.2. */
#include "vmalloc_test.h"

static size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static void assert_area(void *p, size_t size)
{
	assert_non_null(p);
	assert_int_equal((uintptr_t)p % page_bytes(), 0);
	memset(p, 0x5a, size);
	vfree(p);
}

/* ---- 7.1: each call ---- */

static void every_call_gives_memory_aligned_to_pages(void **state)
{
	(void)state;
	assert_area(vmalloc(1), 1);
	assert_area(vmalloc(300 * KIB), 300 * KIB);
	assert_area(vzalloc(5000), 5000);
	assert_area(vmalloc_node(5000, 0), 5000);
	assert_area(vzalloc_node(5000, -1), 5000);
	assert_area(vmalloc_user(5000), 5000);
	assert_area(vmalloc_32(5000), 5000);
	assert_area(vmalloc_32_user(5000), 5000);
	assert_area(vmalloc_huge(5 * MIB, GFP_KERNEL), 5 * MIB);
	assert_area(vmalloc_array(100, 100), 10000);
	assert_area(vcalloc(100, 100), 10000);
	assert_area(__vmalloc(5000, GFP_KERNEL), 5000);
	assert_area(__vmalloc_node(5000, 1, GFP_KERNEL, 0, NULL), 5000);
	assert_area(vrealloc(NULL, 5000, GFP_KERNEL), 5000);
}

static void vmalloc_of_text_books_takes_three_arguments(void **state)
{
	(void)state;
	assert_area(__vmalloc(300 * KIB, GFP_KERNEL | __GFP_HIGHMEM, PAGE_KERNEL), 300 * KIB);
}

static void a_hundred_mebibytes_can_be_had_and_written(void **state)
{
	char *p = vmalloc(100 * MIB);
	size_t i;

	(void)state;
	assert_non_null(p);
	for (i = 0; i < 100 * MIB; i += MIB)
		p[i] = (char)(i / MIB);
	for (i = 0; i < 100 * MIB; i += MIB)
		assert_int_equal((unsigned char)p[i], i / MIB);
	vfree(p);
}

/* What lies there after use is not zero: each call that promises zeros must clear it. */
static void calls_that_promise_zeros_keep_it_over_dirty_memory(void **state)
{
	size_t size = 300 * KIB;
	unsigned int i;

	(void)state;
	for (i = 0; i < 6; i++) {
		char *p = vmalloc(size);

		assert_non_null(p);
		memset(p, 0xaa, size);
		vfree(p);
		switch (i) {
		case 0: p = vzalloc(size); break;
		case 1: p = vzalloc_node(size, 0); break;
		case 2: p = vmalloc_user(size); break;
		case 3: p = vcalloc(size / 8, 8); break;
		case 4: p = __vmalloc(size, GFP_KERNEL | __GFP_ZERO); break;
		case 5: p = vmalloc_32_user(size); break;
		}
		assert_non_null(p);
		assert_true(all_bytes(p, 0, size));
		memset(p, 0xaa, size);
		vfree(p);
	}
}

static void vmalloc_32_lies_below_four_gib(void **state)
{
	void *p[40];
	unsigned int i;

	(void)state;
	for (i = 0; i < 40; i++) {
		p[i] = i % 2 ? vmalloc_32(100 * KIB + i) : vmalloc_32_user(3 * MIB);
		assert_non_null(p[i]);
		assert_true((uintptr_t)p[i] + 3 * MIB <= 1ul << 32);
		memset(p[i], 1, 100 * KIB);
	}
	for (i = 0; i < 40; i++)
		vfree(p[i]);
	p[0] = __vmalloc(MIB, GFP_KERNEL | __GFP_DMA);
	assert_non_null(p[0]);
	assert_true((uintptr_t)p[0] + MIB <= 1ul << 31);
	vfree(p[0]);
}

static void overflow_without_message(void)
{
	CHECK(!vmalloc_array(SIZE_MAX / 2, 3));
	CHECK(!vcalloc(SIZE_MAX, SIZE_MAX));
	CHECK(!vmalloc_array(1ul << 32, 1ul << 32));
}

static void an_array_whose_size_overflows_is_null_without_a_message(void **state)
{
	(void)state;
	assert_int_equal(in_child(overflow_without_message), 0);
	assert_string_equal(child_text, "");
}

/* ---- 7.4, 7.7: refused ---- */

static void zero_sizes(void)
{
	CHECK(!vmalloc(0));
	CHECK(!vzalloc(0));
	CHECK(!vmalloc_array(0, 8));
	CHECK(!__vmalloc(0, GFP_KERNEL | __GFP_NOWARN));
}

static void size_zero_is_null_and_warned_about_once(void **state)
{
	(void)state;
	assert_int_equal(in_child(zero_sizes), 0);
	assert_int_equal(lines_with("\n"), 1);
	assert_int_equal(lines_with("size 0"), 1);
}

static void too_large_sizes(void)
{
	unsigned int i;

	CHECK(!__vmalloc(1ul << 60, GFP_KERNEL | __GFP_NOWARN));
	for (i = 0; i < 5; i++) {
		errno = 0;
		CHECK(!vmalloc((1ul << 60) + i));
		CHECK(errno == ENOMEM);
	}
	CHECK(!vmalloc(ULONG_MAX));
	CHECK(!vrealloc(NULL, ULONG_MAX - 1, GFP_KERNEL));
}

static void more_than_the_machine_has_is_refused_with_one_line_in_ten_seconds(void **state)
{
	(void)state;
	assert_int_equal(in_child(too_large_sizes), 0);
	assert_int_equal(lines_with("\n"), 1);
	assert_int_equal(lines_with("vmalloc error: size 1152921504606846976, exceeds total pages"),
			 1);
}

static void strange_flags(void)
{
	void *p;

	p = __vmalloc(5000, GFP_KERNEL | __GFP_COMP | __GFP_ZERO);
	CHECK(p && all_bytes(p, 0, 5000));
	vfree(p);
	p = __vmalloc(5000, GFP_KERNEL | 0x80000000u);
	CHECK(p);
	vfree(p);
}

static void flags_without_meaning_are_left_out_with_one_warning(void **state)
{
	(void)state;
	assert_int_equal(in_child(strange_flags), 0);
	assert_int_equal(lines_with("\n"), 1);
	assert_int_equal(lines_with("Unexpected gfp: 0x40000"), 1);
}

static void supported_flags(void)
{
	static const gfp_t flags[] = {
		GFP_KERNEL, GFP_NOFS, GFP_NOIO, GFP_KERNEL_ACCOUNT, GFP_USER,
		GFP_KERNEL | __GFP_NOFAIL, GFP_KERNEL | __GFP_NORETRY, GFP_KERNEL | __GFP_REPEAT,
		GFP_KERNEL | __GFP_NOWARN, GFP_KERNEL | __GFP_HIGHMEM, GFP_KERNEL | __GFP_DMA32,
	};
	unsigned int i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		void *p = __vmalloc(200 * KIB, flags[i]);

		CHECK(p);
		vfree(p);
	}
}

static void supported_flags_are_taken_without_a_word(void **state)
{
	(void)state;
	assert_int_equal(in_child(supported_flags), 0);
	assert_string_equal(child_text, "");
}

static void refused_alignments(void)
{
	unsigned int bit;

	/* align_shift_alloc_test of 13.2: large ones fail, and nothing else happens */
	for (bit = 0; bit < 64; bit++) {
		void *p = __vmalloc_node(4096, 1ul << bit, GFP_KERNEL | __GFP_NOWARN, 0, NULL);

		CHECK(p || bit > 22);
		CHECK((uintptr_t)p % (1ul << bit) == 0);
		vfree(p);
	}
	CHECK(!__vmalloc_node(4096, 3, GFP_KERNEL, 0, NULL));
	CHECK(!__vmalloc_node(4096, 0, GFP_KERNEL, 0, NULL));
}

static void every_alignment_is_kept_or_refused(void **state)
{
	(void)state;
	assert_int_equal(in_child(refused_alignments), 0);
	assert_int_equal(lines_with("\n"), 1);
	assert_int_equal(lines_with("power of two"), 1);
}

/* ---- 7.5: vfree ---- */

static void free_null(void)
{
	vfree(NULL);
	vfree_atomic(NULL);
	vfree_sensitive(NULL);
}

static void vfree_of_null_does_nothing(void **state)
{
	(void)state;
	assert_int_equal(in_child(free_null), 0);
	assert_string_equal(child_text, "");
}

static void free_unaligned(void)
{
	char *p = vmalloc(300 * KIB);

	memset(p, 7, 300 * KIB);
	vfree(opaque(p + 100));
	CHECK(find_vm_area(p) && all_bytes(p, 7, 300 * KIB));
	vfree(p);
	CHECK(!find_vm_area(p));
}

static void vfree_of_an_unaligned_address_is_two_warnings_and_frees_nothing(void **state)
{
	(void)state;
	assert_int_equal(in_child(free_unaligned), 0);
	assert_int_equal(lines_with("\n"), 2);
	assert_int_equal(lines_with("Trying to vfree() bad address (0x"), 1);
	assert_int_equal(lines_with("Trying to vfree() nonexistent vm area (0x"), 1);
}

static void free_wrong(void)
{
	char *p = vmalloc(300 * KIB), *q = kmalloc(4096, GFP_KERNEL), *r;
	char *on_stack = (char *)((uintptr_t)&p & ~4095ul);

	memset(p, 7, 300 * KIB);
	vfree(opaque(p + 4096));		/* inner page */
	vfree(opaque(p + 65536));
	CHECK(all_bytes(p, 7, 300 * KIB));
	vfree(p);
	vfree(opaque(p));			/* double */
	vfree(opaque(on_stack));
	vfree((void *)(uintptr_t)0xffff888000000000ul);
	vfree((void *)4096);
	vfree((void *)((uintptr_t)q & ~4095ul));
	r = vmalloc(300 * KIB);
	CHECK(r);
	vfree(r);
}

static void vfree_of_what_is_no_area_is_one_warning_and_frees_nothing(void **state)
{
	(void)state;
	assert_int_equal(in_child(free_wrong), 0);
	assert_int_equal(lines_with("Trying to vfree() nonexistent vm area (0x"), 7);
	assert_int_equal(lines_with("\n"), 7);
}

static void vfree_atomic_and_vfree_sensitive_free(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 50; i++) {
		char *p = vmalloc(400 * KIB), *q = vmalloc_32(100 * KIB);

		memset(p, 1, 400 * KIB);
		memset(q, 1, 100 * KIB);
		vfree_atomic(p);
		vfree_atomic(q);
		assert_null(find_vm_area(p));
		p = vmalloc(400 * KIB);
		memset(p, 1, 400 * KIB);
		vfree_sensitive(p);
		assert_null(find_vm_area(p));
	}
}

/* The content is gone before the memory is: a new owner of the pages does not see it. */
static void vfree_sensitive_clears_what_the_next_owner_sees(void **state)
{
	char *p = vmalloc(200 * KIB), *q;

	(void)state;
	memset(p, 0x77, 200 * KIB);
	vfree_sensitive(p);
	q = vmalloc(200 * KIB);
	assert_true(all_bytes(q, 0, 200 * KIB));
	vfree(q);
}

/* ---- look-up ---- */

static void find_vm_area_knows_the_start_alone(void **state)
{
	char *p = vmalloc(300 * KIB + 1);
	struct vm_struct *area = find_vm_area(p);

	(void)state;
	assert_non_null(area);
	assert_ptr_equal(area->addr, p);
	assert_int_equal(area->size, 304 * KIB + page_bytes());	/* the guard counts: 7.2 */
	assert_int_equal(get_vm_area_size(area), 304 * KIB);
	assert_int_equal(area->requested_size, 300 * KIB + 1);
	assert_int_equal(area->nr_pages, 304 * KIB / page_bytes());
	assert_true(area->flags & VM_ALLOC);
	assert_int_equal(area->phys_addr, 0);
	assert_non_null(area->caller);
	assert_null(find_vm_area(p + 1));
	assert_null(find_vm_area(p + page_bytes()));
	assert_null(find_vm_area(p + 64 * KIB));
	assert_ptr_equal(find_vm_area(p), area);
	vfree(p);
	assert_null(find_vm_area(p));
	assert_null(find_vm_area(NULL));
	assert_null(find_vm_area(&area));
}

static void flags_of_an_area_say_what_it_is(void **state)
{
	void *p = vmalloc_user(100), *q = vmalloc_huge(100, GFP_KERNEL);

	(void)state;
	assert_true(find_vm_area(p)->flags & VM_USERMAP);
	assert_true(find_vm_area(q)->flags & VM_ALLOW_HUGE_VMAP);
	assert_false(find_vm_area(q)->flags & VM_USERMAP);
	vfree(p);
	vfree(q);
	p = __vmalloc_node(100, 1, GFP_KERNEL, 0, (void *)0x1234);
	assert_ptr_equal(find_vm_area(p)->caller, (void *)0x1234);
	vfree(p);
}

/* 7.1: however far from its start. Address space alone. */
static void an_address_is_found_gibibytes_inside_an_area(void **state)
{
	const size_t size = (size_t)3 << 30;
	char *p = vmalloc(size);

	(void)state;
	if (!p)
		skip();		/* the system does not overcommit so much */
	p[size - 1] = 1;
	assert_true(is_vmalloc_addr(p + size / 2));
	assert_true(is_vmalloc_addr(p + size - 1));
	assert_false(is_vmalloc_addr(p + size));
	assert_non_null(vmalloc_to_page(p + size - 1));
	assert_ptr_not_equal(vmalloc_to_page(p + size - 1), vmalloc_to_page(p));
	vfree(p);
	assert_false(is_vmalloc_addr(p + size - 1));
}

static void is_vmalloc_addr_is_true_inside_and_false_outside(void **state)
{
	char *p = vmalloc(300 * KIB), *q = kmalloc(100, GFP_KERNEL), here;

	(void)state;
	assert_true(is_vmalloc_addr(p));
	assert_true(is_vmalloc_addr(p + 1));
	assert_true(is_vmalloc_addr(p + 150 * KIB));
	assert_true(is_vmalloc_addr(p + 300 * KIB - 1));
	assert_false(is_vmalloc_addr(p + 300 * KIB));	/* the guard */
	assert_false(is_vmalloc_addr(q));
	assert_false(is_vmalloc_addr(&here));
	assert_false(is_vmalloc_addr(NULL));
	assert_false(is_vmalloc_addr((void *)(uintptr_t)0xffffc90000000000ul));
	kfree(q);
	vfree(p);
}

static void every_page_of_an_area_has_its_struct_page(void **state)
{
	char *p = vmalloc(40 * page_bytes() + 1);
	struct page *before = NULL;
	size_t i;

	(void)state;
	for (i = 0; i <= 40; i++) {
		struct page *page = vmalloc_to_page(p + i * page_bytes() + i);

		assert_non_null(page);
		assert_ptr_equal(page, vmalloc_to_page(p + i * page_bytes()));
		assert_true(page != before);
		assert_int_equal(vmalloc_to_pfn(p + i * page_bytes()),
				 (uintptr_t)p / page_bytes() + i);
		before = page;
	}
	assert_null(vmalloc_to_page(p + 41 * page_bytes()));
	assert_null(vmalloc_to_page(&before));
	assert_int_equal(vmalloc_to_pfn(NULL), 0);
	vfree(p);
	assert_null(vmalloc_to_page(p));
}

static void vmalloc_nr_pages_follows_use(void **state)
{
	unsigned long before = vmalloc_nr_pages();
	void *p = vmalloc(10 * MIB);

	(void)state;
	assert_true(vmalloc_nr_pages() - before >= 10 * MIB / page_bytes());
	vfree(p);
	assert_int_equal(vmalloc_nr_pages(), before);
}

/* ---- 7.8: vrealloc, row by row ---- */

static void vrealloc_of_null_allocates(void **state)
{
	char *p = vrealloc(NULL, 5000, GFP_KERNEL | __GFP_ZERO);

	(void)state;
	assert_non_null(find_vm_area(p));
	assert_true(all_bytes(p, 0, 5000));
	vfree(p);
}

static void vrealloc_to_zero_frees_and_is_null(void **state)
{
	char *p = vmalloc(5000);

	(void)state;
	assert_null(vrealloc(p, 0, GFP_KERNEL));
	assert_null(find_vm_area(p));
	assert_null(vrealloc(NULL, 0, GFP_KERNEL));
}

static void vrealloc_unknown(void)
{
	char *p = vmalloc(200 * KIB);

	CHECK(!vrealloc(opaque(p + 4096), 5000, GFP_KERNEL));
	CHECK(find_vm_area(p));
	vfree(p);
	CHECK(!vrealloc(opaque(p), 5000, GFP_KERNEL));
}

static void vrealloc_of_what_is_no_area_is_a_warning_and_null(void **state)
{
	(void)state;
	assert_int_equal(in_child(vrealloc_unknown), 0);
	assert_int_equal(lines_with("Trying to vrealloc() nonexistent vm area"), 2);
	assert_int_equal(lines_with("\n"), 2);
}

static void vrealloc_unaligned(void)
{
	char *p = vmalloc(100), *q = vmalloc(100);

	/* of two areas of 64 KiB one is not aligned to 128 KiB */
	if ((uintptr_t)p % (128 * KIB) == 0)
		p = q;
	while ((uintptr_t)p % (128 * KIB) == 0)
		p = vmalloc(100);
	CHECK(!vrealloc_node_align(p, 50, 128 * KIB, GFP_KERNEL, 0));
	CHECK(find_vm_area(p)->requested_size == 100);
	CHECK(vrealloc_node_align(p, 50, 4096, GFP_KERNEL, 0) == p);
}

static void vrealloc_of_an_area_with_another_alignment_is_a_warning_and_null(void **state)
{
	(void)state;
	assert_int_equal(in_child(vrealloc_unaligned), 0);
	assert_int_equal(lines_with("\n"), 1);
	assert_int_equal(lines_with("expected an alignment of 131072"), 1);
}

static void vrealloc_shrinks_in_place_keeps_all_pages_and_clears_the_tail(void **state)
{
	char *p = vzalloc(500 * KIB);
	struct vm_struct *area = find_vm_area(p);

	(void)state;
	memset(p, 0x11, 500 * KIB);
	assert_ptr_equal(vrealloc(p, 1000, GFP_KERNEL | __GFP_ZERO), p);
	assert_ptr_equal(find_vm_area(p), area);
	assert_int_equal(area->requested_size, 1000);
	assert_int_equal(get_vm_area_size(area), 500 * KIB);
	assert_true(all_bytes(p, 0x11, 1000));
	assert_true(all_bytes(p + 1000, 0, 499 * KIB));
	/* and grows again into what was kept zero */
	assert_ptr_equal(vrealloc(p, 400 * KIB, GFP_KERNEL | __GFP_ZERO), p);
	assert_int_equal(area->requested_size, 400 * KIB);
	assert_true(all_bytes(p, 0x11, 1000));
	assert_true(all_bytes(p + 1000, 0, 399 * KIB));
	vfree(p);
}

static void vrealloc_without_zero_leaves_the_tail(void **state)
{
	char *p = vmalloc(200 * KIB);

	(void)state;
	memset(p, 0x11, 200 * KIB);
	assert_ptr_equal(vrealloc(p, 1000, GFP_KERNEL), p);
	assert_ptr_equal(vrealloc(p, 200 * KIB, GFP_KERNEL), p);
	assert_true(all_bytes(p, 0x11, 200 * KIB));
	vfree(p);
}

static void vrealloc_grows_with_the_content(void **state)
{
	size_t size = 1000;
	char *p = vmalloc(size);
	unsigned int i;

	(void)state;
	memset(p, 0x22, size);
	for (i = 0; i < 14; i++) {
		p = vrealloc(p, 2 * size, i % 2 ? GFP_KERNEL : GFP_KERNEL | __GFP_NORETRY);
		assert_non_null(p);
		assert_true(all_bytes(p, 0x22, size));
		assert_int_equal(find_vm_area(p)->requested_size, 2 * size);
		assert_true(find_vm_area(p)->flags & VM_ALLOC);
		size *= 2;
		memset(p, 0x22, size);
	}
	vfree(p);
}

static void vrealloc_with_zero_grows_into_zeros(void **state)
{
	size_t size = 1000;
	char *p = vzalloc(size), *dirty;

	(void)state;
	for (; size < 8 * MIB; size *= 3) {
		dirty = vmalloc(size * 4);
		memset(dirty, 0xee, size * 4);
		vfree(dirty);
		memset(p, 0x33, size);
		p = vrealloc(p, size * 3, GFP_KERNEL | __GFP_ZERO);
		assert_non_null(p);
		assert_true(all_bytes(p, 0x33, size));
		assert_true(all_bytes(p + size, 0, 2 * size));
	}
	vfree(p);
}

static void vrealloc_failing(void)
{
	char *p = vmalloc(5000);

	memset(p, 0x44, 5000);
	CHECK(!vrealloc(p, 1ul << 60, GFP_KERNEL));
	CHECK(all_bytes(p, 0x44, 5000));
	CHECK(find_vm_area(p)->requested_size == 5000);
	vfree(p);
}

static void vrealloc_that_fails_leaves_the_area(void **state)
{
	(void)state;
	assert_int_equal(in_child(vrealloc_failing), 0);
	assert_int_equal(lines_with("exceeds total pages"), 1);
}

/* ---- get_vm_area ---- */

static void touch_addresses(void)
{
	struct vm_struct *area = get_vm_area(100 * KIB, VM_IOREMAP);

	CHECK(area && area->flags & VM_IOREMAP);
	*(volatile char *)area->addr = 1;
}

static void get_vm_area_gives_addresses_without_memory(void **state)
{
	struct vm_struct *area = get_vm_area(100 * KIB, VM_IOREMAP);
	int status;

	(void)state;
	assert_non_null(area);
	assert_ptr_equal(find_vm_area(area->addr), area);
	assert_int_equal(get_vm_area_size(area), 100 * KIB);
	free_vm_area(area);
	assert_null(get_vm_area(0, 0));
	status = in_child(touch_addresses);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

/* ---- 13.2: lib/test_vmalloc.c ---- */

static void fix_size_alloc_test(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 5000; i++) {
		char *p = vmalloc(3 * page_bytes());

		assert_non_null(p);
		*(volatile char *)p = 0;
		vfree(p);
	}
}

static void full_fit_alloc_test(void **state)
{
	enum { NR = 4000 };
	static void *p[NR], *hole[NR];
	unsigned int i, round;

	(void)state;
	for (i = 0; i < NR; i++) {
		p[i] = vmalloc(page_bytes());
		hole[i] = vmalloc(page_bytes());
		assert_non_null(p[i]);
		assert_non_null(hole[i]);
	}
	for (i = 0; i < NR; i++)
		vfree(hole[i]);
	for (round = 0; round < 1000; round++) {
		void *q = vmalloc(page_bytes());

		assert_non_null(q);
		*(volatile char *)q = 1;
		vfree(q);
	}
	for (i = 0; i < NR; i++)
		vfree(p[i]);
}

static void long_busy_list_alloc_test(void **state)
{
	enum { NR = 15000 };
	static void *p[NR];
	unsigned int i;

	(void)state;
	for (i = 0; i < NR; i++) {
		p[i] = vmalloc(1);
		assert_non_null(p[i]);
	}
	for (i = 0; i < 500; i++) {
		char *a = vmalloc(100 * page_bytes()), *b = vmalloc(page_bytes());

		assert_non_null(a);
		assert_non_null(b);
		a[0] = b[0] = 1;
		vfree(a);
		vfree(b);
	}
	for (i = 0; i < NR; i++)
		vfree(p[i]);
}

static void random_size_alloc_test(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 3000; i++) {
		char *p = vmalloc((1 + random_below(100)) * page_bytes());

		assert_non_null(p);
		*(volatile char *)p = 1;
		vfree(p);
	}
}

static void aligned_alloc_test(size_t pages, size_t align)
{
	char *p = __vmalloc_node(pages * page_bytes(), align, GFP_KERNEL | __GFP_ZERO, 0, NULL);

	assert_non_null(p);
	assert_int_equal((uintptr_t)p % align, 0);
	assert_true(all_bytes(p, 0, pages * page_bytes()));
	memset(p, 1, pages * page_bytes());
	vfree(p);
}

static void fix_align_alloc_test(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 1000; i++)
		aligned_alloc_test(5, 32 * KIB);
}

static void random_size_align_alloc_test(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 1000; i++)
		aligned_alloc_test(1 + random_below(10), 1ul << random_below(23));
}

static void no_block_alloc_test(void **state)
{
	unsigned int i, got = 0;

	(void)state;
	vfree(vmalloc(MIB));
	for (i = 0; i < 1000; i++) {
		gfp_t gfp = (i % 2 ? GFP_NOWAIT : GFP_ATOMIC) | (i % 3 ? 0 : __GFP_ZERO);
		size_t size = (1 + random_below(20)) * page_bytes();
		char *p = __vmalloc(size, gfp | __GFP_NOWARN);

		if (!p)
			continue;
		got++;
		assert_true(i % 3 || all_bytes(p, 0, size));
		memset(p, 1, size);
		vfree(p);
	}
	assert_true(got > 0);	/* mapped areas lie there */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_gives_memory_aligned_to_pages),
		cmocka_unit_test(vmalloc_of_text_books_takes_three_arguments),
		cmocka_unit_test(a_hundred_mebibytes_can_be_had_and_written),
		cmocka_unit_test(calls_that_promise_zeros_keep_it_over_dirty_memory),
		cmocka_unit_test(vmalloc_32_lies_below_four_gib),
		cmocka_unit_test(an_array_whose_size_overflows_is_null_without_a_message),
		cmocka_unit_test(size_zero_is_null_and_warned_about_once),
		cmocka_unit_test(more_than_the_machine_has_is_refused_with_one_line_in_ten_seconds),
		cmocka_unit_test(flags_without_meaning_are_left_out_with_one_warning),
		cmocka_unit_test(supported_flags_are_taken_without_a_word),
		cmocka_unit_test(every_alignment_is_kept_or_refused),
		cmocka_unit_test(vfree_of_null_does_nothing),
		cmocka_unit_test(vfree_of_an_unaligned_address_is_two_warnings_and_frees_nothing),
		cmocka_unit_test(vfree_of_what_is_no_area_is_one_warning_and_frees_nothing),
		cmocka_unit_test(vfree_atomic_and_vfree_sensitive_free),
		cmocka_unit_test(vfree_sensitive_clears_what_the_next_owner_sees),
		cmocka_unit_test(find_vm_area_knows_the_start_alone),
		cmocka_unit_test(flags_of_an_area_say_what_it_is),
		cmocka_unit_test(is_vmalloc_addr_is_true_inside_and_false_outside),
		cmocka_unit_test(an_address_is_found_gibibytes_inside_an_area),
		cmocka_unit_test(every_page_of_an_area_has_its_struct_page),
		cmocka_unit_test(vmalloc_nr_pages_follows_use),
		cmocka_unit_test(vrealloc_of_null_allocates),
		cmocka_unit_test(vrealloc_to_zero_frees_and_is_null),
		cmocka_unit_test(vrealloc_of_what_is_no_area_is_a_warning_and_null),
		cmocka_unit_test(vrealloc_of_an_area_with_another_alignment_is_a_warning_and_null),
		cmocka_unit_test(vrealloc_shrinks_in_place_keeps_all_pages_and_clears_the_tail),
		cmocka_unit_test(vrealloc_without_zero_leaves_the_tail),
		cmocka_unit_test(vrealloc_grows_with_the_content),
		cmocka_unit_test(vrealloc_with_zero_grows_into_zeros),
		cmocka_unit_test(vrealloc_that_fails_leaves_the_area),
		cmocka_unit_test(get_vm_area_gives_addresses_without_memory),
		cmocka_unit_test(fix_size_alloc_test),
		cmocka_unit_test(full_fit_alloc_test),
		cmocka_unit_test(long_busy_list_alloc_test),
		cmocka_unit_test(random_size_alloc_test),
		cmocka_unit_test(fix_align_alloc_test),
		cmocka_unit_test(random_size_align_alloc_test),
		cmocka_unit_test(no_block_alloc_test),
	};

	return cmocka_run_group_tests_name("vmalloc", tests, NULL, NULL);
}

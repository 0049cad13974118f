// SPDX-License-Identifier: MIT
/* What the first requests of a class get: objects of a coarse class, which differ in nothing else. */
#include "unit.h"
#include "heap_walk.h"
#include "mm/util.h"
#include "kmalloc/slab.h"

#define REQUESTS 40u	/* more than any class waits for */

/* The classes start once in a process, so each size is looked at once: this begins anew. */
static int fresh_classes(void **state)
{
	static struct class_start at_start[NR_CLASSES];
	static bool known;

	(void)state;
	if (!known) {
		slab_free(kvmalloc_size(5000));	/* a class that has none */
		memcpy(at_start, class_start, sizeof(at_start));
		known = true;
	}
	memcpy(class_start, at_start, sizeof(at_start));
	return 0;
}

static void a_class_is_used_once_it_is_wanted(void **state)
{
	size_t size;

	(void)state;
	for (size = 1; size <= 4096; size += 1 + size / 5) {
		unsigned int i, own = 0, class = size_class(size);
		bool waits = class_start[class].left;
		void *p[REQUESTS];

		for (i = 0; i < REQUESTS; i++) {
			p[i] = kvmalloc_size(size);
			assert_non_null(p[i]);
			assert_true(kvsize(p[i]) >= size && kvsize(p[i]) <= 8 * MAX(size, 8));
			fill_block(p[i], size & ~7ul, i);
			own += class_of(p[i]) == class;
		}
		assert_int_equal(class_of(p[REQUESTS - 1]), class);
		assert_true(waits ? own < REQUESTS : own == REQUESTS);
		for (i = 0; i < REQUESTS; i++) {
			assert_true(check_block(p[i], size & ~7ul, i));
			slab_free(p[i]);
		}
	}
	assert_int_equal(heap_walk(), 0);
	assert_int_equal(all_live_objects(), 0);
}

static void alignment_is_that_of_the_size(void **state)
{
	size_t align, size;

	(void)state;
	for (align = 8; align <= 4096; align *= 2) {
		for (size = 8; size <= 4096; size += 8 + size / 3) {
			void *p = kvmalloc_aligned(align, size);

			assert_true(IS_ALIGNED((unsigned long)p, align));
			slab_free(p);
		}
		void *q = kmalloc(align, GFP_KERNEL);

		assert_true(IS_ALIGNED((unsigned long)q, align));
		kfree(q);
	}
}

static void kmalloc_is_served_as_it_says(void **state)
{
	size_t size;

	(void)state;
	for (size = 1; size <= 4096; size += 1 + size / 5) {
		void *p = kmalloc(size, GFP_KERNEL);

		assert_int_equal(ksize(p), kmalloc_size_roundup(size));
		kfree(p);
	}
}

static void growth_within_the_object_stays_in_place(void **state)
{
	char *p = kvmalloc_size(70), *q;

	(void)state;
	q = kvrealloc_size(p, 100);
	assert_ptr_equal(p, q);
	assert_ptr_equal(kvrealloc_size(q, 200), q);
	slab_free(q);
}

#define T(f) cmocka_unit_test_setup(f, fresh_classes)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* first: no sheaf has objects yet */
		T(growth_within_the_object_stays_in_place),
		T(a_class_is_used_once_it_is_wanted),
		T(alignment_is_that_of_the_size),
		T(kmalloc_is_served_as_it_says),
	};

	return cmocka_run_group_tests_name("class_start", tests, NULL, NULL);
}

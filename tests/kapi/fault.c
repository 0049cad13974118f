// SPDX-License-Identifier: MIT
/*
 * <kmalloc/fault.h> and <kmalloc/shrinker.h> as a program has them: public headers, linked with the
 * library. kernel-semantics 9.4, 11.2.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <kmalloc/fault.h>
#include <kmalloc/gfp.h>
#include <kmalloc/kmalloc.h>
#include <kmalloc/shrinker.h>

static DECLARE_FAULT_ATTR(fail_open);
static struct fault_attr unnamed = FAULT_ATTR_INITIALIZER;

/* Three steps, each of which may fail; undone where a later one does. */
static int steps_left_done;

static int driver_open(void)
{
	int done;

	for (done = 0; done < 3; done++)
		if (should_fail(&fail_open, 1)) {
			steps_left_done = 0;
			return -ENOMEM;
		}
	steps_left_done = done;
	return 0;
}

static void a_loop_of_fail_nth_walks_every_failure_once(void **state)
{
	unsigned int n, failures = 0, left;

	(void)state;
	fail_open.verbose = 0;
	for (n = 1;; n++) {
		int ret;

		fail_nth_set(n);
		ret = driver_open();
		left = fail_nth_get();
		fail_nth_set(0);
		assert_int_equal(ret, left ? 0 : -ENOMEM);
		assert_int_equal(steps_left_done, left ? 3 : 0);
		if (left)
			break;
		failures++;
	}
	assert_int_equal(failures, 3);
	assert_int_equal(driver_open(), 0);
}

static void an_attribute_of_the_program_follows_its_numbers(void **state)
{
	unsigned int i;

	(void)state;
	assert_int_equal(setup_fault_attr(&unnamed, "3,100,0,2"), 1);
	unnamed.verbose = 0;
	for (i = 1; i < 20; i++)
		assert_int_equal(should_fail_ex(&unnamed, 1, FAULT_NOWARN), i == 3 || i == 6);
}

static void the_attributes_of_the_library_can_be_read_and_set(void **state)
{
	struct fault_attr attr, back;
	long value;

	(void)state;
	assert_true(fault_attr_get("failslab", &attr));
	attr.interval = 1000000;
	assert_true(fault_attr_set("failslab", &attr));
	assert_true(fault_attr_get("failslab", &back));
	assert_int_equal(back.interval, 1000000);
	assert_string_equal(back.name, "failslab");
	assert_true(fault_option_set("fail_page_alloc.min-order", 2));
	assert_true(fault_option_get("fail_page_alloc.min-order", &value));
	assert_int_equal(value, 2);
	fault_seed(1);
	make_it_fail_set(true);
	assert_true(make_it_fail_get());
	assert_int_equal(fail_nth_process_get(), 0);
}

static unsigned long count_none(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return SHRINK_EMPTY;
}

static unsigned long scan_none(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return SHRINK_STOP;
}

static int notify_none(struct notifier_block *nb, unsigned long action, void *data)
{
	(void)nb;
	(void)action;
	(void)data;
	return NOTIFY_DONE;
}

static void shrinkers_and_notifiers_come_and_go(void **state)
{
	static struct shrinker old = {
		.count_objects = count_none, .scan_objects = scan_none, .seeks = DEFAULT_SEEKS,
	};
	static struct notifier_block nb = { .notifier_call = notify_none };
	struct shrinker *s = shrinker_alloc(SHRINKER_MAY_FS, "cache-%s", "one");

	(void)state;
	assert_non_null(s);
	s->count_objects = count_none;
	s->scan_objects = scan_none;
	shrinker_register(s);
	assert_true(s->flags & SHRINKER_REGISTERED);
	assert_int_equal(register_shrinker(&old), 0);
	assert_int_equal(register_oom_notifier(&nb), 0);
	kfree(kmalloc(100, GFP_KERNEL));
	assert_int_equal(unregister_oom_notifier(&nb), 0);
	unregister_shrinker(&old);
	shrinker_free(s);
	shrinker_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_loop_of_fail_nth_walks_every_failure_once),
		cmocka_unit_test(an_attribute_of_the_program_follows_its_numbers),
		cmocka_unit_test(the_attributes_of_the_library_can_be_read_and_set),
		cmocka_unit_test(shrinkers_and_notifiers_come_and_go),
	};

	return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}

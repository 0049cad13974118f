// SPDX-License-Identifier: MIT
/* The memalloc scopes: kernel-semantics.md 6.4. */
#include "unit.h"
#include "kmalloc/gfp.h"
#include "mm/gfp.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

static const gfp_t everything = __GFP_BITS_MASK | __GFP_MALLOC | __GFP_NATURAL;

static void without_a_scope_flags_stay_as_they_are(void **state)
{
	(void)state;
	assert_int_equal(task_flags, 0);
	assert_int_equal(current_gfp_context(everything), everything);
	assert_int_equal(current_gfp_context(GFP_HIGHUSER_MOVABLE), GFP_HIGHUSER_MOVABLE);
	assert_int_equal(current_gfp_context(0), 0);
}

static void noio_clears_io_and_fs(void **state)
{
	unsigned int flags = memalloc_noio_save();

	(void)state;
	assert_int_equal(current_gfp_context(GFP_KERNEL), GFP_NOIO);
	assert_int_equal(current_gfp_context(everything), everything & ~(__GFP_IO | __GFP_FS));
	memalloc_noio_restore(flags);
	assert_int_equal(current_gfp_context(GFP_KERNEL), GFP_KERNEL);
}

static void nofs_clears_fs(void **state)
{
	unsigned int flags = memalloc_nofs_save();

	(void)state;
	assert_int_equal(current_gfp_context(GFP_KERNEL), GFP_NOFS);
	assert_int_equal(current_gfp_context(everything), everything & ~__GFP_FS);
	memalloc_nofs_restore(flags);
	assert_int_equal(current_gfp_context(GFP_KERNEL), GFP_KERNEL);
}

static void pin_clears_movable(void **state)
{
	unsigned int flags = memalloc_pin_save();

	(void)state;
	assert_int_equal(current_gfp_context(GFP_HIGHUSER_MOVABLE), GFP_HIGHUSER);
	assert_int_equal(current_gfp_context(everything), everything & ~__GFP_MOVABLE);
	memalloc_pin_restore(flags);
	assert_int_equal(current_gfp_context(GFP_HIGHUSER_MOVABLE), GFP_HIGHUSER_MOVABLE);
}

/* The ladder reads the bit; the flags stay. */
static void noreclaim_marks_the_thread_and_leaves_the_flags(void **state)
{
	unsigned int flags = memalloc_noreclaim_save();

	(void)state;
	assert_int_equal(task_flags, PF_MEMALLOC);
	assert_int_equal(current_gfp_context(GFP_KERNEL), GFP_KERNEL);
	memalloc_noreclaim_restore(flags);
	assert_int_equal(task_flags, 0);
}

static void scopes_of_one_kind_nest(void **state)
{
	unsigned int outer = memalloc_nofs_save(), inner = memalloc_nofs_save();

	(void)state;
	memalloc_nofs_restore(inner);
	assert_int_equal(current_gfp_context(GFP_KERNEL), GFP_NOFS);
	memalloc_nofs_restore(outer);
	assert_int_equal(current_gfp_context(GFP_KERNEL), GFP_KERNEL);
	assert_int_equal(task_flags, 0);
}

static void scopes_of_several_kinds_nest_and_overlap(void **state)
{
	unsigned int nofs = memalloc_nofs_save(), noio = memalloc_noio_save(), pin, noreclaim;

	(void)state;
	pin = memalloc_pin_save();
	noreclaim = memalloc_noreclaim_save();
	assert_int_equal(current_gfp_context(GFP_KERNEL | __GFP_MOVABLE), GFP_NOIO);
	memalloc_noio_restore(noio);
	assert_int_equal(current_gfp_context(GFP_KERNEL | __GFP_MOVABLE), GFP_NOFS);
	memalloc_pin_restore(pin);
	assert_int_equal(current_gfp_context(GFP_KERNEL | __GFP_MOVABLE),
			 GFP_NOFS | __GFP_MOVABLE);
	memalloc_nofs_restore(nofs);
	assert_int_equal(task_flags, PF_MEMALLOC);
	memalloc_noreclaim_restore(noreclaim);
	assert_int_equal(task_flags, 0);
}

static void the_generic_form_knows_the_four_bits_alone(void **state)
{
	unsigned int outer = memalloc_flags_save(PF_MEMALLOC_NOFS | PF_MEMALLOC_PIN | 0x4001u);
	unsigned int inner;

	(void)state;
	assert_int_equal(task_flags, PF_MEMALLOC_NOFS | PF_MEMALLOC_PIN);
	inner = memalloc_flags_save(PF_MEMALLOC_NOFS | PF_MEMALLOC_NOIO);
	memalloc_flags_restore(inner);
	assert_int_equal(task_flags, PF_MEMALLOC_NOFS | PF_MEMALLOC_PIN);
	memalloc_flags_restore(outer);
	assert_int_equal(task_flags, 0);
}

/* A value that no save returned ends no other scope than the one of the function's name. */
static void a_restore_ends_only_its_own_kind(void **state)
{
	unsigned int noio = memalloc_noio_save();

	(void)state;
	memalloc_nofs_restore(~0u);
	memalloc_pin_restore(~0u);
	memalloc_noreclaim_restore(~0u);
	assert_int_equal(current_gfp_context(GFP_KERNEL), GFP_NOIO);
	memalloc_noio_restore(noio);
	assert_int_equal(task_flags, 0);
}

static void *flags_of_a_thread(void *arg)
{
	(void)arg;
	return (void *)(uintptr_t)current_gfp_context(GFP_KERNEL);
}

/* 6.7, the paragraph below the tables. */
static void a_new_thread_starts_without_a_scope(void **state)
{
	unsigned int flags = memalloc_noio_save();
	pthread_t thread;
	void *result;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, flags_of_a_thread, NULL), 0);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_int_equal((uintptr_t)result, GFP_KERNEL);
	assert_int_equal(current_gfp_context(GFP_KERNEL), GFP_NOIO);
	memalloc_noio_restore(flags);
}

static void a_fork_child_keeps_the_scope_of_its_thread(void **state)
{
	unsigned int flags = memalloc_nofs_save();
	int status;
	pid_t pid = fork();

	(void)state;
	if (!pid)
		_exit(current_gfp_context(GFP_KERNEL) != GFP_NOFS);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	memalloc_nofs_restore(flags);
}

static gfp_t seen_by_handler;

static void handler(int sig)
{
	unsigned int flags;

	(void)sig;
	seen_by_handler = current_gfp_context(GFP_KERNEL | __GFP_MOVABLE);
	flags = memalloc_flags_save(PF_MEMALLOC_NOIO | PF_MEMALLOC_PIN);
	memalloc_flags_restore(flags);
}

static void a_signal_handler_runs_in_the_scope_that_it_interrupts(void **state)
{
	unsigned int flags = memalloc_nofs_save();

	(void)state;
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_DFL);
	assert_int_equal(seen_by_handler, GFP_NOFS | __GFP_MOVABLE);
	assert_int_equal(task_flags, PF_MEMALLOC_NOFS);
	memalloc_nofs_restore(flags);
}

/* 6.4: the scope is applied before anything else looks at the flags. */
static void a_request_is_made_with_the_flags_of_the_scope(void **state)
{
	unsigned int flags = memalloc_noio_save();
	struct alloc_context ac;

	(void)state;
	alloc_context_init(&ac, GFP_KERNEL | __GFP_ZERO, 0);
	assert_int_equal(ac.gfp, GFP_NOIO | __GFP_ZERO);
	memalloc_noio_restore(flags);
	alloc_context_init(&ac, GFP_KERNEL | __GFP_ZERO, 0);
	assert_int_equal(ac.gfp, GFP_KERNEL | __GFP_ZERO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_scope_flags_stay_as_they_are),
		cmocka_unit_test(noio_clears_io_and_fs),
		cmocka_unit_test(nofs_clears_fs),
		cmocka_unit_test(pin_clears_movable),
		cmocka_unit_test(noreclaim_marks_the_thread_and_leaves_the_flags),
		cmocka_unit_test(scopes_of_one_kind_nest),
		cmocka_unit_test(scopes_of_several_kinds_nest_and_overlap),
		cmocka_unit_test(the_generic_form_knows_the_four_bits_alone),
		cmocka_unit_test(a_restore_ends_only_its_own_kind),
		cmocka_unit_test(a_new_thread_starts_without_a_scope),
		cmocka_unit_test(a_fork_child_keeps_the_scope_of_its_thread),
		cmocka_unit_test(a_signal_handler_runs_in_the_scope_that_it_interrupts),
		cmocka_unit_test(a_request_is_made_with_the_flags_of_the_scope),
	};

	return cmocka_run_group_tests_name("gfp_scopes", tests, NULL, NULL);
}

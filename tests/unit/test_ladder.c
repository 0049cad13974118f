// SPDX-License-Identifier: MIT
/*
 * What each set of flags gets at the limit: the outcome table of kernel-semantics 5.7, the rows of 6.6 about the
 * ladder, the reports of 5.9. Shrinkers and notifiers are the test's own (ld --wrap).
 */
#include "ladder.h"

#include <pthread.h>

#define ROUND 12	/* passes of the shrinkers in one round without progress */

static struct {
	bool have;
	unsigned int calls, first_priority, last_priority, wrong;
	gfp_t gfp;
	unsigned int free_below;	/* priorities below that give pages back */
	unsigned int free_after;	/* calls before anything comes free */
	unsigned int notified, notify_frees;
} fake;

unsigned long wrapped_shrink(gfp_t gfp, int nid, unsigned int priority) __asm__("__wrap_km_shrink_slab");
bool wrapped_have(void) __asm__("__wrap_km_have_shrinkers");
unsigned long wrapped_notify(void) __asm__("__wrap_km_oom_notify");

static void check_callback(void)
{
	fake.wrong += this_cpu == &busy_cpu || !(task_flags & PF_MEMALLOC);
}

unsigned long wrapped_shrink(gfp_t gfp, int nid, unsigned int priority)
{
	(void)nid;
	check_callback();
	if (!fake.calls++)
		fake.first_priority = priority;
	fake.last_priority = priority;
	fake.gfp = gfp;
	if (priority < fake.free_below && fake.calls > fake.free_after) {
		give_back(64);
		return 64;
	}
	return 0;
}

bool wrapped_have(void)
{
	return fake.have;
}

unsigned long wrapped_notify(void)
{
	check_callback();
	fake.notified++;
	give_back(fake.notify_frees);
	return fake.notify_frees;
}

/* Free is min exactly, as it is when GFP_KERNEL fails; what the requests so far left is forgotten. */
static void exhaust(void)
{
	fake.have = false;
	eat(GFP_KERNEL | __GFP_NORETRY);
	CHECK_EQ(mem_free(), mem_state.watermark[WMARK_MIN]);
	memset(&fake, 0, sizeof(fake));
	fake.have = true;
}

static void check_refused(gfp_t gfp, unsigned int order, unsigned int calls, unsigned int notified)
{
	exhaust();
	CHECK(!get_pages(gfp | __GFP_NOWARN, order));
	CHECK_EQ(fake.calls, calls);
	CHECK_EQ(fake.notified, notified);
	CHECK_EQ(fake.wrong, 0);
	CHECK_EQ(mem_free(), mem_state.watermark[WMARK_MIN]);
	if (calls) {
		CHECK_EQ(fake.first_priority, 12);
		CHECK_EQ(fake.last_priority, calls == 1 ? 12 : 1);
		CHECK_EQ(fake.gfp & ~__GFP_NOWARN, gfp);
	}
}

static void outcomes(void)
{
	check_refused(GFP_KERNEL, 0, 16 * ROUND, 1);
	check_refused(GFP_KERNEL, 3, 16 * ROUND, 1);
	check_refused(GFP_NOFS, 0, 16 * ROUND, 1);
	check_refused(GFP_NOIO, 0, 16 * ROUND, 1);
	check_refused(GFP_KERNEL | __GFP_NORETRY, 0, 1, 0);
	check_refused(GFP_KERNEL | __GFP_RETRY_MAYFAIL, 0, 16 * ROUND, 0);
	check_refused(GFP_KERNEL & ~__GFP_RECLAIM, 0, 0, 0);
	check_refused(GFP_NOWAIT, 0, 0, 0);
	/* costly: one round, or all of them, nobody is notified */
	check_refused(GFP_KERNEL, 4, ROUND, 0);
	check_refused(GFP_KERNEL | __GFP_RETRY_MAYFAIL, 4, 16 * ROUND, 0);
	check_refused(GFP_KERNEL | __GFP_THISNODE, 0, 16 * ROUND, 0);
}

static void every_row_of_the_outcome_table(void **state)
{
	(void)state;
	in_child("mem=64M oom=null", outcomes);
}

static void combinations(void)
{
	/* NORETRY wins */
	check_refused(GFP_KERNEL | __GFP_NORETRY | __GFP_RETRY_MAYFAIL, 0, 1, 0);
	/* modifiers of direct reclaim mean nothing without it */
	check_refused(GFP_NOWAIT | __GFP_NORETRY, 0, 0, 0);
	check_refused(GFP_NOWAIT | __GFP_RETRY_MAYFAIL, 0, 0, 0);
	/* NOMEMALLOC wins */
	check_refused(GFP_NOWAIT | __GFP_MEMALLOC | __GFP_NOMEMALLOC, 0, 0, 0);
	/* FS without IO is only handed on */
	check_refused(__GFP_RECLAIM | __GFP_FS, 0, 16 * ROUND, 1);
}

static void combinations_as_in_6_6(void **state)
{
	(void)state;
	in_child("mem=64M oom=null", combinations);
}

static void reserves(void)
{
	unsigned long min = mem_state.watermark[WMARK_MIN];

	exhaust();
	CHECK_EQ(eat(GFP_NOWAIT), 0);
	eat(GFP_KERNEL | __GFP_HIGH | __GFP_NORETRY);
	CHECK_EQ(mem_free(), min / 2);
	/* NOMEMALLOC takes the quarter for non-blocking requests away */
	CHECK_EQ(eat(GFP_ATOMIC | __GFP_NOMEMALLOC), 0);
	eat(GFP_ATOMIC);
	CHECK_EQ(mem_free(), min * 3 / 8);
	CHECK_EQ(eat(GFP_ATOMIC), 0);
	eat(GFP_NOWAIT | __GFP_MEMALLOC);
	CHECK_EQ(mem_free(), 0);
	CHECK_EQ(fake.calls, 1);	/* of the one request that might reclaim and failed */
}

static void each_flag_reaches_its_mark(void **state)
{
	(void)state;
	in_child("mem=64M", reserves);
}

static void inside_reclaim(void)
{
	exhaust();
	task_flags |= PF_MEMALLOC;
	CHECK_EQ(eat(GFP_KERNEL | __GFP_NOMEMALLOC), 0);
	CHECK(eat(GFP_KERNEL) > 0);
	CHECK_EQ(mem_free(), 0);
	CHECK_EQ(fake.calls, 0);
	CHECK_EQ(fake.notified, 0);
}

static void a_thread_inside_reclaim_takes_the_reserve_and_never_reclaims(void **state)
{
	(void)state;
	in_child("mem=64M oom=abort", inside_reclaim);
}

static void shrinker_differs(void)
{
	/* pressure that a light round does not reach */
	exhaust();
	fake.free_below = 8;
	CHECK(!get_pages(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN, 0));
	CHECK_EQ(fake.calls, 1);
	held[nr_held] = get_pages(GFP_KERNEL | __GFP_RETRY_MAYFAIL, 0);
	CHECK(held[nr_held++]);
	CHECK_EQ(fake.last_priority, 7);
	/* a shrinker that gives something in the tenth round */
	exhaust();
	fake.free_below = 13;
	fake.free_after = 9 * ROUND;
	held[nr_held] = get_pages(GFP_KERNEL, 0);
	CHECK(held[nr_held++]);
	CHECK_EQ(fake.calls, 9 * ROUND + 1);
	CHECK_EQ(fake.notified, 0);
}

static void noretry_fails_where_others_find_what_shrinkers_hold(void **state)
{
	(void)state;
	in_child("mem=64M", shrinker_differs);
}

static void notifier_frees(void)
{
	exhaust();
	fake.notify_frees = 40;
	CHECK(get_pages(GFP_KERNEL, 0));
	CHECK_EQ(fake.notified, 1);
	CHECK_EQ(fake.calls, 16 * ROUND);
}

static void a_notifier_that_frees_cancels_the_failure(void **state)
{
	(void)state;
	in_child("mem=64M oom=abort", notifier_frees);
}

static void *free_later(void *arg)
{
	usleep(60000);
	put_pages(arg, 6);	/* above half of min again */
	return NULL;
}

static void nofail_waits(void)
{
	static const gfp_t flags[] = { 0, __GFP_NORETRY, __GFP_RETRY_MAYFAIL, __GFP_NOWARN };
	unsigned long slept;
	unsigned int i;
	pthread_t t;

	for (i = 0; i < 4; i++) {
		struct page *big = get_pages(GFP_KERNEL, 6), *page;

		CHECK(big);
		exhaust();
		fake.have = false;
		eat(GFP_ATOMIC);
		slept = atomic_load(&vm_events[NOFAIL_SLEEP]);
		CHECK(!pthread_create(&t, NULL, free_later, big));
		page = get_pages(GFP_KERNEL | __GFP_NOFAIL | flags[i], 0);
		CHECK(page);
		CHECK(atomic_load(&vm_events[NOFAIL_SLEEP]) > slept);
		pthread_join(t, NULL);
		put_pages(page, 0);
		give_back(nr_held);
	}
}

static void nofail_waits_until_another_thread_frees(void **state)
{
	(void)state;
	in_child("mem=64M oom=null", nofail_waits);
}

static void nofail_dies(void)
{
	exhaust();
	fake.have = false;
	eat(GFP_ATOMIC);
	catch_stderr();
	get_pages(GFP_KERNEL | __GFP_NOFAIL, 0);
}

static void nofail_abort_ends_the_program(void **state)
{
	int status = child_status("mem=64M nofail=abort", nofail_dies);

	(void)state;
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void nofail_warnings(void)
{
	const char *text;
	unsigned int i;

	exhaust();
	fake.have = false;
	catch_stderr();
	for (i = 0; i < 3; i++)
		CHECK(!get_pages(GFP_NOWAIT | __GFP_NOFAIL, 0));
	text = caught_text();
	CHECK_EQ(count_lines(text), 1);
	CHECK(strstr(text, "__GFP_NOFAIL") && strstr(text, "without __GFP_DIRECT_RECLAIM"));
	give_back(100);
	mem_state.watermark[WMARK_LOW] = mem_free() + 100;	/* the first try fails, the second not */
	catch_stderr();
	for (i = 0; i < 3; i++)
		CHECK(get_pages(GFP_KERNEL | __GFP_NOFAIL, 2));
	text = caught_text();
	CHECK_EQ(count_lines(text), 1);
	CHECK(strstr(text, "order 2"));
}

static void nofail_where_it_cannot_be_kept_is_warned_of_once(void **state)
{
	(void)state;
	in_child("mem=64M", nofail_warnings);
}

static void line_of_failure(void)
{
	const char *text;

	os_set_comm("worker");
	exhaust();
	catch_stderr();
	CHECK(!get_pages(GFP_KERNEL | __GFP_NOWARN, 4));
	CHECK(!get_pages(GFP_KERNEL | __GFP_MALLOC | __GFP_NORETRY, 4));
	CHECK(!get_pages(GFP_KERNEL, 4));
	CHECK(!get_pages(GFP_KERNEL, 4));	/* one in ten seconds */
	text = caught_text();
	CHECK_EQ(count_lines(text), 1);
	CHECK(strstr(text, "worker: page allocation failure: order:4, mode:0xcc0("));
	CHECK(strstr(text, "), nodemask=(null)\n"));
}

static void a_failure_is_one_line_in_ten_seconds(void **state)
{
	(void)state;
	in_child("mem=64M", line_of_failure);
}

static unsigned long leak_with(gfp_t gfp)
{
	unsigned long n = 0;

	while (slab_alloc(size_class(3000), 3000, gfp))
		n++;
	return n;
}

static void oom_reports(void)
{
	const char *text;

	catch_stderr();
	errno = 0;
	CHECK(leak_with(GFP_MALLOC) > 15000);
	CHECK_EQ(errno, ENOMEM);
	CHECK(!slab_alloc(size_class(3000), 3000, GFP_MALLOC));
	text = caught_text();
	CHECK(strstr(text, "out of memory at the limit of mem=: a request of 3000 bytes"));
	CHECK(strstr(text, "limit 65536 KiB, committed 64512 KiB"));
	CHECK(strstr(text, "kmalloc-3k:"));
	CHECK(count_lines(text) <= 7);
	CHECK(!strstr(text, "page allocation failure"));
	/* in use as much as the mark allows */
	CHECK(mem_free() <= mem_state.watermark[WMARK_MIN] + 16);
}

static void at_the_limit_malloc_fails_with_one_report(void **state)
{
	(void)state;
	in_child("mem=64M", oom_reports);
}

static void oom_is_silent(void)
{
	catch_stderr();
	leak_with(GFP_MALLOC);
	CHECK_EQ(strlen(caught_text()), 0);
	errno = 77;
	CHECK(!slab_alloc(size_class(3000), 3000, GFP_KERNEL | __GFP_NOWARN));
	CHECK_EQ(errno, ENOMEM);
}

static void oom_null_is_silent_and_kmalloc_sets_errno(void **state)
{
	(void)state;
	in_child("mem=64M oom=null", oom_is_silent);
}

static void oom_dies(void)
{
	catch_stderr();
	leak_with(GFP_MALLOC);
}

static void oom_abort_ends_the_program(void **state)
{
	int status = child_status("mem=64M oom=abort", oom_dies);

	(void)state;
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* Objects in sheaves, barns and empty slabs count as used until reclaim finds them. */
static void reclaim_finds_caches(void)
{
	static void *p[30000];
	unsigned int i, n = 0;

	while (n < 30000 && (p[n] = slab_alloc(size_class(3000), 3000, GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY)))
		n++;
	CHECK(n > 15000 && n < 30000);
	for (i = 0; i < n; i++)
		slab_free(p[i]);
	for (i = 0; i < 12000; i++)
		CHECK(slab_alloc(size_class(5000), 5000, GFP_MALLOC));
}

static void what_the_allocator_caches_is_found_before_a_request_fails(void **state)
{
	(void)state;
	in_child("mem=64M oom=abort", reclaim_finds_caches);
}

/* Steps of the ladder for a request of so many pages that fails every time. */
static unsigned int steps(gfp_t gfp, unsigned long pages)
{
	struct alloc_context ac;
	struct slow_entry e;
	unsigned int n = 0;

	slow_enter_alloc(&e, cpu_enter());
	alloc_context_init(&ac, gfp, 0);
	ac.pages = pages;
	while (alloc_slowpath(&ac, &e))
		n++;
	slow_leave(&e);
	alloc_failed(&ac, pages << os_page_shift);
	return n;
}

static void hopeless(void)
{
	unsigned long stalls = atomic_load(&vm_events[ALLOCSTALL]);

	fake.have = true;
	errno = 0;
	CHECK(!kvmalloc_size(1ul << 48));
	CHECK_EQ(errno, ENOMEM);
	CHECK(steps(GFP_MALLOC, 1ul << 40) <= 1);
	if (mem_limited())	/* more than the limit less min */
		CHECK(steps(GFP_MALLOC, mem_state.limit - mem_state.watermark[WMARK_MIN]) <= 1);
	CHECK_EQ(fake.calls, 0);
	CHECK_EQ(atomic_load(&vm_events[ALLOCSTALL]), stalls);
}

static void a_request_that_nothing_could_satisfy_fails_at_once(void **state)
{
	(void)state;
	in_child("", hopeless);
	in_child("mem=64M oom=null", hopeless);
}

/* Free is min; no thread has been started. */
static void exhaust_without_thread(void)
{
	atomic_store(&kswapd_state.running, true);
	exhaust();
	fake.free_below = 13;
	CHECK(atomic_load(&kswapd_state.wanted));
	CHECK(atomic_load(&vm_events[KSWAPD_WAKE]) > 0);
	atomic_store(&kswapd_state.running, false);
}

static void balance(void)
{
	exhaust_without_thread();
	balance_memory();
	CHECK(mem_free() > mem_state.watermark[WMARK_HIGH]);
	CHECK(atomic_load(&vm_events[KSWAPD_STEAL]) > 0);
}

static void below_low_kswapd_is_woken_and_reclaims_up_to_high(void **state)
{
	(void)state;
	in_child("mem=64M kswapd", balance);
}

static void thread_balances(void)
{
	unsigned int i;

	exhaust_without_thread();
	kswapd_run();
	CHECK(atomic_load(&kswapd_state.running));
	for (i = 0; i < 400 && mem_free() <= mem_state.watermark[WMARK_HIGH]; i++)
		usleep(5000);
	CHECK(mem_free() > mem_state.watermark[WMARK_HIGH]);
}

static void the_thread_does_it_in_the_background(void **state)
{
	(void)state;
	in_child("mem=64M kswapd", thread_balances);
}

static void child_of_kswapd(void)
{
	exhaust_without_thread();
	kswapd_run();
	if (!fork()) {
		CHECK(!atomic_load(&kswapd_state.running));
		nr_held = 0;
		fake.have = false;
		CHECK(!get_pages(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN, 10));
		CHECK(atomic_load(&kswapd_state.running));
		_exit(0);
	} else {
		int status = -1;

		wait(&status);
		CHECK_EQ(status, 0);
	}
}

static void a_fork_child_starts_its_own_when_it_needs_one(void **state)
{
	(void)state;
	if (UNIT_TSAN)
		skip();		/* its run time starts no thread in a child of several */
	in_child("mem=64M kswapd", child_of_kswapd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_of_the_outcome_table),
		cmocka_unit_test(combinations_as_in_6_6),
		cmocka_unit_test(each_flag_reaches_its_mark),
		cmocka_unit_test(a_thread_inside_reclaim_takes_the_reserve_and_never_reclaims),
		cmocka_unit_test(noretry_fails_where_others_find_what_shrinkers_hold),
		cmocka_unit_test(a_notifier_that_frees_cancels_the_failure),
		cmocka_unit_test(nofail_waits_until_another_thread_frees),
		cmocka_unit_test(nofail_abort_ends_the_program),
		cmocka_unit_test(nofail_where_it_cannot_be_kept_is_warned_of_once),
		cmocka_unit_test(a_failure_is_one_line_in_ten_seconds),
		cmocka_unit_test(at_the_limit_malloc_fails_with_one_report),
		cmocka_unit_test(oom_null_is_silent_and_kmalloc_sets_errno),
		cmocka_unit_test(oom_abort_ends_the_program),
		cmocka_unit_test(what_the_allocator_caches_is_found_before_a_request_fails),
		cmocka_unit_test(a_request_that_nothing_could_satisfy_fails_at_once),
		cmocka_unit_test(below_low_kswapd_is_woken_and_reclaims_up_to_high),
		cmocka_unit_test(the_thread_does_it_in_the_background),
		cmocka_unit_test(a_fork_child_starts_its_own_when_it_needs_one),
	};

	return cmocka_run_group_tests_name("ladder", tests, NULL, NULL);
}

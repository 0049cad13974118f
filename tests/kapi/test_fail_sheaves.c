// SPDX-License-Identifier: MIT
/*
 * Caches have no sheaves while their objects could fail (design 4), and have them again as soon as
 * none could, however that came: kernel-semantics 9.2 and 9.4 say when injection ends by itself.
 */
#include "kapi.h"
#include "fail_nth.h"

/* ---- sheaves: put away while something could fail, and there again afterwards ---- */

static unsigned long in_sheaves(const char *cache)
{
	struct kmalloc_cache_stats st;

	CHECK(kmalloc_cache_get_stats(cache, &st) == 0);
	return st.sheaf_objs;
}

/* Each object comes from a sheaf and goes there, or none. */
static bool sheaves_work(void)
{
	void *p = kmalloc(64, GFP_KERNEL);
	unsigned long had = in_sheaves("kmalloc-64"), has;

	CHECK(p);
	kfree(p);
	has = in_sheaves("kmalloc-64");
	CHECK(has == had + 1 || (had == 0 && has == 0));
	return has != 0;
}

static void sheaves_go_and_come_back(void)
{
	all_can_fail();
	CHECK(sheaves_work());
	fail_nth_set(1000);
	CHECK(!sheaves_work());
	fail_nth_set(0);
	CHECK(sheaves_work());
	/* reached: nobody calls anything */
	fail_nth_set(1);
	CHECK(!kmalloc(64, GFP_KERNEL));
	CHECK(sheaves_work());
	/* no times left */
	set_rate("failslab", 100, 1);
	CHECK(!kmalloc(64, GFP_KERNEL));
	CHECK(sheaves_work());
	set_rate("failslab", 1, -1);
	CHECK(in_sheaves("kmalloc-64") == 0);
	set_rate("failslab", 0, -1);
	CHECK(sheaves_work());
}

static _Atomic int stage;

static void wait_for(int n)
{
	while (stage < n)
		sched_yield();
}

/* More than the sheaves hold: the thread sees what has changed. */
static void miss(void)
{
	unsigned int i;
	void *p[200];

	for (i = 0; i < 200; i++)
		p[i] = kmalloc(64, GFP_KERNEL);
	for (i = 0; i < 200; i++)
		kfree(p[i]);
}

static void *count_and_end(void *arg)
{
	/* its first call: it has allocated nothing */
	fail_nth_set(1000000);
	stage = 1;
	wait_for(2);
	return arg;
}

/* A thread that counts takes everybody's sheaves; its end gives them back. */
static void sheaves_come_back_when_a_counting_thread_ends(void)
{
	pthread_t t;

	all_can_fail();
	CHECK(sheaves_work());
	CHECK(pthread_create(&t, NULL, count_and_end, NULL) == 0);
	wait_for(1);
	miss();
	CHECK(!sheaves_work());
	stage = 2;
	CHECK(pthread_join(t, NULL) == 0);
	CHECK(sheaves_work());
	miss();
	CHECK(sheaves_work());
}

static void *other_thread(void *arg)
{
	unsigned int i;
	void *p[64];

	/* sheaves full of objects */
	for (i = 0; i < 64; i++)
		p[i] = kmalloc(64, GFP_KERNEL);
	for (i = 0; i < 64; i++)
		kfree(p[i]);
	stage = 1;
	wait_for(2);
	/* hits go on until the sheaves are empty; from then on its objects can fail */
	for (i = 0; i < 1000 && kmalloc(64, GFP_KERNEL); i++)
		;
	CHECK(i > 0 && i < 200);
	CHECK(!kmalloc(64, GFP_KERNEL));
	stage = 3;
	wait_for(4);
	CHECK(kmalloc(64, GFP_KERNEL));
	CHECK(in_sheaves("kmalloc-64") > 0);
	return arg;
}

static void other_threads_lose_their_sheaves_at_their_next_miss(void)
{
	pthread_t t;

	all_can_fail();
	CHECK(pthread_create(&t, NULL, other_thread, NULL) == 0);
	wait_for(1);
	set_rate("failslab", 100, -1);
	stage = 2;
	wait_for(3);
	set_rate("failslab", 0, -1);
	stage = 4;
	CHECK(pthread_join(t, NULL) == 0);
}

/* 9.4: a count is of one thread and of one process */
static void a_fork_child_has_sheaves_and_no_count(void)
{
	int status;
	pid_t pid;

	all_can_fail();
	CHECK(sheaves_work());
	fail_nth_set(5);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		CHECK(fail_nth_get() == 0);
		CHECK(sheaves_work());
		fail_nth_set(1);
		CHECK(!kmalloc(64, GFP_KERNEL));
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(fail_nth_get() == 5);
}

static bool allocate_some(void)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < 10; i++)
		any |= try_block(kmalloc(1000 * i + 10, GFP_KERNEL), 10, kfree);
	return any;
}

/* The loop on one thread while others allocate as they like. */
static _Atomic bool stop;

static void *churn(void *arg)
{
	while (!stop) {
		void *p = kmalloc(64, GFP_KERNEL), *q = kmalloc(9000, GFP_KERNEL);

		CHECK(p && q);
		memset(p, 1, 64);
		kfree(p);
		kfree(q);
	}
	return arg;
}

static void other_threads_never_fail(void)
{
	pthread_t t[3];
	unsigned int i, n;

	all_can_fail();
	for (i = 0; i < 3; i++)
		CHECK(pthread_create(&t[i], NULL, churn, NULL) == 0);
	for (n = 1; n < 300; n++) {
		unsigned int left;
		bool any;

		fail_nth_set(n % 20 + 1);
		any = allocate_some();
		left = fail_nth_get();
		fail_nth_set(0);
		CHECK(any == !left);
	}
	stop = true;
	for (i = 0; i < 3; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
}

/* ---- table ---- */

static const struct trap_case cases[] = {
	{ .name = "sheaves go with the first that could fail and come with the last",
	  .run = sheaves_go_and_come_back, SILENT },
	{ .name = "sheaves come back when a counting thread ends",
	  .run = sheaves_come_back_when_a_counting_thread_ends, SILENT },
	{ .name = "other threads lose their sheaves at their next miss",
	  .run = other_threads_lose_their_sheaves_at_their_next_miss, SILENT },
	{ .name = "a fork child has sheaves and no count",
	  .run = a_fork_child_has_sheaves_and_no_count, SILENT },
	{ .name = "other threads never fail", .run = other_threads_never_fail, SILENT },
};

TRAP_MAIN(cases)

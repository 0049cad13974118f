/* SPDX-License-Identifier: MIT */
/* For tests of marks, zones and the ladder: children with options of their own, requests for pages. */
#ifndef TESTS_UNIT_LADDER_H
#define TESTS_UNIT_LADDER_H

#include "unit.h"
#include "kernel/params.h"
#include "mm/entry.h"
#include "mm/gfp_policy.h"
#include "mm/page_alloc.h"
#include "mm/purge.h"
#include "mm/reclaim.h"
#include "mm/reserve.h"
#include "mm/shrinker.h"
#include "mm/slub_fast.h"
#include "mm/util.h"
#include "mm/watermark.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#define MAX_PAGES 40000

static UNIT_UNUSED struct page *held[MAX_PAGES];
static UNIT_UNUSED unsigned int nr_held;

/* In a child: a failure is a line and the exit status. */
#define CHECK(cond) do { \
	if (!(cond)) { \
		fprintf(stderr, "# %s:%d: %s\n", __FILE__, __LINE__, #cond); \
		_exit(1); \
	} \
} while (0)

#define CHECK_EQ(a, b) do { \
	long a_ = (long)(a), b_ = (long)(b); \
	if (a_ != b_) { \
		fprintf(stderr, "# %s:%d: %s is %ld, expected %ld\n", __FILE__, __LINE__, #a, a_, b_); \
		_exit(1); \
	} \
} while (0)

static UNIT_UNUSED void set_options(const char *options)
{
	params_init(options);
	watermark_init();
	reserve_setup();
}

/* The wait status of a child that runs fn with these options. */
static UNIT_UNUSED int child_status(const char *options, void (*fn)(void))
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		alarm(20);
		set_options(options);
		fn();
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static UNIT_UNUSED void in_child(const char *options, void (*fn)(void))
{
	assert_int_equal(child_status(options, fn), 0);
}

/* A request for pages as the page API makes it. */
static UNIT_UNUSED struct page *get_pages(gfp_t gfp, unsigned int order)
{
	struct alloc_context ac;
	struct slow_entry e;
	struct page *page;

	slow_enter_alloc(&e, cpu_enter());
	alloc_context_init(&ac, gfp, order);
	ac.alloc_flags |= ALLOC_PAGES;
	do
		page = alloc_block(order, &ac);
	while (!page && alloc_slowpath(&ac, &e));
	slow_leave(&e);
	if (!page)
		alloc_failed(&ac, PAGE_SIZE << order);
	return page;
}

static UNIT_UNUSED void put_pages(struct page *page, unsigned int order)
{
	struct pcpu *c = cpu_enter();

	free_block(page, order);
	cpu_leave(c);
}

static UNIT_UNUSED unsigned long mem_free(void)
{
	return mem_state.limit - mem_committed();
}

/* Takes single pages until the request fails; how many. */
static UNIT_UNUSED unsigned int eat(gfp_t gfp)
{
	unsigned int n = 0;
	struct page *page;

	while (nr_held < MAX_PAGES && (page = get_pages(gfp | __GFP_NOWARN, 0))) {
		held[nr_held++] = page;
		n++;
	}
	return n;
}

static UNIT_UNUSED void give_back(unsigned int n)
{
	while (n-- && nr_held)
		put_pages(held[--nr_held], 0);
}

#endif

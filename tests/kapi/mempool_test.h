/* SPDX-License-Identifier: MIT */
/* For the tests of mempools: an allocator that counts, notes flags, and fails when told to. */
#ifndef TESTS_KAPI_MEMPOOL_TEST_H
#define TESTS_KAPI_MEMPOOL_TEST_H

#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <kmalloc/kmalloc.h>
#include <kmalloc/mempool.h>

#define UNUSED __attribute__((__unused__))

#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif
#ifndef UNDER_TSAN
#define UNDER_TSAN 0
#endif

struct source {
	_Atomic int nr_allocs, nr_frees;	/* that gave or took an element */
	_Atomic int nr_tries, nr_full_tries;	/* of the latter: with __GFP_DIRECT_RECLAIM */
	_Atomic int left;			/* elements it still gives; negative: no end */
	_Atomic gfp_t flags[8];			/* of the first tries */
	_Atomic gfp_t all_flags, common_flags;	/* any of, all of the tries */
	void *_Atomic last_freed;
};

static UNUSED void source_reset(struct source *s, int left)
{
	memset(s, 0, sizeof(*s));
	s->left = left;
	s->common_flags = ~(gfp_t)0;
}

/* As after creation: no try is counted. */
static UNUSED void source_forget(struct source *s, int left)
{
	s->nr_tries = s->nr_full_tries = 0;
	s->all_flags = 0;
	s->common_flags = ~(gfp_t)0;
	s->left = left;
}

static UNUSED void *source_alloc(gfp_t gfp, void *pool_data)
{
	struct source *s = pool_data;
	int n = s->nr_tries++;
	int left = s->left;

	if (n < 8)
		s->flags[n] = gfp;
	s->nr_full_tries += (gfp & __GFP_DIRECT_RECLAIM) != 0;
	s->all_flags |= gfp;
	s->common_flags &= gfp;
	while (left > 0 && !__atomic_compare_exchange_n((int *)&s->left, &left, left - 1, 0,
							__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	if (!left)
		return NULL;
	s->nr_allocs++;
	return malloc(64);
}

static UNUSED void source_free(void *element, void *pool_data)
{
	struct source *s = pool_data;

	s->nr_frees++;
	s->last_freed = element;
	free(element);
}

static UNUSED mempool_t *new_pool(struct source *s, int min_nr)
{
	mempool_t *pool;

	source_reset(s, -1);
	pool = mempool_create(min_nr, source_alloc, source_free, s);
	assert_non_null(pool);
	source_forget(s, -1);
	return pool;
}

static UNUSED void end_pool(mempool_t *pool, struct source *s)
{
	mempool_destroy(pool);
	assert_int_equal(s->nr_allocs, s->nr_frees);
}

/* ---- stderr, caught ---- */

static UNUSED int caught_saved, caught_end;

static UNUSED void catch_stderr(void)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	fflush(stderr);
	caught_saved = dup(STDERR_FILENO);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	caught_end = fds[0];
}

static UNUSED const char *caught_text(void)
{
	static char text[8192];
	size_t used = 0;
	ssize_t n;

	dup2(caught_saved, STDERR_FILENO);
	close(caught_saved);
	while ((n = read(caught_end, text + used, sizeof(text) - 1 - used)) > 0)
		used += (size_t)n;
	close(caught_end);
	text[used] = '\0';
	return text;
}

#endif

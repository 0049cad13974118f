/* SPDX-License-Identifier: MIT */
/*
 * A program that exports a complete malloc family of its own, as jemalloc
 * linked into a program does: it wins over any preload, for libc too, and no
 * block may cross from one heap to the other. Trap C73.
 *
 * It prints TAP itself, as trap.h counts on a preloaded malloc.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Nothing is ever given back; a size stands before each block. */
static char arena[64 << 20] __attribute__((aligned(4096)));
static size_t used;
static unsigned long frees;

static int is_mine(const void *p)
{
	return (uintptr_t)p - (uintptr_t)arena < sizeof(arena);
}

void *memalign(size_t align, size_t n)
{
	size_t take = align + 16 + ((n + 15) & ~(size_t)15);
	size_t at = __atomic_fetch_add(&used, take, __ATOMIC_RELAXED);
	uintptr_t p;

	if (n > sizeof(arena) || at + take > sizeof(arena)) {
		errno = ENOMEM;
		return NULL;
	}
	p = ((uintptr_t)arena + at + 16 + align - 1) & ~(align - 1);
	((size_t *)p)[-1] = n;
	return (void *)p;
}

void *malloc(size_t n)
{
	return memalign(16, n);
}

void free(void *p)
{
	static const char text[] = "# own free got a block of another heap\n";

	if (p && !is_mine(p)) {
		if (write(1, text, sizeof(text) - 1) < 0)
			_exit(4);
		_exit(3);
	}
	frees += p != NULL;
}

void *calloc(size_t nr, size_t n)
{
	/* The arena starts as zeros and nothing is used twice. */
	return malloc(nr * n);
}

void *realloc(void *p, size_t n)
{
	void *q = malloc(n);

	if (p && q) {
		size_t old = ((size_t *)p)[-1];

		memcpy(q, p, old < n ? old : n);
	}
	free(p);
	return q;
}

void *aligned_alloc(size_t align, size_t n)
{
	return memalign(align, n);
}

int posix_memalign(void **p, size_t align, size_t n)
{
	*p = memalign(align, n);
	return *p ? 0 : ENOMEM;
}

void *valloc(size_t n)
{
	return memalign(4096, n);
}

void *pvalloc(size_t n)
{
	return memalign(4096, (n + 4095) & ~(size_t)4095);
}

size_t malloc_usable_size(void *p)
{
	return p ? ((size_t *)p)[-1] : 0;
}

static unsigned int nr, failed;

static void ok(int passed, const char *name)
{
	printf("%sok %u - %s\n", passed ? "" : "not ", ++nr, name);
	failed += !passed;
}

static void *thread(void *arg)
{
	char *p = strdup((const char *)arg);

	return p;
}

int main(void)
{
	char *line = NULL, *text = NULL;
	size_t size = 0;
	pthread_t t;
	void *p = NULL;
	FILE *f;
	pid_t pid;
	int status = 1;

	puts("1..6");
	p = strdup("text");
	ok(p && is_mine(p), "strdup uses the program's own malloc");
	free(p);
	f = fopen("/proc/self/maps", "r");
	ok(f && getline(&line, &size, f) > 0 && is_mine(line), "so does getline");
	free(line);
	if (f)
		fclose(f);
	ok(asprintf(&text, "%d %s", 42, "text") == 7 && is_mine(text), "so does asprintf");
	free(text);
	ok(pthread_create(&t, NULL, thread, (void *)(uintptr_t)"text") == 0 &&
		   pthread_join(t, &p) == 0 && is_mine(p),
	   "so does a thread");
	free(p);
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(is_mine(malloc(100)) ? 0 : 1);
	waitpid(pid, &status, 0);
	ok(status == 0, "so does a child");
	ok(frees >= 4, "its own free was called");
	return failed != 0;
}

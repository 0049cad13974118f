/* SPDX-License-Identifier: MIT */
/* What the tests of vmalloc share: cases in a process of their own, and patterns. */
#ifndef TESTS_KAPI_VMALLOC_TEST_H
#define TESTS_KAPI_VMALLOC_TEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <kmalloc/kmalloc.h>
#include <kmalloc/vmalloc.h>

#define KIB		1024ul
#define MIB		(1024 * KIB)
#define TEST_UNUSED	__attribute__((__unused__))

/* In a child: its status and what it wrote to stderr. What is said once is said there. */
static char child_text[16384];

static TEST_UNUSED int in_child(void (*run)(void))
{
	size_t used = 0;
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		alarm(20);
		signal(SIGSEGV, SIG_DFL);	/* cmocka has handlers */
		signal(SIGABRT, SIG_DFL);
		dup2(fds[1], 2);
		close(fds[0]);
		close(fds[1]);
		run();
		_exit(0);
	}
	close(fds[1]);
	while ((n = read(fds[0], child_text + used, sizeof(child_text) - 1 - used)) > 0)
		used += (size_t)n;
	close(fds[0]);
	child_text[used] = '\0';
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* Of a child: cmocka's assertions would run the tests on in it. */
#define CHECK(cond) do { \
	if (!(cond)) { \
		fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond); \
		_exit(1); \
	} \
} while (0)

static TEST_UNUSED unsigned int lines_with(const char *what)
{
	const char *p = child_text;
	unsigned int n = 0;

	while ((p = strstr(p, what))) {
		n++;
		p += strlen(what);
	}
	return n;
}

static TEST_UNUSED bool all_bytes(const void *p, unsigned char value, size_t size)
{
	const unsigned char *b = p;

	return !size || (b[0] == value && !memcmp(b, b + 1, size - 1));
}

static TEST_UNUSED unsigned long random_below(unsigned long n)
{
	static uint64_t state = 0x9e3779b97f4a7c15ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned long)(state % n);
}

/* Keeps a compiler from knowing what a call returns or takes. */
static TEST_UNUSED void *opaque(void *p)
{
	__asm__ __volatile__("" : "+r"(p));
	return p;
}

#endif

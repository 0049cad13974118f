// SPDX-License-Identifier: MIT
/*
 * memory.h - what the memory tests share: a look at the process that is no
 * call of malloc, nor of stdio, which has buffers of its own
 */
#ifndef TESTS_MEMORY_H
#define TESTS_MEMORY_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Exit status 2: the test could not be run, as against one that ran and failed. */
static inline void __attribute__((noreturn)) give_up(const char *what)
{
	fprintf(stderr, "cannot test: %s\n", what);
	exit(2);
}

static inline void *must(void *p)
{
	if (!p)
		give_up("out of memory");
	return p;
}

/* The resident size in KiB: the second number of statm, in pages. */
static inline long rss_kib(void)
{
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[128] = "";
	const char *at = text;
	long pages = 0;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		give_up("no /proc/self/statm");
	close(fd);
	while (*at && *at != ' ')
		at++;
	while (*at == ' ')
		at++;
	for (; *at >= '0' && *at <= '9'; at++)
		pages = pages * 10 + (*at - '0');
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static inline void sleep_ms(long ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&left, &left))
		;
}

static inline double seconds_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline double now(void)
{
	return seconds_of(CLOCK_MONOTONIC);
}

/* User and system time of the whole process. */
static inline double cpu_seconds(void)
{
	return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

static inline uint64_t rnd(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*state = x;
	return x;
}

/* Every doubling from 2^low to 2^high is as likely, sizes in it are too. */
static inline size_t rnd_size(uint64_t *state, unsigned int low, unsigned int high)
{
	uint64_t x = rnd(state);
	unsigned int shift = low + (unsigned int)(x >> 32) % (high - low);

	return ((size_t)1 << shift) + (x & (((size_t)1 << shift) - 1));
}

#endif

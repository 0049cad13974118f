/* SPDX-License-Identifier: MIT */
/* What the module tests share: cmocka, a random source, messages caught from stderr. */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mm/gfp.h"
#include <unistd.h>

/* What a blocking caller asks with, below the entries. */
static const struct alloc_context kernel_request __maybe_unused = {
	.gfp = GFP_KERNEL, .alloc_flags = ALLOC_WMARK_LOW,
};
static const struct alloc_context zeroed_request __maybe_unused = {
	.gfp = GFP_KERNEL | __GFP_ZERO, .alloc_flags = ALLOC_WMARK_LOW,
};

#define UNIT_UNUSED __attribute__((__unused__))

#if defined(__SANITIZE_THREAD__)
#define UNIT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNIT_TSAN 1
#endif
#endif
#ifndef UNIT_TSAN
#define UNIT_TSAN 0
#endif

#if defined(__SANITIZE_ADDRESS__)
#define UNIT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNIT_ASAN 1
#endif
#endif
#ifndef UNIT_ASAN
#define UNIT_ASAN 0
#endif

/* xorshift64*: every run is the same run. */
static UNIT_UNUSED uint64_t random_state = 0x9e3779b97f4a7c15ull;

static UNIT_UNUSED uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1dull;
}

/* 0 .. n - 1 */
static UNIT_UNUSED unsigned long random_below(unsigned long n)
{
	return (unsigned long)(next_random(&random_state) % n);
}

/* ---- stderr, caught ---- */

static UNIT_UNUSED struct {
	int saved, read_end;
	char text[65536];
} caught;

static UNIT_UNUSED void catch_stderr(void)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	fflush(stderr);
	caught.saved = dup(STDERR_FILENO);
	assert_true(caught.saved >= 0);
	assert_true(dup2(fds[1], STDERR_FILENO) >= 0);
	close(fds[1]);
	caught.read_end = fds[0];
}

/* Ends the catch; what was written since. */
static UNIT_UNUSED const char *caught_text(void)
{
	ssize_t n;
	size_t used = 0;

	dup2(caught.saved, STDERR_FILENO);
	close(caught.saved);
	while (used < sizeof(caught.text) - 1) {
		n = read(caught.read_end, caught.text + used, sizeof(caught.text) - 1 - used);
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	close(caught.read_end);
	caught.text[used] = '\0';
	return caught.text;
}

static UNIT_UNUSED unsigned int count_lines(const char *text)
{
	unsigned int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static UNIT_UNUSED bool all_bytes(const void *p, unsigned char value, size_t size)
{
	const unsigned char *b = p;

	return !size || (b[0] == value && !memcmp(b, b + 1, size - 1));
}

/* ---- blocks that know what they hold ---- */

static UNIT_UNUSED void fill_block(void *p, size_t size, uint64_t seed)
{
	unsigned char *b = p;
	size_t i;

	for (i = 0; i + 8 <= size; i += 8) {
		uint64_t word = (seed + i) * 0x9e3779b97f4a7c15ull;

		memcpy(b + i, &word, 8);
	}
	for (; i < size; i++)
		b[i] = (unsigned char)(seed + i);
}

static UNIT_UNUSED bool check_block(const void *p, size_t size, uint64_t seed)
{
	const unsigned char *b = p;
	size_t i;

	for (i = 0; i + 8 <= size; i += 8) {
		uint64_t word = (seed + i) * 0x9e3779b97f4a7c15ull;

		if (memcmp(b + i, &word, 8))
			return false;
	}
	for (; i < size; i++)
		if (b[i] != (unsigned char)(seed + i))
			return false;
	return true;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * common.h - what benchmark bodies share: random numbers, blocks, orders
 *
 * The first and the last word of a block are written, and read back before it goes,
 * so that an allocator that hands memory out twice is found, not timed.  Rows whose
 * description says so write to each page of a block besides (touch_pages()).  What a
 * body needs for itself (tables, permutations) comes from bench_table(), not from
 * malloc.
 */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include "base.h"
#include "shim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define KIB		((size_t)1 << 10)
#define MIB		((size_t)1 << 20)
#define TOUCH_STEP	4096
#define CACHELINE	64

static inline void __attribute__((noreturn)) bench_die(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

static inline void *must(void *p)
{
	if (!p)
		bench_die("out of memory");
	return p;
}

/* Zeroed, never freed by the one that got it but with bench_table_free(). */
static inline void *bench_table(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		bench_die("no memory for a table of the benchmark");
	return p;
}

/* A word in each page of from..to, so that it is resident. */
static inline void touch_pages(char *p, size_t from, size_t to, uint64_t tag)
{
	for (size_t at = from; at + sizeof(tag) <= to; at += TOUCH_STEP)
		put_word(p + at, tag);
}

/* For a table that is filled while the clock runs: its own page faults come before. */
static inline void *bench_table_resident(size_t bytes)
{
	void *p = bench_table(bytes);

	touch_pages((char *)p, 0, bytes, 0);
	return p;
}

static inline void bench_table_free(void *p, size_t bytes)
{
	munmap(p, bytes);
}

/* xorshift64, one state a thread; never 0. */
static inline uint64_t rnd(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*state = x;
	return x;
}

/* Uniform in 0..n-1; multiplies, as a division would cost more than a malloc. */
static inline unsigned int rnd_below(uint64_t *state, unsigned int n)
{
	return (unsigned int)(((rnd(state) >> 32) * n) >> 32);
}

/* 2^low <= size < 2^high: every doubling is as likely, sizes in it are too. */
static inline size_t rnd_size(uint64_t *state, unsigned int low, unsigned int high)
{
	uint64_t x = rnd(state);
	unsigned int shift = low + (unsigned int)(((x >> 32) * (high - low)) >> 32);

	return ((size_t)1 << shift) + (x & (((size_t)1 << shift) - 1));
}

/* Each permutation is as likely. */
static inline void shuffle(uint32_t *member, unsigned int n, uint64_t *seed)
{
	for (unsigned int i = n - 1; i > 0; i--) {
		unsigned int j = rnd_below(seed, i + 1);
		uint32_t t = member[i];

		member[i] = member[j];
		member[j] = t;
	}
}

struct block {
	char *p;
	size_t size;		/* at least 8 */
	uint64_t tag;
};

/* Below 16 bytes the two words would overlap: only the first is used. */
static inline void mark(char *p, size_t size, uint64_t tag)
{
	put_word(p, tag);
	if (size >= 2 * sizeof(tag))
		put_word(p + size - sizeof(tag), tag);
}

static inline void check(const char *p, size_t size, uint64_t tag)
{
	if (get_word(p) != tag ||
	    (size >= 2 * sizeof(tag) && get_word(p + size - sizeof(tag)) != tag))
		bench_die("a block does not hold what was written to it");
}

static inline void block_new(struct block *b, size_t size, uint64_t tag)
{
	b->p = (char *)must(malloc(size));
	b->size = size;
	b->tag = tag;
	mark(b->p, size, tag);
}

static inline void block_drop(struct block *b)
{
	if (!b->p)
		return;
	check(b->p, b->size, b->tag);
	free(b->p);
	b->p = NULL;
}

static inline void drop_all(struct block *set, size_t n)
{
	for (size_t i = 0; i < n; i++)
		block_drop(&set[i]);
}

enum free_order { IN_ORDER, REVERSE, AT_RANDOM };

/* order[0..n-1] is a permutation of 0..n-1. */
static inline void make_order(uint32_t *order, unsigned int n, enum free_order how, uint64_t *seed)
{
	for (unsigned int i = 0; i < n; i++)
		order[i] = how == REVERSE ? n - 1 - i : i;
	if (how == AT_RANDOM)
		shuffle(order, n, seed);
}

#endif

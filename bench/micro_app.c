// SPDX-License-Identifier: MIT
/*
 * micro_app.c - bench-micro: small programs that live off malloc
 *
 *	BM_app/tree	binary trees and lists of small nodes, built and dropped while
 *			one tree of 65535 nodes stays
 *	BM_app/strings	an interpreter's mixture: most strings die at once, one in 64
 *			takes the place of a random one of 20000 that live on
 *	BM_app/k32	64 buffers of 32 KiB, replaced at random, every page written
 *	BM_app/random	50000 blocks of 8 B to 8 KiB, replaced at random; filling the set
 *			and freeing it at the end are timed
 *
 * An item is a block got and, sooner or later, freed.
 */
#include "micro.h"

struct node {
	struct node *left, *right;
	uint32_t depth, size;
	char payload[];		/* nodes are 24 to 64 bytes */
};

#define NODE_SIZE	24
#define TREE_DEPTH	15
#define LIST_NODES	20000

static struct node *node_new(uint64_t *seed, struct node *left, struct node *right, uint32_t depth)
{
	size_t size = NODE_SIZE + 8 * rnd_below(seed, 6);
	struct node *n = must(malloc(size));

	n->left = left;
	n->right = right;
	n->depth = depth;
	n->size = (uint32_t)size;
	memset(n->payload, (int)depth, size - sizeof(*n));
	return n;
}

static void node_drop(struct node *n)
{
	if (n->size > sizeof(*n) && ((char *)n)[n->size - 1] != (char)n->depth)
		bench_die("a node does not hold what was written to it");
	free(n);
}

static struct node *tree_build(unsigned int depth, uint64_t *seed)
{
	struct node *left = NULL, *right = NULL;

	if (depth) {
		left = tree_build(depth - 1, seed);
		right = tree_build(depth - 1, seed);
	}
	return node_new(seed, left, right, depth);
}

static uint64_t tree_drop(struct node *n, unsigned int depth)
{
	uint64_t count = 1;

	if (n->depth != depth)
		bench_die("a tree does not hold what was written to it");
	if (depth)
		count += tree_drop(n->left, depth - 1) + tree_drop(n->right, depth - 1);
	node_drop(n);
	return count;
}

static uint64_t list_round(unsigned int n, uint64_t *seed)
{
	struct node *list = NULL;

	for (unsigned int i = 0; i < n; i++)
		list = node_new(seed, list, NULL, i);
	/* every second one first, as a filter would */
	for (struct node *at = list; at && at->left; at = at->left) {
		struct node *gone = at->left;

		at->left = gone->left;
		node_drop(gone);
	}
	while (list) {
		struct node *gone = list;

		list = gone->left;
		if (gone->depth >= n)
			bench_die("a list does not hold what was written to it");
		node_drop(gone);
	}
	return n;
}

/* An iteration: trees of one depth, of 65536 nodes or some less together, and a list. */
static void tree(struct bench_state *state)
{
	uint64_t seed = 0xda942042e4dd58b5, items = 0;
	struct node *kept = tree_build(TREE_DEPTH, &seed);
	unsigned int round = 0;

	BENCH_LOOP(state) {
		unsigned int depth = 8 + round++ % 8;

		for (unsigned int i = 0; i < 1u << (TREE_DEPTH - depth); i++)
			items += tree_drop(tree_build(depth, &seed), depth);
		items += list_round(LIST_NODES, &seed);
	}
	tree_drop(kept, TREE_DEPTH);
	bench_set_items(state, items);
}

#define STRINGS_RECENT	16
#define STRINGS_KEPT	20000
#define STRINGS_KEEP	64	/* one in so many lives on */

static inline void string_new(struct block *b, uint64_t *seed)
{
	uint64_t x = rnd(seed);
	size_t size = 24 + (x & 63);

	if ((x >> 8) % 16 == 0)		/* a line of text now and then */
		size += (x >> 16) & 511;
	b->p = must(malloc(size));
	b->size = size;
	b->tag = 0x0101010101010101 * ((x >> 40) & 0xff);
	memset(b->p, (int)b->tag & 0xff, size);
}

static void strings(struct bench_state *state)
{
	struct block *recent = bench_table(STRINGS_RECENT * sizeof(*recent));
	struct block *kept = bench_table(STRINGS_KEPT * sizeof(*kept));
	uint64_t seed = 0xaf251af3b0f025b5, i = 0;

	for (unsigned int j = 0; j < STRINGS_KEPT; j++)
		string_new(&kept[j], &seed);
	for (unsigned int j = 0; j < STRINGS_RECENT; j++)
		string_new(&recent[j], &seed);
	BENCH_LOOP(state) {
		struct block *b = &recent[i % STRINGS_RECENT];

		if (i++ % STRINGS_KEEP == 0) {
			struct block *k = &kept[rnd_below(&seed, STRINGS_KEPT)];

			block_drop(k);
			*k = *b;
			b->p = NULL;
		}
		block_drop(b);
		string_new(b, &seed);
	}
	drop_all(recent, STRINGS_RECENT);
	drop_all(kept, STRINGS_KEPT);
	bench_set_items(state, bench_iterations(state));
}

#define K32_BLOCKS 64

static void k32(struct bench_state *state)
{
	struct block set[K32_BLOCKS] = { 0 };
	uint64_t seed = 0xbf58476d1ce4e5b9, tag = 0;

	for (uint64_t left = bench_begin(state); left; left--) {
		struct block *b = &set[rnd_below(&seed, K32_BLOCKS)];

		block_drop(b);
		block_new_touched(b, 32 * KIB, tag++);
	}
	drop_all(set, K32_BLOCKS);
	bench_end(state);
	bench_set_items(state, bench_iterations(state));
}

#define RANDOM_BLOCKS		50000
#define RANDOM_ITERATIONS	(8 * RANDOM_BLOCKS)

/* The set shrinks with --scale. */
static void random_sizes(struct bench_state *state)
{
	uint64_t seed = 0x9e3779b97f4a7c15, n = bench_iterations(state), left;
	unsigned int nr = n < RANDOM_ITERATIONS ? (unsigned int)(n + 7) / 8 : RANDOM_BLOCKS;
	struct block *set = bench_table_resident(nr * sizeof(*set));

	left = bench_begin(state);
	for (unsigned int i = 0; left && i < nr; i++)
		block_new(&set[i], rnd_size(&seed, 3, 13), i);
	for (; left; left--) {
		struct block *b = &set[rnd_below(&seed, nr)];

		block_drop(b);
		block_new(b, rnd_size(&seed, 3, 13), left);
	}
	drop_all(set, nr);
	bench_end(state);
	bench_set_items(state, n + nr);
}

void register_apps(void)
{
	micro_row("BM_app/tree", tree, NULL, 16);
	micro_row("BM_app/strings", strings, NULL, 1000000);
	micro_row("BM_app/k32", k32, NULL, 500000);
	micro_row("BM_app/random", random_sizes, NULL, RANDOM_ITERATIONS);
}

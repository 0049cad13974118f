// SPDX-License-Identifier: MIT
/*
 * micro_sets.c - bench-micro: working sets in a steady state, and calloc
 *
 *	BM_set/DISTRIBUTION/BYTES	a random one of so many blocks that they are BYTES
 *		together in the mean is freed and one of a new random size got.  Sizes are
 *		uniform in 16..1024, log-uniform in 8..32767, or as a real program asked
 *		for them (histograms.h); those above an eighth of BYTES are left out.
 *		Up to 1 MB the set is filled and once replaced before the clock starts, and
 *		freed behind it; from 10 MB on, where filling and freeing it is much of what
 *		a user waits for, both are timed too, and the time is that of all blocks,
 *		each got and freed, divided by their number.
 *	BM_calloc/fresh/SIZE	blocks of memory that this process never had, each read and
 *		written, and kept: freed when the clock has stopped.  Page faults are
 *		most of the time, as they are for a program that starts.
 *	BM_calloc/reused/SIZE	a random one of a few dirty blocks is freed and a zeroed one
 *		got, read and made dirty.
 *
 * Large sets shrink with --scale, as filling them would take what it saves.
 */
#include "micro.h"

#include "histograms.h"

/* Sizes are drawn beforehand and read in turn: a draw is one load that is never late. */
#define NR_SIZES	65536
#define TIMED_FILL	10000000	/* sets of so many bytes and more */

enum distribution {
	COMPILER, INTERPRETER, DATABASE, SERVER, XML,	/* as in size_histograms[] */
	UNIFORM, LOG,
};

struct set_row {
	enum distribution from;
	unsigned int bytes;
	unsigned int iterations;
};

struct sizes {
	uint32_t *size;
	unsigned int at;
	double mean;
};

static inline size_t next_size(struct sizes *sizes)
{
	return sizes->size[sizes->at++ % NR_SIZES];
}

/* Each bin as often as its weight says, to 1 in NR_SIZES; sizes of a block are at least 8. */
static void sizes_of_program(uint32_t *size, const struct size_histogram *h, size_t cap)
{
	uint64_t total = 0, below = 0;
	unsigned int n = 0;

	for (unsigned int i = 0; i < h->nr; i++)
		if (h->bin[i].size <= cap)
			total += h->bin[i].weight;
	if (!total)
		bench_die("a histogram has no size that is small enough for the set");
	for (unsigned int i = 0; i < h->nr; i++) {
		if (h->bin[i].size > cap)
			continue;
		below += h->bin[i].weight;
		for (; n < below * NR_SIZES / total; n++)
			size[n] = h->bin[i].size < 8 ? 8 : h->bin[i].size;
	}
}

static void sizes_prepare(struct sizes *sizes, enum distribution from, size_t cap)
{
	uint64_t seed = 0xa0761d6478bd642f, total = 0;
	uint32_t *size = bench_table(NR_SIZES * sizeof(*size));

	if (from < UNIFORM)
		sizes_of_program(size, &size_histograms[from], cap);
	for (unsigned int i = 0; from >= UNIFORM && i < NR_SIZES; i++)
		do {
			size[i] = (uint32_t)(from == LOG ? rnd_size(&seed, 3, 15) :
					     16 + rnd_below(&seed, 1009));
		} while (size[i] > cap);
	shuffle(size, NR_SIZES, &seed);
	for (unsigned int i = 0; i < NR_SIZES; i++)
		total += size[i];
	*sizes = (struct sizes){ .size = size, .mean = (double)total / NR_SIZES };
}

static inline void replace(struct block *b, struct sizes *sizes, uint64_t tag)
{
	block_drop(b);
	block_new_touched(b, next_size(sizes), tag);
}

static void set_fill(struct block *set, unsigned int nr, struct sizes *sizes)
{
	for (unsigned int i = 0; i < nr; i++)
		block_new_touched(&set[i], next_size(sizes), i);
}

/* How many blocks; as large as the row says but where --scale cut the iterations. */
static unsigned int set_count(const struct set_row *row, uint64_t iterations, double mean)
{
	double bytes = row->bytes;

	if (row->bytes >= TIMED_FILL && iterations < row->iterations)
		bytes *= (double)iterations / row->iterations;
	return bytes < mean ? 1 : (unsigned int)(bytes / mean);
}

static void working_set(struct bench_state *state)
{
	const struct set_row *row = bench_data(state);
	uint64_t seed = 0x9e3779b97f4a7c15, n = bench_iterations(state), left;
	bool timed = row->bytes >= TIMED_FILL;
	struct sizes sizes;
	struct block *set;
	unsigned int nr;

	sizes_prepare(&sizes, row->from, row->bytes / 8);
	nr = set_count(row, n, sizes.mean);
	set = bench_table_resident(nr * sizeof(*set));
	if (!timed) {
		set_fill(set, nr, &sizes);
		for (unsigned int i = 0; i < nr; i++)
			replace(&set[rnd_below(&seed, nr)], &sizes, i);
	}
	left = bench_begin(state);
	if (left && timed)
		set_fill(set, nr, &sizes);
	for (; left; left--)
		replace(&set[rnd_below(&seed, nr)], &sizes, left);
	if (timed)
		drop_all(set, nr);
	bench_end(state);
	if (!timed)
		drop_all(set, nr);
	bench_set_items(state, timed ? n + nr : n);
}

static void register_set(const struct set_row *row)
{
	static const struct {
		unsigned int bytes;
		const char *name;
	} units[] = { { 1000000000, "GB" }, { 1000000, "MB" }, { 1000, "kB" } };
	const char *from = row->from == UNIFORM ? "uniform" : row->from == LOG ? "log" :
			   size_histograms[row->from].name;
	unsigned int u = 0;
	char name[64];

	while (row->bytes < units[u].bytes)
		u++;
	snprintf(name, sizeof(name), "BM_set/%s/%u%s", from, row->bytes / units[u].bytes,
		 units[u].name);
	micro_row(name, working_set, row, row->iterations);
}

void register_sets(void)
{
	static const struct set_row rows[] = {
		{ UNIFORM, 10000, 1500000 }, { UNIFORM, 100000, 1500000 },
		{ UNIFORM, 1000000, 1500000 }, { UNIFORM, 10000000, 800000 },
		{ UNIFORM, 100000000, 800000 },
		{ LOG, 10000, 1500000 }, { LOG, 100000, 1000000 }, { LOG, 1000000, 800000 },
		{ LOG, 10000000, 500000 }, { LOG, 100000000, 300000 }, { LOG, 1000000000, 800000 },
		{ COMPILER, 100000, 1000000 }, { COMPILER, 10000000, 800000 },
		{ COMPILER, 100000000, 800000 },
		{ INTERPRETER, 100000, 1000000 }, { INTERPRETER, 10000000, 800000 },
		{ DATABASE, 100000, 1000000 }, { DATABASE, 10000000, 500000 },
		{ SERVER, 100000, 1000000 }, { SERVER, 10000000, 800000 },
		{ SERVER, 100000000, 500000 },
		{ XML, 100000, 1000000 }, { XML, 10000000, 800000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		register_set(&rows[i]);
}

/* calloc */

/* Make the whole of a small block dirty, and a word of each page of a large one. */
static inline void make_dirty(struct block *b)
{
	if (b->size <= 512) {
		memset(b->p, (int)b->tag | 1, b->size);
	} else {
		touch_pages(b->p, TOUCH_STEP, b->size, b->tag | 1);
		put_word(b->p + b->size / 2, b->tag | 1);
	}
	mark(b->p, b->size, b->tag);
}

static inline void block_new_zeroed(struct block *b, size_t size, uint64_t tag)
{
	char *p = must(calloc(1, size));

	if (get_word(p) | get_word(p + size / 2) | get_word(p + size - sizeof(tag)))
		bench_die("a block from calloc is not zero");
	*b = (struct block){ .p = p, .size = size, .tag = tag };
	make_dirty(b);
}

static void calloc_fresh(struct bench_state *state)
{
	size_t size = (size_t)bench_arg(state, 0), nr = bench_iterations(state);
	struct block *set = bench_table_resident(nr * sizeof(*set));
	uint64_t i = 0;

	BENCH_LOOP(state) {
		block_new_zeroed(&set[i], size, i);
		i++;
	}
	drop_all(set, nr);
	bench_set_items(state, nr);
	bench_set_bytes(state, nr * size);
}

/* So many dirty blocks that they are 1 MiB together, but at least 8 and at most 1024. */
static unsigned int calloc_live(size_t size)
{
	size_t nr = MIB / size;

	return nr < 8 ? 8 : nr > 1024 ? 1024 : (unsigned int)nr;
}

static void calloc_reused(struct bench_state *state)
{
	size_t size = (size_t)bench_arg(state, 0);
	unsigned int nr = calloc_live(size);
	struct block *set = bench_table(nr * sizeof(*set));
	uint64_t seed = 0x853c49e6748fea9b, tag = 0;

	for (unsigned int i = 0; i < nr; i++) {
		block_new(&set[i], size, i);
		make_dirty(&set[i]);
	}
	BENCH_LOOP(state) {
		struct block *b = &set[rnd_below(&seed, nr)];

		block_drop(b);
		block_new_zeroed(b, size, tag++);
	}
	drop_all(set, nr);
	bench_set_items(state, bench_iterations(state));
	bench_set_bytes(state, bench_iterations(state) * size);
}

void register_calloc(void)
{
	static const struct micro_size fresh[] = {
		{ 64, 500000 }, { 4096, 16384 }, { 65536, 1024 }, { 1048576, 64 },
	};
	static const struct micro_size reused[] = {
		{ 64, 1500000 }, { 4096, 400000 }, { 65536, 8000 }, { 1048576, 300 },
	};

	micro_rows("BM_calloc/fresh", calloc_fresh, fresh, ARRAY_SIZE(fresh));
	micro_rows("BM_calloc/reused", calloc_reused, reused, ARRAY_SIZE(reused));
}

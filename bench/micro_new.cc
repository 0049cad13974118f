// SPDX-License-Identifier: MIT
/*
 * micro_new.cc - bench-micro: operator new and delete, and containers
 *
 *	BM_new/sized/SIZE	the pair, with the delete that is told the size
 *	BM_new/unsized/SIZE	the pair, with the delete that is not
 *	BM_new/array		new[] and delete[] of 25 words
 *	BM_new/aligned		the pair for a type of 192 bytes that is aligned to 64
 *	BM_new/containers	a map from numbers to strings, a list and vectors, as a program
 *				uses them; an item is one insertion and one removal
 *
 * The operators are called as functions in the first two: a compiler may leave out
 * a new-expression, but not a call.
 */
#include "micro.h"

#include <list>
#include <map>
#include <new>
#include <string>
#include <vector>

namespace {

template <bool sized>
void new_pair(struct bench_state *state)
{
	size_t size = static_cast<size_t>(bench_arg(state, 0));
	uint64_t tag = 0;

	BENCH_LOOP(state) {
		char *p = static_cast<char *>(::operator new(size));

		mark(p, size, ++tag);
		bench_keep(p);
		check(p, size, tag);
		if (sized)
			::operator delete(p, size);
		else
			::operator delete(p);
	}
	bench_set_items(state, bench_iterations(state));
}

void new_array(struct bench_state *state)
{
	constexpr size_t nr = 25;
	uint64_t tag = 0;

	BENCH_LOOP(state) {
		uint64_t *words = new uint64_t[nr];

		mark(reinterpret_cast<char *>(words), nr * sizeof(*words), ++tag);
		bench_keep(words);
		check(reinterpret_cast<char *>(words), nr * sizeof(*words), tag);
		delete[] words;
	}
	bench_set_items(state, bench_iterations(state));
}

struct alignas(CACHELINE) aligned_record {
	char text[192];
};

void new_aligned(struct bench_state *state)
{
	uint64_t tag = 0;

	BENCH_LOOP(state) {
		aligned_record *record = new aligned_record;

		if (reinterpret_cast<uintptr_t>(record) % CACHELINE)
			bench_die("operator new: not aligned");
		mark(record->text, sizeof(*record), ++tag);
		bench_keep(record);
		check(record->text, sizeof(*record), tag);
		delete record;
	}
	bench_set_items(state, bench_iterations(state));
}

/* A cache of some 5000 values by key, a queue, and an index that is built anew now and then. */
class containers_program {
public:
	void step(uint64_t *seed)
	{
		uint64_t key = rnd_below(seed, nr_keys);
		auto at = values.find(key);

		if (at == values.end()) {
			values.emplace(key, std::string(8 + rnd_below(seed, 120), letter(key)));
		} else {
			if (at->second.front() != letter(key) || at->second.back() != letter(key))
				bench_die("a string does not hold what was written to it");
			queue.push_back(std::move(at->second));
			values.erase(at);
		}
		if (queue.size() > nr_queued)
			queue.pop_front();
		if (++steps % steps_of_index == 0)
			build_index();
	}

private:
	static constexpr unsigned int nr_keys = 10000, nr_queued = 500, steps_of_index = 1000;

	std::map<uint64_t, std::string> values;
	std::list<std::string> queue;
	std::vector<std::vector<uint32_t>> index;
	uint64_t steps = 0;

	static char letter(uint64_t key)
	{
		return static_cast<char>('a' + key % 26);
	}

	void build_index()
	{
		index.assign(32, {});
		for (const std::string &text : queue)
			index[text.size() % 32].push_back(static_cast<uint32_t>(text.size()));
	}
};

void new_containers(struct bench_state *state)
{
	uint64_t seed = 0xc2b2ae3d27d4eb4f;
	uint64_t left = bench_begin(state);

	{	/* What lives at the end is freed within the clock. */
		containers_program program;

		for (; left; left--)
			program.step(&seed);
	}
	bench_end(state);
	/* every second step inserts and every second one removes */
	bench_set_items(state, (bench_iterations(state) + 1) / 2);
}

} // namespace

void register_new()
{
	static const struct micro_size sizes[] = {
		{ 16, 2000000 }, { 64, 2000000 }, { 256, 2000000 },
	};

	micro_rows("BM_new/sized", new_pair<true>, sizes, ARRAY_SIZE(sizes));
	micro_rows("BM_new/unsized", new_pair<false>, sizes, ARRAY_SIZE(sizes));
	micro_row("BM_new/array", new_array, nullptr, 2000000);
	micro_row("BM_new/aligned", new_aligned, nullptr, 500000);
	micro_row("BM_new/containers", new_containers, nullptr, 200000);
}

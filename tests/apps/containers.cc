// SPDX-License-Identifier: MIT
//
// A C++ program of threads, exceptions and containers, to run under the preload:
// every part prints one line that is the same in every run, whatever the
// allocator. With an argument it prints the mapped files whose name holds it.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <exception>
#include <fstream>
#include <functional>
#include <future>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <numeric>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace {

constexpr unsigned threads = 4;

std::uint64_t mix(std::uint64_t sum, std::uint64_t value)
{
	return (sum ^ value) * 0x9e3779b97f4a7c15ULL + (sum >> 29);
}

std::uint64_t hash(const std::string &text)
{
	return std::accumulate(text.begin(), text.end(), std::uint64_t{17},
			       [](std::uint64_t sum, char c) { return mix(sum, c); });
}

std::uint64_t ordered_containers(unsigned seed)
{
	std::minstd_rand rng(seed + 1);
	std::map<std::string, std::vector<int>> map;
	std::set<std::uint64_t> set;
	std::list<std::string> list;

	for (int i = 0; i < 60000; i++) {
		std::string key(1 + rng() % 60, static_cast<char>('a' + rng() % 26));
		key += std::to_string(rng() % 900);
		map[key].push_back(i);
		set.insert(rng() % 20000);
		if (i % 3 == 0)
			map.erase(map.begin());
		if (i % 2 == 0)
			set.erase(set.begin());
		list.push_back(std::move(key));
		if (list.size() > 1000)
			list.pop_front();
	}
	list.sort();
	std::uint64_t sum = set.size();
	for (const auto &[key, values] : map)
		sum = mix(sum, hash(key) + values.size());
	for (const auto &text : list)
		sum = mix(sum, hash(text));
	return sum;
}

std::uint64_t hashed_containers(unsigned seed)
{
	std::minstd_rand rng(seed + 101);
	std::unordered_map<std::uint64_t, std::unique_ptr<std::string>> map;
	std::deque<std::vector<char>> queue;
	std::uint64_t sum = 0;

	for (int i = 0; i < 80000; i++) {
		map[rng() % 9000] = std::make_unique<std::string>(rng() % 300, 'x');
		queue.emplace_back(rng() % 9000, static_cast<char>(i));
		if (queue.size() > 200) {
			const auto &front = queue.front();
			sum = mix(sum, front.size() + (front.empty() ? 0 : front.back()));
			queue.pop_front();
		}
		if (i % 5 == 0)
			map.erase(rng() % 9000);
	}
	for (std::uint64_t key = 0; key < 9000; key++) {
		auto found = map.find(key);
		if (found != map.end())
			sum = mix(sum, key * 1000 + found->second->size());
	}
	return sum;
}

// An exception that owns memory; thrown deep, nested on the way up.
struct failure : std::runtime_error {
	std::vector<std::string> trail;

	explicit failure(const std::string &what) : std::runtime_error(what), trail(20, what) {}
};

int descend(int depth, int seed)
{
	std::vector<std::string> locals(depth % 7 + 1, std::string(depth * 11 + 1, 'l'));

	if (depth == 0)
		throw failure("bottom " + std::to_string(seed));
	try {
		return descend(depth - 1, seed) + static_cast<int>(locals.size());
	} catch (...) {
		if (depth % 8 == 0)
			std::throw_with_nested(failure("level " + std::to_string(depth)));
		throw;
	}
}

std::uint64_t unwind(const std::exception &e)
{
	std::uint64_t sum = hash(e.what());

	if (const auto *f = dynamic_cast<const failure *>(&e))
		sum = mix(sum, f->trail.size());
	try {
		std::rethrow_if_nested(e);
	} catch (const std::exception &inner) {
		sum = mix(sum, unwind(inner));
	}
	return sum;
}

std::uint64_t exceptions(unsigned seed)
{
	std::uint64_t sum = 0;

	for (int i = 0; i < 400; i++) {
		try {
			descend(i % 40, static_cast<int>(seed) * 1000 + i);
		} catch (const std::exception &e) {
			sum = mix(sum, unwind(e));
		}
	}
	return sum;
}

struct alignas(64) line {
	unsigned char bytes[64];
};

struct alignas(4096) page {
	unsigned char bytes[4096];
};

std::uint64_t aligned_objects(unsigned seed)
{
	std::minstd_rand rng(seed + 7);
	std::vector<std::unique_ptr<page>> pages;
	std::vector<line> lines;
	std::uint64_t sum = 0;

	for (int i = 0; i < 3000; i++) {
		lines.push_back(line{});
		sum += reinterpret_cast<std::uintptr_t>(lines.data()) % alignof(line);
		pages.push_back(std::make_unique<page>());
		sum += reinterpret_cast<std::uintptr_t>(pages.back().get()) % alignof(page);
		if (pages.size() > 64)
			pages.erase(pages.begin() + rng() % pages.size());
	}
	return sum;
}

thread_local std::map<int, std::string> per_thread;

// Memory goes from thread to thread: strings made by one, freed by another.
class mailbox {
public:
	void put(std::unique_ptr<std::string> text)
	{
		std::lock_guard<std::mutex> lock(mutex_);
		texts_.push_back(std::move(text));
	}

	std::unique_ptr<std::string> take()
	{
		std::lock_guard<std::mutex> lock(mutex_);
		if (texts_.empty())
			return nullptr;
		auto text = std::move(texts_.front());
		texts_.pop_front();
		return text;
	}

private:
	std::mutex mutex_;
	std::deque<std::unique_ptr<std::string>> texts_;
};

std::uint64_t mail()
{
	constexpr int letters = 40000;
	mailbox boxes[threads];
	std::uint64_t sums[threads] = {};
	std::vector<std::thread> workers;

	for (unsigned t = 0; t < threads; t++)
		workers.emplace_back([&, t] {
			int taken = 0;
			for (int i = 0; i < letters || taken < letters; i++) {
				if (i < letters) {
					boxes[(t + 1) % threads].put(std::make_unique<std::string>(
						i % 500 + 1, static_cast<char>('a' + t)));
					per_thread[i % 100] = std::string(i % 90, 'p');
				} else {
					std::this_thread::yield();
				}
				while (auto text = boxes[t].take()) {
					sums[t] += text->size() * static_cast<unsigned char>((*text)[0]);
					taken++;
				}
			}
		});
	for (auto &worker : workers)
		worker.join();
	return std::accumulate(std::begin(sums), std::end(sums), std::uint64_t{0});
}

// An exception made in one thread, thrown again and freed in another.
std::uint64_t exceptions_across_threads()
{
	std::uint64_t sum = 0;

	for (int i = 0; i < 200; i++) {
		auto result = std::async(std::launch::async, descend, i % 30, i);
		try {
			result.get();
		} catch (const std::exception &e) {
			sum = mix(sum, unwind(e));
		}
	}
	return sum;
}

const char *too_much()
{
	volatile std::size_t size = PTRDIFF_MAX;

	if (::operator new(size, std::nothrow))
		return "nothrow new gave memory";
	try {
		::operator delete(::operator new(size));
		return "new gave memory";
	} catch (const std::bad_alloc &) {
	}
	try {
		std::vector<char> vector(size);
		return "vector gave memory";
	} catch (const std::bad_alloc &) {
	} catch (const std::length_error &) {
	}
	return "refused";
}

std::uint64_t streams(unsigned seed)
{
	std::ostringstream out;
	std::string word;
	std::uint64_t sum = 0;

	for (unsigned i = 0; i < 20000; i++)
		out << "word" << i * (seed + 1) << (i % 10 ? ' ' : '\n');
	std::istringstream in(out.str());
	while (in >> word)
		sum = mix(sum, hash(word));
	return sum;
}

void in_threads(const char *name, const std::function<std::uint64_t(unsigned)> &work)
{
	std::vector<std::future<std::uint64_t>> results;

	for (unsigned t = 0; t < threads; t++)
		results.push_back(std::async(std::launch::async, work, t));
	std::cout << name;
	for (auto &result : results)
		std::cout << ' ' << std::hex << result.get();
	std::cout << std::endl;
}

void short_threads()
{
	std::uint64_t sum = 0;

	for (unsigned i = 0; i < 500; i++) {
		auto text = std::make_unique<std::string>(i, 's');
		std::thread([&sum, moved = std::move(text)]() mutable {
			per_thread[1] = *moved;
			sum += moved->size();
			moved.reset();
		}).join();
	}
	std::cout << "short threads " << std::dec << sum << std::endl;
}

int show_maps(const std::string &name)
{
	std::ifstream maps("/proc/self/maps");
	std::string text;

	while (std::getline(maps, text))
		if (text.find(name) != std::string::npos)
			std::cout << text << '\n';
	return 0;
}

} // namespace

int main(int argc, char **argv)
{
	if (argc > 1)
		return show_maps(argv[1]);
	in_threads("ordered containers", ordered_containers);
	in_threads("hashed containers", hashed_containers);
	in_threads("exceptions", exceptions);
	in_threads("aligned objects", aligned_objects);
	in_threads("streams", streams);
	std::cout << "mail " << std::hex << mail() << std::endl;
	std::cout << "exceptions across threads " << exceptions_across_threads() << std::endl;
	short_threads();
	std::cout << "too much " << too_much() << std::endl;
	return 0;
}

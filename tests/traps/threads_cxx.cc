// SPDX-License-Identifier: MIT
// C++ thread_local objects, whose destructors run before the key destructors
// and free, and exceptions thrown in many threads. Traps C1, C10, C23.
#include "trap.h"

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

struct Holder {
	std::string text = std::string(100, 'x');
	std::vector<std::unique_ptr<std::string>> more;
	std::map<int, std::string> map;

	~Holder()
	{
		// Objects made by destructors, in every size range.
		for (int i = 0; i < 8; i++)
			more.push_back(std::make_unique<std::string>(size_t(10) << i * 2, 'y'));
		CHECK(text[99] == 'x');
		for (auto &s : more)
			CHECK(!s->empty());
	}
};

static thread_local Holder first;
static thread_local std::unique_ptr<Holder> second;

static void use_thread_locals(int seed)
{
	first.text[0] = char('a' + seed % 26);
	second = std::make_unique<Holder>();
	for (int i = 0; i < 20; i++) {
		first.map[i * seed] = std::string(size_t(i) * 10, 'z');
		first.more.push_back(std::make_unique<std::string>(size_t(i + 1), 'w'));
	}
}

static void thread_local_destructors()
{
	size_t before = 0;
	int rounds = trap_long() ? 20000 : 2000;

	for (int i = 0; i < rounds; i++) {
		std::thread a(use_thread_locals, i), b(use_thread_locals, i + 1);

		a.join();
		b.join();
		if (i == 500)
			before = trap_rss();
	}
	CHECK(trap_rss() < before + (4 << 20));
}

static void throw_and_catch(int depth)
{
	std::string local(size_t(depth) * 7 + 1, 'q');

	if (depth == 0)
		throw std::runtime_error(local + std::string(500, 'e'));
	throw_and_catch(depth - 1);
}

static void exceptions_in_threads()
{
	std::vector<std::thread> threads;
	int rounds = trap_long() ? 20000 : 1000;

	for (int t = 0; t < 4; t++)
		threads.emplace_back([rounds] {
			for (int i = 0; i < rounds; i++) {
				try {
					throw_and_catch(i % 20);
				} catch (const std::runtime_error &e) {
					CHECK(std::string(e.what()).size() == 501);
				}
			}
		});
	for (auto &t : threads)
		t.join();
}

// An exception kept alive beyond the thread that threw it.
static void exception_outlives_its_thread()
{
	for (int i = 0; i < 300; i++) {
		std::exception_ptr kept;
		std::thread t([&kept] {
			try {
				throw std::runtime_error(std::string(300, 'k'));
			} catch (...) {
				kept = std::current_exception();
			}
		});

		t.join();
		try {
			std::rethrow_exception(kept);
		} catch (const std::runtime_error &e) {
			CHECK(std::string(e.what()).size() == 300);
		}
	}
}

// Static objects: constructed before main, destroyed after it, allocating in both.
static std::map<int, std::string> before_main = { { 1, std::string(1000, 'a') },
						  { 2, std::string(100000, 'b') } };
static struct Late {
	std::vector<std::string> v = std::vector<std::string>(50, std::string(200, 'l'));

	~Late()
	{
		for (int i = 0; i < 1000; i++)
			v.push_back(std::string(size_t(i), 'm'));
		CHECK(v.size() == 1050);
	}
} late;

static void static_objects()
{
	CHECK(before_main[2].size() == 100000 && late.v.size() == 50);
	use_thread_locals(3);
	// Destructors run in exit().
}

static const struct trap_case cases[] = {
	{ .name = "thread_local objects allocate and free in their destructors",
	  .run = thread_local_destructors },
	{ .name = "exceptions in four threads", .run = exceptions_in_threads },
	{ .name = "an exception outlives its thread", .run = exception_outlives_its_thread },
	{ .name = "static objects allocate before and after main", .run = static_objects },
};

TRAP_MAIN(cases)

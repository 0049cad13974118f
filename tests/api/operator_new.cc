// SPDX-License-Identifier: MIT
// operator new and delete in every form: contents, alignment, the new_handler,
// bad_alloc, nothrow, and programs that live with bad_alloc. Trap C45.
#include "../traps/trap.h"

#include <atomic>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using std::align_val_t;
using std::nothrow;
using std::size_t;

struct Form {
	const char *name;
	void *(*make)(size_t n, size_t align);
	void (*drop)(void *p, size_t n, size_t align);
	bool throws;
	bool aligned;
};

// Called through a table, so that no compiler leaves a pair out.
#define AV align_val_t(a)
static const Form forms[] = {
	{ "new, delete", [](size_t n, size_t) { return ::operator new(n); },
	  [](void *p, size_t, size_t) { ::operator delete(p); }, true, false },
	{ "new, sized delete", [](size_t n, size_t) { return ::operator new(n); },
	  [](void *p, size_t n, size_t) { ::operator delete(p, n); }, true, false },
	{ "new[], delete[]", [](size_t n, size_t) { return ::operator new[](n); },
	  [](void *p, size_t, size_t) { ::operator delete[](p); }, true, false },
	{ "new[], sized delete[]", [](size_t n, size_t) { return ::operator new[](n); },
	  [](void *p, size_t n, size_t) { ::operator delete[](p, n); }, true, false },
	{ "nothrow new, nothrow delete",
	  [](size_t n, size_t) { return ::operator new(n, nothrow); },
	  [](void *p, size_t, size_t) { ::operator delete(p, nothrow); }, false, false },
	{ "nothrow new[], nothrow delete[]",
	  [](size_t n, size_t) { return ::operator new[](n, nothrow); },
	  [](void *p, size_t, size_t) { ::operator delete[](p, nothrow); }, false, false },
	{ "aligned new, aligned delete", [](size_t n, size_t a) { return ::operator new(n, AV); },
	  [](void *p, size_t, size_t a) { ::operator delete(p, AV); }, true, true },
	{ "aligned new, sized aligned delete",
	  [](size_t n, size_t a) { return ::operator new(n, AV); },
	  [](void *p, size_t n, size_t a) { ::operator delete(p, n, AV); }, true, true },
	{ "aligned new[], aligned delete[]",
	  [](size_t n, size_t a) { return ::operator new[](n, AV); },
	  [](void *p, size_t, size_t a) { ::operator delete[](p, AV); }, true, true },
	{ "aligned new[], sized aligned delete[]",
	  [](size_t n, size_t a) { return ::operator new[](n, AV); },
	  [](void *p, size_t n, size_t a) { ::operator delete[](p, n, AV); }, true, true },
	{ "aligned nothrow new, aligned nothrow delete",
	  [](size_t n, size_t a) { return ::operator new(n, AV, nothrow); },
	  [](void *p, size_t, size_t a) { ::operator delete(p, AV, nothrow); }, false, true },
	{ "aligned nothrow new[], aligned nothrow delete[]",
	  [](size_t n, size_t a) { return ::operator new[](n, AV, nothrow); },
	  [](void *p, size_t, size_t a) { ::operator delete[](p, AV, nothrow); }, false, true },
};

static void every_form()
{
	static const size_t sizes[] = { 0, 1, 8, 9, 24, 100, 5000, 100000, 131073, 3 << 20 };

	for (const Form &f : forms)
		for (size_t n : sizes)
			for (size_t a = 16; a <= (f.aligned ? 65536u : 16u); a *= 2) {
				void *p = f.make(n, a), *q = f.make(n, a);

				CHECK(p && q && p != q);
				if (f.aligned || n > 8)
					CHECK((uintptr_t(p) | uintptr_t(q)) % a == 0);
				block_fill(p, n, 1);
				block_fill(q, n, 2);
				CHECK(block_intact(p, n, n, 1) && block_intact(q, n, n, 2));
				f.drop(p, n, a);
				f.drop(q, n, a);
				errno = 1234;
				f.drop(nullptr, n, a);
				CHECK(errno == 1234);
			}
}

// Blocks of new are blocks of malloc, as libraries in C and C++ share them.
static void new_and_malloc_are_one_heap()
{
	void *p = ::operator new(100);

	CHECK(malloc_usable_size(p) >= 100);
	p = realloc(p, 5000);
	CHECK(p);
	::operator delete(p);
}

static std::atomic<int> handler_calls;
static int handler_limit;

static void counting_handler()
{
	if (++handler_calls == handler_limit)
		std::set_new_handler(nullptr);
}

static void throwing_handler()
{
	handler_calls++;
	throw std::bad_alloc();
}

struct OwnError : std::bad_alloc {
	const char *what() const noexcept override
	{
		return "own error";
	}
};

static void own_throwing_handler()
{
	throw OwnError();
}

static const size_t impossible[] = { size_t(PTRDIFF_MAX), size_t(PTRDIFF_MAX) + 1,
				     SIZE_MAX - 4096, SIZE_MAX - 15, SIZE_MAX,
				     size_t(1) << 60 };

// Whether the form failed in its own way: bad_alloc or nullptr.
static bool fails(const Form &f, size_t n, size_t a)
{
	try {
		void *p = f.make(n, a);

		CHECK(!p);
		return !f.throws;
	} catch (const std::bad_alloc &) {
		return f.throws;
	}
}

static void impossible_sizes_fail()
{
	for (const Form &f : forms)
		for (size_t n : impossible) {
			std::set_new_handler(nullptr);
			if (!fails(f, n, 64)) {
				trap_note("%s of %#zx did not fail as it should\n", f.name, n);
				_exit(1);
			}
			CHECK(fails(f, n, 16));
		}
}

static void handler_runs_until_it_is_taken_away()
{
	for (const Form &f : forms)
		for (int limit = 1; limit < 6; limit++) {
			handler_calls = 0;
			handler_limit = limit;
			std::set_new_handler(counting_handler);
			CHECK(fails(f, SIZE_MAX / 2 - 100, 64));
			if (handler_calls != limit) {
				trap_note("%s called the handler %d times, not %d\n", f.name,
					  handler_calls.load(), limit);
				_exit(1);
			}
			CHECK(std::get_new_handler() == nullptr);
		}
}

static void handler_that_throws()
{
	for (const Form &f : forms) {
		handler_calls = 0;
		std::set_new_handler(throwing_handler);
		CHECK(fails(f, SIZE_MAX / 2 - 100, 64));
		CHECK(handler_calls == 1);
	}
}

static void exceptions_of_the_handler_pass()
{
	std::set_new_handler(own_throwing_handler);
	for (const Form &f : forms) {
		bool caught = false;

		try {
			CHECK(!f.make(SIZE_MAX / 2 - 100, 64));
		} catch (const OwnError &e) {
			caught = strcmp(e.what(), "own error") == 0;
		}
		CHECK(caught == f.throws);
	}
}

static void limit_address_space(size_t to)
{
	struct rlimit rl = { to, to };

	CHECK(setrlimit(RLIMIT_AS, &rl) == 0);
}

static void *reserve;

static void release_reserve()
{
	handler_calls++;
	free(reserve);
	reserve = nullptr;
	std::set_new_handler(nullptr);
}

static void handler_frees_and_new_succeeds()
{
	limit_address_space(size_t(300) << 20);
	for (const Form &f : forms) {
		void *p;

		handler_calls = 0;
		reserve = malloc(200 << 20);
		CHECK(reserve);
		std::set_new_handler(release_reserve);
		p = f.make(150 << 20, 64);
		CHECK(p && handler_calls == 1);
		f.drop(p, 150 << 20, 64);
		malloc_trim(0);
	}
}

static void full_memory_gives_bad_alloc()
{
	struct Node {
		Node *next;
		char pad[1000];
	} *list = nullptr;
	size_t nr = 0;

	limit_address_space(size_t(100) << 20);
	for (int round = 0; round < 3; round++) {
		bool caught = false;

		try {
			for (;;) {
				list = new Node { list, {} };
				nr++;
			}
		} catch (const std::bad_alloc &) {
			caught = true;
			CHECK(new (nothrow) char[64 << 20] == nullptr);
		}
		CHECK(caught && nr > 30000);
		while (list) {
			Node *next = list->next;

			delete list;
			list = next;
		}
		nr = 0;
	}
}

static void bad_array_new_length()
{
	volatile size_t n = SIZE_MAX / 4;
	bool caught = false;

	try {
		void *volatile p = new long[n];

		CHECK(!p);
	} catch (const std::bad_array_new_length &) {
		caught = true;
	} catch (const std::bad_alloc &) {
		caught = true;
	}
	CHECK(caught);
}

// Containers grow until memory is full, in four threads, and go on afterwards.
static void containers_at_the_limit()
{
	std::vector<std::thread> threads;
	std::atomic<int> caught { 0 };

	limit_address_space(size_t(400) << 20);
	for (int t = 0; t < 4; t++)
		threads.emplace_back([&caught, t] {
			for (int round = 0; round < 3; round++) {
				std::vector<std::string> strings;
				std::map<int, std::string> map;
				std::list<std::vector<int>> lists;

				try {
					for (int i = 0;; i++) {
						strings.emplace_back(size_t(i % 3000), 'x');
						map[i * (t + 1)] = std::string(200, 'm');
						lists.emplace_back(size_t(i % 500), i);
					}
				} catch (const std::bad_alloc &) {
					caught++;
				}
				CHECK(strings.size() > 10);
				for (size_t i = 0; i < strings.size(); i++)
					CHECK(strings[i].size() == i % 3000);
			}
		});
	for (auto &t : threads)
		t.join();
	CHECK(caught == 12);
}

struct Aligned {
	alignas(256) char data[300];
};

static void containers_of_aligned_objects()
{
	std::vector<Aligned> v;

	for (int i = 0; i < 500; i++) {
		v.emplace_back();
		CHECK(uintptr_t(&v.back()) % 256 == 0);
		auto one = std::make_unique<Aligned>();
		auto many = std::make_unique<Aligned[]>(size_t(i % 7 + 1));

		CHECK(uintptr_t(one.get()) % 256 == 0 && uintptr_t(many.get()) % 256 == 0);
	}
}

static const struct trap_case cases[] = {
	{ .name = "every form gives memory that can be used", .run = every_form },
	{ .name = "new and malloc are one heap", .run = new_and_malloc_are_one_heap },
	{ .name = "impossible sizes: bad_alloc, or nullptr where nothrow",
	  .run = impossible_sizes_fail, .ours = true },
	{ .name = "the new_handler runs until it is taken away",
	  .run = handler_runs_until_it_is_taken_away },
	{ .name = "a new_handler that throws bad_alloc ends it", .run = handler_that_throws },
	{ .name = "another exception of the new_handler passes through",
	  .run = exceptions_of_the_handler_pass },
	{ .name = "new succeeds after the new_handler has freed",
	  .run = handler_frees_and_new_succeeds },
	{ .name = "full memory gives bad_alloc again and again",
	  .run = full_memory_gives_bad_alloc },
	{ .name = "an impossible array length throws", .run = bad_array_new_length },
	{ .name = "containers in four threads meet the limit and go on",
	  .run = containers_at_the_limit },
	{ .name = "containers of aligned objects", .run = containers_of_aligned_objects },
};

TRAP_MAIN(cases)

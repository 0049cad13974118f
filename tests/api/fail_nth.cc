// SPDX-License-Identifier: MIT
// fail_nth = 1, 2, 3, ... over malloc and its family, what libc makes with them, and operator new:
// NULL with ENOMEM or what else is documented, the old block intact, nothing lost.
#include "../traps/trap.h"
#include "../kapi/fail_nth.h"

#include <new>
#include <string>
#include <vector>

using std::align_val_t;
using std::nothrow;

static const size_t sizes[] = { 0, 1, 24, 1000, 5000, 20000, 131072, 131073, 1 << 20, 5 << 20 };

enum { NR_SIZES = sizeof(sizes) / sizeof(sizes[0]) };

static bool try_malloc(void *p, size_t n)
{
	p = opaque(p);
	if (failed(p))
		return true;
	memset(p, 0x5a, n < 5000 ? n : 5000);
	if (n)
		((unsigned char *)p)[n - 1] = 0x5a;
	free(p);
	return false;
}

static bool run_malloc(void)
{
	bool any = false;

	for (size_t n : sizes) {
		any |= try_malloc(malloc(n), n);
		any |= try_malloc(calloc(1, n), n);
		any |= try_malloc(realloc(NULL, n), n);
		any |= try_malloc(reallocarray(NULL, n, 1), n);
		any |= try_malloc(aligned_alloc(64, n), n);
		any |= try_malloc(memalign(4096, n), n);
		any |= try_malloc(memalign(2 << 20, n), n);
		any |= try_malloc(valloc(n), n);
		any |= try_malloc(pvalloc(n), n);
	}
	return any;
}

static void malloc_family(void)
{
	walk(run_malloc, NR_SIZES * 9);
}

static bool run_posix_memalign(void)
{
	bool any = false;

	for (size_t n : sizes) {
		void *const mark = &any;
		void *p = mark;
		int err;

		errno = 1234;
		err = posix_memalign(&p, 256, n);
		CHECK(errno == 1234);
		CHECK(err == 0 || (err == ENOMEM && p == mark));
		if (!err)
			free(p);
		any |= err != 0;
	}
	errno = 0;
	return any;
}

static void posix_memalign_returns_ENOMEM(void)
{
	walk(run_posix_memalign, NR_SIZES);
}

static bool run_calloc(void)
{
	bool any = false;

	for (size_t n : sizes) {
		unsigned char *p = (unsigned char *)opaque(calloc(n, 1));

		if (failed(p)) {
			any = true;
			continue;
		}
		for (size_t i = 0; i < n; i++)
			CHECK(!p[i]);
		free(p);
	}
	return any;
}

static void calloc_clears(void)
{
	walk(run_calloc, NR_SIZES);
}

static bool run_realloc(void)
{
	static const size_t steps[] = { 10, 100, 5000, 100000, 300000, 3 << 20, 20 << 20, 9 << 20,
					100000, 300, 10 };
	char *p = NULL;
	size_t size = 0;
	bool any = false;

	for (size_t n : steps) {
		char *q = (char *)realloc(p, n);

		if (!q) {
			CHECK(errno == ENOMEM);
			CHECK(n > size);	/* shrinking never fails */
			CHECK(block_intact(p, size, size, 7));
			any = true;
			continue;
		}
		CHECK(!size || block_intact(q, size, size < n ? size : n, 7));
		p = q;
		size = n;
		block_fill(p, size, 7);
	}
	free(p);
	return any;
}

/* Shrinking has candidates too, whose failure nobody sees. */
static void realloc_keeps_the_block(void)
{
	walk_absorbing(run_realloc, 7);
}

/* ---- libc ---- */

static const char text[] = "a text that is longer than the shortest of strings";

static bool run_strdup(void)
{
	bool any = try_malloc(strdup(text), 10);

	return try_malloc(strndup(text, 20), 10) || any;
}

static bool run_asprintf(void)
{
	bool any = false;
	char *p = NULL;
	int n;

	n = asprintf(&p, "%s %d %300s", text, 5, "");
	CHECK(n == (int)strlen(text) + 303 || n == -1);
	any |= n < 0;
	if (n >= 0)
		free(p);
	errno = 0;
	p = realpath("/proc/self", NULL);
	any |= !p;
	free(p);
	return any;
}

static bool run_stdio(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char *line = NULL;
	size_t room = 0;
	bool any;

	if (failed(f))
		return true;
	any = getline(&line, &room, f) < 0;
	free(line);
	fclose(f);
	return any;
}

static bool run_memstream(void)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	bool any = !f;

	if (f) {
		for (int i = 0; i < 2000; i++)
			any |= fprintf(f, "line %d\n", i) < 0;
		any |= fclose(f) != 0;
		CHECK(any || (n == 18890 && strlen(text) == n));
		free(text);
	}
	return any;
}

static void libc_functions(void)
{
	walk(run_strdup, 2);
	/* it may keep a block that it cannot shrink; a stream without a buffer reads bytes */
	walk_absorbing(run_asprintf, 2);
	walk_absorbing(run_stdio, 3);
	walk_absorbing(run_memstream, 3);
}

/* ---- C++ ---- */

template <typename Make, typename Drop> static bool try_new(Make make, Drop drop)
{
	void *p;

	try {
		p = opaque(make());
	} catch (const std::bad_alloc &) {
		return true;
	}
	if (!p)
		return true;
	drop(p);
	return false;
}

static bool run_new(void)
{
	constexpr align_val_t al{ 64 };
	bool any = false;

	for (size_t n : sizes) {
		any |= try_new([&] { return operator new(n); }, [](void *p) { operator delete(p); });
		any |= try_new([&] { return operator new[](n); },
			       [](void *p) { operator delete[](p); });
		any |= try_new([&] { return operator new(n, nothrow); },
			       [](void *p) { operator delete(p, nothrow); });
		any |= try_new([&] { return operator new[](n, nothrow); },
			       [](void *p) { operator delete[](p, nothrow); });
		any |= try_new([&] { return operator new(n, al); },
			       [&](void *p) { operator delete(p, al); });
		any |= try_new([&] { return operator new[](n, al, nothrow); },
			       [&](void *p) { operator delete[](p, al, nothrow); });
	}
	return any;
}

static void operator_new_throws_or_not(void)
{
	walk(run_new, NR_SIZES * 6);
}

static bool run_containers(void)
{
	try {
		std::vector<std::string> v;

		for (int i = 0; i < 50; i++)
			v.push_back(std::string(100, 'x') + std::to_string(i));
		CHECK(v.size() == 50 && v[49].size() == 102);
	} catch (const std::bad_alloc &) {
		return true;
	}
	return false;
}

static void containers_throw_and_lose_nothing(void)
{
	walk(run_containers, 50);
}

static unsigned int handled;

static bool run_handler(void)
{
	void *p;

	std::set_new_handler([] { handled++; });
	p = operator new(100);
	CHECK(p);
	operator delete(p);
	std::set_new_handler(nullptr);
	return false;
}

/* The handler made room: the second try has it. */
static void the_new_handler_is_asked(void)
{
	walk_absorbing(run_handler, 1);
	CHECK(handled == 2);
}

/* ---- under a rate ---- */

static void *churn_thread(void *arg)
{
	static struct churn churns[4];
	struct churn *c = &churns[(uintptr_t)arg];

	churn_start(c, (uintptr_t)arg + 1);
	for (int i = 0; i < 20000; i++)
		churn_step_may(c, true);
	for (auto &b : c->block)
		free(b.p);
	return NULL;
}

/* A tenth of all objects and pages, in four threads: what is given is right. */
static void a_tenth_fails(void)
{
	pthread_t t[4];

	for (uintptr_t i = 0; i < 4; i++)
		while (pthread_create(&t[i], NULL, churn_thread, (void *)i) != 0)
			;
	for (pthread_t &one : t)
		CHECK(pthread_join(one, NULL) == 0);
}

#define RATE	"fail_verbose=0 failslab.ignore-gfp-wait=N fail_page_alloc.ignore-gfp-wait=N " \
		"fail_page_alloc.min-order=0 failslab=1,10,0,-1 fail_page_alloc=1,10,0,-1 fail_seed=5"

static struct trap_case one(const char *name, void (*run)(void), const char *options)
{
	struct trap_case tc = {};

	tc.name = name;
	tc.run = run;
	tc.options = options;
	tc.err = "";
	tc.ours = true;
	return tc;
}

#define QUIET	"fail_verbose=0"

static const struct trap_case cases[] = {
	one("malloc, calloc, realloc and aligned ones", malloc_family, QUIET),
	one("posix_memalign returns ENOMEM, errno and pointer as they were",
	    posix_memalign_returns_ENOMEM, QUIET),
	one("calloc clears what it gives", calloc_clears, QUIET),
	one("realloc keeps the block that it cannot grow", realloc_keeps_the_block, QUIET),
	one("strdup, asprintf, realpath, fopen, getline, open_memstream", libc_functions, QUIET),
	one("operator new throws, or gives NULL", operator_new_throws_or_not, QUIET),
	one("containers throw and lose nothing", containers_throw_and_lose_nothing, QUIET),
	one("the new_handler is asked before bad_alloc", the_new_handler_is_asked, QUIET),
	one("a tenth of all fails in four threads", a_tenth_fails, RATE),
};

TRAP_MAIN(cases)

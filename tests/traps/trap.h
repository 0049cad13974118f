/* SPDX-License-Identifier: MIT */
/*
 * trap.h: harness of the trap tests.
 *
 * A trap file is a table of cases and TRAP_MAIN(table). Each case runs in a
 * process of its own, made by fork and exec of the same program, so that it
 * starts with an untouched heap, may die and may hang: main() reads its
 * status and its stderr, kills it when its time is up, and prints TAP.
 *
 * The expectations are those of libkmalloc. With KMALLOC_TEST_ANY set the
 * same programs run under any other malloc, as a check of the tests: cases
 * marked `ours` are skipped then. Without it, a run where malloc is not
 * libkmalloc's is an error and not a pass.
 *
 * KMALLOC_TEST_LONG makes trap_long() true: more rounds, longer limits.
 */
#ifndef TRAP_H
#define TRAP_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <regex.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct trap_case {
	const char *name;	/* what passing proves */
	void (*run)(void);	/* passes by returning */
	const char *options;	/* KMALLOC_OPTIONS for it, or NULL */
	int sig;		/* the signal that has to end it, or 0 */
	const char *err;	/* regex some stderr line must match; "": stderr stays empty */
	int err_lines;		/* how many lines stderr must have when not 0 */
	bool ours;		/* a promise that other mallocs do not make */
	unsigned int seconds;	/* limit when not the usual one */
	const char *gfp;	/* KMALLOC_GFP for it, or NULL */
};

enum {
	TRAP_SKIP_STATUS = 77,
	TRAP_EXPECT_FD = 200,	/* where a case notes what its stderr must contain */
	TRAP_SECONDS = 30,
	TRAP_SECONDS_LONG = 300,
};

static inline bool trap_long(void)
{
	return getenv("KMALLOC_TEST_LONG") != NULL;
}

static inline void trap_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static inline void trap_note(const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(text) - 1)
		n = (int)sizeof(text) - 1;
	if (write(2, text, (size_t)n) != n)
		_exit(2);
}

static inline void __attribute__((noreturn)) trap_fail(const char *file, int line,
						       const char *what)
{
	trap_note("%s:%d: not true: %s (errno %d)\n", file, line, what, errno);
	_exit(1);
}

#define CHECK(cond)                                                    \
	do {                                                           \
		if (!(cond))                                           \
			trap_fail(__FILE__, __LINE__, #cond);          \
	} while (0)

static inline void __attribute__((noreturn)) trap_skip(const char *why)
{
	trap_note("%s", why);
	_exit(TRAP_SKIP_STATUS);
}

/* The case's stderr must contain @text, given as printf does. */
static inline void trap_expect(const char *fmt, ...)
{
	char text[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	CHECK(write(TRAP_EXPECT_FD, text, (size_t)n + 1) == n + 1);
}

/* Hides where a pointer comes from, so that no compiler reasons about misuse. */
static inline void *opaque(void *p)
{
	__asm__ volatile("" : "+r"(p));
	return p;
}

static inline uint64_t trap_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Resident bytes of this process; allocates nothing. */
static inline size_t trap_rss(void)
{
	char buf[128];
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n;
	char *end;

	CHECK(fd >= 0);
	n = read(fd, buf, sizeof(buf) - 1);
	CHECK(n > 0);
	close(fd);
	buf[n] = '\0';
	strtoul(buf, &end, 10);
	return strtoul(end, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

static inline double trap_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* A block's bytes follow from its size and seed at both ends and every 512 bytes. */
static inline void block_fill(void *p, size_t n, unsigned int seed)
{
	unsigned char *b = (unsigned char *)p;
	size_t i;

	for (i = 0; i < n; i += n - i > 32 && i >= 32 ? 512 : 1)
		b[i] = (unsigned char)(seed + i * 7);
	for (i = n > 32 ? n - 32 : 0; i < n; i++)
		b[i] = (unsigned char)(seed + i * 7);
}

/* Are the first @n bytes of a block filled with @seed at size @filled still right? */
static inline bool block_intact(const void *p, size_t filled, size_t n, unsigned int seed)
{
	const unsigned char *b = (const unsigned char *)p;
	size_t i;

	for (i = 0; i < n; i += filled - i > 32 && i >= 32 ? 512 : 1)
		if (b[i] != (unsigned char)(seed + i * 7))
			return false;
	for (i = filled > 32 ? filled - 32 : 0; i < n; i++)
		if (b[i] != (unsigned char)(seed + i * 7))
			return false;
	return true;
}

/*
 * A working set of blocks of every size range with checked contents. One
 * thread or one handler owns it; its table is not on the heap.
 */
enum { CHURN_BLOCKS = 96 };

struct churn {
	uint64_t random;
	size_t max;		/* largest block; 0 means 1 MiB */
	struct {
		void *p;
		size_t n;
		unsigned int seed;
	} block[CHURN_BLOCKS];
};

static inline size_t churn_size(struct churn *c)
{
	uint64_t r = trap_random(&c->random);
	size_t max = c->max ? c->max : 1 << 20;
	size_t n;

	switch (r & 63) {
	case 0:
		n = (r >> 8) % (1 << 20) + 1;
		break;
	case 1 ... 3:
		n = (r >> 8) % (160 << 10) + 1;
		break;
	case 4 ... 15:
		n = (r >> 8) % 8192 + 1;
		break;
	default:
		n = (r >> 8) % 512 + 1;
	}
	return n <= max ? n : n % max + 1;
}

/* One step on one block. A refused allocation is no error where @may_fail. */
static inline void churn_step_may(struct churn *c, bool may_fail)
{
	uint64_t r = trap_random(&c->random);
	unsigned int i = (unsigned int)((r >> 32) % CHURN_BLOCKS);
	void *p = c->block[i].p;
	size_t n = c->block[i].n;
	unsigned int seed = c->block[i].seed;
	size_t size = churn_size(c);
	void *q = NULL;

	if (p) {
		CHECK(block_intact(p, n, n, seed));
		if ((r & 7) != 0) {
			free(p);
			c->block[i].p = NULL;
			return;
		}
		q = realloc(p, size);
		if (!q) {
			CHECK(may_fail);
			return;
		}
		CHECK(block_intact(q, n, n < size ? n : size, seed));
	} else {
		switch (r & 15) {
		case 0: {
			size_t j;

			q = calloc(1, size);
			for (j = 0; q && j < size; j += j < 64 ? 1 : 61)
				if (((unsigned char *)q)[j]) {
					trap_note("calloc of %zu is dirty at %zu\n", size, j);
					_exit(1);
				}
			break;
		}
		case 1:
			q = memalign((size_t)16 << (r >> 8) % 9, size);
			CHECK(!q || (uintptr_t)q % ((size_t)16 << (r >> 8) % 9) == 0);
			break;
		default:
			q = malloc(size);
		}
		if (!q) {
			CHECK(may_fail);
			return;
		}
		CHECK((uintptr_t)q % (size > 8 ? 16 : 8) == 0);
	}
	c->block[i].p = q;
	c->block[i].n = size;
	c->block[i].seed = (unsigned int)(r >> 24);
	block_fill(q, size, c->block[i].seed);
}

static inline void churn_step(struct churn *c)
{
	churn_step_may(c, false);
}

static inline void churn_start(struct churn *c, uint64_t seed)
{
	memset(c, 0, sizeof(*c));
	c->random = seed * 0x9e3779b97f4a7c15u + 0x1234567;
}

static inline void churn_steps(struct churn *c, unsigned int steps)
{
	while (steps--)
		churn_step(c);
}

static inline void churn_finish(struct churn *c)
{
	unsigned int i;

	for (i = 0; i < CHURN_BLOCKS; i++) {
		if (c->block[i].p)
			CHECK(block_intact(c->block[i].p, c->block[i].n, c->block[i].n,
					   c->block[i].seed));
		free(c->block[i].p);
		c->block[i].p = NULL;
	}
}

/* A short complete churn: every size range allocated, checked and freed. */
static inline void churn_once(uint64_t seed, unsigned int steps)
{
	struct churn c;
	unsigned char *p;

	churn_start(&c, seed);
	churn_steps(&c, steps);
	churn_finish(&c);
	p = (unsigned char *)malloc(3 << 20);
	CHECK(p);
	p[0] = p[(3 << 20) - 1] = 1;
	free(p);
}

/* Background threads that churn until told to stop. */
enum { TRAP_MAX_THREADS = 64 };

static struct {
	pthread_t thread[TRAP_MAX_THREADS];
	unsigned int nr;
	int stop;
} trap_churners;

static inline void *trap_churner(void *arg)
{
	struct churn c;

	churn_start(&c, (uint64_t)(uintptr_t)arg + 1);
	c.max = 64 << 10;
	while (!__atomic_load_n(&trap_churners.stop, __ATOMIC_RELAXED))
		churn_steps(&c, 16);
	churn_finish(&c);
	return NULL;
}

static inline void trap_start_churners(unsigned int nr)
{
	for (trap_churners.nr = 0; trap_churners.nr < nr; trap_churners.nr++)
		CHECK(pthread_create(&trap_churners.thread[trap_churners.nr], NULL, trap_churner,
				     (void *)(uintptr_t)trap_churners.nr) == 0);
}

static inline void trap_stop_churners(void)
{
	__atomic_store_n(&trap_churners.stop, 1, __ATOMIC_RELAXED);
	while (trap_churners.nr)
		CHECK(pthread_join(trap_churners.thread[--trap_churners.nr], NULL) == 0);
	__atomic_store_n(&trap_churners.stop, 0, __ATOMIC_RELAXED);
}

/* Waits for a child process and demands that it exited with 0. */
static inline void trap_reap(pid_t pid)
{
	int status;

	CHECK(pid > 0);
	while (waitpid(pid, &status, 0) < 0)
		CHECK(errno == EINTR);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		trap_note("child %d ended with status 0x%x\n", pid, status);
		_exit(1);
	}
}

static inline bool trap_is_kmalloc(void)
{
	Dl_info info;
	void *sym = dlsym(RTLD_DEFAULT, "malloc");

	if (!sym || !dladdr(sym, &info) || !strrchr(info.dli_fname, '/'))
		return false;
	return strstr(strrchr(info.dli_fname, '/'), "libkmalloc") != NULL;
}

/* The rest is the parent's side. */

struct trap_outcome {
	int status;
	bool timed_out;
	char *err;
	char *expect;
	size_t expect_len;
};

static inline char *trap_slurp(int fd, size_t *len)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = (char *)calloc(1, (size_t)size + 1);

	if (!text || pread(fd, text, (size_t)size, 0) != size)
		_exit(99);
	*len = (size_t)size;
	close(fd);
	return text;
}

static inline void __attribute__((noreturn)) trap_exec_case(const struct trap_case *tc,
							     unsigned int nr, int err, int expect)
{
	char number[16];
	char program[] = "/proc/self/exe";
	char flag[] = "--case";
	char *argv[] = { program, flag, number, NULL };
	int null = open("/dev/null", O_RDWR);
	int fd;

	setpgid(0, 0);
	dup2(null, 0);
	dup2(null, 1);
	dup2(expect, TRAP_EXPECT_FD);
	if (tc->options)
		setenv("KMALLOC_OPTIONS", tc->options, 1);
	if (tc->gfp)
		setenv("KMALLOC_GFP", tc->gfp, 1);
	snprintf(number, sizeof(number), "%u", nr);
	dup2(err, 2);
	/* Whoever started us may have left descriptors open. */
	for (fd = 3; fd < TRAP_EXPECT_FD; fd++)
		close(fd);
	execv(program, argv);
	_exit(99);
}

static inline void trap_spawn(const struct trap_case *tc, unsigned int nr, struct trap_outcome *out)
{
	int err = memfd_create("stderr", MFD_CLOEXEC);
	int expect = memfd_create("expect", MFD_CLOEXEC);
	unsigned int limit = tc->seconds ? tc->seconds : (unsigned int)TRAP_SECONDS;
	double end;
	size_t len;
	pid_t pid;

	if (trap_long() && limit < TRAP_SECONDS_LONG)
		limit = TRAP_SECONDS_LONG;
	end = trap_seconds() + limit;
	pid = fork();
	if (pid == 0)
		trap_exec_case(tc, nr, err, expect);
	out->timed_out = false;
	while (waitpid(pid, &out->status, WNOHANG) == 0) {
		struct timespec ms = { 0, 1000000 };

		if (trap_seconds() > end) {
			out->timed_out = true;
			kill(-pid, SIGKILL);
			waitpid(pid, &out->status, 0);
			break;
		}
		nanosleep(&ms, NULL);
	}
	kill(-pid, SIGKILL);
	out->err = trap_slurp(err, &len);
	out->expect = trap_slurp(expect, &out->expect_len);
}

static inline unsigned int trap_count_lines(const char *text)
{
	unsigned int n = 0;

	for (; *text; text++)
		n += *text == '\n' || text[1] == '\0';
	return n;
}

static inline bool trap_some_line_matches(const char *text, const char *pattern)
{
	regex_t re;
	bool found;

	if (regcomp(&re, pattern, REG_EXTENDED | REG_NEWLINE | REG_NOSUB))
		return false;
	found = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	return found;
}

/* Why the case failed, or NULL. */
static inline const char *trap_verdict(const struct trap_case *tc, const struct trap_outcome *out)
{
	size_t at;

	if (out->timed_out)
		return "still running when its time was up";
	if (tc->sig && (!WIFSIGNALED(out->status) || WTERMSIG(out->status) != tc->sig))
		return "did not die from the signal it should";
	if (!tc->sig && (!WIFEXITED(out->status) || WEXITSTATUS(out->status) != 0))
		return "did not exit with 0";
	if (tc->err && tc->err[0] && !trap_some_line_matches(out->err, tc->err))
		return "stderr has no line that matches";
	if (tc->err && !tc->err[0] && out->err[0])
		return "stderr should be empty";
	if (tc->err_lines && trap_count_lines(out->err) != (unsigned int)tc->err_lines)
		return "stderr has another number of lines than it should";
	for (at = 0; at < out->expect_len; at += strlen(out->expect + at) + 1)
		if (!strstr(out->err, out->expect + at))
			return "stderr lacks the text that the case noted";
	return NULL;
}

static inline void trap_explain(const struct trap_case *tc, const struct trap_outcome *out,
				const char *why)
{
	unsigned int lines = trap_count_lines(out->err);
	char *line, *save = NULL;

	printf("#   %s (status 0x%x)\n", why, out->status);
	if (tc->err)
		printf("#   wanted on stderr: %s\n", tc->err);
	if (out->expect_len)
		printf("#   noted by the case: %s\n", out->expect);
	for (line = strtok_r(out->err, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (lines-- <= 20)
			printf("#   stderr: %s\n", line);
}

static inline int trap_main(int argc, char **argv, const struct trap_case *table, unsigned int nr)
{
	bool any = getenv("KMALLOC_TEST_ANY") != NULL;
	unsigned int i, failed = 0;

	if (argc == 3 && strcmp(argv[1], "--case") == 0) {
		table[strtoul(argv[2], NULL, 10)].run();
		return 0;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!any && !trap_is_kmalloc()) {
		printf("Bail out! libkmalloc is not preloaded\n");
		return 99;
	}
	printf("1..%u\n", nr);
	for (i = 0; i < nr; i++) {
		const struct trap_case *tc = &table[i];
		struct trap_outcome out;
		const char *why;
		double start = trap_seconds();

		/* An argument selects cases by name, for a person at work. */
		if (argc == 2 && !strstr(tc->name, argv[1]))
			continue;
		if (tc->ours && !trap_is_kmalloc()) {
			printf("ok %u - %s # SKIP holds for libkmalloc alone\n", i + 1, tc->name);
			continue;
		}
		trap_spawn(tc, i, &out);
		if (getenv("KMALLOC_TEST_TIMES"))
			printf("# %.2f s\n", trap_seconds() - start);
		if (!out.timed_out && WIFEXITED(out.status) &&
		    WEXITSTATUS(out.status) == TRAP_SKIP_STATUS) {
			printf("ok %u - %s # SKIP %s\n", i + 1, tc->name, out.err);
			free(out.err);
			free(out.expect);
			continue;
		}
		why = trap_verdict(tc, &out);
		printf("%sok %u - %s\n", why ? "not " : "", i + 1, tc->name);
		if (why) {
			failed++;
			trap_explain(tc, &out, why);
		}
		free(out.err);
		free(out.expect);
	}
	return failed != 0;
}

#define TRAP_MAIN(table)                                                             \
	int main(int argc, char **argv)                                              \
	{                                                                            \
		return trap_main(argc, argv, table, sizeof(table) / sizeof(table[0])); \
	}

#endif

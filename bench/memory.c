// SPDX-License-Identifier: MIT
/*
 * memory.c - benchmarks: memory as users feel it, and the time beside it
 *
 * The figures are counters, in KiB where their name says so:
 *
 *	rss_before_kib	RSS before the row, as rss_after_kib
 *	rss_after_kib	RSS of the idle program at the end of the row, the tables
 *			of the benchmark itself taken off
 *	live_kib	what the program itself holds then, as it asked for it
 *	rss_mean_kib	RSS over the run, as rss_after_kib
 *	overhead	growth of RSS divided by live bytes
 *	kib_per_thread	of a sleeping thread, what it costs without malloc taken off
 *	start_rss_kib	peak RSS of a program that only starts
 *
 * An iteration is a unit of work that --scale can make less of: 1 MiB of blocks, a
 * thread, a start.  Where the environment has BENCH_SERIES=FILE, the rows of burst
 * and shift write RSS over time there, a line "SECONDS KIB" for each look at it.
 */
#define _GNU_SOURCE
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define IDLE_MS		200
#define PAGE_KIB	4

static void sleep_ms(unsigned long ms)
{
	struct timespec left = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };

	while (nanosleep(&left, &left))
		;
}

/* Idle for IDLE_MS after the full amount of work, for less after less. */
static unsigned long idle_ms(uint64_t work, uint64_t full)
{
	return work < full ? IDLE_MS * work / full : IDLE_MS;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Tables are written to their end before the first look at RSS, so all of them counts. */
static long table_kib(size_t bytes)
{
	return (long)((bytes + PAGE_KIB * KIB - 1) / (PAGE_KIB * KIB) * PAGE_KIB);
}

/*
 * A series: RSS over time.  What is looked at is kept here and written when the row
 * is over: a write in between would be in its time.
 */

#define MAX_LOOKS	256
#define LOOKS		50		/* about, a run */
#define SLEEP_LOOKS	20

static struct {
	struct bench_state *state;
	int fd;				/* -1: there is no file */
	bool wanted;
	long tables_kib;
	double start;
	uint64_t step, due, done;	/* in units of the caller: look each step */
	unsigned int nr;
	struct {
		double seconds;
		long kib;
	} look[MAX_LOOKS];
} series;

/* Before the timed loop.  False: the row failed.  always: looks even without a file. */
static bool series_open(struct bench_state *state, bool always, uint64_t units)
{
	const char *path = getenv("BENCH_SERIES");

	memset(&series, 0, sizeof(series));
	series.state = state;
	series.fd = -1;
	series.wanted = always || path;
	series.step = units / LOOKS + 1;
	if (!path)
		return true;
	series.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (series.fd < 0)
		bench_fail(state, "BENCH_SERIES: expected a file that can be written");
	return series.fd >= 0;
}

static void series_look(void)
{
	if (!series.wanted || series.nr == MAX_LOOKS)
		return;
	series.look[series.nr].seconds = now() - series.start;
	series.look[series.nr].kib = bench_rss_kib() - series.tables_kib;
	series.nr++;
}

/* The clock begins; the tables are in place. */
static void series_begin(long tables_kib)
{
	series.tables_kib = tables_kib;
	series.start = now();
	series_look();
}

/* In the timed loop: units of work were done.  Only the thread of the row calls it. */
static inline void series_step(uint64_t units)
{
	series.done += units;
	if (!series.wanted || series.done < series.due)
		return;
	series.due = series.done + series.step;
	bench_pause(series.state);
	series_look();
	bench_resume(series.state);
}

/* Behind the loop: ms of rest. */
static void series_sleep(unsigned long ms)
{
	for (unsigned int i = 0; i < SLEEP_LOOKS; i++) {
		sleep_ms(ms * (i + 1) / SLEEP_LOOKS - ms * i / SLEEP_LOOKS);
		series_look();
	}
}

static void series_write(void)
{
	char line[64];

	if (series.fd < 0)
		return;
	for (unsigned int i = 0; i < series.nr; i++) {
		unsigned long us = (unsigned long)(series.look[i].seconds * 1e6);
		int n = snprintf(line, sizeof(line), "%lu.%06lu %ld\n", us / 1000000, us % 1000000,
				 series.look[i].kib);

		if (write(series.fd, line, (size_t)n) != n)
			bench_die("BENCH_SERIES: the file cannot be written");
	}
	close(series.fd);
	series.fd = -1;
}

static double series_mean(void)
{
	double sum = 0;

	for (unsigned int i = 0; i < series.nr; i++)
		sum += (double)series.look[i].kib;
	return series.nr ? sum / series.nr : 0;
}

/*
 * burst: 100 MiB of small blocks are made and freed, and nothing happens after that
 */

#define BURST_MIB	100
#define CALLS_EACH_MS	1

enum burst_who { BY_MAKER, BY_OTHER, BY_ENDED, MADE_BY_ENDED };

struct burst_how {
	enum free_order order;
	enum burst_who who;
	unsigned int keep;	/* each keep-th block lives on; 0: none does */
	bool calls;		/* a pair of calls each millisecond of the rest */
};

struct burst {
	const struct burst_how *how;
	struct block *set;
	uint32_t *order;
	unsigned int nr;
	sem_t go, done, end;
	pthread_t thread;
};

static size_t burst_size(uint64_t *seed)
{
	return rnd_size(seed, 4, 12);
}

/* Sizes are chosen before the clock starts; their number, too, depends on the seed alone. */
static void burst_tables(struct burst *b, size_t bytes)
{
	uint64_t seed = 0x9e3779b97f4a7c15, again = seed;

	b->nr = 0;
	for (size_t sum = 0; sum < bytes; b->nr++)
		sum += burst_size(&seed);
	b->set = bench_table(b->nr * sizeof(*b->set));
	b->order = bench_table(b->nr * sizeof(*b->order));
	for (unsigned int i = 0; i < b->nr; i++)
		b->set[i].size = burst_size(&again);
	make_order(b->order, b->nr, b->how->order, &seed);
}

static bool burst_kept(const struct burst *b, unsigned int i)
{
	return b->how->keep && i % b->how->keep == 0;
}

static void burst_make(struct burst *b, bool look)
{
	for (unsigned int i = 0; i < b->nr; i++) {
		block_new(&b->set[i], b->set[i].size, i + 1);
		if (look)
			series_step(1);
	}
}

static void burst_free(struct burst *b, bool look)
{
	for (unsigned int i = 0; i < b->nr; i++) {
		unsigned int at = b->order[i];

		if (!burst_kept(b, at))
			block_drop(&b->set[at]);
		if (look)
			series_step(1);
	}
}

static void *burst_thread(void *arg)
{
	struct burst *b = arg;

	while (sem_wait(&b->go))
		;
	if (b->how->who == MADE_BY_ENDED)
		burst_make(b, false);
	else
		burst_free(b, false);
	sem_post(&b->done);
	if (b->how->who == BY_OTHER)
		while (sem_wait(&b->end))
			;
	return NULL;
}

/* Wait until the other thread did its part, and, where the row says so, ended. */
static void burst_let(struct burst *b)
{
	sem_post(&b->go);
	while (sem_wait(&b->done))
		;
	if (b->how->who != BY_OTHER)
		pthread_join(b->thread, NULL);
	series_step(b->nr);
}

static void burst_rest(const struct burst *b, unsigned long ms)
{
	if (!b->how->calls) {
		series_sleep(ms);
		return;
	}
	for (unsigned long i = 0; i < ms / CALLS_EACH_MS; i++) {
		struct block little = { .p = NULL };

		sleep_ms(CALLS_EACH_MS);
		block_new(&little, 100, i);
		bench_keep(little.p);
		block_drop(&little);
		if (i % (IDLE_MS / SLEEP_LOOKS) == 0)
			series_look();
	}
}

static size_t burst_live(const struct burst *b)
{
	size_t bytes = 0;

	for (unsigned int i = 0; i < b->nr; i++)
		if (b->set[i].p)
			bytes += b->set[i].size;
	return bytes;
}

static void burst_end(struct burst *b)
{
	if (b->how->who == BY_OTHER) {
		sem_post(&b->end);
		pthread_join(b->thread, NULL);
	}
	drop_all(b->set, b->nr);
	bench_table_free(b->set, b->nr * sizeof(*b->set));
	bench_table_free(b->order, b->nr * sizeof(*b->order));
}

static void burst(struct bench_state *state)
{
	struct burst b = { .how = bench_data(state) };
	uint64_t mib = bench_iterations(state);
	long tables, before;

	burst_tables(&b, mib * MIB);
	tables = table_kib(b.nr * sizeof(*b.set)) + table_kib(b.nr * sizeof(*b.order));
	if (!series_open(state, false, 2 * (uint64_t)b.nr))
		return;
	sem_init(&b.go, 0, 0);
	sem_init(&b.done, 0, 0);
	sem_init(&b.end, 0, 0);
	if (b.how->who != BY_MAKER && pthread_create(&b.thread, NULL, burst_thread, &b))
		bench_die("pthread_create failed");
	series_begin(tables);
	before = bench_rss_kib() - tables;

	bench_begin(state);
	if (b.how->who == MADE_BY_ENDED)
		burst_let(&b);
	else
		burst_make(&b, true);
	if (b.how->who == BY_OTHER || b.how->who == BY_ENDED)
		burst_let(&b);
	else
		burst_free(&b, true);
	bench_end(state);

	burst_rest(&b, idle_ms(mib, BURST_MIB));
	bench_counter(state, "rss_after_kib", (double)(bench_rss_kib() - tables), BENCH_SUM);
	series_write();
	bench_counter(state, "rss_before_kib", (double)before, BENCH_SUM);
	bench_counter(state, "live_kib", (double)burst_live(&b) / KIB, BENCH_SUM);
	bench_set_items(state, b.nr);
	burst_end(&b);
}

/*
 * shift: a long run whose sizes shift.  Two bounded sets, of which the one that new
 * blocks go to loses blocks at random; one block in 64 goes to the other one, of an
 * eighth of the size, where it stays for many phases.
 */

#define SHIFT_MIB	480		/* made in all */
#define SHIFT_LIVE	15		/* a 15th of it lives at a time: 32 MiB */
#define SHIFT_OLD	64		/* one block in that many is long-lived */

struct mix {
	unsigned int low, high;		/* of rnd_size() */
};

struct shift_how {
	const struct mix *mix;
	unsigned int nr_mixes;
	size_t mean;			/* at most, of the mix with the smallest blocks */
};

struct alive {
	char *p;
	uint32_t size, tag;
};

struct alive_set {
	struct alive *block;
	unsigned int nr, max;
	size_t bytes, bound;
};

struct shift {
	struct alive_set young, old;
	uint64_t seed;
	uint64_t made;
	double live_sum;		/* KiB at each look */
	unsigned int looked;
};

static void alive_open(struct alive_set *set, size_t bound, size_t mean)
{
	set->bound = bound;
	set->max = (unsigned int)(bound / mean + 64);
	set->block = bench_table(set->max * sizeof(*set->block));
	memset(set->block, 0xff, set->max * sizeof(*set->block));
}

static void alive_drop(struct alive_set *set, unsigned int at)
{
	struct alive *a = &set->block[at];

	check(a->p, a->size, a->tag);
	free(a->p);
	set->bytes -= a->size;
	*a = set->block[--set->nr];
}

static void alive_add(struct alive_set *set, size_t size, uint32_t tag, uint64_t *seed)
{
	struct alive *a;

	while (set->nr && (set->nr == set->max || set->bytes + size > set->bound))
		alive_drop(set, rnd_below(seed, set->nr));
	a = &set->block[set->nr++];
	a->p = must(malloc(size));
	a->size = (uint32_t)size;
	a->tag = tag;
	touch_pages(a->p, TOUCH_STEP, size, tag);
	mark(a->p, size, tag);
	set->bytes += size;
}

static void alive_close(struct alive_set *set)
{
	while (set->nr)
		alive_drop(set, set->nr - 1);
	bench_table_free(set->block, set->max * sizeof(*set->block));
}

static void shift_phase(struct shift *s, const struct mix *mix, size_t bytes)
{
	for (size_t made = 0; made < bytes; s->made++) {
		size_t size = rnd_size(&s->seed, mix->low, mix->high);
		bool old = rnd_below(&s->seed, SHIFT_OLD) == 0;

		alive_add(old ? &s->old : &s->young, size, (uint32_t)s->made, &s->seed);
		made += size;
		series_step(size);
		if (s->looked == series.nr)
			continue;
		s->looked = series.nr;
		s->live_sum += (double)(s->young.bytes + s->old.bytes) / KIB;
	}
}

/* The table of the bigger set is 6 MB: not in the figures, but in the process's peak. */
static void shift(struct bench_state *state)
{
	const struct shift_how *how = bench_data(state);
	uint64_t mib = bench_iterations(state), bytes = mib * MIB;
	struct shift s = { .seed = 0xd1b54a32d192ed03 };
	long tables, base;

	alive_open(&s.young, bytes / SHIFT_LIVE, how->mean);
	alive_open(&s.old, bytes / SHIFT_LIVE / 8, how->mean);
	tables = table_kib(s.young.max * sizeof(*s.young.block)) +
		 table_kib(s.old.max * sizeof(*s.old.block));
	if (!series_open(state, true, bytes))
		return;
	series_begin(tables);
	base = series.look[0].kib;
	s.looked = series.nr;

	bench_begin(state);
	/* Every mix comes twice. */
	for (unsigned int i = 0; i < 2 * how->nr_mixes; i++)
		shift_phase(&s, &how->mix[i % how->nr_mixes], bytes / (2 * how->nr_mixes));
	bench_end(state);

	bench_counter(state, "rss_mean_kib", series_mean(), BENCH_SUM);
	bench_counter(state, "overhead", (series_mean() - (double)base) * series.nr / s.live_sum,
		      BENCH_SUM);
	series_sleep(idle_ms(mib, SHIFT_MIB));
	bench_counter(state, "rss_after_kib", (double)(bench_rss_kib() - tables), BENCH_SUM);
	series_write();
	bench_counter(state, "live_kib", (double)(s.young.bytes + s.old.bytes) / KIB, BENCH_SUM);
	bench_set_items(state, s.made);
	alive_close(&s.young);
	alive_close(&s.old);
}

/*
 * threads_idle: threads that did a little and sleep now.  Their stacks are ours, so
 * that none is left over from the first pass, in which they do nothing but sleep.
 */

#define IDLE_THREADS	1000
#define STACK_BYTES	(64 * KIB)
#define THREAD_BLOCKS	48
#define THREAD_KEEPS	12		/* each 12th block lives on */

struct idle {
	unsigned int nr;
	bool work;
	char *stacks;
	struct idle_thread *thread;
	sem_t asleep, end;
};

struct idle_thread {
	struct idle *idle;
	pthread_t id;
	size_t live;
};

static void idle_work(struct block *set, uint64_t seed)
{
	for (unsigned int i = 0; i < THREAD_BLOCKS; i++)
		block_new(&set[i], rnd_size(&seed, 4, 11), i + 1);
	for (unsigned int i = 0; i < THREAD_BLOCKS; i++)
		if (i % THREAD_KEEPS)
			block_drop(&set[i]);
}

static void *idle_thread(void *arg)
{
	struct block set[THREAD_BLOCKS] = { { .p = NULL } };
	struct idle_thread *me = arg;
	struct idle *idle = me->idle;

	if (idle->work)
		idle_work(set, (uint64_t)(me - idle->thread) + 1);
	me->live = 0;
	for (unsigned int i = 0; i < THREAD_BLOCKS; i++)
		me->live += set[i].p ? set[i].size : 0;
	sem_post(&idle->asleep);
	while (sem_wait(&idle->end))
		;
	drop_all(set, THREAD_BLOCKS);
	return NULL;
}

/* How many threads there are now: all of them, but for a limit of the system. */
static unsigned int idle_begin(struct idle *idle, bool work)
{
	pthread_attr_t attributes;
	unsigned int i;

	idle->work = work;
	pthread_attr_init(&attributes);
	for (i = 0; i < idle->nr; i++) {
		idle->thread[i].idle = idle;
		pthread_attr_setstack(&attributes, idle->stacks + i * STACK_BYTES, STACK_BYTES);
		if (pthread_create(&idle->thread[i].id, &attributes, idle_thread, &idle->thread[i]))
			break;
	}
	pthread_attr_destroy(&attributes);
	for (unsigned int j = 0; j < i; j++)
		while (sem_wait(&idle->asleep))
			;
	return i;
}

static void idle_end(struct idle *idle, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		sem_post(&idle->end);
	for (unsigned int i = 0; i < nr; i++)
		pthread_join(idle->thread[i].id, NULL);
	if (madvise(idle->stacks, idle->nr * STACK_BYTES, MADV_DONTNEED))
		bench_die("madvise failed");
}

/* The growth of RSS that the threads bring; false: the row failed. */
static bool idle_pass(struct bench_state *state, struct idle *idle, bool work, long *kib)
{
	long before = bench_rss_kib();
	unsigned int nr;

	if (work)
		bench_begin(state);
	nr = idle_begin(idle, work);
	if (work)
		bench_end(state);
	sleep_ms(idle_ms(nr, IDLE_THREADS));
	*kib = bench_rss_kib() - before;
	if (work)
		bench_counter(state, "rss_after_kib", (double)(before + *kib), BENCH_SUM);
	idle_end(idle, nr);
	if (nr < idle->nr)
		bench_fail(state, "the system does not let that many threads run");
	return nr == idle->nr;
}

static void idle_open(struct bench_state *state, struct idle *idle)
{
	idle->nr = (unsigned int)bench_iterations(state);
	idle->stacks = bench_table(idle->nr * STACK_BYTES);
	idle->thread = bench_table(idle->nr * sizeof(*idle->thread));
	memset(idle->thread, 0xff, idle->nr * sizeof(*idle->thread));
	sem_init(&idle->asleep, 0, 0);
	sem_init(&idle->end, 0, 0);
}

static void idle_close(struct idle *idle)
{
	bench_table_free(idle->thread, idle->nr * sizeof(*idle->thread));
	bench_table_free(idle->stacks, idle->nr * STACK_BYTES);
}

static void threads_idle(struct bench_state *state)
{
	struct idle idle;
	long without = 0, with = 0;
	double live = 0;

	idle_open(state, &idle);
	if (idle_pass(state, &idle, false, &without) && idle_pass(state, &idle, true, &with)) {
		for (unsigned int i = 0; i < idle.nr; i++)
			live += (double)idle.thread[i].live / KIB;
		bench_counter(state, "kib_per_thread", (double)(with - without) / idle.nr,
			      BENCH_SUM);
		bench_counter(state, "live_kib", live, BENCH_SUM);
		bench_set_items(state, idle.nr);
	}
	idle_close(&idle);
}

/*
 * threads_gone: the same threads have ended, and the one that is left makes and frees
 * blocks.  What the dead ones left behind should cost it neither time nor memory.
 */

#define GONE_ROUNDS	4
#define GONE_BLOCKS	20		/* a round, for each thread that was */

static void threads_gone(struct bench_state *state)
{
	struct idle idle;
	struct block *set;
	uint32_t *order;
	uint64_t seed = 0x94d049bb133111eb;
	unsigned int nr, began;

	idle_open(state, &idle);
	nr = idle.nr * GONE_BLOCKS;
	set = bench_table_resident(nr * sizeof(*set));
	order = bench_table(nr * sizeof(*order));
	make_order(order, nr, AT_RANDOM, &seed);
	began = idle_begin(&idle, true);
	idle_end(&idle, began);

	bench_begin(state);
	for (unsigned int round = 0; round < GONE_ROUNDS; round++) {
		for (unsigned int i = 0; i < nr; i++)
			block_new(&set[i], rnd_size(&seed, 4, 12), i);
		for (unsigned int i = 0; i < nr; i++)
			block_drop(&set[order[i]]);
	}
	bench_end(state);

	bench_table_free(set, nr * sizeof(*set));
	bench_table_free(order, nr * sizeof(*order));
	idle_close(&idle);
	sleep_ms(idle_ms(idle.nr, IDLE_THREADS));
	bench_counter(state, "rss_after_kib", (double)bench_rss_kib(), BENCH_SUM);
	bench_set_items(state, (uint64_t)GONE_ROUNDS * nr);
	if (began < idle.nr)
		bench_fail(state, "the system does not let that many threads run");
}

/*
 * start: a program that does nothing, or one pair of malloc and free, is started and
 * waited for.  It is bench/nothing, beside this program, under the same library.
 */

#define STARTS	20

extern char **environ;

static pid_t start(char **argv, int out)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int error;

	posix_spawn_file_actions_init(&actions);
	if (out >= 0)
		posix_spawn_file_actions_adddup2(&actions, out, 1);
	error = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return error ? -1 : pid;
}

static bool start_ended(pid_t pid)
{
	int status = 0;

	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return pid > 0 && status == 0;
}

/* The peak RSS that the child prints; -1: it did not. */
static long start_peak_kib(char **argv)
{
	char text[32] = "";
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	pid = start(argv, ends[1]);
	close(ends[1]);
	if (read(ends[0], text, sizeof(text) - 1) <= 0)
		text[0] = '\0';
	close(ends[0]);
	return start_ended(pid) && text[0] ? atol(text) : -1;
}

/* "nothing" in the folder of this program. */
static bool start_path(char *path, size_t size)
{
	static const char name[] = "/nothing";
	ssize_t n = readlink("/proc/self/exe", path, size - sizeof(name));
	char *folder_end;

	if (n <= 0)
		return false;
	path[n] = '\0';
	folder_end = strrchr(path, '/');
	memcpy(folder_end, name, sizeof(name));
	return !access(path, X_OK);
}

static void start_row(struct bench_state *state)
{
	static char path[4096], rss[] = "--rss";
	char *block = (char *)(uintptr_t)bench_data(state);	/* "--malloc" or NULL */
	char *argv[] = { path, block, NULL };
	char *measured[] = { path, rss, block, NULL };
	uint64_t failed = 0;
	long kib;

	if (!start_path(path, sizeof(path))) {
		bench_fail(state, "expected the program nothing beside this one");
		return;
	}
	kib = start_peak_kib(measured);
	BENCH_LOOP(state)
		failed += !start_ended(start(argv, -1));
	bench_set_items(state, bench_iterations(state));
	bench_counter(state, "start_rss_kib", (double)kib, BENCH_SUM);
	if (failed || kib < 0)
		bench_fail(state, "the program nothing failed");
}

/*
 * peak: 20 MB of blocks of one size, and what they take.  Each block holds the address
 * of the one before, so no table of the benchmark is part of what is measured.
 */

#define PEAK_BYTES	20000000

struct link {
	struct link *before;
	/* the last word: the block's number; with 16 bytes right here */
};

static void peak(struct bench_state *state)
{
	size_t size = (size_t)bench_arg(state, 0);
	uint64_t nr = bench_iterations(state);
	struct link *last = NULL, *next;
	long base = bench_rss_kib();
	double live, grown;

	bench_begin(state);
	for (uint64_t i = 0; i < nr; i++) {
		next = must(malloc(size));
		next->before = last;
		put_word((char *)next + size - sizeof(i), i);
		last = next;
	}
	bench_pause(state);
	grown = (double)(bench_rss_kib() - base);
	bench_resume(state);
	for (uint64_t i = nr; i-- > 0; last = next) {
		if (get_word((char *)last + size - sizeof(i)) != i)
			bench_die("a block does not hold what was written to it");
		next = last->before;
		free(last);
	}
	bench_end(state);

	live = (double)(nr * size) / KIB;
	bench_counter(state, "live_kib", live, BENCH_SUM);
	bench_counter(state, "overhead", grown / live, BENCH_SUM);
	bench_set_items(state, nr);
}

/* The rows */

static void register_burst(void)
{
	static const struct burst_how order = { .order = IN_ORDER },
		reverse = { .order = REVERSE },
		at_random = { .order = AT_RANDOM },
		tenth = { .order = AT_RANDOM, .keep = 10 },
		other = { .order = AT_RANDOM, .who = BY_OTHER },
		ended = { .order = AT_RANDOM, .who = BY_ENDED },
		made_by_ended = { .order = AT_RANDOM, .who = MADE_BY_ENDED },
		few_calls = { .order = AT_RANDOM, .calls = true };
	static const struct {
		const char *name;
		const struct burst_how *how;
	} rows[] = {
		{ "BM_burst/order", &order },
		{ "BM_burst/reverse", &reverse },
		{ "BM_burst/random", &at_random },
		{ "BM_burst/tenth", &tenth },
		{ "BM_burst/other_thread", &other },
		{ "BM_burst/ended_thread", &ended },
		{ "BM_burst/made_by_ended_thread", &made_by_ended },
		{ "BM_burst/few_calls", &few_calls },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		bench_register(&(struct bench){
			.name = rows[i].name, .run = burst, .data = rows[i].how,
			.iterations = BURST_MIB, .flags = BENCH_PROCESS_CPU,
		});
}

static void register_shift(void)
{
	static const struct mix small[] = {
		{ 4, 8 }, { 8, 11 }, { 5, 8 }, { 10, 13 }, { 6, 9 }, { 9, 12 }, { 4, 13 }, { 7, 9 },
	}, large[] = {
		{ 12, 14 }, { 16, 20 }, { 14, 16 }, { 12, 20 }, { 18, 20 }, { 12, 16 },
	};
	/* the mean of 16..255 is 90; that of 4096..16383 is 9216 */
	static const struct shift_how shift_small = { small, ARRAY_SIZE(small), 80 },
		shift_large = { large, ARRAY_SIZE(large), 8192 };

	bench_register(&(struct bench){
		.name = "BM_shift/small", .run = shift, .data = &shift_small,
		.iterations = SHIFT_MIB,
	});
	bench_register(&(struct bench){
		.name = "BM_shift/large", .run = shift, .data = &shift_large,
		.iterations = SHIFT_MIB,
	});
}

static void register_peak(void)
{
	static const unsigned int sizes[] = { 16, 24, 40, 100, 200, 500, 1000, 3000 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		bench_register(&(struct bench){
			.name = "BM_peak", .run = peak, .args = { sizes[i] }, .nr_args = 1,
			.iterations = PEAK_BYTES / sizes[i],
		});
}

void bench_register_all(void)
{
	register_burst();
	register_shift();
	bench_register(&(struct bench){
		.name = "BM_threads_idle", .run = threads_idle, .args = { IDLE_THREADS },
		.nr_args = 1, .iterations = IDLE_THREADS, .flags = BENCH_PROCESS_CPU,
	});
	bench_register(&(struct bench){
		.name = "BM_threads_gone", .run = threads_gone, .args = { IDLE_THREADS },
		.nr_args = 1, .iterations = IDLE_THREADS,
	});
	bench_register(&(struct bench){
		.name = "BM_start/nothing", .run = start_row, .iterations = STARTS,
	});
	bench_register(&(struct bench){
		.name = "BM_start/malloc", .run = start_row, .data = "--malloc",
		.iterations = STARTS,
	});
	register_peak();
}

// SPDX-License-Identifier: MIT
/*
 * latency.c - how long single calls of malloc and free take, in the server pattern
 *
 *	latency [--threads=N] [--scale=X]
 *	latency --of=FILE	of the whole numbers in FILE; runs nothing
 *
 * What server.h describes, by N services at a time (1).  All of them together replace
 * ITEMS blocks, times X; each malloc and each free of that has its time taken alone,
 * without what the program then does with the block.  The times are counted in
 * histograms of static memory, resident before the first call: buckets of one tick up
 * to 256, then BUCKETS of them a doubling, so a percentile, interpolated in its bucket,
 * is right to 0.8 %.  The worst case is kept as it is.
 *
 * The clock: where there is one that counts evenly and is read without a call, that of
 * the CPU (x86: the TSC, if it is invariant; ARM: the virtual counter), else
 * CLOCK_MONOTONIC.  It is read when all loads before it are done.  What a tick is comes
 * from CLOCK_MONOTONIC, over the whole run.  Reading it costs time, too, which is part
 * of every figure: clock_ns is the median of what nothing at all takes.  So figures are
 * to be compared with each other, all of which have it in them.
 *
 * One line of JSON follows, times in nanoseconds.
 */
#define _GNU_SOURCE
#include "common.h"
#include "process.h"
#include "server.h"

#include <dlfcn.h>
#include <pthread.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define ITEMS		400000
#define MAX_SERVICES	32
#define NOTHINGS	20000		/* readings that tell what one costs */
#define LEAST_SECONDS	0.02		/* of the clock against CLOCK_MONOTONIC */

/* The clock ------------------------------------------------------------------ */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool own_clock;		/* of the CPU; set before anything is timed */

static inline uint64_t system_ticks(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

#if defined(__x86_64__)

static const char clock_name[] = "tsc";

/* Does the TSC tick evenly, whatever the core's speed and sleep? */
static bool find_clock(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid(0x80000007, &a, &b, &c, &d) && d & (1u << 8);
}

static inline uint64_t ticks(void)
{
	unsigned int low, high;

	if (!own_clock)
		return system_ticks();
	__asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

#elif defined(__aarch64__)

static const char clock_name[] = "cntvct";

static bool find_clock(void)
{
	return true;
}

static inline uint64_t ticks(void)
{
	uint64_t t;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(t) : : "memory");
	return t;
}

#else

static const char clock_name[] = "";

static bool find_clock(void)
{
	return false;
}

static inline uint64_t ticks(void)
{
	return system_ticks();
}

#endif

/* Histograms ----------------------------------------------------------------- */

#define BUCKET_BITS	7
#define BUCKETS		(1 << BUCKET_BITS)
#define MOST_BITS	40		/* longer than 2^40 ticks no call takes */

struct histogram {
	uint64_t calls, worst;
	uint32_t count[(MOST_BITS - BUCKET_BITS + 1) * BUCKETS];
};

/* How many low bits the bucket of this time leaves out. */
static inline unsigned int coarseness(uint64_t time)
{
	unsigned int bits = 64 - (unsigned int)__builtin_clzll(time | 1);

	return bits > BUCKET_BITS + 1 ? bits - BUCKET_BITS - 1 : 0;
}

static inline void count_time(struct histogram *h, uint64_t time)
{
	unsigned int shift;

	if (time > h->worst)
		h->worst = time;
	if (time >> MOST_BITS)
		time = ((uint64_t)1 << MOST_BITS) - 1;
	shift = coarseness(time);
	h->count[shift * BUCKETS + (time >> shift)]++;
	h->calls++;
}

static void add_histogram(struct histogram *sum, const struct histogram *h)
{
	for (size_t i = 0; i < ARRAY_SIZE(h->count); i++)
		sum->count[i] += h->count[i];
	sum->calls += h->calls;
	if (h->worst > sum->worst)
		sum->worst = h->worst;
}

/* In ticks.  A bucket of one tick stands for what is nearer to it than half a tick. */
static double percentile(const struct histogram *h, double part)
{
	double rank = part * (double)h->calls, before = 0;
	size_t i = 0, shift;

	while (i + 1 < ARRAY_SIZE(h->count) && before + h->count[i] < rank)
		before += h->count[i++];
	if (!h->count[i])
		return 0;
	shift = i < 2 * BUCKETS ? 0 : i / BUCKETS - 1;
	return (double)((i - shift * BUCKETS) << shift) - 0.5 +
	       (double)(1 << shift) * (rank - before) / h->count[i];
}

/* The services --------------------------------------------------------------- */

struct service {
	struct block set[SERVER_BLOCKS];
	struct histogram got, freed;		/* of malloc and of free */
	uint64_t seed, left, items;		/* to do: in all, by the thread that lives now */
	pthread_t thread;
};

static struct service services[MAX_SERVICES];
static pthread_barrier_t all_filled;

/* One that was moved to a core whose clock is behind took no time. */
static inline uint64_t between(uint64_t begin, uint64_t end)
{
	return end > begin ? end - begin : 0;
}

static void replace_one(struct service *service, uint64_t *seed)
{
	struct block *b = &service->set[rnd_below(seed, SERVER_BLOCKS)];
	size_t size = rnd_size(seed, SERVER_LOW, SERVER_HIGH);
	uint64_t begin, end;

	check(b->p, b->size, b->tag);
	begin = ticks();
	free(b->p);
	end = ticks();
	count_time(&service->freed, between(begin, end));

	begin = ticks();
	b->p = malloc(size);
	end = ticks();
	count_time(&service->got, between(begin, end));
	must(b->p);
	b->size = size;
	b->tag = *seed;
	mark(b->p, size, b->tag);
}

static void *serve(void *arg)
{
	struct service *service = arg;
	uint64_t seed = service->seed;

	for (uint64_t i = 0; i < service->items; i++)
		replace_one(service, &seed);
	service->seed = seed;
	return NULL;
}

/* The thread of a service: it makes others, which do the work. */
static void *run_service(void *arg)
{
	struct service *service = arg;
	pthread_t thread;

	for (unsigned int i = 0; i < SERVER_BLOCKS; i++)
		block_new(&service->set[i], rnd_size(&service->seed, SERVER_LOW, SERVER_HIGH),
			  service->seed);
	pthread_barrier_wait(&all_filled);
	for (; service->left; service->left -= service->items) {
		service->items = service->left < SERVER_LIFE ? service->left : SERVER_LIFE;
		if (pthread_create(&thread, NULL, serve, service))
			bench_die("latency: pthread_create failed");
		pthread_join(thread, NULL);
	}
	return NULL;
}

static void run(unsigned int nr, uint64_t items)
{
	pthread_barrier_init(&all_filled, NULL, nr);
	for (unsigned int i = 0; i < nr; i++) {
		memset(&services[i], 0, sizeof(services[i]));
		touch_pages((char *)&services[i], 0, sizeof(services[i]), 0);
		services[i].seed = 0x9e3779b97f4a7c15 * (i + 1);
		services[i].left = items / nr + (i < items % nr);
	}
	for (unsigned int i = 1; i < nr; i++)
		if (pthread_create(&services[i].thread, NULL, run_service, &services[i]))
			bench_die("latency: pthread_create failed");
	run_service(&services[0]);
	for (unsigned int i = 1; i < nr; i++)
		pthread_join(services[i].thread, NULL);
	for (unsigned int i = 0; i < nr; i++)
		drop_all(services[i].set, SERVER_BLOCKS);
	for (unsigned int i = 1; i < nr; i++) {
		add_histogram(&services[0].got, &services[i].got);
		add_histogram(&services[0].freed, &services[i].freed);
	}
}

/* The command ---------------------------------------------------------------- */

static struct histogram nothing;

static double clock_cost(void)
{
	for (unsigned int i = 0; i < NOTHINGS; i++) {
		uint64_t begin = ticks();

		count_time(&nothing, between(begin, ticks()));
	}
	return percentile(&nothing, 0.5);
}

static void print_times(const char *name, const struct histogram *h, double tick)
{
	printf("\"%s\": {\"calls\": %llu, \"p50\": %.2f, \"p99\": %.2f, \"p99.9\": %.2f, "
	       "\"max\": %.2f}",
	       name, (unsigned long long)h->calls, percentile(h, 0.5) * tick,
	       percentile(h, 0.99) * tick, percentile(h, 0.999) * tick, (double)h->worst * tick);
}

static int print_of(const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned long long time;

	if (!file)
		bench_die("latency: --of: expected a file that can be read");
	while (fscanf(file, "%llu", &time) == 1)
		count_time(&nothing, time);
	fclose(file);
	printf("{");
	print_times("of", &nothing, 1);
	printf("}\n");
	return 0;
}

static double number_of(const char *text)
{
	char *end;
	double number = strtod(text, &end);

	if (*end || !(number > 0))
		bench_die("latency: expected a number above 0");
	return number;
}

static const char *value_of(const char *argument, const char *option)
{
	size_t n = strlen(option);

	return strncmp(argument, option, n) ? NULL : argument + n;
}

static void measure(unsigned int threads, double scale)
{
	uint64_t items = (uint64_t)(ITEMS * scale), first;
	double begun, cost, tick, seconds;
	void *entry = dlsym(RTLD_DEFAULT, "malloc");
	Dl_info info;

	own_clock = find_clock();
	begun = now();
	first = ticks();
	cost = clock_cost();
	seconds = now();
	run(threads, items ? items : 1);
	seconds = now() - seconds;
	while (now() - begun < LEAST_SECONDS)
		;
	tick = 1e9 * (now() - begun) / (double)(ticks() - first);
	printf("{\"malloc_from\": \"%s\", \"threads\": %u, \"seconds\": %.6f, \"clock\": \"%s\", "
	       "\"tick_ns\": %.4f, \"clock_ns\": %.2f, ",
	       entry && dladdr(entry, &info) ? info.dli_fname : "", threads, seconds,
	       own_clock ? clock_name : "system", tick, cost * tick);
	print_times("malloc", &services[0].got, tick);
	printf(", ");
	print_times("free", &services[0].freed, tick);
	printf("}\n");
}

int main(int argc, char **argv)
{
	unsigned int threads = 1;
	double scale = 1;

	for (int i = 1; i < argc; i++) {
		const char *value;

		if ((value = value_of(argv[i], "--of=")))
			return print_of(value);
		if ((value = value_of(argv[i], "--threads=")))
			threads = (unsigned int)number_of(value);
		else if ((value = value_of(argv[i], "--scale=")))
			scale = number_of(value);
		else
			bench_die("usage: latency [--threads=N] [--scale=X] | --of=FILE");
	}
	if (threads < 1 || threads > MAX_SERVICES)
		bench_die("latency: --threads: expected 1 to 32");
	measure(threads, scale);
	return 0;
}

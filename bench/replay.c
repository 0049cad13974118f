// SPDX-License-Identifier: MIT
/*
 * replay.c - the player: does what an allocation trace says, under whichever malloc is loaded
 *
 *	xz -dc TRACE.xz | replay [OPTION...] -
 *	replay [OPTION...] TRACE
 *
 *	--threads	with the threads of the trace (the default)
 *	--serial	in one thread, in the total order of the trace: deterministic
 *	--repeat N	N times; between them what is left over is freed, off the clock
 *	--no-touch	write the first and the last word of each block, nothing else
 *	--window N	how many events a thread may be ahead of the others (4096)
 *	--partial	play a trace of a program that was killed
 *	--info		print the totals of the trace; play nothing
 *
 * The trace is decoded into a table of steps for each thread before the clock starts;
 * all tables are mmap()ed and resident by then.  Between the calls of the trace the
 * player calls neither malloc nor anything that does, but for pthread_create(), which
 * gets what a new thread needs as it did in the recorded program.
 *
 * Threads are made and joined where those of the trace were; one that was never joined
 * is joined before the next one is made, if it had ended by then, or at the end.  A
 * block that one thread frees and another made is waited for.  As nothing else of what
 * held the program's threads together is in a trace (locks, queues, sockets), no thread
 * may be further ahead than the window of events: what is live at once stays close to
 * what it was.  Who waits spins, yields, then sleeps 20 microseconds at a time.
 *
 * Memory is used: the first KiB of a block is written, beyond it a word a page, and the
 * last word.  The first and the last word are read and checked when the block is freed,
 * before realloc and after it, and what calloc returns is zero there.
 *
 * One line of JSON follows; its calls and bytes were counted as they were made, and
 * exit status 1 and one line say where they are not those of the trace.  peak_rss_kib
 * and rss_kib are of the whole process; table_kib is the player's share of it, the same
 * under every allocator.
 */
#define _GNU_SOURCE
#include "base.h"
#include "process.h"
#include "replay.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define WORD		sizeof(uint64_t)
#define WHOLE_BYTES	1024
#define PAGE_BYTES	4096
#define PUBLISH_EVERY	64

struct worker *workers;
uint32_t nr_workers;
struct slot *shared_slots;
uint32_t nr_shared;
static size_t whole_bytes = WHOLE_BYTES;
static size_t page_bytes = PAGE_BYTES;
static uint32_t window = 4096;
const char *input = "-";

/* Stands for the null that an allocator may return for 0 bytes. */
static char nothing[1];

/* One line; no allocation, and no exit handlers while other threads run. */
void die(int status, const char *format, ...)
{
	char line[512];
	va_list args;
	int n = snprintf(line, sizeof(line), "replay: %s: ", input);

	va_start(args, format);
	vsnprintf(line + n, sizeof(line) - (size_t)n - 1, format, args);
	va_end(args);
	strcat(line, "\n");
	if (write(STDERR_FILENO, line, strlen(line)) < 0)
		_exit(3);
	_exit(status);
}

/* Blocks ------------------------------------------------------------------ */

/* No two live objects have the same one. */
static inline uint64_t tag_of(const struct slot *slot)
{
	return ((uintptr_t)slot / sizeof(*slot)) * 0x9e3779b97f4a7c15ull;
}

/* The first word, or less, and the one that ends at end, where they are the tag. */
static inline void check(const char *p, uint64_t end, uint64_t tag, uint64_t size)
{
	if ((end >= WORD && get_word(p) != tag) ||
	    (end >= 2 * WORD && end == size && get_word(p + end - WORD) != tag) ||
	    (end && end < WORD && p[0] != (char)tag))
		die(1, "a block of %llu bytes does not hold what was written to it",
		    (unsigned long long)size);
}

/* Write what of the block lies behind from, and the words that are checked. */
static inline void touch(char *p, uint64_t from, uint64_t size, uint64_t tag)
{
	uint64_t whole = size < whole_bytes ? size : whole_bytes;
	uint64_t at = from > whole ? (from + page_bytes - 1) & ~(page_bytes - 1) : page_bytes;

	if (from < whole)
		memset(p + from, (int)size, whole - from);
	for (; at + WORD <= size; at += page_bytes)
		put_word(p + at, at);
	if (size >= 2 * WORD)
		put_word(p + size - WORD, tag);
	if (size >= WORD)
		put_word(p, tag);
	else if (size)
		memset(p, (int)tag, size);
}

static inline void check_zero(const char *p, uint64_t size)
{
	if (size >= WORD && (get_word(p) || get_word(p + size - WORD)))
		die(1, "calloc of %llu bytes returned memory that is not zero",
		    (unsigned long long)size);
}

/* Waiting ----------------------------------------------------------------- */

static void publish(struct worker *me, uint32_t index)
{
	__atomic_store_n(&me->position, index, __ATOMIC_RELEASE);
}

/* The thread with the lowest position never waits here, so one goes on always. */
static void wait_for_others(struct worker *me, uint32_t index)
{
	unsigned int turn = 0;

	for (;;) {
		uint32_t lowest = DONE;

		publish(me, index);
		for (uint32_t i = 0; i < nr_workers; i++) {
			uint32_t at = __atomic_load_n(&workers[i].position, __ATOMIC_ACQUIRE);

			if (&workers[i] != me && at < lowest)
				lowest = at;
		}
		me->limit = lowest > DONE - window ? DONE : lowest + window;
		if (index <= me->limit)
			return;
		back_off(&turn);
	}
}

/* The object that a step makes is there from now on. */
static inline void publish_slot(struct slot *slot, char *p, uint64_t size)
{
	slot->size = size;
	__atomic_store_n(&slot->p, p, __ATOMIC_RELEASE);
}

/* The object that a step ends; another thread may be about to make it. */
static inline char *take_slot(struct worker *me, const struct step *step, struct slot *slot)
{
	unsigned int turn = 0;
	char *p;

	while (!(p = __atomic_load_n(&slot->p, __ATOMIC_ACQUIRE))) {
		publish(me, step->index);
		back_off(&turn);
	}
	__atomic_store_n(&slot->p, NULL, __ATOMIC_RELAXED);
	return p;
}

/* Steps ------------------------------------------------------------------- */

static inline struct slot *slot_of(struct worker *me, uint32_t slot, bool shared)
{
	return shared ? &shared_slots[slot] : &me->slots[slot];
}

static char *aligned(const struct step *step)
{
	size_t alignment = (size_t)1 << step->align_log2;
	void *p = NULL;

	if (step->op == TRACE_ALIGNED_ALLOC)
		return aligned_alloc(alignment, step->size);
	if (step->op == TRACE_MEMALIGN)
		return memalign(alignment, step->size);
	return posix_memalign(&p, alignment, step->size) ? NULL : p;
}

static inline char *allocate(const struct step *step)
{
	switch (step->op) {
	case TRACE_MALLOC:
		return malloc(step->size);
	case TRACE_CALLOC:
		return calloc(step->nmemb, step->size);
	case TRACE_VALLOC:
		return valloc(step->size);
	default:
		return aligned(step);
	}
}

static inline char *returned(char *p, uint64_t size, const struct step *step)
{
	static const char *const names[] = TRACE_CALL_NAMES;

	if (p)
		return p;
	if (size)
		die(1, "%s of %llu bytes failed", names[step->op], (unsigned long long)size);
	return nothing;
}

static inline void play_alloc(struct worker *me, const struct step *step)
{
	struct slot *slot = slot_of(me, step->slot, step->flags & NEW_SHARED);
	uint64_t size = (uint64_t)step->nmemb * step->size;
	char *p = returned(allocate(step), size, step);

	if (((uintptr_t)p & (((uintptr_t)1 << step->align_log2) - 1)) && p != nothing)
		die(1, "a block is not aligned to %llu bytes", 1ull << step->align_log2);
	if (step->op == TRACE_CALLOC)
		check_zero(p, size);
	touch(p, 0, size, tag_of(slot));
	publish_slot(slot, p, size);
	me->bytes += size;
}

static inline void play_free(struct worker *me, const struct step *step)
{
	struct slot *slot = slot_of(me, step->old, step->flags & OLD_SHARED);
	char *p = take_slot(me, step, slot);

	check(p, slot->size, tag_of(slot), slot->size);
	me->ended_bytes += slot->size;
	me->ended_blocks++;
	free(p == nothing ? NULL : p);
}

static inline void play_realloc(struct worker *me, const struct step *step)
{
	struct slot *slot = slot_of(me, step->slot, step->flags & NEW_SHARED);
	struct slot *old = NULL;
	uint64_t size = (uint64_t)step->nmemb * step->size, old_size = 0, kept;
	char *p = NULL;

	if (step->flags & HAS_OLD) {
		old = slot_of(me, step->old, step->flags & OLD_SHARED);
		p = take_slot(me, step, old);
		old_size = old->size;
		check(p, old_size, tag_of(old), old_size);
		me->ended_bytes += old_size;
		me->ended_blocks++;
	}
	if (p == nothing)
		p = NULL;
	if (step->op == TRACE_REALLOC)
		p = realloc(p, step->size);
	else
		p = reallocarray(p, step->nmemb, step->size);
	p = returned(p, size, step);
	kept = old_size < size ? old_size : size;
	if (kept)
		check(p, kept, tag_of(old), old_size);
	touch(p, kept, size, tag_of(slot));
	publish_slot(slot, p, size);
	me->bytes += size;
}

static void *work(void *arg);

/* The limit of its maker is one among the threads of before: it is found anew. */
static void play_create(struct worker *me, const struct step *step)
{
	struct worker *other = &workers[step->old];

	publish(other, other->first);
	if (pthread_create(&other->handle, NULL, work, other))
		die(1, "thread %u could not be created", step->old);
	__atomic_store_n(&other->created, true, __ATOMIC_RELEASE);
	me->limit = step->index;
}

static void join(struct worker *other)
{
	unsigned int turn = 0;

	while (!__atomic_load_n(&other->created, __ATOMIC_ACQUIRE))
		back_off(&turn);
	pthread_join(other->handle, NULL);
	other->created = false;
}

static inline void play_step(struct worker *me, const struct step *step)
{
	switch (step->op) {
	case TRACE_FREE:
		play_free(me, step);
		break;
	case TRACE_FREE_NULL:
		free(NULL);
		break;
	case TRACE_REALLOC:
	case TRACE_REALLOCARRAY:
		play_realloc(me, step);
		break;
	case TRACE_THREAD_CREATE:
		play_create(me, step);
		return;
	case TRACE_THREAD_JOIN:
		publish(me, step->index);
		join(&workers[step->old]);
		return;
	default:
		play_alloc(me, step);
		break;
	}
	me->calls[step->op]++;
}

/* What is timed; a name to find in profiles. */
static void __attribute__((noinline)) replay_steps(struct worker *me)
{
	const struct step *end = me->steps + me->nr_steps;
	unsigned int until_publish = PUBLISH_EVERY;

	for (const struct step *step = me->steps; step < end; step++) {
		if (!--until_publish) {
			publish(me, step->index);
			until_publish = PUBLISH_EVERY;
		}
		if (step->index > me->limit)
			wait_for_others(me, step->index);
		play_step(me, step);
	}
	publish(me, DONE);
}

static void *work(void *arg)
{
	replay_steps(arg);
	return NULL;
}

static void replay_once(void)
{
	replay_steps(&workers[0]);
	for (uint32_t i = 1; i < nr_workers; i++)
		if (!workers[i].joined)
			join(&workers[i]);
}

static void drop_slots(struct slot *slots, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		if (slots[i].p && slots[i].p != nothing)
			free(slots[i].p);
		slots[i].p = NULL;
	}
}

/* Ready for another time: nothing is live, no thread is there. */
static void rewind_all(void)
{
	for (uint32_t i = 0; i < nr_workers; i++) {
		workers[i].limit = nr_workers > 1 ? 0 : DONE;
		workers[i].position = i ? DONE : 0;
		drop_slots(workers[i].slots, workers[i].nr_slots);
	}
	drop_slots(shared_slots, nr_shared);
}

/* Figures ----------------------------------------------------------------- */

/* Peak RSS begins anew: loading took more than what it left. */
static void forget_peak(void)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "5", 1) != 1)
		errno = 0;
	close(fd);
}

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct figures {
	long peak_rss_kib, rss_kib, mappings;
	double seconds, cpu_seconds;
	struct rusage before, after;
};

static void measure(struct figures *f, unsigned int repeats)
{
	forget_peak();
	getrusage(RUSAGE_SELF, &f->before);
	for (unsigned int i = 0; i < repeats; i++) {
		double wall, cpu;

		rewind_all();
		wall = now(CLOCK_MONOTONIC);
		cpu = now(CLOCK_PROCESS_CPUTIME_ID);
		replay_once();
		f->cpu_seconds += now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
		f->seconds += now(CLOCK_MONOTONIC) - wall;
	}
	getrusage(RUSAGE_SELF, &f->after);
	f->peak_rss_kib = status_kib("VmHWM:");
	f->rss_kib = status_kib("VmRSS:");
	if (f->peak_rss_kib < f->rss_kib)	/* the kernel's counters lag behind each other */
		f->peak_rss_kib = f->rss_kib;
	f->mappings = count_mappings();
}

/* What the workers counted. */
static struct trace_totals played(void)
{
	struct trace_totals sum = { .threads = nr_workers };
	uint64_t made = 0;

	for (uint32_t i = 0; i < nr_workers; i++) {
		for (unsigned int op = 0; op < TRACE_NR_CALLS; op++) {
			sum.calls[op] += workers[i].calls[op];
			made += op < TRACE_FREE ? workers[i].calls[op] : 0;
		}
		sum.bytes += workers[i].bytes;
		sum.live_bytes += workers[i].bytes - workers[i].ended_bytes;
		sum.live_blocks -= workers[i].ended_blocks;
	}
	sum.live_blocks += made;
	return sum;
}

/* Exit where the calls made are not those of the trace, all repeats taken together. */
static void verify(const struct trace *trace, const struct trace_totals *sum, unsigned int repeats)
{
	static const char *const names[] = TRACE_CALL_NAMES;
	const struct trace_totals *said = &trace->totals;

	for (unsigned int op = 0; op < TRACE_NR_CALLS; op++)
		if (sum->calls[op] != said->calls[op] * repeats)
			die(1, "%llu calls of %s, expected %llu",
			    (unsigned long long)sum->calls[op], names[op],
			    (unsigned long long)said->calls[op] * repeats);
	if (sum->bytes != said->bytes * repeats || sum->live_bytes != said->live_bytes * repeats ||
	    sum->live_blocks != said->live_blocks * repeats)
		die(1, "%llu bytes, %llu live in %llu blocks, not what the trace says",
		    (unsigned long long)sum->bytes, (unsigned long long)sum->live_bytes,
		    (unsigned long long)sum->live_blocks);
}

/* The line ---------------------------------------------------------------- */

static char line[4096];
static size_t line_used;

static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line_used += (size_t)vsnprintf(line + line_used, sizeof(line) - line_used, format, args);
	va_end(args);
}

static void say_number(const char *name, uint64_t value)
{
	say(", \"%s\": %llu", name, (unsigned long long)value);
}

static void say_totals(const struct trace_totals *totals)
{
	static const char *const names[] = TRACE_CALL_NAMES;
	uint64_t calls = 0;

	for (unsigned int op = 0; op < TRACE_NR_CALLS; op++)
		calls += totals->calls[op];
	say("\"events\": %llu", (unsigned long long)calls);
	for (unsigned int op = 0; op < TRACE_NR_CALLS; op++)
		say_number(names[op], totals->calls[op]);
	say_number("bytes", totals->bytes);
	say_number("peak_live_bytes", totals->peak_live_bytes);
	say_number("peak_live_blocks", totals->peak_live_blocks);
	say_number("live_bytes", totals->live_bytes);
	say_number("live_blocks", totals->live_blocks);
	say_number("threads", totals->threads);
}

/* How many blocks one thread made and another ended. */
static uint64_t between_threads(const struct trace *trace)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < trace->nr_objects; i++)
		n += trace->objects[i].thread == TRACE_SHARED;
	return n;
}

static void say_figures(const struct figures *f)
{
	void *entry = dlsym(RTLD_DEFAULT, "malloc");
	Dl_info info;

	say("\"malloc_from\": \"%s\", \"seconds\": %.9f, \"cpu_seconds\": %.9f, ",
	    entry && dladdr(entry, &info) ? info.dli_fname : "", f->seconds, f->cpu_seconds);
	say("\"table_kib\": %zu, \"peak_rss_kib\": %ld, \"rss_kib\": %ld, \"mappings\": %ld, ",
	    table_bytes() >> 10, f->peak_rss_kib, f->rss_kib, f->mappings);
	say("\"minor_faults\": %ld, \"major_faults\": %ld, ",
	    f->after.ru_minflt - f->before.ru_minflt, f->after.ru_majflt - f->before.ru_majflt);
	say("\"voluntary_switches\": %ld, \"involuntary_switches\": %ld, ",
	    f->after.ru_nvcsw - f->before.ru_nvcsw, f->after.ru_nivcsw - f->before.ru_nivcsw);
}

/* Options ----------------------------------------------------------------- */

struct options {
	bool serial, partial, info;
	unsigned int repeats;
};

static unsigned int number(const char *option, const char *text)
{
	char *end;
	unsigned long value = text ? strtoul(text, &end, 10) : 0;

	if (!text || *end || value < 1 || value > 1000000000) {
		input = option;
		die(2, "expected a number from 1 to 1000000000");
	}
	return (unsigned int)value;
}

static struct options parse(int argc, char **argv)
{
	struct options o = { .repeats = 1 };
	const char *file = NULL;

	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];

		if (!strcmp(arg, "--threads") || !strcmp(arg, "--serial"))
			o.serial = arg[2] == 's';
		else if (!strcmp(arg, "--partial"))
			o.partial = true;
		else if (!strcmp(arg, "--info"))
			o.info = true;
		else if (!strcmp(arg, "--repeat"))
			o.repeats = number(arg, argv[++i]);
		else if (!strcmp(arg, "--window"))
			window = number(arg, argv[++i]);
		else if (!strcmp(arg, "--no-touch"))
			whole_bytes = 0, page_bytes = (size_t)1 << 62;
		else if ((arg[0] == '-' && arg[1]) || file) {
			input = arg;
			die(2, "expected [--threads | --serial] [--repeat N] [--no-touch] "
			       "[--window N] [--partial] [--info] TRACE");
		} else {
			file = arg;
		}
	}
	if (!file)
		die(2, "expected a trace, or - for stdin");
	input = file;
	return o;
}

static void read_input(struct trace *trace, bool partial)
{
	bool from_stdin = !strcmp(input, "-");
	int fd = from_stdin ? STDIN_FILENO : open(input, O_RDONLY | O_CLOEXEC);
	const char *why;

	if (fd < 0)
		die(1, "%s", strerror(errno));
	if (from_stdin)
		input = "stdin";
	if (!trace_read(trace, fd, input, partial, &why))
		die(1, "%s", why);
	if (!(trace->header.flags & TRACE_COMPLETE)) {
		char note[128];
		int n = snprintf(note, sizeof(note), "replay: incomplete: %u events are there, "
				 "the last ones are missing\n", trace->nr_events);

		if (write(STDERR_FILENO, note, (size_t)n) < 0)
			_exit(3);
	}
	close(fd);
}

int main(int argc, char **argv)
{
	struct options o = parse(argc, argv);
	struct figures figures = { 0 };
	struct trace_totals sum;
	struct trace trace;
	uint64_t between;

	read_input(&trace, o.partial);
	between = between_threads(&trace);
	say("{");
	if (!o.info) {
		load(&trace, o.serial);
		trace_drop(&trace);
		measure(&figures, o.repeats);
		say_figures(&figures);
		sum = played();
		verify(&trace, &sum, o.repeats);
	}
	say_totals(&trace.totals);
	say_number("between_threads", between);
	if (o.info)
		say_number("nr_unknown", trace.header.nr_unknown);
	say("}\n");
	return write(STDOUT_FILENO, line, line_used) == (ssize_t)line_used ? 0 : 1;
}

// SPDX-License-Identifier: MIT
/*
 * trace_read.c - read allocation traces (trace.h) and check them
 *
 * Two passes over the body: the first finds where it ends and how many objects and
 * threads there are, the second checks each event against what went before.  The
 * walk of trace_next() that follows can trust the trace.
 */
#define _GNU_SOURCE
#include "trace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHUNK		((size_t)1 << 20)
#define MAX_EVENTS	(UINT32_MAX / 2)

static char message[160];

static void *map(size_t bytes)
{
	void *p = mmap(NULL, bytes ? bytes : 1, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static const char *read_all(struct trace *trace, int fd, size_t *total)
{
	char *text = NULL;
	size_t room = 0, used = 0;
	ssize_t n;

	do {
		if (used == room) {
			text = room ? mremap(text, room, 2 * room, MREMAP_MAYMOVE) : map(CHUNK);
			if (!text || text == MAP_FAILED)
				return "no memory for the trace";
			room = room ? 2 * room : CHUNK;
		}
		n = read(fd, text + used, room - used);
		if (n > 0)
			used += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	trace->body = (uint8_t *)text + sizeof(trace->header);
	trace->mapped = room;
	*total = used;
	return n < 0 ? strerror(errno) : NULL;
}

static const char *check_header(struct trace *trace, size_t total, bool partial)
{
	const uint8_t *start = trace->body - sizeof(trace->header);

	if (total >= 6 && !memcmp(start, "\3757zXZ", 6))
		return "compressed; expected the output of xz -dc";
	if (total < sizeof(trace->header) || memcmp(start, TRACE_MAGIC, sizeof(TRACE_MAGIC) - 1))
		return "not a trace: no header of one";
	memcpy(&trace->header, start, sizeof(trace->header));
	if (trace->header.version != TRACE_VERSION)
		return "a trace of another version than 1";
	trace->body_bytes = total - sizeof(trace->header);
	if (!(trace->header.flags & TRACE_COMPLETE))
		return partial ? NULL : "incomplete, as its program was killed or still runs; "
					"--partial takes what is there";
	if (trace->body_bytes != trace->header.body_bytes) {
		snprintf(message, sizeof(message), "truncated: %zu bytes of events, expected %llu",
			 trace->body_bytes, (unsigned long long)trace->header.body_bytes);
		return message;
	}
	if (trace_checksum(TRACE_FNV_START, trace->body, trace->body_bytes) !=
	    trace->header.checksum)
		return "corrupt: the checksum of its events differs from the header's";
	return NULL;
}

/* Events ------------------------------------------------------------------ */

static bool get(struct trace_cursor *c, uint64_t *value)
{
	*value = 0;
	for (unsigned int shift = 0; shift < 70 && c->at < c->trace->body_bytes; shift += 7) {
		uint8_t byte = c->trace->body[c->at++];

		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

/* An operand that is a number of an object or a thread, or log2 of an alignment. */
static bool get_below(struct trace_cursor *c, uint32_t *value, uint32_t limit)
{
	uint64_t wide;

	if (!get(c, &wide) || wide >= limit)
		return false;
	*value = (uint32_t)wide;
	return true;
}

static bool get_old(struct trace_cursor *c, struct trace_event *event)
{
	uint32_t distance;

	if (!get_below(c, &distance, c->nr_objects + 1))
		return false;
	if (distance)
		event->old = c->nr_objects - distance;
	return distance || event->op != TRACE_FREE;
}

static bool get_call(struct trace_cursor *c, struct trace_event *event)
{
	switch (event->op) {
	case TRACE_FREE_NULL:
		return true;
	case TRACE_FREE:
		return get_old(c, event);
	case TRACE_REALLOC:
	case TRACE_REALLOCARRAY:
		if (!get_old(c, event))
			return false;
		break;
	case TRACE_POSIX_MEMALIGN:
	case TRACE_ALIGNED_ALLOC:
	case TRACE_MEMALIGN:
		if (!get_below(c, &event->align_log2, 48))
			return false;
		break;
	default:
		break;
	}
	if ((event->op == TRACE_CALLOC || event->op == TRACE_REALLOCARRAY) &&
	    !get(c, &event->nmemb))
		return false;
	event->object = c->nr_objects++;
	return get(c, &event->size);
}

bool trace_next(struct trace_cursor *c, struct trace_event *event)
{
	uint64_t op;

	*event = (struct trace_event){ .object = TRACE_NONE, .old = TRACE_NONE,
				       .other = TRACE_NONE, .nmemb = 1 };
	do {
		if (!get(c, &op) || op >= TRACE_NR_OPS)
			return false;
		if (op == TRACE_THREAD_RUN && !get_below(c, &c->thread, c->nr_threads))
			return false;
	} while (op == TRACE_THREAD_RUN);
	event->op = (enum trace_op)op;
	event->index = c->index++;
	event->thread = c->thread;
	if (op == TRACE_THREAD_CREATE)
		event->other = c->nr_threads++;
	if (op == TRACE_THREAD_JOIN)
		return get_below(c, &event->other, c->nr_threads);
	return op >= TRACE_NR_CALLS || get_call(c, event);
}

/* Checks ------------------------------------------------------------------ */

static const char *measure(struct trace *trace)
{
	struct trace_cursor c = trace_begin(trace);
	struct trace_event event;
	size_t whole = 0;

	while (c.index < MAX_EVENTS && trace_next(&c, &event)) {
		whole = c.at;
		trace->nr_events = c.index;
		trace->nr_objects = c.nr_objects;
		trace->nr_threads = c.nr_threads;
	}
	if (whole != trace->body_bytes && (trace->header.flags & TRACE_COMPLETE)) {
		snprintf(message, sizeof(message), "corrupt: no event at byte %zu of its body",
			 whole);
		return message;
	}
	trace->body_bytes = whole;
	if (!trace->nr_events)
		return "empty: no event";
	trace->objects = map(trace->nr_objects * sizeof(*trace->objects));
	trace->threads = map(trace->nr_threads * sizeof(*trace->threads));
	if (!trace->objects || !trace->threads)
		return "no memory for the tables of the trace";
	return trace->nr_threads > TRACE_MAX_THREADS ? "corrupt: more than 4096 threads" : NULL;
}

static const char *end_object(struct trace *trace, const struct trace_event *event)
{
	struct trace_object *old = &trace->objects[event->old];

	if (old->ended)
		return "an object ends twice";
	old->ended = true;
	if (old->thread != event->thread)
		old->thread = TRACE_SHARED;
	trace_count_end(&trace->totals, old->size);
	return NULL;
}

static const char *make_object(struct trace *trace, const struct trace_event *event)
{
	uint64_t bytes;

	if (__builtin_mul_overflow(event->nmemb, event->size, &bytes) || bytes > SIZE_MAX / 4)
		return "a block is larger than memory";
	trace->objects[event->object] = (struct trace_object){ bytes, event->thread, false };
	trace_count_object(&trace->totals, bytes);
	return NULL;
}

static const char *check_join(struct trace *trace, const struct trace_event *event)
{
	struct trace_thread *other = &trace->threads[event->other];

	if (event->other == event->thread || !event->other || other->joined)
		return "a thread is joined that can not be";
	other->joined = true;
	return NULL;
}

static const char *check_event(struct trace *trace, const struct trace_event *event)
{
	struct trace_thread *thread = &trace->threads[event->thread];
	const char *wrong = NULL;

	if (thread->joined)
		return "an event of a thread that was joined";
	if (thread->first == TRACE_NONE)
		thread->first = event->index;
	thread->last = event->index;
	if (event->op < TRACE_NR_CALLS)
		trace->totals.calls[event->op]++;
	else if (event->op == TRACE_THREAD_END)
		thread->ended = true;
	else if (event->op == TRACE_THREAD_JOIN)
		wrong = check_join(trace, event);
	if (!wrong && event->old != TRACE_NONE)
		wrong = end_object(trace, event);
	if (!wrong && event->object != TRACE_NONE)
		wrong = make_object(trace, event);
	return wrong;
}

static const char *check_events(struct trace *trace)
{
	struct trace_cursor c = trace_begin(trace);
	struct trace_event event;
	const char *wrong = NULL;

	for (uint32_t i = 0; i < trace->nr_threads; i++)
		trace->threads[i].first = TRACE_NONE;
	while (!wrong && c.at < trace->body_bytes && trace_next(&c, &event))
		wrong = check_event(trace, &event);
	if (wrong) {
		snprintf(message, sizeof(message), "corrupt: event %u: %s", c.index - 1, wrong);
		return message;
	}
	trace->totals.threads = trace->nr_threads;
	if ((trace->header.flags & TRACE_COMPLETE) &&
	    memcmp(&trace->totals, &trace->header.totals, sizeof(trace->totals)))
		return "corrupt: its events do not come to the totals of its header";
	return NULL;
}

bool trace_read(struct trace *trace, int fd, const char *name, bool partial, const char **why)
{
	size_t total;

	*trace = (struct trace){ .name = name, .nr_threads = 1 };
	*why = read_all(trace, fd, &total);
	if (!*why)
		*why = check_header(trace, total, partial);
	if (!*why)
		*why = measure(trace);
	if (!*why)
		*why = check_events(trace);
	return !*why;
}

void trace_drop(struct trace *trace)
{
	munmap((void *)(trace->body - sizeof(trace->header)), trace->mapped);
	munmap(trace->objects, trace->nr_objects * sizeof(*trace->objects));
	munmap(trace->threads, trace->nr_threads * sizeof(*trace->threads));
}

// SPDX-License-Identifier: MIT
/*
 * replay_load.c - the tables of the player (replay.h) from a trace
 *
 * Everything is decided here that does not depend on the allocator: which thread does
 * what, and where the address of each block is kept.  A block that one thread makes and
 * ends has one of the slots of that thread, used again as soon as it is free, so that
 * they stay as few, and as warm, as the pointers of the program were.  A block that two
 * threads deal with has a slot of its own, which is how the one waits for the other.
 */
#define _GNU_SOURCE
#include "replay.h"

#include <stdlib.h>
#include <sys/mman.h>

static size_t total_bytes;

size_t table_bytes(void)
{
	return total_bytes;
}

static size_t table_size(size_t members, size_t size)
{
	return (members * size + 4096) & ~(size_t)(4096 - 1);
}

/* Zeroed. */
static void *table(size_t members, size_t size)
{
	size_t bytes = table_size(members, size);
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		die(1, "no memory for the tables of the player");
	total_bytes += bytes;
	return p;
}

static void table_drop(void *p, size_t members, size_t size)
{
	munmap(p, table_size(members, size));
	total_bytes -= table_size(members, size);
}

struct loader {
	const struct trace *trace;
	bool serial, storing;
	bool *reaped;			/* by thread: a join was made up for it */
	uint32_t *slots;		/* by object */
};

static struct step *add_step(struct loader *l, const struct trace_event *event)
{
	struct worker *worker = &workers[l->serial ? 0 : event->thread];
	struct step *step = l->storing ? &worker->steps[worker->nr_steps] : NULL;

	if (worker->first == DONE)
		worker->first = event->index;
	worker->nr_steps++;
	if (!step)
		return NULL;
	step->op = (uint8_t)event->op;
	step->align_log2 = (uint8_t)event->align_log2;
	step->index = event->index;
	step->old = event->other;
	step->nmemb = (uint32_t)event->nmemb;
	step->size = (uint32_t)event->size;
	return step;
}

/* Where the object will be while it lives.  The slot freed last is taken first. */
static void make_slot(struct loader *l, const struct trace_event *event, struct step *step)
{
	uint32_t owner = l->serial ? 0 : l->trace->objects[event->object].thread;
	struct worker *worker;
	uint32_t slot;

	if (owner == TRACE_SHARED) {
		slot = nr_shared++;
		if (step)
			step->flags |= NEW_SHARED;
	} else {
		worker = &workers[owner];
		if (++worker->live > worker->nr_slots)
			worker->nr_slots = worker->live;
		if (!step)
			return;
		slot = worker->nr_free ? worker->free_slots[--worker->nr_free] : worker->live - 1;
	}
	if (!step)
		return;
	step->slot = slot;
	l->slots[event->object] = slot;
}

static void end_slot(struct loader *l, const struct trace_event *event, struct step *step)
{
	uint32_t owner = l->serial ? 0 : l->trace->objects[event->old].thread;

	if (step) {
		step->flags |= HAS_OLD | (owner == TRACE_SHARED ? OLD_SHARED : 0);
		step->old = l->slots[event->old];
	}
	if (owner == TRACE_SHARED)
		return;
	workers[owner].live--;
	if (step)
		workers[owner].free_slots[workers[owner].nr_free++] = step->old;
}

/* Before a thread is made: join those that have ended and that nothing joins. */
static void reap(struct loader *l, const struct trace_event *create)
{
	struct trace_event join_event = *create;

	join_event.op = TRACE_THREAD_JOIN;
	for (uint32_t i = 1; i < create->other; i++) {
		const struct trace_thread *thread = &l->trace->threads[i];

		if (!thread->ended || thread->joined || thread->last > create->index ||
		    i == create->thread || l->reaped[i])
			continue;
		join_event.other = i;
		add_step(l, &join_event);
		l->reaped[i] = true;
		workers[i].joined = true;
	}
}

static void load_event(struct loader *l, const struct trace_event *event)
{
	struct step *step;

	if (event->op == TRACE_THREAD_END || (l->serial && event->op >= TRACE_NR_CALLS))
		return;
	if (event->size > UINT32_MAX || event->nmemb > UINT32_MAX)
		die(1, "event %u: expected a block of less than 4 GiB", event->index);
	if (event->op == TRACE_THREAD_CREATE)
		reap(l, event);
	if (event->op == TRACE_THREAD_JOIN)
		workers[event->other].joined = true;
	step = add_step(l, event);
	if (event->old != TRACE_NONE)
		end_slot(l, event, step);
	if (event->object != TRACE_NONE)
		make_slot(l, event, step);
}

static void load_pass(struct loader *l, bool storing)
{
	struct trace_cursor cursor = trace_begin(l->trace);
	struct trace_event event;

	l->storing = storing;
	nr_shared = 0;
	for (uint32_t i = 0; i < nr_workers; i++) {
		workers[i].nr_steps = 0;
		workers[i].live = 0;
		workers[i].first = DONE;
		l->reaped[i] = false;
	}
	while (cursor.at < l->trace->body_bytes && trace_next(&cursor, &event))
		load_event(l, &event);
}

/* The first pass counts, the second one stores. */
void load(const struct trace *trace, bool serial)
{
	struct loader l = { .trace = trace, .serial = serial };

	nr_workers = serial ? 1 : trace->nr_threads;
	workers = table(nr_workers, sizeof(*workers));
	l.reaped = table(trace->nr_threads, sizeof(*l.reaped));
	l.slots = table(trace->nr_objects, sizeof(*l.slots));
	load_pass(&l, false);
	for (uint32_t i = 0; i < nr_workers; i++) {
		workers[i].steps = table(workers[i].nr_steps, sizeof(struct step));
		workers[i].slots = table(workers[i].nr_slots, sizeof(struct slot));
		workers[i].free_slots = table(workers[i].nr_slots, sizeof(uint32_t));
	}
	shared_slots = table(nr_shared, sizeof(struct slot));
	load_pass(&l, true);
	for (uint32_t i = 0; i < nr_workers; i++)
		table_drop(workers[i].free_slots, workers[i].nr_slots, sizeof(uint32_t));
	table_drop(l.slots, trace->nr_objects, sizeof(*l.slots));
	table_drop(l.reaped, trace->nr_threads, sizeof(*l.reaped));
}

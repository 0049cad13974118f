/* SPDX-License-Identifier: MIT */
/*
 * replay.h - what the player plays: a table of steps for each thread
 *
 * replay_load.c fills them from a trace, replay.c plays them.
 */
#ifndef BENCH_REPLAY_H
#define BENCH_REPLAY_H

#include "trace.h"

#include <pthread.h>

#define DONE		UINT32_MAX

/* Where a live object is.  p is null when there is none; see publish_slot(). */
struct slot {
	char *p;
	uint64_t size;
};

enum step_flags {
	NEW_SHARED	= 1 << 0,	/* slot, or old, is one of the shared slots */
	OLD_SHARED	= 1 << 1,
	HAS_OLD		= 1 << 2,
};

struct step {
	uint8_t op;			/* enum trace_op */
	uint8_t align_log2;
	uint16_t flags;
	uint32_t index;			/* in the total order */
	uint32_t old;			/* slot, or the thread made or joined */
	uint32_t slot;
	uint32_t nmemb, size;
};

struct worker {
	/* The index of its next step, more or less: never later.  Others read it. */
	_Alignas(64) uint32_t position;
	bool created;			/* handle is valid */

	_Alignas(64) struct step *steps;
	struct slot *slots;		/* of objects that are its alone; last freed, first used */
	uint32_t nr_steps, nr_slots;
	uint32_t limit;			/* no step of a later index yet */
	uint32_t first;			/* index of its first step, DONE without any */
	bool joined;			/* by a step */
	pthread_t handle;
	uint64_t calls[TRACE_NR_CALLS];
	uint64_t bytes, ended_bytes, ended_blocks;

	/* While loading. */
	uint32_t live;
	uint32_t *free_slots;
	uint32_t nr_free;
};

extern struct worker *workers;
extern uint32_t nr_workers;
extern struct slot *shared_slots;
extern uint32_t nr_shared;
extern const char *input;		/* the name of the trace, for messages */

/* Fill the tables.  serial: all steps are of one worker. */
void load(const struct trace *trace, bool serial);

/* Of the tables there are, all of them resident. */
size_t table_bytes(void);

/* One line on stderr, and the end. */
void die(int status, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));

#endif

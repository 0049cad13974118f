/* SPDX-License-Identifier: MIT */
/*
 * base.h - what the bodies of the benchmarks (common.h) and the player share
 */
#ifndef BENCH_BASE_H
#define BENCH_BASE_H

#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

static inline void put_word(char *p, uint64_t word)
{
	memcpy(p, &word, sizeof(word));
}

static inline uint64_t get_word(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/*
 * Nothing to do.  There may be more threads than cores, so others must run, and
 * sched_yield() alone would give most of the time to those that only wait.
 */
static inline void back_off(unsigned int *waits)
{
	static const struct timespec nap = { 0, 20000 };

	if (++*waits < 64)
		__asm__ volatile("" : : : "memory");
	else if (*waits < 80)
		sched_yield();
	else
		nanosleep(&nap, NULL);
}

#endif

// SPDX-License-Identifier: MIT
/*
 * clock.c - a clock that stands still, to be preloaded by the gate (bench/check)
 *
 * The allocator gives memory back by what the clock says, and under callgrind or
 * beside other work a path takes a time of its own each run.  With this in place
 * of clock_gettime() nothing that is counted depends on it.
 */
#define _GNU_SOURCE
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
	(void)clock;
	now->tv_sec = 1000;
	now->tv_nsec = 0;
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * paths.h - programs that each run one fixed path, for the gate (bench/check)
 *
 * A path is a function that does the same n operations each time it is called.
 * paths_main.c calls it twice: once so that caches are filled and symbols bound,
 * and once through measured_main(), the function in which callgrind counts.
 * What is counted must not depend on time, addresses or the scheduler: a path
 * that needs another thread exchanges bytes with it through pipes, whose calls
 * take the same instructions whether they had to wait or not.
 */
#ifndef BENCH_PATHS_H
#define BENCH_PATHS_H

#include "common.h"

struct path {
	const char *name;
	void (*run)(unsigned long n);
	unsigned long n;		/* operations, unless told on the command line */
	const char *what;		/* an operation, in words */
};

/* The program's. The table ends with a name NULL; the function is one of the library's. */
extern const struct path paths_table[];
const void *paths_function(void);

/* True in the call that is measured. */
extern bool paths_measuring;

#endif

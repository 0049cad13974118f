/* SPDX-License-Identifier: MIT */
/*
 * server.h - the server pattern: blocks outlive the threads that made them
 *
 * Each service has a set of blocks and one short-lived thread after another, each of
 * which inherits the set, replaces most of it and ends.  bench-threads takes the time
 * of all of it, latency that of each call.
 */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#define SERVER_BLOCKS	1000
#define SERVER_LIFE	2000	/* replacements, after which 86 % of the set are new */
/* Of rnd_size(): blocks of 16 bytes to 1 KiB. */
#define SERVER_LOW	4
#define SERVER_HIGH	10

#endif

// SPDX-License-Identifier: MIT
/*
 * burst.c - how much of a burst of blocks stays resident once it is freed
 *
 *	burst all ORDER		free all, sleep 2 s
 *	burst thread ORDER	the same, freed by another thread, while the one
 *				that allocated sleeps in pthread_join()
 *	burst exit ORDER	the same, and the freeing thread has ended too
 *	burst tenth ORDER	every tenth block lives on; malloc_trim(0)
 *	burst loop COUNT	COUNT bursts; prints the CPU seconds they took
 *
 * ORDER is order, reverse or random.  With tenth it says which ones live: every
 * tenth in order of allocation (order, reverse) or one in ten at random.  Prints
 * "burst=KIB left=KIB percent=N": the growth of RSS by the burst, what is left
 * of it, and that in percent, rounded up.  Between the last free, or the
 * trim, and the measurement the program calls nothing but nanosleep, open, read
 * and close.
 */
#include <malloc.h>
#include <pthread.h>

#include "memory.h"

#define NR_BLOCKS	100000
#define BLOCK_SIZE	1000
#define KEEP_ONE_IN	10
#define IDLE_MS		2000

static struct {
	char *block[NR_BLOCKS];
	long before, full, left;
} burst;

static void allocate_all(void)
{
	for (unsigned int i = 0; i < NR_BLOCKS; i++) {
		burst.block[i] = must(malloc(BLOCK_SIZE));
		memset(burst.block[i], (int)(i % 251) + 1, BLOCK_SIZE);
	}
}

static void swap_blocks(unsigned int a, unsigned int b)
{
	char *t = burst.block[a];

	burst.block[a] = burst.block[b];
	burst.block[b] = t;
}

static void arrange(const char *order)
{
	uint64_t seed = 0x9e3779b97f4a7c15;

	if (!strcmp(order, "reverse")) {
		for (unsigned int i = 0; i < NR_BLOCKS / 2; i++)
			swap_blocks(i, NR_BLOCKS - 1 - i);
	} else if (!strcmp(order, "random")) {
		for (unsigned int i = NR_BLOCKS - 1; i > 0; i--)
			swap_blocks(i, (unsigned int)(rnd(&seed) % (i + 1)));
	} else if (strcmp(order, "order")) {
		give_up("the order is order, reverse or random");
	}
}

static void free_all(void)
{
	for (unsigned int i = 0; i < NR_BLOCKS; i++)
		free(burst.block[i]);
}

/* What lives on must still hold what was written to it. */
static void check_kept(void)
{
	for (unsigned int i = 0; i < NR_BLOCKS; i += KEEP_ONE_IN) {
		const char *p = burst.block[i];

		for (unsigned int at = 1; at < BLOCK_SIZE; at++)
			if (p[at] != p[0] || !p[0])
				give_up("a block that is alive was changed");
	}
}

static void free_most(void)
{
	for (unsigned int i = 0; i < NR_BLOCKS; i++)
		if (i % KEEP_ONE_IN)
			free(burst.block[i]);
	malloc_trim(0);
	burst.left = rss_kib();
	check_kept();
}

static void *free_and_measure(void *arg)
{
	free_all();
	sleep_ms(IDLE_MS);
	burst.left = rss_kib();
	return arg;
}

static void *free_only(void *arg)
{
	free_all();
	return arg;
}

static void in_thread(void *(*work)(void *))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, work, NULL))
		give_up("pthread_create failed");
	pthread_join(thread, NULL);
}

static int report(void)
{
	long full = burst.full - burst.before;
	long left = burst.left > burst.before ? burst.left - burst.before : 0;

	if (full < (long)NR_BLOCKS * BLOCK_SIZE / 1024)
		give_up("the burst was never resident");
	printf("burst=%ld left=%ld percent=%ld\n", full, left, (left * 100 + full - 1) / full);
	return 0;
}

static int loop(unsigned int count)
{
	double start = cpu_seconds();

	while (count--) {
		allocate_all();
		free_all();
	}
	printf("%.4f\n", cpu_seconds() - start);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		give_up("usage: burst all|thread|exit|tenth ORDER | burst loop COUNT");
	if (!strcmp(argv[1], "loop"))
		return loop((unsigned int)strtoul(argv[2], NULL, 10));

	memset(burst.block, 1, sizeof(burst.block));
	free(must(malloc(BLOCK_SIZE)));
	burst.before = rss_kib();
	burst.before = rss_kib();	/* the first look made its own pages resident */
	allocate_all();
	burst.full = rss_kib();
	arrange(argv[2]);
	if (!strcmp(argv[1], "all")) {
		free_and_measure(NULL);
	} else if (!strcmp(argv[1], "thread")) {
		in_thread(free_and_measure);
	} else if (!strcmp(argv[1], "exit")) {
		in_thread(free_only);
		sleep_ms(IDLE_MS);
		burst.left = rss_kib();
	} else if (!strcmp(argv[1], "tenth")) {
		free_most();
	} else {
		give_up("the mode is all, thread, exit, tenth or loop");
	}
	return report();
}

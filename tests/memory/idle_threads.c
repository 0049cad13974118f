// SPDX-License-Identifier: MIT
/*
 * idle_threads.c - what 100 threads hold that only sleep
 *
 *	idle_threads none	they never call malloc
 *	idle_threads one	each gets one block of 100 bytes, and keeps it
 *	idle_threads burst	each gets 4000 blocks of 16 to 4096 bytes, all alive
 *				at once, and frees them; one thread after the other
 *	idle_threads together	the same, and all threads do it at the same time
 *
 * Prints "threads=N peak=KIB idle=KIB": the growth of RSS when all that is
 * alive at the same time was, and two seconds after the last call, the threads
 * still sleeping.
 */
#include <pthread.h>

#include "memory.h"

#define NR_THREADS	100
#define NR_BLOCKS	4000
#define STACK_SIZE	(256 * 1024)
#define IDLE_MS		2000

static struct {
	char *block[NR_THREADS][NR_BLOCKS];
	pthread_barrier_t full, freed, end;
	pthread_mutex_t one_by_one;
	const char *mode;
	long base, peak;
} idle = { .one_by_one = PTHREAD_MUTEX_INITIALIZER };

static void look(void)
{
	long rss = rss_kib() - idle.base;

	if (rss > idle.peak)
		idle.peak = rss;
}

static void fill(char **block, uint64_t seed)
{
	for (unsigned int i = 0; i < NR_BLOCKS; i++) {
		size_t size = rnd_size(&seed, 4, 12);

		block[i] = must(malloc(size));
		memset(block[i], 1, size);
	}
}

static void drop(char **block)
{
	for (unsigned int i = 0; i < NR_BLOCKS; i++)
		free(block[i]);
}

static void *work(void *arg)
{
	unsigned int me = (unsigned int)(uintptr_t)arg;
	char **block = idle.block[me];

	if (!strcmp(idle.mode, "one")) {
		block[0] = must(malloc(100));
		memset(block[0], 1, 100);
	} else if (!strcmp(idle.mode, "burst")) {
		pthread_mutex_lock(&idle.one_by_one);
		fill(block, me + 1);
		look();
		drop(block);
		pthread_mutex_unlock(&idle.one_by_one);
	} else if (!strcmp(idle.mode, "together")) {
		fill(block, me + 1);
		if (pthread_barrier_wait(&idle.full) == PTHREAD_BARRIER_SERIAL_THREAD)
			look();
		pthread_barrier_wait(&idle.full);
		drop(block);
	}
	pthread_barrier_wait(&idle.freed);
	pthread_barrier_wait(&idle.end);
	return NULL;
}

int main(int argc, char **argv)
{
	static pthread_t thread[NR_THREADS];
	pthread_attr_t attributes;
	long left;

	idle.mode = argc == 2 ? argv[1] : "";
	if (strcmp(idle.mode, "none") && strcmp(idle.mode, "one") && strcmp(idle.mode, "burst") &&
	    strcmp(idle.mode, "together"))
		give_up("usage: idle_threads none|one|burst|together");
	memset(idle.block, 1, sizeof(idle.block));
	pthread_barrier_init(&idle.full, NULL, NR_THREADS);
	pthread_barrier_init(&idle.freed, NULL, NR_THREADS + 1);
	pthread_barrier_init(&idle.end, NULL, NR_THREADS + 1);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	free(must(malloc(100)));
	idle.base = rss_kib();
	idle.base = rss_kib();
	for (unsigned int i = 0; i < NR_THREADS; i++)
		if (pthread_create(&thread[i], &attributes, work, (void *)(uintptr_t)i))
			give_up("pthread_create failed");
	pthread_barrier_wait(&idle.freed);
	sleep_ms(IDLE_MS);
	left = rss_kib() - idle.base;
	look();
	pthread_barrier_wait(&idle.end);
	for (unsigned int i = 0; i < NR_THREADS; i++)
		pthread_join(thread[i], NULL);
	printf("threads=%d peak=%ld idle=%ld\n", NR_THREADS, idle.peak, left);
	return 0;
}

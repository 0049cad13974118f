// SPDX-License-Identifier: MIT
/*
 * prodcons_rss.c - is the RSS of a producer and a consumer bounded
 *
 *	prodcons_rss steady	one thread gets and fills, one checks and frees
 *	prodcons_rss consumers	the consumer ends and is replaced, many times
 *	prodcons_rss producers	the producer is
 *	prodcons_rss turns	two threads, who change roles with each lot
 *	prodcons_rss sizes	steady, and the sizes drift from class to class
 *
 * At most QUEUE blocks of at most 1 KiB are alive at any time, so that a memory
 * that grows with the number of blocks handed over is seen at once.  Prints
 * "early=KIB peak=KIB", the growth of RSS in the first tenth and in all.
 */
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "memory.h"

#define QUEUE		1000
#define NR_BLOCKS	2000000
#define LOT		10000
#define NR_LOTS		(NR_BLOCKS / LOT)

struct parcel {
	unsigned char *p;
	size_t size;
};

static struct {
	struct parcel slot[QUEUE];
	alignas(64) _Atomic unsigned long head;
	alignas(64) _Atomic unsigned long tail;
	uint64_t seed;
	int drift;
	long base, early, peak;
} queue = { .seed = 0x9e3779b97f4a7c15 };

static size_t next_size(unsigned long count)
{
	unsigned int phase = (unsigned int)(count / LOT);

	if (queue.drift)
		return 16 + phase * 48 % 1000 + rnd(&queue.seed) % 8;
	return rnd_size(&queue.seed, 4, 10);
}

static void produce(unsigned long n)
{
	unsigned long head = atomic_load_explicit(&queue.head, memory_order_relaxed);

	for (unsigned long end = head + n; head < end; head++) {
		struct parcel *s = &queue.slot[head % QUEUE];

		/* pairs with the release in consume() */
		while (head - atomic_load_explicit(&queue.tail, memory_order_acquire) == QUEUE)
			sched_yield();
		s->size = next_size(head);
		s->p = must(malloc(s->size));
		memset(s->p, (int)(head % 251), s->size);
		/* pairs with the acquire in consume() */
		atomic_store_explicit(&queue.head, head + 1, memory_order_release);
	}
}

static void consume(unsigned long n)
{
	unsigned long tail = atomic_load_explicit(&queue.tail, memory_order_relaxed);

	for (unsigned long end = tail + n; tail < end; tail++) {
		struct parcel *s = &queue.slot[tail % QUEUE];

		/* pairs with the release in produce() */
		while (atomic_load_explicit(&queue.head, memory_order_acquire) == tail)
			sched_yield();
		if (s->p[0] != tail % 251 || s->p[s->size - 1] != tail % 251)
			give_up("a block does not hold what was written to it");
		free(s->p);
		/* pairs with the acquire in produce() */
		atomic_store_explicit(&queue.tail, tail + 1, memory_order_release);
	}
}

static void look(unsigned int lot)
{
	long rss = rss_kib() - queue.base;

	if (rss > queue.peak)
		queue.peak = rss;
	if (lot == NR_LOTS / 10)
		queue.early = queue.peak;
}

static void *produce_all(void *arg)
{
	produce(NR_BLOCKS);
	return arg;
}

static void *consume_all(void *arg)
{
	consume(NR_BLOCKS);
	return arg;
}

static void *produce_lot(void *arg)
{
	produce(LOT);
	return arg;
}

static void *consume_lot(void *arg)
{
	consume(LOT);
	return arg;
}

/* The two that change roles: odd lots are produced by one, even ones by the other. */
static void *take_turns(void *arg)
{
	unsigned int me = arg != NULL;

	for (unsigned int lot = 0; lot < NR_LOTS; lot++) {
		/* a lot is over for both before either starts the next */
		if (lot % 2 == me)
			produce(LOT);
		else
			consume(LOT);
		while (atomic_load_explicit(&queue.tail, memory_order_acquire) <
		       (unsigned long)(lot + 1) * LOT)
			sched_yield();
		if (me)
			look(lot);
	}
	return NULL;
}

static pthread_t start_thread(void *(*work)(void *), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, work, arg))
		give_up("pthread_create failed");
	return thread;
}

/* One side for all, in a thread; the other in lots, here or in a thread for each. */
static void run(void *(*whole)(void *), void *(*lot_work)(void *), int replaced)
{
	pthread_t other = start_thread(whole, NULL);

	for (unsigned int lot = 0; lot < NR_LOTS; lot++) {
		if (replaced)
			pthread_join(start_thread(lot_work, NULL), NULL);
		else
			lot_work(NULL);
		look(lot);
	}
	pthread_join(other, NULL);
}

int main(int argc, char **argv)
{
	const char *mode = argc == 2 ? argv[1] : "";

	free(must(malloc(100)));
	queue.base = rss_kib();
	queue.base = rss_kib();
	queue.drift = !strcmp(mode, "sizes");
	if (!strcmp(mode, "steady") || queue.drift) {
		run(produce_all, consume_lot, 0);
	} else if (!strcmp(mode, "consumers")) {
		run(produce_all, consume_lot, 1);
	} else if (!strcmp(mode, "producers")) {
		run(consume_all, produce_lot, 1);
	} else if (!strcmp(mode, "turns")) {
		pthread_t other = start_thread(take_turns, NULL);

		take_turns(&queue);
		pthread_join(other, NULL);
	} else {
		give_up("usage: prodcons_rss steady|consumers|producers|turns|sizes");
	}
	printf("early=%ld peak=%ld\n", queue.early, queue.peak);
	return 0;
}

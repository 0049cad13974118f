// SPDX-License-Identifier: MIT
/*
 * threads_exchange.c - benchmarks: blocks that another thread frees
 *
 * prodcons passes them on in order through bounded queues, handover at random
 * through a table that all threads share.  Counters of prodcons:
 *
 *	rss_before_kib	RSS before the row
 *	in_flight_kib	bytes that the queues hold when all of them are full
 */
#include "threads.h"

#include <stdalign.h>
#include <stdatomic.h>

/* A queue from one thread to one other. */

#define QUEUE_BLOCKS	1024
#define LOT		32	/* blocks at a time, so that the indices do not travel for each */

struct queue {
	struct block slot[QUEUE_BLOCKS];
	alignas(CACHELINE) _Atomic uint64_t head;	/* written by the producer */
	_Atomic bool closed;
	alignas(CACHELINE) _Atomic uint64_t tail;	/* written by the consumer */
};

/* What a thread does: a part of the queues is filled by it, a part emptied. */
struct role {
	uint64_t seed;
	uint64_t left;			/* blocks that it still makes */
	uint64_t made, bytes;
	unsigned int nr_out, next_out, nr_in, next_in;
	struct queue *out[MAX_THREADS], *in[MAX_THREADS];
};

static struct queue *queues;

/* False where the queue is full. */
static bool produce(struct role *me, struct queue *q)
{
	uint64_t n = me->left < LOT ? me->left : LOT;
	uint64_t head = atomic_load_explicit(&q->head, memory_order_relaxed);
	/* pairs with the release in consume() */
	uint64_t tail = atomic_load_explicit(&q->tail, memory_order_acquire);

	if (head - tail + n > QUEUE_BLOCKS)
		return false;
	for (uint64_t end = head + n; head < end; head++) {
		size_t size = rnd_size(&me->seed, 4, 9);

		block_new(&q->slot[head % QUEUE_BLOCKS], size, me->seed);
		me->bytes += size;
	}
	me->made += n;
	/* pairs with the acquire in consume() */
	atomic_store_explicit(&q->head, head, memory_order_release);
	me->left -= n;
	return true;
}

/* False where the queue is empty. */
static bool consume(struct queue *q)
{
	uint64_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);
	/* pairs with the release in produce() */
	uint64_t head = atomic_load_explicit(&q->head, memory_order_acquire);

	if (head == tail)
		return false;
	if (head - tail > LOT)
		head = tail + LOT;
	for (; tail < head; tail++)
		block_drop(&q->slot[tail % QUEUE_BLOCKS]);
	/* pairs with the acquire in produce() */
	atomic_store_explicit(&q->tail, tail, memory_order_release);
	return true;
}

/* A lot for the next queue that has room. */
static bool produce_any(struct role *me)
{
	for (unsigned int tries = 0; tries < me->nr_out; tries++) {
		struct queue *q = me->out[me->next_out];

		me->next_out = me->next_out + 1 < me->nr_out ? me->next_out + 1 : 0;
		if (produce(me, q))
			return true;
	}
	return false;
}

/* Nothing more will come through the queues. */
static void close_queues(struct role *me)
{
	/* pairs with the acquire in consume_any() */
	for (unsigned int i = 0; i < me->nr_out; i++)
		atomic_store_explicit(&me->out[i]->closed, true, memory_order_release);
	me->nr_out = 0;
}

/* A lot of the next queue that has one; those that are closed and empty are left. */
static bool consume_any(struct role *me)
{
	for (unsigned int tries = me->nr_in; tries; tries--) {
		struct queue *q = me->in[me->next_in];
		/* pairs with the release in close_queues(); before the head is read */
		bool closed = atomic_load_explicit(&q->closed, memory_order_acquire);
		bool found = consume(q);

		if (!found && closed)
			me->in[me->next_in] = me->in[--me->nr_in];
		else
			me->next_in++;
		if (me->next_in >= me->nr_in)
			me->next_in = 0;
		if (found)
			return true;
	}
	return false;
}

/* Who fills which queue; total is of all threads. */
typedef void assign_fn(struct role *me, unsigned int thread, unsigned int threads, uint64_t total);

static void add_out(struct role *me, unsigned int queue)
{
	me->out[me->nr_out++] = &queues[queue];
}

static void add_in(struct role *me, unsigned int queue)
{
	me->in[me->nr_in++] = &queues[queue];
}

static uint64_t share(uint64_t total, unsigned int parts, unsigned int part)
{
	return total / parts + (part < total % parts);
}

static void assign_pairs(struct role *me, unsigned int thread, unsigned int threads,
			 uint64_t total)
{
	if (thread % 2) {
		add_in(me, thread / 2);
	} else {
		add_out(me, thread / 2);
		me->left = share(total, threads / 2, thread / 2);
	}
}

static void assign_one_to_many(struct role *me, unsigned int thread, unsigned int threads,
			       uint64_t total)
{
	if (thread) {
		add_in(me, thread);
		return;
	}
	for (unsigned int i = 1; i < threads; i++)
		add_out(me, i);
	me->left = total;
}

static void assign_many_to_one(struct role *me, unsigned int thread, unsigned int threads,
			       uint64_t total)
{
	if (thread) {
		add_out(me, thread);
		me->left = share(total, threads - 1, thread - 1);
		return;
	}
	for (unsigned int i = 1; i < threads; i++)
		add_in(me, i);
}

static void assign_ring(struct role *me, unsigned int thread, unsigned int threads,
			uint64_t total)
{
	add_out(me, thread);
	add_in(me, (thread + threads - 1) % threads);
	me->left = share(total, threads, thread);
}

struct topology {
	assign_fn *assign;
};

static const struct topology pairs = { assign_pairs }, one_to_many = { assign_one_to_many },
			     many_to_one = { assign_many_to_one }, in_a_ring = { assign_ring };

static void run_role(struct role *me)
{
	unsigned int waits = 0;

	while (me->nr_out || me->nr_in) {
		bool made = me->left && produce_any(me);

		if (!me->left)
			close_queues(me);
		if (consume_any(me) || made)
			waits = 0;
		else
			back_off(&waits);
	}
}

static void prodcons(struct bench_state *state)
{
	const struct topology *topology = bench_data(state);
	unsigned int threads = bench_threads(state);
	struct role me = { .seed = thread_seed(state) };
	size_t bytes = threads * sizeof(*queues);
	double queued = 0, before = 0;
	uint64_t n;

	if (bench_thread(state) == 0) {
		queues = bench_table(bytes);
		memset(queues, 0, bytes);
		before = (double)bench_rss_kib();
	}
	n = bench_begin(state);
	topology->assign(&me, bench_thread(state), threads, n * threads);
	queued = (double)me.nr_out * QUEUE_BLOCKS;
	run_role(&me);
	bench_end(state);
	if (me.made)
		queued *= (double)me.bytes / (double)me.made / KIB;
	bench_counter(state, "rss_before_kib", before, BENCH_SUM);
	bench_counter(state, "in_flight_kib", queued, BENCH_SUM);
	if (bench_thread(state) == 0)
		bench_table_free(queues, bytes);
	bench_set_items(state, n);
}

/*
 * handover: each new block goes to a random place of a table that all threads share,
 * and the one that lay there, made by any of them some time ago, is freed.
 */

#define PARCELS		4096

struct parcel {
	uint64_t size, tag;
};

static _Atomic(struct parcel *) parcels[PARCELS];

static struct parcel *parcel_new(uint64_t *seed)
{
	size_t size = sizeof(struct parcel) + rnd_size(seed, 4, 10);
	struct parcel *parcel = must(malloc(size));

	parcel->size = size;
	parcel->tag = *seed;
	put_word((char *)parcel + size - sizeof(parcel->tag), parcel->tag);
	return parcel;
}

static void parcel_drop(struct parcel *parcel)
{
	if (get_word((char *)parcel + parcel->size - sizeof(parcel->tag)) != parcel->tag)
		bench_die("handover: a block does not hold what was written to it");
	free(parcel);
}

/* The exchange publishes the new block's content and takes the old one's. */
static struct parcel *swap(unsigned int place, struct parcel *parcel)
{
	return atomic_exchange_explicit(&parcels[place], parcel, memory_order_acq_rel);
}

static void handover(struct bench_state *state)
{
	uint64_t seed = thread_seed(state);

	for (unsigned int i = bench_thread(state); i < PARCELS; i += bench_threads(state))
		swap(i, parcel_new(&seed));
	BENCH_LOOP(state) {
		struct parcel *parcel = parcel_new(&seed);

		parcel_drop(swap(rnd_below(&seed, PARCELS), parcel));
	}
	for (unsigned int i = 0; bench_thread(state) == 0 && i < PARCELS; i++)
		parcel_drop(swap(i, NULL));
	bench_set_items(state, bench_iterations(state));
}

void register_exchange(void)
{
	register_curve(&(struct bench){ .name = "BM_prodcons/1to1", .run = prodcons,
					.data = &pairs }, 2, 1280000);
	register_curve(&(struct bench){ .name = "BM_prodcons/1toN", .run = prodcons,
					.data = &one_to_many }, 2, 640000);
	register_curve(&(struct bench){ .name = "BM_prodcons/Nto1", .run = prodcons,
					.data = &many_to_one }, 2, 640000);
	register_curve(&(struct bench){ .name = "BM_prodcons/ring", .run = prodcons,
					.data = &in_a_ring }, 2, 1280000);
	register_curve(&(struct bench){ .name = "BM_handover", .run = handover }, 1, 960000);
}

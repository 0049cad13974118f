// SPDX-License-Identifier: MIT
/*
 * Shrinkers and the chain of last resort: kernel-semantics 11.1 to 11.4, 6.7 (GFP_NOIO, GFP_NOFS),
 * 13.7 number 10.
 */
#include "unit.h"
#include "kmalloc/shrinker.h"
#include "mm/shrinker.h"
#include "init/init.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sys/wait.h>

struct fake {
	struct shrinker *s;
	unsigned long freeable, ret;	/* ret: what scan answers, 0: all that it was asked for */
	unsigned long scanned, nr_scanned;	/* in all; nr_scanned: reported back if not 0 */
	unsigned long largest, smallest;
	unsigned int counts, scans;
	gfp_t gfp;
	int nid;
	char id;
};

static char order[64];
/* two walks may be in one shrinker */
static pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;

static unsigned long fake_count(struct shrinker *s, struct shrink_control *sc)
{
	struct fake *f = s->private_data;
	unsigned long freeable;
	size_t n;

	pthread_mutex_lock(&fake_lock);
	n = strlen(order);
	f->counts++;
	f->gfp = sc->gfp_mask;
	f->nid = sc->nid;
	if (f->id && n < sizeof(order) - 1)
		order[n] = f->id;
	freeable = f->freeable;
	pthread_mutex_unlock(&fake_lock);
	return freeable;
}

static unsigned long fake_scan(struct shrinker *s, struct shrink_control *sc)
{
	struct fake *f = s->private_data;
	unsigned long ret;

	assert_int_equal(sc->nr_scanned, sc->nr_to_scan);
	pthread_mutex_lock(&fake_lock);
	f->scans++;
	f->scanned += sc->nr_to_scan;
	if (sc->nr_to_scan > f->largest)
		f->largest = sc->nr_to_scan;
	if (!f->smallest || sc->nr_to_scan < f->smallest)
		f->smallest = sc->nr_to_scan;
	if (f->nr_scanned)
		sc->nr_scanned = f->nr_scanned;
	ret = f->ret ? f->ret : sc->nr_to_scan;
	pthread_mutex_unlock(&fake_lock);
	return ret;
}

static void fake_register(struct fake *f, unsigned int flags)
{
	f->s = shrinker_alloc(flags, "fake-%d", 1);
	assert_non_null(f->s);
	f->s->count_objects = fake_count;
	f->s->scan_objects = fake_scan;
	f->s->private_data = f;
	shrinker_register(f->s);
}

static void fake_free(struct fake *f)
{
	shrinker_free(f->s);
	assert_false(have_shrinkers());
}

static unsigned long pass(unsigned int priority)
{
	return shrink_slab(GFP_KERNEL, 0, priority);
}

/* What is carried over: at seeks so high that nothing is added, batches of 1 scan just that. */
static unsigned long carried(struct fake *f)
{
	int seeks = f->s->seeks;
	long batch = f->s->batch;
	unsigned long before = f->scanned;

	f->s->seeks = INT_MAX;
	f->s->batch = 1;
	pass(0);
	f->s->seeks = seeks;
	f->s->batch = batch;
	return f->scanned - before;
}

/*
 * Worked out from 11.3 without a loop: full batches of the wish, and the rest where it covers the
 * whole cache. fresh: one pass of a new shrinker; run: passes from 12 down to 0, with what they
 * carry over; left: what is carried over after that.
 */
static const struct {
	unsigned long freeable;
	int seeks;
	long batch;
	unsigned long fresh[13], run[13], left;
} table[] = {
	{ 10000, 2, 0,
	  { 0, 0, 0, 0, 0, 128, 256, 512, 1152, 2432, 4992, 9984, 19968 },
	  { 0, 0, 0, 0, 0, 128, 256, 512, 1152, 2432, 5120, 10112, 19968 }, 308 },
	{ 100, 2, 0,
	  { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 128 },
	  { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 128 }, 138 },
	{ 1000000, 2, 1024,
	  { 0, 0, 1024, 3072, 7168, 15360, 30720, 62464, 124928, 249856, 499712, 999424, 1999872 },
	  { 0, 0, 1024, 3072, 7168, 15360, 30720, 62464, 124928, 249856, 500736, 1001472, 1999872 },
	  2836 },
	{ 4096, 4, 10,
	  { 0, 0, 0, 0, 10, 30, 60, 120, 250, 510, 1020, 2040, 4090 },
	  { 0, 0, 0, 0, 10, 30, 60, 120, 250, 510, 1030, 2060, 4120 }, 1 },
	{ 300, 0, 0,
	  { 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128 },
	  { 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 256, 256 }, 30 },
	{ 1, 2, 0,
	  { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2 },
	  { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2 }, 0 },
	{ 128, 1, 64,
	  { 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 128, 256, 256 },
	  { 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 128, 256, 256 }, 256 },
};

/* 11.3, 13.7 number 10 */
static void one_pass_at_each_priority_scans_what_the_table_says(void **state)
{
	unsigned int i, step;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(table); i++)
		for (step = 0; step <= 12; step++) {
			struct fake f = { .freeable = table[i].freeable };

			fake_register(&f, 0);
			f.s->seeks = table[i].seeks;
			f.s->batch = table[i].batch;
			assert_int_equal(pass(12 - step), table[i].fresh[step]);
			assert_int_equal(f.scanned, table[i].fresh[step]);
			assert_int_equal(f.counts, 1);
			fake_free(&f);
		}
}

static void passes_from_12_to_0_carry_over_what_the_table_says(void **state)
{
	unsigned int i, step;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		struct fake f = { .freeable = table[i].freeable };

		fake_register(&f, 0);
		f.s->seeks = table[i].seeks;
		f.s->batch = table[i].batch;
		for (step = 0; step <= 12; step++)
			assert_int_equal(pass(12 - step), table[i].run[step]);
		assert_int_equal(carried(&f), table[i].left);
		fake_free(&f);
	}
}

/* 10,000 objects, priority 9: 19 of them times 4 / 2 = 38 wished, 128 needed. */
static void a_wish_below_a_batch_is_deferred_until_it_is_one(void **state)
{
	struct fake f = { .freeable = 10000 };

	(void)state;
	fake_register(&f, 0);
	assert_int_equal(pass(9), 0);
	assert_int_equal(f.scans, 0);
	assert_int_equal(carried(&f), 38);
	/* 152 >> 9 is 0: at priority 9 they never become a batch */
	pass(9);
	pass(9);
	pass(9);
	pass(9);
	assert_int_equal(carried(&f), 152);
	fake_free(&f);
}

/* At most twice what is there is carried over: 11.3 step 6. */
static void what_is_carried_over_is_at_most_twice_the_cache(void **state)
{
	struct fake f = { .freeable = 100, .ret = SHRINK_STOP };
	unsigned int i;

	(void)state;
	fake_register(&f, 0);
	for (i = 0; i < 10; i++)
		assert_int_equal(pass(0), 0);
	f.ret = 0;
	f.scanned = 0;
	/* a pass takes at most twice what is there, too: look when there is more */
	f.freeable = 10000;
	assert_int_equal(carried(&f), 200);
	fake_free(&f);
}

static void scan_calls_are_at_most_a_batch_each(void **state)
{
	struct fake f = { .freeable = 1000 };

	(void)state;
	fake_register(&f, 0);
	assert_int_equal(pass(0), 1920);	/* 15 batches of 2000 / 128 */
	assert_int_equal(f.scans, 15);
	assert_int_equal(f.largest, 128);
	assert_int_equal(f.smallest, 128);
	fake_free(&f);
}

static void SHRINK_STOP_ends_the_round_and_all_of_it_is_deferred(void **state)
{
	struct fake f = { .freeable = 1000, .ret = SHRINK_STOP };

	(void)state;
	fake_register(&f, 0);
	assert_int_equal(pass(0), 0);
	assert_int_equal(f.scans, 1);
	f.ret = 0;
	assert_int_equal(carried(&f), 2000);
	fake_free(&f);
}

static void count_0_and_SHRINK_EMPTY_scan_nothing_and_count_as_nothing(void **state)
{
	struct fake f = { .freeable = 0 }, g = { .freeable = SHRINK_EMPTY };

	(void)state;
	fake_register(&f, 0);
	fake_register(&g, 0);
	assert_int_equal(pass(0), 0);
	assert_int_equal(f.counts + g.counts, 2);
	assert_int_equal(f.scans + g.scans, 0);
	shrinker_free(f.s);
	fake_free(&g);
}

/* count 0 leaves what is carried over alone: step 1 comes before step 2. */
static void count_0_keeps_what_is_carried_over(void **state)
{
	struct fake f = { .freeable = 10000 };

	(void)state;
	fake_register(&f, 0);
	pass(9);
	f.freeable = 0;
	pass(9);
	f.freeable = 10000;
	assert_int_equal(carried(&f), 38);
	fake_free(&f);
}

static void nr_scanned_counts_where_the_callback_sets_it(void **state)
{
	struct fake f = { .freeable = 1000, .ret = 5, .nr_scanned = 500 };

	(void)state;
	fake_register(&f, 0);
	/* 2000 wished, 500 looked at by each call, 5 freed */
	assert_int_equal(pass(0), 20);
	assert_int_equal(f.scans, 4);
	fake_free(&f);
}

static unsigned long scan_nothing(struct shrinker *s, struct shrink_control *sc)
{
	struct fake *f = s->private_data;

	f->scans++;
	sc->nr_scanned = f->ret;
	return 0;
}

static void a_callback_that_never_looks_at_any_ends_the_round(void **state)
{
	static const unsigned long said[] = { 0, ULONG_MAX, (unsigned long)LONG_MAX };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(said); i++) {
		struct fake f = { .freeable = 1000, .ret = said[i] };

		fake_register(&f, 0);
		f.s->scan_objects = scan_nothing;
		assert_int_equal(pass(0), 0);
		assert_int_equal(f.scans, 1);
		fake_free(&f);
	}
}

static void impossible_counts_batches_and_seeks_do_no_harm(void **state)
{
	struct fake f = { .freeable = ULONG_MAX - 2, .ret = SHRINK_STOP };

	(void)state;
	fake_register(&f, 0);
	f.s->batch = -5;
	assert_int_equal(pass(0), 0);
	assert_int_equal(pass(1000), 0);
	assert_int_equal(f.largest, 128);
	f.s->seeks = -1;
	assert_int_equal(pass(0), 0);
	fake_free(&f);
}

static void shrinkers_are_called_in_the_order_of_registration(void **state)
{
	struct fake f[4] = { { .id = 'a' }, { .id = 'b' }, { .id = 'c' }, { .id = 'd' } };
	unsigned int i;

	(void)state;
	memset(order, 0, sizeof(order));
	for (i = 0; i < 4; i++)
		fake_register(&f[i], 0);
	pass(12);
	assert_string_equal(order, "abcd");
	shrinker_free(f[1].s);
	pass(12);
	assert_string_equal(order, "abcdacd");
	fake_register(&f[1], 0);
	pass(12);
	assert_string_equal(order, "abcdacdacdb");
	for (i = 0; i < 3; i++)
		shrinker_free(f[i].s);
	fake_free(&f[3]);
}

/* 6.7: GFP_NOIO skips both kinds, GFP_NOFS those of the owner. */
static void flags_keep_shrinkers_out_of_GFP_NOIO_and_GFP_NOFS(void **state)
{
	struct fake f[3] = { { .id = 'p' }, { .id = 'i' }, { .id = 'f' } };

	(void)state;
	fake_register(&f[0], 0);
	fake_register(&f[1], SHRINKER_MAY_IO);
	fake_register(&f[2], SHRINKER_MAY_FS);
	memset(order, 0, sizeof(order));
	shrink_slab(GFP_KERNEL, 0, 12);
	assert_string_equal(order, "pif");
	memset(order, 0, sizeof(order));
	shrink_slab(GFP_NOFS, 0, 12);
	assert_string_equal(order, "pi");
	memset(order, 0, sizeof(order));
	shrink_slab(GFP_NOIO, 0, 12);
	assert_string_equal(order, "p");
	memset(order, 0, sizeof(order));
	shrink_slab(__GFP_RECLAIM | __GFP_FS, 0, 12);
	assert_string_equal(order, "p");
	shrinker_free(f[0].s);
	shrinker_free(f[1].s);
	fake_free(&f[2]);
}

static void callbacks_see_the_mask_and_their_node(void **state)
{
	struct fake f = { .freeable = 0 }, g = { .freeable = 0 };

	(void)state;
	fake_register(&f, 0);
	fake_register(&g, SHRINKER_NUMA_AWARE);
	shrink_slab(GFP_NOFS | __GFP_MALLOC | __GFP_NOWARN, 3, 12);
	assert_int_equal(f.gfp, GFP_NOFS | __GFP_NOWARN);
	assert_int_equal(f.nid, 0);
	assert_int_equal(g.nid, 3);
	/* what is deferred on a node stays there */
	g.freeable = 10000;
	shrink_slab(GFP_KERNEL, 3, 9);
	assert_int_equal(carried(&g), 0);
	shrinker_free(f.s);
	fake_free(&g);
}

/* ---- life ---- */

static void a_static_shrinker_is_registered_and_unregistered_the_old_way(void **state)
{
	static struct fake f = { .freeable = 1000 };
	static struct shrinker s = {
		.count_objects = fake_count, .scan_objects = fake_scan, .seeks = DEFAULT_SEEKS,
		.private_data = &f,
	};
	unsigned int round;

	(void)state;
	for (round = 0; round < 3; round++) {
		f.scans = 0;
		/* with and without a name */
		assert_int_equal(round ? register_shrinker(&s, "name") : register_shrinker(&s), 0);
		assert_int_equal(pass(0), 1920);
		unregister_shrinker(&s);
		unregister_shrinker(&s);
		assert_int_equal(pass(0), 0);
		assert_int_equal(f.scans, 15);
	}
}

static void mistakes_are_one_line_each_and_change_nothing(void **state)
{
	struct shrinker own = { .count_objects = fake_count, .scan_objects = fake_scan };
	struct fake f = { .freeable = 0 };
	struct shrinker *s;

	(void)state;
	fake_register(&f, 0);
	s = shrinker_alloc(0, "incomplete");
	assert_int_equal(s->seeks, DEFAULT_SEEKS);
	catch_stderr();
	shrinker_register(&own);
	shrinker_register(NULL);
	shrinker_register(s);
	shrinker_register(f.s);
	shrinker_free(&own);
	assert_int_equal(register_shrinker(f.s), -EINVAL);
	unregister_shrinker(f.s);
	assert_int_equal(count_lines(caught_text()), 7);
	assert_non_null(strstr(caught.text, "'incomplete' has no count_objects"));
	assert_non_null(strstr(caught.text, "'fake-1' is registered already"));
	assert_int_equal(register_shrinker(&own), 0);
	catch_stderr();
	assert_int_equal(register_shrinker(&own), -EEXIST);
	assert_int_equal(count_lines(caught_text()), 1);
	own.private_data = &f;
	pass(12);
	assert_int_equal(f.counts, 2);
	unregister_shrinker(&own);
	shrinker_free(NULL);
	shrinker_free(s);
	fake_free(&f);
}

static unsigned long count_and_free_self(struct shrinker *s, struct shrink_control *sc)
{
	struct fake *f = s->private_data;

	(void)sc;
	f->counts++;
	shrinker_free(s);
	return 0;
}

static void freeing_a_shrinker_from_its_own_callback_is_refused(void **state)
{
	struct fake f = { .freeable = 0 };

	(void)state;
	fake_register(&f, 0);
	f.s->count_objects = count_and_free_self;
	catch_stderr();
	pass(12);
	assert_int_equal(count_lines(caught_text()), 1);
	assert_non_null(strstr(caught.text, "'fake-1'"));
	assert_int_equal(f.counts, 1);
	fake_free(&f);
}

/* ---- threads ---- */

static _Atomic int inside, leave;

static unsigned long count_and_wait(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	atomic_fetch_add(&inside, 1);
	while (!atomic_load(&leave))
		usleep(100);
	atomic_fetch_sub(&inside, 1);
	return 0;
}

static void *shrink_thread(void *arg)
{
	(void)arg;
	pass(12);
	return NULL;
}

static _Atomic int freed;

static void *free_thread(void *arg)
{
	shrinker_free(arg);
	atomic_store(&freed, 1);
	return NULL;
}

static void wait_inside(int n)
{
	while (atomic_load(&inside) != n)
		usleep(100);
}

/* 11.2: two threads in one shrinker, no lock held; the end waits for both. */
static void freeing_waits_for_the_calls_in_two_other_threads(void **state)
{
	struct fake f = { .freeable = 0 }, later = { .id = 'l' };
	pthread_t t[3];

	(void)state;
	memset(order, 0, sizeof(order));
	atomic_store(&leave, 0);
	atomic_store(&freed, 0);
	fake_register(&f, 0);
	f.s->count_objects = count_and_wait;
	pthread_create(&t[0], NULL, shrink_thread, NULL);
	pthread_create(&t[1], NULL, shrink_thread, NULL);
	wait_inside(2);
	/* others register meanwhile */
	fake_register(&later, 0);
	pthread_create(&t[2], NULL, free_thread, f.s);
	usleep(20000);
	assert_int_equal(atomic_load(&freed), 0);
	/* and a new walk passes by the one that is going */
	pass(12);
	assert_string_equal(order, "l");
	assert_int_equal(atomic_load(&inside), 2);
	atomic_store(&leave, 1);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	pthread_join(t[2], NULL);
	assert_int_equal(atomic_load(&freed), 1);
	/* both went on to the next one */
	assert_string_equal(order, "lll");
	fake_free(&later);
}

static unsigned long count_and_exit(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	pthread_exit(NULL);
}

static void a_thread_that_ended_in_the_callback_is_not_waited_for(void **state)
{
	struct fake f = { .freeable = 0 };
	pthread_t t;

	(void)state;
	fake_register(&f, 0);
	f.s->count_objects = count_and_exit;
	pthread_create(&t, NULL, shrink_thread, NULL);
	pthread_join(t, NULL);
	fake_free(&f);
}

/* More than are told apart: their number alone is known. */
#define MANY 70

static void a_fork_child_does_not_wait_for_threads_it_does_not_have(void **state)
{
	struct fake f = { .freeable = 0 };
	pthread_t t[MANY];
	int status;
	pid_t pid;
	unsigned int i;

	(void)state;
	atomic_store(&leave, 0);
	fake_register(&f, 0);
	f.s->count_objects = count_and_wait;
	for (i = 0; i < MANY; i++)
		pthread_create(&t[i], NULL, shrink_thread, NULL);
	wait_inside(MANY);
	pid = fork();
	if (!pid) {
		alarm(10);
		shrinker_free(f.s);
		_exit(have_shrinkers());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	atomic_store(&leave, 1);
	for (i = 0; i < MANY; i++)
		pthread_join(t[i], NULL);
	fake_free(&f);
}

static unsigned long count_and_fork(struct shrinker *s, struct shrink_control *sc)
{
	struct fake *f = s->private_data;

	(void)sc;
	f->counts++;
	f->ret = (unsigned long)fork();
	return 0;
}

static void a_child_forked_in_a_callback_goes_on_with_the_walk(void **state)
{
	struct fake f = { .freeable = 0 }, g = { .freeable = 0 };
	int status;

	(void)state;
	fake_register(&f, 0);
	fake_register(&g, 0);
	f.s->count_objects = count_and_fork;
	pass(12);
	if (!f.ret) {
		alarm(10);
		if (g.counts != 1)
			_exit(2);
		shrinker_free(f.s);
		shrinker_free(g.s);
		_exit(have_shrinkers());
	}
	assert_int_equal(waitpid((pid_t)f.ret, &status, 0), (pid_t)f.ret);
	assert_int_equal(status, 0);
	shrinker_free(f.s);
	fake_free(&g);
}

static _Atomic bool stop;

static void *walk_for_ever(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop))
		pass(0);
	return NULL;
}

static void *register_for_ever(void *arg)
{
	unsigned int i;

	(void)arg;
	for (i = 0; i < 2000; i++) {
		struct fake f = { .freeable = 1000 };

		fake_register(&f, 0);
		shrinker_free(f.s);
		/* nobody is in its callbacks any more */
		memset(&f, 0xff, sizeof(f));
	}
	return NULL;
}

static void registering_and_freeing_under_walks_is_safe(void **state)
{
	pthread_t w[2], r[2];
	unsigned int i;

	(void)state;
	atomic_store(&stop, false);
	for (i = 0; i < 2; i++)
		pthread_create(&w[i], NULL, walk_for_ever, NULL);
	for (i = 0; i < 2; i++)
		pthread_create(&r[i], NULL, register_for_ever, NULL);
	for (i = 0; i < 2; i++)
		pthread_join(r[i], NULL);
	atomic_store(&stop, true);
	for (i = 0; i < 2; i++)
		pthread_join(w[i], NULL);
	assert_false(have_shrinkers());
}

/* ---- the chain of last resort ---- */

static int notify(struct notifier_block *nb, unsigned long action, void *data)
{
	assert_int_equal(action, 0);
	order[strlen(order)] = (char)('0' + nb->priority % 10);
	*(unsigned long *)data += (unsigned long)nb->priority;
	return nb->priority == 3 ? NOTIFY_STOP : NOTIFY_OK;
}

static void notifiers_run_by_priority_and_their_pages_are_summed(void **state)
{
	struct notifier_block one = { .notifier_call = notify, .priority = 1 };
	struct notifier_block five = { .notifier_call = notify, .priority = 5 };
	struct notifier_block three = { .notifier_call = notify, .priority = 3 };
	struct notifier_block nothing = { .priority = 7 };

	(void)state;
	memset(order, 0, sizeof(order));
	assert_int_equal(oom_notify(), 0);
	assert_int_equal(register_oom_notifier(&one), 0);
	assert_int_equal(register_oom_notifier(&five), 0);
	assert_int_equal(oom_notify(), 6);
	assert_string_equal(order, "51");
	/* NOTIFY_STOP ends the walk */
	assert_int_equal(register_oom_notifier(&three), 0);
	assert_int_equal(oom_notify(), 8);
	assert_string_equal(order, "5153");
	catch_stderr();
	assert_int_equal(register_oom_notifier(&three), -EEXIST);
	assert_int_equal(register_oom_notifier(&nothing), -EINVAL);
	assert_int_equal(count_lines(caught_text()), 2);
	assert_int_equal(unregister_oom_notifier(&three), 0);
	assert_int_equal(unregister_oom_notifier(&three), -ENOENT);
	assert_int_equal(unregister_oom_notifier(&five), 0);
	assert_int_equal(oom_notify(), 1);
	assert_int_equal(unregister_oom_notifier(&one), 0);
	assert_int_equal(oom_notify(), 0);
}

static int unregister_self(struct notifier_block *nb, unsigned long action, void *data)
{
	(void)action;
	*(unsigned long *)data += (unsigned long)-unregister_oom_notifier(nb);
	return NOTIFY_DONE;
}

static void a_notifier_cannot_unregister_itself_while_it_runs(void **state)
{
	struct notifier_block nb = { .notifier_call = unregister_self };

	(void)state;
	assert_int_equal(register_oom_notifier(&nb), 0);
	catch_stderr();
	assert_int_equal(oom_notify(), EBUSY);
	assert_int_equal(count_lines(caught_text()), 1);
	assert_int_equal(unregister_oom_notifier(&nb), 0);
}

#define T(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(one_pass_at_each_priority_scans_what_the_table_says),
		T(passes_from_12_to_0_carry_over_what_the_table_says),
		T(a_wish_below_a_batch_is_deferred_until_it_is_one),
		T(what_is_carried_over_is_at_most_twice_the_cache),
		T(scan_calls_are_at_most_a_batch_each),
		T(SHRINK_STOP_ends_the_round_and_all_of_it_is_deferred),
		T(count_0_and_SHRINK_EMPTY_scan_nothing_and_count_as_nothing),
		T(count_0_keeps_what_is_carried_over),
		T(nr_scanned_counts_where_the_callback_sets_it),
		T(a_callback_that_never_looks_at_any_ends_the_round),
		T(impossible_counts_batches_and_seeks_do_no_harm),
		T(shrinkers_are_called_in_the_order_of_registration),
		T(flags_keep_shrinkers_out_of_GFP_NOIO_and_GFP_NOFS),
		T(callbacks_see_the_mask_and_their_node),
		T(a_static_shrinker_is_registered_and_unregistered_the_old_way),
		T(mistakes_are_one_line_each_and_change_nothing),
		T(freeing_a_shrinker_from_its_own_callback_is_refused),
		T(freeing_waits_for_the_calls_in_two_other_threads),
		T(a_thread_that_ended_in_the_callback_is_not_waited_for),
		T(a_fork_child_does_not_wait_for_threads_it_does_not_have),
		T(a_child_forked_in_a_callback_goes_on_with_the_walk),
		T(registering_and_freeing_under_walks_is_safe),
		T(notifiers_run_by_priority_and_their_pages_are_summed),
		T(a_notifier_cannot_unregister_itself_while_it_runs),
	};

	start_kernel();
	return cmocka_run_group_tests_name("shrinker", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Bugs that were there and are fixed: mappings and address space that grew
 * without bound, memory that stayed resident, reports and counters that were
 * wrong, forks and jumps in the middle of the allocator. Each case failed
 * before its fix; those that need two threads to meet failed most times.
 */
#include "trap.h"

#include <setjmp.h>

/* What a report of misuse names, and then the pointer is misused. */
static void *named(void *p)
{
	trap_expect("%p", p);
	return opaque(p);
}

static size_t address_space(void)
{
	char buf[128];
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	CHECK(fd >= 0);
	n = read(fd, buf, sizeof(buf) - 1);
	CHECK(n > 0);
	close(fd);
	buf[n] = '\0';
	return strtoul(buf, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

static unsigned int count_mappings(void)
{
	static char buf[1 << 16];
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	unsigned int lines = 0;
	ssize_t n, i;

	CHECK(fd >= 0);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (i = 0; i < n; i++)
			lines += buf[i] == '\n';
	close(fd);
	return lines;
}

static void check_below(const char *what, size_t is, size_t limit)
{
	if (is < limit)
		return;
	trap_note("%s: %zu, should be below %zu\n", what, is, limit);
	_exit(1);
}

/* CPU-time signals, so that they come while the allocator is at work. */
static void start_timer(void (*handler)(int), long usec)
{
	struct itimerval every = { { 0, usec }, { 0, usec } };

	CHECK(signal(SIGVTALRM, handler) != SIG_ERR);
	CHECK(setitimer(ITIMER_VIRTUAL, &every, NULL) == 0);
}

static void stop_timer(void)
{
	struct itimerval never = { { 0, 0 }, { 0, 0 } };

	CHECK(setitimer(ITIMER_VIRTUAL, &never, NULL) == 0);
}

/* ---- mappings and resident memory ---- */

/* A buffer as a reader of files of unknown size has it, marked at both ends. */
struct buffer {
	unsigned char *p;
	size_t n;
	unsigned char mark;
};

static void resize_buffer(struct buffer *b, size_t n)
{
	size_t kept = b->n < n ? b->n : n;
	unsigned char *p;

	if (b->p && kept)
		b->p[kept - 1] = b->mark;
	p = (unsigned char *)realloc(b->p, n);
	CHECK(p && (!kept || (p[0] == b->mark && p[kept - 1] == b->mark)));
	p[0] = p[n - 1] = b->mark;
	b->p = p;
	b->n = n;
}

static void step_buffer(struct buffer *b, uint64_t r)
{
	size_t n = b->n + b->n / 2 + r % (b->n + 1);

	if (n <= 8 << 20 && b->n) {
		resize_buffer(b, n);
	} else if (r & 256) {
		resize_buffer(b, (256 << 10) + r % (400 << 10));
	} else {
		free(b->p);
		b->p = NULL;
		b->n = 0;
		resize_buffer(b, (256 << 10) + r % (400 << 10));
	}
}

static void reallocs_leave_no_mappings(void)
{
	static struct buffer buffers[32];
	unsigned int i, most = 0, now;
	uint64_t random = 1;

	for (i = 0; i < 32; i++)
		buffers[i].mark = (unsigned char)(i + 1);
	for (i = 0; i < 20000; i++) {
		uint64_t r = trap_random(&random);

		step_buffer(&buffers[r % 32], r >> 8);
		if (i % 1000 == 0) {
			now = count_mappings();
			most = now > most ? now : most;
		}
	}
	for (i = 0; i < 32; i++)
		free(buffers[i].p);
	now = count_mappings();
	check_below("mappings", now > most ? now : most, 400);
}

enum { BURST = 100000 };
static void *burst[BURST];

static void burst_of_100_mb(void)
{
	unsigned int i;

	for (i = 0; i < BURST; i++) {
		burst[i] = malloc(1000);
		CHECK(burst[i]);
		memset(burst[i], 1, 1000);
	}
	for (i = 0; i < BURST; i++)
		free(burst[i]);
}

static void huge_untouched_keeps_no_burst(void)
{
	void *huge = malloc((size_t)64 << 30);
	size_t before;

	if (!huge)
		trap_skip("no block of 64 GiB to be had");
	memset(burst, 0, sizeof(burst));
	before = trap_rss();
	burst_of_100_mb();
	check_below("resident after the burst", trap_rss(), before + (50 << 20));
	free(opaque(huge));
}

static void shrunk_to_half_gives_the_rest_back(void)
{
	size_t before = trap_rss(), n = 100 << 20, half = 51 << 20;
	void *p = malloc(n);

	CHECK(p);
	memset(p, 1, n);
	block_fill(p, half, 3);
	p = realloc(p, half);
	CHECK(p && block_intact(p, half, half, 3));
	check_below("resident after realloc", trap_rss(), before + half + (16 << 20));
	free(p);
}

/* ---- realloc of interior pointers ---- */

static void realloc_interior(size_t n, size_t offset)
{
	char *p = (char *)malloc(n), *next;

	CHECK(p);
	block_fill(p, n, 9);
	errno = 0;
	CHECK(realloc(named(p + offset), n / 2) == opaque(NULL) && errno == ENOMEM);
	/* nothing of the block was freed: what is handed out next lies elsewhere */
	CHECK(block_intact(p, n, n, 9));
	next = (char *)malloc(n);
	CHECK(next && (next + n <= p || next >= p + n));
	memset(next, 0xff, n);
	CHECK(block_intact(p, n, n, 9));
	free(next);
	free(p);
	churn_once(1, 1000);
}

static void realloc_interior_small(void)
{
	realloc_interior(100, 16);
}

static void realloc_interior_medium(void)
{
	realloc_interior(5000, 64);
}

/* ---- what mallinfo2 counts ---- */

#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 33)
#define HAVE_MALLINFO2 1
#endif
#endif

#ifdef HAVE_MALLINFO2
enum { COUNTED = 20000 };
static void *counted[COUNTED];

static void *free_counted(void *arg)
{
	unsigned int i;

	for (i = 0; i < COUNTED; i++)
		free(counted[i]);
	return arg;
}

static void *do_nothing(void *arg)
{
	return arg;
}

static void run_thread(void *(*run)(void *))
{
	pthread_t t;

	CHECK(pthread_create(&t, NULL, run, NULL) == 0);
	CHECK(pthread_join(t, NULL) == 0);
}

static void counters_follow_foreign_frees(void)
{
	static const size_t sizes[] = { 50, 5000 };
	size_t before, full;
	unsigned int i, j;

	/* what a first thread allocates for good is no part of the sum */
	run_thread(do_nothing);
	for (j = 0; j < 2; j++) {
		before = mallinfo2().uordblks;
		for (i = 0; i < COUNTED; i++) {
			counted[i] = malloc(sizes[j]);
			CHECK(counted[i]);
		}
		full = mallinfo2().uordblks;
		CHECK(full >= before + COUNTED * sizes[j]);
		run_thread(free_counted);
		check_below("in use after all was freed", mallinfo2().uordblks, before + 4096);
	}
}
#else
static void counters_follow_foreign_frees(void)
{
	trap_skip("no mallinfo2 here");
}
#endif

/* ---- forks in the middle ---- */

enum { FORKS = 40, GIVER_BLOCKS = 64, CHILD_STEPS = 200 };
static volatile sig_atomic_t in_child, nr_forks;

static void fork_in_handler(int sig)
{
	pid_t pid;

	(void)sig;
	if (in_child || nr_forks >= FORKS)
		return;
	pid = fork();
	if (pid == 0) {
		in_child = 1;
		alarm(10);	/* a child that hangs is one that fails */
		return;
	}
	trap_reap(pid);
	nr_forks++;
}

/* Large blocks replaced at random and the free ones given back, until the forks are done. */
static void forks_while_memory_is_given_back(void)
{
	static void *p[GIVER_BLOCKS];
	uint64_t random = 1;
	unsigned int i, left = CHILD_STEPS;

	start_timer(fork_in_handler, 3000);
	for (i = 1; nr_forks < FORKS && left; i++) {
		uint64_t r = trap_random(&random);
		void **slot = &p[r % GIVER_BLOCKS];

		free(*slot);
		*slot = malloc((140 << 10) + ((r >> 8) % 4000 << 10));
		CHECK(*slot);
		memset(*slot, 1, 4096);
		if (i % 50 == 0)
			malloc_trim(0);
		left -= (unsigned int)in_child;
	}
	stop_timer();
	for (i = 0; i < GIVER_BLOCKS; i++)
		free(p[i]);
	malloc_trim(0);
	churn_once(5, 200);
	if (in_child)
		_exit(0);
}

/* Small blocks of few classes, which threads that took one slot for theirs would share. */
static void *swap_small_blocks(void *arg)
{
	unsigned char mark = (unsigned char)(uintptr_t)arg;
	unsigned char *p[400] = { NULL };
	uint64_t random = mark;
	unsigned int i;

	for (i = 0; i < 500000; i++) {
		uint64_t r = trap_random(&random);
		unsigned char **slot = &p[r % 400];

		if (*slot)
			CHECK((*slot)[0] == mark && (*slot)[31] == mark);
		free(*slot);
		*slot = (unsigned char *)malloc(64 + (r >> 16) % 64);
		CHECK(*slot);
		memset(*slot, mark, 32);
	}
	for (i = 0; i < 400; i++)
		free(p[i]);
	return NULL;
}

static void child_starts_with_a_thread(void)
{
	pthread_t t[2];

	alarm(20);
	CHECK(pthread_create(&t[0], NULL, swap_small_blocks, (void *)17) == 0);
	usleep(3000);
	CHECK(pthread_create(&t[1], NULL, swap_small_blocks, (void *)34) == 0);
	swap_small_blocks((void *)51);
	CHECK(pthread_join(t[0], NULL) == 0);
	CHECK(pthread_join(t[1], NULL) == 0);
}

static void *sleep_a_little(void *arg)
{
	usleep(1000);
	return arg;
}

/* _Fork runs no handlers, so the child is found out at its first call of the allocator. */
static void raw_child_whose_thread_is_first(void)
{
	pid_t (*raw_fork)(void) = (pid_t (*)(void))(uintptr_t)dlsym(RTLD_DEFAULT, "_Fork");
	unsigned int i;
	pthread_t t[2];
	pid_t pid;

	if (!raw_fork)
		trap_skip("no _Fork here");
	churn_once(1, 2000);
	/* their stacks are reused in the child, so that it need not allocate to make threads */
	for (i = 0; i < 2; i++)
		CHECK(pthread_create(&t[i], NULL, sleep_a_little, NULL) == 0);
	for (i = 0; i < 2; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	for (i = 0; i < 5; i++) {
		pid = raw_fork();
		if (pid == 0) {
			child_starts_with_a_thread();
			_exit(0);
		}
		trap_reap(pid);
	}
}

/* ---- double frees of two threads ---- */

enum { TWICE_SIZE = 9000, TWICE_BLOCKS = 400, TWICE_FIRST = 150, TWICE = 100 };

static void *free_it(void *p)
{
	free(p);
	return NULL;
}

/* The second free comes from a thread that ends, while the block's slab holds others still. */
static void freed_by_two_threads_then_emptied(void)
{
	static void *p[TWICE_BLOCKS];
	unsigned int i;
	pthread_t t;

	for (i = 0; i < TWICE_BLOCKS; i++) {
		p[i] = malloc(TWICE_SIZE);
		CHECK(p[i]);
	}
	for (i = TWICE_FIRST; i < 300; i++)
		free(p[i]);
	free(p[TWICE]);
	for (i = 300; i < TWICE_BLOCKS; i++)
		free(p[i]);
	CHECK(pthread_create(&t, NULL, free_it, named(p[TWICE])) == 0);
	CHECK(pthread_join(t, NULL) == 0);
	for (i = 0; i < TWICE_FIRST; i++)
		if (i != TWICE)
			free(p[i]);
	for (i = 0; i < TWICE_BLOCKS; i++) {
		p[i] = malloc(TWICE_SIZE);
		CHECK(p[i]);
		memset(p[i], 1, TWICE_SIZE);
	}
	for (i = 0; i < TWICE_BLOCKS; i++)
		free(p[i]);
}

enum { RACES = 60000 };
static struct {
	void *block;
	unsigned int started, done;
} race;

static void wait_until(unsigned int *counter, unsigned int value)
{
	unsigned int spins = 0;

	while (__atomic_load_n(counter, __ATOMIC_ACQUIRE) < value)
		if (++spins % 1024 == 0)
			sched_yield();
}

static void *free_in_races(void *arg)
{
	unsigned int i;

	for (i = 1; i <= RACES; i++) {
		wait_until(&race.started, i);
		if (!race.block)
			break;
		free(race.block);
		__atomic_store_n(&race.done, i, __ATOMIC_RELEASE);
	}
	return arg;
}

/* Starts race @i, of which the other thread's part is to free @block too. */
static void start_race(unsigned int i, void *block)
{
	race.block = block;
	__atomic_store_n(&race.started, i, __ATOMIC_RELEASE);
}

/*
 * Whoever comes second is reported: one line for each block. Where the two
 * threads hardly ever run at once, time is up before all races are run.
 */
static void large_block_freed_by_two_at_once(void)
{
	double end = trap_seconds() + 1;
	unsigned int i;
	pthread_t t;

	CHECK(pthread_create(&t, NULL, free_in_races, NULL) == 0);
	for (i = 1; i <= RACES && trap_seconds() < end; i++) {
		volatile unsigned int delay = i % 40;
		void *p = malloc(200000);

		CHECK(p);
		start_race(i, p);
		while (delay)
			delay--;
		free(p);
		wait_until(&race.done, i);
	}
	if (i <= RACES)
		start_race(i, NULL);
	CHECK(pthread_join(t, NULL) == 0);
	for (; i <= RACES; i++) {
		void *p = malloc(200000);

		free(p);
		free(opaque(p));
	}
	churn_once(1, 1000);
}

/* ---- jumps and ends of threads ---- */

enum { JUMPS = 25 };
static sigjmp_buf before_the_loop;
static volatile sig_atomic_t nr_jumps;

static void jump_out(int sig)
{
	(void)sig;
	if (nr_jumps >= JUMPS)
		return;
	nr_jumps++;
	siglongjmp(before_the_loop, 1);
}

static void use_block(size_t n)
{
	char *p = (char *)malloc(n);

	CHECK(p);
	p[0] = p[n - 1] = 1;
	free(p);
}

/* Some of the jumps leave the lock of the large blocks behind, held by nobody. */
static void large_blocks_are_reused_after_jumps(void)
{
	unsigned int i;
	size_t before;

	use_block(300000);
	if (sigsetjmp(before_the_loop, 1) == 0)
		start_timer(jump_out, 1000);
	while (nr_jumps < JUMPS)
		use_block(nr_jumps % 2 ? 300000 : 100);
	stop_timer();
	before = address_space();
	for (i = 0; i < 20000; i++)
		use_block(300000);
	check_below("address space", address_space(), before + (256 << 20));
}

static unsigned int nr_ended;

/* Calls nothing of ours; what frees its thread-local storage comes after its end. */
static void *end_at_once(void *arg)
{
	usleep(1000);
	__atomic_add_fetch(&nr_ended, 1, __ATOMIC_RELEASE);
	return arg;
}

static void detach_threads(unsigned int nr)
{
	pthread_attr_t attr;
	unsigned int i;

	nr_ended = 0;
	CHECK(pthread_attr_init(&attr) == 0);
	CHECK(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0);
	for (i = 0; i < nr; i++) {
		pthread_t t;

		while (pthread_create(&t, &attr, end_at_once, NULL) != 0)
			usleep(1000);
		while (i + 1 - __atomic_load_n(&nr_ended, __ATOMIC_ACQUIRE) > 40)
			usleep(100);
	}
	while (__atomic_load_n(&nr_ended, __ATOMIC_ACQUIRE) < nr)
		usleep(1000);
	usleep(20000);
	CHECK(pthread_attr_destroy(&attr) == 0);
}

static void late_frees_leave_no_slots(void)
{
	size_t resident;

	detach_threads(500);
	resident = trap_rss();
	detach_threads(3000);
	check_below("resident", trap_rss(), resident + (2 << 20));
}

/* ---- messages and options ---- */

/* A daemon that closes all but the first three, whose own files then take the numbers. */
static void write_no_table_into_a_file(void)
{
	int file = memfd_create("file", 0), fd;
	pid_t pid;

	CHECK(file >= 0);
	free(malloc(5));
	pid = fork();
	if (pid == 0) {
		for (fd = 3; fd < 512; fd++)
			CHECK(fd == file || dup2(file, fd) == fd);
		exit(0);
	}
	trap_reap(pid);
	check_below("bytes in the file", (size_t)lseek(file, 0, SEEK_END), 1);
}

static void works(void)
{
	churn_once(1, 1000);
}

static const struct trap_case cases[] = {
	{ .name = "20000 reallocs up to 8 MiB leave few mappings",
	  .run = reallocs_leave_no_mappings, .ours = true },
	{ .name = "a huge block that nobody touches does not keep a burst resident",
	  .run = huge_untouched_keeps_no_burst, .ours = true },
	{ .name = "realloc from 100 to 51 MiB gives the rest back",
	  .run = shrunk_to_half_gives_the_rest_back },
	{ .name = "realloc inside a block is reported", .run = realloc_interior_small,
	  .sig = SIGABRT, .err = "^kmalloc: BUG: kmalloc-[0-9]+: .*inside the object",
	  .ours = true },
	{ .name = "realloc inside a small block changes nothing", .run = realloc_interior_small,
	  .options = "panic=0", .err = "^kmalloc: BUG: kmalloc-", .err_lines = 1, .ours = true },
	{ .name = "realloc inside a medium block changes nothing", .run = realloc_interior_medium,
	  .options = "panic=0", .err = "^kmalloc: BUG: kmalloc-", .err_lines = 1, .ours = true },
	{ .name = "mallinfo2 counts what a thread that ended freed",
	  .run = counters_follow_foreign_frees, .ours = true },
	{ .name = "a handler forks while its thread gives memory back",
	  .run = forks_while_memory_is_given_back, .ours = true },
	{ .name = "a thread of a _Fork child allocates first",
	  .run = raw_child_whose_thread_is_first, .ours = true },
	{ .name = "a block freed by two threads is reported once, then its slab is emptied",
	  .run = freed_by_two_threads_then_emptied, .options = "panic=0",
	  .err = "^kmalloc: BUG: .*double free", .err_lines = 1, .ours = true },
	{ .name = "two threads free one large block at once, and one of them is reported",
	  .run = large_block_freed_by_two_at_once, .options = "panic=0",
	  .err = "^kmalloc: BUG: free of .*not allocated", .err_lines = RACES, .ours = true },
	{ .name = "large blocks are reused after siglongjmp out of the allocator",
	  .run = large_blocks_are_reused_after_jumps, .ours = true },
	{ .name = "threads whose first call is a free at their end leave nothing behind",
	  .run = late_frees_leave_no_slots, .ours = true },
	{ .name = "a file that took the number of our stderr gets no slab table",
	  .run = write_no_table_into_a_file, .options = "slabinfo=exit", .ours = true },
	{ .name = "a wrong value after a right one is the default", .run = works,
	  .options = "purge=never purge=x verbose", .err = "options: verbose=1$",
	  .err_lines = 2, .ours = true },
};

TRAP_MAIN(cases)

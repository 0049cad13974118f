/* SPDX-License-Identifier: MIT */
/*
 * fork, _Fork, vfork and posix_spawn while threads and handlers allocate.
 * Traps C11 to C16, C18, C69.
 */
#include "trap.h"

#include <spawn.h>

extern char **environ;

/* What the child of a fork does: blocks of every size range, then its own and inherited ones. */
static void child_work(uint64_t seed, struct churn *inherited)
{
	churn_once(seed, 30);
	if (inherited) {
		churn_steps(inherited, 20);
		churn_finish(inherited);
	}
	_exit(0);
}

static void forks_while_threads_allocate(void)
{
	unsigned int i, rounds = trap_long() ? 10000 : 1000;
	struct churn mine;
	pid_t pid;

	trap_start_churners(2);
	churn_start(&mine, 7);
	for (i = 0; i < rounds; i++) {
		churn_steps(&mine, 20);
		pid = fork();
		if (pid == 0)
			child_work(i + 1, &mine);
		trap_reap(pid);
	}
	churn_finish(&mine);
	trap_stop_churners();
}

/* The child makes threads of its own, which take over what the parent's threads left. */
static void child_starts_threads(void)
{
	unsigned int i;
	pid_t pid;

	trap_start_churners(4);
	for (i = 0; i < (trap_long() ? 500u : 25u); i++) {
		pid = fork();
		if (pid == 0) {
			trap_churners.nr = 0;
			trap_start_churners(3);
			usleep(2000);
			trap_stop_churners();
			exit(0);
		}
		trap_reap(pid);
	}
	trap_stop_churners();
}

static void grandchildren(void)
{
	unsigned int depth;
	pid_t pid;

	trap_start_churners(2);
	pid = fork();
	if (pid) {
		trap_reap(pid);
		trap_stop_churners();
		return;
	}
	for (depth = 0; depth < 30; depth++) {
		churn_once(depth + 1, 100);
		pid = fork();
		if (pid) {
			trap_reap(pid);
			_exit(0);
		}
	}
	_exit(0);
}

static struct churn handler_heap[3];

static void in_prepare(void)
{
	churn_steps(&handler_heap[0], 30);
}

static void in_parent(void)
{
	churn_steps(&handler_heap[1], 30);
	churn_steps(&handler_heap[0], 10);
}

static void in_child(void)
{
	churn_steps(&handler_heap[2], 30);
	churn_steps(&handler_heap[0], 10);
}

static void atfork_handlers_allocate(void)
{
	unsigned int i;
	pid_t pid;

	for (i = 0; i < 3; i++)
		churn_start(&handler_heap[i], i + 1);
	CHECK(pthread_atfork(in_prepare, in_parent, in_child) == 0);
	trap_start_churners(3);
	for (i = 0; i < (trap_long() ? 3000u : 150u); i++) {
		pid = fork();
		if (pid == 0)
			child_work(i + 1, NULL);
		trap_reap(pid);
	}
	trap_stop_churners();
}

static void *fork_loop(void *arg)
{
	double end = trap_seconds() + (trap_long() ? 10 : 0.7);
	uint64_t seed = (uintptr_t)arg;
	pid_t pid;

	while (trap_seconds() < end) {
		pid = fork();
		if (pid == 0)
			child_work(seed, NULL);
		trap_reap(pid);
		churn_once(seed, 50);
	}
	return NULL;
}

static void two_threads_fork(void)
{
	pthread_t other;

	trap_start_churners(2);
	CHECK(pthread_create(&other, NULL, fork_loop, (void *)1) == 0);
	fork_loop((void *)2);
	CHECK(pthread_join(other, NULL) == 0);
	trap_stop_churners();
}

static pid_t (*fork_in_handler)(void);
static int handler_forks;

static void forking_handler(int sig)
{
	int saved = errno;
	pid_t pid = fork_in_handler();

	(void)sig;
	if (pid == 0)
		_exit(0);
	trap_reap(pid);
	handler_forks++;
	errno = saved;
}

/* The handler's child may also use the heap when it came from fork(). */
static void forking_and_allocating_handler(int sig)
{
	int saved = errno;
	pid_t pid = fork_in_handler();

	(void)sig;
	if (pid == 0)
		child_work(3, NULL);
	trap_reap(pid);
	handler_forks++;
	errno = saved;
}

static void churn_under_timer(void (*handler)(int), pid_t (*how)(void), unsigned int threads)
{
	struct itimerval tick = { { 0, 2000 }, { 0, 2000 } }, off = { { 0, 0 }, { 0, 0 } };
	double end = trap_seconds() + (trap_long() ? 20 : 0.7);
	struct sigaction sa;
	struct churn c;

	fork_in_handler = how;
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = handler;
	sa.sa_flags = SA_RESTART;
	trap_start_churners(threads);
	CHECK(sigaction(SIGALRM, &sa, NULL) == 0);
	CHECK(setitimer(ITIMER_REAL, &tick, NULL) == 0);
	churn_start(&c, 3);
	/* on a busy machine until there were enough of them */
	while (trap_seconds() < end || (handler_forks <= 20 && trap_seconds() < end + 20))
		churn_steps(&c, 100);
	CHECK(setitimer(ITIMER_REAL, &off, NULL) == 0);
	signal(SIGALRM, SIG_IGN);
	churn_finish(&c);
	trap_stop_churners();
	CHECK(handler_forks > 20);
}

static void handler_forks_alone(void)
{
	churn_under_timer(forking_handler, fork, 0);
}

static void handler_forks_child_allocates(void)
{
	churn_under_timer(forking_and_allocating_handler, fork, 0);
}

static void handler_forks_with_threads(void)
{
	churn_under_timer(forking_and_allocating_handler, fork, 3);
}

static pid_t (*find__Fork(void))(void)
{
	union {
		void *sym;
		pid_t (*fn)(void);
	} u;

	u.sym = dlsym(RTLD_DEFAULT, "_Fork");
	if (!u.sym)
		trap_skip("this libc has no _Fork");
	return u.fn;
}

static void handler__Forks(void)
{
	churn_under_timer(forking_handler, find__Fork(), 3);
}

/* _Fork runs no handlers; the child is told by other means and still has a heap. */
static void _Fork_child_allocates(void)
{
	pid_t (*how)(void) = find__Fork();
	unsigned int i;
	pid_t pid;

	trap_start_churners(3);
	for (i = 0; i < (trap_long() ? 3000u : 150u); i++) {
		pid = how();
		if (pid == 0)
			child_work(i + 1, NULL);
		trap_reap(pid);
	}
	trap_stop_churners();
}

/* Threads inside stdio, which holds its own locks while it allocates. */
static void *stdio_loop(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&trap_churners.stop, __ATOMIC_RELAXED)) {
		FILE *f = fopen("/proc/self/maps", "r");
		char *line = NULL;
		size_t size = 0;
		unsigned int i;

		CHECK(f);
		for (i = 0; i < 5 && getline(&line, &size, f) > 0; i++)
			;
		free(line);
		fclose(f);
	}
	return NULL;
}

static void *flush_loop(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&trap_churners.stop, __ATOMIC_RELAXED)) {
		char *text = NULL;
		size_t size;
		FILE *f = open_memstream(&text, &size);

		CHECK(f);
		fprintf(f, "%0512d\n", 1);
		fflush(NULL);
		fclose(f);
		free(text);
	}
	return NULL;
}

static void stdio_locks_and_fork(void)
{
	unsigned int i;
	pthread_t t[4];
	pid_t pid;

	for (i = 0; i < 4; i++)
		CHECK(pthread_create(&t[i], NULL, i & 1 ? stdio_loop : flush_loop, NULL) == 0);
	for (i = 0; i < (trap_long() ? 3000u : 200u); i++) {
		pid = fork();
		if (pid == 0)
			child_work(i + 1, NULL);
		trap_reap(pid);
	}
	__atomic_store_n(&trap_churners.stop, 1, __ATOMIC_RELAXED);
	for (i = 0; i < 4; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
}

static void spawn_while_threads_allocate(void)
{
	char name[] = "/bin/true";
	char *argv[] = { name, NULL };
	unsigned int i;
	pid_t pid;

	trap_start_churners(3);
	for (i = 0; i < (trap_long() ? 500u : 25u); i++) {
		CHECK(posix_spawn(&pid, name, NULL, NULL, argv, environ) == 0);
		trap_reap(pid);
		pid = vfork();
		if (pid == 0) {
			execv("/nonexistent/program", argv);
			execv(name, argv);
			_exit(1);
		}
		trap_reap(pid);
	}
	trap_stop_churners();
}

/* A vfork child shares our memory; old code behind popen and system allocates there. */
static void vfork_child_allocates(void)
{
	static struct churn shared;
	unsigned int i;
	pid_t pid;

	churn_start(&shared, 5);
	trap_start_churners(3);
	for (i = 0; i < (trap_long() ? 2000u : 200u); i++) {
		churn_steps(&shared, 50);
		pid = vfork();
		if (pid == 0) {
			churn_steps(&shared, 50);
			_exit(0);
		}
		trap_reap(pid);
	}
	churn_finish(&shared);
	trap_stop_churners();
}

/* What 8 threads held and the child can not reach is bounded: 16 MiB a generation. */
static void child_memory_stays_bounded(void)
{
	unsigned int depth;
	size_t before = 0;

	for (depth = 0; depth < 20; depth++) {
		pid_t pid;

		trap_start_churners(8);
		usleep(5000);
		pid = fork();
		if (pid) {
			trap_stop_churners();
			trap_reap(pid);
			if (depth)
				_exit(0);
			return;
		}
		trap_churners.nr = 0;
		if (depth == 4)
			before = trap_rss();
	}
	if (trap_rss() > before + (15 << 24)) {
		trap_note("%zu bytes resident in the 5th generation, %zu in the 20th\n", before,
			  trap_rss());
		_exit(1);
	}
	_exit(0);
}

static const struct trap_case cases[] = {
	{ .name = "forks while threads allocate, the child in every size range",
	  .run = forks_while_threads_allocate },
	{ .name = "the child of a threaded program starts threads that allocate",
	  .run = child_starts_threads },
	{ .name = "thirty generations of children allocate", .run = grandchildren },
	{ .name = "atfork handlers allocate and free in prepare, parent and child",
	  .run = atfork_handlers_allocate },
	{ .name = "two threads fork at once", .run = two_threads_fork },
	{ .name = "a signal handler that interrupted malloc forks", .run = handler_forks_alone },
	{ .name = "the child forked in a signal handler allocates",
	  .run = handler_forks_child_allocates, .ours = true },
	{ .name = "a signal handler forks while other threads allocate",
	  .run = handler_forks_with_threads, .ours = true },
	{ .name = "a signal handler calls _Fork while threads allocate", .run = handler__Forks },
	{ .name = "the child of _Fork allocates", .run = _Fork_child_allocates, .ours = true },
	{ .name = "threads in stdio and fork do not deadlock", .run = stdio_locks_and_fork },
	{ .name = "posix_spawn and vfork with exec while threads allocate",
	  .run = spawn_while_threads_allocate },
	{ .name = "a vfork child allocates and frees", .run = vfork_child_allocates },
	{ .name = "generations of threaded children stay bounded in memory",
	  .run = child_memory_stays_bounded },
};

TRAP_MAIN(cases)

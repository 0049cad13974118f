/* SPDX-License-Identifier: MIT */
/*
 * Before main and after it: constructors, exit in all its forms while other
 * threads allocate, handlers and destructors that allocate, and a stderr that
 * is not ours. Traps C1, C6, C7, C25.
 */
#include "trap.h"

#include <sys/stat.h>

static struct churn early;
static bool was_early;

__attribute__((constructor(101))) static void before_all(void)
{
	churn_start(&early, 3);
	churn_steps(&early, 500);
	was_early = true;
}

/* Runs after main and after every destructor without a priority. */
__attribute__((destructor(101))) static void after_all(void)
{
	churn_steps(&early, 500);
	churn_finish(&early);
	churn_once(9, 500);
}

__attribute__((destructor)) static void late(void)
{
	churn_steps(&early, 500);
}

static void constructors_and_destructors(void)
{
	CHECK(was_early);
	churn_steps(&early, 1000);
	exit(0);
}

static void at_exit(void)
{
	static int again;

	churn_once(2, 500);
	/* Handlers may register handlers, and that allocates too. */
	if (again++ < 40)
		CHECK(atexit(at_exit) == 0);
}

static void atexit_handlers_allocate(void)
{
	unsigned int i;

	for (i = 0; i < 100; i++)
		CHECK(atexit(at_exit) == 0);
	trap_start_churners(2);
	exit(0);
}

static void many_exits(void (*leave)(int))
{
	unsigned int i;
	pid_t pid;

	for (i = 0; i < (trap_long() ? 1000u : 20u); i++) {
		pid = fork();
		if (pid == 0) {
			trap_churners.nr = 0;
			trap_start_churners(8);
			usleep(i * 97 % 3000);
			leave(0);
			_exit(9);
		}
		trap_reap(pid);
	}
}

static void exit_while_threads_allocate(void)
{
	many_exits(exit);
}

static void quick_exit_while_threads_allocate(void)
{
	CHECK(at_quick_exit(at_exit) == 0);
	many_exits(quick_exit);
}

static void *exits(void *arg)
{
	(void)arg;
	churn_once(1, 300);
	exit(0);
}

static void leave_from_a_thread(int status)
{
	pthread_t t;

	(void)status;
	CHECK(pthread_create(&t, NULL, exits, NULL) == 0);
	for (;;)
		churn_once(5, 100);
}

static void exit_in_another_thread(void)
{
	many_exits(leave_from_a_thread);
}

static void leave_main_thread(int status)
{
	pthread_t t;

	(void)status;
	trap_stop_churners();
	CHECK(pthread_create(&t, NULL, exits, NULL) == 0);
	churn_once(6, 100);
	pthread_exit(NULL);
}

static void main_thread_ends_first(void)
{
	many_exits(leave_main_thread);
}

static void slabinfo_at_exit(void)
{
	trap_start_churners(8);
	usleep(20000);
	exit(0);
}

/*
 * A program closes fd 2 and opens its data file, which becomes fd 2: nothing
 * of ours may get into it, neither a report nor a table at exit.
 */
static void nothing_in_the_programs_file(void)
{
	char name[] = "/tmp/trap-stderr-XXXXXX";
	struct stat st;
	int fd, status;
	pid_t pid;

	fd = mkstemp(name);
	CHECK(fd >= 0);
	pid = fork();
	if (pid == 0) {
		close(2);
		if (open(name, O_RDWR) != 2 || write(2, "data", 4) != 4)
			_exit(3);
		churn_once(1, 2000);
		free(opaque((char *)&early + 8));
		exit(0);
	}
	while (waitpid(pid, &status, 0) < 0)
		CHECK(errno == EINTR);
	CHECK(fstat(fd, &st) == 0);
	unlink(name);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	if (st.st_size != 4) {
		trap_note("%ld bytes were added to the program's file\n", (long)st.st_size - 4);
		_exit(1);
	}
}

/* Started without any of the three descriptors: ours may not become one of them. */
static void started_without_descriptors(void)
{
	char program[] = "/proc/self/exe", flag[] = "--case", number[] = "0";
	char *argv[] = { program, flag, number, NULL };
	pid_t pid;

	if (getenv("TRAP_NO_FDS")) {
		struct stat st;
		int fd;

		for (fd = 0; fd < 3; fd++)
			if (fstat(fd, &st) == 0)
				_exit(4 + fd);
		churn_once(1, 2000);
		exit(0);
	}
	CHECK(setenv("TRAP_NO_FDS", "1", 1) == 0);
	pid = fork();
	if (pid == 0) {
		close(0);
		close(1);
		close(2);
		execv(program, argv);
		_exit(99);
	}
	trap_reap(pid);
}

static void no_descriptor_stays_open(void)
{
	int fd;

	churn_once(1, 2000);
	for (fd = 3; fd < TRAP_EXPECT_FD; fd++)
		CHECK(fcntl(fd, F_GETFD) < 0);
}

static const struct trap_case cases[] = {
	/* First, as it names itself by number when it runs itself again. */
	{ .name = "a program started without descriptors gets none from us",
	  .run = started_without_descriptors, .options = "slabinfo=exit verbose" },
	{ .name = "constructors of priority 101 and destructors allocate",
	  .run = constructors_and_destructors },
	{ .name = "atexit handlers allocate", .run = atexit_handlers_allocate },
	{ .name = "exit while eight threads allocate", .run = exit_while_threads_allocate },
	{ .name = "quick_exit while eight threads allocate",
	  .run = quick_exit_while_threads_allocate },
	{ .name = "another thread calls exit", .run = exit_in_another_thread },
	{ .name = "the main thread ends first", .run = main_thread_ends_first },
	{ .name = "slabinfo=exit while eight threads allocate", .run = slabinfo_at_exit,
	  .options = "slabinfo=exit", .err = "^kmalloc-64 ", .ours = true },
	{ .name = "a file that took the place of stderr gets nothing of ours",
	  .run = nothing_in_the_programs_file, .options = "slabinfo=exit verbose panic=0",
	  .ours = true },
	{ .name = "no descriptor stays open", .run = no_descriptor_stays_open },
};

TRAP_MAIN(cases)

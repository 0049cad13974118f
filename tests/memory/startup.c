// SPDX-License-Identifier: MIT
/*
 * startup.c - what a library costs a program that only starts and ends
 *
 *	startup LIBRARY RUNS
 *
 * Starts itself RUNS times without and RUNS times with LIBRARY preloaded, one by
 * one in turn, and prints a line for each of two children:
 *
 *	empty	main returns at once
 *	one	main gets a block, frees it, and returns
 *
 *	CHILD rss_base=KIB rss=KIB wall_base=US wall=US wall_more=US cpu_base=US cpu=US
 *
 * The figures are medians; wall_more is the median of the differences between
 * neighbouring runs, which a machine that gets busy half-way hardly moves.  Of
 * the CPU time, which some systems count in ticks, it is the mean.  RSS is the
 * child's VmHWM, which it reads itself in separate runs: ru_maxrss would start
 * from the parent's size.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "memory.h"

#define MAX_RUNS	2000

struct sample {
	double wall[MAX_RUNS];
	double rss[MAX_RUNS];
	double cpu;
};

static struct {
	unsigned int runs;
	int result_in, result_out;	/* the pipe for what a child measures */
	char result_fd[16];		/* result_out, for its command line */
	char preload[4200];
	char *plain_env[1];
	char *preload_env[2];
} driver;

/* The child */

static void __attribute__((noreturn)) child_rss(int result)
{
	static char text[8192];
	int fd = open("/proc/self/status", O_RDONLY);
	const char *at;
	long kib;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		_exit(1);
	at = strstr(text, "VmHWM:");
	if (!at)
		_exit(1);
	kib = strtol(at + strlen("VmHWM:"), NULL, 10);
	_exit(write(result, &kib, sizeof(kib)) != sizeof(kib));
}

/* child WHAT [FD] */
static int child(char **argv)
{
	if (!strcmp(argv[0], "one"))
		free(must(malloc(24)));
	if (argv[1])
		child_rss((int)strtol(argv[1], NULL, 10));
	return 0;
}

/* The driver */

static double microseconds(const struct timeval *t)
{
	return (double)t->tv_sec * 1e6 + (double)t->tv_usec;
}

/* No function call but execve in the child: it runs on our memory until then. */
static double run_child(char *const argv[], char *const env[], double *cpu)
{
	struct rusage usage;
	const double start = now();
	int status;
	pid_t pid;

	pid = vfork();
	if (pid == 0) {
		execve("/proc/self/exe", argv, env);
		_exit(127);
	}
	while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
		;
	if (pid < 0 || status)
		give_up("the child failed");
	*cpu += microseconds(&usage.ru_utime) + microseconds(&usage.ru_stime);
	return (now() - start) * 1e6;
}

static void measure_one(struct sample *s, unsigned int run, char *what, char *const env[])
{
	char name[] = "startup", option[] = "--child";
	char *timed[] = { name, option, what, NULL };
	char *sized[] = { name, option, what, driver.result_fd, NULL };
	double unused = 0;
	long kib = 0;

	s->wall[run] = run_child(timed, env, &s->cpu);
	run_child(sized, env, &unused);
	if (read(driver.result_in, &kib, sizeof(kib)) != sizeof(kib))
		give_up("no figure from the child");
	s->rss[run] = (double)kib;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, driver.runs, sizeof(*values), compare_doubles);
	return values[driver.runs / 2];
}

static void compare(char *what)
{
	static struct sample base, ours;
	static double more[MAX_RUNS];

	memset(&base, 0, sizeof(base));
	memset(&ours, 0, sizeof(ours));
	for (unsigned int run = 0; run < driver.runs; run++) {
		measure_one(&base, run, what, driver.plain_env);
		measure_one(&ours, run, what, driver.preload_env);
		more[run] = ours.wall[run] - base.wall[run];
	}
	printf("%s rss_base=%.0f rss=%.0f wall_base=%.0f wall=%.0f wall_more=%.0f "
	       "cpu_base=%.0f cpu=%.0f\n", what, median(base.rss), median(ours.rss),
	       median(base.wall), median(ours.wall), median(more),
	       base.cpu / driver.runs, ours.cpu / driver.runs);
}

int main(int argc, char **argv)
{
	char empty[] = "empty", one[] = "one";
	int ends[2];

	if (argc >= 3 && !strcmp(argv[1], "--child"))
		return child(argv + 2);
	if (argc != 3)
		give_up("usage: startup LIBRARY RUNS");
	driver.runs = (unsigned int)strtoul(argv[2], NULL, 10);
	if (driver.runs < 1 || driver.runs > MAX_RUNS)
		give_up("the number of runs is 1 to 2000");
	/* ld.so only warns of a library that is not there */
	if (*argv[1] && access(argv[1], R_OK))
		give_up("no such library");
	snprintf(driver.preload, sizeof(driver.preload), "LD_PRELOAD=%s", argv[1]);
	driver.preload_env[0] = driver.preload;
	if (pipe(ends))
		give_up("no pipe");
	driver.result_in = ends[0];
	driver.result_out = ends[1];
	snprintf(driver.result_fd, sizeof(driver.result_fd), "%d", driver.result_out);
	compare(empty);
	compare(one);
	return 0;
}

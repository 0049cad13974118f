// SPDX-License-Identifier: MIT
/*
 * measure.c - run a command and say what it and its descendants used
 *
 *	measure [-o FILE] [--timeout S] [--interval MS] [--preload=PATH]
 *		[--env NAME=VALUE]... [--] COMMAND [ARGUMENT]...
 *
 * One JSON object goes to FILE (standard error); what is not known is null:
 *
 *	wall			seconds
 *	user, system		CPU seconds of the command and of the descendants that
 *				were waited for, and so are
 *	minor_faults, major_faults, voluntary_switches, involuntary_switches
 *	peak_rss_kib		of the largest process
 *	largest_rss_end_kib	of the same process, when it exited
 *	rss_end_kib		of the command itself, when it exited
 *	mappings_end		of the command itself, when it exited
 *	mappings_peak		the most that any process had when it exited
 *	processes		how many were looked at when they exited
 *	preloaded		how many of those had the library of --preload mapped
 *	status, signal		exit status of the command, or what killed it
 *	timed_out		it ran longer than --timeout, and was killed with all it started
 *	series			--interval: [seconds, KiB], RSS of all processes added up
 *
 * The environment is changed for the command alone: --preload=PATH is LD_PRELOAD,
 * and measure itself runs without.  Exit status: 0 where the command ran, however
 * it ended, 1 trouble, 2 usage, 127 it could not be run, 128 + N on signal N, which
 * kills the command; the end of whoever started measure does so too.  What the
 * command leaves running is killed when it ends.
 *
 * Processes are seized with ptrace, forks followed, and each stopped when it exits,
 * while its memory is still there.  (ru_maxrss would not do: it has the memory from
 * before the exec in it, which is that of whoever forked.)  There are no stops in
 * between but for fork and signals, system calls and faults are not slowed down, and
 * threads are not traced: a fork by one that is not the first is not followed.  Each
 * process that is followed has a few voluntary switches more.  The time for which the
 * command itself is held at its exit is not in wall.  Where ptrace is not permitted
 * the figures of the end are null and peak_rss_kib is ru_maxrss.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TRACE_OPTIONS	(PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | \
			 PTRACE_O_TRACEEXIT)
#define NEVER		1e18	/* a time */
#define KILL_SECONDS	2	/* for what was killed to be gone */

/* The command line. */
static struct {
	FILE *out;
	double timeout;			/* seconds; 0: none */
	double interval;		/* seconds; 0: no series */
	char preload[PATH_MAX];		/* as it reads in maps; "": none */
	char **command;
} options;

/* One run. */
static struct {
	pid_t main;
	bool ended;			/* main was waited for */
	bool timed_out;
	int interrupted;		/* the signal */
	double start, held, wall;
	int status;			/* of wait4() */
	struct rusage usage;
	long peak_rss, largest_rss_end, rss_end;
	long mappings_end, mappings_peak;
	long processes, preloaded;
} run = { .rss_end = -1, .mappings_end = -1 };

/* The processes that live. */
static pid_t *pids;
static size_t nr_pids;

static struct sample {
	double seconds;
	long rss_kib;
} *samples;
static size_t nr_samples;

/* Between the parent and the child, who share memory until the child's exec. */
static struct {
	int go[2];			/* a pipe: the child waits for a byte */
	sigset_t signals;		/* to be restored */
	volatile int error;		/* of exec */
} child;
static char child_stack[64 << 10] __attribute__((aligned(16)));

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void die(int status, const char *what, const char *why)
{
	fprintf(stderr, "measure: %s: %s\n", what, why);
	exit(status);
}

/* Room for one more in an array that grows when its number is a power of two. */
static void *grow(void *array, size_t nr, size_t size)
{
	if (nr & (nr - 1))
		return array;
	array = realloc(array, (nr ? 2 * nr : 1) * size);
	if (!array)
		die(1, "measure", "out of memory");
	return array;
}

/* Processes ---------------------------------------------------------------- */

static void add_pid(pid_t pid)
{
	for (size_t i = 0; i < nr_pids; i++) {
		if (pids[i] == pid)
			return;
	}
	pids = grow(pids, nr_pids, sizeof(*pids));
	pids[nr_pids++] = pid;
}

static void drop_pid(pid_t pid)
{
	for (size_t i = 0; i < nr_pids; i++) {
		if (pids[i] == pid) {
			/* The array keeps its size: grow() looks at the number alone. */
			memmove(&pids[i], &pids[i + 1], (nr_pids - i - 1) * sizeof(*pids));
			nr_pids--;
			return;
		}
	}
}

static void kill_all(void)
{
	kill(-run.main, SIGKILL);
	for (size_t i = 0; i < nr_pids; i++)
		kill(pids[i], SIGKILL);
}

static FILE *open_proc(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return fopen(path, "re");
}

/* Peak and present RSS in KiB; false where the process has no memory any more. */
static bool read_rss(pid_t pid, long *peak, long *rss)
{
	FILE *file = open_proc(pid, "status");
	char line[256];
	int found = 0;

	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		found += sscanf(line, "VmHWM: %ld", peak) == 1;
		found += sscanf(line, "VmRSS: %ld", rss) == 1;
	}
	fclose(file);
	return found == 2;
}

static long count_mappings(pid_t pid, bool *preloaded)
{
	static char line[PATH_MAX + 256];
	FILE *file = open_proc(pid, "maps");
	long count = 0;

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		const char *path = strchr(line, '/');

		line[strcspn(line, "\n")] = '\0';
		if (path && strcmp(path, options.preload) == 0)
			*preloaded = true;
		count++;
	}
	fclose(file);
	return count;
}

/* A child of vfork() that did not exec: its memory is another process', which goes on. */
static bool shares_memory(pid_t pid)
{
	for (size_t i = 0; i < nr_pids; i++) {
		if (pids[i] != pid && syscall(SYS_kcmp, pid, pids[i], KCMP_VM, 0, 0) == 0)
			return true;
	}
	return false;
}

/* The process is stopped and about to exit. */
static void look_at(pid_t pid)
{
	bool preloaded = false;
	long peak, rss, mappings;

	if (!read_rss(pid, &peak, &rss))
		return;
	mappings = count_mappings(pid, &preloaded);
	run.processes++;
	run.preloaded += preloaded;
	if (shares_memory(pid))
		return;
	/* The kernel's counters are exact within some pages a CPU. */
	if (rss > peak)
		peak = rss;
	if (peak > run.peak_rss) {
		run.peak_rss = peak;
		run.largest_rss_end = rss;
	}
	if (mappings > run.mappings_peak)
		run.mappings_peak = mappings;
	if (pid == run.main) {
		run.rss_end = rss;
		run.mappings_end = mappings;
	}
}

static void on_stop(pid_t pid, int status)
{
	int event = status >> 16, sig = 0, request = PTRACE_CONT;
	unsigned long message = 0;
	double from = now();

	if (event == PTRACE_EVENT_EXIT) {
		look_at(pid);
	} else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK) {
		if (ptrace(PTRACE_GETEVENTMSG, pid, NULL, &message) == 0)
			add_pid((pid_t)message);
	} else if (event == PTRACE_EVENT_STOP) {
		add_pid(pid);
		if (run.ended || run.timed_out || run.interrupted)
			kill(pid, SIGKILL);	/* born while the others were killed */
		/* SIGTRAP: a new process; another signal: it stopped, and stays so. */
		if (WSTOPSIG(status) != SIGTRAP)
			request = PTRACE_LISTEN;
	} else {
		sig = WSTOPSIG(status);
	}
	if (pid == run.main && event == PTRACE_EVENT_EXIT)
		run.held += now() - from;
	ptrace(request, pid, NULL, (void *)(long)sig);
}

/* Whatever has happened to processes; false where there is nothing more to wait for. */
static bool reap(void)
{
	struct rusage usage;
	int status;
	pid_t pid;

	while ((pid = wait4(-1, &status, __WALL | WNOHANG, &usage)) > 0) {
		if (WIFSTOPPED(status)) {
			on_stop(pid, status);
			continue;
		}
		drop_pid(pid);
		if (pid == run.main) {
			run.wall = now() - run.start - run.held;
			run.status = status;
			run.usage = usage;
			run.ended = true;
		}
	}
	return pid == 0;
}

static void take_sample(void)
{
	long total = 0, page = sysconf(_SC_PAGESIZE) >> 10;

	for (size_t i = 0; i < nr_pids; i++) {
		FILE *file = open_proc(pids[i], "statm");
		long pages;

		if (!file)
			continue;
		if (fscanf(file, "%*d %ld", &pages) == 1)
			total += pages * page;
		fclose(file);
	}
	if (!total)
		return;
	samples = grow(samples, nr_samples, sizeof(*samples));
	samples[nr_samples++] = (struct sample){ now() - run.start, total };
}

/* The run ------------------------------------------------------------------ */

static int start_child(void *unused)
{
	char byte;

	(void)unused;
	setpgid(0, 0);
	sigprocmask(SIG_SETMASK, &child.signals, NULL);
	if (read(child.go[0], &byte, 1) == 1)
		execvp(options.command[0], options.command);
	child.error = errno;
	_exit(127);
}

/*
 * The child shares our memory until its exec, so that it has no copy to make, the
 * faults of which would be counted as the command's.
 */
static void start(void)
{
	if (pipe2(child.go, O_CLOEXEC))
		die(1, "pipe", strerror(errno));
	run.main = clone(start_child, child_stack + sizeof(child_stack), CLONE_VM | SIGCHLD, NULL);
	if (run.main < 0)
		die(1, "clone", strerror(errno));
	setpgid(run.main, run.main);
	add_pid(run.main);
	/* Where it is not permitted, run.processes stays 0. */
	ptrace(PTRACE_SEIZE, run.main, NULL, (void *)TRACE_OPTIONS);
	/* Orphans become ours, and leave no zombie. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	run.start = now();
	if (write(child.go[1], "", 1) != 1)
		die(1, "pipe", strerror(errno));
}

/* Wait for a signal, at most until the time. */
static void wait_signal(const sigset_t *signals, double until)
{
	double left = until - now();
	struct timespec time = { 0 };
	int sig;

	if (left > 3600)
		left = 3600;
	if (left > 0) {
		time.tv_sec = (time_t)left;
		time.tv_nsec = (long)((left - (double)time.tv_sec) * 1e9);
	}
	sig = sigtimedwait(signals, NULL, &time);
	if (sig > 0 && sig != SIGCHLD)
		run.interrupted = sig;
}

/* Until the command ended, its time is over, or we were interrupted. */
static void follow(const sigset_t *signals)
{
	double end = options.timeout ? run.start + options.timeout : NEVER;
	double next_sample = options.interval ? run.start : NEVER;

	while (reap() && !run.ended && !run.interrupted) {
		double time = now();

		if (time >= end) {
			run.timed_out = true;
			return;
		}
		if (time >= next_sample) {
			take_sample();
			next_sample = time + options.interval;
		}
		wait_signal(signals, end < next_sample ? end : next_sample);
	}
}

/* Processes that were never followed are children of ours when their parents are gone. */
static void kill_children(void)
{
	FILE *file = fopen("/proc/thread-self/children", "re");
	int pid;

	if (!file)
		return;
	while (fscanf(file, "%d", &pid) == 1)
		kill(pid, SIGKILL);
	fclose(file);
}

/* Kill what is left and wait until it is gone. */
static void clean_up(const sigset_t *signals)
{
	double end = now() + KILL_SECONDS;

	kill_all();
	while (reap() && now() < end) {
		kill_children();
		wait_signal(signals, end);
	}
}

/* The report --------------------------------------------------------------- */

static void print_figure(const char *name, bool known, long value)
{
	if (known)
		fprintf(options.out, ", \"%s\": %ld", name, value);
	else
		fprintf(options.out, ", \"%s\": null", name);
}

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void report_times(void)
{
	if (run.ended)
		fprintf(options.out, "{\"wall\": %.6f, \"user\": %.6f, \"system\": %.6f", run.wall,
			seconds(run.usage.ru_utime), seconds(run.usage.ru_stime));
	else
		fprintf(options.out, "{\"wall\": null, \"user\": null, \"system\": null");
}

static void report(void)
{
	bool seen = run.processes > 0, main_seen = run.rss_end >= 0, ended = run.ended;

	report_times();
	print_figure("peak_rss_kib", seen || ended, seen ? run.peak_rss : run.usage.ru_maxrss);
	print_figure("largest_rss_end_kib", seen, run.largest_rss_end);
	print_figure("rss_end_kib", main_seen, run.rss_end);
	print_figure("mappings_end", main_seen, run.mappings_end);
	print_figure("mappings_peak", seen, run.mappings_peak);
	print_figure("minor_faults", ended, run.usage.ru_minflt);
	print_figure("major_faults", ended, run.usage.ru_majflt);
	print_figure("voluntary_switches", ended, run.usage.ru_nvcsw);
	print_figure("involuntary_switches", ended, run.usage.ru_nivcsw);
	print_figure("processes", seen, run.processes);
	print_figure("preloaded", seen && options.preload[0], run.preloaded);
	print_figure("status", ended && WIFEXITED(run.status), WEXITSTATUS(run.status));
	print_figure("signal", ended && WIFSIGNALED(run.status), WTERMSIG(run.status));
	fprintf(options.out, ", \"timed_out\": %s, \"series\": [",
		run.timed_out ? "true" : "false");
	for (size_t i = 0; i < nr_samples; i++) {
		fprintf(options.out, "%s[%.4f, %ld]", i ? ", " : "", samples[i].seconds,
			samples[i].rss_kib);
	}
	fprintf(options.out, "]}\n");
	if (fflush(options.out) || ferror(options.out))
		die(1, "output", strerror(errno));
}

/* Options ------------------------------------------------------------------ */

static double number(const char *name, const char *text, double unit)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value > 0) || value > 1e9) {
		fprintf(stderr, "measure: %s %s: expected a number above 0\n", name, text);
		exit(2);
	}
	return value * unit;
}

static void set_preload(const char *path)
{
	if (!realpath(path, options.preload))
		die(2, path, strerror(errno));
	setenv("LD_PRELOAD", options.preload, 1);
}

static void set_environment(char *pair)
{
	char *equals = strchr(pair, '=');

	if (!equals || equals == pair)
		die(2, pair, "expected NAME=VALUE");
	*equals = '\0';
	setenv(pair, equals + 1, 1);
	*equals = '=';
}

static void parse(int argc, char **argv)
{
	static const struct option known[] = {
		{ "timeout", required_argument, NULL, 't' },
		{ "interval", required_argument, NULL, 'i' },
		{ "preload", required_argument, NULL, 'p' },
		{ "env", required_argument, NULL, 'e' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	options.out = stderr;
	while ((c = getopt_long(argc, argv, "+o:", known, NULL)) != -1) {
		switch (c) {
		case 'o':
			options.out = fopen(optarg, "we");
			if (!options.out)
				die(1, optarg, strerror(errno));
			break;
		case 't':
			options.timeout = number("--timeout", optarg, 1);
			break;
		case 'i':
			options.interval = number("--interval", optarg, 1e-3);
			break;
		case 'p':
			set_preload(optarg);
			break;
		case 'e':
			set_environment(optarg);
			break;
		default:
			exit(2);
		}
	}
	options.command = argv + optind;
	if (optind == argc)
		die(2, "no command", "expected measure [OPTION]... [--] COMMAND [ARGUMENT]...");
}

int main(int argc, char **argv)
{
	sigset_t signals;

	parse(argc, argv);
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, &child.signals);
	/* Whoever wants the figures is gone: as if interrupted. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	start();
	follow(&signals);
	clean_up(&signals);
	if (child.error)
		die(127, options.command[0], strerror(child.error));
	if (run.interrupted)
		return 128 + run.interrupted;
	report();
	return 0;
}

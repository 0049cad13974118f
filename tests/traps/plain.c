/* SPDX-License-Identifier: MIT */
/*
 * The program that the shell tests of this folder run in odd surroundings.
 *	plain			allocates of every size in four threads and a child
 *	plain fill		takes all memory it can get, frees it and goes on
 *	plain steady		one malloc and free of every size up to 128 KiB again
 *				and again, the steady state between two getppid()
 *	plain steady-large	the same with sizes from 140,000 to 8 MiB
 *	plain interposed	as without argument; demands that the library of
 *				interposer.c in LD_PRELOAD was called
 * On success it prints "plain: done" and exits with 0.
 */
#include "trap.h"

static void work(void)
{
	pid_t pid;

	churn_once(1, 5000);
	trap_start_churners(4);
	pid = fork();
	if (pid == 0) {
		churn_once(2, 2000);
		_exit(0);
	}
	trap_reap(pid);
	usleep(20000);
	trap_stop_churners();
	malloc_trim(0);
	churn_once(1, 2000);
}

static size_t fill_up(void **list, size_t n)
{
	size_t nr = 0;
	void **p;

	*list = NULL;
	while ((p = (void **)malloc(n)) != NULL) {
		memset(p, 1, n);
		*p = *list;
		*list = p;
		nr++;
	}
	CHECK(errno == ENOMEM);
	return nr;
}

static void fill(void)
{
	static const size_t sizes[] = { 100, 4000, 60000, 300000, 2 << 20, 100 };
	unsigned int i;
	void *list;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		CHECK(fill_up(&list, sizes[i]) * sizes[i] > 4 << 20);
		while (list) {
			void *next = *(void **)list;

			free(list);
			list = next;
		}
	}
	churn_once(1, 5000);
}

static void alternate(size_t first, size_t last, unsigned int rounds)
{
	size_t n;

	while (rounds--)
		for (n = first; n <= last; n += n / 4 + 1) {
			void *p = malloc(n);

			CHECK(p);
			*(volatile char *)p = 1;
			free(p);
		}
}

static void steady(size_t first, size_t last)
{
	/* Whatever adapts to the program has had its time to. */
	alternate(first, last, 2000);
	getppid();
	alternate(first, last, 1000);
	getppid();
}

static void interposed(void)
{
	unsigned long *calls = (unsigned long *)dlsym(RTLD_DEFAULT, "interposer_calls");

	CHECK(calls);
	work();
	CHECK(*calls > 1000);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (strcmp(mode, "fill") == 0)
		fill();
	else if (strcmp(mode, "steady") == 0)
		steady(1, 128 << 10);
	else if (strcmp(mode, "steady-large") == 0)
		steady(140000, 8 << 20);
	else if (strcmp(mode, "interposed") == 0)
		interposed();
	else
		work();
	puts("plain: done");
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Signal handlers that allocate, at 3 kHz, in one thread and in several;
 * handlers that leave by siglongjmp; SIGSEGV and SIGABRT handlers;
 * asynchronous cancellation. Traps C14, C66, C67, C68, C95.
 */
#include "trap.h"

#include <setjmp.h>

enum { TICK_US = 333 };

/* The handler's own working set. A nested tick is kept out by sa_mask. */
static __thread struct churn handler_heap __attribute__((tls_model("initial-exec")));
static __thread unsigned int handler_ticks __attribute__((tls_model("initial-exec")));
static __thread bool handler_ready __attribute__((tls_model("initial-exec")));

static void allocating_handler(int sig)
{
	int saved = errno;

	(void)sig;
	if (!handler_ready) {
		handler_ready = true;
		churn_start(&handler_heap, (uintptr_t)&handler_heap);
	}
	churn_steps(&handler_heap, 12);
	if (handler_ticks++ % 64 == 0) {
		unsigned char *p = (unsigned char *)malloc(2 << 20);

		CHECK(p);
		p[0] = p[(2 << 20) - 1] = 1;
		p = (unsigned char *)realloc(p, 3 << 20);
		CHECK(p && p[0] == 1);
		free(p);
	}
	errno = saved;
}

static void install(int sig, void (*handler)(int))
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = handler;
	sa.sa_flags = SA_RESTART;
	CHECK(sigaction(sig, &sa, NULL) == 0);
}

static void tick(long us)
{
	struct itimerval it = { { 0, us }, { 0, us } };

	CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
}

static void handler_and_main_allocate(void)
{
	double end = trap_seconds() + (trap_long() ? 60 : 10);
	struct churn c;

	install(SIGALRM, allocating_handler);
	churn_start(&c, 11);
	tick(TICK_US);
	while (trap_seconds() < end)
		churn_steps(&c, 200);
	tick(0);
	signal(SIGALRM, SIG_IGN);
	churn_finish(&c);
	churn_finish(&handler_heap);
	CHECK(handler_ticks > 1000);
}

/* A timer for each thread, so that every thread is interrupted at the rate. */
static void *ticking_thread(void *arg)
{
	double end = trap_seconds() + (trap_long() ? 30 : 3);
	struct itimerspec spec = { { 0, TICK_US * 1000 }, { 0, TICK_US * 1000 } };
	struct sigevent ev;
	timer_t timer;
	struct churn c;

	memset(&ev, 0, sizeof(ev));
	ev.sigev_notify = SIGEV_THREAD_ID;
	ev.sigev_signo = SIGALRM;
	ev._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	CHECK(timer_create(CLOCK_MONOTONIC, &ev, &timer) == 0);
	CHECK(timer_settime(timer, 0, &spec, NULL) == 0);
	churn_start(&c, (uintptr_t)arg);
	while (trap_seconds() < end)
		churn_steps(&c, 200);
	CHECK(timer_delete(timer) == 0);
	churn_finish(&c);
	CHECK(handler_ticks > 100);
	return NULL;
}

static void handlers_in_several_threads(void)
{
	pthread_t t[4];
	uintptr_t i;

	install(SIGALRM, allocating_handler);
	for (i = 0; i < 4; i++)
		CHECK(pthread_create(&t[i], NULL, ticking_thread, (void *)(i + 1)) == 0);
	for (i = 0; i < 4; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
}

/* Threads come and go while the process-wide timer hits whichever runs. */
static void *short_thread(void *arg)
{
	struct churn c;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	churn_start(&c, (uintptr_t)arg + 1);
	churn_steps(&c, 300);
	/* The handler's blocks die with the thread's last tick. */
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (handler_ready)
		churn_finish(&handler_heap);
	churn_finish(&c);
	return NULL;
}

static void handlers_and_thread_turnover(void)
{
	double end = trap_seconds() + (trap_long() ? 20 : 2);
	uintptr_t n = 0;
	sigset_t set;

	install(SIGALRM, allocating_handler);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	while (trap_seconds() < end) {
		pthread_t t[4];
		int i;

		for (i = 0; i < 4; i++)
			CHECK(pthread_create(&t[i], NULL, short_thread, (void *)n++) == 0);
		tick(TICK_US);
		/* Main itself takes no tick, so that the threads do. */
		pthread_sigmask(SIG_BLOCK, &set, NULL);
		for (i = 0; i < 4; i++)
			CHECK(pthread_join(t[i], NULL) == 0);
		pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	}
	tick(0);
}

/* What the handler allocates main frees, and the other way round. */
enum { MAIL = 64 };
static void *mail_to_main[MAIL], *mail_to_handler[MAIL];

static void mailing_handler(int sig)
{
	static uint64_t random = 99;
	int saved = errno;
	unsigned int i;

	(void)sig;
	for (i = 0; i < 8; i++) {
		uint64_t r = trap_random(&random);
		size_t n = (r & 15) ? r % 2000 + 16 : r % 300000 + 16;
		void **slot = &mail_to_main[(r >> 40) % MAIL];
		void *p;

		if (!*slot) {
			p = malloc(n);
			CHECK(p);
			*(size_t *)p = n;
			((char *)p)[n - 1] = 1;
			*slot = p;
		}
		slot = &mail_to_handler[(r >> 50) % MAIL];
		p = __atomic_exchange_n(slot, NULL, __ATOMIC_ACQ_REL);
		if (p) {
			CHECK(*(size_t *)p == malloc_usable_size(p));
			free(p);
		}
	}
	errno = saved;
}

static void blocks_cross_between_handler_and_main(void)
{
	double end = trap_seconds() + (trap_long() ? 30 : 2);
	uint64_t random = 5;
	unsigned int i;

	install(SIGALRM, mailing_handler);
	tick(TICK_US);
	while (trap_seconds() < end) {
		for (i = 0; i < MAIL; i++) {
			void *p = __atomic_exchange_n(&mail_to_main[i], NULL, __ATOMIC_ACQ_REL);
			uint64_t r = trap_random(&random);

			if (p) {
				CHECK(malloc_usable_size(p) >= *(size_t *)p);
				free(p);
			}
			if (__atomic_load_n(&mail_to_handler[i], __ATOMIC_ACQUIRE))
				continue;
			p = malloc((r & 15) ? r % 2000 + 8 : r % 300000 + 8);
			CHECK(p);
			*(size_t *)p = malloc_usable_size(p);
			__atomic_store_n(&mail_to_handler[i], p, __ATOMIC_RELEASE);
		}
	}
	tick(0);
}

/* Handlers that never come back: whatever malloc was doing stays half done. */
static __thread sigjmp_buf out_of_malloc __attribute__((tls_model("initial-exec")));
static __thread volatile sig_atomic_t armed __attribute__((tls_model("initial-exec")));
static __thread unsigned int jumps __attribute__((tls_model("initial-exec")));

static void jumping_handler(int sig)
{
	(void)sig;
	if (!armed)
		return;
	armed = 0;
	jumps++;
	siglongjmp(out_of_malloc, 1);
}

/* Blocks in the air at the jump are lost; those in the table stay whole. */
static void jump_out_of_malloc(double seconds)
{
	static __thread void *table[64] __attribute__((tls_model("initial-exec")));
	volatile uint64_t random = 17;
	double end = trap_seconds() + seconds;
	unsigned int i;

	while (trap_seconds() < end) {
		if (sigsetjmp(out_of_malloc, 1) == 0) {
			armed = 1;
			for (;;) {
				uint64_t r = random;
				void *p;

				trap_random(&r);
				random = r;
				i = (unsigned int)(r % 64);
				p = __atomic_exchange_n(&table[i], NULL, __ATOMIC_ACQ_REL);
				if (p) {
					CHECK(*(unsigned int *)p == i);
					free(p);
				}
				p = malloc((r & 31) ? (r >> 8) % 4096 + 4 : (r >> 8) % 400000 + 4);
				CHECK(p);
				*(unsigned int *)p = i;
				__atomic_store_n(&table[i], p, __ATOMIC_RELEASE);
			}
		}
	}
	armed = 0;
}

static void *churn_a_second(void *arg)
{
	double end = trap_seconds() + 0.5;
	struct churn c;

	churn_start(&c, (uintptr_t)arg + 1);
	while (trap_seconds() < end)
		churn_steps(&c, 100);
	churn_finish(&c);
	return NULL;
}

static void handler_jumps_out_of_malloc(void)
{
	pthread_t t[2];
	uintptr_t i;
	pid_t pid;

	install(SIGALRM, jumping_handler);
	tick(1000);
	jump_out_of_malloc(trap_long() ? 20 : 1);
	tick(0);
	CHECK(jumps > 50);
	/* This thread, new ones, a child and exit() go on working. */
	churn_once(1, 20000);
	for (i = 0; i < 2; i++)
		CHECK(pthread_create(&t[i], NULL, churn_a_second, (void *)i) == 0);
	churn_a_second((void *)7);
	for (i = 0; i < 2; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	pid = fork();
	if (pid == 0) {
		churn_once(4, 2000);
		exit(0);
	}
	trap_reap(pid);
}

static void *jumping_thread(void *arg)
{
	struct itimerspec spec = { { 0, 1000000 }, { 0, 1000000 } };
	struct sigevent ev;
	timer_t timer;

	(void)arg;
	memset(&ev, 0, sizeof(ev));
	ev.sigev_notify = SIGEV_THREAD_ID;
	ev.sigev_signo = SIGALRM;
	ev._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	CHECK(timer_create(CLOCK_MONOTONIC, &ev, &timer) == 0);
	CHECK(timer_settime(timer, 0, &spec, NULL) == 0);
	jump_out_of_malloc(0.5);
	CHECK(timer_delete(timer) == 0);
	return NULL;
}

static void threads_jump_out_of_malloc_and_end(void)
{
	unsigned int round, i;
	pthread_t t[3];

	install(SIGALRM, jumping_handler);
	trap_start_churners(2);
	for (round = 0; round < (trap_long() ? 20u : 2u); round++) {
		for (i = 0; i < 3; i++)
			CHECK(pthread_create(&t[i], NULL, jumping_thread, NULL) == 0);
		for (i = 0; i < 3; i++)
			CHECK(pthread_join(t[i], NULL) == 0);
	}
	trap_stop_churners();
	churn_once(1, 20000);
	churn_a_second(NULL);
}

static sigjmp_buf after_fault;

static void fault_handler(int sig)
{
	(void)sig;
	churn_once(2, 2000);
	siglongjmp(after_fault, 1);
}

static void segv_handler_allocates(void)
{
	unsigned int i;

	install(SIGSEGV, fault_handler);
	for (i = 0; i < 100; i++) {
		void *volatile p = malloc(100);

		CHECK(p);
		if (sigsetjmp(after_fault, 1) == 0) {
			*(volatile int *)opaque((void *)16) = 1;
			CHECK(!"no fault came");
		}
		free(p);
	}
	churn_once(1, 2000);
}

static void last_words(int sig)
{
	(void)sig;
	churn_once(2, 2000);
	trap_note("last words\n");
}

/* abort() out of our own report runs the program's handler, which allocates. */
static void abort_handler_allocates(void)
{
	int on_stack = 0;

	trap_expect("last words");
	install(SIGABRT, last_words);
	free(opaque(&on_stack));
}

static void *async_victim(void *arg)
{
	int old;

	(void)arg;
	CHECK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old) == 0);
	for (;;)
		malloc_stats();
}

/* malloc_stats writes, and write is a cancellation point: no lock may stay behind. */
static void cancelled_in_malloc_stats(void)
{
	unsigned int i;

	for (i = 0; i < (trap_long() ? 5000u : 300u); i++) {
		pthread_t t;

		CHECK(pthread_create(&t, NULL, async_victim, NULL) == 0);
		usleep(i % 300);
		CHECK(pthread_cancel(t) == 0);
		CHECK(pthread_join(t, NULL) == 0);
		malloc_stats();
		churn_once(i + 1, 20);
	}
}

static void *deferred_victim(void *arg)
{
	struct churn *c = (struct churn *)arg;

	for (;;) {
		churn_steps(c, 50);
		pthread_testcancel();
	}
	return NULL;
}

static void deferred_cancellation(void)
{
	static struct churn c;
	unsigned int i;

	churn_start(&c, 23);
	for (i = 0; i < (trap_long() ? 10000u : 1000u); i++) {
		pthread_t t;

		CHECK(pthread_create(&t, NULL, deferred_victim, &c) == 0);
		CHECK(pthread_cancel(t) == 0);
		CHECK(pthread_join(t, NULL) == 0);
	}
	churn_finish(&c);
}

static const struct trap_case cases[] = {
	{ .name = "a 3 kHz handler and the program it interrupts allocate and free",
	  .run = handler_and_main_allocate, .ours = true },
	{ .name = "3 kHz handlers in four threads allocate and free",
	  .run = handlers_in_several_threads, .ours = true },
	{ .name = "handlers allocate while threads come and go",
	  .run = handlers_and_thread_turnover, .ours = true },
	{ .name = "a handler's blocks are freed by the program and the other way round",
	  .run = blocks_cross_between_handler_and_main, .ours = true },
	{ .name = "a handler leaves malloc by siglongjmp and all goes on",
	  .run = handler_jumps_out_of_malloc, .ours = true },
	{ .name = "threads left malloc by siglongjmp and end",
	  .run = threads_jump_out_of_malloc_and_end, .ours = true },
	{ .name = "a SIGSEGV handler allocates", .run = segv_handler_allocates },
	{ .name = "a SIGABRT handler allocates during our report",
	  .run = abort_handler_allocates, .sig = SIGABRT, .ours = true,
	  .err = "^kmalloc: BUG: " },
	{ .name = "asynchronous cancellation in malloc_stats leaves no lock behind",
	  .run = cancelled_in_malloc_stats, .ours = true },
	{ .name = "cancelled threads leave their blocks usable", .run = deferred_cancellation },
};

TRAP_MAIN(cases)

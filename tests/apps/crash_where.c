// SPDX-License-Identifier: MIT
/*
 * Preloaded beside the library by fail_nth.sh: says of a fault whether it happened in the library
 * (or in a function of libc that the library called), or in a program that took NULL for memory.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

static unsigned long from, to;

static bool is_inside(unsigned long pc)
{
	return pc >= from && pc < to;
}

/* Not by write(): the program may have its own. */
static void say(const char *text)
{
	syscall(SYS_write, 2, text, strlen(text));
}

/*
 * 0 where nothing can be read: a stack may have come to its end. The kernel looks, which refuses
 * what a load would die of.
 */
static unsigned long word_at(unsigned long address)
{
	unsigned long word = 0;
	int ends[2];

	if (syscall(SYS_pipe2, ends, 0) < 0)
		return 0;
	if (syscall(SYS_write, ends[1], address, sizeof(word)) != sizeof(word) ||
	    syscall(SYS_read, ends[0], &word, sizeof(word)) != sizeof(word))
		word = 0;
	syscall(SYS_close, ends[0]);
	syscall(SYS_close, ends[1]);
	return word;
}

static void fault(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *uc = (const ucontext_t *)context;
	unsigned long pc = 0, caller = 0;

	(void)sig;
	(void)info;
#if defined(__x86_64__)
	pc = (unsigned long)uc->uc_mcontext.gregs[REG_RIP];
	/* memset and its like have no frame */
	caller = word_at((unsigned long)uc->uc_mcontext.gregs[REG_RSP]);
#elif defined(__aarch64__)
	pc = uc->uc_mcontext.pc;
	caller = uc->uc_mcontext.regs[30];
#endif
	say(is_inside(pc) || is_inside(caller) ? "crash_where: inside the library\n" :
						 "crash_where: outside of the library\n");
	/* SA_RESETHAND: it happens again, and ends the program */
}

/* Frames of 64 KiB, more than the stack has: its pointer, too, comes to where nothing is. */
static int overflow(unsigned int frames)
{
	volatile char frame[65536];

	frame[0] = 0;
	return frames ? overflow(frames - 1) + frame[0] : 0;
}

static void overflow_stack(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_STACK, &limit);
	limit.rlim_cur = 8 << 20;
	setrlimit(RLIMIT_STACK, &limit);
	overflow(1024);
}

static int find(struct dl_phdr_info *info, size_t size, void *arg)
{
	unsigned int i;

	(void)size;
	(void)arg;
	if (!strstr(info->dlpi_name, "libkmalloc-preload"))
		return 0;
	for (i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X) {
			from = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
			to = from + info->dlpi_phdr[i].p_memsz;
		}
	return 1;
}

__attribute__((constructor)) static void start(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE };
	static char stack[65536];
	void *volatile bad = (void *)8;
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction sa;
	unsigned int i;

	dl_iterate_phdr(find, NULL);
	sigaltstack(&ss, NULL);
	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = fault;
	sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND;
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
	/* that this file tells one from the other is proved by a fault of each kind */
	if (getenv("CRASH_WHERE_OUTSIDE"))
		*(volatile int *)bad = 1;
	if (getenv("CRASH_WHERE_INSIDE"))
		((void *(*)(const void *, size_t, unsigned int))dlsym(RTLD_DEFAULT, "km_kmemdup"))(
			bad, 100, 0xcc0);	/* GFP_KERNEL */
	if (getenv("CRASH_WHERE_STACK"))
		overflow_stack();
}

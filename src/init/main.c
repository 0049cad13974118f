// SPDX-License-Identifier: MIT
/*
 * Start-up and end. Layer: init.
 *
 * mm starts by itself at the first allocation, wherever that is. What needs libc waits for the
 * constructor: the fork handlers, the key whose destructor tells us of a thread's end, the
 * messages that options ask for. Nothing is torn down at exit: the slab table is written while
 * other threads may still run, and that is all.
 *
 * A thread's end: its destructor puts itself off once (a key's destructors run in up to four
 * rounds), so that most of the frees of other destructors still find the slot; then cpu_exit().
 * What comes later needs no slot.
 */
#include "lib/small.h"
#include "init/init.h"
#include "lib/format.h"
#include "kernel/params.h"
#include "kernel/printk.h"
#include "mm/entry.h"
#include "mm/gfp_policy.h"
#include "mm/page_alloc.h"
#include "mm/reclaim.h"
#include "mm/reserve.h"
#include "mm/show_mem.h"
#include "os/os.h"
#include "os/thread_key.h"

#define EXIT_ROUNDS	1u

static struct {
	_Atomic bool started;
	_Atomic bool have_key;
	thread_key_t key;
} main_state;

static void thread_exits(void *arg)
{
	(void)arg;
	if (exit_rounds < EXIT_ROUNDS) {
		exit_rounds++;
		thread_key_set(main_state.key, &main_state);
		return;
	}
	cpu_exit();
}

/* Outside the allocator: storing the value may allocate. */
void cpu_thread_started(void)
{
	if (atomic_load_explicit(&main_state.have_key, memory_order_acquire))
		thread_key_set(main_state.key, &main_state);
}

static void print_banner(void)
{
	char options[400];

	if (param_choice(PARAM_verbose)) {
		params_describe(options, sizeof(options));
		pr_info("libkmalloc %s in process %d, options: %s", PACKAGE_VERSION, os_getpid(),
			options);
		gfp_policy_show();
	}
	if (param_choice(PARAM_help))
		params_help();
}

/*
 * What the first request that may not block needs is mapped: a chunk, records, a slot. Nothing
 * of it is touched but the slot, unless a reserve is asked for.
 */
static void prepare_nonblocking(void)
{
	struct slow_entry e;

	slow_enter_alloc(&e, cpu_enter());
	if (!e.nested) {
		zone_map_first();
		reserve_init();
	}
	slow_leave(&e);
}

__attribute__((constructor(101))) void start_kernel(void)
{
	if (atomic_exchange_explicit(&main_state.started, true, memory_order_relaxed))
		return;
	if (!atomic_load_explicit(&mm_ready, memory_order_acquire))
		mm_init();
	fork_init();
	if (thread_key_create(&main_state.key, thread_exits)) {
		atomic_store_explicit(&main_state.have_key, true, memory_order_release);
		if (own_cpu)
			cpu_thread_started();
	} else {
		reap_dead_threads = true;
	}
	if (text_equals(param_text(PARAM_slabinfo), "exit") || param_choice(PARAM_verbose) ||
	    param_choice(PARAM_help))
		printk_keep_stderr();
	print_banner();
	prepare_nonblocking();
	if (param_yes(PARAM_kswapd))
		kswapd_run();
}

__attribute__((destructor(101))) static void end_kernel(void)
{
	const char *path = param_text(PARAM_slabinfo);
	int fd;

	if (text_equals(path, ""))
		return;
	if (text_equals(path, "exit")) {
		fd = printk_fd();
		if (fd >= 0)
			slabinfo_write(fd);
		return;
	}
	fd = os_open_append(path);
	if (fd < 0) {
		pr_warn("cannot write the slab table to '%s'", path);
		return;
	}
	slabinfo_write(fd);
	os_close(fd);
}

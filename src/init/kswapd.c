// SPDX-License-Identifier: MIT
/*
 * The background thread of option kswapd. Layer: init.
 *
 * Requests set a word where free memory is below the low mark; the thread looks at it every few
 * milliseconds, so that setting it costs no system call. It is a thread as others are: it has a
 * slot, its signals are blocked, and it dies with the process. A fork child has none until a
 * request that may block starts another.
 */
#include "lib/small.h"
#include "init/init.h"
#include "kernel/params.h"
#include "kernel/printk.h"
#include "mm/reclaim.h"
#include "os/os.h"
#include "os/thread_key.h"

#define STACK		(256ul << 10)	/* shrinkers run on it */
#define POLL_US		5000u		/* doubled while there is nothing to do, up to */
#define POLL_MAX_US	80000u

static void *kswapd(void *arg)
{
	unsigned int us = POLL_US;

	(void)arg;
	os_set_comm("kswapd0");
	for (;;) {
		if (atomic_exchange_explicit(&kswapd_state.wanted, false, memory_order_relaxed)) {
			balance_memory();
			us = POLL_US;
		} else if (us < POLL_MAX_US) {
			us *= 2;
		}
		os_sleep_us(us);
	}
	return NULL;
}

void kswapd_run(void)
{
	if (!param_yes(PARAM_kswapd) ||
	    atomic_exchange_explicit(&kswapd_state.running, true, memory_order_relaxed))
		return;
	if (!thread_start(kswapd, STACK))
		pr_warn("kswapd: the system has no thread for it; requests reclaim by themselves");
}

void kswapd_fork_child(void)
{
	atomic_store_explicit(&kswapd_state.running, false, memory_order_relaxed);
}

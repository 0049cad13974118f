/* SPDX-License-Identifier: MIT */
/**
 * Fault injection: failslab and fail_page_alloc, and failures for code of the program's own.
 * Follows include/linux/fault-inject.h, lib/fault-inject.c, mm/failslab.c and mm/fail_page_alloc.c
 * of the kernel; kmalloc_fault(3).
 */
#ifndef KMALLOC_FAULT_H
#define KMALLOC_FAULT_H

#include <kmalloc/types.h>

/** When to fail. The names are those of the kernel's files in debugfs. */
struct fault_attr {
	unsigned long probability;	/**< percent of the candidates; 0: none, 100 and more: all */
	unsigned long interval;		/**< above 1: of so many candidates one goes on to the dice */
	long times;			/**< failures left; -1: without end */
	unsigned long space;		/**< sizes that pass before any failure, taken off this */
	unsigned int verbose;		/**< 0: says nothing, 1: what fails, 2: and who called */
	bool task_filter;		/**< in threads alone that make_it_fail_set() marked */
	unsigned long count;		/**< candidates seen, for interval */
	const char *name;		/**< for messages */
	unsigned long reserved[4];	/**< 0 */
};

/** The kernel's defaults: never, once, with all messages. */
#define FAULT_ATTR_INITIALIZER		FAULT_ATTR_INITIALIZER_NAMED("fault_attr")
#define FAULT_ATTR_INITIALIZER_NAMED(name) \
	{ 0, 1, 1, 0, 2, false, 0, name, { 0, 0, 0, 0 } }
#define DECLARE_FAULT_ATTR(name) \
	struct fault_attr name = FAULT_ATTR_INITIALIZER_NAMED(#name)

/** For should_fail_ex(): a failure writes nothing. */
#define FAULT_NOWARN	1

KMALLOC_BEGIN_DECLS

/**
 * setup_fault_attr - interval, probability, space and times from "1,10,0,-1", four numbers. Result:
 * 1, or 0 after a line on stderr where the text is anything else; attr is as it was then.
 */
int setup_fault_attr(struct fault_attr *attr, const char *str) KMALLOC_LINK_NAME(setup_fault_attr);

/**
 * should_fail - whether this candidate is to fail. size in units of attr->space. The thread's
 * fail_nth comes before everything in attr. Any thread, any signal handler; no lock.
 */
bool should_fail(struct fault_attr *attr, size_t size) KMALLOC_LINK_NAME(should_fail);
/** should_fail_ex - the same; flags: 0 or FAULT_NOWARN. */
bool should_fail_ex(struct fault_attr *attr, size_t size, int flags)
	KMALLOC_LINK_NAME(should_fail_ex);

/**
 * fault_attr_get, fault_attr_set - the attribute called "failslab" or "fail_page_alloc". Setting
 * begins the count for interval anew and keeps the name. Result: false, and nothing done, for
 * another name or a null pointer.
 */
bool fault_attr_get(const char *name, struct fault_attr *attr) KMALLOC_LINK_NAME(fault_attr_get);
bool fault_attr_set(const char *name, const struct fault_attr *attr)
	KMALLOC_LINK_NAME(fault_attr_set);

/**
 * fault_option_get, fault_option_set - one value, by a name as in KMALLOC_OPTIONS:
 * "failslab.ignore-gfp-wait", "failslab.cache-filter" (0 or 1), "fail_page_alloc.ignore-gfp-wait",
 * "fail_page_alloc.ignore-gfp-highmem" (0 or 1), "fail_page_alloc.min-order" (0 to 10). Result:
 * false, and nothing done, for another name or a value out of its range.
 */
bool fault_option_get(const char *key, long *value) KMALLOC_LINK_NAME(fault_option_get);
bool fault_option_set(const char *key, long value) KMALLOC_LINK_NAME(fault_option_set);

/** fault_seed - begins the random numbers of the probability test anew; 0: with some other seed. */
void fault_seed(unsigned long seed) KMALLOC_LINK_NAME(fault_seed);

/**
 * make_it_fail_set, make_it_fail_get - the mark of the calling thread that task_filter looks at.
 * New threads are not marked; a fork child keeps its thread's.
 */
void make_it_fail_set(bool on) KMALLOC_LINK_NAME(make_it_fail_set);
bool make_it_fail_get(void) KMALLOC_LINK_NAME(make_it_fail_get);

/**
 * fail_nth_set - the nth candidate from now on of the calling thread fails, whatever the attributes
 * say, and none before it; 0: off. n is at most INT_MAX. New threads and fork children begin with
 * 0.
 */
void fail_nth_set(unsigned int n) KMALLOC_LINK_NAME(fail_nth_set);
/** fail_nth_get - how many candidates there are still to come; 0: the failure has happened. */
unsigned int fail_nth_get(void) KMALLOC_LINK_NAME(fail_nth_get);
/** fail_nth_process_get - the same for option fail_nth=, which counts in all threads. */
unsigned long fail_nth_process_get(void) KMALLOC_LINK_NAME(fail_nth_process_get);

KMALLOC_END_DECLS

#endif

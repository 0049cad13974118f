// SPDX-License-Identifier: MIT
/*
 * Fault injection: which allocation fails. Layer: mm. Leads in: should_failslab() and
 * should_fail_alloc_page(), from the slow paths, and the public functions.
 *
 * No locks: every value is one word that any thread or signal handler reads and writes by itself.
 * fault_slab_active and fault_page_active say whether anything could fail; who changes what that
 * depends on calls update_active(), which looks once more after it has stored. Going from on to
 * off needs nothing else, so should_fail() may do it inside the allocator: each cache gets its
 * sheaves back at its next miss. What the API changes is followed by slab_sheaves_changed().
 */
#include "lib/small.h"
#include "kmalloc/fault.h"
#include "mm/entry.h"
#include "mm/fault_inject.h"
#include "mm/page_alloc.h"
#include "kernel/params.h"
#include "kernel/printk.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "os/os.h"

#define COMM_SIZE	16u	/* of a thread's name, NUL included */
#define TRACE_MAX	12u	/* return addresses printed */
#define TRACE_WORDS	512u	/* of the stack that are looked at */
#define TRACE_CHUNK	32u	/* words read at once: small stacks exist */

_Atomic bool fault_slab_active, fault_page_active;

static struct fault_attr failslab = FAULT_ATTR_INITIALIZER_NAMED("failslab");
static struct fault_attr fail_page_alloc = FAULT_ATTR_INITIALIZER_NAMED("fail_page_alloc");

static struct {
	int slab_ignore_gfp_wait, slab_cache_filter;
	int page_ignore_gfp_wait, page_ignore_gfp_highmem, page_min_order;
	_Atomic unsigned long process_nth;	/* candidates still to come; 0: off */
	_Atomic int nth_threads;		/* threads whose own count is not 0 */
	_Atomic u64 random;			/* 0: no seed yet */
	char task[COMM_SIZE];			/* of option fail_task; "": none; constant */
	const char *caches;			/* of option failslab.cache-filter; constant */
} fault = { 1, 0, 1, 1, 1, 0, 0, 0, "", "" };

static __thread struct {
	unsigned int nth;	/* candidates still to come; 0: off */
	bool make_it_fail;
} my_faults __initial_exec;

/* ---- what is on ---- */

static bool could_fail(struct fault_attr *attr)
{
	return READ_ONCE(attr->probability) && READ_ONCE(attr->times);
}

/* Who stores last looks last, so what stays is true. */
static void update(_Atomic bool *active, struct fault_attr *attr)
{
	bool on;

	do {
		on = atomic_load(&fault.nth_threads) > 0 || atomic_load(&fault.process_nth) ||
		     could_fail(attr);
		atomic_store(active, on);
	} while (on != (atomic_load(&fault.nth_threads) > 0 ||
			atomic_load(&fault.process_nth) || could_fail(attr)));
}

static void update_active(void)
{
	update(&fault_slab_active, &failslab);
	update(&fault_page_active, &fail_page_alloc);
}

/* ---- the dice ---- */

/* splitmix64: a counter, and a mixer that makes numbers of it. */
static u64 next_random(void)
{
	u64 x = atomic_fetch_add_explicit(&fault.random, 0x9e3779b97f4a7c15ull,
					  memory_order_relaxed);

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

/* 0 to 99 */
static unsigned int random_percent(void)
{
	if (!atomic_load_explicit(&fault.random, memory_order_relaxed))
		fault_seed(0);
	return (unsigned int)((next_random() >> 32) * 100 >> 32);
}

__km_export void fault_seed(unsigned long seed)
{
	if (!seed)
		seed = next_random() ^ os_clock_ms() ^ (unsigned long)os_getpid() << 32 ^
		       (unsigned long)&seed >> 4;
	atomic_store_explicit(&fault.random, seed, memory_order_relaxed);
}

/* ---- who called ---- */

/* A call instruction ends at addr. */
static bool follows_call(unsigned long addr)
{
#if defined(__x86_64__)
	u8 b[6];
	unsigned int mod;

	if (os_read_self(b, (const void *)(addr - sizeof(b)), sizeof(b)) != sizeof(b))
		return false;
	if (b[1] == 0xe8)			/* call rel32 */
		return true;
	mod = b[5] >> 6;			/* call *%reg, *(%reg) */
	if (b[4] == 0xff && (b[5] & 0x38) == 0x10 && (mod == 3 || mod == 0))
		return true;
	if (b[3] == 0xff && (b[4] & 0x38) == 0x10 && b[4] >> 6 == 1)
		return true;			/* call *disp8(%reg) */
	mod = b[1] >> 6;			/* call *disp32(%reg), *disp32(%rip) */
	return b[0] == 0xff && (b[1] & 0x38) == 0x10 && (mod == 2 || b[1] == 0x15);
#elif defined(__aarch64__)
	u32 insn;

	if (addr & 3 || os_read_self(&insn, (const void *)(addr - 4), 4) != 4)
		return false;
	return insn >> 26 == 0x25 || (insn & 0xfffffc1f) == 0xd63f0000;		/* bl, blr */
#else
	(void)addr;
	return false;
#endif
}

/*
 * Nothing says where the frames are: the words of the stack that point behind a call instruction,
 * nearest first, with the kernel's mark for addresses that may be left over from earlier calls.
 */
static void print_trace(void)
{
	unsigned long here = (unsigned long)__builtin_frame_address(0) & ~7ul;
	unsigned long words[TRACE_CHUNK];
	unsigned int nr = 0, looked, i;
	char line[280];
	size_t len = 0;

	for (looked = 0; looked < TRACE_WORDS && nr < TRACE_MAX; looked += TRACE_CHUNK) {
		const void *from = (const void *)(here + looked * sizeof(long));
		size_t n = os_read_self(words, from, sizeof(words)) / sizeof(long);

		for (i = 0; i < n && nr < TRACE_MAX; i++) {
			if (words[i] < 65536 || words[i] >> USER_ADDRESS_BITS ||
			    !follows_call(words[i]))
				continue;
			len += scnprintf(line + len, sizeof(line) - len, " ? %p",
					 (void *)words[i]);
			nr++;
		}
		if (n < TRACE_CHUNK)
			break;
	}
	if (nr)
		pr_cont("Call Trace:%s", line);
}

/* times: those left, this failure included. */
static void fail_dump(struct fault_attr *attr, long times)
{
	unsigned int verbose = READ_ONCE(attr->verbose);
	const char *name = READ_ONCE(attr->name);

	if (!verbose)
		return;
	pr_info("FAULT_INJECTION: forcing a failure.\n"
		"name %s, interval %lu, probability %lu, space %lu, times %ld",
		name ? name : "(none)", READ_ONCE(attr->interval), READ_ONCE(attr->probability),
		READ_ONCE(attr->space), times);
	if (verbose > 1)
		print_trace();
}

/* ---- the decision, in the order of kernel-semantics 9.2 ---- */

enum countdown { COUNT_OFF, COUNT_ON, COUNT_REACHED };

static enum countdown count_thread(void)
{
	unsigned int nth = READ_ONCE(my_faults.nth);

	do {
		if (!nth)
			return COUNT_OFF;
	} while (!__atomic_compare_exchange_n(&my_faults.nth, &nth, nth - 1, false,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	if (nth > 1)
		return COUNT_ON;
	atomic_fetch_sub(&fault.nth_threads, 1);
	update_active();
	return COUNT_REACHED;
}

static enum countdown count_process(void)
{
	unsigned long nth = atomic_load_explicit(&fault.process_nth, memory_order_relaxed);

	do {
		if (!nth)
			return COUNT_OFF;
	} while (!atomic_compare_exchange_weak(&fault.process_nth, &nth, nth - 1));
	if (nth > 1)
		return COUNT_ON;
	update_active();
	return COUNT_REACHED;
}

static bool is_own(const struct fault_attr *attr)
{
	return attr == &failslab || attr == &fail_page_alloc;
}

static bool task_is_marked(void)
{
	char comm[COMM_SIZE];

	if (my_faults.make_it_fail)
		return true;
	if (!fault.task[0])
		return false;
	os_thread_name(comm);
	return text_equals(comm, fault.task);
}

/* This candidate is paid for. */
static bool take_space(struct fault_attr *attr, size_t size)
{
	unsigned long space = READ_ONCE(attr->space);

	do {
		if (space <= size)
			return false;
	} while (!__atomic_compare_exchange_n(&attr->space, &space, space - size, false,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return true;
}

/* One failure less to come; *left: how many there were. False: none is left. */
static bool take_times(struct fault_attr *attr, long *left)
{
	*left = READ_ONCE(attr->times);
	do {
		if (*left <= 0)
			return *left < 0;
	} while (!__atomic_compare_exchange_n(&attr->times, left, *left - 1, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	if (*left == 1 && is_own(attr))
		update_active();
	return true;
}

static bool attr_fails(struct fault_attr *attr, size_t size)
{
	unsigned long interval = READ_ONCE(attr->interval);

	if (!READ_ONCE(attr->probability))
		return false;
	if (READ_ONCE(attr->task_filter) && !task_is_marked())
		return false;
	if (!READ_ONCE(attr->times))
		return false;
	if (take_space(attr, size))
		return false;
	if (interval > 1 &&
	    __atomic_add_fetch(&attr->count, 1, __ATOMIC_RELAXED) % interval)
		return false;
	return READ_ONCE(attr->probability) > random_percent();
}

__km_export bool should_fail_ex(struct fault_attr *attr, size_t size, int flags)
{
	enum countdown nth;
	long times;

	if (!attr)
		return false;
	nth = count_thread();
	if (nth == COUNT_OFF && is_own(attr))
		nth = count_process();
	if (nth == COUNT_ON)
		return false;
	if (nth == COUNT_OFF && !attr_fails(attr, size))
		return false;
	/* of two threads at the last failure one is too late; a count down fails all the same */
	if (!take_times(attr, &times) && nth == COUNT_OFF)
		return false;
	if (!(flags & FAULT_NOWARN))
		fail_dump(attr, times);
	return true;
}

__km_export bool should_fail(struct fault_attr *attr, size_t size)
{
	return should_fail_ex(attr, size, 0);
}

bool should_failslab(size_t object_size, gfp_t gfp, bool marked)
{
	if (gfp & __GFP_NOFAIL)
		return false;
	if (READ_ONCE(fault.slab_ignore_gfp_wait) && gfp & __GFP_DIRECT_RECLAIM)
		return false;
	if (READ_ONCE(fault.slab_cache_filter) && !marked)
		return false;
	return should_fail_ex(&failslab, object_size, gfp & __GFP_NOWARN ? FAULT_NOWARN : 0);
}

bool should_fail_alloc_page(gfp_t gfp, unsigned int order)
{
	if (order < (unsigned int)READ_ONCE(fault.page_min_order))
		return false;
	if (gfp & __GFP_NOFAIL)
		return false;
	if (READ_ONCE(fault.page_ignore_gfp_highmem) && gfp & __GFP_HIGHMEM)
		return false;
	if (READ_ONCE(fault.page_ignore_gfp_wait) && gfp & __GFP_DIRECT_RECLAIM)
		return false;
	return should_fail_ex(&fail_page_alloc, 1ul << order,
			      gfp & __GFP_NOWARN ? FAULT_NOWARN : 0);
}

bool fault_cache_is_marked(const char *cache_name)
{
	const char *p = fault.caches;
	size_t len;

	for (; *p; p += len + (p[len] == ',')) {
		for (len = 0; p[len] && p[len] != ',';)
			len++;
		if (len && text_matches(p, len, cache_name))
			return true;
	}
	return false;
}

/* ---- settings ---- */

/* A decimal number that ends where *text then points; false: none, or too large. */
static bool parse_number(const char **text, unsigned long max, unsigned long *value)
{
	const char *p = *text;

	*value = 0;
	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(*value, 10ul, value) ||
		    __builtin_add_overflow(*value, (unsigned long)(*p - '0'), value) ||
		    *value > max)
			return false;
	*text = p;
	return true;
}

__km_export int setup_fault_attr(struct fault_attr *attr, const char *str)
{
	unsigned long interval, probability, space, times;
	const char *p = str ? str : "";
	bool minus;

	if (!attr)
		return 0;
	if (!parse_number(&p, ULONG_MAX, &interval) || *p++ != ',' ||
	    !parse_number(&p, 100, &probability) || *p++ != ',' ||
	    !parse_number(&p, ULONG_MAX, &space) || *p++ != ',')
		goto out_bad;
	minus = *p == '-';
	p += minus;
	if (!parse_number(&p, LONG_MAX, &times) || *p)
		goto out_bad;
	WRITE_ONCE(attr->interval, interval);
	WRITE_ONCE(attr->space, space);
	WRITE_ONCE(attr->times, minus ? -(long)times : (long)times);
	WRITE_ONCE(attr->probability, probability);
	return 1;

out_bad:
	pr_warn("FAULT_INJECTION: failed to parse arguments: %s has '%s', expected "
		"interval,probability,space,times with a probability of 0 to 100, as 1,10,0,-1; "
		"it stays as it is", attr->name ? attr->name : "(none)", str ? str : "(null)");
	return 0;
}

static struct fault_attr *find_attr(const char *name)
{
	if (name && text_equals(name, "failslab"))
		return &failslab;
	if (name && text_equals(name, "fail_page_alloc"))
		return &fail_page_alloc;
	return NULL;
}

__km_export bool fault_attr_get(const char *name, struct fault_attr *to)
{
	struct fault_attr *attr = find_attr(name);

	if (!attr || !to)
		return false;
	*to = (struct fault_attr){
		.probability = READ_ONCE(attr->probability),
		.interval = READ_ONCE(attr->interval),
		.times = READ_ONCE(attr->times),
		.space = READ_ONCE(attr->space),
		.verbose = READ_ONCE(attr->verbose),
		.task_filter = READ_ONCE(attr->task_filter),
		.count = READ_ONCE(attr->count),
		.name = attr->name,
	};
	return true;
}

/* Off until all is set. */
static void set_attr(struct fault_attr *attr, const struct fault_attr *from)
{
	__atomic_store_n(&attr->probability, 0, __ATOMIC_SEQ_CST);
	WRITE_ONCE(attr->interval, from->interval);
	WRITE_ONCE(attr->times, from->times);
	WRITE_ONCE(attr->space, from->space);
	WRITE_ONCE(attr->verbose, from->verbose);
	WRITE_ONCE(attr->task_filter, from->task_filter);
	WRITE_ONCE(attr->count, 0);
	__atomic_store_n(&attr->probability, from->probability, __ATOMIC_SEQ_CST);
}

__km_export bool fault_attr_set(const char *name, const struct fault_attr *from)
{
	struct fault_attr *attr = find_attr(name);

	if (!attr || !from)
		return false;
	set_attr(attr, from);
	update_active();
	slab_sheaves_changed();
	return true;
}

/* The value that key names, at most *max; NULL: there is no such key. */
static int *find_option(const char *key, long *max)
{
	static const struct {
		const char *key;
		int *value;
		long max;
	} options[] = {
		{ "failslab.ignore-gfp-wait", &fault.slab_ignore_gfp_wait, 1 },
		{ "failslab.cache-filter", &fault.slab_cache_filter, 1 },
		{ "fail_page_alloc.ignore-gfp-wait", &fault.page_ignore_gfp_wait, 1 },
		{ "fail_page_alloc.ignore-gfp-highmem", &fault.page_ignore_gfp_highmem, 1 },
		{ "fail_page_alloc.min-order", &fault.page_min_order, MAX_PAGE_ORDER },
	};
	unsigned int i;

	for (i = 0; key && i < ARRAY_SIZE(options); i++) {
		*max = options[i].max;
		if (text_equals(options[i].key, key))
			return options[i].value;
	}
	return NULL;
}

__km_export bool fault_option_get(const char *key, long *value)
{
	long max;
	int *option = find_option(key, &max);

	if (!option || !value)
		return false;
	*value = READ_ONCE(*option);
	return true;
}

__km_export bool fault_option_set(const char *key, long value)
{
	long max;
	int *option = find_option(key, &max);

	if (!option || value < 0 || value > max)
		return false;
	WRITE_ONCE(*option, (int)value);
	slab_sheaves_changed();
	return true;
}

/* ---- threads ---- */

__km_export void make_it_fail_set(bool on)
{
	my_faults.make_it_fail = on;
}

__km_export bool make_it_fail_get(void)
{
	return my_faults.make_it_fail;
}

static bool set_nth(unsigned int n)
{
	unsigned int old = __atomic_exchange_n(&my_faults.nth, MIN(n, (unsigned int)INT_MAX),
					       __ATOMIC_RELAXED);

	if (!old == !n)
		return false;
	atomic_fetch_add(&fault.nth_threads, n ? 1 : -1);
	update_active();
	return true;
}

/* A thread that counts has a slot: so its end is heard of. */
static void get_slot(void)
{
	struct slow_entry e;

	slow_enter_alloc(&e, cpu_enter());
	slow_leave(&e);
}

__km_export void fail_nth_set(unsigned int n)
{
	if (n)
		get_slot();
	if (set_nth(n))
		slab_sheaves_changed();
}

__km_export unsigned int fail_nth_get(void)
{
	return READ_ONCE(my_faults.nth);
}

__km_export unsigned long fail_nth_process_get(void)
{
	return atomic_load_explicit(&fault.process_nth, memory_order_relaxed);
}

void fault_thread_exit(void)
{
	set_nth(0);
}

void fault_fork_child(void)
{
	WRITE_ONCE(my_faults.nth, 0);
	atomic_store(&fault.nth_threads, 0);
	update_active();
}

/* ---- start ---- */

static void init_task(bool *filter)
{
	const char *name = param_text(PARAM_fail_task);
	size_t len = strlen(name);

	*filter = len != 0;
	if (len >= COMM_SIZE) {
		len = COMM_SIZE - 1;
		memcpy(fault.task, name, len);
		fault.task[len] = '\0';
		pr_warn("option 'fail_task' has the value '%s', expected a thread's name, which "
			"has at most %u characters; using '%s'", name, COMM_SIZE - 1, fault.task);
		return;
	}
	memcpy(fault.task, name, len + 1);
}

static void init_attr(struct fault_attr *attr, enum param_id id, bool filter)
{
	struct fault_attr def = FAULT_ATTR_INITIALIZER;

	def.verbose = param_choice(PARAM_fail_verbose);
	def.task_filter = filter;
	set_attr(attr, &def);
	if (param_text(id)[0])
		setup_fault_attr(attr, param_text(id));
}

/* fail_nth= alone is to reach what malloc does: it changes defaults, not what is given. */
static bool ignore_gfp_wait(enum param_id id)
{
	return param_number(PARAM_fail_nth) && !param_given(id) ? false : param_yes(id);
}

static int init_min_order(void)
{
	unsigned long order = param_number(PARAM_failpage_min_order);

	if (param_number(PARAM_fail_nth) && !param_given(PARAM_failpage_min_order))
		return 0;
	if (order <= MAX_PAGE_ORDER)
		return (int)order;
	pr_warn("option 'fail_page_alloc.min-order' has the value '%lu', expected an order, "
		"0 to %u; using '1'", order, (unsigned int)MAX_PAGE_ORDER);
	return 1;
}

/* The seed of a run that rolls dice, so that it can be repeated. */
static void init_seed(void)
{
	unsigned long seed = param_number(PARAM_fail_seed);
	bool dice = (could_fail(&failslab) && failslab.probability < 100) ||
		    (could_fail(&fail_page_alloc) && fail_page_alloc.probability < 100);

	atomic_store_explicit(&fault.random, seed, memory_order_relaxed);
	if (seed || !dice || !param_choice(PARAM_fail_verbose))
		return;
	fault_seed(0);
	/* short enough to be typed again */
	seed = (next_random() & 0xffffffff) + 1;
	fault_seed(seed);
	pr_info("FAULT_INJECTION: fail_seed=%lu repeats this run", seed);
}

void fault_init(void)
{
	bool filter;

	init_task(&filter);
	init_attr(&failslab, PARAM_failslab, filter);
	init_attr(&fail_page_alloc, PARAM_fail_page_alloc, filter);
	fault.slab_ignore_gfp_wait = ignore_gfp_wait(PARAM_failslab_ignore_gfp_wait);
	fault.page_ignore_gfp_wait = ignore_gfp_wait(PARAM_failpage_ignore_gfp_wait);
	fault.page_ignore_gfp_highmem = param_yes(PARAM_failpage_ignore_gfp_highmem);
	fault.page_min_order = init_min_order();
	fault.caches = param_text(PARAM_failslab_cache_filter);
	fault.slab_cache_filter = fault.caches[0] != '\0';
	atomic_store(&fault.process_nth, param_number(PARAM_fail_nth));
	init_seed();
	update_active();
}

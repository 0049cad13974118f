// SPDX-License-Identifier: MIT
/*
 * The limit of the heap and the marks. Layer: mm. Leads in: mem_charge(), from whoever hands out
 * pages. No lock, no call to the system but in watermark_init().
 */
#include "mm/watermark.h"
#include "mm/gfp_policy.h"
#include "kernel/params.h"
#include "kernel/printk.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "os/os.h"

#define MIN_FREE_KB_LEAST	128ul
#define MIN_FREE_KB_MOST	262144ul	/* of the formula; the option may ask for more */
#define SCALE_FACTOR		10ul		/* of 10000: the least distance of the marks */
#define LIMIT_LEAST		(1ul << 20)
#define CGROUP_NONE		(1ul << 60)	/* v1 writes a huge number for no limit */
#define PATH_MAX_LEN		512

struct mem_state mem_state;

/* ---- the marks ---- */

static unsigned long int_sqrt(unsigned long x)
{
	unsigned long bit = 1ul << 62, root = 0;

	while (bit > x)
		bit >>= 2;
	for (; bit; bit >>= 2) {
		if (x >= root + bit) {
			x -= root + bit;
			root += 2 * bit;
		}
		root >>= 1;
	}
	return root;
}

void setup_watermarks(unsigned long managed, unsigned long min_free_kbytes,
		      unsigned long watermark[NR_WMARK])
{
	unsigned long kib = managed << (os_page_shift - 10), min_kb, min, step;

	min_kb = int_sqrt(kib * 16);
	min_kb = MIN(MAX(min_kb, MIN_FREE_KB_LEAST), MIN_FREE_KB_MOST);
	min_kb = MAX(min_kb, min_free_kbytes);
	min = min_kb >> (os_page_shift - 10);
	step = MAX(min / 4, managed * SCALE_FACTOR / 10000);
	watermark[WMARK_MIN] = min;
	watermark[WMARK_LOW] = min + step;
	watermark[WMARK_HIGH] = min + 2 * step;
}

unsigned long effective_watermark(unsigned int alloc_flags)
{
	unsigned long mark;

	if (alloc_flags & ALLOC_NO_WATERMARKS)
		return 0;
	mark = mem_state.watermark[alloc_flags & ALLOC_WMARK_MASK];
	if (alloc_flags & ALLOC_MIN_RESERVE) {
		mark -= mark / 2;
		if (alloc_flags & ALLOC_NON_BLOCK)
			mark -= mark / 4;
	}
	return mark;
}

bool watermark_ok(unsigned long free, unsigned long pages, unsigned int alloc_flags)
{
	if (free < pages)
		return false;
	if (alloc_flags & ALLOC_NO_WATERMARKS)
		return true;
	return free - (pages - 1) > effective_watermark(alloc_flags);
}

/* ---- charging ---- */

static unsigned long limit_free(unsigned long committed)
{
	return mem_state.limit - MIN(committed, mem_state.limit);
}

bool mem_allows(unsigned long pages, unsigned int alloc_flags)
{
	return !mem_limited() || watermark_ok(limit_free(mem_committed()), pages, alloc_flags);
}

bool mem_charge(unsigned long pages, const struct alloc_context *ac)
{
	unsigned long old;

	if (likely(!mem_limited())) {
		atomic_fetch_add_explicit(&mem_state.committed, pages, memory_order_relaxed);
		return true;
	}
	old = mem_committed();
	do {
		if (!watermark_ok(limit_free(old), pages, ac->alloc_flags))
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&mem_state.committed, &old, old + pages,
							memory_order_relaxed,
							memory_order_relaxed));
	return true;
}

void mem_uncharge(unsigned long pages)
{
	atomic_fetch_sub_explicit(&mem_state.committed, pages, memory_order_relaxed);
}

/* ---- the limit ---- */

/* The number in a file of a cgroup; 0: "max" or its like; ULONG_MAX: not to be read. */
static unsigned long read_limit(const char *path)
{
	char text[64];
	long n = os_read_file(path, text, sizeof(text) - 1);
	unsigned long value;
	size_t len = 0;

	if (n <= 0)
		return ULONG_MAX;
	while (len < (size_t)n && text[len] != '\n')
		len++;
	if (len == 3 && !memcmp(text, "max", 3))
		return 0;
	if (!parse_size(text, len, &value))
		return ULONG_MAX;
	return value >= CGROUP_NONE ? 0 : MAX(value, 1);
}

static unsigned long lesser_limit(unsigned long a, unsigned long b)
{
	if (a == ULONG_MAX || !a)
		return b == ULONG_MAX ? a : b;
	return b == ULONG_MAX || !b ? a : MIN(a, b);
}

/* The least limit in the files `name` from root/path up to root. */
static unsigned long walk_up(const char *root, const char *path, size_t len, const char *name)
{
	unsigned long least = ULONG_MAX;
	char full[PATH_MAX_LEN];

	for (;;) {
		size_t n = scnprintf(full, sizeof(full), "%s", root);

		if (n + len + strlen(name) + 2 > sizeof(full))
			return least;
		memcpy(full + n, path, len);
		n += len;
		scnprintf(full + n, sizeof(full) - n, "/%s", name);
		least = lesser_limit(least, read_limit(full));
		if (!len)
			return least;
		while (len && path[len - 1] != '/')
			len--;
		if (len)
			len--;
	}
}

/* The fields of a line "7:cpu,memory:/path": is one of the controllers `memory`? */
static bool is_memory_controller(const char *list, size_t len)
{
	size_t i, start = 0;

	for (i = 0; i <= len; i++) {
		if (i < len && list[i] != ',')
			continue;
		if (i - start == 6 && !memcmp(list + start, "memory", 6))
			return true;
		start = i + 1;
	}
	return false;
}

static unsigned long cgroup_line(const char *line, size_t len, const char *root)
{
	size_t first = 0, second;
	char v1[PATH_MAX_LEN];

	while (first < len && line[first] != ':')
		first++;
	second = first + 1;
	while (second < len && line[second] != ':')
		second++;
	if (second >= len || line[second + 1] != '/')
		return ULONG_MAX;
	if (second == first + 1)
		return walk_up(root, line + second + 1, len - second - 1, "memory.max");
	if (!is_memory_controller(line + first + 1, second - first - 1))
		return ULONG_MAX;
	scnprintf(v1, sizeof(v1), "%s/memory", root);
	return walk_up(v1, line + second + 1, len - second - 1, "memory.limit_in_bytes");
}

unsigned long cgroup_memory_limit(const char *text, const char *root)
{
	unsigned long least = ULONG_MAX;

	while (*text) {
		size_t len = 0;

		while (text[len] && text[len] != '\n')
			len++;
		least = lesser_limit(least, cgroup_line(text, len, root));
		text += len + (text[len] == '\n');
	}
	return least;
}

static unsigned long limit_from_cgroup(void)
{
	char text[2048];
	long n = os_read_file("/proc/self/cgroup", text, sizeof(text) - 1);
	unsigned long bytes = ULONG_MAX;

	if (n > 0) {
		text[n] = '\0';
		bytes = cgroup_memory_limit(text, "/sys/fs/cgroup");
	}
	if (bytes != ULONG_MAX)
		return bytes;
	pr_warn("mem=cgroup: no memory cgroup can be read below /sys/fs/cgroup; no limit");
	return 0;
}

/* Bytes; 0: none. */
static unsigned long read_option(const char *text)
{
	unsigned long bytes = 0;

	if (text_equals(text, ""))
		return 0;
	if (text_equals(text, "cgroup"))
		return limit_from_cgroup();
	if (text_equals(text, "rlimit"))
		return os_memory_rlimit();
	if (!parse_size(text, strlen(text), &bytes)) {
		pr_warn("option 'mem' has the value '%s', expected a size, cgroup or rlimit; "
			"no limit", text);
		return 0;
	}
	if (bytes < LIMIT_LEAST) {
		pr_warn("mem=%s is less than %lu KiB, with which no program runs; no limit", text,
			LIMIT_LEAST >> 10);
		return 0;
	}
	return bytes;
}

/* What the user asks for without mem= is what he gets: the size of the machine says nothing. */
static void set_marks_exactly(unsigned long min_free_kbytes)
{
	unsigned long min = min_free_kbytes >> (os_page_shift - 10);

	mem_state.watermark[WMARK_MIN] = min;
	mem_state.watermark[WMARK_LOW] = min + min / 4;
	mem_state.watermark[WMARK_HIGH] = min + min / 2;
}

void watermark_show(void)
{
	if (READ_ONCE(mem_state.managed))
		return;
	setup_watermarks(os_totalram() >> os_page_shift, 0, mem_state.watermark);
	WRITE_ONCE(mem_state.managed, os_totalram() >> os_page_shift);
}

void watermark_init(void)
{
	unsigned long bytes = read_option(param_text(PARAM_mem));
	unsigned long min_free = param_number(PARAM_min_free_kbytes);

	mem_state.limit = bytes >> os_page_shift;
	if (bytes && mem_state.limit == NO_LIMIT)
		mem_state.limit = 1;
	/* without a limit and a reserve nobody looks at the marks: see watermark_show() */
	if (!mem_limited() && !min_free && !gfp_base_nonblocking)
		return;
	/* no reserve of memory that is not there */
	mem_state.managed = os_totalram() >> os_page_shift;
	if (mem_limited())
		mem_state.managed = MIN(mem_state.managed, mem_state.limit);
	/* the marks above it, of 1.5 times that at most, must leave something too */
	if (min_free >> (os_page_shift - 10) > mem_state.managed / 2) {
		pr_warn("min_free_kbytes=%lu is more than half of %lu KiB; using the formula",
			min_free, mem_state.managed << (os_page_shift - 10));
		min_free = 0;
	}
	if (min_free && !mem_limited())
		set_marks_exactly(min_free);
	else
		setup_watermarks(mem_state.managed, min_free, mem_state.watermark);
}

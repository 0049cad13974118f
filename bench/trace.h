/* SPDX-License-Identifier: MIT */
/*
 * trace.h - the format of allocation traces, and the reader of them
 *
 * A trace is what a program asked of malloc: every call, in one total order, with
 * the thread that made it.  bench/record.c writes traces, bench/replay plays them
 * and bench/histogram counts them; any other program may write or read them too.
 *
 * A trace is a header and a body.  All integers of the header are little-endian;
 * its size and its fields are those of struct trace_header, which has no padding.
 * Files are kept compressed by xz; the format itself is made to compress well and
 * is read uncompressed.
 *
 * The body is a sequence of events.  An event is one byte, an enum trace_op, and
 * its operands.  Each operand is a varint: seven bits a byte, the least significant
 * ones first, bit 7 set in every byte but the last, at most ten bytes.
 *
 *	TRACE_MALLOC		size
 *	TRACE_CALLOC		nmemb size
 *	TRACE_REALLOC		old size
 *	TRACE_REALLOCARRAY	old nmemb size
 *	TRACE_POSIX_MEMALIGN	log2(alignment) size
 *	TRACE_ALIGNED_ALLOC	log2(alignment) size
 *	TRACE_MEMALIGN		log2(alignment) size
 *	TRACE_VALLOC		size
 *	TRACE_FREE		old
 *	TRACE_FREE_NULL
 *	TRACE_THREAD_RUN	thread
 *	TRACE_THREAD_CREATE
 *	TRACE_THREAD_END
 *	TRACE_THREAD_JOIN	thread
 *
 * Objects: the call that returns a block, a realloc too, makes an object.  Objects
 * are numbered from 0 in the order of these calls; the number is not written.  The
 * operand "old" names an object that this call ends: it is the number of the next
 * object less that of the old one, so that 1 is the youngest, and 0 stands for a
 * null pointer (realloc and reallocarray only).  An object ends once.
 *
 * Threads: the program's first thread is 0 and runs at the beginning of the trace.
 * TRACE_THREAD_RUN: the events that follow are those of another thread.
 * TRACE_THREAD_CREATE: the running thread makes one; threads are numbered in the
 * order of these events.  TRACE_THREAD_END: the running thread ends; what its
 * destructors still free may follow, but nothing does behind TRACE_THREAD_JOIN, by
 * which the running thread waited for the end of the one named.
 *
 * What is not in a trace: calls that failed; realloc(p, 0) that freed, which is
 * TRACE_FREE, and pvalloc, which is TRACE_VALLOC of the rounded size; the blocks
 * that pthread_create() gets for the new thread and the null pointers that libc frees
 * when it has ended, as who replays the trace with threads has them again; frees of
 * what was allocated unseen (nr_unknown).
 */
#ifndef BENCH_TRACE_H
#define BENCH_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_MAGIC	"kmtrace\n"
#define TRACE_VERSION	1
#define TRACE_MAX_THREADS	4096

enum trace_op {
	TRACE_MALLOC,
	TRACE_CALLOC,
	TRACE_REALLOC,
	TRACE_REALLOCARRAY,
	TRACE_POSIX_MEMALIGN,
	TRACE_ALIGNED_ALLOC,
	TRACE_MEMALIGN,
	TRACE_VALLOC,
	TRACE_FREE,
	TRACE_FREE_NULL,
	TRACE_NR_CALLS,		/* those above are calls, those below are of threads */
	TRACE_THREAD_RUN = TRACE_NR_CALLS,
	TRACE_THREAD_CREATE,
	TRACE_THREAD_END,
	TRACE_THREAD_JOIN,
	TRACE_NR_OPS,
};

#define TRACE_CALL_NAMES { "malloc", "calloc", "realloc", "reallocarray", "posix_memalign", \
	"aligned_alloc", "memalign", "valloc", "free", "free_null" }

enum trace_flags {
	/* The recorder came to its end: the totals are valid.  A trace of a program that
	 * was killed has the bit clear, totals of 0, and may end within an event. */
	TRACE_COMPLETE	= 1 << 0,
	/* The program went on, but the recorder had its fill (BENCH_TRACE_MAX). */
	TRACE_LIMITED	= 1 << 1,
};

/* What the calls of a trace come to.  Bytes are those asked for. */
struct trace_totals {
	uint64_t calls[TRACE_NR_CALLS];
	uint64_t bytes;			/* of all objects */
	uint64_t peak_live_bytes;	/* in the total order; realloc ends the old one first */
	uint64_t peak_live_blocks;
	uint64_t live_bytes;		/* at the end */
	uint64_t live_blocks;
	uint64_t threads;		/* the first one too */
};

struct trace_header {
	char magic[8];			/* TRACE_MAGIC */
	uint32_t version;		/* TRACE_VERSION */
	uint32_t flags;			/* enum trace_flags */
	uint64_t body_bytes;		/* behind the header */
	uint64_t checksum;		/* of the body: 64-bit FNV-1a */
	struct trace_totals totals;
	uint64_t nr_unknown;		/* frees and reallocs of blocks of unknown origin */
};

#define TRACE_FNV_START	0xcbf29ce484222325ull

static inline uint64_t trace_checksum(uint64_t sum, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum = (sum ^ bytes[i]) * 0x100000001b3ull;
	return sum;
}

static inline void trace_count_object(struct trace_totals *totals, uint64_t size)
{
	totals->bytes += size;
	totals->live_bytes += size;
	totals->live_blocks++;
	if (totals->live_bytes > totals->peak_live_bytes)
		totals->peak_live_bytes = totals->live_bytes;
	if (totals->live_blocks > totals->peak_live_blocks)
		totals->peak_live_blocks = totals->live_blocks;
}

static inline void trace_count_end(struct trace_totals *totals, uint64_t size)
{
	totals->live_bytes -= size;
	totals->live_blocks--;
}

/* The reader ------------------------------------------------------------- */

#define TRACE_NONE	UINT32_MAX	/* no object, no thread */
#define TRACE_SHARED	(UINT32_MAX - 1)

struct trace_event {
	enum trace_op op;
	uint32_t index;			/* in the total order, of calls and threads' events */
	uint32_t thread;		/* whose event it is */
	uint32_t object;		/* that it makes, or TRACE_NONE */
	uint32_t old;			/* that it ends, or TRACE_NONE */
	uint32_t other;			/* the thread made or waited for */
	uint32_t align_log2;
	uint64_t nmemb;			/* 1 but for calloc and reallocarray */
	uint64_t size;			/* of one member */
};

struct trace_object {
	uint64_t size;
	uint32_t thread;		/* that makes and ends it; TRACE_SHARED: two do */
	bool ended;
};

struct trace_thread {
	uint32_t first, last;		/* index of its events; first is TRACE_NONE without any */
	bool ended, joined;
};

struct trace {
	const char *name;
	struct trace_header header;
	const uint8_t *body;
	size_t body_bytes;		/* that are there and whole */
	size_t mapped;
	uint32_t nr_events, nr_objects, nr_threads;
	struct trace_totals totals;	/* as counted from the body */
	struct trace_object *objects;
	struct trace_thread *threads;
};

struct trace_cursor {
	const struct trace *trace;
	size_t at;
	uint32_t index, thread, nr_objects, nr_threads;
};

/*
 * Read the whole trace from fd and check it: its checksum, that each event is valid
 * where it stands, and the totals.  False: *why, one line without the name, says what
 * is wrong.  All memory is mmap()ed.  A trace that is not TRACE_COMPLETE is an error
 * unless partial is set; then what is there of it is taken.
 */
bool trace_read(struct trace *trace, int fd, const char *name, bool partial, const char **why);

/* Give back all memory of it; its totals stay. */
void trace_drop(struct trace *trace);

static inline struct trace_cursor trace_begin(const struct trace *trace)
{
	return (struct trace_cursor){ .trace = trace, .nr_threads = 1 };
}

/* The next event of calls and threads (TRACE_THREAD_RUN is followed, not shown). */
bool trace_next(struct trace_cursor *cursor, struct trace_event *event);

#endif

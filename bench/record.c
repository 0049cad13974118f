// SPDX-License-Identifier: MIT
/*
 * record.c - a preloadable recorder of malloc calls
 *
 *	BENCH_TRACE=FILE LD_PRELOAD=.../libbench-record.so PROGRAM [ARG...]
 *
 * writes a trace (trace.h) of PROGRAM to FILE.  It passes every call on to the next
 * allocator: the one preloaded behind it, else the program's, else that of libc.
 *
 *	BENCH_TRACE		The file; "%p" stands for the process id.  Without %p
 *				only the first process is recorded, and neither what it
 *				forks nor what it executes; with %p each writes a file.
 *	BENCH_TRACE_MAX=N	Record the first N calls.
 *
 * One lock orders all events.  A block enters the trace after its allocation and
 * leaves it before its free, so that an address is never twice in the table.  Own
 * memory is static or from mmap(): a buffer of 64 KiB, and 32 to 64 bytes for each
 * live block, 96 KiB at least.  The file is written when the buffer is full and when
 * the program ends by exit or _exit; of a killed program, or one whose signal handler
 * calls _exit() while its thread records a call, there is what was written until then.
 *
 * Calls made within a call of the next allocator, of pthread_create() or by the
 * recorder are not the program's and are not recorded, but for the free of a block
 * that the program had got.  Under the lock there is no write() and the like, which
 * are points where a thread may be cancelled, but syscall().
 */
#define _GNU_SOURCE
#include "trace.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT		__attribute__((visibility("default")))
#define BUFFER_BYTES	(64 << 10)
#define EVENT_BYTES	64		/* no event is longer, with a change of thread */
#define PAGE_BYTES	4096

static struct {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void (*free)(void *);
	int (*posix_memalign)(void **, size_t, size_t);
	void *(*aligned_alloc)(size_t, size_t);
	void *(*memalign)(size_t, size_t);
	void *(*valloc)(size_t);
	int (*pthread_create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
	int (*pthread_join)(pthread_t, void **);
	void (*_exit)(int);
} next;

static enum { ASLEEP, WAKING, AWAKE } state;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread volatile sig_atomic_t holds;	/* the lock, or is about to */

/* The process that is recorded.  A child of vfork() shares its memory and so its heap:
 * what it allocates is recorded, its end is not the end.  The memory of a child that is
 * made by _Fork() or clone() is a copy, in which *original is 0. */
static pid_t owner;
static uint32_t *original;

/* All below is under the lock. */
static bool recording;
static bool each_process;
static char pattern[PATH_MAX];
static int fd = -1;
static dev_t file_device;		/* of fd, which the program may close and use again */
static ino_t file_inode;
static uint64_t max_calls, nr_calls;
static struct trace_header header;
static uint8_t buffer[BUFFER_BYTES];
static size_t used;
static uint32_t nr_objects, nr_threads;
static uint32_t running;		/* the thread of the last event */
static pthread_t *handles;		/* by thread, to know whom pthread_join() joins */
static pthread_key_t end_key;

/* Live blocks by address: open addressing, linear probing, a quarter empty or more. */
struct live {
	uintptr_t address;		/* 0: none */
	uint64_t size;
	uint64_t object;
};

static struct live *live;
static size_t live_slots, live_used;

/* Of this thread: its number and 1; how deep it is in calls that are not recorded; is
 * what it still does libc's own cleaning up. */
static __thread uint32_t self;
static __thread unsigned int depth;
static __thread bool ended;

/* Memory ------------------------------------------------------------------ */

static void *map(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* What dlsym() asks for while the next allocator is being looked up. */
static struct {
	_Alignas(64) char bytes[16 << 10];
	size_t used;
} early;

static void *early_alloc(size_t size)
{
	size_t need = (size + 63) & ~(size_t)63;

	if (size > sizeof(early.bytes) || need > sizeof(early.bytes) - early.used)
		return NULL;
	early.used += need;
	return early.bytes + early.used - need;
}

static bool is_early(const void *p)
{
	return (uintptr_t)p - (uintptr_t)early.bytes < sizeof(early.bytes);
}

/* The table of live blocks ------------------------------------------------ */

static size_t live_home(uintptr_t address)
{
	return (size_t)((address >> 4) * 0x9e3779b97f4a7c15ull >> 20) & (live_slots - 1);
}

static struct live *live_find(uintptr_t address)
{
	size_t at = live_home(address);

	while (live[at].address && live[at].address != address)
		at = (at + 1) & (live_slots - 1);
	return &live[at];
}

static bool live_grow(void)
{
	struct live *old = live;
	size_t old_slots = live_slots;
	struct live *new = map(2 * old_slots * sizeof(*new));

	if (!new)
		return false;
	live = new;
	live_slots = 2 * old_slots;
	for (size_t i = 0; i < old_slots; i++)
		if (old[i].address)
			*live_find(old[i].address) = old[i];
	munmap(old, old_slots * sizeof(*old));
	return true;
}

/* Empty the slot and move back those behind it that it stood in the way of. */
static void live_remove(struct live *slot)
{
	size_t hole = (size_t)(slot - live), at = hole;

	live_used--;
	for (;;) {
		at = (at + 1) & (live_slots - 1);
		if (!live[at].address)
			break;
		if (((at - live_home(live[at].address)) & (live_slots - 1)) <
		    ((at - hole) & (live_slots - 1)))
			continue;
		live[hole] = live[at];
		hole = at;
	}
	live[hole].address = 0;
}

/* The file ---------------------------------------------------------------- */

static void complain(const char *what)
{
	char line[PATH_MAX + 128];
	int n = snprintf(line, sizeof(line), "bench-record: %s: %s\n", pattern, what);

	syscall(SYS_write, STDERR_FILENO, line, (size_t)n);
}

static bool write_all(const void *from, size_t n)
{
	const char *p = from;

	while (n) {
		ssize_t done = syscall(SYS_write, fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		p += done;
		n -= (size_t)done;
	}
	return true;
}

static bool file_is_ours(void)
{
	struct stat now;

	return fd >= 0 && !fstat(fd, &now) && now.st_dev == file_device &&
	       now.st_ino == file_inode;
}

static void flush(void)
{
	if (!file_is_ours()) {
		recording = false;
		complain("the program closed the file of the trace");
	} else if (!write_all(buffer, used)) {
		recording = false;
		complain("the trace could not be written");
	}
	header.body_bytes += used;
	header.checksum = trace_checksum(header.checksum, buffer, used);
	used = 0;
}

/* No event follows. */
static void finish(uint32_t flags)
{
	if (!recording)
		return;
	flush();
	if (!recording)
		return;
	recording = false;
	header.flags = TRACE_COMPLETE | flags;
	header.totals.threads = nr_threads;
	if (syscall(SYS_lseek, fd, 0L, SEEK_SET) || !write_all(&header, sizeof(header)))
		complain("the header of the trace could not be written");
	syscall(SYS_close, fd);
	fd = -1;
}

/* The name of the trace: pattern with each %p replaced. */
static bool file_name(char *name, size_t size)
{
	size_t n = 0;

	for (const char *p = pattern; *p && n + 12 < size; p++) {
		if (p[0] != '%' || p[1] != 'p') {
			name[n++] = *p;
			continue;
		}
		n += (size_t)snprintf(name + n, size - n, "%d", (int)getpid());
		p++;
	}
	name[n] = '\0';
	return n + 12 < size;
}

/* False where the trace can not be created. */
static bool create_file(void)
{
	char name[PATH_MAX];
	struct stat file;

	if (!file_name(name, sizeof(name)))
		return false;
	fd = (int)syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			  0666);
	if (fd < 0 || fstat(fd, &file)) {
		complain("the trace could not be created");
		return false;
	}
	file_device = file.st_dev;
	file_inode = file.st_ino;
	return write_all(&header, sizeof(header));
}

/* Begin a trace of this process, of what it allocates from now on. */
static void begin(void)
{
	memset(&header, 0, sizeof(header));
	memcpy(header.magic, TRACE_MAGIC, sizeof(header.magic));
	header.version = TRACE_VERSION;
	header.checksum = TRACE_FNV_START;
	used = 0;
	nr_calls = 0;
	nr_objects = 0;
	nr_threads = 1;
	running = 0;
	live_used = 0;
	live_slots = 1 << 12;
	live = map(live_slots * sizeof(*live));
	if (!handles)
		handles = map(TRACE_MAX_THREADS * sizeof(*handles));
	if (!original)
		original = map(PAGE_BYTES);
	if (!live || !handles || !original || !create_file())
		return;
	madvise(original, PAGE_BYTES, MADV_WIPEONFORK);
	*original = 1;
	owner = getpid();
	self = 1;
	handles[0] = pthread_self();
	recording = true;
}

/* Events ------------------------------------------------------------------ */

static void put(uint64_t value)
{
	for (; value > 0x7f; value >>= 7)
		buffer[used++] = (uint8_t)(value | 0x80);
	buffer[used++] = (uint8_t)value;
}

static void put_run(uint32_t thread)
{
	if (running == thread)
		return;
	running = thread;
	put(TRACE_THREAD_RUN);
	put(thread);
}

/* The byte of an event of this thread, which it may be the first one of. */
static void put_op(enum trace_op op)
{
	if (used + EVENT_BYTES > sizeof(buffer))
		flush();
	if (!self) {
		/* Made by what is not pthread_create(); the first thread stands for it. */
		put_run(0);
		put(TRACE_THREAD_CREATE);
		handles[nr_threads] = pthread_self();
		self = ++nr_threads;
	}
	put_run(self - 1);
	put(op);
}

static void put_call(enum trace_op op)
{
	put_op(op);
	header.totals.calls[op]++;
	nr_calls++;
}

static void take_lock(void)
{
	holds = true;
	pthread_mutex_lock(&lock);
}

static void drop_lock(void)
{
	pthread_mutex_unlock(&lock);
	holds = false;
}

/* Not in a signal handler that came while this thread has the lock. */
static bool lock_if_recording(void)
{
	if (!recording || !*original || state != AWAKE || holds)
		return false;
	take_lock();
	if (recording && (self || nr_threads < TRACE_MAX_THREADS))
		return true;
	drop_lock();
	return false;
}

static void unlock(void)
{
	if (nr_calls >= max_calls || nr_objects >= TRACE_SHARED)
		finish(TRACE_LIMITED);
	drop_lock();
}

struct call {
	enum trace_op op;
	size_t alignment;
	size_t nmemb;
	size_t size;
};

static void put_operands(const struct call *call)
{
	if (call->op == TRACE_CALLOC || call->op == TRACE_REALLOCARRAY)
		put(call->nmemb);
	if (call->alignment)
		put((uint64_t)__builtin_ctzll(call->alignment));
	put(call->size);
}

static void add_object(void *p, uint64_t size)
{
	uint64_t object = nr_objects++;
	struct live *slot;

	trace_count_object(&header.totals, size);
	if (4 * live_used >= 3 * live_slots && !live_grow()) {
		finish(TRACE_LIMITED);
		return;
	}
	slot = live_find((uintptr_t)p);
	live_used += !slot->address;
	*slot = (struct live){ (uintptr_t)p, size, object };
}

/* The call returned p. */
static void *record_alloc(const struct call *call, void *p)
{
	int saved = errno;

	if (!p || depth || !lock_if_recording())
		return p;
	put_call(call->op);
	put_operands(call);
	add_object(p, call->size * call->nmemb);
	unlock();
	errno = saved;
	return p;
}

/* Before p is freed.  The objects of a program that frees twice end once. */
static void record_free(void *p)
{
	int saved = errno;
	struct live *slot;

	if ((!p && (depth || ended)) || !lock_if_recording())
		return;
	slot = p ? live_find((uintptr_t)p) : NULL;
	if (!p) {
		put_call(TRACE_FREE_NULL);
	} else if (slot->address) {
		put_call(TRACE_FREE);
		put(nr_objects - slot->object);
		trace_count_end(&header.totals, slot->size);
		live_remove(slot);
	} else {
		header.nr_unknown += !depth;
	}
	unlock();
	errno = saved;
}

/* The block leaves the table before another thread can get its address. */
static struct live take_object(void *p)
{
	struct live taken = { 0 };
	struct live *slot;

	if (!p || !lock_if_recording())
		return taken;
	slot = live_find((uintptr_t)p);
	taken = *slot;
	if (taken.address)
		live_remove(slot);
	else
		header.nr_unknown += !depth;
	unlock();
	return taken;
}

/* The realloc of what take_object() took returned p. */
static void record_realloc(const struct call *call, const struct live *old, void *p)
{
	if (!lock_if_recording())
		return;
	put_call(call->op);
	put(old->address ? nr_objects - old->object : 0);
	if (old->address)
		trace_count_end(&header.totals, old->size);
	put_operands(call);
	add_object(p, call->size * call->nmemb);
	unlock();
}

/* It failed, so the block is still there; or it freed, which is no realloc. */
static void untake_object(const struct live *old, bool freed)
{
	if (!old->address || !lock_if_recording())
		return;
	if (freed) {
		put_call(TRACE_FREE);
		put(nr_objects - old->object);
		trace_count_end(&header.totals, old->size);
	} else if (4 * live_used < 3 * live_slots || live_grow()) {
		*live_find(old->address) = *old;
		live_used++;
	}
	unlock();
}

/* Beginning and end ------------------------------------------------------- */

static void before_fork(void)
{
	take_lock();
}

static void after_fork_parent(void)
{
	drop_lock();
}

/* What the parent had in its buffer is the parent's. */
static void after_fork_child(void)
{
	if (file_is_ours())
		syscall(SYS_close, fd);
	fd = -1;
	if (recording) {
		recording = false;
		munmap(live, live_slots * sizeof(*live));
		if (each_process)
			begin();
	}
	drop_lock();
}

/* Destructors that run after this one may still free: it comes back as often as it may. */
static void thread_ends(void *round)
{
	if ((uintptr_t)round < PTHREAD_DESTRUCTOR_ITERATIONS) {
		depth++;
		pthread_setspecific(end_key, (void *)((uintptr_t)round + 1));
		depth--;
		return;
	}
	ended = true;
	if (!lock_if_recording())
		return;
	put_op(TRACE_THREAD_END);
	unlock();
}

static void *symbol(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

static void find_next(void)
{
	next.malloc = symbol("malloc");
	next.calloc = symbol("calloc");
	next.realloc = symbol("realloc");
	next.free = symbol("free");
	next.posix_memalign = symbol("posix_memalign");
	next.aligned_alloc = symbol("aligned_alloc");
	next.memalign = symbol("memalign");
	next.valloc = symbol("valloc");
	next.pthread_create = symbol("pthread_create");
	next.pthread_join = symbol("pthread_join");
	next._exit = symbol("_exit");
}

static void configure(void)
{
	const char *file = getenv("BENCH_TRACE");
	const char *max = getenv("BENCH_TRACE_MAX");

	max_calls = max ? strtoull(max, NULL, 10) : UINT32_MAX / 2;
	if (!max_calls || max_calls > UINT32_MAX / 2)
		max_calls = UINT32_MAX / 2;
	if (!file || !*file || strlen(file) >= sizeof(pattern))
		return;
	memcpy(pattern, file, strlen(file) + 1);
	each_process = strstr(pattern, "%p");
	if (!each_process)
		unsetenv("BENCH_TRACE");
	pthread_key_create(&end_key, thread_ends);
	pthread_atfork(before_fork, after_fork_parent, after_fork_child);
	begin();
}

/* By the first call of any function here, when there is one thread. */
static void wake(void)
{
	state = WAKING;
	depth++;
	find_next();
	state = AWAKE;
	configure();
	depth--;
}

/* False while the next allocator is being looked up. */
static inline bool awake(void)
{
	if (state == ASLEEP)
		wake();
	return state == AWAKE;
}

static void __attribute__((constructor)) at_start(void)
{
	awake();
}

static void __attribute__((destructor)) at_exit(void)
{
	if (!recording || holds || getpid() != owner)
		return;
	take_lock();
	finish(0);
	drop_lock();
}

EXPORT void __attribute__((noreturn)) _exit(int status)
{
	awake();
	at_exit();
	next._exit(status);
	__builtin_unreachable();
}

EXPORT void __attribute__((noreturn)) _Exit(int status)
{
	_exit(status);
}

/* Threads ----------------------------------------------------------------- */

struct start {
	void *(*run)(void *);
	void *arg;
	uint32_t self;
};

static void *thread_begins(void *arg)
{
	struct start start = *(struct start *)arg;

	munmap(arg, sizeof(start));
	self = start.self;
	depth++;
	if (self)
		pthread_setspecific(end_key, (void *)1);
	depth--;
	return start.run(start.arg);
}

/* The new thread's number and 1; 0 where there is no recording. */
static uint32_t record_create(void)
{
	uint32_t number = 0;

	if (!lock_if_recording())
		return 0;
	/* An event of a thread that was not seen yet makes one more. */
	if (nr_threads + !self < TRACE_MAX_THREADS) {
		put_op(TRACE_THREAD_CREATE);
		number = ++nr_threads;
	}
	unlock();
	return number;
}

/* The trace has a thread that never was; it ends at once. */
static void record_no_thread(uint32_t number)
{
	if (!number || !lock_if_recording())
		return;
	put_run(number - 1);
	put(TRACE_THREAD_END);
	unlock();
}

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*run)(void *), void *arg)
{
	struct start *start;
	uint32_t number;
	int error;

	awake();
	start = map(sizeof(*start));
	if (!start)
		return EAGAIN;
	number = record_create();
	*start = (struct start){ run, arg, number };
	depth++;
	error = next.pthread_create(thread, attr, thread_begins, start);
	depth--;
	if (error) {
		munmap(start, sizeof(*start));
		record_no_thread(number);
	} else if (number && lock_if_recording()) {
		handles[number - 1] = *thread;
		unlock();
	}
	return error;
}

EXPORT int pthread_join(pthread_t thread, void **result)
{
	int error;

	awake();
	error = next.pthread_join(thread, result);
	if (error || !lock_if_recording())
		return error;
	/* Handles are used again: the youngest is meant. */
	for (uint32_t i = nr_threads; i-- > 0;) {
		if (handles[i] != thread)
			continue;
		put_op(TRACE_THREAD_JOIN);
		put(i);
		handles[i] = 0;
		break;
	}
	unlock();
	return 0;
}

/* malloc and its family --------------------------------------------------- */

EXPORT void *malloc(size_t size)
{
	void *p;

	if (!awake())
		return early_alloc(size);
	depth++;
	p = next.malloc(size);
	depth--;
	return record_alloc(&(struct call){ TRACE_MALLOC, 0, 1, size }, p);
}

EXPORT void *calloc(size_t nmemb, size_t size)
{
	size_t bytes;
	void *p;

	if (!awake())
		return __builtin_mul_overflow(nmemb, size, &bytes) ? NULL : early_alloc(bytes);
	depth++;
	p = next.calloc(nmemb, size);
	depth--;
	return record_alloc(&(struct call){ TRACE_CALLOC, 0, nmemb, size }, p);
}

EXPORT void free(void *p)
{
	if (!awake() || is_early(p))
		return;
	record_free(p);
	depth++;
	next.free(p);
	depth--;
}

/* An early block has no known end: what lies behind it is copied too. */
static void *realloc_early(void *p, size_t size)
{
	size_t there = (size_t)(early.bytes + sizeof(early.bytes) - (char *)p);
	void *to = malloc(size);

	if (to)
		memmove(to, p, size < there ? size : there);
	return to;
}

static void *realloc_as(const struct call *call, void *p)
{
	size_t size = call->nmemb * call->size;
	struct live old = { 0 };
	int saved = errno;
	void *to;

	if (!depth)
		old = take_object(p);
	errno = saved;
	depth++;
	to = next.realloc(p, size);
	depth--;
	saved = errno;
	if (p && !size) {
		untake_object(&old, true);
		record_alloc(&(struct call){ TRACE_MALLOC, 0, 1, 0 }, to);
	} else if (!to) {
		untake_object(&old, false);
	} else if (!depth) {
		record_realloc(call, &old, to);
	}
	errno = saved;
	return to;
}

EXPORT void *realloc(void *p, size_t size)
{
	if (is_early(p))
		return realloc_early(p, size);
	if (!awake())
		return early_alloc(size);
	return realloc_as(&(struct call){ TRACE_REALLOC, 0, 1, size }, p);
}

EXPORT void *reallocarray(void *p, size_t nmemb, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(nmemb, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	if (is_early(p))
		return realloc_early(p, bytes);
	if (!awake())
		return early_alloc(bytes);
	return realloc_as(&(struct call){ TRACE_REALLOCARRAY, 0, nmemb, size }, p);
}

/* Recorded aligned blocks are of a power of two: the others fail, or are rounded by
 * memalign in ways of its own. */
static bool recordable(size_t alignment)
{
	return alignment && !(alignment & (alignment - 1));
}

EXPORT int posix_memalign(void **result, size_t alignment, size_t size)
{
	void *p = NULL;
	int error;

	if (!awake())
		return ENOMEM;
	depth++;
	error = next.posix_memalign(&p, alignment, size);
	depth--;
	if (error)
		return error;
	*result = record_alloc(&(struct call){ TRACE_POSIX_MEMALIGN, alignment, 1, size }, p);
	return 0;
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
	void *p;

	if (!awake())
		return NULL;
	depth++;
	p = next.aligned_alloc(alignment, size);
	depth--;
	if (!recordable(alignment))
		return p;
	return record_alloc(&(struct call){ TRACE_ALIGNED_ALLOC, alignment, 1, size }, p);
}

EXPORT void *memalign(size_t alignment, size_t size)
{
	void *p;

	if (!awake())
		return alignment <= 64 ? early_alloc(size) : NULL;
	depth++;
	p = next.memalign(alignment, size);
	depth--;
	if (!recordable(alignment))
		return p;
	return record_alloc(&(struct call){ TRACE_MEMALIGN, alignment, 1, size }, p);
}

EXPORT void *valloc(size_t size)
{
	void *p;

	if (!awake())
		return NULL;
	depth++;
	p = next.valloc(size);
	depth--;
	return record_alloc(&(struct call){ TRACE_VALLOC, 0, 1, size }, p);
}

EXPORT void *pvalloc(size_t size)
{
	if (size > SIZE_MAX - PAGE_BYTES) {
		errno = ENOMEM;
		return NULL;
	}
	return valloc((size + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1));
}

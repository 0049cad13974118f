// SPDX-License-Identifier: MIT
/* The host is Linux: raw system calls. Layer: os. */
#define _GNU_SOURCE
#include "os/os.h"
#include "lib/bits.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

unsigned int os_page_shift = 12;

static struct {
	dev_t stderr_dev;	/* what fd 2 was at the start; 0 and 0: closed or unknown */
	ino_t stderr_ino;
	unsigned long brk_start;
} os;

/* /proc/self/environ where libc had no environ yet */
static char environ_copy[8192];

#if defined(__x86_64__)
static long raw_syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ __volatile__("syscall" : "+a"(nr)
			     : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			     : "rcx", "r11", "memory");
	return nr;
}
#else
static long raw_syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	int saved = errno;
	long ret = syscall(nr, a, b, c, d, e, f);

	if (ret == -1)
		ret = -errno;
	errno = saved;
	return ret;
}
#endif

#define raw_syscall(nr, a, b, c) raw_syscall6(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)

static bool failed(long ret)
{
	return (unsigned long)ret >= -4095ul;
}

static long sys_fstat(int fd, struct stat *st)
{
#ifdef SYS_newfstatat
	return raw_syscall6(SYS_newfstatat, fd, (long)"", (long)st, AT_EMPTY_PATH, 0, 0);
#else
	return raw_syscall(SYS_fstat, fd, st, 0);
#endif
}

/* glibc exports it for old libraries; elsewhere it is missing. */
void __libc_free(void *p) __weak;

void os_init(void)
{
	unsigned long size = getauxval(AT_PAGESZ);
	struct stat st = { 0 };

	if (size >= 4096 && size <= 65536 && is_power_of_2(size))
		os_page_shift = ilog2(size);
	if (!os.brk_start)
		os.brk_start = os_brk();
	if (!failed(sys_fstat(STDERR_FILENO, &st))) {
		os.stderr_dev = st.st_dev;
		os.stderr_ino = st.st_ino;
	}
}

bool os_is_rodata(const void *p)
{
	const Elf64_Phdr *ph = (const Elf64_Phdr *)getauxval(AT_PHDR);
	unsigned long n = ph ? getauxval(AT_PHNUM) : 0, i, base = 0;

	for (i = 0; i < n; i++)
		if (ph[i].p_type == PT_PHDR)
			base = (unsigned long)ph - ph[i].p_vaddr;
	for (i = 0; i < n; i++)
		if (ph[i].p_type == PT_LOAD && !(ph[i].p_flags & PF_W) &&
		    (unsigned long)p - (base + ph[i].p_vaddr) < ph[i].p_memsz)
			return true;
	return false;
}

bool os_is_secure(void)
{
	return getauxval(AT_SECURE) != 0;
}

static const char *match_env(const char *entry, const char *name, size_t len)
{
	return !memcmp(entry, name, len) && entry[len] == '=' ? entry + len + 1 : NULL;
}

/* Before libc's own start-up environ is NULL; the kernel has the text too. */
static const char *getenv_from_proc(const char *name, size_t len)
{
	long fd = raw_syscall6(SYS_openat, AT_FDCWD, (long)"/proc/self/environ",
			       O_RDONLY | O_CLOEXEC, 0, 0, 0);
	size_t used = 0;
	const char *p, *found = NULL;

	if (failed(fd))
		return NULL;
	while (used < sizeof(environ_copy) - 1) {
		long n = raw_syscall(SYS_read, fd, environ_copy + used,
				     sizeof(environ_copy) - 1 - used);

		if (n <= 0)
			break;
		used += (size_t)n;
	}
	os_close((int)fd);
	environ_copy[used] = '\0';
	for (p = environ_copy; p < environ_copy + used && !found; p += strlen(p) + 1)
		if (strlen(p) > len)
			found = match_env(p, name, len);
	return found;
}

const char *os_getenv(const char *name)
{
	size_t len = strlen(name);
	char **e = environ;

	if (!e)
		return getenv_from_proc(name, len);
	for (; *e; e++)
		if (strlen(*e) > len && match_env(*e, name, len))
			return match_env(*e, name, len);
	return NULL;
}

const char *os_program_name(void)
{
	const char *path = (const char *)getauxval(AT_EXECFN);
	const char *name = path;

	if (!path)
		return "";
	for (; *path; path++)
		if (*path == '/')
			name = path + 1;
	return name;
}

void os_thread_name(char *name)
{
	memset(name, 0, OS_THREAD_NAME_SIZE);
	raw_syscall(SYS_prctl, PR_GET_NAME, name, 0);
}

void *os_map(void *hint, size_t size)
{
	long ret = raw_syscall6(SYS_mmap, (long)hint, (long)size, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return failed(ret) ? NULL : (void *)ret;
}

bool os_map_at(void *p, size_t size)
{
	long ret = raw_syscall6(SYS_mmap, (long)p, (long)size, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
				-1, 0);

	if (failed(ret))
		return false;
	if ((void *)ret == p)
		return true;
	os_unmap((void *)ret, size);	/* a kernel before 4.17 takes the address for a wish */
	return false;
}

/*
 * Asks for one page more in place: EFAULT says that the mapping ends before size does. Where
 * there was room for that page it is taken away again.
 */
bool os_is_one_mapping(void *p, size_t size)
{
	long ret = raw_syscall6(SYS_mremap, (long)p, (long)size, (long)(size + PAGE_SIZE), 0, 0, 0);

	if (!failed(ret))
		os_unmap((char *)p + size, PAGE_SIZE);
	return ret != -EFAULT;
}

bool os_map_over(void *p, size_t size)
{
	return !failed(raw_syscall6(SYS_mmap, (long)p, (long)size, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0));
}

void *os_map_aligned(size_t size, size_t align)
{
	unsigned long p, start;
	size_t total;

	if (align <= PAGE_SIZE)
		return os_map(NULL, size);
	p = (unsigned long)os_map(NULL, size);
	if (!p || IS_ALIGNED(p, align))
		return (void *)p;
	/*
	 * The kernel fills holes from the top: just below the last mapping is where the next
	 * one goes.
	 */
	start = ALIGN_DOWN(p, align);
	os_unmap((void *)p, size);
	p = (unsigned long)os_map((void *)start, size);
	if (!p || IS_ALIGNED(p, align))
		return (void *)p;
	os_unmap((void *)p, size);
	if (__builtin_add_overflow(size, align - PAGE_SIZE, &total))
		return NULL;
	p = (unsigned long)os_map(NULL, total);
	if (!p)
		return NULL;
	start = ALIGN_UP(p, align);
	if (start > p)
		os_unmap((void *)p, start - p);
	if (p + total > start + size)
		os_unmap((void *)(start + size), p + total - start - size);
	return (void *)start;
}

bool os_unmap(void *p, size_t size)
{
	return !failed(raw_syscall(SYS_munmap, p, size, 0));
}

bool os_dontneed(void *p, size_t size)
{
	long ret;

	do {
		ret = raw_syscall(SYS_madvise, p, size, MADV_DONTNEED);
	} while (ret == -EAGAIN);
	return !failed(ret);
}

/* A page at a time where the kernel is older than 5.14: a write that changes nothing. */
bool os_populate(void *p, size_t size)
{
	char *c = p, *end = c + size;
	long ret;

	do {
		ret = raw_syscall(SYS_madvise, p, size, MADV_POPULATE_WRITE);
	} while (ret == -EAGAIN || ret == -EINTR);
	if (ret != -EINVAL)
		return !failed(ret);
	for (; c < end; c += PAGE_SIZE)
		__atomic_fetch_or(c, 0, __ATOMIC_RELAXED);
	return true;
}

void os_nohugepage(void *p, size_t size)
{
	raw_syscall(SYS_madvise, p, size, MADV_NOHUGEPAGE);
}

void os_hugepage(void *p, size_t size)
{
	raw_syscall(SYS_madvise, p, size, MADV_HUGEPAGE);
}

bool os_is_resident(const void *p, unsigned int pages)
{
	unsigned char vec[OS_RESIDENT_MAX];
	unsigned int i;

	memset(vec, 0, sizeof(vec));
	if (pages > OS_RESIDENT_MAX || failed(raw_syscall(SYS_mincore, p, pages * PAGE_SIZE, vec)))
		return false;
	for (i = 0; i < pages; i++)
		if (!(vec[i] & 1))
			return false;
	return true;
}

bool os_wipeonfork(void *p, size_t size)
{
	return !failed(raw_syscall(SYS_madvise, p, size, MADV_WIPEONFORK));
}

bool os_remap(void *from, size_t from_size, void *to, size_t to_size)
{
	return !failed(raw_syscall6(SYS_mremap, (long)from, (long)from_size, (long)to_size,
				    MREMAP_MAYMOVE | MREMAP_FIXED, (long)to, 0));
}

/* A wish for an address; what comes elsewhere goes back. */
static unsigned long map_wish(unsigned long wish, size_t size)
{
	unsigned long p = (unsigned long)os_map((void *)wish, size);

	if (!p || p == wish)
		return p;
	os_unmap((void *)p, size);
	return 0;
}

#define LOW_START	(1ul << 20)	/* above what vm.mmap_min_addr keeps free */
#define LOW_STEPS	64u

void *os_map_below(size_t size, size_t align, unsigned long limit)
{
	unsigned long step, p;
	size_t total;

	align = align > PAGE_SIZE ? align : PAGE_SIZE;
	if (__builtin_add_overflow(size, align - PAGE_SIZE, &total) || total >= limit - LOW_START)
		return NULL;
#ifdef MAP_32BIT
	p = (unsigned long)raw_syscall6(SYS_mmap, 0, (long)total, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_32BIT,
					-1, 0);
	if (!failed((long)p)) {
		unsigned long start = ALIGN_UP(p, align), end = p + total;

		if (start > p)
			os_unmap((void *)p, start - p);
		if (end > start + size)
			os_unmap((void *)(start + size), end - start - size);
		return (void *)start;
	}
#endif
	step = ALIGN_UP((limit - LOW_START - size) / LOW_STEPS + 1, align);
	for (p = ALIGN_DOWN(limit - size, align); p >= LOW_START; p -= step) {
		if (map_wish(p, size))
			return (void *)p;
		if (p < LOW_START + step)
			break;
	}
	return NULL;
}

bool os_map_none_over(void *p, size_t size)
{
	return !failed(raw_syscall6(SYS_mmap, (long)p, (long)size, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0));
}

bool os_protect(void *p, size_t size, enum os_access access)
{
	static const int prot[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE };

	return !failed(raw_syscall(SYS_mprotect, p, size, prot[access]));
}

int os_shared_create(size_t size)
{
	long fd = raw_syscall(SYS_memfd_create, "kmalloc-vmap", MFD_CLOEXEC, 0);

	if (failed(fd))
		return -1;
	if (!failed(raw_syscall(SYS_ftruncate, fd, size, 0)))
		return (int)fd;
	os_close((int)fd);
	return -1;
}

bool os_shared_fill(int fd, const void *p, size_t len, size_t offset)
{
	const char *from = p;

	while (len) {
		long n = raw_syscall6(SYS_pwrite64, fd, (long)from, (long)len, (long)offset, 0, 0);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return false;
		from += n;
		offset += (size_t)n;
		len -= (size_t)n;
	}
	return true;
}

bool os_map_shared_over(void *p, size_t size, int fd, size_t offset)
{
	return !failed(raw_syscall6(SYS_mmap, (long)p, (long)size, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_FIXED, fd, (long)offset));
}

bool os_alias_shared(void *from, size_t size, void *to)
{
	return !failed(raw_syscall6(SYS_mremap, (long)from, 0, (long)size,
				   MREMAP_MAYMOVE | MREMAP_FIXED, (long)to, 0));
}

unsigned long os_totalram(void)
{
	static _Atomic unsigned long bytes;
	unsigned long n = atomic_load_explicit(&bytes, memory_order_relaxed);
	struct sysinfo si = { 0 };

	if (n)
		return n;
	n = failed(raw_syscall(SYS_sysinfo, &si, 0, 0)) ? PTRDIFF_MAX : si.totalram * si.mem_unit;
	atomic_store_explicit(&bytes, n, memory_order_relaxed);
	return n;
}

unsigned int os_nr_cpus(void)
{
	unsigned long mask[128] = { 0 }, w;
	long n = raw_syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);
	unsigned int cpus = 0;

	for (w = 0; !failed(n) && w < (unsigned long)n / sizeof(long); w++)
		cpus += hweight64(mask[w]);
	return cpus ? cpus : 1;
}

bool os_write(int fd, const char *buf, size_t len)
{
	while (len) {
		long n = raw_syscall(SYS_write, fd, buf, len);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return false;	/* a full pipe too: never wait inside the allocator */
		buf += n;
		len -= (size_t)n;
	}
	return true;
}

int os_open_append(const char *path)
{
	long fd = raw_syscall6(SYS_openat, AT_FDCWD, (long)path,
			       O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600, 0, 0);

	return failed(fd) ? -1 : (int)fd;
}

int os_open_read(const char *path)
{
	long fd = raw_syscall6(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0, 0);

	return failed(fd) ? -1 : (int)fd;
}

long os_read(int fd, char *buf, size_t len)
{
	long n;

	do {
		n = raw_syscall(SYS_read, fd, buf, len);
	} while (n == -EINTR);
	return n;
}

long os_read_file(const char *path, char *buf, size_t size)
{
	int fd = os_open_read(path);
	size_t used = 0;
	long n = 0;

	if (fd < 0)
		return -1;
	while (used < size) {
		n = os_read(fd, buf + used, size - used);
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	os_close(fd);
	return n < 0 ? -1 : (long)used;
}

void os_close(int fd)
{
	raw_syscall(SYS_close, fd, 0, 0);
}

int os_dup_stderr(void)
{
	long fd = raw_syscall(SYS_fcntl, STDERR_FILENO, F_DUPFD_CLOEXEC, 200);

	if (failed(fd))
		fd = raw_syscall(SYS_fcntl, STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	return failed(fd) ? -1 : (int)fd;
}

bool os_same_file(int fd)
{
	struct stat st = { 0 };

	return !failed(sys_fstat(fd, &st)) && st.st_dev == os.stderr_dev &&
	       st.st_ino == os.stderr_ino;
}

/*
 * A program may have closed fd 2 and got a socket or a data file under that number. What was
 * there at the start is fine, and so is what can only be a log: a terminal, a pipe, a file
 * opened for appending.
 */
bool os_stderr_is_ours(void)
{
	struct stat st = { 0 };
	long flags;

	if (os_same_file(STDERR_FILENO))
		return true;
	if (failed(sys_fstat(STDERR_FILENO, &st)))
		return false;
	if (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode))
		return true;
	flags = raw_syscall(SYS_fcntl, STDERR_FILENO, F_GETFL, 0);
	return !failed(flags) && (flags & O_APPEND);
}

unsigned long os_block_signals(void)
{
	unsigned long all = ~0ul, old = 0;

	raw_syscall6(SYS_rt_sigprocmask, SIG_BLOCK, (long)&all, (long)&old, sizeof(old), 0, 0);
	return old;
}

void os_restore_signals(unsigned long mask)
{
	raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, sizeof(mask), 0, 0);
}

void os_yield(void)
{
	raw_syscall(SYS_sched_yield, 0, 0, 0);
}

unsigned long os_clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);	/* in user space, by the vdso */
	return (unsigned long)ts.tv_sec * 1000 + (unsigned long)ts.tv_nsec / 1000000;
}

void os_sleep_us(unsigned int us)
{
	struct timespec ts = { .tv_nsec = (long)us * 1000 };

	raw_syscall(SYS_nanosleep, &ts, 0, 0);
}

void os_futex_wait(const u32 *word, u32 expected, unsigned int timeout_ms)
{
	struct timespec ts = {
		.tv_sec = timeout_ms / 1000,
		.tv_nsec = (long)(timeout_ms % 1000) * 1000000,
	};

	raw_syscall6(SYS_futex, (long)word, FUTEX_WAIT_PRIVATE, expected, (long)&ts, 0, 0);
}

void os_futex_wake(const u32 *word, unsigned int n)
{
	raw_syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, MIN(n, (unsigned int)INT_MAX));
}

int os_gettid(void)
{
	return (int)raw_syscall(SYS_gettid, 0, 0, 0);
}

int os_getpid(void)
{
	return (int)raw_syscall(SYS_getpid, 0, 0, 0);
}

void os_set_comm(const char *comm)
{
	raw_syscall(SYS_prctl, PR_SET_NAME, comm, 0);
}

static unsigned long rlimit_of(int resource)
{
	struct rlimit r = { 0 };

	if (failed(raw_syscall6(SYS_prlimit64, 0, resource, 0, (long)&r, 0, 0)) ||
	    r.rlim_cur == RLIM_INFINITY)
		return ULONG_MAX;
	return (unsigned long)r.rlim_cur;
}

unsigned long os_memory_rlimit(void)
{
	unsigned long as = rlimit_of(RLIMIT_AS), data = rlimit_of(RLIMIT_DATA);

	as = MIN(as, data);
	return as == ULONG_MAX ? 0 : MAX(as, PAGE_SIZE);
}

size_t os_read_self(void *to, const void *from, size_t size)
{
	struct iovec local = { to, size }, remote = { (void *)(uintptr_t)from, size };
	long n = raw_syscall6(SYS_process_vm_readv, os_getpid(), (long)&local, 1, (long)&remote, 1,
			      0);

	return failed(n) ? 0 : (size_t)n;
}

bool os_thread_is_gone(int tid)
{
	return raw_syscall(SYS_tgkill, os_getpid(), tid, 0) == -ESRCH;
}

unsigned long os_brk_start(void)
{
	return os.brk_start;
}

bool os_libc_free(void *p)
{
	if (!__libc_free)
		return false;
	__libc_free(p);
	return true;
}

/*
 * The word before a block is the size of its chunk, that word included, with flags in the
 * lowest three bits.
 */
size_t os_libc_usable_size(const void *p)
{
	return (((const size_t *)p)[-1] & ~7ul) - sizeof(size_t);
}

unsigned long os_brk(void)
{
	return (unsigned long)raw_syscall(SYS_brk, 0, 0, 0);
}

void os_set_errno_enomem(void)
{
	errno = ENOMEM;
}

void os_abort(void)
{
	abort();
}

/* SPDX-License-Identifier: MIT */
/*
 * The host: the only way from src/ to the operating system and to libc. Layer: os.
 *
 * Every call is a raw system call: it takes no lock, allocates nothing, is no cancellation
 * point and leaves errno alone. Memory calls take addresses and sizes that are multiples of the
 * page size.
 *
 * libc functions that src/ may use: memcpy, memmove, memset, memcmp, strlen (by the compiler
 * too); and from os_linux.c alone: getauxval, clock_gettime, abort, __errno_location. init/
 * adds pthread_key_create, pthread_setspecific, pthread_atfork, and with option kswapd
 * pthread_create, each outside all locks.
 */
#ifndef KM_OS_OS_H
#define KM_OS_OS_H

#include <string.h>
#include "lib/types.h"

extern unsigned int os_page_shift __km(os_page_shift);	/* 12, 14 or 16; valid after os_init() */
#define PAGE_SIZE	(1ul << os_page_shift)

/* Reads page size and the identity of stderr. May be called again. */
void os_init(void) __km(os_init);
/* AT_SECURE: the environment is not to be trusted */
bool os_is_secure(void) __km(os_is_secure);
/* Value of an environment variable or NULL; also before libc has set environ. */
const char *os_getenv(const char *name) __km(os_getenv);
/*
 * The last part of the path that was executed, as the kernel took it for the name of the process
 * but not cut to 15 characters; "" if not known.
 */
const char *os_program_name(void) __km(os_program_name);
#define OS_THREAD_NAME_SIZE	16
void os_thread_name(char *name) __km(os_thread_name);	/* of the calling thread */

/* Private zeroed read-write memory, near hint if that is free (NULL: anywhere); NULL on failure. */
void *os_map(void *hint, size_t size) __km(os_map);
/* The same, its start a multiple of align (a power of two). */
void *os_map_aligned(size_t size, size_t align) __km(os_map_aligned);
/* True if no boundary of two mappings lies inside: mremap takes one mapping at a time. */
bool os_is_one_mapping(void *p, size_t size) __km(os_is_one_mapping);
/* As os_map, at p or, where anything lies there, not at all. */
bool os_map_at(void *p, size_t size) __km(os_map_at);
/* As os_map, at p, over whatever lies there. */
bool os_map_over(void *p, size_t size) __km(os_map_over);
bool os_unmap(void *p, size_t size) __km(os_unmap);
/* The pages read as zero afterwards and hold no memory; false: they are as they were. */
bool os_dontneed(void *p, size_t size) __km(os_dontneed);
/* Every page of it is there afterwards, writable, as it was or zero; false: perhaps not. */
bool os_populate(void *p, size_t size) __km(os_populate);
void os_nohugepage(void *p, size_t size) __km(os_nohugepage);
/* Asks for huge pages there, which the system may give. */
void os_hugepage(void *p, size_t size) __km(os_hugepage);
#define OS_RESIDENT_MAX	16u
/* All of these pages, OS_RESIDENT_MAX at most, hold memory. */
bool os_is_resident(const void *p, unsigned int pages) __km(os_is_resident);
/* The memory reads as zero in a child that fork made; false if the kernel cannot. */
bool os_wipeonfork(void *p, size_t size) __km(os_wipeonfork);
/*
 * Moves a mapping to [to, to + to_size), replacing what is there; the old range is unmapped
 * then.
 */
bool os_remap(void *from, size_t from_size, void *to, size_t to_size) __km(os_remap);

/* The range is what os_map gives, at an address below limit; align: a power of two. */
void *os_map_below(size_t size, size_t align, unsigned long limit) __km(os_map_below);
/* Address space without access or memory, over whatever lies there. */
bool os_map_none_over(void *p, size_t size) __km(os_map_none_over);
enum os_access { OS_NONE, OS_READ, OS_READ_WRITE };
bool os_protect(void *p, size_t size, enum os_access access) __km(os_protect);
/*
 * Memory that several addresses can share: a file of that size that has no name; -1 on failure.
 * os_shared_fill copies len bytes to it, os_map_shared_over maps it over whatever lies at p.
 */
int os_shared_create(size_t size) __km(os_shared_create);
bool os_shared_fill(int fd, const void *p, size_t len, size_t offset) __km(os_shared_fill);
bool os_map_shared_over(void *p, size_t size, int fd, size_t offset) __km(os_map_shared_over);
/* The same shared memory at a second place too, over whatever lies there. */
bool os_alias_shared(void *from, size_t size, void *to) __km(os_alias_shared);

unsigned long os_totalram(void) __km(os_totalram);	/* bytes of physical memory; constant */
unsigned int os_nr_cpus(void) __km(os_nr_cpus);		/* that this process may run on */

bool os_write(int fd, const char *buf, size_t len) __km(os_write);	/* all of it, or false */
int os_open_append(const char *path) __km(os_open_append);		/* created if need be; -1 */
/* The beginning of a file, up to size bytes; -1. */
long os_read_file(const char *path, char *buf, size_t size) __km(os_read_file);
int os_open_read(const char *path) __km(os_open_read);			/* -1 */
/* 0 at the end, negative on failure */
long os_read(int fd, char *buf, size_t len) __km(os_read);
void os_close(int fd) __km(os_close);
int os_dup_stderr(void) __km(os_dup_stderr);	/* a high close-on-exec copy of fd 2, or -1 */
bool os_same_file(int fd) __km(os_same_file);	/* fd is what fd 2 was at the start */
/* p lies in a segment of the program's own file that is mapped without write access. */
bool os_is_rodata(const void *p) __km(os_is_rodata);
bool os_stderr_is_ours(void) __km(os_stderr_is_ours);	/* fd 2 may be written to without harm */

unsigned long os_clock_ms(void) __km(os_clock_ms);	/* monotonic, steps of a few ms */
/* all of them, in this thread; the old mask */
unsigned long os_block_signals(void) __km(os_block_signals);
void os_restore_signals(unsigned long mask) __km(os_restore_signals);
void os_yield(void) __km(os_yield);
void os_sleep_us(unsigned int us) __km(os_sleep_us);
/* Sleeps while *word is expected, at most timeout_ms; may also return for no reason. */
void os_futex_wait(const u32 *word, u32 expected, unsigned int timeout_ms) __km(os_futex_wait);
void os_futex_wake(const u32 *word, unsigned int n) __km(os_futex_wake);	/* the first n */
int os_gettid(void) __km(os_gettid);
/* Names the calling thread; NUL included at most 16 bytes. */
void os_set_comm(const char *comm) __km(os_set_comm);
/* The lesser of RLIMIT_AS and RLIMIT_DATA in bytes; 0: neither is set. */
unsigned long os_memory_rlimit(void) __km(os_memory_rlimit);
int os_getpid(void) __km(os_getpid);
/* Memory that may not be there: how many bytes of it could be read. */
size_t os_read_self(void *to, const void *from, size_t size) __km(os_read_self);
bool os_thread_is_gone(int tid) __km(os_thread_is_gone);
/* where it was at the start; 0: not known */
unsigned long os_brk_start(void) __km(os_brk_start);
/* For blocks of glibc's own heap; false where there is no such function. */
bool os_libc_free(void *p) __km(os_libc_free);
size_t os_libc_usable_size(const void *p) __km(os_libc_usable_size);
unsigned long os_brk(void) __km(os_brk);		/* end of the program break */
void os_set_errno_enomem(void) __km(os_set_errno_enomem);
void os_abort(void) __km(os_abort) __noreturn;

#endif

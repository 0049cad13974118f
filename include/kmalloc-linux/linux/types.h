/* SPDX-License-Identifier: MIT */
/*
 * The kernel's types: the system's own header first, so that programs and system headers that
 * include it find what they always found, then what kernel source expects beside it. In C++ and
 * in assembly it is the system's header alone.
 */
#include_next <linux/types.h>

#if !defined(KMALLOC_LINUX_TYPES_H) && !defined(__cplusplus) && !defined(__ASSEMBLY__)
#define KMALLOC_LINUX_TYPES_H

#include <kmalloc/types.h>

/*
 * The types of <sys/types.h>, again and alike: that header also has struct timeval, and a program
 * that includes the system's <linux/time.h> could not have it.
 */
#ifdef __GLIBC__
#include <bits/types.h>
typedef __ssize_t ssize_t;
typedef __loff_t loff_t;
typedef __off_t off_t;
typedef __dev_t dev_t;
typedef __mode_t mode_t;
typedef __pid_t pid_t;
typedef __uid_t uid_t;
typedef __gid_t gid_t;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
#else
#include <sys/types.h>
#endif

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;

typedef unsigned short umode_t;
typedef unsigned int fmode_t;
typedef unsigned int vm_fault_t;
typedef u64 sector_t;

/* Addresses are virtual here: there are no others in a process. */
typedef u64 phys_addr_t;
typedef u64 dma_addr_t;
typedef phys_addr_t resource_size_t;

/* <linux/atomic.h> has the functions. */
typedef struct {
	int counter;
} atomic_t;

typedef struct {
	s64 counter;
} atomic64_t;

typedef struct {
	long counter;
} atomic_long_t;

/* <linux/list.h> has the functions. */
struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

/* A type without functions: there is no RCU here. */
struct callback_head {
	struct callback_head *next;
	void (*func)(struct callback_head *head);
};
#define rcu_head callback_head

#endif

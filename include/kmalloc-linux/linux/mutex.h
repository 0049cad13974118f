/* SPDX-License-Identifier: MIT */
/* Mutexes: those of libc. The interruptible form can not be interrupted: it always locks. */
#ifndef KMALLOC_LINUX_MUTEX_H
#define KMALLOC_LINUX_MUTEX_H

#include <pthread.h>
#include <linux/compiler.h>

struct mutex {
	pthread_mutex_t mutex;
};

#define __MUTEX_INITIALIZER(name)	{ .mutex = PTHREAD_MUTEX_INITIALIZER }
#define DEFINE_MUTEX(name)		struct mutex name = __MUTEX_INITIALIZER(name)

static inline void mutex_init(struct mutex *lock)
{
	pthread_mutex_init(&lock->mutex, NULL);
}

static inline void mutex_destroy(struct mutex *lock)
{
	pthread_mutex_destroy(&lock->mutex);
}

static inline void mutex_lock(struct mutex *lock)
{
	pthread_mutex_lock(&lock->mutex);
}

static inline int __must_check mutex_lock_interruptible(struct mutex *lock)
{
	return -pthread_mutex_lock(&lock->mutex);
}

static inline int mutex_trylock(struct mutex *lock)
{
	return pthread_mutex_trylock(&lock->mutex) == 0;
}

static inline void mutex_unlock(struct mutex *lock)
{
	pthread_mutex_unlock(&lock->mutex);
}

#endif

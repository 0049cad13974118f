// SPDX-License-Identifier: MIT
/* libc's threads. Layer: os. */
#include "os/thread_key.h"

#include <errno.h>
#include <pthread.h>

bool thread_key_create(thread_key_t *key, void (*destructor)(void *))
{
	int saved = errno;
	bool ok = !pthread_key_create(key, destructor);

	errno = saved;
	return ok;
}

void thread_key_set(thread_key_t key, void *value)
{
	int saved = errno;

	pthread_setspecific(key, value);
	errno = saved;
}

void thread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
	int saved = errno;

	pthread_atfork(prepare, parent, child);
	errno = saved;
}

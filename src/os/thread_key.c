// SPDX-License-Identifier: MIT
/* libc's threads. Layer: os. */
#include "os/thread_key.h"
#include "os/os.h"

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

bool thread_start(void *(*fn)(void *), size_t stack)
{
	unsigned long mask = os_block_signals();	/* the new thread's too */
	int saved = errno;
	pthread_attr_t attr;
	pthread_t thread;
	bool ok;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, stack);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	ok = !pthread_create(&thread, &attr, fn, NULL);
	pthread_attr_destroy(&attr);
	errno = saved;
	os_restore_signals(mask);
	return ok;
}

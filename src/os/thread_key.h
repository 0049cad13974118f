/* SPDX-License-Identifier: MIT */
/* The calls into libc's threads that start-up needs, each outside all locks. Layer: os. */
#ifndef KM_OS_THREAD_KEY_H
#define KM_OS_THREAD_KEY_H

#include "lib/types.h"

typedef unsigned int thread_key_t;

/*
 * destructor runs at the end of each thread that stored a value; false if there are no keys
 * left.
 */
bool thread_key_create(thread_key_t *key, void (*destructor)(void *)) __km(thread_key_create);
void thread_key_set(thread_key_t key, void *value) __km(thread_key_set);	/* may allocate */
void thread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
	__km(thread_atfork);
/* A detached thread with all signals blocked; false: the system has none. */
bool thread_start(void *(*fn)(void *), size_t stack) __km(thread_start);

#endif

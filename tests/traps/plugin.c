/* SPDX-License-Identifier: MIT */
/*
 * A plugin with thread-local memory of its own. Opened with RTLD_DEEPBIND, its
 * malloc is libc's, and what it returns the program frees. Traps C8, C20, C63.
 */
#include <stdlib.h>
#include <string.h>

char *plugin_make(size_t n);
char *plugin_thread_local(void);

static __thread char thread_memory[4000];

char *plugin_make(size_t n)
{
	char *p = malloc(n);

	if (p)
		memset(p, 'p', n);
	return p;
}

char *plugin_thread_local(void)
{
	return thread_memory;
}

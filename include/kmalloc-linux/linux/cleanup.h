/* SPDX-License-Identifier: MIT */
/* Pointers that are freed where their scope ends: type *p __free(kfree) = kmalloc(...); */
#ifndef KMALLOC_LINUX_CLEANUP_H
#define KMALLOC_LINUX_CLEANUP_H

#include <linux/compiler.h>

#define __cleanup(fn)	__attribute__((__cleanup__(fn)))

/* In how_to_free _T is the variable. */
#define DEFINE_FREE(name, type, how_to_free)							\
	static inline void __free_##name(void *p)						\
	{											\
		type _T = *(type *)p;								\
		how_to_free;									\
	}
#define __free(name)	__cleanup(__free_##name)

/** no_free_ptr - the value of p, which from now on frees nothing. */
#define no_free_ptr(p) ({									\
	__auto_type __kept = (p);								\
	(p) = NULL;										\
	__kept;											\
})
#define return_ptr(p)	return no_free_ptr(p)

#endif

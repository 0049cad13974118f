/* SPDX-License-Identifier: MIT */
/* From a member to what contains it. */
#ifndef KMALLOC_LINUX_CONTAINER_OF_H
#define KMALLOC_LINUX_CONTAINER_OF_H

#include <stddef.h>
#include <linux/compiler.h>

#define __container_of(ptr, member_ptr, type, member) ({					\
	void *member_ptr = (void *)(ptr);							\
	_Static_assert(__same_type(*(ptr), ((type *)0)->member) || __same_type(*(ptr), void),	\
		       "container_of: the pointer is not one to this member");			\
	(type *)(void *)((char *)member_ptr - offsetof(type, member));				\
})
#define container_of(ptr, type, member) \
	__container_of(ptr, __UNIQUE_ID(member_), type, member)

#define sizeof_field(type, member)	sizeof(((type *)0)->member)
#define offsetofend(type, member)	(offsetof(type, member) + sizeof_field(type, member))
#ifndef typeof_member
#define typeof_member(type, member)	__typeof__(((type *)0)->member)
#endif

#endif

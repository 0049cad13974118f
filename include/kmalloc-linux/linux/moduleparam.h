/* SPDX-License-Identifier: MIT */
/*
 * Parameters of modules: a program made by module_init() takes them as name=value arguments, as
 * insmod does. Types: byte short ushort int uint long ulong bool invbool charp.
 */
#ifndef KMALLOC_LINUX_MODULEPARAM_H
#define KMALLOC_LINUX_MODULEPARAM_H

#include <linux/compiler.h>
#include <linux/kstrtox.h>

struct kernel_param {
	const char *name;
	int (*set)(const char *value, void *variable);
	void *variable;
};

#define __PARAM_NUMBER(name, type, convert)							\
static inline int __param_set_##name(const char *value, void *variable)				\
{												\
	return convert(value, 0, (type *)variable);						\
}
__PARAM_NUMBER(byte, unsigned char, kstrtou8)
__PARAM_NUMBER(short, short, kstrtos16)
__PARAM_NUMBER(ushort, unsigned short, kstrtou16)
__PARAM_NUMBER(int, int, kstrtoint)
__PARAM_NUMBER(uint, unsigned int, kstrtouint)
__PARAM_NUMBER(long, long, kstrtol)
__PARAM_NUMBER(ulong, unsigned long, kstrtoul)
#undef __PARAM_NUMBER

/* A name without a value is true. */
static inline int __param_set_bool(const char *value, void *variable)
{
	return kstrtobool(*value ? value : "1", (bool *)variable);
}

static inline int __param_set_invbool(const char *value, void *variable)
{
	int error = __param_set_bool(value, variable);

	if (!error)
		*(bool *)variable = !*(bool *)variable;
	return error;
}

/* The string is the program's argument itself. */
static inline int __param_set_charp(const char *value, void *variable)
{
	*(const char **)variable = value;
	return 0;
}

#define __MODULE_PARAM(name, variable, as_set, perm)						\
	static const struct kernel_param __param_##name						\
	__attribute__((__used__, __section__("km_params"), __aligned__(sizeof(long)))) =	\
		{ #name, as_set, &(variable) };							\
	_Static_assert((perm) >= 0, "permissions of a parameter")
#define module_param_named(name, variable, type, perm) \
	__MODULE_PARAM(name, variable, __param_set_##type, perm)
#define module_param(name, type, perm) \
	__MODULE_PARAM(name, name, __param_set_##type, perm)

#define MODULE_PARM_DESC(name, text)	_Static_assert(sizeof(text) > 0, "")

#endif

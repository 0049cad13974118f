/* SPDX-License-Identifier: MIT */
/*
 * Numbers from strings: 0, or -EINVAL for what is no number from end to end (a newline may end
 * it), -ERANGE for what does not fit; *res is written on success alone. Base 0 reads 0x and 0.
 */
#ifndef KMALLOC_LINUX_KSTRTOX_H
#define KMALLOC_LINUX_KSTRTOX_H

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <linux/compiler.h>
#include <linux/limits.h>
#include <linux/types.h>

static inline int __must_check kstrtoull(const char *s, unsigned int base, unsigned long long *res)
{
	unsigned long long value;
	int saved = errno, error;
	char *end;

	s += *s == '+';
	if (!isalnum((unsigned char)*s))
		return -EINVAL;
	errno = 0;
	value = strtoull(s, &end, (int)base);
	error = errno;
	errno = saved;
	end += *end == '\n';
	if (*end || end == s)
		return -EINVAL;
	if (error)
		return -ERANGE;
	*res = value;
	return 0;
}

static inline int __must_check kstrtoll(const char *s, unsigned int base, long long *res)
{
	bool negative = *s == '-';
	unsigned long long value;
	int error;

	if (negative && s[1] == '+')
		return -EINVAL;
	error = kstrtoull(s + negative, base, &value);
	if (error)
		return error;
	if (value > (unsigned long long)S64_MAX + negative)
		return -ERANGE;
	*res = (long long)(negative ? 0 - value : value);
	return 0;
}

#define __KSTRTO(name, type, wide, wide_name)							\
static inline int __must_check name(const char *s, unsigned int base, type *res)		\
{												\
	wide value;										\
	int error = wide_name(s, base, &value);							\
												\
	if (error)										\
		return error;									\
	if (value != (type)value)								\
		return -ERANGE;									\
	*res = (type)value;									\
	return 0;										\
}

__KSTRTO(kstrtoul, unsigned long, unsigned long long, kstrtoull)
__KSTRTO(kstrtol, long, long long, kstrtoll)
__KSTRTO(kstrtouint, unsigned int, unsigned long long, kstrtoull)
__KSTRTO(kstrtoint, int, long long, kstrtoll)
__KSTRTO(kstrtou64, u64, unsigned long long, kstrtoull)
__KSTRTO(kstrtos64, s64, long long, kstrtoll)
__KSTRTO(kstrtou32, u32, unsigned long long, kstrtoull)
__KSTRTO(kstrtos32, s32, long long, kstrtoll)
__KSTRTO(kstrtou16, u16, unsigned long long, kstrtoull)
__KSTRTO(kstrtos16, s16, long long, kstrtoll)
__KSTRTO(kstrtou8, u8, unsigned long long, kstrtoull)
__KSTRTO(kstrtos8, s8, long long, kstrtoll)
#undef __KSTRTO

/** kstrtobool - by the first character, y Y t T 1 and n N f F 0, or on and off. */
static inline int __must_check kstrtobool(const char *s, bool *res)
{
	if (!s || !*s)
		return -EINVAL;
	if (strchr("yYtT1", *s) || ((*s | 32) == 'o' && (s[1] | 32) == 'n'))
		*res = true;
	else if (strchr("nNfF0", *s) || ((*s | 32) == 'o' && (s[1] | 32) == 'f'))
		*res = false;
	else
		return -EINVAL;
	return 0;
}

#endif

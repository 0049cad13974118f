/* SPDX-License-Identifier: MIT */
/* The strings of libc, those of the kernel that libc has not, and the copies that allocate. */
#include_next <linux/string.h>

#if !defined(KMALLOC_LINUX_STRING_H) && !defined(__cplusplus) && !defined(__ASSEMBLY__)
#define KMALLOC_LINUX_STRING_H

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <kmalloc/slab.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/types.h>

/** memzero_explicit - clears; the compiler does not leave it out. */
static inline void memzero_explicit(void *p, size_t size)
{
	memset(p, 0, size);
	__asm__ __volatile__("" : : "r"(p) : "memory");
}

/** strscpy - copies with the NUL that ends it; its length, or -E2BIG where it was cut. */
static inline ssize_t strscpy(char *dest, const char *src, size_t size)
{
	size_t n;

	if (size == 0)
		return -E2BIG;
	n = strnlen(src, size);
	if (n < size) {
		memcpy(dest, src, n + 1);
		return (ssize_t)n;
	}
	memcpy(dest, src, size - 1);
	dest[size - 1] = '\0';
	return -E2BIG;
}

/** strscpy_pad - strscpy() that clears the rest. */
static inline ssize_t strscpy_pad(char *dest, const char *src, size_t size)
{
	ssize_t n = strscpy(dest, src, size);

	if (n >= 0)
		memset(dest + n, 0, size - (size_t)n);
	return n;
}

/** strlcpy - copies with the NUL that ends it; the length of src. */
static inline size_t __kernel_strlcpy(char *dest, const char *src, size_t size)
{
	size_t length = strlen(src), n = length < size ? length : size - 1;

	if (size) {
		memcpy(dest, src, n);
		dest[n] = '\0';
	}
	return length;
}
#undef strlcpy
#define strlcpy		__kernel_strlcpy

static inline char *skip_spaces(const char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	return (char *)s;
}

/** strim - s without the blanks at both ends; those at its end are overwritten. */
static inline char *strim(char *s)
{
	size_t n = strlen(s);

	while (n && isspace((unsigned char)s[n - 1]))
		n--;
	s[n] = '\0';
	return skip_spaces(s);
}

/** str_has_prefix - the length of prefix where s begins with it, else 0. */
static inline size_t str_has_prefix(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) == 0 ? n : 0;
}

static inline bool strstarts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/** memchr_inv - the first byte that is not c, or NULL. */
static inline void *memchr_inv(const void *p, int c, size_t size)
{
	const unsigned char *s = p, *end = s + size;

	for (; s < end; s++)
		if (*s != (unsigned char)c)
			return (void *)s;
	return NULL;
}

/** kbasename - what follows the last slash. */
static inline const char *kbasename(const char *path)
{
	const char *tail = strrchr(path, '/');

	return tail ? tail + 1 : path;
}

#endif

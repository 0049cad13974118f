// SPDX-License-Identifier: MIT
/* Copies of memory and strings, as the kernel's mm/util.c has them. Layer: mm. */
#include "lib/small.h"
#include "kmalloc/slab.h"
#include "os/os.h"

static size_t length_within(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

__km_export void *kmemdup(const void *src, size_t len, gfp_t flags)
{
	void *p = kmalloc(len, flags);

	if (p && len)
		memcpy(p, src, len);
	return p;
}

__km_export void *kvmemdup(const void *src, size_t len, gfp_t flags)
{
	void *p = kvmalloc(len, flags);

	if (p && len)
		memcpy(p, src, len);
	return p;
}

__km_export void *kmemdup_array(const void *src, size_t n, size_t size, gfp_t flags)
{
	return kmemdup(src, kmalloc_size_mul(n, size), flags);
}

__km_export char *kmemdup_nul(const char *s, size_t len, gfp_t flags)
{
	char *p;

	if (!s)
		return NULL;
	p = kmalloc(kmalloc_size_add(len, 1), flags);
	if (!p)
		return NULL;
	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

__km_export char *kstrdup(const char *s, gfp_t flags)
{
	return s ? kmemdup_nul(s, strlen(s), flags) : NULL;
}

__km_export char *kstrndup(const char *s, size_t max, gfp_t flags)
{
	return s ? kmemdup_nul(s, length_within(s, max), flags) : NULL;
}

__km_export const char *kstrdup_const(const char *s, gfp_t flags)
{
	return os_is_rodata(s) ? s : kstrdup(s, flags);
}

__km_export void kfree_const(const void *p)
{
	if (!os_is_rodata(p))
		kfree(p);
}

/* SPDX-License-Identifier: MIT */
/*
 * Text formatting without libc's locale, buffers or errno. Layer: lib.
 * Understands %s %c %d %u %x %p %% with l, ll and z, width, '-' and '0'. Always ends with a NUL.
 */
#ifndef KM_LIB_FORMAT_H
#define KM_LIB_FORMAT_H

#include <stdarg.h>
#include "lib/types.h"

/* Returns the number of characters written, the NUL not counted: at most size - 1. */
size_t scnprintf(char *buf, size_t size, const char *fmt, ...) __km(scnprintf) __printf(3, 4);
size_t vscnprintf(char *buf, size_t size, const char *fmt, va_list ap) __km(vscnprintf);

/* A decimal number, with K, M, G or T (of 1024) behind it; else false, *value untouched. */
bool parse_size(const char *text, size_t len, unsigned long *value) __km(parse_size);

/* Shell patterns as far as * and ?. */
bool text_matches(const char *pattern, size_t len, const char *text) __km(text_matches);

/* Levenshtein distance of a name and the first TEXT_DISTANCE_MAX characters of a word. */
#define TEXT_DISTANCE_MAX	39
unsigned int text_distance(const char *name, const char *word, size_t len) __km(text_distance);

static inline bool text_equals(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

#endif

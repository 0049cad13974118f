// SPDX-License-Identifier: MIT
/* Text formatting without libc. Layer: lib. */
#include "lib/small.h"
#include "lib/format.h"
#include "lib/bits.h"

struct out {
	char *pos, *end;	/* end: where the NUL may stand at the latest */
};

static void put(struct out *o, char c)
{
	if (o->pos < o->end)
		*o->pos++ = c;
}

struct spec {
	unsigned int width;
	bool left;
	char pad;
};

static void put_text(struct out *o, const char *s, size_t len, const struct spec *spec)
{
	size_t fill = len < spec->width ? spec->width - len : 0;

	if (!spec->left)
		while (fill) {
			put(o, spec->pad);
			fill--;
		}
	while (len--)
		put(o, *s++);
	while (fill--)
		put(o, ' ');
}

static void put_number(struct out *o, u64 v, bool negative, unsigned int base, struct spec *spec)
{
	char buf[24], *p = buf + sizeof(buf);

	do {
		*--p = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	if (negative && spec->pad == '0' && !spec->left) {
		put(o, '-');	/* the sign comes before the zeros */
		spec->width -= spec->width != 0;
	} else if (negative) {
		*--p = '-';
	}
	put_text(o, p, (size_t)(buf + sizeof(buf) - p), spec);
}

static size_t text_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static const char *parse_spec(const char *f, struct spec *spec, bool *wide)
{
	*spec = (struct spec){ .pad = ' ' };
	*wide = false;
	for (;; f++) {
		if (*f == '-')
			spec->left = true;
		else if (*f == '0')
			spec->pad = '0';
		else
			break;
	}
	for (; *f >= '0' && *f <= '9'; f++)
		spec->width = spec->width * 10 + (unsigned int)(*f - '0');
	for (; *f == 'l' || *f == 'z'; f++)
		*wide = true;
	return f;
}

size_t vscnprintf(char *buf, size_t size, const char *f, va_list ap)
{
	struct out o = { buf, buf + (size ? size - 1 : 0) };
	struct spec spec;
	const char *s;
	bool wide;
	s64 v;
	char c;

	if (!size)
		return 0;
	for (; *f; f++) {
		if (*f != '%') {
			put(&o, *f);
			continue;
		}
		f = parse_spec(f + 1, &spec, &wide);
		switch (*f) {
		case 's':
			s = va_arg(ap, const char *);
			if (!s)
				s = "(null)";
			put_text(&o, s, text_len(s), &spec);
			break;
		case 'c':
			c = (char)va_arg(ap, int);
			put_text(&o, &c, 1, &spec);
			break;
		case 'd':
			v = wide ? va_arg(ap, long) : va_arg(ap, int);
			put_number(&o, v < 0 ? 0 - (u64)v : (u64)v, v < 0, 10, &spec);
			break;
		case 'u':
			put_number(&o, wide ? va_arg(ap, unsigned long) : va_arg(ap, unsigned int),
				   false, 10, &spec);
			break;
		case 'x':
			put_number(&o, wide ? va_arg(ap, unsigned long) : va_arg(ap, unsigned int),
				   false, 16, &spec);
			break;
		case 'p':
			put(&o, '0');
			put(&o, 'x');
			put_number(&o, (u64)(uintptr_t)va_arg(ap, void *), false, 16, &spec);
			break;
		case '%':
			put(&o, '%');
			break;
		case '\0':
			f--;
			break;
		}
	}
	*o.pos = '\0';
	return (size_t)(o.pos - buf);
}

size_t scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = vscnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

bool parse_size(const char *text, size_t len, unsigned long *value)
{
	static const char units[] = "kmgt";
	unsigned long n = 0;
	size_t i = 0;
	unsigned int u;

	for (; i < len && text[i] >= '0' && text[i] <= '9'; i++)
		if (__builtin_mul_overflow(n, 10ul, &n) ||
		    __builtin_add_overflow(n, (unsigned long)(text[i] - '0'), &n))
			return false;
	if (!i)
		return false;
	if (i + 1 == len)
		for (u = 0; units[u]; u++)
			if ((text[i] | 0x20) == units[u]) {
				unsigned int shift = 10 * (u + 1);

				if (n > ULONG_MAX >> shift)
					return false;
				*value = n << shift;
				return true;
			}
	if (i != len)
		return false;
	*value = n;
	return true;
}

/* Only the last star is ever tried again: a longer match of an earlier one finds nothing more. */
bool text_matches(const char *pattern, size_t len, const char *text)
{
	const char *p = pattern, *end = pattern + len, *star = NULL, *from = NULL;

	while (*text) {
		if (p < end && *p == '*') {
			star = ++p;
			from = text;
		} else if (p < end && (*p == '?' || *p == *text)) {
			p++;
			text++;
		} else if (star) {
			p = star;
			text = ++from;
		} else {
			return false;
		}
	}
	while (p < end && *p == '*')
		p++;
	return p == end;
}

unsigned int text_distance(const char *name, const char *word, size_t len)
{
	unsigned int row[TEXT_DISTANCE_MAX + 1], diag, i, j;

	if (len > TEXT_DISTANCE_MAX)
		len = TEXT_DISTANCE_MAX;
	for (i = 0; i <= len; i++)
		row[i] = i;
	for (j = 0; name[j]; j++) {
		diag = row[0];
		row[0] = j + 1;
		for (i = 1; i <= len; i++) {
			unsigned int best = diag + (name[j] != word[i - 1]);

			diag = row[i];
			best = MIN(best, MIN(row[i], row[i - 1]) + 1);
			row[i] = best;
		}
	}
	return row[len];
}

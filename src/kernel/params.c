// SPDX-License-Identifier: MIT
/*
 * The option parser. Layer: kernel. Blank-separated key or key=value. A mistake costs one line
 * and leaves the default; the rest still counts.
 */
#include "lib/small.h"
#include "kernel/params.h"
#include "kernel/printk.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "os/os.h"

#define TEXT_MAX	512	/* longest free text, NUL included: a path */
#define TEXT_TOTAL	2048	/* of all of them */
#define KEY_SHOWN	60	/* how much of a wrong word is repeated in the warning */

/* What start-up reads: no pointers, which would be relocated in each process. */
static const struct param {
	char key[35], choices[24], dflt[8];
} table[NR_PARAMS] = {
#define PARAM(id, key, choices, dflt, range, help) { key, choices, dflt },
#include "kernel/params.def"
#undef PARAM
};

#define PARAM(id, k, c, d, range, help) \
	static_assert(sizeof(k) <= sizeof(table[0].key) && \
		      sizeof(c) <= sizeof(table[0].choices) && \
		      sizeof(d) <= sizeof(table[0].dflt), "texts end");
#include "kernel/params.def"
#undef PARAM

/* For the user's eyes: range and help of each, one behind the other. */
static const char descriptions[] =
#define PARAM(id, key, choices, dflt, range, help) range "\0" help "\0"
#include "kernel/params.def"
#undef PARAM
	;

static const char *description(const struct param *p, bool help)
{
	const char *text = descriptions;
	unsigned long n;

	for (n = 2 * (unsigned long)(p - table) + help; n; n--)
		text += strlen(text) + 1;
	return text;
}

/* A text begins at texts[start[id]]; texts[0] is the empty one. A longer value takes a new place. */
static struct {
	u8 choice[NR_PARAMS];
	bool given[NR_PARAMS];
	unsigned long number[NR_PARAMS];
	unsigned short start[NR_PARAMS];
	unsigned short used;
} params;

static char texts[TEXT_TOTAL];

static bool is_text(const struct param *p)
{
	return !p->choices[0];
}

static bool is_number(const struct param *p)
{
	return p->choices[0] == '#';
}

/* The number of value in "a|b|c", or -1. */
static int find_choice(const char *choices, const char *value, size_t len)
{
	int nr = 0;

	for (;;) {
		size_t n = 0;

		while (choices[n] && choices[n] != '|')
			n++;
		if (n == len && !memcmp(choices, value, len))
			return nr;
		if (!choices[n])
			return -1;
		choices += n + 1;
		nr++;
	}
}

static size_t choice_name(const char *choices, unsigned int nr, const char **name)
{
	size_t n = 0;

	while (nr)
		nr -= *choices++ == '|';
	while (choices[n] && choices[n] != '|')
		n++;
	*name = choices;
	return n;
}

static const struct param *nearest(const char *word, size_t len)
{
	const struct param *best = NULL;
	unsigned int i, d, best_d = 4;

	if (len > TEXT_DISTANCE_MAX)
		return NULL;
	for (i = 0; i < NR_PARAMS; i++) {
		d = text_distance(table[i].key, word, len);
		if (d < best_d) {
			best_d = d;
			best = &table[i];
		}
	}
	return best;
}

static void warn_unknown(const char *word, size_t len)
{
	const struct param *p = nearest(word, len);
	char shown[KEY_SHOWN];

	len = MIN(len, sizeof(shown) - 1);
	memcpy(shown, word, len);
	shown[len] = '\0';
	if (p)
		pr_warn("unknown option '%s', nearest is '%s' (%s); ignored", shown, p->key,
			description(p, false));
	else
		pr_warn("unknown option '%s', KMALLOC_OPTIONS=help lists those there are; ignored",
			shown);
}

static void set_default(unsigned int id)
{
	const struct param *p = &table[id];

	params.given[id] = false;
	if (is_text(p))
		params.start[id] = 0;
	else if (is_number(p))
		parse_size(p->dflt, strlen(p->dflt), &params.number[id]);
	else
		params.choice[id] = (u8)find_choice(p->choices, p->dflt, strlen(p->dflt));
}

static bool keep_text(unsigned int id, const char *value, size_t len)
{
	size_t start = params.start[id];

	if (!start || strlen(texts + start) < len) {
		start = MAX(params.used, 1);
		if (start + len + 1 > TEXT_TOTAL)
			return false;
		params.used = (unsigned short)(start + len + 1);
		params.start[id] = (unsigned short)start;
	}
	memcpy(texts + start, value, len);
	texts[start + len] = '\0';
	return true;
}

static void set_param(unsigned int id, const char *value, size_t len)
{
	const struct param *p = &table[id];
	char shown[KEY_SHOWN];
	int nr;

	params.given[id] = true;
	if (is_text(p)) {
		if (len && len < TEXT_MAX && keep_text(id, value, len))
			return;
	} else if (is_number(p)) {
		if (parse_size(value, len, &params.number[id]))
			return;
	} else {
		nr = len ? find_choice(p->choices, value, len) : -1;
		if (nr >= 0) {
			params.choice[id] = (u8)nr;
			return;
		}
	}
	set_default(id);
	if (is_text(p) && len >= TEXT_MAX) {
		pr_warn("option '%s' has %zu characters, at most %d are taken; using 'nothing'",
			p->key, len, TEXT_MAX - 1);
		return;
	}
	len = MIN(len, sizeof(shown) - 1);
	memcpy(shown, value, len);
	shown[len] = '\0';
	pr_warn("option '%s' has the value '%s', expected %s; using '%s'", p->key, shown,
		description(p, false), p->dflt[0] ? p->dflt : "nothing");
}

static void parse_word(const char *word, size_t len)
{
	size_t key = 0;
	unsigned int i;

	while (key < len && word[key] != '=')
		key++;
	for (i = 0; i < NR_PARAMS; i++) {
		if (strlen(table[i].key) != key || memcmp(table[i].key, word, key))
			continue;
		if (key < len)
			set_param(i, word + key + 1, len - key - 1);
		else if (find_choice(table[i].choices, "1", 1) >= 0)
			set_param(i, "1", 1);
		else
			set_param(i, "", 0);
		return;
	}
	warn_unknown(word, key);
}

void params_init(const char *text)
{
	unsigned int i;
	size_t len;

	params.used = 0;
	for (i = 0; i < NR_PARAMS; i++)
		set_default(i);
	if (!text)
		return;
	for (;;) {
		while (*text == ' ' || *text == '\t' || *text == '\n')
			text++;
		for (len = 0;
		     text[len] && text[len] != ' ' && text[len] != '\t' && text[len] != '\n';)
			len++;
		if (!len)
			return;
		parse_word(text, len);
		text += len;
	}
}

unsigned int param_choice(enum param_id id)
{
	return params.choice[id];
}

const char *param_text(enum param_id id)
{
	return is_text(&table[id]) ? texts + params.start[id] : "";
}

unsigned long param_number(enum param_id id)
{
	return params.number[id];
}

bool param_given(enum param_id id)
{
	return params.given[id];
}

void params_help(void)
{
	unsigned int i;

	pr_cont("KMALLOC_OPTIONS takes key or key=value, separated by blanks:");
	for (i = 0; i < NR_PARAMS; i++)
		pr_cont("  %-18s %s [%s; default %s]", table[i].key, description(&table[i], true),
			description(&table[i], false),
			table[i].dflt[0] ? table[i].dflt : "nothing");
}

size_t params_describe(char *buf, size_t size)
{
	size_t n = 0;
	unsigned int i;

	buf[0] = '\0';
	for (i = 0; i < NR_PARAMS; i++) {
		const struct param *p = &table[i];
		const char *name, *sep = n ? " " : "";
		char value[16];
		size_t len;

		if (is_text(p)) {
			if (params.start[i])
				n += scnprintf(buf + n, size - n, "%s%s=%s", sep, p->key,
					       param_text((enum param_id)i));
			continue;
		}
		if (is_number(p)) {
			unsigned long dflt = 0;

			parse_size(p->dflt, strlen(p->dflt), &dflt);
			if (params.number[i] != dflt)
				n += scnprintf(buf + n, size - n, "%s%s=%lu", sep, p->key,
					       params.number[i]);
			continue;
		}
		len = MIN(choice_name(p->choices, params.choice[i], &name), sizeof(value) - 1);
		memcpy(value, name, len);
		value[len] = '\0';
		if (len != strlen(p->dflt) || memcmp(value, p->dflt, len))
			n += scnprintf(buf + n, size - n, "%s%s=%s", sep, p->key, value);
	}
	return n;
}

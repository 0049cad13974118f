// SPDX-License-Identifier: MIT
/*
 * KMALLOC_GFP: what it says, and what that means for a request. Layer: mm.
 *
 *	text     := block { ";" block }
 *	block    := [ selector { "," selector } ":" ] flags
 *	selector := cache name or pattern | "vmalloc" | "size=" LO [ "-" HI ] | "comm=" pattern
 *		  | "thread=" pattern
 *	flags    := item { "|" item }, where "|" may be left out before + and -
 *	item     := [ "+" | "-" ] ( name | "0x" digits )
 *
 * A block is kept as two masks: it turns flags into (flags & keep) | set. A block without a
 * selector is the base; the others are applied in their order, so later ones win. What comm= says
 * is decided when the text is read: such a block is for every request then, or its selector is
 * gone. All that is here is written once, by mm_init(), and read without a lock.
 */
#include "lib/small.h"
#include "mm/gfp_policy.h"
#include "mm/gfp_names.h"
#include "mm/slab.h"
#include "kernel/printk.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "os/os.h"

#define TEXT_MAX	2048u	/* longest policy, NUL included */
#define MAX_BLOCKS	16u
#define MAX_SELECTORS	64u	/* of all blocks */
#define SHOWN		60u	/* how much of a wrong word is repeated in the warning */

/* What an object is, not how its memory is got: the hit path cannot give it. */
#define GFP_OBJECT_MASK	(__GFP_ZERO | __GFP_DMA | __GFP_ACCOUNT | __GFP_RECLAIMABLE)
/* Flags that mean nothing to malloc, or are kmalloc's mistakes. */
#define GFP_MALLOC_BAD	(__GFP_DMA32 | __GFP_HIGHMEM | __GFP_COMP | __GFP_NO_OBJ_EXT)

enum selector_kind { SELECT_CACHE, SELECT_VMALLOC, SELECT_SIZE, SELECT_THREAD };

struct selector {
	enum selector_kind kind;
	unsigned int len;	/* of the pattern */
	const char *pattern;	/* in policy.text */
	size_t lo, hi;		/* both included */
};

struct block {
	gfp_t keep, set;
	unsigned int first, nr;	/* selectors */
	bool always;		/* for every request of this program */
};

/* A piece of the text. */
struct span {
	const char *p;
	size_t len;
};

static struct {
	unsigned int nr_blocks, nr_selectors;
	struct block block[MAX_BLOCKS];
	struct selector selector[MAX_SELECTORS];
	char text[TEXT_MAX];
} policy;

bool gfp_policy_active;
bool gfp_base_nonblocking;
static gfp_t base_gfp = GFP_MALLOC;

/* ---- words ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct span trim(const char *p, size_t len)
{
	while (len && is_blank(*p)) {
		p++;
		len--;
	}
	while (len && is_blank(p[len - 1]))
		len--;
	return (struct span){ p, len };
}

/* Up to the first c, trimmed; *rest is what follows it, with a NULL pointer where there is no c. */
static struct span cut(struct span text, char c, struct span *rest)
{
	size_t n = 0;

	while (n < text.len && text.p[n] != c)
		n++;
	*rest = n < text.len ? (struct span){ text.p + n + 1, text.len - n - 1 }
			     : (struct span){ NULL, 0 };
	return trim(text.p, n);
}

static const char *shown(char *buf, struct span s)
{
	size_t i, n = MIN(s.len, SHOWN - 1);

	for (i = 0; i < n; i++)
		buf[i] = (char)(s.p[i] >= ' ' && s.p[i] <= '~' ? s.p[i] : '?');
	buf[n] = '\0';
	return buf;
}

/* false, so that callers can return it. */
static bool mistake(struct span block, const char *what, struct span word)
{
	char b[SHOWN], w[SHOWN];

	pr_warn("KMALLOC_GFP: %s '%s' in '%s'; the block is ignored", what, shown(w, word),
		shown(b, block));
	return false;
}

static bool starts_with(struct span s, const char *with)
{
	size_t n = strlen(with);

	return s.len >= n && !memcmp(s.p, with, n);
}

static bool span_is(struct span s, const char *text)
{
	return s.len == strlen(text) && !memcmp(s.p, text, s.len);
}

/* ---- selectors ---- */

/* A pattern is for the name in full, or cut to what the system shows of it. */
static bool program_matches(struct span pattern)
{
	const char *name = os_program_name();
	char comm[OS_THREAD_NAME_SIZE];
	size_t n = MIN(strlen(name), sizeof(comm) - 1);

	memcpy(comm, name, n);
	comm[n] = '\0';
	return text_matches(pattern.p, pattern.len, name) ||
	       text_matches(pattern.p, pattern.len, comm);
}

static bool parse_range(struct span text, struct selector *sel)
{
	struct span rest, lo = cut(text, '-', &rest), hi = trim(rest.p, rest.len);

	if (!parse_size(lo.p, lo.len, &sel->lo))
		return false;
	sel->hi = sel->lo;
	if (rest.p && !parse_size(hi.p, hi.len, &sel->hi))
		return false;
	return sel->lo <= sel->hi;
}

static bool has_equals(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.p[i] == '=')
			return true;
	return false;
}

static bool parse_selector(struct span text, struct span block, struct block *b)
{
	struct selector sel = { .kind = SELECT_CACHE, .pattern = text.p,
				.len = (unsigned int)text.len };

	if (!text.len)
		return mistake(block, "expected a selector, not", text);
	if (starts_with(text, "comm=") && text.len > 5) {
		b->always |= program_matches((struct span){ text.p + 5, text.len - 5 });
		return true;
	}
	if (starts_with(text, "size=")) {
		sel.kind = SELECT_SIZE;
		if (!parse_range((struct span){ text.p + 5, text.len - 5 }, &sel))
			return mistake(block, "expected size=LO-HI, not", text);
	} else if (starts_with(text, "thread=") && text.len > 7) {
		sel.kind = SELECT_THREAD;
		sel.pattern += 7;
		sel.len -= 7;
	} else if (span_is(text, "vmalloc")) {
		sel.kind = SELECT_VMALLOC;
	} else if (has_equals(text)) {
		return mistake(block, "expected size=, comm= or thread=, not", text);
	}
	if (policy.nr_selectors == MAX_SELECTORS)
		return mistake(block, "more than 64 selectors, at", text);
	policy.selector[policy.nr_selectors++] = sel;
	return true;
}

static bool parse_selectors(struct span text, struct span block, struct block *b)
{
	struct span rest;

	b->first = policy.nr_selectors;
	do {
		if (!parse_selector(cut(text, ',', &rest), block, b)) {
			policy.nr_selectors = b->first;
			return false;
		}
		text = rest;
	} while (text.p);
	b->nr = policy.nr_selectors - b->first;
	return true;
}

/* ---- flags ---- */

struct flag_list {
	bool whole;	/* a GFP_ name or a number is among the plain items */
	gfp_t plain, add, remove;
};

static bool parse_hex(struct span s, gfp_t *value)
{
	size_t i;

	*value = 0;
	if (s.len < 3 || s.len > 10)
		return false;
	for (i = 2; i < s.len; i++) {
		char c = s.p[i];

		if (c >= '0' && c <= '9')
			*value = *value << 4 | (gfp_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			*value = *value << 4 | (gfp_t)((c | 0x20) - 'a' + 10);
		else
			return false;
	}
	return true;
}

static bool parse_item(struct span word, char sign, struct span block, struct flag_list *list)
{
	char b[SHOWN], w[SHOWN];
	const struct gfp_name *name = gfp_name_find(word.p, word.len);
	bool whole = !name || name->kind == GFP_NAME_WHOLE;
	gfp_t set = name ? name->flags : 0;

	if (!name && (starts_with(word, "0x") || starts_with(word, "0X"))) {
		if (!parse_hex(word, &set))
			return mistake(block, "expected a hexadecimal number, not", word);
	} else if (!name) {
		pr_warn("KMALLOC_GFP: unknown flag '%s' in '%s', nearest is '%s'; the block is ignored",
			shown(w, word), shown(b, block), gfp_name_nearest(word.p, word.len));
		return false;
	}
	if (sign == '-') {
		gfp_t clear = name ? name->cleared : set;

		list->remove |= clear;
		list->add &= ~clear;
	} else if (sign == '+') {
		list->add |= set;
		list->remove &= ~set;
	} else {
		list->plain |= set;
		list->whole |= whole;
	}
	return true;
}

static bool is_separator(char c)
{
	return c == '|' || c == '+' || c == '-' || is_blank(c);
}

static bool parse_flags(struct span text, struct span block, struct flag_list *list)
{
	size_t i = 0, start;

	*list = (struct flag_list){ 0 };
	for (;;) {
		char sign = ' ';

		while (i < text.len && is_blank(text.p[i]))
			i++;
		if (i < text.len && (text.p[i] == '+' || text.p[i] == '-'))
			sign = text.p[i++];
		while (i < text.len && is_blank(text.p[i]))
			i++;
		for (start = i; i < text.len && !is_separator(text.p[i]);)
			i++;
		if (start == i)
			return mistake(block, "expected a flag, not",
				       (struct span){ text.p + i, text.len - i });
		if (!parse_item((struct span){ text.p + start, i - start }, sign, block, list))
			return false;
		while (i < text.len && is_blank(text.p[i]))
			i++;
		if (i == text.len)
			return true;
		if (text.p[i] == '|')
			i++;
		else if (!is_separator(text.p[i]))
			return mistake(block, "expected '|' before",
				       (struct span){ text.p + i, text.len - i });
	}
}

/* A line for each flag that is not for malloc; the rest. */
static gfp_t fix_flags(gfp_t gfp, struct span block)
{
	gfp_t known = 0, bad, bit;
	char b[SHOWN], name[SHOWN];
	unsigned int i;

	for (i = 0; gfp_name_at(i); i++)
		known |= gfp_name_at(i)->flags;
	if (gfp & ~known) {
		pr_warn("KMALLOC_GFP: unknown bits 0x%x in '%s'; they are dropped", gfp & ~known,
			shown(b, block));
		gfp &= known;
	}
	for (bad = gfp & GFP_MALLOC_BAD; bad; bad &= bad - 1) {
		bit = bad & (0 - bad);
		gfp_format(name, sizeof(name), bit);
		pr_warn("KMALLOC_GFP: %s in '%s' is not for malloc; it is dropped", name,
			shown(b, block));
	}
	return gfp & ~GFP_MALLOC_BAD;
}

static void set_masks(struct block *b, const struct flag_list *list, struct span block)
{
	b->keep = ~list->remove & ~(list->whole ? GFP_RECLAIM_MASK : 0);
	b->set = fix_flags((list->plain & ~list->remove) | list->add, block);
}

/* ---- the whole ---- */

static gfp_t apply(const struct block *b, gfp_t gfp)
{
	return (gfp & b->keep) | b->set;
}

/* The last colon: names of programs and threads may have one, flags have none. */
static size_t find_colon(struct span s)
{
	size_t i = s.len;

	while (i)
		if (s.p[--i] == ':')
			return i;
	return s.len;
}

/* The base is the first block without a selector, wherever it stands. */
static void parse_block(struct span text, bool *have_base)
{
	struct block *b = &policy.block[policy.nr_blocks];
	size_t colon = find_colon(text);
	struct flag_list list;

	*b = (struct block){ 0 };
	if (colon == text.len) {
		if (*have_base) {
			mistake(text, "expected SELECTOR:FLAGS, not", text);
			return;
		}
		*have_base = true;
		if (parse_flags(text, text, &list)) {
			set_masks(b, &list, text);
			base_gfp = apply(b, base_gfp) | __GFP_MALLOC;
		}
		return;
	}
	if (!parse_selectors(trim(text.p, colon), text, b))
		return;
	if (!parse_flags(trim(text.p + colon + 1, text.len - colon - 1), text, &list)) {
		policy.nr_selectors = b->first;
		return;
	}
	set_masks(b, &list, text);
	if (b->always || b->nr)
		policy.nr_blocks++;
}

static void parse_blocks(struct span text)
{
	bool have_base = false;
	unsigned int nr = 0;
	char b[SHOWN];
	struct span rest;

	do {
		struct span block = cut(text, ';', &rest);

		text = rest;
		if (!block.len)
			continue;
		if (nr++ == MAX_BLOCKS) {
			pr_warn("KMALLOC_GFP has more than %u blocks; '%s' and what follows is ignored",
				MAX_BLOCKS, shown(b, block));
			return;
		}
		parse_block(block, &have_base);
	} while (text.p);
}

/* What holds for requests that no selector names. */
static gfp_t base_flags(void)
{
	gfp_t gfp = base_gfp;
	unsigned int i;

	for (i = 0; i < policy.nr_blocks; i++)
		if (policy.block[i].always)
			gfp = apply(&policy.block[i], gfp);
	return gfp;
}

void gfp_policy_init(const char *text)
{
	size_t len;

	policy.nr_blocks = 0;
	policy.nr_selectors = 0;
	base_gfp = GFP_MALLOC;
	len = text ? strlen(text) : 0;
	if (len >= TEXT_MAX) {
		pr_warn("KMALLOC_GFP has %zu characters, at most %u are taken; it is ignored", len,
			TEXT_MAX - 1);
		len = 0;
	}
	/* The program may write over its environment. */
	if (len) {
		memcpy(policy.text, text, len);
		parse_blocks((struct span){ policy.text, len });
	}
	gfp_base_nonblocking = !(base_flags() & __GFP_DIRECT_RECLAIM);
	gfp_policy_active = policy.nr_blocks || base_gfp != GFP_MALLOC;
}

void gfp_policy_show(void)
{
	unsigned int i, nr = 0;
	char flags[200];

	if (!gfp_policy_active)
		return;
	for (i = 0; i < policy.nr_blocks; i++)
		nr += !policy.block[i].always;
	gfp_format(flags, sizeof(flags), base_flags());
	pr_info("KMALLOC_GFP: malloc is %s, blocks with a selector: %u", flags, nr);
}

void gfp_policy_check_names(void)
{
	char w[SHOWN];
	unsigned int i, j;

	for (i = 0; i < policy.nr_selectors; i++) {
		const struct selector *sel = &policy.selector[i];

		if (sel->kind != SELECT_CACHE)
			continue;
		for (j = 1; j <= nr_kmalloc_caches; j++)
			if (text_matches(sel->pattern, sel->len, kmalloc_caches[j].name))
				break;
		if (j > nr_kmalloc_caches)
			pr_warn("KMALLOC_GFP: malloc has no slab cache '%s'",
				shown(w, (struct span){ sel->pattern, sel->len }));
	}
}

/* ---- asking ---- */

enum match { MATCH_NONE, MATCH_SOME, MATCH_ALL };

/* Of the requests of lo to hi bytes from a cache, in any thread (thread NULL) or in that one. */
static enum match selector_match(const struct selector *sel, const char *cache_name, size_t lo,
				 size_t hi, const char *thread)
{
	bool match;

	switch (sel->kind) {
	case SELECT_CACHE:
		match = cache_name && text_matches(sel->pattern, sel->len, cache_name);
		break;
	case SELECT_VMALLOC:
		match = !cache_name;
		break;
	case SELECT_SIZE:
		if (sel->hi < lo || sel->lo > hi)
			return MATCH_NONE;
		return sel->lo <= lo && hi <= sel->hi ? MATCH_ALL : MATCH_SOME;
	default:
		if (!thread)
			return MATCH_SOME;
		match = text_matches(sel->pattern, sel->len, thread);
	}
	return match ? MATCH_ALL : MATCH_NONE;
}

gfp_t gfp_policy(const char *cache_name, size_t size)
{
	char thread[OS_THREAD_NAME_SIZE] = "";
	bool have_thread = false;
	gfp_t gfp = base_gfp;
	unsigned int i, j;

	for (i = 0; i < policy.nr_blocks; i++) {
		const struct block *b = &policy.block[i];
		bool match = b->always;

		for (j = b->first; j < b->first + b->nr && !match; j++) {
			const struct selector *sel = &policy.selector[j];

			if (sel->kind == SELECT_THREAD && !have_thread) {
				os_thread_name(thread);
				have_thread = true;
			}
			match = selector_match(sel, cache_name, size, size, thread) == MATCH_ALL;
		}
		if (match)
			gfp = apply(b, gfp);
	}
	return gfp | __GFP_MALLOC;
}

bool gfp_policy_per_object(const char *cache_name, size_t lo, size_t hi)
{
	gfp_t gfp = base_gfp;
	unsigned int i, j;

	for (i = 0; i < policy.nr_blocks; i++) {
		const struct block *b = &policy.block[i];
		enum match match = b->always ? MATCH_ALL : MATCH_NONE;

		for (j = b->first; j < b->first + b->nr; j++) {
			enum match m = selector_match(&policy.selector[j], cache_name, lo, hi, NULL);

			match = MAX(match, m);
		}
		if (match == MATCH_SOME)
			return true;
		if (match == MATCH_ALL)
			gfp = apply(b, gfp);
	}
	return gfp & GFP_OBJECT_MASK;
}

// SPDX-License-Identifier: MIT
/*
 * The table of GFP names, and masks as text. Layer: mm.
 *
 * A mask is printed with the first names of the table that fit into what is left of it, so the
 * larger compositions come first.
 */
#include "lib/small.h"
#include "mm/gfp_names.h"
#include "mm/gfp_policy.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "os/os.h"

#define WHOLE(name)	{ #name, GFP_NAME_WHOLE, true, name, name }
#define PART(name)	{ #name, GFP_NAME_PART, true, name, name }
#define ALIAS_WHOLE(name) { #name, GFP_NAME_WHOLE, false, name, name }
#define ALIAS_PART(name) { #name, GFP_NAME_PART, false, name, name }

static const struct gfp_name names[] = {
	WHOLE(GFP_TRANSHUGE),
	WHOLE(GFP_TRANSHUGE_LIGHT),
	WHOLE(GFP_HIGHUSER_MOVABLE),
	WHOLE(GFP_HIGHUSER),
	WHOLE(GFP_USER),
	WHOLE(GFP_KERNEL_ACCOUNT),
	WHOLE(GFP_KERNEL),
	WHOLE(GFP_NOFS),
	WHOLE(GFP_ATOMIC),
	WHOLE(GFP_NOIO),
	WHOLE(GFP_NOWAIT),
	PART(GFP_DMA),
	PART(GFP_DMA32),
	PART(__GFP_HIGHMEM),
	PART(__GFP_MOVABLE),
	PART(__GFP_RECLAIMABLE),
	PART(__GFP_HIGH),
	PART(__GFP_IO),
	PART(__GFP_FS),
	PART(__GFP_ZERO),
	PART(__GFP_DIRECT_RECLAIM),
	PART(__GFP_KSWAPD_RECLAIM),
	PART(__GFP_WRITE),
	PART(__GFP_NOWARN),
	PART(__GFP_RETRY_MAYFAIL),
	PART(__GFP_NOFAIL),
	PART(__GFP_NORETRY),
	PART(__GFP_MEMALLOC),
	PART(__GFP_COMP),
	PART(__GFP_NOMEMALLOC),
	PART(__GFP_HARDWALL),
	PART(__GFP_THISNODE),
	PART(__GFP_ACCOUNT),
	PART(__GFP_ZEROTAGS),
	PART(__GFP_NO_OBJ_EXT),

	/* Other names of today. */
	ALIAS_PART(__GFP_DMA),
	ALIAS_PART(__GFP_DMA32),
	ALIAS_PART(__GFP_RECLAIM),
	ALIAS_WHOLE(GFP_ATOMIC_RT),
	ALIAS_PART(__GFP_SKIP_ZERO),
	ALIAS_PART(__GFP_SKIP_KASAN),
	ALIAS_PART(__GFP_NOLOCKDEP),

	/* Names of older kernels. Who cleared __GFP_WAIT meant: do not sleep. */
	{ "__GFP_WAIT", GFP_NAME_PART, false, __GFP_WAIT, __GFP_DIRECT_RECLAIM },
	ALIAS_PART(__GFP_REPEAT),
	ALIAS_PART(__GFP_COLD),
	ALIAS_PART(__GFP_NO_GROW),
	ALIAS_PART(__GFP_NOTRACK),
	ALIAS_PART(__GFP_OTHER_NODE),
	ALIAS_PART(__GFP_ATOMIC),
	ALIAS_PART(GFP_IOFS),
	ALIAS_PART(GFP_THISNODE),
	ALIAS_WHOLE(GFP_TEMPORARY),
	ALIAS_WHOLE(GFP_NOFS_PAGECACHE),
	ALIAS_WHOLE(GFP_USER_PAGECACHE),
	ALIAS_WHOLE(GFP_HIGHUSER_PAGECACHE),
};

const struct gfp_name *gfp_name_at(unsigned int n)
{
	return n < ARRAY_SIZE(names) ? &names[n] : NULL;
}

const struct gfp_name *gfp_name_find(const char *word, size_t len)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i].name) == len && !memcmp(names[i].name, word, len))
			return &names[i];
	return NULL;
}

/* The length of "__GFP_" or "GFP_" in front. */
static size_t prefix_len(const char *name, size_t len)
{
	if (len >= 6 && !memcmp(name, "__GFP_", 6))
		return 6;
	return len >= 4 && !memcmp(name, "GFP_", 4) ? 4 : 0;
}

const char *gfp_name_nearest(const char *word, size_t len)
{
	unsigned int i, d, best_d = UINT_MAX;
	char upper[TEXT_DISTANCE_MAX] = "";
	const char *best = NULL;
	size_t prefix, p;

	len = MIN(len, sizeof(upper));
	for (i = 0; i < len; i++)
		upper[i] = (char)(word[i] >= 'a' && word[i] <= 'z' ? word[i] - 32 : word[i]);
	prefix = prefix_len(upper, len);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		p = prefix_len(names[i].name, strlen(names[i].name));
		d = 2 * text_distance(names[i].name + p, upper + prefix, len - prefix);
		d += p != prefix;
		if (d < best_d) {
			best_d = d;
			best = names[i].name;
		}
	}
	return best;
}

size_t gfp_format(char *buf, size_t size, gfp_t gfp)
{
	const char *sep = "";
	unsigned int i;
	size_t n = 0;

	gfp &= ~(__GFP_MALLOC | __GFP_NATURAL | __GFP_GROWS);
	if (!gfp)
		return scnprintf(buf, size, "none");
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!names[i].printed || (gfp & names[i].flags) != names[i].flags)
			continue;
		n += scnprintf(buf + n, size - n, "%s%s", sep, names[i].name);
		gfp &= ~names[i].flags;
		sep = "|";
	}
	if (gfp)
		n += scnprintf(buf + n, size - n, "%s0x%x", sep, gfp);
	return n;
}

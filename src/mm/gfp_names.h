/* SPDX-License-Identifier: MIT */
/* The names of GFP flags, today's and those of older kernels. Layer: mm. Constant. */
#ifndef KM_MM_GFP_NAMES_H
#define KM_MM_GFP_NAMES_H

#include "mm/gfp.h"

enum gfp_kind {
	GFP_NAME_WHOLE,		/* says all about how memory may be got: GFP_KERNEL */
	GFP_NAME_PART,		/* bits to be added to such a one: GFP_DMA, __GFP_ZERO */
};

struct gfp_name {
	char name[26];
	u8 kind;		/* enum gfp_kind */
	bool printed;		/* masks are printed with it; else an alias or an old name */
	gfp_t flags;
	gfp_t cleared;		/* what taking the name away clears */
};

/* The nth of the table; NULL behind the last one. */
const struct gfp_name *gfp_name_at(unsigned int n) __km(gfp_name_at);
const struct gfp_name *gfp_name_find(const char *word, size_t len) __km(gfp_name_find);
/* The name that a wrong word is most like; the case and the prefix count little. */
const char *gfp_name_nearest(const char *word, size_t len) __km(gfp_name_nearest);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * KMALLOC_OPTIONS: the command line of this kernel. Layer: kernel. Read-only after
 * params_init().
 */
#ifndef KM_KERNEL_PARAMS_H
#define KM_KERNEL_PARAMS_H

#include "lib/types.h"

enum param_id {
#define PARAM(id, key, choices, dflt, range, help) PARAM_##id,
#include "kernel/params.def"
#undef PARAM
	NR_PARAMS
};

enum { SIZES_DEFAULT, SIZES_CLASSIC };
enum { PURGE_AUTO, PURGE_NEVER, PURGE_ALWAYS };
enum { THP_NEVER, THP_MADVISE, THP_ALWAYS };
enum { OOM_NULL, OOM_REPORT, OOM_ABORT };
enum { NOFAIL_WAIT, NOFAIL_ABORT };
enum { DMA_MAP, DMA_STRICT };

/*
 * Parses text (NULL: nothing given); one warning line for each mistake, whose key keeps its
 * default.
 */
void params_init(const char *text) __km(params_init);
/* Number of the chosen value, in the order of params.def. */
unsigned int param_choice(enum param_id id) __km(param_choice);
/* Value of a free-text option; "" if not given. */
const char *param_text(enum param_id id) __km(param_text);
/* Value of a numeric option. */
unsigned long param_number(enum param_id id) __km(param_number);
/* A value that was understood was given, be it the default. */
bool param_given(enum param_id id) __km(param_given);
/* Any of these, which follow each other in params.def. */
static inline bool params_given(enum param_id first, enum param_id last)
{
	unsigned int i;

	for (i = first; i <= last; i++)
		if (param_given((enum param_id)i))
			return true;
	return false;
}
/* Y|N options */
static inline bool param_yes(enum param_id id)
{
	return param_choice(id) & 1;
}
void params_help(void) __km(params_help);
/* "key=value key=value" of what differs from the default. */
size_t params_describe(char *buf, size_t size) __km(params_describe);

#endif

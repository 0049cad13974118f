/* SPDX-License-Identifier: MIT */
/*
 * KMALLOC_OPTIONS: the command line of this kernel. Layer: kernel. Read-only after
 * params_init().
 */
#ifndef KM_KERNEL_PARAMS_H
#define KM_KERNEL_PARAMS_H

#include "lib/types.h"

enum param_id {
#define PARAM(key, choices, dflt, range, help) PARAM_##key,
#include "kernel/params.def"
#undef PARAM
	NR_PARAMS
};

enum { SIZES_DEFAULT, SIZES_CLASSIC };
enum { PURGE_AUTO, PURGE_NEVER, PURGE_ALWAYS };

/*
 * Parses text (NULL: nothing given); one warning line for each mistake, whose key keeps its
 * default.
 */
void params_init(const char *text) __km(params_init);
/* Number of the chosen value, in the order of params.def. */
unsigned int param_choice(enum param_id id) __km(param_choice);
/* Value of a free-text option; "" if not given. */
const char *param_text(enum param_id id) __km(param_text);
void params_help(void) __km(params_help);
/* "key=value key=value" of what differs from the default. */
size_t params_describe(char *buf, size_t size) __km(params_describe);

#endif

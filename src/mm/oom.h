/* SPDX-License-Identifier: MIT */
/* What is said of requests that fail. Layer: mm. Callers are outside the allocator. */
#ifndef KM_MM_OOM_H
#define KM_MM_OOM_H

#include "mm/gfp.h"

/* The kernel's line about a request that failed, at most one in ten seconds. */
void warn_alloc(const struct alloc_context *ac, const char *message) __km(warn_alloc);
/* oom=: nothing, a report, or a report and abort(). size in bytes, of the request. */
void oom_policy(const struct alloc_context *ac, size_t size) __km(oom_policy);
/* A __GFP_NOFAIL request has waited so long. */
void warn_nofail(const struct alloc_context *ac, unsigned long ms) __km(warn_nofail);

#endif

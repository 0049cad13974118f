// SPDX-License-Identifier: MIT
#include "mm/fault_inject.h"
#include "mm/gfp_policy.h"
__weak bool gfp_policy_active, gfp_base_nonblocking;
__weak gfp_t gfp_policy(const char *n, size_t s) { (void)n; (void)s; return GFP_MALLOC; }
__weak bool gfp_policy_per_object(const char *n, size_t lo, size_t hi) { (void)n; (void)lo; (void)hi; return false; }
__weak _Atomic bool fault_slab_active, fault_page_active;
__weak bool should_failslab(size_t o, gfp_t g, bool m) { (void)o; (void)g; (void)m; return false; }
__weak bool fault_cache_is_marked(const char *n) { (void)n; return false; }

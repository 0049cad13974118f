/* SPDX-License-Identifier: MIT */
/* Which copy of the library runs. Layer: mm. No lock, no state. */
#ifndef KM_MM_VERSION_H
#define KM_MM_VERSION_H

#include "lib/compiler.h"

/* What kmalloc_version() of this copy returns; that of another copy has its own. */
extern const char own_version[] __km(own_version);

#endif

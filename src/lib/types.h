/* SPDX-License-Identifier: MIT */
/* The kernel's integer names and gfp_t, for src/ alone. Layer: lib. */
#ifndef KM_LIB_TYPES_H
#define KM_LIB_TYPES_H

#include "lib/compiler.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

#endif

/* SPDX-License-Identifier: MIT */
/* Arithmetic that says when it did not fit. Layer: lib. */
#ifndef KM_LIB_OVERFLOW_H
#define KM_LIB_OVERFLOW_H

#include "lib/compiler.h"

#define check_mul_overflow(a, b, d)	__builtin_mul_overflow(a, b, d)
#define check_add_overflow(a, b, d)	__builtin_add_overflow(a, b, d)

#endif

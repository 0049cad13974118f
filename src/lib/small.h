/* SPDX-License-Identifier: MIT */
/*
 * Included first by a file that no program's speed depends on: it is made small, because every
 * program that preloads the library has all of its text resident. Layer: lib.
 */
#ifndef KM_LIB_SMALL_H
#define KM_LIB_SMALL_H

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("Os")
#endif

#endif

/* SPDX-License-Identifier: MIT */
#ifndef BENCH_MICRO_H
#define BENCH_MICRO_H
#include "common.h"
#endif

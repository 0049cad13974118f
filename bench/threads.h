/* SPDX-License-Identifier: MIT */
#ifndef BENCH_THREADS_H
#define BENCH_THREADS_H
#include "common.h"
#endif

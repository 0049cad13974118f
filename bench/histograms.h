/* SPDX-License-Identifier: MIT */
#ifndef BENCH_HISTOGRAMS_H
#define BENCH_HISTOGRAMS_H
#endif

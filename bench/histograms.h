/* SPDX-License-Identifier: MIT */
/*
 * histograms.h - how often programs ask for which size: PLACEHOLDER
 *
 * These figures are made up, of a plausible shape; bench/histogram replaces the
 * file with what was counted in real traces.
 */
#ifndef BENCH_HISTOGRAMS_H
#define BENCH_HISTOGRAMS_H

#include <stdint.h>

#define NR_SIZE_HISTOGRAMS 5

struct size_bin {
	uint32_t size;
	uint32_t weight;
};

struct size_histogram {
	const char *name;
	unsigned int nr;
	const struct size_bin *bin;
};

static const struct size_bin compiler_bins[] = {
	{ 16, 900 }, { 24, 1200 }, { 32, 1500 }, { 40, 800 }, { 48, 700 }, { 64, 600 },
	{ 96, 300 }, { 128, 250 }, { 200, 120 }, { 512, 60 }, { 1024, 40 }, { 4064, 30 },
	{ 16384, 5 }, { 65536, 2 }, { 262144, 1 },
};

static const struct size_bin interpreter_bins[] = {
	{ 9, 60 }, { 16, 200 }, { 34, 500 }, { 50, 900 }, { 56, 1100 }, { 64, 800 },
	{ 72, 500 }, { 120, 200 }, { 232, 150 }, { 360, 80 }, { 576, 60 }, { 1024, 20 },
	{ 1184, 12 }, { 8192, 4 }, { 262144, 1 },
};

static const struct size_bin database_bins[] = {
	{ 8, 300 }, { 24, 400 }, { 48, 500 }, { 80, 450 }, { 128, 400 }, { 256, 250 },
	{ 600, 150 }, { 1200, 180 }, { 4368, 300 }, { 8192, 20 }, { 65536, 3 },
};

static const struct size_bin server_bins[] = {
	{ 11, 900 }, { 16, 1500 }, { 21, 700 }, { 32, 600 }, { 64, 300 }, { 128, 120 },
	{ 512, 80 }, { 1024, 40 }, { 5120, 20 }, { 16392, 25 }, { 20488, 10 }, { 131072, 1 },
};

static const struct size_bin xml_bins[] = {
	{ 8, 500 }, { 12, 600 }, { 20, 500 }, { 32, 400 }, { 60, 300 }, { 96, 700 },
	{ 120, 900 }, { 200, 60 }, { 1000, 20 }, { 4010, 15 }, { 32768, 2 },
};

#define SIZE_HISTOGRAM(program)						\
	{ #program, sizeof(program##_bins) / sizeof(program##_bins[0]), program##_bins }

static const struct size_histogram size_histograms[NR_SIZE_HISTOGRAMS] = {
	SIZE_HISTOGRAM(compiler), SIZE_HISTOGRAM(interpreter), SIZE_HISTOGRAM(database),
	SIZE_HISTOGRAM(server), SIZE_HISTOGRAM(xml),
};

#endif

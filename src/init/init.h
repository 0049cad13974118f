/* SPDX-License-Identifier: MIT */
/* Start-up, end, fork. Layer: init. */
#ifndef KM_INIT_INIT_H
#define KM_INIT_INIT_H

#include "lib/types.h"

/*
 * Registers fork handlers and the thread-exit key, prints what options ask for. Once; from the
 * constructor.
 */
void start_kernel(void) __km(start_kernel);
void fork_init(void) __km(fork_init);
void fork_prepare(void) __km(fork_prepare);
void fork_parent(void) __km(fork_parent);
void fork_child(void) __km(fork_child);

#endif

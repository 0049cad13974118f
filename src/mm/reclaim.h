/* SPDX-License-Identifier: MIT */
/* Getting memory back from where it is cached. Layer: mm. */
#ifndef KM_MM_RECLAIM_H
#define KM_MM_RECLAIM_H

#include "mm/pcpu.h"

/*
 * The system gave nothing: flush sheaves and barns, release empty slabs, unmap what is free.
 * The busy mark is set; c is the caller's slot (its lock not held) or NULL. True if something
 * came free.
 */
bool reclaim_memory(struct pcpu *c) __km(reclaim_memory);
/* Bytes that reclaim could yield at the very most: a larger request is hopeless. */
size_t reclaimable_memory(void) __km(reclaimable_memory);
/* Objects that others freed go home, so that counts are exact; tries every slot. */
void settle_memory(void) __km(settle_memory);
/*
 * malloc_trim: everything that holds no live object goes back to the system. Any thread; bytes
 * given back.
 */
size_t trim_memory(void) __km(trim_memory);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Ordered lists of callbacks that are called without a lock, and whose removal waits for the calls
 * under way. Layer: mm.
 *
 * hook_next() counts a call in `users` and notes thread and hook in a table, so that the removal
 * knows a caller that is itself, one whose thread was cancelled in the callback, and those that a
 * fork child does not have. A hook that is being removed (HOOK_DYING) gets no new calls; it stays
 * linked until its last call has returned, so a walk can always go on from it.
 * The lock guards the links alone. Each change is one store, so a child can free a lock whose
 * holder it does not have.
 */
#ifndef KM_MM_HOOKS_H
#define KM_MM_HOOKS_H

#include "kernel/spinlock.h"

#define HOOK_DYING	(1ul << 63)

struct hook {
	struct hook *next;		/* lock */
	void *object;			/* whose callbacks */
	int priority;			/* higher first, equal ones in the order they came */
	_Atomic unsigned long users;	/* calls under way, HOOK_DYING */
};

struct hook_list {
	spinlock_t lock;
	struct hook *_Atomic first;	/* changed under lock */
};

/* A walk of a list, zero at first. */
struct hook_call {
	struct hook *hook;
	unsigned int entry;	/* of the table of calls, from 1; 0: the table was full */
};

enum hook_end {
	HOOK_GONE,	/* unlinked: its memory may go */
	HOOK_LEFT,	/* never called again, but the lock is lost: its memory must stay */
	HOOK_BUSY,	/* the calling thread is in its callback: nothing was done */
};

/* False: the lock is lost, nothing was done. */
bool hook_add(struct hook_list *list, struct hook *h) __km(hook_add);
/* Waits for calls in other threads. Of two removals at once the second returns HOOK_LEFT. */
enum hook_end hook_remove(struct hook_list *list, struct hook *h) __km(hook_remove);
/* Ends the call of call->hook if there is one; the next to be called, or NULL. */
struct hook *hook_next(struct hook_list *list, struct hook_call *call) __km(hook_next);
/* Ends the walk early. */
void hook_stop(struct hook_call *call) __km(hook_stop);
/* The hook of object that is listed and not dying, or NULL. */
struct hook *hook_find(struct hook_list *list, const void *object) __km(hook_find);
/* In a fork child, whose only thread calls it: the others' calls have ended. */
void hooks_fork_child(struct hook_list *list) __km(hooks_fork_child);

#endif

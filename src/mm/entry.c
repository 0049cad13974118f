// SPDX-License-Identifier: MIT
/* Into the allocator on a slow path, and out of it. Layer: mm. */
#include "mm/entry.h"

#define EARLY_FREES	16u	/* a thread's frees before it gets a slot for them */

static void slow_enter(struct slow_entry *e, struct pcpu *c)
{
	if (unlikely(!atomic_load_explicit(&mm_ready, memory_order_acquire)))
		mm_init();
	e->leave_as = c;
	e->started = false;
	e->nested = c == &busy_cpu;
	e->cpu = NULL;
	if (e->nested) {
		e->task_flags = task_flags;
		return;
	}
	fork_check();
	if (unlikely(own_cpu && c != own_cpu))
		/* a handler took it between our load and store of this_cpu */
		e->leave_as = c = own_cpu;
	if (c != &empty_cpu && unlikely(READ_ONCE(c->home->lock.lost))) {
		cpu_abandon(c);
		e->leave_as = c = &empty_cpu;
	}
	if (c != &empty_cpu)
		e->cpu = c;
}

/* A slot for a thread that has none. */
static void slow_acquire(struct slow_entry *e)
{
	struct pcpu *c = cpu_acquire();

	if (!c)
		return;
	e->cpu = e->leave_as = c;
	e->started = true;
}

void slow_enter_alloc(struct slow_entry *e, struct pcpu *c)
{
	slow_enter(e, c);
	if (!e->cpu && !e->nested)
		slow_acquire(e);
}

/*
 * A thread whose first call is a free gets no slot for a few of them: at its end libc frees
 * what it had made for the thread, after all destructors, and nobody would hear of that slot
 * again.
 */
void slow_enter_free(struct slow_entry *e, struct pcpu *c)
{
	slow_enter(e, c);
	if (!e->cpu && !e->nested && early_frees++ >= EARLY_FREES)
		slow_acquire(e);
}

void slow_leave(struct slow_entry *e)
{
	if (unlikely(e->nested))
		task_flags = (task_flags & ~PF_KM_MASK) | (e->task_flags & PF_KM_MASK);
	cpu_leave(e->leave_as);
	if (unlikely(e->started))
		cpu_thread_started();
}

void slow_pause(struct slow_entry *e)
{
	slow_leave(e);
	e->started = false;
}

void slow_resume(struct slow_entry *e)
{
	slow_enter_alloc(e, cpu_enter());
}

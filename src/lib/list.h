/* SPDX-License-Identifier: MIT */
/*
 * Circular doubly linked lists with the kernel's names, and a lock-free push-only list. Layer: lib.
 * A node that is on no list points to itself (list_del_init) or was never initialised.
 */
#ifndef KM_LIB_LIST_H
#define KM_LIB_LIST_H

#include "lib/compiler.h"

struct list_head {
	struct list_head *next, *prev;
};

static inline void INIT_LIST_HEAD(struct list_head *h)
{
	h->next = h;
	h->prev = h;
}

static inline bool list_empty(const struct list_head *h)
{
	return h->next == h;
}

static inline void __list_add(struct list_head *n, struct list_head *prev, struct list_head *next)
{
	next->prev = n;
	n->next = next;
	n->prev = prev;
	prev->next = n;
}

/* first in line */
static inline void list_add(struct list_head *n, struct list_head *h)
{
	__list_add(n, h, h->next);
}

/* last in line */
static inline void list_add_tail(struct list_head *n, struct list_head *h)
{
	__list_add(n, h->prev, h);
}

static inline void list_del(struct list_head *n)
{
	n->next->prev = n->prev;
	n->prev->next = n->next;
}

static inline void list_del_init(struct list_head *n)
{
	list_del(n);
	INIT_LIST_HEAD(n);
}

static inline void list_move_tail(struct list_head *n, struct list_head *h)
{
	list_del(n);
	list_add_tail(n, h);
}

/* Moves all of list to the front of h and leaves list empty. */
static inline void list_splice_init(struct list_head *list, struct list_head *h)
{
	if (list_empty(list))
		return;
	list->next->prev = h;
	list->prev->next = h->next;
	h->next->prev = list->prev;
	h->next = list->next;
	INIT_LIST_HEAD(list);
}

#define list_entry(ptr, type, member)	container_of(ptr, type, member)
#define list_first_entry(h, type, member) list_entry((h)->next, type, member)
#define list_last_entry(h, type, member) list_entry((h)->prev, type, member)
/* By byte arithmetic: there is no entry around the head, so no member of one may be named. */
#define list_link(pos, member) \
	((struct list_head *)(void *)((char *)(pos) + offsetof(__typeof__(*(pos)), member)))
#define list_for_each_entry(pos, h, member) \
	for (pos = list_first_entry(h, __typeof__(*pos), member); list_link(pos, member) != (h); \
	     pos = list_entry(list_link(pos, member)->next, __typeof__(*pos), member))
#define list_for_each_entry_safe(pos, n, h, member) \
	for (pos = list_first_entry(h, __typeof__(*pos), member), \
	     n = list_entry(list_link(pos, member)->next, __typeof__(*pos), member); \
	     list_link(pos, member) != (h); \
	     pos = n, n = list_entry(list_link(n, member)->next, __typeof__(*n), member))

/* A stack that any thread and any signal handler may push on; one taker takes all of it. */
struct llist_node {
	struct llist_node *next;
};

struct llist_head {
	_Atomic(struct llist_node *) first;
};

static inline void llist_add(struct llist_node *n, struct llist_head *h)
{
	struct llist_node *first = atomic_load_explicit(&h->first, memory_order_relaxed);

	do {
		n->next = first;
	/* pairs: llist_del_all */
	} while (!atomic_compare_exchange_weak_explicit(&h->first, &first, n, memory_order_release,
							memory_order_relaxed));
}

static inline struct llist_node *llist_del_all(struct llist_head *h)
{
	if (!atomic_load_explicit(&h->first, memory_order_relaxed))
		return NULL;
	return atomic_exchange_explicit(&h->first, NULL, memory_order_acquire);
}

#endif

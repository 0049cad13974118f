// SPDX-License-Identifier: MIT
/*
 * The misses of a slot's page lists (page_list.h): batches between a list and zone Normal, under
 * one hold of its lock. Layer: mm. Leads down: alloc_blocks, free_blocks.
 */
#include "mm/pages.h"
#include "mm/pcpu.h"
#include "mm/purge.h"
#include "mm/reserve.h"
#include "mm/watermark.h"
#include "kernel/bug.h"
#include "kernel/params.h"

static unsigned int list_limit(unsigned int order)
{
	return (unsigned int)(PAGE_LIST_BYTES >> os_page_shift) >> order;
}

/* Where each block must be looked at, or counted exactly, there is none. */
static bool has_list(unsigned int order)
{
	return order < NR_PAGE_LISTS && order < PAGEBLOCK_ORDER && !mem_limited() &&
	       !reserve_kept && !purge_is_always() &&
	       !param_yes(PARAM_init_on_alloc) && !param_yes(PARAM_init_on_free);
}

/* Empties the list from its block number keep on: those that lie there longest. */
static void give_back(struct page_list *l, unsigned int order, unsigned int keep)
{
	struct page **link = &l->first, *page, *rest;
	unsigned int i;

	for (i = 0; i < keep && *link; i++)
		link = &(*link)->next;
	rest = *link;
	*link = NULL;
	l->room += l->nr - i;
	WRITE_ONCE(l->nr, i);
	for (page = rest; page; page = page->next) {
		VM_BUG_ON(page->state != PAGE_LISTED || page->order != order);
		clear_tails(page, order);
		page->head_offset = 0;
		WRITE_ONCE(page->state, PAGE_USED);
	}
	free_blocks(rest);
}

bool page_list_refill(struct pcpu *c, unsigned int order, const struct alloc_context *ac)
{
	struct page_list *l;
	unsigned int limit;
	struct page *page;

	if (!has_list(order))
		return false;
	l = &c->page_list[order];
	limit = list_limit(order);
	WRITE_ONCE(l->nr, alloc_blocks(order, limit / 2, ac, &l->first));
	l->room = limit - l->nr;
	for (page = l->first; page; page = page->next) {
		set_tails(page, order, 0);
		page->flags = 0;
		page->head_offset = 0;
		WRITE_ONCE(page->state, PAGE_LISTED);
	}
	return l->nr;
}

bool page_list_make_room(struct pcpu *c, unsigned int order)
{
	struct page_list *l;
	unsigned int limit;

	if (!has_list(order))
		return false;
	l = &c->page_list[order];
	limit = list_limit(order);
	if (!l->room && !l->nr)		/* its first use */
		l->room = limit;
	if (!l->room)
		give_back(l, order, limit / 2);
	return true;
}

void page_lists_flush(struct pcpu *c)
{
	unsigned int order;

	for (order = 0; order < NR_PAGE_LISTS; order++)
		if (c->page_list[order].nr)
			give_back(&c->page_list[order], order, 0);
}

unsigned long pages_handed_out(void)
{
	unsigned long committed = mem_committed(), pages = 0;
	unsigned int order;
	struct pcpu *c;

	for_each_cpu(c)
		for (order = 0; order < NR_PAGE_LISTS; order++)
			pages += (unsigned long)READ_ONCE(c->page_list[order].nr) << order;
	return committed - MIN(pages, committed);
}

unsigned long page_lists_drop(struct pcpu *c)
{
	unsigned long lost = 0;
	unsigned int order;

	for (order = 0; order < NR_PAGE_LISTS; order++)
		lost += MIN(c->page_list[order].nr, list_limit(order));
	memset(c->page_list, 0, sizeof(c->page_list));
	return lost;
}

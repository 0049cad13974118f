// SPDX-License-Identifier: MIT
/* <linux/list.h> (kernel-semantics.md 12): every operation keeps both directions right. */
#include "linux.h"
#include <linux/kernel.h>
#include <linux/list.h>

struct item {
	int nr;
	struct list_head list;
	struct hlist_node node;
};

static struct item items[8];

/* The numbers of the entries, forwards; checks that backwards are the same ones. */
static void expect(struct list_head *head, const char *numbers)
{
	size_t n = strlen(numbers), i = 0;
	struct item *item;

	list_for_each_entry(item, head, list)
		assert_true(i < n && item->nr == numbers[i++] - '0');
	assert_int_equal(i, n);
	list_for_each_entry_reverse(item, head, list)
		assert_true(i > 0 && item->nr == numbers[--i] - '0');
	assert_int_equal(i, 0);
	assert_int_equal(list_count_nodes(head), n);
	assert_int_equal(!!list_empty(head), n == 0);
	assert_int_equal(!!list_empty_careful(head), n == 0);
	assert_int_equal(!!list_is_singular(head), n == 1);
}

/* items[from] to items[to] in order. */
static void fill(struct list_head *head, int from, int to)
{
	int i;

	INIT_LIST_HEAD(head);
	for (i = from; i <= to; i++) {
		items[i].nr = i;
		list_add_tail(&items[i].list, head);
	}
}

static void entries_come_first_or_last(void **state)
{
	LIST_HEAD(head);

	(void)state;
	expect(&head, "");
	assert_null(list_first_entry_or_null(&head, struct item, list));
	fill(&head, 1, 2);
	items[3].nr = 3;
	list_add(&items[3].list, &head);
	expect(&head, "312");
	assert_int_equal(list_first_entry(&head, struct item, list)->nr, 3);
	assert_int_equal(list_last_entry(&head, struct item, list)->nr, 2);
	assert_int_equal(list_first_entry_or_null(&head, struct item, list)->nr, 3);
	assert_int_equal(list_next_entry(&items[3], list)->nr, 1);
	assert_int_equal(list_prev_entry(&items[2], list)->nr, 1);
	assert_true(list_is_first(&items[3].list, &head) && list_is_last(&items[2].list, &head));
	assert_true(list_is_head(&head, &head));
}

static void deleted_entries_are_marked(void **state)
{
	struct list_head head;

	(void)state;
	fill(&head, 1, 4);
	list_del(&items[2].list);
	assert_ptr_equal(items[2].list.next, LIST_POISON1);
	assert_ptr_equal(items[2].list.prev, LIST_POISON2);
	expect(&head, "134");
	list_del_init(&items[1].list);
	assert_true(list_empty(&items[1].list));
	expect(&head, "34");
}

static void entries_are_replaced_and_swapped(void **state)
{
	struct list_head head, other;

	(void)state;
	fill(&head, 1, 3);
	items[5].nr = 5;
	list_replace_init(&items[2].list, &items[5].list);
	expect(&head, "153");
	assert_true(list_empty(&items[2].list));
	list_swap(&items[1].list, &items[3].list);
	expect(&head, "351");
	list_swap(&items[3].list, &items[5].list);
	expect(&head, "531");
	list_swap(&items[5].list, &items[3].list);
	expect(&head, "351");
	fill(&other, 6, 7);
	list_swap(&items[7].list, &items[1].list);
	expect(&head, "357");
	expect(&other, "61");
}

static void entries_move_between_lists(void **state)
{
	struct list_head a, b;

	(void)state;
	fill(&a, 1, 4);
	fill(&b, 6, 7);
	list_move(&items[3].list, &b);
	expect(&b, "367");
	list_move_tail(&items[1].list, &b);
	expect(&b, "3671");
	expect(&a, "24");
	list_bulk_move_tail(&a, &items[6].list, &items[7].list);
	expect(&a, "2467");
	expect(&b, "31");
}

static void lists_rotate(void **state)
{
	struct list_head head;

	(void)state;
	fill(&head, 1, 4);
	list_rotate_left(&head);
	expect(&head, "2341");
	list_rotate_to_front(&items[4].list, &head);
	expect(&head, "4123");
	INIT_LIST_HEAD(&head);
	list_rotate_left(&head);
	expect(&head, "");
}

static void lists_are_cut(void **state)
{
	struct list_head head, part;

	(void)state;
	fill(&head, 1, 4);
	list_cut_position(&part, &head, &items[2].list);
	expect(&part, "12");
	expect(&head, "34");
	list_cut_position(&part, &head, &head);
	expect(&part, "");
	list_cut_before(&part, &head, &items[3].list);
	expect(&part, "");
	list_cut_before(&part, &head, &items[4].list);
	expect(&part, "3");
	expect(&head, "4");
	list_cut_position(&part, &head, &items[4].list);
	expect(&part, "4");
	expect(&head, "");
	list_cut_position(&head, &part, &part);
	expect(&part, "4");
}

static void lists_are_joined(void **state)
{
	struct list_head a, b;

	(void)state;
	fill(&a, 1, 2);
	fill(&b, 6, 7);
	list_splice_init(&b, &a);
	expect(&a, "6712");
	expect(&b, "");
	list_splice_init(&b, &a);
	list_splice_tail_init(&b, &a);
	expect(&a, "6712");
	fill(&b, 3, 4);
	list_splice_tail_init(&b, &a);
	expect(&a, "671234");
	expect(&b, "");
	list_splice(&a, &b);
	expect(&b, "671234");
	fill(&b, 5, 5);
	fill(&a, 1, 2);
	list_splice_tail(&a, &b);
	expect(&b, "512");
}

static void walks_start_and_go_on_anywhere(void **state)
{
	struct item *item, *next;
	static struct list_head head;
	struct list_head *pos, *n;
	int seen = 0;

	(void)state;
	fill(&head, 1, 4);
	item = &items[2];
	list_for_each_entry_continue(item, &head, list)
		seen = seen * 10 + item->nr;
	item = &items[3];
	list_for_each_entry_from(item, &head, list)
		seen = seen * 10 + item->nr;
	item = &items[3];
	list_for_each_entry_continue_reverse(item, &head, list)
		seen = seen * 10 + item->nr;
	assert_int_equal(seen, 343421);
	seen = 0;
	item = list_prepare_entry((struct item *)NULL, &head, list);
	list_for_each_entry_continue(item, &head, list)
		seen = seen * 10 + item->nr;
	list_for_each_prev(pos, &head)
		seen = seen * 10 + list_entry(pos, struct item, list)->nr;
	assert_int_equal(seen, 12344321);
	list_for_each_safe(pos, n, &head)
		if (list_entry(pos, struct item, list)->nr % 2)
			list_del(pos);
	expect(&head, "24");
	list_for_each_entry_safe_reverse(item, next, &head, list)
		list_del(&item->list);
	expect(&head, "");
	fill(&head, 1, 3);
	list_for_each_entry_safe(item, next, &head, list)
		list_del_init(&item->list);
	expect(&head, "");
	fill(&head, 1, 4);
	item = &items[2];
	list_for_each_entry_safe_from(item, next, &head, list)
		list_del(&item->list);
	expect(&head, "1");
}

static void hash_lists_have_one_pointer(void **state)
{
	struct item *item;
	struct hlist_node *n;
	HLIST_HEAD(head);
	int i, seen = 0;

	(void)state;
	assert_true(hlist_empty(&head));
	for (i = 1; i <= 4; i++) {
		items[i].nr = i;
		INIT_HLIST_NODE(&items[i].node);
	}
	hlist_add_head(&items[1].node, &head);
	hlist_add_head(&items[2].node, &head);
	hlist_add_behind(&items[3].node, &items[2].node);
	hlist_add_before(&items[4].node, &items[2].node);
	hlist_for_each_entry(item, &head, node)
		seen = seen * 10 + item->nr;
	assert_int_equal(seen, 4231);
	hlist_del_init(&items[2].node);
	assert_true(hlist_unhashed(&items[2].node));
	hlist_del_init(&items[2].node);
	hlist_for_each_entry_safe(item, n, &head, node) {
		seen = seen * 10 + item->nr;
		hlist_del(&item->node);
	}
	assert_int_equal(seen, 4231431);
	assert_true(hlist_empty(&head));
	assert_int_equal(sizeof(head), sizeof(void *));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_come_first_or_last),
		cmocka_unit_test(deleted_entries_are_marked),
		cmocka_unit_test(entries_are_replaced_and_swapped),
		cmocka_unit_test(entries_move_between_lists),
		cmocka_unit_test(lists_rotate),
		cmocka_unit_test(lists_are_cut),
		cmocka_unit_test(lists_are_joined),
		cmocka_unit_test(walks_start_and_go_on_anywhere),
		cmocka_unit_test(hash_lists_have_one_pointer),
	};

	return cmocka_run_group_tests_name("linux_list", tests, NULL, NULL);
}

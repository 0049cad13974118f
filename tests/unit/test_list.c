// SPDX-License-Identifier: MIT
/* Doubly linked lists and the push-only list. */
#include "unit.h"
#include "lib/list.h"

#include <pthread.h>

struct item {
	int nr;
	struct list_head list;
	struct llist_node node;
};

static void expect(struct list_head *h, const char *numbers)
{
	char text[64] = "";
	struct list_head *l;
	struct item *it;
	size_t n = 0;

	list_for_each_entry(it, h, list)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%d", it->nr);
	assert_string_equal(text, numbers);
	for (l = h->next; l != h; l = l->next) {
		assert_ptr_equal(l->next->prev, l);
		assert_ptr_equal(l->prev->next, l);
	}
	assert_ptr_equal(h->next->prev, h);
	assert_int_equal(list_empty(h), !numbers[0]);
}

static void fill(struct list_head *h, struct item *items, int n, int from)
{
	int i;

	INIT_LIST_HEAD(h);
	for (i = 0; i < n; i++) {
		items[i].nr = from + i;
		list_add_tail(&items[i].list, h);
	}
}

static void new_entries_come_first_or_last(void **state)
{
	struct item a = { .nr = 1 }, b = { .nr = 2 }, c = { .nr = 3 };
	struct list_head h;

	(void)state;
	INIT_LIST_HEAD(&h);
	expect(&h, "");
	list_add(&a.list, &h);
	list_add(&b.list, &h);
	list_add_tail(&c.list, &h);
	expect(&h, "213");
	assert_ptr_equal(list_first_entry(&h, struct item, list), &b);
	assert_ptr_equal(list_last_entry(&h, struct item, list), &c);
}

static void deletion_leaves_the_others_in_order(void **state)
{
	struct item it[4];
	struct list_head h;

	(void)state;
	fill(&h, it, 4, 1);
	list_del(&it[1].list);
	expect(&h, "134");
	list_del_init(&it[3].list);
	expect(&h, "13");
	assert_true(list_empty(&it[3].list));
	list_del(&it[0].list);
	list_del(&it[2].list);
	expect(&h, "");
}

static void moving_to_the_tail_crosses_lists(void **state)
{
	struct item a[3], b[2];
	struct list_head h, k;

	(void)state;
	fill(&h, a, 3, 1);
	fill(&k, b, 2, 7);
	list_move_tail(&a[0].list, &h);
	expect(&h, "231");
	list_move_tail(&a[1].list, &k);
	expect(&h, "31");
	expect(&k, "782");
}

static void splicing_moves_all_to_the_front(void **state)
{
	struct item a[3], b[2];
	struct list_head h, k;

	(void)state;
	fill(&h, a, 3, 1);
	fill(&k, b, 2, 7);
	list_splice_init(&k, &h);
	expect(&h, "78123");
	expect(&k, "");
	list_splice_init(&k, &h);
	expect(&h, "78123");
	list_splice_init(&h, &k);
	expect(&k, "78123");
	expect(&h, "");
}

static void safe_walk_survives_deletion_of_each_entry(void **state)
{
	struct item it[5], *p, *n;
	struct list_head h;
	int sum = 0;

	(void)state;
	fill(&h, it, 5, 1);
	list_for_each_entry_safe(p, n, &h, list) {
		sum = sum * 10 + p->nr;
		list_del(&p->list);
		memset(&p->list, 0xff, sizeof(p->list));
	}
	assert_int_equal(sum, 12345);
	expect(&h, "");
}

static void llist_gives_the_last_first_and_all_at_once(void **state)
{
	struct llist_head h = { NULL };
	struct item it[3];
	struct llist_node *n;

	(void)state;
	assert_null(llist_del_all(&h));
	llist_add(&it[0].node, &h);
	llist_add(&it[1].node, &h);
	llist_add(&it[2].node, &h);
	n = llist_del_all(&h);
	assert_ptr_equal(n, &it[2].node);
	assert_ptr_equal(n->next, &it[1].node);
	assert_ptr_equal(n->next->next, &it[0].node);
	assert_null(n->next->next->next);
	assert_null(llist_del_all(&h));
}

#define PUSHERS	3
#define PUSHES	20000

static struct llist_head shared;
static struct item pushed[PUSHERS][PUSHES];

static void *push_all(void *arg)
{
	struct item *it = arg;
	int i;

	for (i = 0; i < PUSHES; i++) {
		it[i].nr = i + 1;
		llist_add(&it[i].node, &shared);
	}
	return NULL;
}

static void llist_loses_nothing_between_threads(void **state)
{
	pthread_t threads[PUSHERS];
	unsigned long count = 0, sum = 0;
	int i;

	(void)state;
	for (i = 0; i < PUSHERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, push_all, pushed[i]), 0);
	while (count < (unsigned long)PUSHERS * PUSHES) {
		struct llist_node *n = llist_del_all(&shared), *next;

		for (; n; n = next) {
			next = n->next;
			count++;
			sum += (unsigned long)container_of(n, struct item, node)->nr;
		}
	}
	for (i = 0; i < PUSHERS; i++)
		pthread_join(threads[i], NULL);
	assert_null(llist_del_all(&shared));
	assert_int_equal(sum, PUSHERS * (PUSHES * (PUSHES + 1ul) / 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_entries_come_first_or_last),
		cmocka_unit_test(deletion_leaves_the_others_in_order),
		cmocka_unit_test(moving_to_the_tail_crosses_lists),
		cmocka_unit_test(splicing_moves_all_to_the_front),
		cmocka_unit_test(safe_walk_survives_deletion_of_each_entry),
		cmocka_unit_test(llist_gives_the_last_first_and_all_at_once),
		cmocka_unit_test(llist_loses_nothing_between_threads),
	};

	return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
/* Red-black trees: random insertion and removal against a sorted array, the invariants after each step. */
#include "unit.h"
#include "lib/rbtree.h"

#define KEYS 160

struct item {
	int key;
	bool in;
	struct rb_node node;
};

static struct item items[KEYS];
static struct rb_root root;

static void insert(struct item *it)
{
	struct rb_node **link = &root.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = it->key < rb_entry(parent, struct item, node)->key ? &parent->left : &parent->right;
	}
	rb_link_node(&it->node, parent, link);
	rb_insert_color(&it->node, &root);
	it->in = true;
}

/* Black height, -1 after a violation. */
static int check(const struct rb_node *n, const struct rb_node *parent)
{
	int left, right;

	if (!n)
		return 0;
	if (n->parent != parent || (n->red && parent && parent->red) || (n->red && !parent))
		return -1;
	left = check(n->left, n);
	right = check(n->right, n);
	if (left < 0 || left != right)
		return -1;
	return left + !n->red;
}

static void compare(void)
{
	struct rb_node *n = rb_first(&root), *last = NULL;
	int i;

	assert_true(check(root.rb_node, NULL) >= 0);
	for (i = 0; i < KEYS; i++) {
		if (!items[i].in)
			continue;
		assert_non_null(n);
		assert_ptr_equal(n, &items[i].node);
		last = n;
		n = rb_next(n);
	}
	assert_null(n);
	assert_ptr_equal(rb_last(&root), last);
}

static void reset(void)
{
	int i;

	root.rb_node = NULL;
	for (i = 0; i < KEYS; i++)
		items[i] = (struct item){ .key = i };
}

static void empty_tree_has_no_first_and_no_last(void **state)
{
	(void)state;
	reset();
	compare();
	assert_null(rb_first(&root));
	assert_null(rb_last(&root));
}

static void random_use_keeps_order_and_balance(void **state)
{
	int i;

	(void)state;
	reset();
	for (i = 0; i < 6000; i++) {
		/* phases: growing, shrinking, steady */
		bool want = i % 2000 < 700 ? random_below(4) != 0 :
			    i % 2000 < 1400 ? random_below(4) == 0 : random_below(2) != 0;
		struct item *it = &items[random_below(KEYS)];

		if (want && !it->in) {
			insert(it);
		} else if (!want && it->in) {
			rb_erase(&it->node, &root);
			it->in = false;
			memset(&it->node, 0xa5, sizeof(it->node));
		}
		compare();
	}
}

static void ordered_insertion_and_removal_stay_balanced(void **state)
{
	int order, i;

	(void)state;
	for (order = 0; order < 4; order++) {
		reset();
		for (i = 0; i < KEYS; i++) {
			insert(&items[order & 1 ? KEYS - 1 - i : i]);
			compare();
		}
		for (i = 0; i < KEYS; i++) {
			struct item *it = &items[order & 2 ? KEYS - 1 - i : i];

			rb_erase(&it->node, &root);
			it->in = false;
			compare();
		}
		assert_null(root.rb_node);
	}
}

static void equal_keys_may_be_inserted(void **state)
{
	struct rb_node *n;
	int i, count = 0;

	(void)state;
	reset();
	for (i = 0; i < 50; i++) {
		items[i].key = i / 10;
		insert(&items[i]);
		assert_true(check(root.rb_node, NULL) >= 0);
	}
	for (n = rb_first(&root); n; n = rb_next(n), count++)
		assert_int_equal(rb_entry(n, struct item, node)->key, count / 10);
	assert_int_equal(count, 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_tree_has_no_first_and_no_last),
		cmocka_unit_test(random_use_keeps_order_and_balance),
		cmocka_unit_test(ordered_insertion_and_removal_stay_balanced),
		cmocka_unit_test(equal_keys_may_be_inserted),
	};

	return cmocka_run_group_tests_name("rbtree", tests, NULL, NULL);
}

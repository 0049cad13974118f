// SPDX-License-Identifier: MIT
/*
 * Red-black trees. Layer: lib.
 *
 * Invariants: the root is black; a red node has no red child; every path from a node down to a
 * leaf has the same number of black nodes. Insertion makes a red leaf and repairs "red under
 * red" upwards; removal of a black node leaves one path a black node short and repairs that
 * upwards.
 */
#include "lib/rbtree.h"

static inline bool is_red(const struct rb_node *n)
{
	return n && n->red;
}

/* Puts new (may be NULL) where old hangs below old's parent. */
static void replace_child(struct rb_root *root, struct rb_node *old, struct rb_node *new)
{
	struct rb_node *parent = old->parent;

	if (!parent)
		root->rb_node = new;
	else if (parent->left == old)
		parent->left = new;
	else
		parent->right = new;
	if (new)
		new->parent = parent;
}

static void rotate_left(struct rb_root *root, struct rb_node *n)
{
	struct rb_node *r = n->right;

	replace_child(root, n, r);
	n->right = r->left;
	if (n->right)
		n->right->parent = n;
	r->left = n;
	n->parent = r;
}

static void rotate_right(struct rb_root *root, struct rb_node *n)
{
	struct rb_node *l = n->left;

	replace_child(root, n, l);
	n->left = l->right;
	if (n->left)
		n->left->parent = n;
	l->right = n;
	n->parent = l;
}

void rb_insert_color(struct rb_node *n, struct rb_root *root)
{
	while (is_red(n->parent)) {
		/* p is red, so it is not the root */
		struct rb_node *p = n->parent, *g = p->parent;
		bool p_left = g->left == p;
		struct rb_node *uncle = p_left ? g->right : g->left;

		if (is_red(uncle)) {
			p->red = false;
			uncle->red = false;
			g->red = true;
			n = g;
			continue;
		}
		if (p_left) {
			if (p->right == n) {
				rotate_left(root, p);
				p = n;
			}
			rotate_right(root, g);
		} else {
			if (p->left == n) {
				rotate_right(root, p);
				p = n;
			}
			rotate_left(root, g);
		}
		p->red = false;
		g->red = true;
		break;
	}
	root->rb_node->red = false;
}

/* The subtree n (may be NULL) below parent has one black node too few. */
static void erase_color(struct rb_root *root, struct rb_node *n, struct rb_node *parent)
{
	while (parent && !is_red(n)) {
		bool left = parent->left == n;
		/* never NULL here */
		struct rb_node *s = left ? parent->right : parent->left;
		struct rb_node *far;

		if (s->red) {
			s->red = false;
			parent->red = true;
			if (left)
				rotate_left(root, parent);
			else
				rotate_right(root, parent);
			s = left ? parent->right : parent->left;
		}
		if (!is_red(s->left) && !is_red(s->right)) {
			s->red = true;
			n = parent;
			parent = n->parent;
			continue;
		}
		far = left ? s->right : s->left;
		if (!is_red(far)) {
			s->red = true;
			if (left) {
				s->left->red = false;
				rotate_right(root, s);
				s = parent->right;
			} else {
				s->right->red = false;
				rotate_left(root, s);
				s = parent->left;
			}
			far = left ? s->right : s->left;
		}
		s->red = parent->red;
		parent->red = false;
		far->red = false;
		if (left)
			rotate_left(root, parent);
		else
			rotate_right(root, parent);
		return;
	}
	if (n)
		n->red = false;
}

void rb_erase(struct rb_node *n, struct rb_root *root)
{
	struct rb_node *child, *parent;
	bool removed_black;

	if (n->left && n->right) {
		struct rb_node *next = n->right;	/* takes the place and the colour of n */

		while (next->left)
			next = next->left;
		child = next->right;
		removed_black = !next->red;
		parent = next->parent;
		if (parent == n) {
			parent = next;
		} else {
			replace_child(root, next, child);
			next->right = n->right;
			next->right->parent = next;
		}
		replace_child(root, n, next);
		next->left = n->left;
		next->left->parent = next;
		next->red = n->red;
	} else {
		child = n->left ? n->left : n->right;
		removed_black = !n->red;
		parent = n->parent;
		replace_child(root, n, child);
	}
	if (removed_black)
		erase_color(root, child, parent);
}

struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *n = root->rb_node;

	while (n && n->left)
		n = n->left;
	return n;
}

struct rb_node *rb_last(const struct rb_root *root)
{
	struct rb_node *n = root->rb_node;

	while (n && n->right)
		n = n->right;
	return n;
}

struct rb_node *rb_next(const struct rb_node *n)
{
	const struct rb_node *p;

	if (n->right) {
		n = n->right;
		while (n->left)
			n = n->left;
		return (struct rb_node *)(uintptr_t)n;
	}
	for (p = n->parent; p && p->right == n; p = p->parent)
		n = p;
	return (struct rb_node *)(uintptr_t)p;
}

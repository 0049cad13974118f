/* SPDX-License-Identifier: MIT */
/*
 * Red-black trees with the kernel's interface: the user walks down, links the node at the place
 * that the walk found (rb_link_node) and lets the tree balance itself (rb_insert_color). Layer:
 * lib.
 */
#ifndef KM_LIB_RBTREE_H
#define KM_LIB_RBTREE_H

#include "lib/compiler.h"

struct rb_node {
	struct rb_node *parent, *left, *right;
	bool red;
};

struct rb_root {
	struct rb_node *rb_node;
};

#define rb_entry(ptr, type, member)	container_of(ptr, type, member)

static inline void rb_link_node(struct rb_node *n, struct rb_node *parent, struct rb_node **link)
{
	n->parent = parent;
	n->left = NULL;
	n->right = NULL;
	n->red = true;
	*link = n;
}

void rb_insert_color(struct rb_node *n, struct rb_root *root) __km(rb_insert_color);
void rb_erase(struct rb_node *n, struct rb_root *root) __km(rb_erase);
struct rb_node *rb_first(const struct rb_root *root) __km(rb_first);
struct rb_node *rb_last(const struct rb_root *root) __km(rb_last);
struct rb_node *rb_next(const struct rb_node *n) __km(rb_next);

#endif

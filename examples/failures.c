// SPDX-License-Identifier: MIT
/*
 * Every allocation of a function fails once, one after the other: does it survive, and does it
 * leak? fail_nth_set(n) makes the nth allocation of the calling thread fail.
 */
#include <stdio.h>
#include <kmalloc/fault.h>
#include <kmalloc/slab.h>

struct config {
	char *name, *path;
	unsigned int *table;
};

static int alive;

static void *get(size_t size)
{
	/* __GFP_NOWARN: the failure that was asked for is no news. */
	void *p = kzalloc(size, GFP_KERNEL | __GFP_NOWARN);

	alive += p != NULL;
	return p;
}

static void put(void *p)
{
	alive -= p != NULL;
	kfree(p);
}

/* What is to be tested: all of it, or nothing. */
static struct config *load_config(void)
{
	struct config *config = get(sizeof(*config));

	if (!config)
		return NULL;
	config->name = get(20);
	if (!config->name)
		goto free_config;
	config->path = get(200);
	if (!config->path)
		goto free_name;
	config->table = get(1000 * sizeof(*config->table));
	if (!config->table)
		goto free_path;
	return config;

free_path:
	put(config->path);
free_name:
	put(config->name);
free_config:
	put(config);
	return NULL;
}

static void free_config(struct config *config)
{
	put(config->table);
	put(config->path);
	put(config->name);
	put(config);
}

int main(void)
{
	struct config *config;
	unsigned int n;
	int injected;

	/* As it comes, failslab leaves requests that may wait alone. */
	if (!fault_option_set("failslab.ignore-gfp-wait", 0))
		return 1;
	for (n = 1;; n++) {
		fail_nth_set(n);
		config = load_config();
		injected = fail_nth_get() == 0;
		fail_nth_set(0);
		if (!injected)
			break;
		printf("failure %u: %s, %d blocks left\n", n, config ? "loaded" : "refused", alive);
		if (config || alive)
			return 1;
	}
	printf("load_config() survives each of its %u failures\n", n - 1);
	if (!config)
		return 1;
	free_config(config);
	return alive != 0 || n != 5;
}

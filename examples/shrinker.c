// SPDX-License-Identifier: MIT
/*
 * A cache that gives memory back when there is little. It keeps what it read, as a file system
 * does, and would grow without end; the shrinker drops the oldest entries when an allocation
 * finds no memory.
 *
 *	KMALLOC_OPTIONS="mem=64M" ./shrinker
 */
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/string.h>

struct entry {
	struct list_head lru;
	char data[4000];
};

static LIST_HEAD(lru);
static DEFINE_MUTEX(lock);
static unsigned long nr_cached, nr_dropped;

static unsigned long count_entries(struct shrinker *shrinker, struct shrink_control *sc)
{
	unsigned long nr = READ_ONCE(nr_cached);

	(void)shrinker;
	(void)sc;
	return nr ? nr : SHRINK_EMPTY;
}

static unsigned long drop_entries(struct shrinker *shrinker, struct shrink_control *sc)
{
	unsigned long dropped = 0;
	struct entry *entry;

	(void)shrinker;
	/* The allocation that reclaims may be one of ours, made under the lock. */
	if (!mutex_trylock(&lock))
		return SHRINK_STOP;
	while (dropped < sc->nr_to_scan && !list_empty(&lru)) {
		entry = list_first_entry(&lru, struct entry, lru);
		list_del(&entry->lru);
		kfree(entry);
		dropped++;
	}
	nr_cached -= dropped;
	nr_dropped += dropped;
	mutex_unlock(&lock);
	return dropped;
}

int main(void)
{
	struct shrinker *shrinker = shrinker_alloc(0, "example-cache");
	struct entry *entry, *next;
	unsigned long i, nr = 40000;

	if (!shrinker)
		return 1;
	shrinker->count_objects = count_entries;
	shrinker->scan_objects = drop_entries;
	shrinker_register(shrinker);

	for (i = 0; i < nr; i++) {
		entry = kmalloc(sizeof(*entry), GFP_KERNEL | __GFP_RETRY_MAYFAIL);
		if (!entry) {
			pr_err("no memory after %lu entries\n", i);
			break;
		}
		memset(entry->data, (int)i, sizeof(entry->data));
		mutex_lock(&lock);
		list_add_tail(&entry->lru, &lru);
		nr_cached++;
		mutex_unlock(&lock);
	}
	printf("%lu entries made: %lu cached, %lu dropped when memory was short\n", i, nr_cached,
	       nr_dropped);

	shrinker_free(shrinker);
	list_for_each_entry_safe(entry, next, &lru, lru)
		kfree(entry);
	return i == nr ? 0 : 1;
}

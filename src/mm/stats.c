// SPDX-License-Identifier: MIT
/* The public statistics. Layer: mm. On top of show_mem.c, which has the numbers. */
#include "lib/small.h"
#include "kmalloc/stats.h"
#include "mm/entry.h"
#include "mm/show_mem.h"
#include "lib/errno.h"
#include "lib/format.h"

/* So that a program that has not allocated yet sees the caches too. */
static void be_ready(void)
{
	if (unlikely(!atomic_load_explicit(&mm_ready, memory_order_acquire)))
		mm_init();
}

static void get_stats(struct kmem_cache *s, struct kmalloc_cache_stats *st)
{
	struct slab_usage u;

	slab_get_usage(s, &u);
	memset(st, 0, sizeof(*st));
	scnprintf(st->name, sizeof(st->name), "%s", s->name);
	st->object_size = s->object_size;
	st->size = s->size;
	st->objects_per_slab = s->objects;
	st->pages_per_slab = (unsigned int)(s->blocks * PAGEBLOCK_SIZE >> os_page_shift);
	st->nr_slabs = u.nr_slabs;
	st->num_objs = u.num_objs;
	st->active_objs = u.active_objs;
	st->sheaf_objs = u.in_sheaves;
	st->slab_bytes = u.nr_slabs * s->blocks * PAGEBLOCK_SIZE;
}

__km_export int kmalloc_for_each_cache(int (*fn)(const struct kmalloc_cache_stats *st, void *arg),
				       void *arg)
{
	struct kmalloc_cache_stats st;
	struct kmem_cache *s;
	unsigned int i;
	int ret = 0;

	be_ready();
	for (i = READ_ONCE(nr_caches); i-- && !ret; ) {
		s = cache_nr(i);
		if (s) {
			get_stats(s, &st);
			ret = fn(&st, arg);
		}
	}
	return ret;
}

__km_export int kmalloc_cache_get_stats(const char *name, struct kmalloc_cache_stats *st)
{
	struct kmem_cache *s;
	unsigned int i;

	be_ready();
	for (i = READ_ONCE(nr_caches); i--; ) {
		s = cache_nr(i);
		if (s && text_equals(s->name, name)) {
			get_stats(s, st);
			return 0;
		}
	}
	return -ENOENT;
}

__km_export int kmalloc_write_slabinfo(int fd)
{
	be_ready();
	return slabinfo_write(fd) ? 0 : -EIO;
}

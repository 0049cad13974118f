// SPDX-License-Identifier: MIT
/*
 * Slab table and totals. Layer: mm. Free objects are read before totals, so that nothing comes
 * out negative.
 */
#include "lib/small.h"
#include "mm/show_mem.h"
#include "mm/meta.h"
#include "mm/page_alloc.h"
#include "mm/pcpu.h"
#include "mm/purge.h"
#include "mm/vmalloc.h"
#include "lib/format.h"

static unsigned long nolock_free(struct kmem_cache *s, unsigned long *nr_slabs)
{
	unsigned int index = READ_ONCE(s->index), w;
	unsigned long n = 0;
	struct slab *slab;

	if (!atomic_load_explicit(&s->nolock_slabs, memory_order_relaxed) || !cache_hold(index))
		return 0;
	slab = atomic_load_explicit(&s->nolock_slabs, memory_order_acquire);
	for (; slab; slab = slab->next_nolock) {
		++*nr_slabs;
		for (w = 0; w < (s->objects + 63) / 64; w++)
			n += hweight64(READ_ONCE(free_map(slab)[w]));
	}
	cache_release(index);
	return n;
}

void slab_get_usage(struct kmem_cache *s, struct slab_usage *u)
{
	unsigned long nfree = 0, cached = 0, nolock_slabs = 0;
	unsigned long capacity = READ_ONCE(s->sheaf_capacity);
	struct slab_home *h;
	struct pcpu *c;

	for_each_cpu(c) {
		u32 offset = READ_ONCE(s->cpu_offset);	/* cpu_cache() */
		struct cpu_cache *cc = (struct cpu_cache *)(void *)((char *)c + offset);
		void **start = READ_ONCE(cc->start), **top = READ_ONCE(cc->top);
		struct slab_sheaf *spare = READ_ONCE(cc->spare);
		unsigned long n = (unsigned long)(top - start);

		if (n <= capacity)
			cached += n;
		if (spare)
			cached += MIN(READ_ONCE(spare->count), capacity);
	}
	for_each_home(h)
		nfree += READ_ONCE(home_slabs(h, s)->nfree);
	cached += READ_ONCE(s->barn.nr_objects);
	nfree += nolock_free(s, &nolock_slabs);
	u->nr_slabs = atomic_load_explicit(&s->nr_slabs, memory_order_relaxed);
	u->num_objs = u->nr_slabs * READ_ONCE(s->objects);
	u->active_objs = u->num_objs - MIN(nfree, u->num_objs);
	u->in_sheaves = MIN(cached, u->active_objs);
}

void heap_get_usage(struct heap_usage *u)
{
	struct vmap_stats vs;
	struct kmem_cache *s;
	unsigned int i;

	memset(u, 0, sizeof(*u));
	for_each_cache(s, i) {
		struct slab_usage su;

		slab_get_usage(s, &su);
		u->slab_in_use += (su.active_objs - su.in_sheaves) * READ_ONCE(s->size);
		u->slab_system += su.nr_slabs * READ_ONCE(s->blocks) * PAGEBLOCK_SIZE;
		u->nr_free_objects += su.num_objs - su.active_objs + su.in_sheaves;
	}
	for (i = 0; i < MAX_NR_ZONES; i++)
		u->slab_system += READ_ONCE(zones[i].free_pages) << os_page_shift;
	vmap_get_stats(&vs);
	u->area_in_use = vs.busy_bytes;
	u->area_system = vs.busy_bytes + vs.free_bytes;
	u->nr_areas = vs.nr_busy;
	u->area_dirty = MIN(vs.dirty_bytes, vs.free_bytes);
	u->slab_dirty =
		(size_t)MAX(atomic_load_explicit(&purge_state.dirty, memory_order_relaxed), 0l)
		<< FRAME_SHIFT;
	u->slab_dirty = MIN(u->slab_dirty - MIN(u->slab_dirty, vs.dirty_bytes),
			    u->slab_system - u->slab_in_use);
	u->meta = meta_bytes();
}

void slabinfo_show(void (*emit)(const char *line, size_t len, void *arg), void *arg)
{
	char line[200];
	unsigned int i;
	size_t n;

	n = scnprintf(line, sizeof(line), "slabinfo - version: 2.1\n");
	emit(line, n, arg);
	n = scnprintf(line, sizeof(line),
		      "# name            <active_objs> <num_objs> <objsize> <objperslab> "
		      "<pagesperslab> : tunables <limit> <batchcount> <sharedfactor> "
		      ": slabdata <active_slabs> <num_slabs> <sharedavail>\n");
	emit(line, n, arg);
	for (i = READ_ONCE(nr_caches); i--; ) {	/* the newest first, as the kernel lists them */
		struct kmem_cache *s = cache_nr(i);
		struct slab_usage u;

		if (!s)
			continue;
		slab_get_usage(s, &u);
		n = scnprintf(line, sizeof(line), "%-17s %6lu %6lu %6u %4u %4lu", s->name,
			      u.active_objs, u.num_objs, s->size, s->objects,
			      s->blocks * PAGEBLOCK_SIZE >> os_page_shift);
		n += scnprintf(line + n, sizeof(line) - n, " : tunables %4u %4u %4u", 0u, 0u, 0u);
		n += scnprintf(line + n, sizeof(line) - n, " : slabdata %6lu %6lu %6lu\n",
			       u.nr_slabs, u.nr_slabs, 0ul);
		emit(line, n, arg);
	}
}

struct text {
	int fd;
	bool ok;
	size_t used;
	char buf[2048];
};

static void emit_to_fd(const char *line, size_t len, void *arg)
{
	struct text *t = arg;

	if (t->used + len > sizeof(t->buf)) {
		t->ok &= os_write(t->fd, t->buf, t->used);
		t->used = 0;
	}
	memcpy(t->buf + t->used, line, len);
	t->used += len;
}

bool slabinfo_write(int fd)
{
	struct text t;

	t.fd = fd;
	t.ok = true;
	t.used = 0;
	slabinfo_show(emit_to_fd, &t);
	return os_write(fd, t.buf, t.used) && t.ok;
}

// SPDX-License-Identifier: MIT
/*
 * Shrinkers and the OOM notifier chain. Layer: mm. Leads in: shrink_slab() and oom_notify(), from
 * the ladder and from reclaim.
 *
 * A registered shrinker has a record: the hook that reclaim walks (hooks.h), its name, and per
 * node what was wished for and not yet scanned. The record of shrinker_alloc() holds the shrinker
 * too. A record is never freed while it may be called.
 */
#include "lib/small.h"
#include "kmalloc/kmalloc.h"
#include "kmalloc/shrinker.h"
#include "mm/shrinker.h"
#include "mm/hooks.h"
#include "kernel/printk.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "os/os.h"

#define SHRINK_BATCH	128
#define NR_DEFERRED	8u	/* nodes with a carry-over of their own; those above share */
#define NAME_SIZE	48
/* beyond it the arithmetic of a pass could overflow; nobody has as many objects */
#define FREEABLE_MAX	((unsigned long)LONG_MAX / 8)

/* the kernel's, whatever the system's headers say */
enum { ERR_NOENT = 2, ERR_NOMEM = 12, ERR_BUSY = 16, ERR_EXIST = 17, ERR_INVAL = 22 };

struct shrinker_record {
	struct hook hook;		/* its object is the shrinker */
	char name[NAME_SIZE];
	_Atomic long nr_deferred[NR_DEFERRED];
	struct shrinker own;		/* of shrinker_alloc() */
};

static struct hook_list shrinker_list;
static struct hook_list oom_list;

/* ---- a pass ---- */

/* Flags of shrinkers that a request with this mask must not call. */
static unsigned int forbidden_flags(gfp_t gfp)
{
	if (!(gfp & __GFP_IO))
		return SHRINKER_MAY_IO | SHRINKER_MAY_FS;
	return gfp & __GFP_FS ? 0 : SHRINKER_MAY_FS;
}

static unsigned long scan(struct shrinker *s, struct shrink_control *sc, long *total,
			  unsigned long freeable)
{
	long batch = s->batch > 0 ? s->batch : SHRINK_BATCH, left = *total, scanned = 0;
	unsigned long freed = 0;

	while (left >= batch || left >= (long)freeable) {
		unsigned long ret;

		sc->nr_to_scan = sc->nr_scanned = (unsigned long)MIN(batch, left);
		ret = s->scan_objects(s, sc);
		if (ret == SHRINK_STOP)
			break;
		freed += ret;
		/* looked at none, or at more than there are: it would not come to an end */
		if (!sc->nr_scanned || sc->nr_scanned > FREEABLE_MAX)
			break;
		left -= (long)sc->nr_scanned;
		scanned += (long)sc->nr_scanned;
	}
	*total = scanned;
	return freed;
}

/* kernel-semantics 11.3 */
static unsigned long do_shrink_slab(struct shrinker_record *r, struct shrink_control *sc,
				    unsigned int priority)
{
	struct shrinker *s = r->hook.object;
	_Atomic long *deferred = &r->nr_deferred[(unsigned int)sc->nid % NR_DEFERRED];
	unsigned long freeable = s->count_objects(s, sc), freed;
	long nr, delta, total;

	if (!freeable || freeable == SHRINK_EMPTY)
		return freeable;
	freeable = MIN(freeable, FREEABLE_MAX);
	priority = MIN(priority, 62);
	nr = atomic_exchange_explicit(deferred, 0, memory_order_relaxed);
	if (s->seeks)
		delta = (long)((freeable >> priority) * 4 / (unsigned int)s->seeks);
	else
		delta = (long)(freeable / 2);
	total = (nr >> priority) + delta;
	total = MIN(total, (long)(2 * freeable));
	freed = scan(s, sc, &total, freeable);
	/* total is what was scanned now */
	nr = MAX(nr + delta - total, 0);
	nr = MIN(nr, (long)(2 * freeable));
	atomic_fetch_add_explicit(deferred, nr, memory_order_relaxed);
	return freed;
}

unsigned long shrink_slab(gfp_t gfp, int nid, unsigned int priority)
{
	unsigned int forbidden = forbidden_flags(gfp);
	struct hook_call call = { NULL, 0 };
	unsigned long freed = 0, ret;
	struct hook *h;

	if (!have_shrinkers())
		return 0;
	while ((h = hook_next(&shrinker_list, &call))) {
		struct shrinker_record *r = container_of(h, struct shrinker_record, hook);
		unsigned int flags = ((struct shrinker *)h->object)->flags;
		struct shrink_control sc = { .gfp_mask = gfp & __GFP_BITS_MASK };

		if (flags & forbidden)
			continue;
		if (flags & SHRINKER_NUMA_AWARE)
			sc.nid = nid;
		ret = do_shrink_slab(r, &sc, priority);
		if (ret != SHRINK_EMPTY)
			freed += ret;
	}
	return freed;
}

bool have_shrinkers(void)
{
	return atomic_load_explicit(&shrinker_list.first, memory_order_relaxed);
}

/* ---- registering ---- */

/* The record that s came with, or NULL: it is not of shrinker_alloc(). */
static struct shrinker_record *own_record(const struct shrinker *s)
{
	struct shrinker_record *r = s->internal;

	return s->flags & SHRINKER_ALLOCATED && r && &r->own == s ? r : NULL;
}

__km_export struct shrinker *shrinker_alloc(unsigned int flags, const char *fmt, ...)
{
	struct shrinker_record *r = kzalloc(sizeof(*r), GFP_KERNEL);
	va_list ap;

	if (!r)
		return NULL;
	va_start(ap, fmt);
	vscnprintf(r->name, sizeof(r->name), fmt, ap);
	va_end(ap);
	r->hook.object = &r->own;
	r->own.flags = (flags & ~SHRINKER_REGISTERED) | SHRINKER_ALLOCATED;
	r->own.seeks = DEFAULT_SEEKS;
	r->own.internal = r;
	return &r->own;
}

__km_export void shrinker_register(struct shrinker *s)
{
	struct shrinker_record *r = s ? own_record(s) : NULL;

	if (!r) {
		pr_warn("shrinker_register(%p): expected a shrinker of shrinker_alloc(); ignored",
			(void *)s);
	} else if (!s->count_objects || !s->scan_objects) {
		pr_warn("shrinker_register(%p): '%s' has no %s, expected both callbacks; ignored",
			(void *)s, r->name, s->count_objects ? "scan_objects" : "count_objects");
	} else if (s->flags & SHRINKER_REGISTERED) {
		pr_warn("shrinker_register(%p): '%s' is registered already; ignored", (void *)s,
			r->name);
	} else {
		s->flags |= SHRINKER_REGISTERED;
		if (hook_add(&shrinker_list, &r->hook))
			return;
		s->flags &= ~SHRINKER_REGISTERED;
		pr_warn("shrinker_register(%p): the list of shrinkers is locked for good; '%s' "
			"will not be called", (void *)s, r->name);
	}
}

/* False: its memory must stay. */
static bool remove_record(struct shrinker_record *r, const char *function)
{
	enum hook_end end = hook_remove(&shrinker_list, &r->hook);

	if (end == HOOK_BUSY)
		pr_warn("%s(%p): called from a callback of '%s' itself, expected a caller outside "
			"of it; it stays registered", function, r->hook.object, r->name);
	return end == HOOK_GONE;
}

__km_export void shrinker_free(struct shrinker *s)
{
	struct shrinker_record *r;

	if (!s)
		return;
	r = own_record(s);
	if (!r) {
		pr_warn("shrinker_free(%p): expected a shrinker of shrinker_alloc(); ignored",
			(void *)s);
		return;
	}
	if (s->flags & SHRINKER_REGISTERED && !remove_record(r, "shrinker_free"))
		return;
	s->internal = NULL;
	s->flags = 0;
	kfree(r);
}

__km_export int register_shrinker(struct shrinker *s, ...)
{
	struct shrinker_record *r;

	if (!s || !s->count_objects || !s->scan_objects || s->flags & SHRINKER_ALLOCATED) {
		pr_warn("register_shrinker(%p): expected a struct of the caller's with both "
			"callbacks; ignored", (void *)s);
		return -ERR_INVAL;
	}
	if (s->flags & SHRINKER_REGISTERED) {
		pr_warn("register_shrinker(%p): it is registered already; ignored", (void *)s);
		return -ERR_EXIST;
	}
	r = kzalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		return -ERR_NOMEM;
	scnprintf(r->name, sizeof(r->name), "%p", (void *)s);
	r->hook.object = s;
	s->internal = r;
	s->flags |= SHRINKER_REGISTERED;
	if (hook_add(&shrinker_list, &r->hook))
		return 0;
	s->flags &= ~SHRINKER_REGISTERED;
	s->internal = NULL;
	kfree(r);
	return -ERR_BUSY;
}

__km_export void unregister_shrinker(struct shrinker *s)
{
	struct hook *h;

	if (!s || !(s->flags & SHRINKER_REGISTERED))
		return;
	if (s->flags & SHRINKER_ALLOCATED) {
		pr_warn("unregister_shrinker(%p): it came from shrinker_alloc(), expected "
			"shrinker_free(); ignored", (void *)s);
		return;
	}
	h = hook_find(&shrinker_list, s);
	if (!h)
		return;
	switch (hook_remove(&shrinker_list, h)) {
	case HOOK_BUSY:
		pr_warn("unregister_shrinker(%p): called from its own callback, expected a caller "
			"outside of it; it stays registered", (void *)s);
		return;
	case HOOK_GONE:
		kfree(container_of(h, struct shrinker_record, hook));
		break;
	case HOOK_LEFT:
		break;		/* never called again */
	}
	s->internal = NULL;
	s->flags &= ~SHRINKER_REGISTERED;
}

/* ---- the chain of last resort ---- */

unsigned long oom_notify(void)
{
	struct hook_call call = { NULL, 0 };
	unsigned long freed = 0;
	struct hook *h;

	while ((h = hook_next(&oom_list, &call))) {
		struct notifier_block *nb = h->object;

		if (nb->notifier_call(nb, 0, &freed) & NOTIFY_STOP_MASK) {
			hook_stop(&call);
			break;
		}
	}
	return freed;
}

__km_export int register_oom_notifier(struct notifier_block *nb)
{
	struct hook *h;

	if (!nb || !nb->notifier_call) {
		pr_warn("register_oom_notifier(%p): expected a block with a notifier_call; ignored",
			(void *)nb);
		return -ERR_INVAL;
	}
	if (hook_find(&oom_list, nb)) {
		pr_warn("register_oom_notifier(%p): it is registered already; ignored", (void *)nb);
		return -ERR_EXIST;
	}
	h = kzalloc(sizeof(*h), GFP_KERNEL);
	if (!h)
		return -ERR_NOMEM;
	h->object = nb;
	h->priority = nb->priority;
	if (hook_add(&oom_list, h))
		return 0;
	kfree(h);
	return -ERR_BUSY;
}

__km_export int unregister_oom_notifier(struct notifier_block *nb)
{
	struct hook *h = hook_find(&oom_list, nb);

	if (!h)
		return -ERR_NOENT;
	switch (hook_remove(&oom_list, h)) {
	case HOOK_BUSY:
		pr_warn("unregister_oom_notifier(%p): called from its own callback, expected a "
			"caller outside of it; it stays registered", (void *)nb);
		return -ERR_BUSY;
	case HOOK_GONE:
		kfree(h);
		break;
	case HOOK_LEFT:
		break;
	}
	return 0;
}

void shrinker_fork_child(void)
{
	hooks_fork_child(&shrinker_list);
	hooks_fork_child(&oom_list);
}

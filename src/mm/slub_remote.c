// SPDX-License-Identifier: MIT
/*
 * The protocol between homes: remote frees, inboxes, adoption. Layer: mm.
 *
 * Names R1..R3 and E1..E6 and the memory orders are those of the checked model
 * (tests/model/remote-free.pml). In short: who frees an object of a slab that it does not hold
 * sets its bit in the slab's atomic remote bitmap (R1), then adds the number of bits newly set
 * to `pending` (R2); whoever raised that from zero pushes the slab on its owner's inbox (R3).
 * The holder of a home (who has its lock) empties the inbox: takes `pending` (E3), then the
 * remote words (E4), and keeps debt = collected - announced. All objects free with debt 0 means
 * that nobody is between R1 and R3, so the slab may be released (E6). Only who took a slab out
 * of an inbox may exchange its `pending`.
 *
 * owner is stored under both locks, the old owner's and the new one's; the second is only ever
 * tried. The one-word variation of the protocol (slabs of at most 64 objects without pending)
 * is not used: one path for all.
 */
#include "mm/pcpu.h"
#include "mm/purge.h"
#include "kernel/printk.h"

/* slabs pushed since its owner last missed: it may sleep, so a freer empties it */
#define LONG_INBOX	8u
#define ADOPT_MAX	8u	/* slabs adopted at once */

/* R1: mask has no bit twice. The objects' memory is not ours any more afterwards. */
void slab_free_remote(struct slab *slab, unsigned int word, u64 mask, unsigned int *announced)
{
	/* release: the program's last accesses come before the next user's; pairs with E4 */
	u64 old = atomic_fetch_or_explicit(&remote_map(slab)[word], mask, memory_order_release);
	u64 twice = old & mask;

	*announced += hweight64(mask & ~old);
	for (; twice; twice &= twice - 1)
		report_double_free(slab, (void *)(slab->base +
				   (word * 64ul + __ffs64(twice)) * slab->cache->size));
}

/* R3. Returns the owner if its inbox has grown long. */
static struct slab_home *push_inbox(struct slab *slab)
{
	/* acquire: the home's record is initialised; a stale owner passes the slab on */
	struct slab_home *owner = atomic_load_explicit(&slab->owner, memory_order_acquire);
	struct slab *head = atomic_load_explicit(&owner->inbox, memory_order_relaxed);
	u32 len;

	VM_BUG_ON(slab->in_inbox || !atomic_load(&slab->pending));
	if (IS_DEBUG_VM)
		slab->in_inbox = true;
	do {
		atomic_store_explicit(&slab->link, head, memory_order_relaxed);
	/* pairs: home_drain_inbox */
	} while (!atomic_compare_exchange_weak_explicit(
		&owner->inbox, &head, slab, memory_order_release, memory_order_relaxed));
	/* the slab may be gone from here on; the home never is */
	len = atomic_fetch_add_explicit(&owner->inbox_len, 1, memory_order_relaxed) + 1;
	return len >= LONG_INBOX ? owner : NULL;
}

/* R2, R3: n bits were newly set by us. */
struct slab_home *slab_announce(struct slab *slab, unsigned int n)
{
	VM_BUG_ON(n > slab->cache->objects);
	if (!n)
		return NULL;
	/*
	 * release: our bits come before the announcement; acquire: the collector read link
	 * before we write it
	 */
	if (atomic_fetch_add_explicit(&slab->pending, n, memory_order_acq_rel))
		return NULL;	/* someone else carries the slab; it may be gone */
	return push_inbox(slab);
}

/* E3..E6 for a slab that came out of the inbox of h. */
static void collect(struct slab_home *h, struct slab *slab)
{
	unsigned int i, words = (slab->cache->objects + 63) / 64, collected = 0, put = 0;
	u64 *map = free_map(slab);
	u32 announced;

	VM_BUG_ON(!spin_is_mine(&h->lock));
	/*
	 * acquire: the announced bits are visible to E4; release: link was read before anyone
	 * rewrites it
	 */
	announced = atomic_exchange_explicit(&slab->pending, 0, memory_order_acq_rel);
	for (i = 0; i < words; i++) {
		u64 bits, twice;

		if (!atomic_load_explicit(&remote_map(slab)[i], memory_order_relaxed))
			continue;
		bits = atomic_exchange_explicit(&remote_map(slab)[i], 0, memory_order_acquire);
		twice = bits & map[i];
		collected += hweight64(bits);
		put += hweight64(bits & ~map[i]);
		map[i] |= bits;
		slab->hint = MIN(slab->hint, i);
		for (; twice; twice &= twice - 1)
			report_double_free(slab, (void *)(slab->base +
					   (i * 64ul + __ffs64(twice)) * slab->cache->size));
	}
	slab->debt += (s32)(collected - announced);
	VM_BUG_ON(slab->debt < 0);
	slab_put(h, slab, put);
}

/* The lock of h is held. */
void home_drain_inbox(struct slab_home *h)
{
	struct slab *slab, *next;

	if (likely(!atomic_load_explicit(&h->inbox, memory_order_relaxed)))
		return;
	atomic_store_explicit(&h->inbox_len, 0, memory_order_relaxed);
	slab = atomic_exchange_explicit(&h->inbox, NULL, memory_order_acquire);	/* pairs: R3 */
	for (; slab; slab = next) {
		next = atomic_load_explicit(&slab->link, memory_order_relaxed);	/* E1 */
		VM_BUG_ON(IS_DEBUG_VM && !slab->in_inbox);
		if (IS_DEBUG_VM)
			slab->in_inbox = false;
		if (atomic_load_explicit(&slab->owner, memory_order_acquire) == h)	/* E2 */
			collect(h, slab);
		else
			push_inbox(slab);	/* passed on, pending untouched */
	}
}

void home_drain_sleeper(struct slab_home *victim)
{
	if (!spin_trylock(&victim->lock))
		return;		/* someone works there already */
	home_drain_inbox(victim);
	slab_purge_partial_check(victim);
	spin_unlock(&victim->lock);
}

static void adopt_slab(struct slab_home *h, struct slab_home *from, struct slab *slab)
{
	struct kmem_cache *s = slab->cache;
	struct cpu_slabs *to = home_slabs(h, s), *old = home_slabs(from, s);
	unsigned long bytes = (unsigned long)slab->nfree * s->size;

	VM_BUG_ON(!spin_is_mine(&h->lock) || !spin_is_mine(&from->lock));
	if (slab->where == SLAB_PARTIAL)
		list_del(&slab->list);
	else
		old->current = NULL;
	WRITE_ONCE(old->nr_slabs, old->nr_slabs - 1);
	WRITE_ONCE(old->nfree, old->nfree - slab->nfree);
	WRITE_ONCE(from->free_bytes, from->free_bytes - bytes);
	atomic_store_explicit(&slab->owner, h, memory_order_release);
	slab->where = SLAB_PARTIAL;
	list_add(&slab->list, &to->partial);
	WRITE_ONCE(to->nr_slabs, to->nr_slabs + 1);
	WRITE_ONCE(to->nfree, to->nfree + slab->nfree);
	WRITE_ONCE(h->free_bytes, h->free_bytes + bytes);
}

/*
 * Slabs with free objects of homes whose threads all ended; the lock of h is held. True if there
 * was one.
 */
bool home_adopt(struct slab_home *h, struct kmem_cache *s)
{
	unsigned int n = 0;
	struct slab_home *d;

	if (!atomic_load_explicit(&nr_dead_cpus, memory_order_relaxed))
		return false;
	for_each_home(d) {
		struct cpu_slabs *ds = home_slabs(d, s);

		if (d == h || atomic_load_explicit(&d->nr_live, memory_order_relaxed))
			continue;
		if (!READ_ONCE(ds->nfree) && !atomic_load_explicit(&d->inbox, memory_order_relaxed))
			continue;
		if (!spin_trylock(&d->lock))
			continue;
		home_drain_inbox(d);
		if (ds->nr_slabs) {
			if (ds->current && ds->current->nfree) {
				adopt_slab(h, d, ds->current);
				n++;
			}
			while (n < ADOPT_MAX && !list_empty(&ds->partial)) {
				adopt_slab(h, d, list_first_entry(&ds->partial, struct slab, list));
				n++;
			}
		}
		spin_unlock(&d->lock);
		if (n)
			return true;
	}
	return false;
}

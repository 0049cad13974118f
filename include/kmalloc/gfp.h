/* SPDX-License-Identifier: MIT */
/**
 * GFP flags: what an allocation may do to get its memory. Bits and compositions are those of the
 * kernel's include/linux/gfp_types.h; gfp(7) says what each does here and what it does not.
 */
#ifndef KMALLOC_GFP_H
#define KMALLOC_GFP_H

#include <kmalloc/types.h>

/* Where: the highest zone that will do. */
#define __GFP_DMA		((gfp_t)0x1u)	/* addresses below 2 GiB */
#define __GFP_HIGHMEM		((gfp_t)0x2u)	/* anywhere */
#define __GFP_DMA32		((gfp_t)0x4u)	/* addresses below 4 GiB */
#define __GFP_MOVABLE		((gfp_t)0x8u)	/* may be moved: a hint */
#define GFP_ZONEMASK		((gfp_t)0xfu)

#define __GFP_RECLAIMABLE	((gfp_t)0x10u)	/* a shrinker can free it: kmalloc-rcl caches */
#define __GFP_HIGH		((gfp_t)0x20u)	/* may use half of the reserve */
#define __GFP_IO		((gfp_t)0x40u)	/* reclaim may run shrinkers that do I/O */
#define __GFP_FS		((gfp_t)0x80u)	/* ... that call into their owner */
#define __GFP_ZERO		((gfp_t)0x100u)	/* zeroed */
#define __GFP_DIRECT_RECLAIM	((gfp_t)0x400u)	/* may sleep and reclaim */
#define __GFP_KSWAPD_RECLAIM	((gfp_t)0x800u)	/* wakes kswapd */
#define __GFP_WRITE		((gfp_t)0x1000u)	/* of no effect here */
#define __GFP_NOWARN		((gfp_t)0x2000u)	/* fails without a report */
#define __GFP_RETRY_MAYFAIL	((gfp_t)0x4000u)	/* tries hard, but may fail */
#define __GFP_NOFAIL		((gfp_t)0x8000u)	/* waits for ever */
#define __GFP_NORETRY		((gfp_t)0x10000u)	/* one light round of reclaim */
#define __GFP_MEMALLOC		((gfp_t)0x20000u)	/* may use all of the reserve */
#define __GFP_COMP		((gfp_t)0x40000u)	/* a compound block */
#define __GFP_NOMEMALLOC	((gfp_t)0x80000u)	/* none of the reserve */
#define __GFP_HARDWALL		((gfp_t)0x100000u)	/* of no effect here */
#define __GFP_THISNODE		((gfp_t)0x200000u)	/* from that node or not at all */
#define __GFP_ACCOUNT		((gfp_t)0x400000u)	/* kmalloc-cg caches */
#define __GFP_ZEROTAGS		((gfp_t)0x800000u)	/* of no effect here */
#define __GFP_NO_OBJ_EXT	((gfp_t)0x1000000u)	/* of no effect here */

/* Of no effect outside the kernel. */
#define __GFP_SKIP_ZERO		((gfp_t)0u)
#define __GFP_SKIP_KASAN	((gfp_t)0u)
#define __GFP_NOLOCKDEP		((gfp_t)0u)

#define __GFP_BITS_SHIFT	25
#define __GFP_BITS_MASK		((gfp_t)((1u << __GFP_BITS_SHIFT) - 1))

#define __GFP_RECLAIM		((gfp_t)(__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM))

#define GFP_ATOMIC		(__GFP_HIGH | __GFP_KSWAPD_RECLAIM)
#define GFP_ATOMIC_RT		GFP_ATOMIC
#define GFP_KERNEL		(__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_KERNEL_ACCOUNT	(GFP_KERNEL | __GFP_ACCOUNT)
#define GFP_NOWAIT		(__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)
#define GFP_NOIO		(__GFP_RECLAIM)
#define GFP_NOFS		(__GFP_RECLAIM | __GFP_IO)
#define GFP_USER		(GFP_KERNEL | __GFP_HARDWALL)
#define GFP_DMA			__GFP_DMA
#define GFP_DMA32		__GFP_DMA32
#define GFP_HIGHUSER		(GFP_USER | __GFP_HIGHMEM)
#define GFP_HIGHUSER_MOVABLE	(GFP_HIGHUSER | __GFP_MOVABLE | __GFP_SKIP_KASAN)
#define GFP_TRANSHUGE_LIGHT \
	((GFP_HIGHUSER_MOVABLE | __GFP_COMP | __GFP_NOMEMALLOC | __GFP_NOWARN) & ~__GFP_RECLAIM)
#define GFP_TRANSHUGE		(GFP_TRANSHUGE_LIGHT | __GFP_DIRECT_RECLAIM)

/* Names of older kernels, with today's bits. */
#define __GFP_WAIT		__GFP_RECLAIM
#define __GFP_REPEAT		__GFP_RETRY_MAYFAIL
#define __GFP_COLD		((gfp_t)0u)
#define __GFP_NO_GROW		((gfp_t)0u)
#define __GFP_NOTRACK		((gfp_t)0u)
#define __GFP_OTHER_NODE	((gfp_t)0u)
#define __GFP_ATOMIC		((gfp_t)0u)
#define GFP_TEMPORARY		(GFP_KERNEL | __GFP_RECLAIMABLE)
#define GFP_IOFS		(__GFP_IO | __GFP_FS)
#define GFP_NOFS_PAGECACHE	(GFP_NOFS | __GFP_MOVABLE)
#define GFP_USER_PAGECACHE	(GFP_USER | __GFP_MOVABLE)
#define GFP_HIGHUSER_PAGECACHE	(GFP_HIGHUSER | __GFP_MOVABLE)
#define GFP_THISNODE		(__GFP_THISNODE | __GFP_NOWARN | __GFP_NORETRY)

#define GFP_RECLAIM_MASK \
	(__GFP_RECLAIM | __GFP_HIGH | __GFP_IO | __GFP_FS | __GFP_NOWARN | __GFP_RETRY_MAYFAIL | \
	 __GFP_NOFAIL | __GFP_NORETRY | __GFP_MEMALLOC | __GFP_NOMEMALLOC | __GFP_NOLOCKDEP)
#define GFP_CONSTRAINT_MASK	(__GFP_HARDWALL | __GFP_THISNODE)
#define GFP_BOOT_MASK		(__GFP_BITS_MASK & ~(__GFP_RECLAIM | __GFP_IO | __GFP_FS))
#define GFP_SLAB_BUG_MASK	(__GFP_DMA32 | __GFP_HIGHMEM | ~__GFP_BITS_MASK)

KMALLOC_BEGIN_DECLS

/** Whether the request may sleep and reclaim. Follows include/linux/gfp.h, as the next ones. */
static inline bool gfpflags_allow_blocking(gfp_t flags)
{
	return flags & __GFP_DIRECT_RECLAIM;
}

/** False: a context that may only try locks. */
static inline bool gfpflags_allow_spinning(gfp_t flags)
{
	return flags & __GFP_RECLAIM;
}

/** True: sleeping is allowed and the reserve is not: no context of reclaim or interrupts. */
static inline bool gfpflags_normal_context(gfp_t flags)
{
	return (flags & (__GFP_DIRECT_RECLAIM | __GFP_MEMALLOC)) == __GFP_DIRECT_RECLAIM;
}

/** Whether reclaim may do everything: neither GFP_NOIO nor GFP_NOFS. */
static inline bool gfp_has_io_fs(gfp_t flags)
{
	return (flags & (__GFP_IO | __GFP_FS)) == (__GFP_IO | __GFP_FS);
}

/** Whether the kernel would compact memory for it; nothing here does. */
static inline bool gfp_compaction_allowed(gfp_t flags)
{
	return flags & __GFP_IO;
}

/** The flags for metadata that is allocated inside an allocation with these. */
static inline gfp_t gfp_nested_mask(gfp_t flags)
{
	return (flags & (GFP_KERNEL | GFP_ATOMIC | __GFP_NOLOCKDEP)) |
	       __GFP_NORETRY | __GFP_NOMEMALLOC | __GFP_NOWARN;
}

/**
 * might_alloc - says that the caller may allocate with these flags soon. The kernel's debugging
 * aid of include/linux/sched/mm.h, as the next two: here nothing is checked.
 */
static inline void might_alloc(gfp_t flags)
{
	(void)flags;
}

static inline void fs_reclaim_acquire(gfp_t flags)
{
	(void)flags;
}

static inline void fs_reclaim_release(gfp_t flags)
{
	(void)flags;
}

/** Bits of memalloc_flags_save(); values as in the kernel's include/linux/sched.h. */
#define PF_MEMALLOC		0x00000800u
#define PF_MEMALLOC_NOFS	0x00040000u
#define PF_MEMALLOC_NOIO	0x00080000u
#define PF_MEMALLOC_PIN		0x10000000u

/**
 * Scopes: until the matching restore, every allocation of the calling thread, malloc included, is
 * made as if its flags lacked (or, noreclaim, had) what the name says. Each save returns what its
 * restore takes, so scopes nest; scopes of one kind end in the reverse order of their begin. noio
 * clears __GFP_IO and __GFP_FS, nofs clears __GFP_FS, pin clears __GFP_MOVABLE, noreclaim gives
 * all reserves and keeps the thread out of reclaim. A new thread starts without, a fork child
 * keeps its thread's, a signal handler runs in the scope that it interrupts. They never fail and
 * may be called anywhere. Follows include/linux/sched/mm.h.
 */
unsigned int memalloc_noio_save(void) KMALLOC_LINK_NAME(memalloc_noio_save);
void memalloc_noio_restore(unsigned int flags) KMALLOC_LINK_NAME(memalloc_noio_restore);
unsigned int memalloc_nofs_save(void) KMALLOC_LINK_NAME(memalloc_nofs_save);
void memalloc_nofs_restore(unsigned int flags) KMALLOC_LINK_NAME(memalloc_nofs_restore);
unsigned int memalloc_noreclaim_save(void) KMALLOC_LINK_NAME(memalloc_noreclaim_save);
void memalloc_noreclaim_restore(unsigned int flags) KMALLOC_LINK_NAME(memalloc_noreclaim_restore);
unsigned int memalloc_pin_save(void) KMALLOC_LINK_NAME(memalloc_pin_save);
void memalloc_pin_restore(unsigned int flags) KMALLOC_LINK_NAME(memalloc_pin_restore);

/**
 * memalloc_flags_save - begins several scopes at once: flags is an OR of PF_MEMALLOC bits, other
 * bits are ignored. Result: those that this call set, for memalloc_flags_restore().
 */
unsigned int memalloc_flags_save(unsigned int flags) KMALLOC_LINK_NAME(memalloc_flags_save);
void memalloc_flags_restore(unsigned int flags) KMALLOC_LINK_NAME(memalloc_flags_restore);

/** Zones, lowest first. HIGHMEM memory is NORMAL memory on 64-bit machines. */
enum zone_type {
	ZONE_DMA,		/* below 2 GiB of virtual address */
	ZONE_DMA32,		/* below 4 GiB */
	ZONE_NORMAL,
	ZONE_HIGHMEM = ZONE_NORMAL,
	ZONE_MOVABLE,		/* has no memory: requests for it are served from the others */
	__MAX_NR_ZONES
};

/** Mobility, a hint. Follows include/linux/mmzone.h. */
enum migratetype {
	MIGRATE_UNMOVABLE,
	MIGRATE_MOVABLE,
	MIGRATE_RECLAIMABLE,
	MIGRATE_PCPTYPES,
	MIGRATE_HIGHATOMIC = MIGRATE_PCPTYPES,
	MIGRATE_TYPES
};

/**
 * The highest zone that serves the request, of __GFP_DMA, __GFP_DMA32, __GFP_HIGHMEM and
 * __GFP_MOVABLE; where several exclude each other the lowest. Follows include/linux/gfp.h.
 */
static inline enum zone_type gfp_zone(gfp_t flags)
{
	if (flags & __GFP_DMA)
		return ZONE_DMA;
	if (flags & __GFP_DMA32)
		return ZONE_DMA32;
	return (flags & (__GFP_MOVABLE | __GFP_HIGHMEM)) == (__GFP_MOVABLE | __GFP_HIGHMEM) ?
		ZONE_MOVABLE : ZONE_NORMAL;
}

/** MIGRATE_TYPES, which is none, for __GFP_MOVABLE with __GFP_RECLAIMABLE. */
static inline enum migratetype gfp_migratetype(gfp_t flags)
{
	gfp_t bits = (flags & (__GFP_MOVABLE | __GFP_RECLAIMABLE)) >> 3;

	return bits == 3 ? MIGRATE_TYPES : (enum migratetype)bits;
}

/**
 * Pages. A block is 2^order pages that follow each other, aligned to its size, order 0 to
 * MAX_PAGE_ORDER, which is 10. It belongs to one who holds a reference to its first page; there
 * is one at first. With __GFP_COMP the block is compound: all of its pages know their first, and
 * the last reference frees all of them. Memory is not zeroed without __GFP_ZERO or the option
 * init_on_alloc. All flags of gfp(7) are honoured; bits that there are not are ignored, with a
 * line on stderr once. Any thread may free. Struct page: see <kmalloc/mm.h>. Follow
 * mm/page_alloc.c and include/linux/gfp.h of the kernel.
 */

/**
 * alloc_pages - a block; the struct page of its first page. Result: NULL without memory as the
 * flags allow, or, with a line on stderr once, not with __GFP_NOWARN, for an order above
 * MAX_PAGE_ORDER.
 */
struct page *alloc_pages(gfp_t gfp, unsigned int order) KMALLOC_LINK_NAME(alloc_pages);

/**
 * alloc_pages_node - alloc_pages() near a node of the machine, -1 for the nearest. There is node
 * 0 here: for another one memory is of node 0, or, with __GFP_THISNODE, NULL.
 */
struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned int order)
	KMALLOC_LINK_NAME(alloc_pages_node);

/** __get_free_pages - alloc_pages() as an address, 0 without memory. Ignores __GFP_HIGHMEM. */
unsigned long __get_free_pages(gfp_t gfp, unsigned int order) KMALLOC_LINK_NAME(__get_free_pages);

/**
 * alloc_pages_exact - size bytes, rounded up to pages, at most 4 MiB where pages are 4 KiB. The
 * rest of the block that it takes is free again at once. Result: the address; NULL as
 * alloc_pages(), and for size 0. __GFP_COMP and __GFP_HIGHMEM are ignored, with a line once.
 */
void *alloc_pages_exact(size_t size, gfp_t gfp) KMALLOC_LINK_NAME(alloc_pages_exact);

/** free_pages_exact - frees what alloc_pages_exact() returned; size as it was given. */
void free_pages_exact(void *virt, size_t size) KMALLOC_LINK_NAME(free_pages_exact);

/**
 * alloc_pages_bulk - a page for each element of page_array[0 .. nr_pages - 1] that is NULL, of
 * order 0. Result: the index of the first element that is still NULL, nr_pages where none is.
 */
unsigned long alloc_pages_bulk(gfp_t gfp, unsigned long nr_pages, struct page **page_array)
	KMALLOC_LINK_NAME(alloc_pages_bulk);

/**
 * alloc_pages_nolock - a zeroed compound block without waiting for any lock and without a
 * message: for signal handlers. gfp: 0 or __GFP_ACCOUNT; others are ignored, with a line once.
 */
struct page *alloc_pages_nolock(gfp_t gfp, int nid, unsigned int order)
	KMALLOC_LINK_NAME(alloc_pages_nolock);

/** free_pages_nolock - __free_pages() that waits for no lock and makes no system call. */
void free_pages_nolock(struct page *page, unsigned int order)
	KMALLOC_LINK_NAME(free_pages_nolock);

/**
 * __free_pages - one reference to the block less. The last one frees 2^order pages. If it was not
 * the last, a compound block stays; of any other block all but the first page is freed at once.
 * A lower order than the block has leaks what is behind. A block that is not allocated, or a
 * higher order, is left alone, and a compound block is freed by its own order, each with a line
 * `BUG: Bad page state`, at most 60 a minute.
 */
void __free_pages(struct page *page, unsigned int order) KMALLOC_LINK_NAME(__free_pages);

/** free_pages - __free_pages() by address; 0 is ignored. */
void free_pages(unsigned long addr, unsigned int order) KMALLOC_LINK_NAME(free_pages);

/** alloc_page - alloc_pages() of order 0. */
static inline struct page *alloc_page(gfp_t gfp)
{
	return alloc_pages(gfp, 0);
}

/** __get_free_page - the address of a page, or 0. */
static inline unsigned long __get_free_page(gfp_t gfp)
{
	return __get_free_pages(gfp, 0);
}

/** get_zeroed_page - the address of a page full of zeros, or 0. */
static inline unsigned long get_zeroed_page(gfp_t gfp)
{
	return __get_free_pages(gfp | __GFP_ZERO, 0);
}

/** __get_dma_pages - __get_free_pages() with GFP_DMA. */
static inline unsigned long __get_dma_pages(gfp_t gfp, unsigned int order)
{
	return __get_free_pages(gfp | GFP_DMA, order);
}

/** __free_page - __free_pages() of order 0. */
static inline void __free_page(struct page *page)
{
	__free_pages(page, 0);
}

/** free_page - free_pages() of order 0. */
static inline void free_page(unsigned long addr)
{
	free_pages(addr, 0);
}

KMALLOC_END_DECLS

#endif

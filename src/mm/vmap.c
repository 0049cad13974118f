// SPDX-License-Identifier: MIT
/*
 * vmap(): pages that lie anywhere, seen at contiguous addresses too; and areas of addresses alone.
 * Layer: mm. Leads in: vmap, vunmap, vmap_free (through vm_unshare).
 *
 * A process cannot map its private memory twice. So the content of the pages goes to a file
 * without a name (memfd), which is then mapped over the pages' own addresses and at the area;
 * what was mapped so before, by another vmap(), is aliased from there. The last vunmap() of a
 * page maps a private copy over it. Each of these replaces the mapping of an address in one step:
 * a reader sees the content all the time, a writer's words may be lost.
 *
 * Areas of vmap() keep, behind a copy of the caller's array, the pages' addresses in order, each
 * once. They are on share.areas by their lru. vmap_share_lock (the last rank: its holder waits for
 * no other lock, and only tries vmap_lock) guards that, and is held while mappings are exchanged,
 * which may take long: it is tried again and again instead of waited for, so that nobody takes its
 * holder for lost. A fork waits for it as for the others, 2 s. If that was too short, or without
 * fork handlers, a child finds it held for ever, and its vmap() and vunmap() fail.
 */
#include "lib/small.h"
#include "mm/entry.h"
#include "mm/page_alloc.h"
#include "mm/purge.h"
#include "mm/util.h"
#include "mm/vmap_area.h"
#include "kernel/printk.h"
#include "os/os.h"

#define LOCK_TRIES	20000u	/* of 50 us and more */
#define LOCK_SLEEP_US	50u
#define FORK_TRIES	60000u	/* the same while a fork is under way: about 3 s and more */

spinlock_t vmap_share_lock;

static struct {
	bool ready;
	struct list_head areas;
} share;

/* A vmap() under way, or an area of one. */
struct page_set {
	struct page **pages;		/* in the caller's order */
	unsigned long *addrs;		/* sorted, each once */
	unsigned int count, nr_addrs;
	int fd;				/* what was not shared before: page i of it is addrs[i] */
};

static bool lock_share(bool may_wait)
{
	unsigned int i, forks = 0;

	for (i = 0; i < (may_wait ? LOCK_TRIES : 1); i++) {
		if (spin_trylock(&vmap_share_lock)) {
			if (!share.ready)
				INIT_LIST_HEAD(&share.areas);
			share.ready = true;
			return true;
		}
		/* a child has waited for it before, or who forked it has */
		if (spin_is_mine(&vmap_share_lock) ||
		    (READ_ONCE(vmap_share_lock.lost) && READ_ONCE(fork_generation)))
			return false;
		if (READ_ONCE(fork_under_way) && forks < FORK_TRIES) {
			i = 0;
			forks++;
		}
		os_sleep_us(LOCK_SLEEP_US);
	}
	if (may_wait && READ_ONCE(fork_generation))
		WRITE_ONCE(vmap_share_lock.lost, true);
	return false;
}

/* ---- addresses of pages ---- */

static unsigned long address_in_section(const struct page *page, unsigned long section)
{
	unsigned long map = (unsigned long)virt_to_page(section), at = (unsigned long)page;

	if (!map || at < map || at - map >= SECTION_FRAMES * sizeof(struct page))
		return 0;
	return section + (at - map) / sizeof(struct page) * FRAME_SIZE;
}

unsigned long vm_page_address(const struct page *page)
{
	static _Atomic unsigned long last;	/* section in which one was found */
	unsigned long addr = page->virtual, i, s;

	if (addr && virt_to_page(addr) == page)
		return addr;
	addr = address_in_section(page, atomic_load_explicit(&last, memory_order_relaxed));
	for (i = 0; !addr && i < LEVEL1_ENTRIES; i++) {
		for (s = 0; !addr && leaf_of(i << LEAF_SHIFT) && s < LEAF_SECTIONS; s++)
			addr = address_in_section(page, (i << LEAF_SHIFT) + s * SECTION_SIZE);
	}
	if (addr)
		atomic_store_explicit(&last, ALIGN_DOWN(addr, SECTION_SIZE), memory_order_relaxed);
	return addr;
}

static void sift_down(unsigned long *a, unsigned int n, unsigned int i)
{
	unsigned int child;

	for (; (child = 2 * i + 1) < n; i = child) {
		unsigned long tmp = a[i];

		if (child + 1 < n && a[child + 1] > a[child])
			child++;
		if (tmp >= a[child])
			return;
		a[i] = a[child];
		a[child] = tmp;
	}
}

static void sort_addresses(unsigned long *a, unsigned int n)
{
	unsigned int i;

	for (i = n / 2; i--; )
		sift_down(a, n, i);
	while (n-- > 1) {
		unsigned long tmp = a[0];

		a[0] = a[n];
		a[n] = tmp;
		sift_down(a, n, 0);
	}
}

/* Its place among the sorted addresses, or -1. */
static long find_address(const unsigned long *a, unsigned int n, unsigned long addr)
{
	unsigned int lo = 0, hi = n;

	while (lo < hi) {
		unsigned int mid = lo + (hi - lo) / 2;

		if (a[mid] < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && a[lo] == addr ? (long)lo : -1;
}

static bool fill_set(struct page_set *set, struct page *const *pages)
{
	unsigned int i, n = 0;

	memcpy(set->pages, pages, set->count * sizeof(void *));
	for (i = 0; i < set->count; i++) {
		set->addrs[i] = pages[i] ? vm_page_address(pages[i]) : 0;
		if (!set->addrs[i] || !IS_ALIGNED(set->addrs[i], PAGE_SIZE)) {
			pr_warn("vmap: page %u, %p, is no page of alloc_pages() or of an area", i,
				(void *)pages[i]);
			return false;
		}
	}
	sort_addresses(set->addrs, set->count);
	for (i = 0; i < set->count; i++)
		if (!i || set->addrs[i] != set->addrs[i - 1])
			set->addrs[n++] = set->addrs[i];
	set->nr_addrs = n;
	return true;
}

/* ---- sharing; vmap_share_lock held ---- */

static void set_of_area(struct page_set *set, const struct vmap_area *vm)
{
	set->pages = vm->pub.pages;
	set->count = vm->pub.nr_pages;
	set->addrs = (unsigned long *)(void *)(set->pages + set->count);
	set->nr_addrs = vm->nr_addrs;
	set->fd = -1;
}

/* Some area on the list has the page. */
static bool is_shared(unsigned long addr)
{
	struct vmap_area *vm;

	list_for_each_entry(vm, &share.areas, lru) {
		struct page_set set;

		set_of_area(&set, vm);
		if (find_address(set.addrs, set.nr_addrs, addr) >= 0)
			return true;
	}
	return false;
}

/* How many addresses from i on are neighbours that no area has; 0: one has i. */
static unsigned int private_run(const struct page_set *set, unsigned int i)
{
	unsigned int n = 0;

	while (i + n < set->nr_addrs && set->addrs[i + n] == set->addrs[i] + n * PAGE_SIZE &&
	       !is_shared(set->addrs[i + n]))
		n++;
	return n;
}

static bool share_run(struct page_set *set, unsigned int i, unsigned int n)
{
	void *p = (void *)set->addrs[i];
	size_t bytes = n * PAGE_SIZE, offset = i * PAGE_SIZE;

	return os_shared_fill(set->fd, p, bytes, offset) &&
	       os_map_shared_over(p, bytes, set->fd, offset);
}

/* Where the system refuses, the pages stay shared: only a fork could tell. */
static void unshare_run(unsigned long addr, size_t bytes)
{
	void *copy = os_map(NULL, bytes);

	if (!copy)
		return;
	os_nohugepage(copy, bytes);
	memcpy(copy, (void *)addr, bytes);
	if (os_remap(copy, bytes, (void *)addr, bytes))
		return;
	/* what was there may be unmapped all the same */
	if (os_map_over((void *)addr, bytes))
		memcpy((void *)addr, copy, bytes);
	os_unmap(copy, bytes);
}

/* The addresses below end that no area on the list has. */
static void unshare_set(const struct page_set *set, unsigned int end)
{
	unsigned int i, n;

	for (i = 0; i < end; i += MAX(n, 1u)) {
		n = MIN(private_run(set, i), end - i);
		if (n)
			unshare_run(set->addrs[i], n * PAGE_SIZE);
	}
}

static bool share_set(struct page_set *set)
{
	unsigned int i, n;

	set->fd = os_shared_create(set->nr_addrs * PAGE_SIZE);
	if (set->fd < 0)
		return false;
	for (i = 0; i < set->nr_addrs; i += MAX(n, 1u)) {
		n = private_run(set, i);
		if (n && !share_run(set, i, n)) {
			unshare_set(set, i);
			return false;
		}
	}
	return true;
}

/* Maps page i of the set at `to`, and with it those behind that lie so in the file; how many. */
static unsigned int map_some(const struct page_set *set, unsigned int i, unsigned long to)
{
	unsigned long addr = vm_page_address(set->pages[i]);
	long at = find_address(set->addrs, set->nr_addrs, addr);
	unsigned int n = 1;

	if (is_shared(addr))
		return os_alias_shared((void *)addr, PAGE_SIZE, (void *)to);
	while (i + n < set->count && (unsigned long)at + n < set->nr_addrs &&
	       vm_page_address(set->pages[i + n]) == addr + n * PAGE_SIZE &&
	       set->addrs[at + n] == addr + n * PAGE_SIZE && !is_shared(addr + n * PAGE_SIZE))
		n++;
	return os_map_shared_over((void *)to, n * PAGE_SIZE, set->fd, (size_t)at * PAGE_SIZE) ?
		       n : 0;
}

static bool map_set(const struct page_set *set, unsigned long to)
{
	unsigned int i, n;

	for (i = 0; i < set->count; i += n) {
		n = map_some(set, i, to + i * PAGE_SIZE);
		if (!n)
			return false;
	}
	return true;
}

/* An area that shows the pages; NULL, all as it was, where the system refuses. */
static struct vmap_area *share_area(struct page_set *set, bool read_only)
{
	size_t size = set->count * PAGE_SIZE;
	struct vmap_area *vm = vm_alloc_area_alone(vm_area_bytes(size), PAGEBLOCK_SIZE, 0, false);
	bool shared = false;

	if (!vm)
		return NULL;
	shared = share_set(set);
	if (shared && map_set(set, vm->addr) &&
	    (!read_only || os_protect((void *)vm->addr, size, OS_READ))) {
		vm_make_busy(vm, size);
		vm_make_guard(vm);
		vm->once = true;
		vm->nr_addrs = set->nr_addrs;
		vm_show(vm, size);
		vm->pub.pages = set->pages;
		vm->pub.flags = VM_MAP;
		purge_account_alloc(used_frames(vm->bytes), used_frames(vm->bytes));
		list_add(&vm->lru, &share.areas);
	} else {
		if (shared)
			unshare_set(set, set->nr_addrs);
		if (vm_unmap(vm)) {
			vm->state = VM_UNUSED;
			llist_add(&vm->deferred, &vmap_state.spare);
		}
		vm = NULL;
	}
	if (set->fd >= 0)
		os_close(set->fd);
	return vm;
}

void vm_warn_kept(const char *function, const void *addr)
{
	pr_warn("%s(%p): another thread's vmap() or vunmap(), or one that a fork cut off, is in the "
		"way; the area stays", function, addr);
}

bool vm_unshare(struct vmap_area *vm)
{
	struct page_set set;
	unsigned int i;

	if (!lock_share(true))
		return false;
	list_del(&vm->lru);
	set_of_area(&set, vm);
	unshare_set(&set, set.nr_addrs);
	spin_unlock(&vmap_share_lock);
	for (i = 0; vm->put_pages && i < set.count; i++)
		__free_pages(set.pages[i], 0);
	slab_free(set.pages);
	if (vm->put_pages)
		slab_free(vm->put_pages);
	return true;
}

/* ---- the API ---- */

/* Room for both arrays of a set of count pages. */
static bool alloc_set(struct page_set *set, unsigned int count)
{
	set->pages = kvmalloc_size(count * (sizeof(void *) + sizeof(unsigned long)));
	set->addrs = (unsigned long *)(void *)(set->pages + count);
	set->count = count;
	set->fd = -1;
	return set->pages != NULL;
}

static unsigned long fix_map_flags(unsigned long flags)
{
	static _Atomic bool warned;

	if (flags & VM_NO_GUARD && vm_first_time(&warned))
		pr_warn("vmap: flags 0x%lx, expected no VM_NO_GUARD: every area has a guard",
			flags);
	return (flags & ~VM_NO_GUARD) | VM_MAP;
}

static void *vmap_pages(struct page **pages, unsigned int count, unsigned long flags,
			pgprot_t prot, const void *caller)
{
	struct vmap_area *vm = NULL;
	unsigned int flags_before;
	struct slow_entry e;
	struct page_set set;

	if (!pages || !count || count > os_totalram() >> os_page_shift)
		return NULL;
	if (!alloc_set(&set, count))
		return NULL;
	if (!fill_set(&set, pages)) {
		slab_free(set.pages);
		return NULL;
	}
	slow_enter_alloc(&e, cpu_enter());
	flags_before = may_block_save();
	if (lock_share(!e.nested)) {
		vm = share_area(&set, !(prot.pgprot & 2));
		if (vm) {
			vm->put_pages = flags & VM_MAP_PUT_PAGES ? pages : NULL;
			vm->pub.caller = caller;
			vm->pub.flags = fix_map_flags(flags);
		}
		spin_unlock(&vmap_share_lock);
	}
	may_block_restore(flags_before);
	slow_leave(&e);
	if (!vm) {
		slab_free(set.pages);
		os_set_errno_enomem();
		pr_warn("vmap: %u pages: the system gives no shared memory (memfd_create, mmap)",
			count);
		return NULL;
	}
	return (void *)vm->addr;
}

__km_export void *vmap(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot)
{
	return vmap_pages(pages, count, flags, prot, __builtin_return_address(0));
}

static struct vmap_area *find_map(const void *addr)
{
	struct vmap_area *vm = find_vmap_area(addr);

	return vm && vm->pub.flags & VM_MAP ? vm : NULL;
}

static bool free_area(struct vmap_area *vm)
{
	struct slow_entry e;
	bool freed;

	slow_enter_free(&e, cpu_enter());
	freed = vmap_free(vm, !e.nested);
	slow_leave(&e);
	return freed;
}

__km_export void vunmap(const void *addr)
{
	struct vmap_area *vm;

	if (!addr)
		return;
	vm = find_map(addr);
	if (vm)		/* pages and array stay the caller's */
		vm->put_pages = NULL;
	if (vm && free_area(vm))
		return;
	if (vm && vm_is_busy(vm))
		vm_warn_kept("vunmap", addr);
	else
		pr_warn("Trying to vunmap() nonexistent vm area (%p)", addr);
}

__km_export void *vm_map_ram(struct page **pages, unsigned int count, int node)
{
	(void)node;
	return vmap_pages(pages, count, VM_MAP, PAGE_KERNEL, __builtin_return_address(0));
}

__km_export void vm_unmap_ram(const void *mem, unsigned int count)
{
	struct vmap_area *vm = find_map(mem);

	if (!vm || vm->pub.nr_pages != count)
		report_bug("vm_unmap_ram of %p, %u pages: vm_map_ram() made no such mapping", mem,
			   count);
	else
		vunmap(mem);
}

__km_export struct vm_struct *get_vm_area(unsigned long size, unsigned long flags)
{
	struct vmap_area *vm = NULL;
	size_t bytes = vm_area_bytes(size);
	unsigned int flags_before;
	struct slow_entry e;

	if (!size || !bytes || size > PTRDIFF_MAX)
		return NULL;
	slow_enter_alloc(&e, cpu_enter());
	flags_before = may_block_save();
	vm = vm_alloc_area_alone(bytes, PAGEBLOCK_SIZE, 0, false);
	may_block_restore(flags_before);
	if (vm) {
		os_map_none_over((void *)vm->addr, bytes);
		vm_make_busy(vm, size);
		vm->once = true;
		vm_show(vm, size);
		vm->pub.nr_pages = 0;
		vm->pub.pages = NULL;
		vm->pub.caller = __builtin_return_address(0);
		vm->pub.flags = (flags & ~(VM_MAP | VM_ALLOC | VM_NO_GUARD)) | VM_IOREMAP;
		purge_account_alloc(used_frames(bytes), used_frames(bytes));
	}
	slow_leave(&e);
	return vm ? &vm->pub : NULL;
}

__km_export void free_vm_area(struct vm_struct *area)
{
	struct vmap_area *vm = area ? find_vmap_area(area->addr) : NULL;

	if (!vm || &vm->pub != area || !free_area(vm))
		pr_warn("free_vm_area(%p), expected an area of get_vm_area()", (void *)area);
}

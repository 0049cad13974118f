// SPDX-License-Identifier: MIT
/*
 * Which addresses are ours, and as what. Layer: mm. Leads in: own_ranges_add. Reads class map,
 * mem_map and vmalloc index without a lock: records and maps are never unmapped, and what a record
 * says is believed only as far as it makes sense.
 */
#include "lib/small.h"
#include "mm/mm_snapshot.h"
#include "mm/meta.h"
#include "mm/vmap_area.h"

#define FIRST_BYTES	(64ul << 10)

static void add(struct own_ranges *r, const struct own_range *new)
{
	struct own_range *more, *last = r->nr ? &r->range[r->nr - 1] : NULL;
	size_t bytes = r->bytes ? 2 * r->bytes : FIRST_BYTES;

	if (last && last->kind == new->kind && last->end == new->start &&
	    new->kind != KMALLOC_VMA_VMALLOC) {
		last->end = new->end;
		return;
	}
	if (!r->range || (r->nr + 1) * sizeof(*new) > r->bytes) {
		more = os_map(NULL, bytes);
		if (!more)
			return;
		if (r->range) {
			memcpy(more, r->range, r->nr * sizeof(*new));
			os_unmap(r->range, r->bytes);
		}
		r->range = more;
		r->bytes = bytes;
	}
	r->range[r->nr++] = *new;
}

/* The pageblock at addr belongs to a block of the buddy allocator, or to a slab. */
static bool is_direct_map(unsigned long addr)
{
	unsigned long align = PAGEBLOCK_SIZE, max = PAGE_SIZE << MAX_PAGE_ORDER;

	for (; align <= MAX(max, PAGEBLOCK_SIZE); align *= 2) {
		unsigned long head = ALIGN_DOWN(addr, align);
		struct page *page = virt_to_page(head);

		if (!page)
			return false;
		if (READ_ONCE(page->state) == PAGE_NONE)
			continue;
		return head == addr || head + (PAGE_SIZE << READ_ONCE(page->order)) > addr;
	}
	return false;
}

/* The area that begins at addr; its size in bytes, 0 if there is none. */
static size_t add_vmalloc(struct own_ranges *r, unsigned long addr)
{
	struct vmap_area *vm = vm_at(addr);
	size_t bytes = vm ? READ_ONCE(vm->bytes) : 0;
	struct own_range new = { .start = addr, .end = addr + bytes };
	unsigned int state;

	if (!bytes || READ_ONCE(vm->addr) != addr || !IS_ALIGNED(bytes, PAGEBLOCK_SIZE) ||
	    new.end <= addr)
		return 0;
	state = atomic_load_explicit(&vm->state, memory_order_relaxed);
	if (state == VM_UNUSED)
		return 0;
	new.kind = KMALLOC_VMA_VMALLOC_FREE;
	if (state == VM_BUSY) {
		new.kind = KMALLOC_VMA_VMALLOC;
		new.size = MIN(READ_ONCE(vm->size), bytes);
		new.caller = READ_ONCE(vm->pub.caller);
	}
	add(r, &new);
	return bytes;
}

void own_ranges_add(struct own_ranges *r, unsigned long start, unsigned long end)
{
	unsigned long a = ALIGN_DOWN(start, PAGEBLOCK_SIZE);
	size_t bytes;

	while (a < end) {
		if (!leaf_of(a)) {
			a = ALIGN_DOWN(a, LEAF_SIZE) + LEAF_SIZE;
			continue;
		}
		bytes = add_vmalloc(r, a);
		if (!bytes) {
			bytes = PAGEBLOCK_SIZE;
			if (is_direct_map(a))
				add(r, &(struct own_range){
					.start = a,
					.end = a + bytes,
					.kind = KMALLOC_VMA_DIRECT_MAP,
				});
		}
		a += bytes;
	}
}

static void add_record(unsigned long addr, size_t size, void *arg)
{
	add(arg, &(struct own_range){
		.start = addr,
		.end = addr + size,
		.kind = KMALLOC_VMA_METADATA,
	});
}

void own_ranges_add_metadata(struct own_ranges *r)
{
	meta_for_each_mapping(add_record, r);
}

/* Shell sort: nearly in order already. */
void own_ranges_sort(struct own_ranges *r)
{
	size_t gap, i, k;

	for (gap = r->nr / 2; gap; gap /= 2) {
		for (i = gap; i < r->nr; i++) {
			struct own_range x = r->range[i];

			for (k = i; k >= gap && r->range[k - gap].start > x.start; k -= gap)
				r->range[k] = r->range[k - gap];
			r->range[k] = x;
		}
	}
}

void own_ranges_free(struct own_ranges *r)
{
	if (r->bytes)
		os_unmap(r->range, r->bytes);
}

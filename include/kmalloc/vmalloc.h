/* SPDX-License-Identifier: MIT */
/**
 * vmalloc: large blocks of contiguous addresses, each in an area of its own with a guard behind it.
 * Follows the kernel's mm/vmalloc.c and include/linux/vmalloc.h.
 *
 * Sizes are in bytes and rounded up to whole pages; every address that is returned is a multiple
 * of the page size (here of 64 KiB). A size of 0 is warned about once and gives NULL, as do a size
 * above the machine's memory and an alignment that is no power of two. malloc() makes areas of the
 * same region: vfree() takes its large blocks, and free(), realloc() and malloc_usable_size() take
 * these here.
 *
 * Flags that are honoured: GFP_KERNEL, GFP_ATOMIC, GFP_NOWAIT, GFP_NOFS, GFP_NOIO,
 * GFP_KERNEL_ACCOUNT, GFP_USER, __GFP_ZERO, __GFP_NOFAIL, __GFP_NORETRY, __GFP_RETRY_MAYFAIL,
 * __GFP_NOWARN, and as places __GFP_HIGHMEM (anywhere), __GFP_DMA32 (an address below 4 GiB) and
 * __GFP_DMA (below 2 GiB). Others are warned about once and left out. Without
 * __GFP_DIRECT_RECLAIM no system call is made: an area that is mapped already, or NULL.
 *
 * A failure sets errno to ENOMEM and is a line on stderr, at most one in ten seconds and none with
 * __GFP_NOWARN.
 */
#ifndef KMALLOC_VMALLOC_H
#define KMALLOC_VMALLOC_H

#include <kmalloc/gfp.h>

/* What an area is, in vm_struct.flags; those that are not named here have no meaning here. */
#define VM_IOREMAP		0x00000001ul
#define VM_ALLOC		0x00000002ul	/* vmalloc() and malloc() */
#define VM_MAP			0x00000004ul	/* vmap() */
#define VM_USERMAP		0x00000008ul	/* vmalloc_user(), vmalloc_32_user() */
#define VM_DMA_COHERENT		0x00000010ul
#define VM_UNINITIALIZED	0x00000020ul
#define VM_NO_GUARD		0x00000040ul	/* warned about and left out */
#define VM_KASAN		0x00000080ul
#define VM_FLUSH_RESET_PERMS	0x00000100ul
#define VM_MAP_PUT_PAGES	0x00000200ul	/* vmap(): vfree() frees pages and array too */
#define VM_ALLOW_HUGE_VMAP	0x00000400ul	/* vmalloc_huge() */

/** What the pages of vmap() may be used for. */
typedef struct {
	unsigned long pgprot;
} pgprot_t;

static inline pgprot_t kmalloc_pgprot(unsigned long bits)
{
	pgprot_t prot;

	prot.pgprot = bits;
	return prot;
}

#define PAGE_KERNEL		kmalloc_pgprot(3)
#define PAGE_KERNEL_RO		kmalloc_pgprot(1)	/* a write faults */

/** An area. Valid until the area is freed or moved by realloc() or vrealloc(). To be read only. */
struct vm_struct {
	void *addr;
	unsigned long size;		/* a page of guard included, see get_vm_area_size() */
	unsigned long flags;		/* VM_ */
	/* VM_MAP: the nr_pages pages; else NULL: see vmalloc_to_page() */
	struct page **pages;
	unsigned int nr_pages;
	unsigned int page_order;	/* 0 */
	unsigned long phys_addr;	/* 0 */
	const void *caller;		/* the code that asked; NULL for malloc() */
	unsigned long requested_size;	/* what it asked for; for malloc() whole pages */
};

KMALLOC_BEGIN_DECLS

/** vmalloc - size bytes, GFP_KERNEL, with any content. NULL without memory. */
void *vmalloc(unsigned long size) KMALLOC_LINK_NAME(vmalloc)
	__attribute__((__malloc__, __alloc_size__(1)));

/** vzalloc - vmalloc() of zeroed memory. */
void *vzalloc(unsigned long size) KMALLOC_LINK_NAME(vzalloc)
	__attribute__((__malloc__, __alloc_size__(1)));

/** vmalloc_node, vzalloc_node - the node is a wish that the operating system's policy decides. */
void *vmalloc_node(unsigned long size, int node) KMALLOC_LINK_NAME(vmalloc_node)
	__attribute__((__malloc__, __alloc_size__(1)));
void *vzalloc_node(unsigned long size, int node) KMALLOC_LINK_NAME(vzalloc_node)
	__attribute__((__malloc__, __alloc_size__(1)));

/** vmalloc_user - zeroed, VM_USERMAP. */
void *vmalloc_user(unsigned long size) KMALLOC_LINK_NAME(vmalloc_user)
	__attribute__((__malloc__, __alloc_size__(1)));

/**
 * vmalloc_32 - its addresses lie below 4 GiB. That says nothing about physical memory. Fails
 * when that part of the address space is full.
 */
void *vmalloc_32(unsigned long size) KMALLOC_LINK_NAME(vmalloc_32)
	__attribute__((__malloc__, __alloc_size__(1)));

/** vmalloc_32_user - the same, zeroed, VM_USERMAP. */
void *vmalloc_32_user(unsigned long size) KMALLOC_LINK_NAME(vmalloc_32_user)
	__attribute__((__malloc__, __alloc_size__(1)));

/**
 * vmalloc_huge - may be mapped by huge pages: aligned to 2 MiB from that size on. Others of that
 * size are too here; the system decides.
 */
void *vmalloc_huge(unsigned long size, gfp_t flags) KMALLOC_LINK_NAME(vmalloc_huge)
	__attribute__((__malloc__, __alloc_size__(1)));

/** vmalloc_array, vcalloc - n elements of size bytes; NULL without a message if that overflows. */
void *vmalloc_array(size_t n, size_t size) KMALLOC_LINK_NAME(vmalloc_array)
	__attribute__((__malloc__, __alloc_size__(1, 2)));
void *vcalloc(size_t n, size_t size) KMALLOC_LINK_NAME(vcalloc)
	__attribute__((__malloc__, __alloc_size__(1, 2)));

/**
 * __vmalloc - with flags of one's own. Takes the protection that old kernels wanted as a third
 * argument, and ignores it: __vmalloc(size, GFP_KERNEL | __GFP_HIGHMEM, PAGE_KERNEL).
 */
void *__vmalloc(unsigned long size, gfp_t flags) KMALLOC_LINK_NAME(__vmalloc)
	__attribute__((__malloc__, __alloc_size__(1)));
#define __vmalloc(...)	KMALLOC_VMALLOC_TWO(__VA_ARGS__, 0, 0)
#define KMALLOC_VMALLOC_TWO(size, flags, ...)	(__vmalloc)(size, flags)

/** __vmalloc_node - align: a power of two, in bytes; caller: what find_vm_area() shows. */
void *__vmalloc_node(unsigned long size, unsigned long align, gfp_t flags, int node,
		     const void *caller) KMALLOC_LINK_NAME(__vmalloc_node)
	__attribute__((__malloc__, __alloc_size__(1)));

/**
 * vrealloc - makes the area at p one of size bytes. p NULL: vmalloc(size) with these flags; size 0:
 * vfree(p) and NULL. Up to the size of the area it stays where it is and no page is given back;
 * with __GFP_ZERO what is cut off is cleared, so that growth finds zeros if all calls for the area
 * had that flag. Larger: a new area with the old content; NULL without memory, p is as it was then.
 * A p that is no area is named on stderr, NULL.
 */
void *vrealloc(const void *p, size_t size, gfp_t flags) KMALLOC_LINK_NAME(vrealloc)
	__attribute__((__alloc_size__(2)));

/** vrealloc_node_align - warns and gives NULL where p is not aligned to align. */
void *vrealloc_node_align(const void *p, size_t size, unsigned long align, gfp_t flags, int node)
	KMALLOC_LINK_NAME(vrealloc_node_align) __attribute__((__alloc_size__(2)));

/**
 * vfree - gives an area back. NULL is ignored. An address that is not the start of an area (freed
 * before, inside, from kmalloc) is named on stderr, and nothing is freed.
 */
void vfree(const void *addr) KMALLOC_LINK_NAME(vfree);

/**
 * vfree_atomic - vfree() without a system call or a wait, for signal handlers: the memory is kept
 * for the next vmalloc(). Does not overwrite its first word, as the kernel's does. For an area of
 * vmap() it is vfree().
 */
void vfree_atomic(const void *addr) KMALLOC_LINK_NAME(vfree_atomic);

/** vfree_sensitive - clears the area first. */
void vfree_sensitive(const void *addr) KMALLOC_LINK_NAME(vfree_sensitive);

/**
 * is_vmalloc_addr - p lies inside an area that is in use, its guard not included. The kernel
 * tests a range of addresses, which the region has not here: freed areas are not in it.
 */
bool is_vmalloc_addr(const void *p) KMALLOC_LINK_NAME(is_vmalloc_addr);

/**
 * vmalloc_to_page, vmalloc_to_pfn - the page at any address inside an area, for vmap() areas the
 * page that was given; its page_address() is its address. NULL and 0 outside.
 */
struct page *vmalloc_to_page(const void *addr) KMALLOC_LINK_NAME(vmalloc_to_page);
unsigned long vmalloc_to_pfn(const void *addr) KMALLOC_LINK_NAME(vmalloc_to_pfn);

/** find_vm_area - the area that starts at addr; NULL if none does, inside an area too. */
struct vm_struct *find_vm_area(const void *addr) KMALLOC_LINK_NAME(find_vm_area);

/** get_vm_area_size - bytes that may be used: without the guard. */
size_t get_vm_area_size(const struct vm_struct *area) KMALLOC_LINK_NAME(get_vm_area_size);

/**
 * get_vm_area - size bytes of addresses without memory: any access faults. NULL without room.
 * free_vm_area gives them back.
 */
struct vm_struct *get_vm_area(unsigned long size, unsigned long flags)
	KMALLOC_LINK_NAME(get_vm_area);
void free_vm_area(struct vm_struct *area) KMALLOC_LINK_NAME(free_vm_area);

/**
 * vmap - count pages one behind the other at new addresses: a write at one place is seen at the
 * other. flags: VM_MAP, VM_MAP_PUT_PAGES (vfree() then frees the pages and the array, which came
 * from kmalloc or vmalloc). prot: PAGE_KERNEL or PAGE_KERNEL_RO.
 *
 * Here the pages become shared memory until the last vunmap() of each: a fork child shares them
 * with its parent until then, and no other thread may write them during vmap() and vunmap(). The
 * pages must not be freed before. NULL with a line on stderr where the system has no memory, or
 * refuses memfd_create(2). May sleep.
 */
void *vmap(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot)
	KMALLOC_LINK_NAME(vmap);

/** vunmap - undoes vmap(); the pages keep their content. NULL is ignored. */
void vunmap(const void *addr) KMALLOC_LINK_NAME(vunmap);

/** vm_map_ram, vm_unmap_ram - vmap() and vunmap(); count must be that of the mapping. */
void *vm_map_ram(struct page **pages, unsigned int count, int node)
	KMALLOC_LINK_NAME(vm_map_ram);
void vm_unmap_ram(const void *mem, unsigned int count) KMALLOC_LINK_NAME(vm_unmap_ram);

/** vm_unmap_aliases - with vmalloc_guard=1: the addresses of freed areas may be used again. */
void vm_unmap_aliases(void) KMALLOC_LINK_NAME(vm_unmap_aliases);

/**
 * vmalloc_nr_pages - pages of addresses in all areas in use, guards and those of malloc()
 * included.
 */
unsigned long vmalloc_nr_pages(void) KMALLOC_LINK_NAME(vmalloc_nr_pages);

KMALLOC_END_DECLS

#endif

/* SPDX-License-Identifier: MIT */
/**
 * The kernel's view of an address space: mm_struct and vm_area_struct of this process, read from
 * the system when asked for. Follows include/linux/mm_types.h and mm/mmap.c of the kernel;
 * find_vma(3) has the whole story.
 *
 * A snapshot never changes; the process does. Addresses are in bytes, the *_vm counts and
 * vm_pgoff in pages of 1 << page_shift bytes. An area that holds memory of this library is cut at
 * the boundaries of what is ours, so the list may have more entries than the system has mappings.
 */
#ifndef KMALLOC_MM_TYPES_H
#define KMALLOC_MM_TYPES_H

#include <kmalloc/types.h>

KMALLOC_BEGIN_DECLS

/** vm_flags, values of include/linux/mm.h. */
enum {
	VM_READ = 0x1,
	VM_WRITE = 0x2,
	VM_EXEC = 0x4,
	VM_SHARED = 0x8,
	/* what mprotect() may set; exact where locked_vm is not 0, else what is usual */
	VM_MAYREAD = 0x10,
	VM_MAYWRITE = 0x20,
	VM_MAYEXEC = 0x40,
	VM_MAYSHARE = 0x80,
	VM_GROWSDOWN = 0x100,		/* the main thread's stack */
	/* known where locked_vm is not 0 */
	VM_LOCKED = 0x2000,
	VM_IO = 0x4000,
	VM_DONTCOPY = 0x20000,
	VM_DONTEXPAND = 0x40000,
	VM_NORESERVE = 0x200000,
	VM_HUGETLB = 0x400000
};

/** What an area, or a part of one, is to this library. */
enum kmalloc_vma_kind {
	KMALLOC_VMA_OTHER,		/**< not ours, or of no use to anybody just now */
	KMALLOC_VMA_DIRECT_MAP,		/**< pages of the buddy allocator: slabs, alloc_pages() */
	KMALLOC_VMA_VMALLOC,		/**< one block of the vmalloc region, its guard included */
	KMALLOC_VMA_VMALLOC_FREE,	/**< the same, free */
	KMALLOC_VMA_METADATA		/**< the library's own records */
};

struct mm_struct;

struct vm_area_struct {
	unsigned long vm_start;		/**< first byte */
	unsigned long vm_end;		/**< first byte behind */
	struct vm_area_struct *vm_next;	/**< the next higher, or NULL */
	struct mm_struct *vm_mm;
	unsigned long vm_flags;		/**< VM_ bits */
	unsigned long vm_pgoff;		/**< in the file, in pages */
	const char *vm_file;		/**< the file's path as the system prints it, or NULL */
	const char *vm_name;		/**< "[heap]", "[stack]", "[vdso]" and the like, or NULL */
	uint64_t vm_dev, vm_ino;	/**< of the file; major << 20 | minor */
	enum kmalloc_vma_kind vm_kind;
	/** VMALLOC: where it was allocated, NULL if that is not known; the bytes the program may use */
	const void *vm_caller;
	size_t vm_size;
};

struct mm_struct {
	struct vm_area_struct *mmap;	/**< the lowest area */
	unsigned long task_size;	/**< end of the addresses that a program can have */
	/** Where mappings begin, downwards: the highest end of one below the stack. A good guess. */
	unsigned long mmap_base;
	unsigned int map_count;		/**< mappings as the system counts them */
	unsigned int nr_areas;		/**< entries of the list: at least as many */
	unsigned int page_shift;
	unsigned long start_code, end_code, start_data, end_data;
	unsigned long start_brk, brk, start_stack;
	unsigned long arg_start, arg_end, env_start, env_end;
	/** In pages: now, and the most there ever was (hiwater). */
	unsigned long total_vm, locked_vm, pinned_vm, data_vm, exec_vm, stack_vm;
	unsigned long hiwater_vm, hiwater_rss, rss;
	struct {
		struct vm_area_struct *areas;
		void *text;
		size_t text_bytes, bytes;
	} kmalloc_private;
};

/**
 * mm_snapshot - the address space of the process as it is now, for mmput(). Other threads may map
 * and unmap meanwhile: it is tried again until areas and total_vm agree, a few times. Memory comes
 * from the system, not from any allocator. Result: NULL without memory or without /proc.
 */
struct mm_struct *mm_snapshot(void) KMALLOC_LINK_NAME(mm_snapshot);

/** mmput - gives a snapshot back; NULL: no-op. Its areas and their names go with it. */
void mmput(struct mm_struct *mm) KMALLOC_LINK_NAME(mmput);

/** find_vma - the first area with vm_end > addr: addr lies in it or below it. NULL: none. */
struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long addr)
	KMALLOC_LINK_NAME(find_vma);

/** find_vma_intersection - the first area that shares an address with [start, end), or NULL. */
static inline struct vm_area_struct *find_vma_intersection(struct mm_struct *mm,
							   unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma = find_vma(mm, start);

	return vma && vma->vm_start < end ? vma : NULL;
}

/** vma_lookup - the area that addr lies in, or NULL. */
static inline struct vm_area_struct *vma_lookup(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma = find_vma(mm, addr);

	return vma && vma->vm_start <= addr ? vma : NULL;
}

/** vma_pages - its length in pages. */
static inline unsigned long vma_pages(const struct vm_area_struct *vma)
{
	return (vma->vm_end - vma->vm_start) >> vma->vm_mm->page_shift;
}

/** The kernel's for_each_vma(), by its name in <linux/mm.h>: every area, upwards. */
#define KMALLOC_FOR_EACH_VMA(mm, vma) \
	for (vma = (mm)->mmap; vma; vma = vma->vm_next)

KMALLOC_END_DECLS

#endif

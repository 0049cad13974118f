// SPDX-License-Identifier: MIT
/* Pages from the buddy allocator, large blocks from vmalloc, and where addresses belong. */
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

static int whole_pages(void)
{
	unsigned long addr = __get_free_pages(GFP_KERNEL, 3);
	struct page *page;

	if (!addr)
		return -ENOMEM;
	memset((void *)addr, 0, 8 * PAGE_SIZE);
	page = virt_to_page(addr);
	printf("8 pages at %#lx: frame %lu, zone %d, %d reference\n", addr, page_to_pfn(page),
	       page_zonenum(page), page_count(page));
	free_pages(addr, 3);

	/* Whole pages, and not more of them than needed. */
	page = NULL;
	addr = (unsigned long)alloc_pages_exact(5 * PAGE_SIZE, GFP_KERNEL | __GFP_ZERO);
	if (!addr)
		return -ENOMEM;
	printf("5 pages, of a block of %d\n", 1 << get_order(5 * PAGE_SIZE));
	free_pages_exact((void *)addr, 5 * PAGE_SIZE);
	return 0;
}

static int large_blocks(void)
{
	unsigned long size = 100ul << 20;
	struct vm_struct *area;
	char *p = vmalloc(size);

	if (!p)
		return -ENOMEM;
	p[0] = p[size - 1] = 1;
	area = find_vm_area(p);
	printf("100 MiB at %p: %lu KiB of addresses with the guard\n", (void *)p,
	       area ? area->size >> 10 : 0);
	vfree(p);
	return 0;
}

static void whose(const char *what, const void *p)
{
	printf("%-20s %s%s%s\n", what, is_vmalloc_addr(p) ? "vmalloc " : "",
	       virt_addr_valid(p) ? "direct map " : "",
	       !is_vmalloc_addr(p) && !virt_addr_valid(p) ? "not ours" : "");
}

int main(void)
{
	void *small = kmalloc(100, GFP_KERNEL), *large = vmalloc(1 << 20);
	int here, error = whole_pages();

	if (!error)
		error = large_blocks();
	whose("kmalloc(100)", small);
	whose("vmalloc(1 MiB)", large);
	whose("a local variable", &here);
	kfree(small);
	vfree(large);
	return -error;
}

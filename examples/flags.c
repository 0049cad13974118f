// SPDX-License-Identifier: MIT
/*
 * GFP flags: what an allocation may do to get its memory. Try it with little:
 *
 *	KMALLOC_OPTIONS="mem=64M" ./flags
 */
#include <stdio.h>
#include <string.h>
#include <kmalloc/kmalloc.h>
#include <kmalloc/gfp.h>
#include <kmalloc/slab.h>
#include <kmalloc/vmalloc.h>

static void show(const char *flags, void *p)
{
	printf("%-40s %s\n", flags, p ? "memory" : "NULL");
	kvfree(p);
}

int main(void)
{
	unsigned int scope;
	unsigned char *p;

	printf("libkmalloc %s\n", kmalloc_version());

	/* The usual: may wait, reclaim, do I/O and call back into file systems. */
	show("GFP_KERNEL", kmalloc(4096, GFP_KERNEL));
	/* Waits for nothing and makes no system call; may use the reserve. */
	show("GFP_ATOMIC", kmalloc(4096, GFP_ATOMIC));
	/* The same without the reserve. */
	show("GFP_NOWAIT", kmalloc(4096, GFP_NOWAIT));
	/* Gives up early, and says nothing: there is another way. */
	show("GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN",
	     kmalloc(4 << 20, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN));
	/* Tries what is to be tried, and fails rather than wait for ever. */
	show("GFP_KERNEL | __GFP_RETRY_MAYFAIL",
	     kvmalloc(16 << 20, GFP_KERNEL | __GFP_RETRY_MAYFAIL));
	/* Below 2 GiB of addresses. */
	show("GFP_KERNEL | GFP_DMA", kmalloc(4096, GFP_KERNEL | GFP_DMA));

	p = kmalloc(100, GFP_KERNEL | __GFP_ZERO);
	if (!p)
		return 1;
	printf("%-40s byte 99 is %d\n", "GFP_KERNEL | __GFP_ZERO", p[99]);
	kfree(p);

	/*
	 * A scope: until its end, no allocation of this thread, those of malloc() under the preload
	 * and of libraries included, calls back into file systems, whatever its own flags are.
	 */
	scope = memalloc_nofs_save();
	show("GFP_KERNEL in a NOFS scope", kmalloc(4096, GFP_KERNEL));
	memalloc_nofs_restore(scope);
	return 0;
}

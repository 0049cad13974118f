/* SPDX-License-Identifier: MIT */
/*
 * A program that exports functions and data under the kernel's names: none of
 * ours may be taken over by them, nor theirs by ours. Traps C46, C73.
 */
#include "trap.h"

/* Calling one of these from inside the allocator ends the program. */
#define MINE(name)                                            \
	void *name(void);                                     \
	void *name(void)                                      \
	{                                                     \
		static const char text[] = #name " was called\n"; \
		if (write(2, text, sizeof(text) - 1) < 0)     \
			_exit(4);                             \
		_exit(3);                                     \
	}

MINE(kmalloc)
MINE(__kmalloc)
MINE(kzalloc)
MINE(kcalloc)
MINE(krealloc)
MINE(kfree)
MINE(ksize)
MINE(kvmalloc)
MINE(kvfree)
MINE(vmalloc)
MINE(vfree)
MINE(alloc_pages)
MINE(__alloc_pages)
MINE(__free_pages)
MINE(free_pages)
MINE(get_free_page)
MINE(kmem_cache_create)
MINE(kmem_cache_alloc)
MINE(kmem_cache_free)
MINE(kmem_cache_destroy)
MINE(mempool_create)
MINE(virt_to_page)
MINE(page_address)
MINE(list_add)
MINE(list_del)
MINE(__list_add)
MINE(rb_insert_color)
MINE(rb_erase)
MINE(printk)
MINE(_printk)
MINE(panic)
MINE(spin_lock)
MINE(spin_unlock)
MINE(mutex_lock)
MINE(mutex_unlock)
MINE(start_kernel)
MINE(schedule)
MINE(find_bit)

/* As data, of another type and size than anything of ours. */
extern long current, jiffies, mem_map, slab_caches, init_mm;
long current = 1, jiffies = 2, mem_map = 3, slab_caches = 4, init_mm = 5;

static void own_names(void)
{
	trap_start_churners(2);
	churn_once(1, 20000);
	trap_stop_churners();
	malloc_trim(0);
	CHECK(realloc(malloc(1 << 20), 8 << 20));
	CHECK(current == 1 && jiffies == 2 && mem_map == 3 && slab_caches == 4 && init_mm == 5);
}

static const struct trap_case cases[] = {
	{ .name = "a program's own kmalloc, list_add, printk and current stay its own",
	  .run = own_names },
	{ .name = "so do they where the slab table is printed", .run = own_names,
	  .options = "slabinfo=exit verbose" },
};

TRAP_MAIN(cases)

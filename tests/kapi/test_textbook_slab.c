// SPDX-License-Identifier: MIT
/*
 * kmalloc and slab caches as text books show them, against the kernel's headers
 * (kernel-semantics.md 1.3, 1.4, 1.6, 2.1, 2.3).
 */
#include "linux.h"
#include <linux/module.h>
#include <linux/kernel.h>
#include <linux/init.h>
#include <linux/slab.h>
#include <linux/list.h>
#include <linux/string.h>
#include <linux/errno.h>
#include <linux/mm.h>

struct dog {
	char name[16];
	int age;
};

/* A structure, allocated and checked. */
static int buy_a_dog(void)
{
	struct dog *p;

	p = kmalloc(sizeof(struct dog), GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	strscpy(p->name, "Rex", sizeof(p->name));
	p->age = 3;
	kfree(p);
	return 0;
}

/* In an interrupt handler there is no waiting. */
static int interrupt_buffer(size_t size)
{
	char *buf;

	buf = kmalloc(size, GFP_ATOMIC);
	if (!buf)
		return -ENOMEM;
	memset(buf, 0xff, size);
	kfree(buf);
	return 0;
}

/* For the bus of an old device. */
static int dma_buffer(size_t size)
{
	void *buf;

	buf = kmalloc(size, GFP_KERNEL | GFP_DMA);
	if (!buf)
		return -ENOMEM;
	if ((unsigned long)buf >= 1ul << 31) {
		kfree(buf);
		return -EFAULT;
	}
	memset(buf, 0, size);
	kfree(buf);
	return 0;
}

static void kmalloc_gives_writable_memory(void **state)
{
	(void)state;
	assert_int_equal(buy_a_dog(), 0);
	assert_int_equal(interrupt_buffer(1500), 0);
	assert_int_equal(interrupt_buffer(PAGE_SIZE), 0);
	kfree(NULL);
}

/* 6.7: GFP_DMA is memory below 2 GiB of virtual address. */
static void gfp_dma_gives_low_memory(void **state)
{
	(void)state;
	assert_int_equal(dma_buffer(512), 0);
	assert_int_equal(dma_buffer(3 * PAGE_SIZE), 0);
}

/* 1.3: nothing is promised of the content, and the object freed last is the next. */
static void the_object_freed_last_comes_back_with_its_content(void **state)
{
	static const size_t sizes[] = { 16, 100, 1000, 4096 };
	unsigned int i;
	char *a, *b;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		a = kmalloc(sizes[i], GFP_KERNEL);
		assert_non_null(a);
		memset(a, 'x', sizes[i]);
		kfree(a);
		b = kmalloc(sizes[i], GFP_KERNEL);
		assert_ptr_equal(a, b);
		assert_null(memchr_inv(b, 'x', sizes[i]));
		kfree(b);
	}
}

/* 1.4: a power of two is aligned to itself. */
static void powers_of_two_are_aligned(void **state)
{
	size_t size;
	void *p;

	(void)state;
	for (size = 8; size <= 1 << 20; size *= 2) {
		p = kmalloc(size, GFP_KERNEL);
		assert_non_null(p);
		assert_int_equal((unsigned long)p & (size - 1), 0);
		kfree(p);
	}
}

/* 1.3: kmalloc(0) is ZERO_SIZE_PTR. */
static void size_zero_is_no_object(void **state)
{
	void *p = kmalloc(0, GFP_KERNEL);

	(void)state;
	assert_ptr_equal(p, ZERO_SIZE_PTR);
	assert_true(ZERO_OR_NULL_PTR(p) && ZERO_OR_NULL_PTR(NULL));
	assert_false(IS_ERR(p));
	assert_int_equal(ksize(p), 0);
	kfree(p);
}

struct request {
	struct list_head list;
	u32 sector;
	u8 *data;
	size_t count;
};

static LIST_HEAD(requests);

static struct request *add_request(u32 sector, size_t count)
{
	struct request *req;

	req = kzalloc(sizeof(*req), GFP_KERNEL);
	if (!req)
		return NULL;
	if (req->data || req->count || req->list.next)
		pr_err("kzalloc() is not zero\n");
	req->data = kcalloc(count, sizeof(*req->data), GFP_NOIO);
	if (!req->data)
		goto out_free;
	req->sector = sector;
	req->count = count;
	INIT_LIST_HEAD(&req->list);
	list_add_tail(&req->list, &requests);
	return req;

out_free:
	kfree(req);
	return NULL;
}

static void free_requests(void)
{
	struct request *req, *tmp;

	list_for_each_entry_safe(req, tmp, &requests, list) {
		list_del(&req->list);
		kfree(req->data);
		kfree(req);
	}
}

static void objects_live_in_lists(void **state)
{
	struct request *req;
	u32 sum = 0;
	int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		req = add_request((u32)i, 64);
		assert_non_null(req);
		assert_null(memchr_inv(req->data, 0, 64));
		memset(req->data, i + 1, 64);
	}
	list_for_each_entry(req, &requests, list) {
		assert_null(memchr_inv(req->data, (int)req->sector + 1, req->count));
		sum += req->sector;
	}
	assert_int_equal(sum, 4950);
	free_requests();
	assert_true(list_empty(&requests));
}

/* 1.6: the content moves along; size 0 frees. */
static void arrays_grow_by_krealloc(void **state)
{
	int *array = NULL, *bigger, i, room = 0;

	(void)state;
	for (i = 0; i < 1000; i++) {
		if (i == room) {
			room = room ? room * 2 : 4;
			bigger = krealloc(array, (size_t)room * sizeof(*array), GFP_KERNEL);
			assert_non_null(bigger);
			array = bigger;
		}
		array[i] = i;
	}
	for (i = 0; i < 1000; i++)
		assert_int_equal(array[i], i);
	assert_ptr_equal(krealloc(array, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	assert_null(krealloc_array(NULL, unknown_to_compiler(SIZE_MAX / 4), 8, GFP_KERNEL));
	assert_null(kmalloc_array(unknown_to_compiler(SIZE_MAX / 4), 8, GFP_KERNEL));
}

struct packet {
	size_t length;
	u8 bytes[];
};

static void structures_end_in_arrays(void **state)
{
	struct packet *packet;
	size_t length;
	char *copy;

	(void)state;
	packet = kmalloc(struct_size(packet, bytes, 100), GFP_KERNEL);
	assert_non_null(packet);
	packet->length = 100;
	memset(packet->bytes, 7, packet->length);
	copy = kmemdup(packet->bytes, packet->length, GFP_KERNEL);
	assert_null(memchr_inv(copy, 7, 100));
	kfree_sensitive(packet);
	kfree(copy);
	length = struct_size(packet, bytes, unknown_to_compiler(SIZE_MAX - 2));
	assert_null(kmalloc(length, GFP_KERNEL | __GFP_NOWARN));
	copy = kstrdup("a string", GFP_KERNEL);
	assert_string_equal(copy, "a string");
	kfree(copy);
}

static int use_and_return(int fail)
{
	struct dog *p __free(kfree) = kzalloc(sizeof(*p), GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	p->age = fail;
	return p->age ? -EINVAL : 0;
}

static void objects_end_with_their_scope(void **state)
{
	(void)state;
	assert_int_equal(use_and_return(0), 0);
	assert_int_equal(use_and_return(1), -EINVAL);
}

/* What a text book shows of the cache of processes. */
struct task_struct {
	volatile long state;
	void *stack;
	int prio;
	struct list_head tasks;
	char comm[16];
};

static struct kmem_cache *task_struct_cachep;

static void __init fork_init(void)
{
	task_struct_cachep = kmem_cache_create("task_struct_test", sizeof(struct task_struct),
					       ARCH_SLAB_MINALIGN, SLAB_PANIC | SLAB_ACCOUNT, NULL);
}

static struct task_struct *dup_task_struct(struct task_struct *orig)
{
	struct task_struct *tsk;

	tsk = kmem_cache_alloc(task_struct_cachep, GFP_KERNEL);
	if (!tsk)
		return NULL;
	*tsk = *orig;
	INIT_LIST_HEAD(&tsk->tasks);
	return tsk;
}

static void free_task(struct task_struct *tsk)
{
	kmem_cache_free(task_struct_cachep, tsk);
}

static void a_cache_of_processes(void **state)
{
	struct task_struct init = { .prio = 120, .comm = "init" }, *tsk, *next;

	(void)state;
	fork_init();
	assert_non_null(task_struct_cachep);
	INIT_LIST_HEAD(&init.tasks);
	while (init.state++ < 500) {
		tsk = dup_task_struct(&init);
		assert_non_null(tsk);
		list_add(&tsk->tasks, &init.tasks);
	}
	assert_int_equal(list_count_nodes(&init.tasks), 500);
	list_for_each_entry_safe(tsk, next, &init.tasks, tasks) {
		assert_string_equal(tsk->comm, "init");
		list_del(&tsk->tasks);
		free_task(tsk);
	}
	assert_true(kmem_cache_size(task_struct_cachep) >= sizeof(init));
	kmem_cache_destroy(task_struct_cachep);
}

struct connection {
	int constructed;
	struct list_head list;
	char buffer[40];
};

static int constructor_calls;

static void init_once(void *object)
{
	struct connection *c = object;

	memset(c, 0, sizeof(*c));
	INIT_LIST_HEAD(&c->list);
	c->constructed = 42;
	constructor_calls++;
}

/* 2.1: the constructor runs when the slab is made; objects are freed as it left them. */
static void constructed_objects_stay_constructed(void **state)
{
	struct connection *held[64], *c;
	struct kmem_cache *cache;
	int i, round, calls = 0;

	(void)state;
	cache = kmem_cache_create("connection_test", sizeof(struct connection), 0,
				  SLAB_HWCACHE_ALIGN, init_once);
	assert_non_null(cache);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < (int)ARRAY_SIZE(held); i++) {
			c = held[i] = kmem_cache_alloc(cache, GFP_KERNEL);
			assert_non_null(c);
			assert_int_equal(c->constructed, 42);
			assert_true(list_empty(&c->list));
			assert_int_equal((unsigned long)c % L1_CACHE_BYTES, 0);
		}
		for (i = 0; i < (int)ARRAY_SIZE(held); i++)
			kmem_cache_free(cache, held[i]);
		if (round == 0)
			calls = constructor_calls;
	}
	assert_true(calls >= (int)ARRAY_SIZE(held));
	assert_int_equal(constructor_calls, calls);
	kmem_cache_destroy(cache);
}

static void caches_from_structures(void **state)
{
	struct kmem_cache_args args = { .align = 128 };
	struct kmem_cache *cache = KMEM_CACHE(request, SLAB_RECLAIM_ACCOUNT);
	struct request *req;
	void *bulk[32];

	(void)state;
	assert_non_null(cache);
	req = kmem_cache_zalloc(cache, GFP_KERNEL);
	assert_non_null(req);
	assert_null(memchr_inv(req, 0, sizeof(*req)));
	kmem_cache_free(cache, req);
	assert_int_equal(kmem_cache_alloc_bulk(cache, GFP_KERNEL, ARRAY_SIZE(bulk), bulk),
			 ARRAY_SIZE(bulk));
	kmem_cache_free_bulk(cache, ARRAY_SIZE(bulk), bulk);
	kmem_cache_destroy(cache);
	cache = kmem_cache_create("args_test", 72, &args, 0);
	assert_non_null(cache);
	req = kmem_cache_alloc(cache, GFP_NOWAIT);
	assert_int_equal((unsigned long)req % 128, 0);
	kmem_cache_free(cache, req);
	kmem_cache_destroy(cache);
	kmem_cache_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kmalloc_gives_writable_memory),
		cmocka_unit_test(gfp_dma_gives_low_memory),
		cmocka_unit_test(the_object_freed_last_comes_back_with_its_content),
		cmocka_unit_test(powers_of_two_are_aligned),
		cmocka_unit_test(size_zero_is_no_object),
		cmocka_unit_test(objects_live_in_lists),
		cmocka_unit_test(arrays_grow_by_krealloc),
		cmocka_unit_test(structures_end_in_arrays),
		cmocka_unit_test(objects_end_with_their_scope),
		cmocka_unit_test(a_cache_of_processes),
		cmocka_unit_test(constructed_objects_stay_constructed),
		cmocka_unit_test(caches_from_structures),
	};

	return cmocka_run_group_tests_name("textbook_slab", tests, NULL, NULL);
}

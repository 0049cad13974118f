// SPDX-License-Identifier: MIT
/*
 * A driver, written as one for the kernel: a device of memory that keeps what is written to it in
 * buffers from a slab cache, of which a mempool holds some back, on a list. Writing may wait;
 * bufpool_irq_write() is what an interrupt handler would call, and may not.
 *
 *	./bufpool nr_writes=1000 buffer_size=512
 */
#define pr_fmt(fmt) "bufpool: " fmt

#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mempool.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#define RESERVE	8

static unsigned int nr_writes = 100;
module_param(nr_writes, uint, 0444);
MODULE_PARM_DESC(nr_writes, "how many buffers the exercise writes");

static unsigned int buffer_size = 256;
module_param(buffer_size, uint, 0444);
MODULE_PARM_DESC(buffer_size, "bytes in a buffer");

struct buffer {
	struct list_head list;
	size_t length, read;
	u8 data[];
};

struct bufpool {
	struct mutex lock;
	struct list_head full;		/* written and not read yet, oldest first */
	struct kmem_cache *cache;
	mempool_t *pool;
	u64 written, read;
};

static struct bufpool *dev;

static ssize_t bufpool_queue(const void *data, size_t count, gfp_t gfp)
{
	struct buffer *buf;

	count = min(count, (size_t)buffer_size);
	buf = mempool_alloc(dev->pool, gfp);
	if (!buf)
		return -ENOMEM;
	buf->read = 0;
	buf->length = count;
	memcpy(buf->data, data, count);
	mutex_lock(&dev->lock);
	list_add_tail(&buf->list, &dev->full);
	dev->written += count;
	mutex_unlock(&dev->lock);
	return (ssize_t)count;
}

static ssize_t bufpool_write(const void *data, size_t count)
{
	return bufpool_queue(data, count, GFP_KERNEL);
}

static ssize_t bufpool_irq_write(const void *data, size_t count)
{
	return bufpool_queue(data, count, GFP_ATOMIC);
}

/* At most count bytes of the oldest buffer; 0 where there is none. */
static ssize_t bufpool_read(void *data, size_t count)
{
	struct buffer *buf;

	mutex_lock(&dev->lock);
	buf = list_first_entry_or_null(&dev->full, struct buffer, list);
	if (!buf) {
		mutex_unlock(&dev->lock);
		return 0;
	}
	count = min(count, buf->length - buf->read);
	memcpy(data, buf->data + buf->read, count);
	buf->read += count;
	dev->read += count;
	if (buf->read == buf->length)
		list_del(&buf->list);
	else
		buf = NULL;
	mutex_unlock(&dev->lock);
	if (buf)
		mempool_free(buf, dev->pool);
	return (ssize_t)count;
}

static int __init bufpool_create(void)
{
	int ret = -ENOMEM;

	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return ret;
	mutex_init(&dev->lock);
	INIT_LIST_HEAD(&dev->full);
	dev->cache = kmem_cache_create("bufpool_buffer",
				       struct_size((struct buffer *)NULL, data, buffer_size), 0,
				       SLAB_HWCACHE_ALIGN, NULL);
	if (!dev->cache)
		goto free_dev;
	dev->pool = mempool_create_slab_pool(RESERVE, dev->cache);
	if (!dev->pool)
		goto destroy_cache;
	return 0;

destroy_cache:
	kmem_cache_destroy(dev->cache);
free_dev:
	kfree(dev);
	return ret;
}

/* What user programs would do with the device. */
static int __init bufpool_exercise(void)
{
	char line[32], got[32];
	unsigned int i;
	ssize_t n;

	for (i = 0; i < nr_writes; i++) {
		n = scnprintf(line, sizeof(line), "message %u", i);
		n = i % 4 ? bufpool_write(line, (size_t)n) : bufpool_irq_write(line, (size_t)n);
		if (n < 0)
			return (int)n;
	}
	for (i = 0; i < nr_writes; i++) {
		n = bufpool_read(got, sizeof(got) - 1);
		got[n] = '\0';
		scnprintf(line, sizeof(line), "message %u", i);
		if (strcmp(line, got)) {
			pr_err("read \"%s\" where \"%s\" was written\n", got, line);
			return -EIO;
		}
	}
	pr_info("%llu bytes written, %llu read, %d buffers in reserve\n", dev->written, dev->read,
		dev->pool->curr_nr);
	return 0;
}

static void bufpool_destroy(void)
{
	struct buffer *buf, *next;

	list_for_each_entry_safe(buf, next, &dev->full, list) {
		list_del(&buf->list);
		mempool_free(buf, dev->pool);
	}
	mempool_destroy(dev->pool);
	kmem_cache_destroy(dev->cache);
	kfree(dev);
}

static int __init bufpool_init(void)
{
	int ret;

	if (WARN_ON(buffer_size < 32))
		return -EINVAL;
	ret = bufpool_create();
	if (ret)
		return ret;
	ret = bufpool_exercise();
	if (ret)
		bufpool_destroy();
	return ret;
}

static void __exit bufpool_exit(void)
{
	bufpool_destroy();
	pr_info("unloaded\n");
}

module_init(bufpool_init);
module_exit(bufpool_exit);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("A pool of buffers behind a device");

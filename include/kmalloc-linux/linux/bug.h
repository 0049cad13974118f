/* SPDX-License-Identifier: MIT */
/* What must not be: WARN prints and goes on, BUG and panic print and abort the program. */
#ifndef KMALLOC_LINUX_BUG_H
#define KMALLOC_LINUX_BUG_H

#include <stdlib.h>
#include <linux/printk.h>

#define BUG() do {										\
	printk(KERN_CRIT "BUG at %s:%d, %s()\n", __FILE__, __LINE__, __func__);			\
	abort();										\
} while (0)
#define BUG_ON(cond)	do { if (unlikely(cond)) BUG(); } while (0)

#define panic(fmt, ...) do {									\
	printk(KERN_EMERG "panic: " fmt "\n", ##__VA_ARGS__);					\
	abort();										\
} while (0)

#define __warn() \
	printk(KERN_WARNING "WARNING at %s:%d, %s()\n", __FILE__, __LINE__, __func__)

/* Each has the truth of its condition as value. */
#define WARN_ON(cond) ({									\
	bool __warned = !!(cond);								\
	if (unlikely(__warned))									\
		__warn();									\
	unlikely(__warned);									\
})
#define WARN(cond, fmt, ...) ({									\
	bool __warned = !!(cond);								\
	if (unlikely(__warned)) {								\
		__warn();									\
		printk(KERN_WARNING fmt, ##__VA_ARGS__);					\
	}											\
	unlikely(__warned);									\
})
#define WARN_ON_ONCE(cond) ({									\
	bool __warned = !!(cond);								\
	if (unlikely(__warned) && __once())							\
		__warn();									\
	unlikely(__warned);									\
})
#define WARN_ONCE(cond, fmt, ...) ({								\
	bool __warned = !!(cond);								\
	if (unlikely(__warned) && __once()) {							\
		__warn();									\
		printk(KERN_WARNING fmt, ##__VA_ARGS__);					\
	}											\
	unlikely(__warned);									\
})
#define WARN_TAINT(cond, taint, fmt, ...)	WARN(cond, fmt, ##__VA_ARGS__)

#endif

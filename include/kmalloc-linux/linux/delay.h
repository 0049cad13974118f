/* SPDX-License-Identifier: MIT */
/* Waiting: all of it sleeps. */
#ifndef KMALLOC_LINUX_DELAY_H
#define KMALLOC_LINUX_DELAY_H

#include <time.h>
#include <linux/compiler.h>

static inline void ndelay(unsigned long ns)
{
	struct timespec left = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

	while (nanosleep(&left, &left))
		;
}

static inline void udelay(unsigned long us)
{
	ndelay(us * 1000);
}

static inline void msleep(unsigned int ms)
{
	ndelay((unsigned long)ms * 1000000);
}

static inline void usleep_range(unsigned long min_us, unsigned long max_us)
{
	(void)max_us;
	udelay(min_us);
}

#define mdelay(ms)	msleep(ms)
#define ssleep(s)	msleep((s) * 1000)

#endif

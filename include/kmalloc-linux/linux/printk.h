/* SPDX-License-Identifier: MIT */
/*
 * Messages: to stderr, without the level that begins them. Formats are those of libc: what the
 * kernel adds after %p (%pS, %pe, ...) is not understood.
 */
#ifndef KMALLOC_LINUX_PRINTK_H
#define KMALLOC_LINUX_PRINTK_H

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <linux/compiler.h>

#define KERN_SOH	"\001"
#define KERN_EMERG	KERN_SOH "0"
#define KERN_ALERT	KERN_SOH "1"
#define KERN_CRIT	KERN_SOH "2"
#define KERN_ERR	KERN_SOH "3"
#define KERN_WARNING	KERN_SOH "4"
#define KERN_NOTICE	KERN_SOH "5"
#define KERN_INFO	KERN_SOH "6"
#define KERN_DEBUG	KERN_SOH "7"
#define KERN_DEFAULT	""
#define KERN_CONT	KERN_SOH "c"

static inline __printf(1, 0) int vprintk(const char *fmt, va_list args)
{
	if (fmt[0] == KERN_SOH[0] && fmt[1])
		fmt += 2;
	return vfprintf(stderr, fmt, args);
}

/** printk - prints to stderr; the result is the number of bytes. */
static inline __printf(1, 2) int printk(const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vprintk(fmt, args);
	va_end(args);
	return n;
}

/** no_printk - checks its format and prints nothing. */
#define no_printk(fmt, ...) \
	({ if (0) printk(fmt, ##__VA_ARGS__); 0; })

#ifndef pr_fmt
#define pr_fmt(fmt)	fmt
#endif

#define pr_emerg(fmt, ...)	printk(KERN_EMERG pr_fmt(fmt), ##__VA_ARGS__)
#define pr_alert(fmt, ...)	printk(KERN_ALERT pr_fmt(fmt), ##__VA_ARGS__)
#define pr_crit(fmt, ...)	printk(KERN_CRIT pr_fmt(fmt), ##__VA_ARGS__)
#define pr_err(fmt, ...)	printk(KERN_ERR pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warn(fmt, ...)	printk(KERN_WARNING pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warning		pr_warn
#define pr_notice(fmt, ...)	printk(KERN_NOTICE pr_fmt(fmt), ##__VA_ARGS__)
#define pr_info(fmt, ...)	printk(KERN_INFO pr_fmt(fmt), ##__VA_ARGS__)
#define pr_cont(fmt, ...)	printk(KERN_CONT fmt, ##__VA_ARGS__)
#ifdef DEBUG
#define pr_devel(fmt, ...)	printk(KERN_DEBUG pr_fmt(fmt), ##__VA_ARGS__)
#define pr_debug(fmt, ...)	printk(KERN_DEBUG pr_fmt(fmt), ##__VA_ARGS__)
#else
#define pr_devel(fmt, ...)	no_printk(KERN_DEBUG pr_fmt(fmt), ##__VA_ARGS__)
#define pr_debug(fmt, ...)	no_printk(KERN_DEBUG pr_fmt(fmt), ##__VA_ARGS__)
#endif

/* True the first time that it is reached. */
#define __once() ({										\
	static bool __once_done;								\
	!__atomic_test_and_set(&__once_done, __ATOMIC_RELAXED);					\
})

#define printk_once(fmt, ...) \
	({ if (__once()) printk(fmt, ##__VA_ARGS__); })
#define pr_err_once(fmt, ...)	printk_once(KERN_ERR pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warn_once(fmt, ...)	printk_once(KERN_WARNING pr_fmt(fmt), ##__VA_ARGS__)
#define pr_notice_once(fmt, ...) printk_once(KERN_NOTICE pr_fmt(fmt), ##__VA_ARGS__)
#define pr_info_once(fmt, ...)	printk_once(KERN_INFO pr_fmt(fmt), ##__VA_ARGS__)

/* Ten messages in five seconds from one place; not exact where threads meet. */
#define __ratelimited() ({									\
	static time_t __began;									\
	static unsigned int __said;								\
	time_t __now = time(NULL);								\
												\
	if (__now - __began >= 5) {								\
		__began = __now;								\
		__said = 0;									\
	}											\
	__said++ < 10;										\
})
#define printk_ratelimit()	__ratelimited()

#define printk_ratelimited(fmt, ...) \
	({ if (__ratelimited()) printk(fmt, ##__VA_ARGS__); })
#define pr_err_ratelimited(fmt, ...)	printk_ratelimited(KERN_ERR pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warn_ratelimited(fmt, ...)	printk_ratelimited(KERN_WARNING pr_fmt(fmt), ##__VA_ARGS__)
#define pr_info_ratelimited(fmt, ...)	printk_ratelimited(KERN_INFO pr_fmt(fmt), ##__VA_ARGS__)

#endif

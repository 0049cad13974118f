/* SPDX-License-Identifier: MIT */
/* The system's limits and the kernel's names for the ends of its types. */
#include_next <linux/limits.h>

#if !defined(KMALLOC_LINUX_LIMITS_H) && !defined(__cplusplus) && !defined(__ASSEMBLY__)
#define KMALLOC_LINUX_LIMITS_H

#define U8_MAX		((unsigned char)~0U)
#define S8_MAX		((signed char)(U8_MAX >> 1))
#define S8_MIN		((signed char)(-S8_MAX - 1))
#define U16_MAX		((unsigned short)~0U)
#define S16_MAX		((short)(U16_MAX >> 1))
#define S16_MIN		((short)(-S16_MAX - 1))
#define U32_MAX		(~0U)
#define S32_MAX		((int)(U32_MAX >> 1))
#define S32_MIN		(-S32_MAX - 1)
#define U64_MAX		(~0ULL)
#define S64_MAX		((long long)(U64_MAX >> 1))
#define S64_MIN		(-S64_MAX - 1)

#endif

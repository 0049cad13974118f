/* SPDX-License-Identifier: MIT */
/* The system's error numbers and those that the kernel keeps for itself. */
#include_next <linux/errno.h>

#ifndef ERESTARTSYS
#define ERESTARTSYS	512
#define ERESTARTNOINTR	513
#define ERESTARTNOHAND	514
#define ENOIOCTLCMD	515
#define EPROBE_DEFER	517
#define ENOTSUPP	524
#endif

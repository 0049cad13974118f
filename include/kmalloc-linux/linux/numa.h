/* SPDX-License-Identifier: MIT */
/* Nodes: a wish that the system's policy decides. */
#ifndef KMALLOC_LINUX_NUMA_H
#define KMALLOC_LINUX_NUMA_H

#define NUMA_NO_NODE	(-1)
#define numa_node_id()	0

#endif

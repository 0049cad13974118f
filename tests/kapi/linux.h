/* SPDX-License-Identifier: MIT */
/* What the tests of kmalloc-linux share: cmocka, beside the names of the kernel. */
#ifndef TESTS_KAPI_LINUX_H
#define TESTS_KAPI_LINUX_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#endif

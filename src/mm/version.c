// SPDX-License-Identifier: MIT
/* Which library runs. Layer: mm. The one file that includes all public headers. */
#include "lib/compiler.h"
#include "kmalloc/kmalloc.h"
#include "mm/version.h"

const char own_version[] = PACKAGE_VERSION;

__km_export const char *kmalloc_version(void)
{
	return own_version;
}

// SPDX-License-Identifier: MIT
/* realloc */
#include "micro.h"

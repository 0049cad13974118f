// SPDX-License-Identifier: MIT
/* exchange between threads */
#include "threads.h"

// SPDX-License-Identifier: MIT
/* the same in C++ */
#include "common.h"

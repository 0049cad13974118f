// SPDX-License-Identifier: MIT
/* working sets */
#include "micro.h"

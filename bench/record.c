// SPDX-License-Identifier: MIT
/* recorder */
#include "trace.h"

// SPDX-License-Identifier: MIT
/* read a trace */
#include "trace.h"

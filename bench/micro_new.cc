// SPDX-License-Identifier: MIT
/* operator new */
#include "micro.h"

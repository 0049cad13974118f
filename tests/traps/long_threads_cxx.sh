#!/bin/sh
# SPDX-License-Identifier: MIT
# The long form of threads_cxx.
. "$(dirname "$0")/long.sh"

#!/bin/sh
# SPDX-License-Identifier: MIT
# The long form of threads.
. "$(dirname "$0")/long.sh"

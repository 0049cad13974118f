#!/bin/sh
# SPDX-License-Identifier: MIT
# The long form of load_library.
. "$(dirname "$0")/long.sh"

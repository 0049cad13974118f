#!/bin/sh
# SPDX-License-Identifier: MIT
# The long form of exit_paths.
. "$(dirname "$0")/long.sh"

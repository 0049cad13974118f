#!/bin/sh
# SPDX-License-Identifier: MIT
# The long form of fork_family.
. "$(dirname "$0")/long.sh"

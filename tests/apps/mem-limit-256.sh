#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Programs at a limit of 256 MiB.

limit=240
MEM_LIMITS=256M
. "$(dirname "$0")/mem-limit.sh"

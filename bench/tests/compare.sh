#!/bin/sh
# SPDX-License-Identifier: MIT
# The comparison: its statistics, its schedule, and the command from end to end.
exec python3 "$(dirname "$0")/compare_test.py"

#!/bin/sh
# SPDX-License-Identifier: MIT
# The long form of refusals.
. "$(dirname "$0")/long.sh"

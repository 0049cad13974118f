#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# fail_nth.sh with every single n: minutes.

export FAIL_NTH_DENSE=1000000000
. "$(dirname "$0")/fail_nth.sh"

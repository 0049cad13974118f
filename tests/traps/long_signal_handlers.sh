#!/bin/sh
# SPDX-License-Identifier: MIT
# The long form of signal_handlers.
. "$(dirname "$0")/long.sh"

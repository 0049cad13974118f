#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# sqlite3 under the preload with a million rows.

limit=300
SQLITE_ROWS=1000000
. "$(dirname "$0")/sqlite.sh"

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# node under the preload: maps, JSON, buffers, compression, worker threads.

. "$(dirname "$0")/apps.sh"
need node

preloaded_ok "$(command -v node)" -e 0
same "node: the workload prints the same" node "$apps_dir/workload.js"
done_testing

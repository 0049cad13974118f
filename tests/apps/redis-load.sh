#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# redis-server under the preload with a longer load.

limit=240
REDIS_REQUESTS=200000
. "$(dirname "$0")/redis.sh"

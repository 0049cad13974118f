#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CPython's own tests of multiprocessing, start method spawn, under the preload.

modules=test_multiprocessing_spawn
. "$(dirname "$0")/python-testsuite.sh"

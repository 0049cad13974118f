#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CPython's own tests of multiprocessing, start method fork, under the preload.

modules=test_multiprocessing_fork
. "$(dirname "$0")/python-testsuite.sh"

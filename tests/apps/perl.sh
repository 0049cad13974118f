#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Perl under the preload: hashes, sorting, regular expressions and forks.

. "$(dirname "$0")/apps.sh"
need perl

preloaded_ok perl -e 1
same "perl: the workload prints the same" perl "$apps_dir/workload.pl"
done_testing

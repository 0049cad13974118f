#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CPython under the preload, with every object through malloc and with its own
# small-object allocator: a script of threads, JSON, regular expressions, forks
# and subprocesses, and one module of its own test suite.

. "$(dirname "$0")/apps.sh"
python=$(PATH=/usr/bin:$PATH command -v python3) || skip_all "python3 is not installed"

preloaded_ok "$python" -c pass
export PYTHONMALLOC=malloc
same "python3, PYTHONMALLOC=malloc: the workload prints the same" "$python" "$apps_dir/workload.py"
unset PYTHONMALLOC
same "python3, pymalloc: the workload prints the same" "$python" "$apps_dir/workload.py"

export PYTHONMALLOC=malloc
if "$python" -c 'import test.test_json' 2>/dev/null; then
	run_preload "$python" -m test test_json
	is $preload_status 0 "python3: test_json of its own test suite passes"
	silent "python3: test_json is silent" "$work/preload.err"
else
	skip "python3: test_json" "its test suite is not installed"
fi
done_testing

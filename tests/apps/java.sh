#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The Java virtual machine under the preload, and its compiler where there is one.

. "$(dirname "$0")/apps.sh"
need java

# The launcher may be started through links and scripts of the distribution.
preloaded_ok "$(readlink -f "$(command -v java)")" -Xmx256m -version
run_glibc java -Xmx256m -version
run_preload java -Xmx256m -version
is "$(cat "$work/preload.err")" "$(cat "$work/glibc.err")" "java -version says the same"

if command -v javac >/dev/null; then
	same "javac ends as under glibc" \
		javac -J-Xmx256m -encoding UTF-8 -d . "$apps_dir/Workload.java"
	same_files "javac makes the same class"
	cp -r "$work/preload" "$work/in/classes"
	same "java: the workload prints the same" \
		java -Xmx256m -cp "$work/in/classes" Workload
else
	skip "java: the workload" "javac is not installed"
fi
done_testing

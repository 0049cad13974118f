# SPDX-License-Identifier: MIT
# Real programs under the preload: the quick ones run in "make check", the long ones in
# "make check-apps".

apps_tests = \
	tests/apps/cxx.sh \
	tests/apps/fail_nth.sh \
	tests/apps/git.sh \
	tests/apps/java.sh \
	tests/apps/node.sh \
	tests/apps/perl.sh \
	tests/apps/python.sh \
	tests/apps/redis.sh \
	tests/apps/sqlite.sh \
	tests/apps/tools.sh \
	tests/apps/valgrind.sh

apps_long_tests = \
	tests/apps/fail-nth-all.sh \
	tests/apps/python-multiprocessing-fork.sh \
	tests/apps/python-multiprocessing-spawn.sh \
	tests/apps/python-testsuite.sh \
	tests/apps/redis-load.sh \
	tests/apps/self-build.sh \
	tests/apps/sqlite-million.sh

TESTS += $(apps_tests)
APPS_TESTS += $(apps_long_tests)

EXTRA_DIST += $(apps_tests) $(apps_long_tests) \
	tests/apps/Workload.java \
	tests/apps/apps.sh \
	tests/apps/workload.js \
	tests/apps/workload.pl \
	tests/apps/workload.py

if HAVE_CXX
check_PROGRAMS += tests/apps/containers
endif
tests_apps_containers_SOURCES = tests/apps/containers.cc
tests_apps_containers_CXXFLAGS = $(AM_CXXFLAGS) -pthread
tests_apps_containers_LDFLAGS = -pthread

check_LTLIBRARIES += tests/apps/crash_where.la
tests_apps_crash_where_la_SOURCES = tests/apps/crash_where.c
tests_apps_crash_where_la_CFLAGS = $(AM_CFLAGS)
tests_apps_crash_where_la_LIBTOOLFLAGS = --tag=disable-static
tests_apps_crash_where_la_LDFLAGS = -module -avoid-version -shared -rpath /nowhere

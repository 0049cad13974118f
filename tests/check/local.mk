# SPDX-License-Identifier: MIT
# Checks of what was built and of the tree itself.

check_tests = \
	tests/check/check_conformance.sh \
	tests/check/check_dist.sh \
	tests/check/check_gfp_man.sh \
	tests/check/check_gfp_policy.sh \
	tests/check/check_headers.sh \
	tests/check/check_hitpath.sh \
	tests/check/check_install.sh \
	tests/check/check_kmalloc_run.sh \
	tests/check/check_layers.sh \
	tests/check/check_man.sh \
	tests/check/check_params.sh \
	tests/check/check_symbols.sh

TESTS += $(check_tests)
EXTRA_DIST += $(check_tests) tests/check/libc-imports.txt

# SPDX-License-Identifier: MIT
# Built by their own Makefile against an installed library, see tests/kapi/test_examples.sh.

EXTRA_DIST += \
	examples/Makefile \
	examples/README.md \
	examples/bufpool.c \
	examples/failures.c \
	examples/flags.c \
	examples/pages.c \
	examples/shrinker.c

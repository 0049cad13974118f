# SPDX-License-Identifier: MIT
# The checked model of the protocol between slots.

TESTS += tests/model/run.sh
EXTRA_DIST += tests/model/run.sh tests/model/remote-free.pml

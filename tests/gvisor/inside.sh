#!/bin/sh
# SPDX-License-Identifier: MIT
# The part of run.sh that runs in the sandbox.
cd "$(dirname "$0")/../.." || exit 1
export PYTHONDONTWRITEBYTECODE=1

"$FUSE_CGROUPFS" --check
check=$?
echo
/usr/bin/python3 -m pytest -q -rfEsx -p no:cacheprovider "$@" tests/mount
tests=$?
echo
echo "in gVisor: --check $check, mount tests $tests (0 is good)"
[ "$check" -eq 0 ] && [ "$tests" -eq 0 ]

#!/bin/sh
# SPDX-License-Identifier: MIT
# The part of run.sh that runs in the sandbox.
cd "$(dirname "$0")/../.." || exit 1
export PYTHONDONTWRITEBYTECODE=1

scripts/test_fuse.sh
script=$?
echo
/usr/bin/python3 -m pytest -q -rfEsx -p no:cacheprovider "$@" tests/mount
tests=$?
echo
echo "in gVisor: test_fuse.sh $script, mount tests $tests (0 is good)"
[ "$script" -eq 0 ] && [ "$tests" -eq 0 ]

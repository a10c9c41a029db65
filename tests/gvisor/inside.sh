#!/bin/sh
# SPDX-License-Identifier: MIT
# The part of run.sh that runs in the sandbox.
cd "$(dirname "$0")/../.." || exit 1
export PYTHONDONTWRITEBYTECODE=1

"$FUSE_CGROUPFS" --check
check=$?
echo
units=0 # those whose calls gVisor answers otherwise
for test in run_identity run_privilege; do
	"${FUSE_CGROUPFS%/*}/unit/test_$test" >"${TMPDIR:-/tmp}/unit" 2>&1 ||
		{ units=1; cat "${TMPDIR:-/tmp}/unit"; }
done
/usr/bin/python3 -m pytest -q -rfEsx -p no:cacheprovider "$@" tests/mount tests/gvisor
tests=$?
echo
echo "in gVisor: --check $check, unit tests $units, tests $tests (0 is good)"
[ "$check" -eq 0 ] && [ "$units" -eq 0 ] && [ "$tests" -eq 0 ]

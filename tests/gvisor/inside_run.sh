#!/bin/sh
# SPDX-License-Identifier: MIT
# The part of run.sh that runs in the sandbox for make test-gvisor-long: the launcher's tests.
cd "$(dirname "$0")/../.." || exit 1
export PYTHONDONTWRITEBYTECODE=1
# There are no cgroup namespaces there (CLONE_NEWCGROUP: EINVAL).
/usr/bin/python3 -m pytest -q -rfEs -p no:cacheprovider --ignore tests/run/test_cgroup_namespace.py \
	"$@" tests/run
exit $? # and not exec: the first process has to reap orphans

#!/bin/sh
# SPDX-License-Identifier: MIT
# The part of run.sh that runs in the sandbox for make test-gvisor-long: a node with a dozen pods.
cd "$(dirname "$0")/../.." || exit 1
build=${FUSE_CGROUPFS%/*}
export PYTHONDONTWRITEBYTECODE=1 CLIENT_SECONDS=300
export KUBELET="$build/kubelet" FUSE_CGROUP_CNI="$build/fuse_cgroup_cni"
/usr/bin/python3 -m pytest -s -q -rfEs -p no:cacheprovider "$@" tests/node/long_gvisor.py \
	tests/node/long_gvisor_native.py
exit $? # and not exec: the first process has to reap orphans

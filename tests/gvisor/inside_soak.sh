#!/bin/sh
# SPDX-License-Identifier: MIT
# The part of run.sh that runs in the sandbox for make soak-node-gvisor: a node on which pods come and go
# for so many minutes. Its plot is printed, as no file leaves the sandbox.
cd "$(dirname "$0")/../.." || exit 1
build=${FUSE_CGROUPFS%/*}
export PYTHONDONTWRITEBYTECODE=1 CLIENT_SECONDS=300
export KUBELET="$build/kubelet" FUSE_CGROUP_CNI="$build/fuse_cgroup_cni"
/usr/bin/python3 tests/node/soak.py "$1" /tmp/plot.svg v1
status=$?
cat /tmp/plot.svg
exit $status

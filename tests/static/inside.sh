#!/bin/sh
# SPDX-License-Identifier: MIT
# What a user does with the static programs where there is nothing else but busybox.
# Usage (in the root): inside.sh [--no-launcher]
set -eu

fail() {
	echo "static: $*" >&2
	exit 1
}

mkdir -p /mnt/tree /tmp
[ -n "${1-}" ] || mkdir -p /sys/fs/cgroup # the launcher wants a place for the tree
fuse_cgroupfs -o sendfile /mnt/tree # busybox copies by sendfile(2)
[ "$(ls /mnt/tree | wc -l)" -eq 13 ] || fail "not all hierarchies are there"
mkdir /mnt/tree/memory/web
echo 5M >/mnt/tree/memory/web/memory.limit_in_bytes
[ "$(cat /mnt/tree/memory/web/memory.limit_in_bytes)" = 5242880 ] || fail "the limit is not kept"
sleep 1000 &
echo $! >/mnt/tree/memory/web/cgroup.procs
[ "$(cat /mnt/tree/memory/web/cgroup.procs)" = $! ] || fail "the process is not in its cgroup"
kill $! 2>/dev/null
wait $! 2>/dev/null || :
rmdir /mnt/tree/memory/web
umount /mnt/tree

if [ "${1-}" != --no-launcher ]; then
	[ "$(fuse_cgroup_run --memory 64M -- cat /sys/fs/cgroup/memory/memory.limit_in_bytes)" = 67108864 ] ||
		fail "the launcher's limit is not shown"
	[ "$(fuse_cgroup_run -- grep -c ' cgroup ' /proc/self/mounts)" -ge 13 ] ||
		fail "the launcher's tables do not show the hierarchies"
fi
cni='{"cniVersion": "1.1.0", "name": "pods", "ipam": {"subnet": "10.88.0.0/24", "dataDir": "/tmp/cni"}}'
echo "$cni" | CNI_COMMAND=STATUS fuse_cgroup_cni || fail "the network plugin is not ready"
echo "static: all works"

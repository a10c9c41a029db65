#!/bin/sh
# SPDX-License-Identifier: MIT
# The same in gVisor's sandbox, where the launcher's way of catching calls is missing.
# Usage: tests/static/gvisor.sh BUILD   (as root)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
runsc=$("$here/../gvisor/build-runsc.sh")
state=$(mktemp -d)

cleanup() {
	for mounted in "$state"/null-netns "$state"/runsc-do*/null-netns; do
		umount "$mounted" 2>/dev/null || true
	done
	rm -rf --one-file-system "$state"
}
trap cleanup EXIT

mkdir -p "$state/root/bin" "$state/root/tmp" "$state/root/dev" "$state/root/proc"
cp "$(command -v busybox)" "$here/inside.sh" "$build/fuse_cgroupfs" "$build/fuse_cgroup_cni" "$state/root/bin"
said=$(TMPDIR=$state timeout -k 10 300 "$runsc" --root="$state" --ignore-cgroups --network=none "do" --quiet \
	--root="$state/root" --cwd=/ /bin/busybox sh -c \
	'/bin/busybox --install -s /bin; export PATH=/bin; exec /bin/sh /bin/inside.sh --no-launcher' \
	</dev/null 2>&1 | cat)
echo "in gVisor: $said"
[ "$said" = "static: all works" ]

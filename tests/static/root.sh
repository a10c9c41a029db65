#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs inside.sh in a root with busybox and the static programs, and nothing else: no library, no
# file in /etc. As root, in namespaces of its own.
# Usage: tests/static/root.sh BUILD
set -eu

if [ "${1-}" != inside ]; then
	exec unshare --mount --pid --fork --propagation private "$0" inside "$(cd "$1" && pwd)"
fi
here=$(cd "$(dirname "$0")" && pwd)
build=$2
root=$(mktemp -d)
mount -t tmpfs root "$root"
for directory in bin proc dev tmp old; do mkdir "$root/$directory"; done
cp "$(command -v busybox)" "$here/inside.sh" "$build/fuse_cgroupfs" "$build/fuse_cgroup_run" \
	"$build/fuse_cgroup_cni" "$root/bin"
mount -t proc proc "$root/proc"
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 600 "$root/dev/fuse" c 10 229
cd "$root"
pivot_root . old
export PATH=/bin
./bin/busybox rmdir "/old$root" # the directory below the mount
exec ./bin/busybox chroot . /bin/busybox sh -c \
	'/bin/busybox --install -s /bin; umount -l /old; exec /bin/sh /bin/inside.sh'

#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a command in a root, in a mount namespace of its own, with /proc, /sys and the devices that a
# program may need. Its environment is a login's, with this machine's proxies.
# Usage: tests/fresh/enter.sh machine|chroot ROOT COMMAND...
#   machine: as after a start of one: / is a mount point, and there is no other root around it
#   chroot: / is a directory of another filesystem, and no mount point
set -eu

if [ "${1-}" != inside ]; then
	exec unshare --mount --propagation private "$0" inside "$@"
fi
kind=$2
root=$(cd "$3" && pwd -P)
shift 3

[ "$kind" = chroot ] || mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount -t tmpfs -o mode=755 dev "$root/dev"
for device in null zero full random urandom tty fuse loop-control /dev/loop[0-9]*; do
	device=${device#/dev/}
	[ -c "/dev/$device" ] || [ -b "/dev/$device" ] || continue
	touch "$root/dev/$device"
	mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
number=0
for stream in stdin stdout stderr; do
	ln -s "/proc/self/fd/$number" "$root/dev/$stream"
	number=$((number + 1))
done
ln -s /proc/self/fd "$root/dev/fd"

set -- HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "TERM=${TERM:-dumb}" "$@"
for variable in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
	eval "value=\${$variable-}"
	[ -z "$value" ] || set -- "$variable=$value" "$@"
done
if [ "$kind" = machine ]; then
	cd "$root"
	mkdir -p mnt/old
	pivot_root . mnt/old
	exec chroot . /bin/sh -c 'umount -l /mnt/old && rmdir /mnt/old && cd / && exec env -i "$@"' sh "$@"
fi
exec chroot "$root" env -i "$@"

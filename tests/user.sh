#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a command as an ordinary user who may open /dev/fuse, as everybody may on an ordinary machine.
# As root it becomes nobody, with a /dev/fuse for all in a mount namespace of its own.
# Usage: tests/user.sh COMMAND...
set -eu

if [ "$(id -u)" != 0 ]; then
	exec "$@"
fi
if [ "${1-}" != inside ]; then
	exec unshare --mount --propagation private "$0" inside "$@"
fi
shift
device=$(mktemp -u)
mknod -m 666 "$device" c 10 229
mount --bind "$device" /dev/fuse
rm "$device"
exec setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=/nonexistent PYTHONDONTWRITEBYTECODE=1 "$@"

#!/bin/sh
# SPDX-License-Identifier: MIT
# Cross-builds everything for arm64, every warning an error, and runs the unit tests under qemu-user.
# In a root of its own, so that this machine gets no foreign packages.
# Usage: tests/arm64/run.sh   (as root)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
fresh=$here/../fresh

[ "$(id -u)" = 0 ] || { echo "test-arm64: needs root: it makes a root of its own" >&2; exit 1; }
directory=$(mktemp -d)
trap 'rm -rf --one-file-system "$directory"' EXIT
trap 'exit 130' INT TERM
"$fresh/root.sh" bookworm "$directory/root"
git clone -q "$here/../.." "$directory/root/srv/project"
"$fresh/enter.sh" chroot "$directory/root" /srv/project/tests/arm64/inside.sh

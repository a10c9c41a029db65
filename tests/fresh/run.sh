#!/bin/bash
# SPDX-License-Identifier: MIT
# The README's two commands on a machine where nothing is installed: a root made by debootstrap, git
# clone of the last commit, make run, Ctrl-C, make test. From root's home where / is a mount point, and
# from /opt where it is none (chroot).
# Usage: tests/fresh/run.sh SUITE [machine|chroot]...   (as root; both by default)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)
suite=$1
kinds=("${@:2}")
((${#kinds[@]})) || kinds=(machine chroot)
declare -A places=([machine]=/root/fuse_cgroupfs [chroot]=/opt/fuse_cgroupfs)

[ "$(id -u)" = 0 ] || { echo "test-fresh: needs root: it makes a root of its own" >&2; exit 1; }
[ -c /dev/fuse ] || { echo "test-fresh: needs /dev/fuse (modprobe fuse)" >&2; exit 1; }
directory=$(mktemp -d "${TMPDIR:-/tmp}/fcg-fresh.XXXXXX")
chmod 755 "$directory" # what is below is all users' in there

# Who is left in the root: a failed run may leave daemons. Its mounts go with their namespace.
cleanup() {
	local process
	for process in /proc/[0-9]*; do
		case "$(readlink "$process/root" 2>/dev/null || true)" in
		"$directory"/*) kill -KILL "${process#/proc/}" 2>/dev/null || true ;;
		esac
	done
	rm -rf --one-file-system "$directory"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

for kind in "${kinds[@]}"; do
	root=$directory/$kind
	start=$SECONDS
	"$here/root.sh" "$suite" "$root"
	git clone -q --bare "$project" "$root/srv/project.git"
	cp "$here/inside.sh" "$root/srv/"
	echo "test-fresh: $suite, $kind, from ${places[$kind]}"
	"$here/enter.sh" "$kind" "$root" /srv/inside.sh /srv/project.git "${places[$kind]}"
	echo "test-fresh: $suite, $kind: all as the README says, in $((SECONDS - start)) s"
	rm -rf --one-file-system "$root"
done

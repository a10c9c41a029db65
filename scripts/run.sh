#!/bin/sh
# SPDX-License-Identifier: MIT
# Mounts a tree, gives a short tour of it, and stays until Ctrl-C.
# Usage: scripts/run.sh BINARY MOUNTPOINT
set -eu

binary=$1
mount=$2
made=
daemon=

cleanup() {
	trap - EXIT INT TERM
	if [ -n "$daemon" ] && kill "$daemon" 2>/dev/null; then
		wait "$daemon" || true
	fi
	[ -z "$made" ] || rmdir "$mount" 2>/dev/null || true
	echo "unmounted $mount"
}

show() {
	echo
	echo "\$ $*"
	sh -c "$*" || true
}

if [ ! -e "$mount" ]; then
	mkdir -p "$mount"
	made=1
fi
"$binary" -f "$mount" &
daemon=$!
trap cleanup EXIT
trap 'exit 0' INT TERM

tries=0
until [ -d "$mount/memory" ]; do
	kill -0 "$daemon" 2>/dev/null || { daemon=; exit 1; } # it has said why
	tries=$((tries + 1))
	[ "$tries" -lt 100 ] || { echo "run.sh: $mount did not come up in 10 seconds" >&2; exit 1; }
	sleep 0.1
done

echo "A cgroup v1 tree is at $mount. A short tour:"
show "ls $mount"
show "cat $mount/cpuacct/cpuacct.usage $mount/memory/memory.usage_in_bytes"
show "head -n 5 $mount/memory/memory.stat"
show "mkdir $mount/memory/tour && echo 512M > $mount/memory/tour/memory.limit_in_bytes"
show "cat $mount/memory/tour/memory.limit_in_bytes"
show "/bin/echo 12monkeys > $mount/memory/tour/memory.limit_in_bytes"
show "rmdir $mount/memory/tour"
echo
echo "It stays mounted until you press Ctrl-C."
wait "$daemon" || true

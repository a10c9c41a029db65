#!/bin/sh
# SPDX-License-Identifier: MIT
# In a mount namespace of its own: puts a tree at /sys/fs/cgroup and runs the tests on it.
# Usage: inside.sh kernel|ours DIRECTORY DAEMON [go test arguments]
set -eu

tree=$1 work=$2 daemon=$3
shift 3
here=$(cd "$(dirname "$0")" && pwd)
hierarchies="blkio cpu cpuacct cpuset devices freezer hugetlb memory net_cls net_prio perf_event
	pids systemd"
root=/sys/fs/cgroup
pid=

cleanup() {
	trap - EXIT
	[ -z "$pid" ] || { kill "$pid" && wait "$pid"; } 2>/dev/null || true
}
trap cleanup EXIT
trap 'exit 130' INT TERM

mount_kernel() {
	case $1 in
	systemd) mount -t cgroup -o none,name=systemd none "$root/$1" ;;
	*) mount -t cgroup -o "$1" none "$root/$1" ;;
	esac
}

serve() {
	mkdir "$work/mount"
	"$daemon" -f "$work/mount" &
	pid=$!
	tries=0
	until [ -d "$work/mount/memory" ]; do
		kill -0 "$pid" 2>/dev/null || { pid=; exit 1; } # it has said why
		tries=$((tries + 1))
		[ "$tries" -lt 100 ] || { echo "test-clients: no mount after 10 seconds" >&2; exit 1; }
		sleep 0.1
	done
}

[ "$tree" = kernel ] || serve
mount -t tmpfs -o mode=755 none "$root"
for hierarchy in $hierarchies; do
	mkdir "$root/$hierarchy"
	# The mount table names the kernel's below ours, and clients look there for where they are.
	if ! mount_kernel "$hierarchy" 2>"$work/why" && [ "$tree" = kernel ]; then
		echo "test-clients: left out: this kernel mounts no $hierarchy hierarchy: $(cat "$work/why")"
		exit 0
	fi
	[ "$tree" = kernel ] || mount --bind "$work/mount/$hierarchy" "$root/$hierarchy"
done

cd "$here"
status=0
FCG_ROOT=$root FCG_TRANSCRIPT=$work/$tree.txt go test -count=1 "$@" ./... || status=1
# The upstream test that was promised: it reads the mount table and disks, nothing of cgroups.
[ "$tree" = kernel ] || go test -count=1 github.com/google/cadvisor/fs || status=1
exit "$status"

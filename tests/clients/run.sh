#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs real Go clients of cgroups on our mount and, as the reference, on the
# kernel's own hierarchies where it has them; both must pass and write down the same.
# Usage: tests/clients/run.sh [go test arguments]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
daemon=${FUSE_CGROUPFS:-$here/../../build/fuse_cgroupfs}
launcher=${FUSE_CGROUP_RUN:-$here/../../build/fuse_cgroup_run}

if [ "$(id -u)" != 0 ]; then
	echo "test-clients: they make cgroups and mounts: run it as root" >&2
	exit 1
fi
if [ ! -c /dev/fuse ]; then
	echo "test-clients: there is no /dev/fuse: modprobe fuse, or give it to the container" >&2
	exit 1
fi
if [ ! -x "$daemon" ]; then
	echo "test-clients: $daemon is not there: run make first" >&2
	exit 1
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/fcg-clients.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# Nothing that is mounted there is seen outside.
on() {
	tree=$1
	shift
	unshare -m --propagation private "$here/with-go.sh" \
		"$here/inside.sh" "$tree" "$work" "$daemon" "$@"
}

# The same libraries' v2, and one's own tests, below the launcher: they ask for the filesystem's type.
unified() {
	TMPDIR=$work FCG_UNIFIED=1 unshare -m --propagation private "$launcher" --v2 -- "$here/with-go.sh" \
		sh -c 'cd "$1" && go test -count=1 -run TestUnified . && go test -count=1 "$2"' sh \
		"$here" github.com/opencontainers/cgroups/fs2
}

failed=
echo "test-clients: on the kernel's own cgroups"
on kernel "$@" || failed="$failed, on the kernel's own cgroups"
echo "test-clients: on $daemon"
on ours "$@" || failed="$failed, on our mount"
echo "test-clients: cgroup v2 below $launcher"
unified || failed="$failed, on cgroup v2"
if [ -e "$work/kernel.txt" ] && [ -e "$work/ours.txt" ]; then
	if diff -u "$work/kernel.txt" "$work/ours.txt"; then
		echo "test-clients: $(wc -l <"$work/ours.txt") answers are the kernel's"
	else
		failed="$failed, answers differ from the kernel's"
	fi
else
	echo "test-clients: nothing to compare with: this kernel has not all of cgroup v1"
fi
[ -z "$failed" ] || { echo "test-clients: FAILED${failed}"; exit 1; }
echo "test-clients: passed"

#!/bin/sh
# Runs scripts/test_fuse.sh and the mount tests inside gVisor's sandbox, as root.
# Usage: tests/gvisor/run.sh [pytest arguments]
set -eu

LIMIT=${GVISOR_SECONDS:-900} # for everything inside
project=$(cd "$(dirname "$0")/../.." && pwd)
daemon=${FUSE_CGROUPFS:-$project/build/fuse_cgroupfs}

if [ "$(id -u)" != 0 ]; then
	echo "test-gvisor: runsc makes namespaces and a network: run it as root" >&2
	exit 1
fi
if [ ! -x "$daemon" ]; then
	echo "test-gvisor: $daemon is not there: run make first" >&2
	exit 1
fi
runsc=$("$project/tests/gvisor/build-runsc.sh")
state=$(mktemp -d /tmp/fcg-gvisor.XXXXXX)

# What runsc leaves: a sandbox when it was killed, and always the null network namespace.
cleanup() {
	for sandbox in $("$runsc" --root="$state" list -quiet 2>/dev/null); do
		"$runsc" --root="$state" delete --force "$sandbox" 2>/dev/null || true
	done
	umount "$state/null-netns" 2>/dev/null || true
	rm -rf "$state"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# The sandbox sees this machine's files, with its own changes in memory only. It
# wants no terminal, and its output a pipe.
{
	status=0
	timeout -k 10 "$LIMIT" "$runsc" --root="$state" --ignore-cgroups --network=none \
		do --quiet env FUSE_CGROUPFS="$daemon" \
		"$project/tests/gvisor/inside.sh" "$@" </dev/null 2>&1 || status=$?
	echo "$status" >"$state/status"
} | cat

status=$(cat "$state/status")
case $status in
0) echo "test-gvisor: all as expected in gVisor" ;;
124 | 137) echo "test-gvisor: FAILED, not finished within $LIMIT seconds (GVISOR_SECONDS)" ;;
*) echo "test-gvisor: FAILED, status $status" ;;
esac
exit "$status"

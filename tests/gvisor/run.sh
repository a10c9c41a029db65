#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs fuse_cgroupfs --check, two unit tests (make test-gvisor builds them) and the mount tests inside
# gVisor's sandbox, as root. Usage: tests/gvisor/run.sh [pytest arguments]
# GVISOR_INSIDE=inside_long.sh runs that instead (make test-gvisor-long).
set -eu

LIMIT=${GVISOR_SECONDS:-1800} # for everything inside
project=$(cd "$(dirname "$0")/../.." && pwd)
daemon=${FUSE_CGROUPFS:-$project/build/fuse_cgroupfs}
state=
sandbox=

# What runsc leaves: a sandbox when it was killed, and always the null network namespace.
cleanup() {
	trap '' EXIT INT TERM
	if [ -n "$sandbox" ] && kill "$sandbox" 2>/dev/null; then
		wait "$sandbox" || true
	fi
	for root in "$state"/runsc-do*; do
		for id in $("$runsc" --root="$root" list -quiet 2>/dev/null); do
			"$runsc" --root="$root" delete --force "$id" 2>/dev/null || true
		done
		umount "$root/null-netns" 2>/dev/null || true
	done
	umount "$state/null-netns" 2>/dev/null || true
	rm -rf "$state"
}

if [ "$(id -u)" != 0 ]; then
	echo "test-gvisor: runsc makes namespaces and a network: run it as root" >&2
	exit 1
fi
if [ ! -x "$daemon" ]; then
	echo "test-gvisor: $daemon is not there: run make first" >&2
	exit 1
fi
runsc=$("$project/tests/gvisor/build-runsc.sh")
state=$(mktemp -d)
trap cleanup EXIT
trap 'exit 130' INT TERM

# The sandbox sees this machine's files, and keeps its own changes in memory. It
# wants no terminal, and its output a pipe.
mkfifo "$state/output"
cat "$state/output" &
TMPDIR=$state timeout -k 10 "$LIMIT" "$runsc" --root="$state" --ignore-cgroups --network=none \
	"do" --quiet env TMPDIR=/tmp FUSE_CGROUPFS="$daemon" FUSE_CGROUP_RUN="${daemon%/*}/fuse_cgroup_run" \
	"STORM_SECONDS=${STORM_SECONDS:-300}" "NODE_SECONDS=${NODE_SECONDS:-1800}" \
	"$project/tests/gvisor/${GVISOR_INSIDE:-inside.sh}" \
	"$@" </dev/null >"$state/output" 2>&1 &
sandbox=$!
status=0
wait "$sandbox" || status=$?
sandbox=
wait

case $status in
0) echo "test-gvisor: all as expected in gVisor" ;;
124) echo "test-gvisor: FAILED, not finished within $LIMIT seconds (GVISOR_SECONDS)" ;;
137) echo "test-gvisor: FAILED, killed: short of memory, or hung at $LIMIT seconds (GVISOR_SECONDS)" ;;
*) echo "test-gvisor: FAILED, status $status" ;;
esac
exit "$status"

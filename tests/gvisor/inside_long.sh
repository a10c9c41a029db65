#!/bin/sh
# SPDX-License-Identifier: MIT
# The part of run.sh that runs in the sandbox for make test-gvisor-long: storms of signals.
# Usage: inside_long.sh STORM STORM_GO
at=/sys/fs/cgroup/cpu
seconds=${STORM_SECONDS:-300}
short=$(((seconds + 4) / 5))
result=0
mount=$(mktemp -d)

# What is not as on Linux is a failure.
storm() {
	echo "== $1"
	shift
	"$@" || result=1
}

storm "below the launcher, $seconds s" "$FUSE_CGROUP_RUN" --v1 -- "$1" $at "$seconds"
storm "the handler has SA_RESTART, $short s" "$FUSE_CGROUP_RUN" --v1 -- "$1" $at $short restart
storm "version 2, $short s" "$FUSE_CGROUP_RUN" --v2 -- "$1" /sys/fs/cgroup $short
storm "in Go, $seconds s" "$FUSE_CGROUP_RUN" --v1 -- "$2" $at "$seconds"
storm "in Go, with children that end, $short s" "$FUSE_CGROUP_RUN" --v1 -- "$2" $at $short children
# Here it is only told what comes.
echo "== below the launcher, signals to the process, $short s"
"$FUSE_CGROUP_RUN" --v1 -- "$1" $at $short shared
"$FUSE_CGROUPFS" "$mount"
echo "== without the launcher, SA_RESTART, $short s"
"$1" "$mount/cpu" $short restart
echo "== without the launcher, in Go, $short s"
"$2" "$mount/cpu" $short
umount "$mount"
rmdir "$mount"
exit $result

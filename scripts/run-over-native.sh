#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a command in gVisor that sees gVisor's own cgroups of version 1 with those of
# fuse_cgroupfs bound over each, and without fuse_cgroup_run: nothing is traced. Mount tables
# so have real lines of cgroup, and /proc/PID/cgroup is gVisor's (docs/gvisor.md, "Without the
# launcher"). In a mount namespace of its own, as root who may mount. All ends with the command.
#
# Go programs get GODEBUG=asyncpreemptoff=1: nobody here makes calls again that gVisor interrupts.
#
# Usage: run-over-native.sh COMMAND [ARGUMENT...]
# Environment:
#   FUSE_CGROUPFS          the daemon (default: build/fuse_cgroupfs)
#   FUSE_CGROUPFS_OPTIONS  more of its options, as "accounting=scan,log=FILE"
set -eu

# shellcheck source=scripts/lib/reap.sh
. "$(dirname "$0")/lib/reap.sh"

at=/sys/fs/cgroup
daemon=${FUSE_CGROUPFS:-$(cd "$(dirname "$0")/.." && pwd)/build/fuse_cgroupfs}
server=

fail() {
	echo "run-over-native.sh: $*" >&2
	exit 1
}

# In a new directory, so that what was there is not asked for.
mount_native() {
	mount -t tmpfs -o mode=755 cgroups "$at"
	mounted=
	for name in cpu cpuacct cpuset devices job memory pids; do
		mkdir "$at/$name"
		if mount -t cgroup -o "$name" "$name" "$at/$name" 2>/dev/null; then
			mounted=1
		else
			rmdir "$at/$name"
		fi
	done
	[ -n "$mounted" ] || fail "gVisor lets nobody mount its cgroups here: that takes CAP_SYS_ADMIN"
}

start_daemon() {
	tree=$(mktemp -d "${TMPDIR:-/tmp}/over-native.XXXXXX")
	"$daemon" -f -o "native=$at${FUSE_CGROUPFS_OPTIONS:+,$FUSE_CGROUPFS_OPTIONS}" "$tree" </dev/null &
	server=$!
	until [ -d "$tree/cpu" ]; do
		kill -0 "$server" 2>/dev/null || fail "$daemon has ended"
		sleep 0.1
	done
}

bind_ours() {
	for ours in "$tree"/*; do
		mkdir -p "$at/${ours##*/}"
		mount --bind "$ours" "$at/${ours##*/}"
	done
}

# It removes what it has made in gVisor's.
end_daemon() {
	trap '' INT TERM HUP
	if [ -n "$server" ] && kill "$server" 2>/dev/null; then
		wait "$server" || true
	fi
	[ -z "${tree:-}" ] || rmdir "$tree"
}

case ${1:-} in
-h | --help)
	sed -n '3,/^set -eu/s/^# \{0,1\}//p' "$0"
	exit 0
	;;
inside) shift ;;
'') fail "name a command: run-over-native.sh COMMAND [ARGUMENT...]" ;;
*)
	case $(uname -r) in
	*gvisor*) ;;
	*) fail "this is not gVisor: use fuse_cgroup_run, or fuse_cgroupfs -o native=DIR" ;;
	esac
	[ "$(id -u)" = 0 ] || fail "it mounts: run it as root"
	[ -x "$daemon" ] || fail "$daemon is not there: run make first"
	exec unshare --mount sh "$0" inside "$@"
	;;
esac

trap end_daemon EXIT
trap 'exit 143' TERM
mount_native
start_daemon
bind_ours
export GODEBUG="${GODEBUG:+$GODEBUG,}asyncpreemptoff=1"
# In the background, so that a signal to this script reaches it: but with INT and input as they were.
exec 3<&0
env --default-signal=INT,QUIT "$@" <&3 3<&- &
command=$!
exec 3<&-
trap 'kill -TERM "$command" 2>/dev/null || true' TERM
trap 'kill -HUP "$command" 2>/dev/null || true' HUP
trap : INT # it has it from the terminal
reap "$command"
exit "$status"

# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What a Kubernetes node needs where there are no cgroups: shared by
# run-kubelet-with-fuse-cgroups.sh and run-k3s-with-fuse-cgroups.sh, which set
# $name and define start_node. Everything is kept below one new directory, and
# nothing of it is left in the end.

project=$(cd "$(dirname "$0")/.." && pwd)
launcher=${FUSE_CGROUP_RUN:-$project/build/fuse_cgroup_run}

fail() {
	echo "$name: $*" >&2
	exit 1
}

# need PROGRAM PACKAGE: the program's path, or what to install.
need() {
	command -v "$1" 2>/dev/null || fail "there is no $1: sudo apt-get install -y $2"
}

check_node() {
	[ "$(id -u)" = 0 ] || fail "a node makes containers and mounts: run it as root"
	[ -c /dev/fuse ] || fail "there is no /dev/fuse: modprobe fuse, or give it to the container"
	[ -x "$launcher" ] || fail "$launcher is not there: run make first"
	case ${CGROUPS:-v1} in
	v1 | v2) ;;
	*) fail "CGROUPS cannot be $CGROUPS: it is v1 or v2" ;;
	esac
}

# Outside: a new directory, the launcher with this script again below it, and the end of both.
run_below_launcher() {
	state=$(mktemp -d "${TMPDIR:-/tmp}/kube-node.XXXXXX")
	export KUBE_NODE="$state"
	kmsg=
	trap 'rm -rf --one-file-system "$state" $kmsg' EXIT
	if [ ! -e /dev/kmsg ]; then # prepare-node.sh leaves what it makes there
		kmsg=/dev/kmsg
		: >"$kmsg"
	fi
	pid=
	# What a shell starts in the background ignores INT.
	trap 'ended=130; [ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null' INT
	trap 'ended=143; [ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null' TERM
	ended=
	"$launcher" ${CGROUPS:+"--$CGROUPS"} -- "$project/scripts/prepare-node.sh" "$0" "$@" &
	pid=$!
	status=0
	wait "$pid" || status=$?
	while kill -0 "$pid" 2>/dev/null; do # a signal ended the wait
		status=0
		wait "$pid" || status=$?
	done
	exit "${ended:-$status}"
}

# wait_for WHAT COMMAND...: up to a minute.
wait_for() {
	what=$1
	shift
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$tries" -lt 300 ] || fail "$what does not answer; see the logs in $state/log"
		sleep 0.2
	done
}

# end PID...: asks, waits, and then kills.
end() {
	for pid in "$@"; do
		kill "$pid" 2>/dev/null || continue
		tries=0
		while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 100 ]; do
			tries=$((tries + 1))
			sleep 0.1
		done
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
}

# end_containers SOCKET CTR...: ends all pods of a containerd that still runs.
end_containers() {
	socket=$1
	shift
	for container in $("$@" -a "$socket" -n k8s.io container ls -q 2>/dev/null); do
		"$@" -a "$socket" -n k8s.io task delete -f "$container" >/dev/null 2>&1 || true
		"$@" -a "$socket" -n k8s.io container delete "$container" >/dev/null 2>&1 || true
	done
}

# The comment at the script's top.
show_help() {
	sed -n '3,/^set -eu/p' "$0" | sed -n 's/^# \{0,1\}//p'
}

run_node() {
	case ${1:-} in
	-h | --help)
		show_help
		exit 0
		;;
	esac
	if [ -z "${KUBE_NODE:-}" ]; then
		check_node
		check_programs
		run_below_launcher "$@"
	fi
	state=$KUBE_NODE
	unset KUBE_NODE
	mkdir -p "$state/log"
	trap 'trap "" INT TERM; end_node' EXIT
	trap 'exit 143' TERM
	mount --bind "$state/log" /var/log
	start_node "$@"
}

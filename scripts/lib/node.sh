# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What a Kubernetes node needs where there are no cgroups: shared by
# run-kubelet-with-fuse-cgroups.sh and run-k3s-with-fuse-cgroups.sh, which set $name and
# $kubernetes and define check_programs, with_words, start_node and end_node. Everything is
# kept below one new directory, and nothing of it is left in the end.

project=$(cd "$(dirname "$0")/.." && pwd)
launcher=${FUSE_CGROUP_RUN:-$project/build/fuse_cgroup_run}
native= # without the launcher, over gVisor's own cgroups
plugin=${FUSE_CGROUP_CNI:-$project/build/fuse_cgroup_cni}
agent=${KUBE_NODE_AGENT:-} offline=${KUBE_NODE_OFFLINE:-} address=${KUBE_NODE_ADDRESS:-}
cgroups=${CGROUPS:-} # v1, v2 or nothing: the machine's
minor=${KUBE_NODE_MINOR:-} # Kubernetes 1.$minor

fail() {
	echo "$name: $*" >&2
	exit 1
}

# shellcheck source=scripts/lib/machine.sh
. "$project/scripts/lib/machine.sh"
# shellcheck source=scripts/lib/containers.sh
. "$project/scripts/lib/containers.sh"
# shellcheck source=scripts/lib/tell.sh
. "$project/scripts/lib/tell.sh"
# shellcheck source=scripts/lib/reap.sh
. "$project/scripts/lib/reap.sh"

# need PROGRAM PACKAGE: the program's path, or what to install.
need() {
	command -v "$1" 2>/dev/null || fail "there is no $1: sudo apt-get install -y $2"
}

# has_option NAME WORD...: whether the option is among the words.
has_option() {
	option_value "$@" >/dev/null
}

# option_value NAME WORD...: the last value of an option, "NAME VALUE" or "NAME=VALUE".
option_value() {
	option=$1
	shift
	found=1 value=
	while [ $# -gt 0 ]; do
		case $1 in
		"$option") found=0 value=${2-} ;;
		"$option"=*) found=0 value=${1#*=} ;;
		esac
		shift
	done
	[ "$found" != 0 ] || echo "$value"
	return "$found"
}

check_node() {
	[ "$(id -u)" = 0 ] || fail "a node makes containers and mounts: run it as root"
	[ -c /dev/fuse ] || mknod -m 666 /dev/fuse c 10 229 2>/dev/null ||
		fail "there is no /dev/fuse: modprobe fuse, or give it to the container"
	for program in "$launcher" "$plugin"; do
		[ -x "$program" ] || fail "$program is not there: run make first"
	done
	for image in ${IMAGES:-}; do
		[ -f "$image" ] && [ -r "$image" ] || fail "IMAGES: there is no file $image"
	done
	temporary=$(cd "${TMPDIR:-/tmp}" 2>/dev/null && pwd -P) ||
		fail "TMPDIR: there is no directory $TMPDIR"
}

# check_seen FILE...: the node sees these.
check_seen() {
	for file in "$@"; do
		its_path=$(readlink -f "$file")/
		for place in $places; do
			case $its_path in
			"$place"/*) fail "$file cannot be in $place, as the node sees one of its own there" ;;
			esac
		done
	done
}

# Whatever follows from where we are and from what is run. Words of the user's go before.
choose() {
	case $cgroups in
	'' | v1 | v2) ;;
	*) fail "CGROUPS cannot be $cgroups: it is v1 or v2" ;;
	esac
	minor=$("$kubernetes" --version 2>/dev/null | sed -n 's/.* v1\.\([0-9]*\)\..*/\1/p' | head -n 1)
	[ -n "$minor" ] || fail "$kubernetes --version does not tell a version of Kubernetes"
	if [ -n "$native" ]; then
		[ "$cgroups" != v2 ] || fail "--native is of cgroup v1: leave out --v2"
		cgroups=v1
	fi
	if [ -z "$cgroups" ]; then
		case $(uname -r) in
		*gvisor*) cgroups=v1 ;; # runc starts no container on v2 there
		*) [ "$minor" -lt 35 ] || cgroups=v2 ;;
		esac
	fi
	[ -z "${IMAGES:-}" ] || offline=1
	if ! has_default_route; then
		offline=1
		has_option --node-ip "$@" || address=$(own_address)
		: "${address:=$new_address}"
	fi
}

# Kubernetes 1.31 got the flag, and from 1.35 on a kubelet does not start on cgroup v1 without it.
wants_v1_allowed() {
	[ "$minor" -ge 31 ] && [ "$(served)" = v1 ]
}

# The version of cgroups that the node sees.
served() {
	case ${cgroups:-$(stat -f -c %T /sys/fs/cgroup 2>/dev/null)} in
	v2 | cgroup2fs) echo v2 ;;
	*) echo v1 ;;
	esac
}

# What shells start in the background has INT ignored, and no shell can change that: it would not end by it.
heed_interrupt() {
	ignored=$(sed -n 's/^SigIgn:[[:space:]]*//p' /proc/self/status)
	if [ -z "$ignored" ]; then # gVisor does not tell: once, lest it be so
		[ -z "${KUBE_NODE_HEEDS:-}" ] || return 0
		export KUBE_NODE_HEEDS=1
		ignored=2
	fi
	[ $((0x$ignored >> 1 & 1)) = 0 ] || ! env --default-signal=INT true 2>/dev/null ||
		exec env --default-signal=INT "$0" "$@"
}

# with_cgroups COMMAND WORD...: runs it with the command line of who shows the words' program its cgroups.
with_cgroups() {
	command=$1
	shift
	if [ -n "$native" ]; then
		"$command" "$project/scripts/run-over-native.sh" "$@"
	else
		"$command" "$launcher" ${cgroups:+"--$cgroups"} -- "$@"
	fi
}

# Outside: a new directory, the launcher with this script again below it, and the end of both.
run_below_launcher() {
	state=$(mktemp -d "$temporary/kube-node.XXXXXX")
	export KUBE_NODE="$state" KUBE_NODE_AGENT="$agent" KUBE_NODE_OFFLINE="$offline"
	export KUBE_NODE_ADDRESS="$address" KUBE_NODE_MINOR="$minor" CGROUPS="$cgroups"
	# With it k3s believes that systemd is there, and takes its cgroup driver.
	unset INVOCATION_ID
	pid= ended=
	trap leave EXIT
	# What a shell starts in the background ignores INT.
	trap 'ended=130; [ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null' INT
	trap 'ended=143; [ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null' TERM
	enter_machine
	# Shared, so that what the launcher mounts when its daemon was killed comes to the node, too. Its own
	# directory lies in ours, as it is left when the supervisor is killed.
	TMPDIR="$state" with_cgroups exec sh -c 'mount --make-rshared / && exec "$@"' sh \
		"$project/scripts/prepare-node.sh" "$0" -- "$@" 8<&- 9<&- &
	pid=$!
	reap "$pid"
	exit "${ended:-$status}"
}

# The end of all: only after a failure the logs are kept.
leave() {
	status=$?
	set +e
	# Whoever was ours inside has ended them already, but for one that was killed with the launcher.
	[ ! -e "$state/namespace" ] || end_pods "$(cat "$state/namespace")"
	leave_machine
	if [ -z "$ended" ] && [ "$status" != 0 ] && [ -n "$(ls "$state/log" 2>/dev/null)" ]; then
		find "$state" -xdev -mindepth 1 ! -path "$state/log*" -delete
		echo "$name: the logs are kept in $state/log" >&2
	else
		rm -rf --one-file-system "$state"
	fi
}

# The tree's device: on cgroup v2 another one when the launcher had to start another daemon.
tree() {
	stat -c %d /sys/fs/cgroup 2>/dev/null
}

# watch PID...: until one of the programs has ended, whose pid is in $gone then, or until the tree is another
# than $its_tree. On cgroup v2 a kubelet keeps the root of the tree open, and sees nothing of the new one.
watch() {
	gone=
	while :; do
		for pid in "$@"; do
			kill -0 "$pid" 2>/dev/null || { gone=$pid && return; }
		done
		sleep 1
		now=$(tree) || continue # not there yet
		[ "$now" = "$its_tree" ] || return 0
	done
}

# goes_on PROGRAM STARTED LOG: tells what watch() has seen. A program that was killed is worth another start;
# one that has ended by itself is not, nor one that is killed as soon as it runs: with it all ends.
goes_on() {
	if [ -z "$gone" ]; then
		echo "node: the cgroups have another daemon: $1 is started anew, the pods go on"
		return
	fi
	status=0
	wait "$gone" || status=$?
	[ "$status" -gt 128 ] && [ $(($(date +%s) - $2)) -ge 10 ] || has_ended "$1" "$status" "$3"
	echo "node: $1 was killed: it is started anew, the pods go on"
}

# end PID...: asks, waits, and then kills.
end() {
	for pid in "$@"; do
		[ "$pid" != "${gone:-}" ] && kill "$pid" 2>/dev/null || continue
		tries=0
		while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 100 ]; do
			tries=$((tries + 1))
			sleep 0.1
		done
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
}

# run_node WORD...: takes our options out, in any place before a "--", and does what they say.
run_node() {
	[ -n "${KUBE_NODE:-}" ] || heed_interrupt "$@"
	mode=run left=$#
	while [ "$left" -gt 0 ]; do
		word=$1
		shift
		left=$((left - 1))
		case $word in
		-h | --help) show_help && exit 0 ;;
		--v1 | --v2) cgroups=${word#--} ;;
		--offline) offline=1 ;;
		--native) native=1 ;;
		--check) mode=check ;;
		--dry-run) mode=dry_run ;;
		--agent | --agent=*)
			[ "$name" = run-k3s-with-fuse-cgroups.sh ] || fail "only k3s has agents"
			agent=${word#--agent=}
			if [ "$word" = --agent ] && [ "$left" -gt 0 ]; then
				agent=$1
				shift
				left=$((left - 1))
			fi
			case $agent in
			https://?*) ;;
			*) fail "--agent needs the server's URL: https://SERVER:6443" ;;
			esac
			;;
		--)
			while [ "$left" -gt 0 ]; do
				set -- "$@" "$1"
				shift
				left=$((left - 1))
			done
			;;
		*) set -- "$@" "$word" ;;
		esac
	done
	if [ -n "${KUBE_NODE:-}" ]; then
		run_inside "$@"
	elif [ "$mode" = check ]; then
		tell_machine
	else
		check_node
		check_programs "$@"
		choose "$@"
		check_programs "$@" # what these want
		# shellcheck disable=SC2086 # a list
		check_seen "$temporary" "$launcher" "$plugin" "$(command -v "$kubernetes")" ${IMAGES:-}
		[ "$mode" = run ] || { dry_run "$@" && exit 0; }
		run_below_launcher "$@"
	fi
}

run_inside() {
	state=$KUBE_NODE
	unset KUBE_NODE
	readlink /proc/self/ns/mnt >"$state/namespace"
	trap 'trap "" INT TERM; end_node; end_pods "$(cat "$state/namespace")"' EXIT
	trap 'exit 143' TERM
	trap '' INT # whoever is outside sends TERM then
	prepare_machine
	start_node "$@"
}

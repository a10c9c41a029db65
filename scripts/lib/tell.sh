# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What a node's user is told: help, what the machine has, what would be done, how far it is, and why
# it ended. Part of node.sh.

# The comment at the script's top.
show_help() {
	sed -n '3,/^set -eu/p' "$0" | sed -n 's/^# \{0,1\}//p'
}

# row WHAT STATE
row() {
	printf '%-22s %s\n' "$1" "$2"
}

# whether WHAT ADVICE COMMAND...: a row, and 1 where the command fails.
whether() {
	what=$1 advice=$2
	shift 2
	if "$@" >/dev/null 2>&1; then
		row "$what" "here"
	else
		row "$what" "missing: $advice"
		complete=
	fi
}

# provided WHAT HOW COMMAND...: a row of what need not be here.
provided() {
	what=$1 how=$2
	shift 2
	if "$@" >/dev/null 2>&1; then row "$what" "here"; else row "$what" "provided: $how"; fi
}

# --check
tell_machine() {
	complete=1
	whether "root" "run it as root" test "$(id -u)" = 0
	whether "/dev/fuse" "modprobe fuse, or give it to the container" test -c /dev/fuse
	whether "fuse_cgroup_run" "run make first" test -x "$launcher"
	whether "fuse_cgroup_cni" "run make first" test -x "$plugin"
	check_machine
	has_default_route || whether "ip" "apt-get install iproute2" command -v ip
	provided "cgroups" "by fuse_cgroup_run, whatever is here" false
	provided "/dev/kmsg" "an empty file" test -e /dev/kmsg
	provided "/proc/sys" "files of the node's own, by prepare-node.sh" false
	provided "CAP_SYS_RESOURCE" "restrict_oom_score_adj in containerd's settings" may_set_oom_scores
	provided "default route" "an address for the node; nothing is pulled" has_default_route
	provided "network for pods" "by fuse_cgroup_cni" false
	instances=/proc/sys/fs/inotify/max_user_instances
	[ ! -r "$instances" ] ||
		row "inotify instances" "$(cat "$instances"): on cgroup v2 each pod takes two or more"
	[ -n "$complete" ] || exit 1
	exit 0
}

# --dry-run
dry_run() {
	state=$temporary/kube-node.XXXXXX
	echo "# Kubernetes 1.$minor, cgroups $(served)${offline:+, offline}"
	for place in $places; do
		echo "mount --bind $state/root$place $place # seen by the node alone"
	done
	with_cgroups quote
	with_words quote "$@"
}

# quote WORD...: as a shell takes them
quote() {
	for word in "$@"; do
		case $word in
		'' | *[!A-Za-z0-9_/.,:=@%+-]*) printf "'%s' " "$(printf %s "$word" | sed "s/'/'\\\\''/g")" ;;
		*) printf '%s ' "$word" ;;
		esac
	done
	echo
}

# What lines of logs mean.
meanings() {
	cat <<-'END'
		cgroup v1 support is unsupported => this Kubernetes wants cgroup v2: leave --v1 out
		unknown flag|flag provided but not => this version of Kubernetes does not have that option
		no default routes found => there is no default route: give --node-ip ADDRESS
		cgroup mountpoint does not exist => cgroups are not seen: start it with this script
		address already in use => another k3s or kubelet runs here, or another program has its port
		[Ff]ailed to (pull|resolve) => an image cannot be pulled: give tar files of images by IMAGES
		oom_score_adj: Permission denied => containers may have no oom scores here (CAP_SYS_RESOURCE)
		cannot use systemd cgroups manager => systemd's cgroup driver is chosen, without systemd
		[Nn]ode password rejected => the server has such a node: give --node-name or --with-node-id
		cni plugin not initialized => the pods' network is not set up
		token is not valid|invalid token|[Uu]nauthorized => the server does not take this token
		inotify_init: too many => fs.inotify.max_user_instances is too low for so many pods or nodes
		no space left on device => the disk is full
		connection refused => nobody answers at the server's address
	END
}

# What k3s and kubelets write where something has gone wrong, for good or not.
fatal='level=fatal|^F[0-9]{4} |Error: |[Ss]hutdown request|^panic:|failed to run Kubelet'
error='level=error|^E[0-9]{4} '

# interpret TEXT: what it means, if we know.
interpret() {
	meanings | while read -r line; do
		if printf %s "$1" | grep -qE -e "${line%% => *}"; then
			echo "$name: ${line##* => }"
			break
		fi
	done
}

# explain LOG: the lines that tell why, and what they mean.
explain() {
	lines=$(grep -E "$fatal" "$1" | tail -n 3)
	[ -n "$lines" ] || lines=$(tail -n 5 "$1")
	echo "$lines"
	interpret "$lines"
}

# has_ended PROGRAM STATUS LOG: by itself, which nobody wanted.
has_ended() {
	explain "$3" >&2
	fail "$1 ended with status $2"
}

# wait_until_ready PID LOG COMMAND...: until the command says True; 1 when the process has ended. What it says
# otherwise is told every ten seconds, and from the second time on what the log has against it.
wait_until_ready() {
	pid=$1 its_log=$2
	shift 2
	began=$(date +%s) told=0
	while kill -0 "$pid" 2>/dev/null; do
		condition=$("$@")
		seconds=$(($(date +%s) - began))
		case $condition in
		True*)
			echo "node: Ready after $seconds s"
			return
			;;
		esac
		if [ $((seconds - told)) -ge 10 ]; then
			told=$seconds
			echo "node: not Ready after $seconds s${condition:+: ${condition#* }}"
			[ "$seconds" -lt 20 ] || explain_delay "$its_log"
		fi
		sleep 0.5
	done
	return 1
}

explain_delay() {
	line=$(grep -E "$fatal|$error" "$1" | tail -n 1)
	[ -z "$line" ] || printf 'node: the log says: %s\n' "$line"
	interpret "$line"
}

# wait_for WHAT LOG COMMAND...: up to a minute.
wait_for() {
	what=$1 its_log=$2
	shift 2
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		if [ "$tries" -ge 300 ]; then
			explain "$its_log" >&2
			fail "$what does not answer"
		fi
		sleep 0.2
	done
}

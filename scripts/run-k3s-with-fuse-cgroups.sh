#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a k3s server with its own node on a machine that has no cgroups. Ctrl-C ends
# k3s and all its pods, and leaves nothing behind. As root.
#
# Usage: run-k3s-with-fuse-cgroups.sh [K3S-SERVER-OPTION...]
# Environment:
#   K3S      the k3s program (default: the one in PATH)
#   CGROUPS  v1 or v2 (default: what the machine's kernel has)
set -eu

name=run-k3s-with-fuse-cgroups.sh
# shellcheck source=scripts/lib/node.sh
. "$(dirname "$0")/lib/node.sh"
k3s=${K3S:-k3s}
k3s_pid=

check_programs() {
	command -v "$k3s" >/dev/null 2>&1 ||
		fail "there is no $k3s: put k3s into PATH or name it with K3S=/path/to/k3s (https://k3s.io)"
}

start_node() {
	# Without a bridge and netfilter rules, which places without cgroups have not either:
	# pods want hostNetwork, or a CNI plugin that is set up here.
	setsid "$k3s" server --data-dir "$state/k3s" --write-kubeconfig "$state/kubeconfig" \
		--bind-address 127.0.0.1 --snapshotter native \
		--flannel-backend none --disable-network-policy --disable-kube-proxy \
		--disable traefik --disable servicelb --disable metrics-server \
		--kubelet-arg cgroup-driver=cgroupfs --kubelet-arg fail-swap-on=false \
		--kubelet-arg make-iptables-util-chains=false \
		"$@" >"$state/log/k3s" 2>&1 &
	k3s_pid=$!
	echo "node: logs in $state/log; KUBECONFIG=$state/kubeconfig"
	status=0
	wait "$k3s_pid" || status=$?
	tail -n 5 "$state/log/k3s" >&2
	k3s_pid=
	fail "k3s ended with status $status"
}

end_node() {
	socket=/run/k3s/containerd/containerd.sock
	[ -z "$k3s_pid" ] || [ ! -S "$socket" ] || end_containers "$socket" "$k3s" ctr
	[ -z "$k3s_pid" ] || end "$k3s_pid"
}

run_node "$@"

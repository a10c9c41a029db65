#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a k3s server with its own node, or a node for another server, on a machine that
# has no cgroups, and says when it is Ready. Ctrl-C ends k3s and all its pods, and leaves
# nothing behind. As root.
#
# Usage: run-k3s-with-fuse-cgroups.sh [OPTION...] [K3S-OPTION...]
#   --agent URL  a node for the server at this URL; its token is K3S_TOKEN, or --token TOKEN
#   --v1, --v2   the cgroups that are shown (default: v2 for Kubernetes 1.35 and later, which
#                want it, but in gVisor; else those of the machine's kernel)
#   --offline    nothing is pulled: pods find localhost/busybox:static and what IMAGES has, and
#                what would need others is left out (default where there is IMAGES or no route)
#   --check      tells what is here, what is missing and what is provided, and ends
#   --dry-run    tells what would be run, and ends
#   All others are those of `k3s server`, or of `k3s agent`.
# Environment:
#   K3S       the k3s program (default: the one in PATH)
#   IMAGES    tar files of images for the node
#   CGROUPS   v1 or v2, as --v1 and --v2
set -eu

name=run-k3s-with-fuse-cgroups.sh
# shellcheck source=scripts/lib/node.sh
. "$(dirname "$0")/lib/node.sh"
k3s=${K3S:-k3s}
kubernetes=$k3s # whose --version tells Kubernetes'
k3s_pid=

check_programs() {
	command -v "$k3s" >/dev/null 2>&1 ||
		fail "there is no $k3s: put k3s into PATH or name it with K3S=/path/to/k3s (https://k3s.io)"
	! has_option --data-dir "$@" && ! has_option -d "$@" ||
		fail "--data-dir cannot be chosen: all of a node lies below one new directory, in TMPDIR"
	[ -z "$agent" ] || [ -n "${K3S_TOKEN:-}${K3S_TOKEN_FILE:-}" ] || has_option --token "$@" ||
		has_option -t "$@" || has_option --token-file "$@" ||
		fail "a node needs the server's token: set K3S_TOKEN, or give --token TOKEN"
	[ -z "$offline" ] || check_busybox
}

check_machine() {
	whether "k3s" "put it into PATH, or name it with K3S=" command -v "$k3s"
	[ -z "$offline${IMAGES:-}" ] && has_default_route || tell_busybox
}

# with_words COMMAND [K3S-OPTION...]: runs the command with k3s' whole command line. Of an option that
# is given twice the last one counts.
with_words() {
	command=$1
	shift
	# Images that cannot be pulled again stay, however full the disk is.
	[ -z "$offline" ] ||
		set -- --pause-image "$busybox" --kubelet-arg image-gc-high-threshold=100 "$@"
	if [ -z "$agent" ]; then
		# Without a bridge and netfilter rules, which places without cgroups have not either.
		set -- --write-kubeconfig "$state/kubeconfig" --flannel-backend none \
			--disable-network-policy --disable-kube-proxy --disable traefik --disable servicelb \
			--disable metrics-server "$@"
		# Their images are pulled.
		[ -z "$offline" ] || set -- --disable coredns --disable local-storage "$@"
		if [ -n "$address" ]; then set -- --bind-address 0.0.0.0 "$@"; fi
	fi
	[ -z "$address" ] || set -- --node-ip "$address" "$@"
	! wants_v1_allowed || set -- --kubelet-arg fail-cgroupv1=false "$@"
	set -- --data-dir "$state/k3s" --snapshotter native \
		--kubelet-arg cgroup-driver=cgroupfs --kubelet-arg fail-swap-on=false \
		--kubelet-arg make-iptables-util-chains=false \
		--kubelet-arg "volume-plugin-dir=$state/volume-plugins" "$@"
	if [ -n "$agent" ]; then
		"$command" "$k3s" agent --server "$agent" "$@"
	else
		"$command" "$k3s" server "$@"
	fi
}

# The settings of its containerd: k3s 1.33 and later read more beside their own, others take a whole template.
write_containerd_settings() {
	settings=$state/k3s/agent/etc/containerd
	if [ "$minor" -ge 33 ]; then
		mkdir -p "$settings/config-v3.toml.d"
		cri_settings_v3 >"$settings/config-v3.toml.d/50-fuse-cgroups.toml"
	else
		mkdir -p "$settings"
		containerd_config "$state/k3s/agent/containerd" /run/k3s/containerd \
			>"$settings/config.toml.tmpl"
	fi
}

start() {
	its_tree=$(tree) || true
	started=$(date +%s)
	setsid "$@" >>"$log" 2>&1 &
	k3s_pid=$!
}

start_node() {
	log=$state/log/k3s
	export K3S_DATA_DIR="$state/k3s" # for k3s kubectl, which has no --data-dir
	export KUBECACHEDIR="$state/kubectl" TMPDIR="$state/tmp"
	mkdir -p "$state/k3s/agent/images" "$TMPDIR"
	write_containerd_settings
	[ -z "$offline" ] || write_busybox "$state/k3s/agent/images/busybox.tar"
	for image in ${IMAGES:-}; do
		cp "$image" "$state/k3s/agent/images/"
	done
	with_words start "$@"
	echo "node: logs in $state/log"
	node=$({ option_value --node-name "$@" || uname -n; } | tr '[:upper:]' '[:lower:]')
	id= # what k3s adds to the name
	! has_option --with-node-id "$@" || id=/etc/rancher/node/id
	! wait_until_ready "$k3s_pid" "$log" node_condition || [ -n "$agent" ] ||
		echo "node: in another terminal: export KUBECONFIG=$state/kubeconfig" \
			"K3S_DATA_DIR=$state/k3s; $k3s kubectl get pods -A"
	while watch "$k3s_pid"; do
		goes_on k3s "$started" "$log"
		end "$k3s_pid"
		with_words start "$@"
	done
}

# Its node's condition as the server tells it: "True", or another word and why. On the way its pods get
# the node's own part of the cluster's addresses, which no other node has.
node_condition() {
	kubeconfig=$state/kubeconfig
	[ -z "$agent" ] || kubeconfig=$state/k3s/agent/kubelet.kubeconfig
	[ -e "$kubeconfig" ] && [ -e "${id:-/}" ] || return 0
	ready='{range .status.conditions[?(@.type=="Ready")]}{.status} {.message}{end}'
	told=$("$k3s" kubectl --kubeconfig "$kubeconfig" get node "$node${id:+-$(cat "$id")}" \
		--request-timeout 10s -o "jsonpath={.spec.podCIDR} $ready" 2>/dev/null) || return 0
	[ -z "${told%% *}" ] || write_network "${told%% *}"
	echo "${told#* }"
}

# Its kubelet makes pods anew as long as it lives, and is the same process: it ends first.
end_node() {
	[ -z "$k3s_pid" ] || end "$k3s_pid"
}

run_node "$@"

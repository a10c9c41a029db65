#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a node of containerd and a kubelet without an API server on a machine that
# has no cgroups: pods are put in as files. Ctrl-C ends the pods, containerd and
# the kubelet, and leaves nothing behind. As root.
#
# Usage: run-kubelet-with-fuse-cgroups.sh [PODS [KUBELET-OPTION...]]
#   PODS     a directory of static pods' manifests (default: an empty new one). Pods want
#            hostNetwork; images are those of IMAGES, nothing is pulled
# Environment:
#   KUBELET  the kubelet (default: build/kubelet, or the one in PATH)
#   IMAGES   files for `ctr image import` (default: none but localhost/busybox:static)
#   CGROUPS  v1 or v2 (default: what the machine's kernel has)
#   PORT     the kubelet's read-only port on 127.0.0.1 (default 10255); PORT-1 is its other one
set -eu

name=run-kubelet-with-fuse-cgroups.sh
# shellcheck source=scripts/lib/node.sh
. "$(dirname "$0")/lib/node.sh"
kubelet=${KUBELET:-$project/build/kubelet}
port=${PORT:-10255}
containerd= kubelet_pid=

check_programs() {
	need containerd containerd >/dev/null
	need ctr containerd >/dev/null
	need runc runc >/dev/null
	need python3 python3 >/dev/null
	[ -x /bin/busybox ] || fail "there is no /bin/busybox: sudo apt-get install -y busybox-static"
	[ -x "$kubelet" ] || command -v kubelet >/dev/null ||
		fail "there is no kubelet: put one into PATH, name it with KUBELET=, or run tests/node/build-kubelet.sh"
}

write_containerd_config() {
	cat >"$state/containerd.toml" <<-END
		version = 2
		root = "$state/containerd"
		state = "$state/run"
		disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
		    "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.opt"]
		[grpc]
		address = "$state/containerd.sock"
		[ttrpc]
		address = "$state/containerd.ttrpc"
		[plugins."io.containerd.grpc.v1.cri"]
		sandbox_image = "localhost/busybox:static"
		restrict_oom_score_adj = true
		disable_apparmor = true
		disable_tcp_service = true
		netns_mounts_under_state_dir = true
		[plugins."io.containerd.grpc.v1.cri".cni]
		bin_dir = "$state/cni/bin"
		conf_dir = "$state/cni/net.d"
		[plugins."io.containerd.grpc.v1.cri".containerd]
		snapshotter = "native"
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
		runtime_type = "io.containerd.runc.v2"
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
		SystemdCgroup = false
	END
}

write_kubelet_config() {
	cat >"$state/kubelet.yaml" <<-END
		apiVersion: kubelet.config.k8s.io/v1beta1
		kind: KubeletConfiguration
		staticPodPath: $1
		fileCheckFrequency: 1s
		address: 127.0.0.1
		port: $((port - 1))
		readOnlyPort: $port
		healthzPort: 0
		authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
		authorization: {mode: AlwaysAllow}
		containerRuntimeEndpoint: unix://$state/containerd.sock
		cgroupDriver: cgroupfs
		failSwapOn: false
		makeIPTablesUtilChains: false
		evictionHard: {memory.available: 1Mi, nodefs.available: 1Mi, imagefs.available: 1Mi}
		resolvConf: ""
	END
}

start_node() {
	pods=${1:-$state/pods}
	[ $# = 0 ] || shift
	mkdir -p "$pods" "$state/kubelet"
	[ -x "$kubelet" ] || kubelet=$(command -v kubelet)
	write_containerd_config
	write_kubelet_config "$(cd "$pods" && pwd)"
	# In sessions of their own: Ctrl-C is for this script, which ends them in order.
	setsid containerd --config "$state/containerd.toml" >"$state/log/containerd" 2>&1 &
	containerd=$!
	wait_for containerd ctr -a "$state/containerd.sock" version
	python3 "$project/scripts/busybox_image.py" "$state/busybox.tar"
	for image in "$state/busybox.tar" ${IMAGES:-}; do
		ctr -a "$state/containerd.sock" -n k8s.io image import --snapshotter native "$image" >/dev/null
	done
	setsid "$kubelet" --config "$state/kubelet.yaml" --root-dir "$state/kubelet" \
		--containerd "$state/containerd.sock" --cert-dir "$state/kubelet/pki" "$@" \
		>"$state/log/kubelet" 2>&1 &
	kubelet_pid=$!
	echo "node: pods in $pods, logs in $state/log, the kubelet at http://127.0.0.1:$port/pods"
	status=0
	wait "$kubelet_pid" || status=$?
	tail -n 5 "$state/log/kubelet" >&2
	fail "the kubelet ended with status $status"
}

end_node() {
	[ -z "$kubelet_pid" ] || end "$kubelet_pid"
	[ -z "$containerd" ] || end_containers "$state/containerd.sock" ctr
	[ -z "$containerd" ] || end "$containerd"
}

run_node "$@"

#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a node of containerd and a kubelet without an API server on a machine that
# has no cgroups: pods are put in as files. Ctrl-C ends the pods, containerd and
# the kubelet, and leaves nothing behind. As root.
#
# Usage: run-kubelet-with-fuse-cgroups.sh [OPTION...] [PODS [KUBELET-OPTION...]]
#   PODS         a directory of static pods' manifests that is there (default: an empty new one).
#                Images are those of IMAGES, nothing is pulled
#   --v1, --v2   the cgroups that are shown (default: v2 for a kubelet 1.35 and later, which
#                wants it, but in gVisor; else those of the machine's kernel)
#   --native     in gVisor without fuse_cgroup_run: on gVisor's own cgroups with ours bound over each
#   --check      tells what is here, what is missing and what is provided, and ends
#   --dry-run    tells what would be run, and ends
# Environment:
#   KUBELET  the kubelet (default: build/kubelet, or the one in PATH)
#   IMAGES   tar files of images for `ctr image import` (localhost/busybox:static is there without)
#   CGROUPS  v1 or v2, as --v1 and --v2
#   PORT     the kubelet's read-only port on 127.0.0.1 (default 10255); PORT-1 is its other one
set -eu

name=run-kubelet-with-fuse-cgroups.sh
# shellcheck source=scripts/lib/node.sh
. "$(dirname "$0")/lib/node.sh"
kubelet=${KUBELET:-$project/build/kubelet}
[ -x "$kubelet" ] || kubelet=$(command -v kubelet || echo "$kubelet")
kubernetes=$kubelet # whose --version tells Kubernetes'
port=${PORT:-10255}
offline=1
containerd=
kubelet_pid=

check_programs() {
	need containerd containerd >/dev/null
	need ctr containerd >/dev/null
	need runc runc >/dev/null
	check_busybox
	[ -x "$kubelet" ] ||
		fail "there is no kubelet: put one into PATH, name it with KUBELET=," \
			"or run tests/node/build-kubelet.sh"
	[ "$port" -ge 2 ] 2>/dev/null && [ "$port" -le 65535 ] ||
		fail "PORT cannot be $port: it is a number from 2 to 65535"
	case ${1:-} in
	-*) fail "options of the kubelet come after a directory for pods: PODS $1" ;;
	?*)
		[ -d "$1" ] || fail "there is no directory $1 for pods: mkdir $1"
		check_seen "$1"
		;;
	esac
}

check_machine() {
	whether "kubelet" "put one into PATH, or name it with KUBELET=" test -x "$kubelet"
	whether "containerd" "apt-get install containerd" command -v containerd
	whether "ctr" "apt-get install containerd" command -v ctr
	whether "runc" "apt-get install runc" command -v runc
	tell_busybox
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
		containerRuntimeEndpoint: unix://$socket
		volumePluginDir: $state/volume-plugins
		cgroupDriver: cgroupfs
		failSwapOn: false
		imageGCHighThresholdPercent: 100
		makeIPTablesUtilChains: false
		evictionHard: {memory.available: 1Mi, nodefs.available: 1Mi, imagefs.available: 1Mi}
		resolvConf: ""
	END
	! wants_v1_allowed || echo "failCgroupV1: false" >>"$state/kubelet.yaml"
}

# with_words COMMAND [PODS [KUBELET-OPTION...]]: runs the command with the kubelet's command line.
with_words() {
	command=$1
	shift
	[ $# = 0 ] || shift
	[ -z "$address" ] || set -- --node-ip "$address" "$@"
	"$command" "$kubelet" --config "$state/kubelet.yaml" --root-dir "$state/kubelet" \
		--containerd "$state/run/containerd.sock" --cert-dir "$state/kubelet/pki" "$@"
}

start() {
	# In a session of its own: Ctrl-C is for this script, which ends it in order.
	its_tree=$(tree) || true
	started=$(date +%s)
	setsid "$@" >>"$log" 2>&1 &
	kubelet_pid=$!
}

start_containerd() {
	containerd_started=$(date +%s)
	setsid containerd --config "$state/containerd.toml" >>"$state/log/containerd" 2>&1 &
	containerd=$!
	wait_for containerd "$state/log/containerd" ctr -a "$socket" version
}

import_images() {
	write_busybox "$state/busybox.tar"
	for image in "$state/busybox.tar" ${IMAGES:-}; do
		# CRI unpacks it, with its own snapshotter: ctr of containerd 2 cannot name one.
		ctr -a "$socket" -n k8s.io image import --no-unpack "$image" >/dev/null ||
			fail "IMAGES: $image cannot be imported"
	done
}

start_node() {
	pods=${1:-$state/pods} log=$state/log/kubelet socket=$state/run/containerd.sock
	mkdir -p "$pods" "$state/kubelet"
	containerd_config "$state/containerd" "$state/run" >"$state/containerd.toml"
	write_network 10.42.0.0/16
	write_kubelet_config "$(cd "$pods" && pwd)"
	start_containerd
	import_images
	with_words start "$@"
	echo "node: pods in $pods, logs in $state/log, the kubelet at http://127.0.0.1:$port/pods"
	wait_until_ready "$kubelet_pid" "$log" kubelet_condition || true
	while watch "$kubelet_pid" "$containerd"; do
		if [ "$gone" = "$containerd" ]; then
			goes_on containerd "$containerd_started" "$state/log/containerd"
			start_containerd
		else
			goes_on "the kubelet" "$started" "$log"
			end "$kubelet_pid"
			with_words start "$@"
		fi
	done
}

# Whether it answers: without an API server there is no other condition of a node.
kubelet_condition() {
	python3 - "$port" 2>/dev/null <<-END || echo "False the kubelet does not answer"
		import sys, urllib.request
		urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/pods", timeout=10).read()
		print("True")
	END
}

# The kubelet makes pods anew as long as it lives.
end_node() {
	[ -z "$kubelet_pid" ] || end "$kubelet_pid"
	[ -z "$containerd" ] || end "$containerd"
}

run_node "$@"

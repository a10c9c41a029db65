#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds what a cluster is made of but for containerd and runc, of the releases that the go.mods here
# name, each once and into a directory of its own, as DIRECTORY/1.30.
# Usage: build-cluster.sh DIRECTORY
set -eu

here=$(cd "$(dirname "$0")" && pwd)
directory=$1
case $directory in /*) ;; *) directory=$PWD/$directory ;; esac
commands="kube-apiserver kube-controller-manager kube-scheduler kubectl"

build() {
	CGO_ENABLED=0 GOFLAGS="-mod=readonly -buildvcs=false" "$here/../clients/with-go.sh" \
		go build -trimpath -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$release" "$@"
}

for module in kubelet kubelet-long; do
	release=$(sed -n 's/^require k8s.io\/kubernetes //p' "$here/$module/go.mod")
	minor=${release#v}
	into=$directory/${minor%.*}
	"$here/build-kubelet.sh" "$into/kubelet" "$module"
	[ "$(cat "$into/release" 2>/dev/null)" != "$release" ] || continue
	echo "building the other programs of Kubernetes $release: ten minutes or so, the first time"
	cd "$here/$module"
	for command in $commands; do
		build -o "$into/$command" "k8s.io/kubernetes/cmd/$command"
	done
	build -o "$into/etcd" go.etcd.io/etcd/server/v3
	echo "$release" >"$into/release"
done

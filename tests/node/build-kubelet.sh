#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the kubelet of the release that a go.mod names, once.
# Usage: build-kubelet.sh FILE [MODULE]
#   MODULE  the directory here with its go.mod (default: kubelet)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
file=$1
module=$here/${2:-kubelet}
case $file in /*) ;; *) file=$PWD/$file ;; esac
release=$(sed -n 's/^require k8s.io\/kubernetes //p' "$module/go.mod")

if [ -x "$file" ] && [ "$("$file" --version)" = "Kubernetes $release" ]; then
	exit 0
fi
echo "building kubelet $release: six minutes or so, the first time"
mkdir -p "$(dirname "$file")"
cd "$module"
CGO_ENABLED=0 GOFLAGS="-mod=readonly -buildvcs=false" exec "$here/../clients/with-go.sh" \
	go build -trimpath -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$release" \
	-o "$file" k8s.io/kubernetes/cmd/kubelet

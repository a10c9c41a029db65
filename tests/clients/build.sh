#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the clients that are Go programs of ours around others' packages.
# Usage: build.sh DIRECTORY
set -eu

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
export CGO_ENABLED=0 GOFLAGS="-mod=readonly -buildvcs=false"
cd "$here"
"$here/with-go.sh" go build -o "$1/limits" ./limits
cd "$here/cadvisor"
"$here/with-go.sh" go build -o "$1/cadvisor" .
cd "$here/cni"
mkdir -p "$1/cni"
"$here/with-go.sh" go build -o "$1/cni/" tool # cnitool, and plugins that ours is compared with

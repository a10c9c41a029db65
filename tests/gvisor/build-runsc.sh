#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds gVisor's runsc, once a version, from the Go module proxy, and prints where it is.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/fuse_cgroupfs
version=$(sed -n 's|.*gvisor.dev/gvisor \(v[^ ]*\).*|\1|p' "$here/runsc/go.mod")
needed=$(sed -n 's/^go //p' "$here/runsc/go.mod")
binary=$cache/runsc-$version

# Since Go 1.21 the go command gets a newer Go by itself, as a module.
fetches_newer_go() {
	go version | grep -Eq ' go1\.(2[1-9]|[3-9][0-9])'
}

# An older one can be told to get that module (it arrives without its x bits).
fetch_go() {
	module=golang.org/toolchain@v0.0.1-go$needed.$(go env GOOS)-$(go env GOARCH)
	cd "$cache"
	GOFLAGS=-modcacherw go mod download "$module" >&2
	toolchain=$(go env GOMODCACHE)/$module
	chmod +x "$toolchain"/bin/* "$toolchain"/pkg/tool/*/*
	PATH=$toolchain/bin:$PATH
	unset GOROOT
}

if [ ! -x "$binary" ]; then
	if ! command -v go >/dev/null 2>&1; then
		echo "gVisor is built with Go, which is not installed. Any version will do, it gets a newer" \
			"one itself:" >&2
		echo "    sudo apt-get install -y golang-go ca-certificates" >&2
		exit 1
	fi
	echo "building runsc $version, some minutes the first time" >&2
	mkdir -p "$cache"
	fetches_newer_go || fetch_go
	cd "$here/runsc"
	GOTOOLCHAIN=auto GOFLAGS=-mod=readonly CGO_ENABLED=0 \
		go build -trimpath -ldflags='-s -w' -o "$binary.new" gvisor.dev/gvisor/runsc >&2
	mv "$binary.new" "$binary"
fi
echo "$binary"

#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a command with a Go that is new enough for the go.mod here. Since Go 1.21
# the go command gets a newer Go by itself, as a module; an older one is told to
# get that module, which arrives without its x bits.
# Usage: with-go.sh COMMAND...
set -eu

here=$(cd "$(dirname "$0")" && pwd)

if ! command -v go >/dev/null 2>&1; then
	echo "these tests are written in Go, which is not installed. Any version will do:" >&2
	echo "    sudo apt-get install -y golang-go ca-certificates" >&2
	exit 1
fi
if ! go version | grep -Eq ' go1\.(2[1-9]|[3-9][0-9])'; then
	needed=$(sed -n 's/^go //p' "$here/go.mod")
	module=golang.org/toolchain@v0.0.1-go$needed.$(go env GOOS)-$(go env GOARCH)
	(cd / && GOFLAGS=-modcacherw go mod download "$module" >&2)
	toolchain=$(go env GOMODCACHE)/$module
	chmod +x "$toolchain"/bin/* "$toolchain"/pkg/tool/*/*
	PATH=$toolchain/bin:$PATH
	export PATH
	unset GOROOT
fi
GOTOOLCHAIN=auto
export GOTOOLCHAIN
exec "$@"

#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints the version: that of git's last tag in a clone that has one, else the file VERSION's.
# v0.2.0 is 0.2.0, five commits later 0.2.0+5.g0123abc, and 0.2.0+dirty with what is not committed.
set -eu

cd "$(dirname "$0")/.."
described=
# An unpacked tarball may lie in somebody else's clone.
[ ! -e .git ] ||
	described=$(git --no-optional-locks describe --tags --match 'v[0-9]*' --dirty 2>/dev/null) || true
if [ -n "$described" ]; then
	echo "$described" | sed 's/^v//; s/-dirty$/+dirty/; s/-\([0-9]*\)-g/+\1.g/; s/-/~/g'
else
	cat VERSION
fi

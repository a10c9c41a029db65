#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the Debian package from a copy of this tree, with Debian's own flags and none of the caller's
# environment: the same commit gives the same package, byte for byte.
# Usage: scripts/deb.sh DIRECTORY   (made anew; the package is then in it)
set -eu

project=$(cd "$(dirname "$0")/.." && pwd)
rm -rf "$1"
mkdir -p "$1/source"
directory=$(cd "$1" && pwd)
# The last commit's time; without git that of debian/changelog, which dpkg takes.
epoch=$(git -C "$project" log -1 --format=%ct 2>/dev/null ||
	dpkg-parsechangelog -l "$project/debian/changelog" -S Timestamp)

tar -C "$project" --exclude=./build --exclude=./.git --exclude=__pycache__ --exclude=.pytest_cache -cf - . |
	tar -C "$directory/source" -xf -
cd "$directory/source"
version=$("$project/scripts/version.sh") # which git tells there, and the copy is to have
echo "$version" >VERSION
sed -i "1s/([^)]*)/($version)/" debian/changelog
# noautodbgsym: one package, and no other of debugging symbols beside it. -d: Debian's build-essential has a
# C++ compiler, which nothing here needs; install-deps.sh has looked for what is needed.
env -i PATH="$PATH" HOME="$directory" LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH="$epoch" \
	DEB_BUILD_OPTIONS=noautodbgsym dpkg-buildpackage -d -us -uc -b >"$directory/log" 2>&1 ||
	{
		tail -n 30 "$directory/log" >&2
		echo "deb.sh: dpkg-buildpackage failed; all it said is in $directory/log" >&2
		exit 1
	}
rm -rf "$directory/source"
ls "$directory"/*.deb

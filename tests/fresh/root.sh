#!/bin/sh
# SPDX-License-Identifier: MIT
# Unpacks a root of Debian with nothing in it but git, make and ca-certificates, and with this
# machine's way to Debian's packages: its apt configuration, proxies, names and certificates.
# It is made by debootstrap once, and kept in the cache.
# Usage: tests/fresh/root.sh SUITE DIRECTORY   (DEBIAN_MIRROR: where from; default: as this machine)
set -eu

suite=$1
root=$2
cache=${XDG_CACHE_HOME:-$HOME/.cache}/fuse_cgroupfs
kept=$cache/root-$suite.tar
release=$(. /etc/os-release && echo "${VERSION_CODENAME-}")

# "URI SUITE" of each index that apt knows here, for the wanted suite in place of this machine's.
sources() {
	apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 2>/dev/null |
		sed -n "s/ $release/ $suite/p" | sort -u
}

# Where this machine has its Debian from, if that is known; else debootstrap has an answer of its own.
mirror() {
	[ -n "${DEBIAN_MIRROR-}" ] || DEBIAN_MIRROR=$(sources | sed -n "s/ $suite\$//p" | head -n 1)
	echo "$DEBIAN_MIRROR"
}

make_root() {
	echo "debootstrap of $suite: a minute, the first time" >&2
	# shellcheck disable=SC2046 # nothing, where there is no mirror of our own
	debootstrap --variant=minbase --include=git,make,ca-certificates "$suite" "$1" $(mirror) \
		>"$1.log" 2>&1 || { tail -n 5 "$1.log" >&2; exit 1; }
	chroot "$1" apt-get clean
}

if [ ! -e "$kept" ]; then
	mkdir -p "$cache"
	new=$(mktemp -d)
	trap 'rm -rf --one-file-system "$new"' EXIT
	make_root "$new/root"
	tar -C "$new/root" --one-file-system -cf "$kept.new" .
	mv "$kept.new" "$kept"
fi
mkdir -p "$root"
tar -C "$root" -xpf "$kept"

for part in apt.conf apt.conf.d auth.conf auth.conf.d keyrings trusted.gpg.d preferences.d; do
	[ ! -e "/etc/apt/$part" ] || cp -aL "/etc/apt/$part" "$root/etc/apt/"
done
sources | while read -r uri name; do echo "deb $uri $name main"; done >"$root/etc/apt/sources.list.new"
[ ! -s "$root/etc/apt/sources.list.new" ] || mv "$root/etc/apt/sources.list.new" "$root/etc/apt/sources.list"
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
[ ! -d /usr/local/share/ca-certificates ] || cp -aL /usr/local/share/ca-certificates "$root/usr/local/share/"
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/" 2>/dev/null || true

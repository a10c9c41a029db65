#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a command with what a Kubernetes node wants of /proc/sys, /dev and the propagation of
# mounts, and a sandbox or container has not (docs/node.md): in a mount namespace of its own,
# so that the machine keeps what it has. As root. All of it goes with the command, but for an
# empty file /dev/kmsg where there was none.
#
# Usage: prepare-node.sh COMMAND [ARGUMENT...]
set -eu

# What a kubelet reads and sets, and the kernel's defaults (setupKernelTunables() in kubernetes'
# pkg/kubelet/cm/container_manager_linux.go).
sysctls="vm/overcommit_memory=0 vm/panic_on_oom=0 kernel/panic=0 kernel/panic_on_oops=0
	kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000"
directories="kernel/keys kernel vm" # one that is in another before it
sys=/proc/sys

fail() {
	echo "prepare-node.sh: $*" >&2
	exit "${status:-1}"
}

# each_below DIRECTORY FUNCTION: calls it with each one's name and default.
each_below() {
	for sysctl in $sysctls; do
		case $sysctl in
		"$1"/*) "$2" "${sysctl%=*}" "${sysctl#*=}" ;;
		esac
	done
}

is_missing() {
	[ -e "$sys/$1" ] || missing=$1
}

# A file that can be written, with what the machine says.
copy() {
	mkdir -p "$files/${1%/*}"
	[ -e "$files/$1" ] || cat "$sys/$1" >"$files/$1" 2>/dev/null || echo "$2" >"$files/$1"
}

copy_and_bind() {
	[ -e "$files/$1" ] && return # one of a directory below
	copy "$@"
	mount --bind "$files/$1" "$sys/$1"
}

bind_entry() {
	if [ -d "$sys/$1" ]; then
		mkdir -p "$files/$1"
		mount --rbind "$sys/$1" "$files/$1"
	elif [ ! -e "$files/$1" ]; then
		: >"$files/$1"
		mount --bind "$sys/$1" "$files/$1"
	fi
}

# Nothing can be made in /proc: another directory comes over one that lacks something, with the rest of it.
cover() {
	for entry in "$sys/$1"/*; do
		[ ! -d "$entry" ] || bind_entry "${entry#"$sys/"}"
	done
	each_below "$1" copy
	for entry in "$sys/$1"/*; do
		[ -d "$entry" ] || bind_entry "${entry#"$sys/"}"
	done
	mount --rbind "$files/$1" "$sys/$1"
}

prepare() {
	files=$(mktemp -d "${TMPDIR:-/tmp}/prepare-node.XXXXXX")
	trap 'umount -l "$files" 2>/dev/null; rmdir "$files"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mount -t tmpfs -o mode=755 prepare-node "$files"
	for directory in $directories; do
		[ -d "$sys/$directory" ] || continue
		missing=
		each_below "$directory" is_missing
		if [ "$missing" ]; then
			cover "$directory"
		else
			each_below "$directory" copy_and_bind
		fi
	done
	[ -e /dev/kmsg ] || : >/dev/kmsg
	mount --make-rshared / # pods see what is mounted from here on
}

case ${1:-} in
-h | --help)
	sed -n '3,/^set -eu/s/^# \{0,1\}//p' "$0"
	exit 0
	;;
inside)
	shift
	(prepare)
	exec "$@"
	;;
esac
[ $# -gt 0 ] || fail "name a command: prepare-node.sh COMMAND [ARGUMENT...]"
[ "$(id -u)" = 0 ] || fail "it mounts: run it as root"
program=$(command -v -- "$1") && [ -x "$program" ] || {
	status=127 # a shell's
	fail "$1 cannot be run: name a program that is in PATH, or the path of one"
}
exec unshare --mount --propagation slave sh "$0" inside "$@"

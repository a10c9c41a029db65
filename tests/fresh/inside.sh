#!/bin/bash
# SPDX-License-Identifier: MIT
# What a new user types, in a root where nothing is installed: git clone, make run, Ctrl-C, make test.
# Usage (in the root): inside.sh REPOSITORY DIRECTORY
set -euo pipefail

repository=$1
directory=$2
mount=/tmp/fuse-cgroup
log=$(mktemp)
group= # of processes that make run has started

fail() {
	echo "test-fresh: FAILED: $*" >&2
	sed -n "/= FAILURES\|= ERRORS/,\$p" "$log" | head -n 500 >&2
	tail -n 30 "$log" >&2
	[ -z "$group" ] || kill -INT -- "-$group" 2>/dev/null || true
	exit 1
}

# wait_for SECONDS COMMAND...
wait_for() {
	local end=$((SECONDS + $1))
	until "${@:2}"; do
		((SECONDS < end)) || return 1
		sleep 0.2
	done
}

# Whether make run has come to its end; a machine may have other work, and take its time to build.
is_shown() { grep -q 'stays mounted until you press Ctrl-C' "$log"; }

is_over() { ! kill -0 "$1" 2>/dev/null; }

# Whether no daemon runs in this root; other roots' are none of our business.
no_daemon() {
	local process
	for process in /proc/[0-9]*; do
		[ "$process/root" -ef / ] || continue
		[ "$(cat "$process/comm" 2>/dev/null)" != fuse_cgroupfs ] || return 1
	done
	return 0
}

make_run() {
	local status=0

	set -m # a group of its own, which Ctrl-C goes to
	env --default-signal=INT make run >"$log" 2>&1 & # who ran us may have had it ignored
	group=$!
	set +m
	until is_shown; do
		is_over "$group" && ! is_shown && fail "make run: no tour"
		sleep 0.2
	done
	grep -qx 536870912 "$log" || fail "make run: the tour's limit is not shown"
	grep -q " $mount fuse" /proc/self/mounts || fail "make run: nothing is mounted"
	kill -INT -- "-$group"
	wait_for 60 is_over "$group" || fail "make run: goes on after Ctrl-C"
	wait "$group" || status=$?
	group=
	case $status in 0 | 2 | 130) ;; *) fail "make run: status $status after Ctrl-C" ;; esac
	! grep " $mount fuse" /proc/self/mounts || fail "make run: still mounted"
	[ ! -e "$mount" ] || fail "make run: $mount is left"
	wait_for 10 no_daemon || fail "make run: a daemon is left"
	echo "make run: a tour, and nothing left after Ctrl-C"
}

make_test() {
	local mounts
	mounts=$(cat /proc/self/mounts)
	make test >"$log" 2>&1 || fail "make test"
	grep -E '^(SKIPPED|[0-9]+ passed)' "$log"
	[ "$mounts" = "$(cat /proc/self/mounts)" ] || fail "make test: mounts are left"
	left=$(find /tmp -mindepth 1 -maxdepth 1 ! -path "$log" ! -name 'pytest-of-*')
	[ -z "$left" ] || fail "make test: left behind: $left"
}

git clone -q "$repository" "$directory"
cd "$directory"
make_run
make_test
rm -f "$log"

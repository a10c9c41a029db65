#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The tests again and again, each time beside something else or in a session that is init's: what fails
# one time in fifty must fail here.
# Unit tests run UNIT_TIMES (20) times each. Logs of what failed are kept in LOGS.
# Usage: tests/soak.sh ROUNDS LOGS UNIT_TEST...
set -euo pipefail

rounds=$1
logs=$2
unit_tests=("${@:3}")
loads=()
failures=0

spin() { while :; do :; done; }
fork() { while :; do sh -c 'for i in 1 2 3 4 5 6 7 8 9; do /bin/true; done'; done; }

# Starts a function COUNT times, beside which the tests then run.
start() { # COUNT FUNCTION
	for _ in $(seq "$1"); do
		"$2" &
		loads+=($!)
	done
}

stop() {
	((!${#loads[@]})) || kill "${loads[@]}"
	loads=()
	wait
}
trap stop EXIT

# Runs a command; what it printed is kept when it failed.
attempt() { # NAME COMMAND...
	local log=$logs/$1.log

	if "${@:2}" >"$log" 2>&1; then
		rm "$log"
	else
		failures=$((failures + 1))
		echo "$1 failed: $log"
		grep -E '^(FAILED|ERROR)|\[  FAILED  \] [a-z]' "$log" | sort -u || true
	fi
}

attempt_unit_tests() { # NAME RUNNER...
	local test n

	for test in "${unit_tests[@]}"; do
		for n in $(seq "${UNIT_TIMES:-20}"); do
			attempt "$1-${test##*/}-$n" "${@:2}" "./$test"
		done
	done
}

tests() { # NAME RUNNER...
	attempt_unit_tests "$@"
	attempt "$1" "${@:2}" make test
	echo "$1: done after $SECONDS s, $failures failed so far"
}

mkdir -p "$logs"
for round in $(seq "$rounds"); do
	tests "$round-alone" env
	tests "$round-one-processor" taskset -c 0
	tests "$round-init" unshare --pid --fork --mount-proc sh -c '"$@"; exit $?' sh
	start "$(nproc)" spin
	tests "$round-spinning" env
	stop
	start $(($(nproc) * 3)) spin
	tests "$round-crowded" env
	stop
	start "$(nproc)" fork
	tests "$round-forking" env
	stop
done
((!failures))

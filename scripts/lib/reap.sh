# SPDX-License-Identifier: MIT
# shellcheck shell=sh

# reap PID: waits until that child has ended, also when a signal's trap ends the wait; $status is how it did.
reap() {
	while :; do
		status=0
		wait "$1" || status=$?
		kill -0 "$1" 2>/dev/null || return 0
	done
}

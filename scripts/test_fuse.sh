#!/bin/sh
# SPDX-License-Identifier: MIT
# Says in plain words what works here: mounts a tree, lists, reads, writes and
# unmounts. Prints a line for each step; the exit status is 1 when one failed.
# Usage: scripts/test_fuse.sh   (FUSE_CGROUPFS=... tests another daemon)

failures=0
directory=
daemon=
process=

ok() { echo "ok    $*"; }
fail() { echo "FAIL  $*"; failures=$((failures + 1)); }

# check WHAT COMMAND...: ok or FAIL, by the command's status
check() {
	what=$1
	shift
	if "$@" >/dev/null 2>&1; then ok "$what"; else fail "$what"; return 1; fi
}

finish() {
	[ -z "$process" ] || kill "$process" 2>/dev/null
	if [ -n "$daemon" ] && kill "$daemon" 2>/dev/null; then wait "$daemon"; fi
	[ -z "$directory" ] || rmdir "$directory" 2>/dev/null
	if [ "$failures" -eq 0 ]; then
		echo "everything works"
	else
		echo "$failures failed"
	fi
	exit $((failures > 0))
}

give_up() { fail "$*"; finish; }

store() { echo "$2" >"$1"; }
refused() { ! store "$@"; }
holds() { [ "$(cat "$1")" = "$2" ]; }
is_number() { grep -qx '[0-9][0-9]*' "$1"; }
is_listed() { grep -qx "$1" "$2"; }

where_are_we() {
	case "$(uname -rv)" in
	*-gvisor* | *"Sun Jan 10 15:06:54 PST 2016"*) echo "gVisor ($(uname -r))" ;;
	*) echo "Linux $(uname -r)" ;;
	esac
}

find_daemon() {
	for candidate in "$FUSE_CGROUPFS" "$(dirname "$0")/../build/fuse_cgroupfs" \
		"$(command -v fuse_cgroupfs)"; do
		[ -z "$candidate" ] || [ ! -x "$candidate" ] || { echo "$candidate"; return; }
	done
	return 1
}

# --- may we mount? ---

echo "This is $(where_are_we), user $(id -un 2>/dev/null || id -u)."
binary=$(find_daemon) || give_up "no fuse_cgroupfs: run make, or set FUSE_CGROUPFS to it"
ok "the daemon is $binary"
[ -c /dev/fuse ] || give_up "there is no /dev/fuse: modprobe fuse, or start the container with --device /dev/fuse"
ok "/dev/fuse is there"
(: <>/dev/fuse) 2>/dev/null || give_up "/dev/fuse cannot be opened: run this as root"
ok "/dev/fuse can be opened"
[ "$(id -u)" = 0 ] || command -v fusermount3 >/dev/null ||
	give_up "only root may mount here: run this as root, or install fuse3 for fusermount3"

# --- mount ---

directory=$(mktemp -d "${TMPDIR:-/tmp}/fuse-cgroup.XXXXXX") || give_up "cannot make a directory to mount on"
trap finish INT TERM
"$binary" -f "$directory" &
daemon=$!
tries=0
until [ -d "$directory/memory" ] || [ "$tries" -ge 100 ] || ! kill -0 "$daemon" 2>/dev/null; do
	tries=$((tries + 1))
	sleep 0.1
done
[ -d "$directory/memory" ] || give_up "it cannot be mounted"
ok "mounted at $directory"

# --- list and read ---

check "lists the hierarchies: $(ls "$directory" | tr '\n' ' ')" test -d "$directory/cpu"
check "reads cpuacct.usage: $(cat "$directory/cpuacct/cpuacct.usage") ns" \
	is_number "$directory/cpuacct/cpuacct.usage"
check "reads memory.usage_in_bytes: $(cat "$directory/memory/memory.usage_in_bytes") bytes" \
	is_number "$directory/memory/memory.usage_in_bytes"
check "reads memory.stat, $(wc -l <"$directory/memory/memory.stat") lines" \
	grep -q '^total_rss [0-9]' "$directory/memory/memory.stat"

# --- write ---

web=$directory/memory/web
if check "makes a cgroup: mkdir memory/web" mkdir "$web"; then
	check "takes a limit: 512M" store "$web/memory.limit_in_bytes" 512M
	check "shows it in bytes: 536870912" holds "$web/memory.limit_in_bytes" 536870912
	check "refuses a limit that is none: 12monkeys" refused "$web/memory.limit_in_bytes" 12monkeys
	check "takes a limit by append, too" sh -c "echo -1 >>$web/memory.limit_in_bytes"
	sleep 1000 &
	process=$!
	check "attaches a process" store "$web/cgroup.procs" "$process"
	check "lists it in cgroup.procs" is_listed "$process" "$web/cgroup.procs"
	check "keeps a cgroup that has processes: rmdir is refused" sh -c "! rmdir $web"
	kill "$process"
	wait "$process" 2>/dev/null
	process=
	check "lists it no more when it has ended" test -z "$(cat "$web/cgroup.procs")"
	check "removes the cgroup" rmdir "$web"
fi
check "permits no other files" sh -c "! touch $directory/memory/file"

# --- unmount ---

kill "$daemon"
wait "$daemon"
check "ends when told to, status $?" test $? -eq 0
daemon=
check "leaves nothing mounted" test -z "$(ls -A "$directory")"
finish

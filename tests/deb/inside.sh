#!/bin/bash
# SPDX-License-Identifier: MIT
# In a root where nothing is installed: installs the package, uses both programs, purges it, and looks
# for what is left. Then makes a package there itself, as the README says.
# Usage (in the root): inside.sh PACKAGE REPOSITORY
set -euo pipefail

package=$1
repository=$2
mount=/mnt/cgroup
export DEBIAN_FRONTEND=noninteractive HOME=/tmp # where a shell keeps what it likes

fail() { echo "test-deb: FAILED: $*" >&2; exit 1; }

# All files but those of dpkg itself, of what else changes when any package is installed, and
# fusermount3's lock, which it leaves for any filesystem.
files() {
	find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /var/lib/dpkg \
		-o -path /var/log -o -path /var/cache -o -path /etc/mtab.fuselock \) -prune -o -print | sort
}

version=$(dpkg-deb -f "$package" Version)
dependencies=$(dpkg-deb -f "$package" Depends)
{ apt-get update -qq && apt-get satisfy -y -qq --no-install-recommends "$dependencies, fish"; } \
	>/tmp/apt.log 2>&1 || { tail -n 5 /tmp/apt.log >&2; fail "its dependencies cannot be installed"; }
before=$(files)

dpkg -i "$package" >/dev/null
for program in fuse_cgroupfs fuse_cgroup_run /usr/lib/cni/fuse_cgroup_cni; do
	"$program" --version | grep -q -w -F "$version" || fail "$program --version does not say $version"
done
for document in man/man8/fuse_cgroupfs.8.gz man/man1/fuse_cgroup_run.1.gz man/man8/fuse_cgroup_cni.8.gz \
	bash-completion/completions/fuse_cgroupfs zsh/vendor-completions/_fuse_cgroupfs; do
	dpkg -L fuse-cgroupfs | grep -qx "/usr/share/$document" || fail "no /usr/share/$document"
done
dpkg -L fuse-cgroupfs | grep -q '/systemd/system/fuse-cgroupfs@\.service$' || fail "no unit of systemd"

mkdir "$mount"
fuse_cgroupfs "$mount"
mkdir "$mount/memory/web"
echo 512M >"$mount/memory/web/memory.limit_in_bytes"
[ "$(cat "$mount/memory/web/memory.limit_in_bytes")" = 536870912 ] || fail "a limit is not what was written"
rmdir "$mount/memory/web"
fusermount3 -u "$mount"
mount -t fuse.fuse_cgroupfs web "$mount"
grep -q "^web $mount fuse" /proc/self/mounts || fail "mount(8) has not mounted it"
umount "$mount"
rmdir "$mount"
type=$(fuse_cgroup_run --v2 -- stat -f -c %T /sys/fs/cgroup)
[ "$type" = cgroup2fs ] || fail "below the launcher is $type, no cgroup2fs"

# completed BEGINNING WORD: what fish offers for it has the word, and fish has no error.
completed() {
	fish -c "complete -C '$1'" >/tmp/offered 2>&1
	grep -q -e "^$2" /tmp/offered || fail "fish offers for $1: $(cat /tmp/offered)"
	! grep error: /tmp/offered || fail "fish at $1"
}
completed 'fuse_cgroupfs -o vi' 'view='
completed 'fuse_cgroup_run --cpu-q' '--cpu-quota'
completed 'fuse_cgroup_run --memory 1g -- cat /etc/pass' /etc/passwd

dpkg --purge fuse-cgroupfs >/dev/null
left=$(comm -13 <(echo "$before") <(files))
[ -z "$left" ] || fail "after the purge these are left: $left"
! dpkg -s fuse-cgroupfs >/dev/null 2>&1 || fail "dpkg knows it after the purge"
echo "test-deb: $package installed, used and purged; nothing is left"

git clone -q "$repository" /tmp/project
make -C /tmp/project deb >/tmp/make.log 2>&1 || { tail -n 20 /tmp/make.log >&2; fail "make deb"; }
echo "test-deb: make deb gives a package there, too"

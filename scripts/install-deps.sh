#!/bin/sh
# Installs the Debian packages that a target needs, where they are missing.
# Usage: scripts/install-deps.sh SET...   (sets: build test clang clients node picture gvisor bench)
set -eu

packages() {
	case $1 in
	build) echo gcc libc6-dev pkg-config libfuse3-dev fuse3 libseccomp-dev uthash-dev ;;
	test) echo libcmocka-dev python3-pytest mount procps musl-tools strace busybox-static binutils ;;
	clang) echo clang libclang-rt-14-dev ;;
	gvisor) echo golang-go ca-certificates ;;
	clients) echo golang-go ca-certificates python3-pytest runc crun podman containerd docker.io cgroup-tools \
		busybox-static systemd procps htop tmux tini openjdk-17-jre-headless nodejs ;;
	node) echo golang-go ca-certificates python3-pytest runc containerd busybox-static tini ;;
	picture) echo golang-go ca-certificates python3 runc busybox-static tini prometheus chromium ;;
	bench) echo python3 strace ;;
	*) echo "install-deps.sh: unknown set '$1'" >&2; exit 2 ;;
	esac
}

installed() {
	case $1 in
	golang-go) command -v go >/dev/null 2>&1 ;; # any Go will do
	*) [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ;;
	esac
}

missing=
for set in "$@"; do
	for package in $(packages "$set"); do
		installed "$package" || missing="$missing $package"
	done
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
	echo "fuse_cgroupfs needs what Debian calls:$missing" >&2
	echo "install these with your system's package manager, then run make again" >&2
	exit 1
fi
if [ "$(id -u)" != 0 ]; then
	echo "fuse_cgroupfs needs packages that are not installed; run:" >&2
	echo "    sudo apt-get update && sudo apt-get install -y$missing" >&2
	exit 1
fi
# The programs are wanted, not the services that Debian would start with them.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	trap 'rm -f "$policy"' EXIT
	trap 'exit 130' INT TERM
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of words
apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 ||
	{ apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing >/dev/null; }
case "$missing " in
*" prometheus "*) update-rc.d prometheus disable ;; # nor at the next start of the machine
esac

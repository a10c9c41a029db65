#!/bin/bash
# SPDX-License-Identifier: MIT
# The part of run.sh that runs in the root.
set -euo pipefail
cd "$(dirname "$0")/../.."

# What qemu-user does not do as Linux does, and the tests that need it.
declare -A exceptions=(
	[test_pid_namespace]="its own threads take numbers"
	[test_run_peer]="no process_vm_readv(2)"
	[test_run_privilege]="no seccomp filter"
	[test_run_short]="no process_vm_readv(2)"
	[test_short_of_files]="descriptors of its own"
)

export DEBIAN_FRONTEND=noninteractive
dpkg --add-architecture arm64
apt-get update -qq
apt-get install -y -qq --no-install-recommends gcc-aarch64-linux-gnu gcc libc6-dev libc6-dev:arm64 \
	pkg-config libfuse3-dev:arm64 libseccomp-dev:arm64 libjansson-dev:arm64 libcmocka-dev:arm64 \
	uthash-dev qemu-user-static >/dev/null
export PKG_CONFIG_LIBDIR=/usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig

units=(tests/unit/test_*.c)
units=("${units[@]##*/}")
units=("${units[@]%.c}")
make -s -j2 CC=aarch64-linux-gnu-gcc WERROR=1 all
make -s -j2 CC=aarch64-linux-gnu-gcc WERROR=1 "${units[@]/#/build/unit/}"
for program in build/fuse_cgroupfs build/fuse_cgroup_run build/fuse_cgroup_cni; do
	aarch64-linux-gnu-readelf -h "$program" | grep 'Machine: *AArch64'
	qemu-aarch64-static "$program" --version
done
# qemu-user itself fails now and then: twice it is our failure.
run() { qemu-aarch64-static "$1" >build/log 2>&1; }
failed=0
for unit in "${units[@]}"; do
	if [ -n "${exceptions[$unit]-}" ]; then
		echo "$unit: not under qemu-user: ${exceptions[$unit]}"
	elif ! run "build/unit/$unit" && ! run "build/unit/$unit"; then
		cat build/log
		failed=1
	fi
done
echo "$((${#units[@]} - ${#exceptions[@]})) unit tests ran as arm64"
exit "$failed"

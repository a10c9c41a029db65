# SPDX-License-Identifier: MIT
# What the tests of the scripts share. k3s and the kubelet are stand-ins that tell a version, and whatever has
# to do with containers is only there.
bats_require_minimum_version 1.5.0

project=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
export FUSE_CGROUP_RUN=${FUSE_CGROUP_RUN:-$project/build/fuse_cgroup_run}
export FUSE_CGROUP_CNI=${FUSE_CGROUP_CNI:-$project/build/fuse_cgroup_cni}
said=$BATS_FILE_TMPDIR/said

setup() {
	[ "$(id -u)" = 0 ] || skip "nodes are root's"
	unset CGROUPS IMAGES K3S_TOKEN K3S_TOKEN_FILE INVOCATION_ID
	export TMPDIR=$BATS_TEST_TMPDIR/tmp
	bin=$BATS_TEST_TMPDIR/bin
	mkdir "$TMPDIR" "$bin"
	for program in containerd ctr runc; do ln -s /bin/true "$bin/$program"; done
	PATH=$bin:$PATH
	of_version 1.34.5
}

# of_version VERSION: of Kubernetes, as k3s and the kubelet tell it. K3S_LOG is what k3s says before it ends.
of_version() {
	export K3S=$bin/k3s KUBELET=$bin/kubelet
	cat >"$K3S" <<-END
		#!/bin/sh
		[ \$1 != --version ] || exec echo "k3s version v$1+k3s1 (0123abcd)"
		echo "\$K3S_LOG"
		exit 3
	END
	echo "echo Kubernetes v$1" >"$KUBELET"
	chmod 755 "$K3S" "$KUBELET"
}

k3s() {
	"$project/scripts/run-k3s-with-fuse-cgroups.sh" "$@"
}

kubelet() {
	"$project/scripts/run-kubelet-with-fuse-cgroups.sh" "$@"
}

# in_a_machine SCRIPT COMMAND...: after what the script does to the machine's mounts, which others do not see.
in_a_machine() {
	script=$1 command=$2
	shift 2
	unshare --mount --propagation private sh -ec "$script; exec \"\$@\"" sh \
		"$project/scripts/run-$command-with-fuse-cgroups.sh" "$@"
}

# without PROGRAM... -- COMMAND...: where these programs are not in PATH, which has what else is asked for.
without() {
	path=$BATS_TEST_TMPDIR/path
	mkdir -p "$path"
	for program in awk cat containerd ctr dirname env grep head id ip mknod python3 readlink runc sed \
		stat tr uname; do
		ln -sf "$(command -v "$program")" "$path/"
	done
	while [ "$1" != -- ]; do
		rm -f "$path/$1"
		shift
	done
	shift
	PATH=$path "$@"
}

# says MESSAGE COMMAND...: fails with this one line, after its own name, and leaves nothing. Its status is 1,
# or what $status says.
says() {
	message=$1
	shift
	run "-${status:-1}" "$@"
	[ "${#lines[@]}" = 1 ]
	[ "${lines[0]#*.sh: }" = "$message" ]
	echo "${lines[0]}" >>"$said"
	[ -z "$(ls -A "$TMPDIR")" ]
}

# has TEXT: in the output.
has() {
	[[ $output == *"$1"* ]] || { echo "not there: $1" && false; }
}

has_not() {
	[[ $output != *"$1"* ]] || { echo "there: $1" && false; }
}

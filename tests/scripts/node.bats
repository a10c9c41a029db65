#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the scripts of nodes say and choose; how nodes live is tested in tests/node.

load helpers

# --- what is asked for ---

@test "--help shows the comment at the top" {
	for script in k3s kubelet; do
		for option in --help -h; do
			run -0 "$script" "$option"
			[[ ${lines[0]} == "Runs a "* ]]
			has "Usage: run-$script-with-fuse-cgroups.sh [OPTION...]"
			for word in --v1, --v2 --check --dry-run IMAGES CGROUPS; do has "$word"; done
			has_not "set -eu"
		done
	done
	for script in prepare-node.sh run-over-native.sh; do
		run -0 "$project/scripts/$script" --help
		has "Usage: $script COMMAND"
	done
}

@test "--check tells what is here and what is provided" {
	run -0 k3s --check
	for what in root /dev/fuse fuse_cgroup_run fuse_cgroup_cni k3s; do
		[[ $output =~ (^|$'\n')"$what"\ +here ]]
	done
	[[ $output =~ cgroups\ +provided:\ by\ fuse_cgroup_run ]]
	[[ $output =~ "inotify instances"\ +[0-9]+: ]]
}

@test "--check tells what is missing, and fails" {
	FUSE_CGROUP_RUN=/nowhere K3S=/nowhere run -1 k3s --check
	[[ $output =~ fuse_cgroup_run\ +missing:\ run\ make\ first ]]
	[[ $output =~ k3s\ +missing:\ put\ it\ into\ PATH ]]
	KUBELET=/nowhere run -1 without containerd ctr runc -- kubelet --check
	[[ $output =~ containerd\ +missing:\ apt-get\ install\ containerd ]]
	[[ $output =~ ctr\ +missing:\ apt-get\ install\ containerd ]]
	[[ $output =~ runc\ +missing:\ apt-get\ install\ runc ]]
	[[ $output =~ kubelet\ +missing: ]]
	run -1 setpriv --reuid 65534 --clear-groups "$project/scripts/run-k3s-with-fuse-cgroups.sh" --check
	[[ $output =~ root\ +missing:\ run\ it\ as\ root ]]
}

@test "--dry-run tells the versions and what would be run, and leaves nothing" {
	run -0 k3s --dry-run --v1 --node-ip 10.0.0.1
	[[ ${lines[0]} == "# Kubernetes 1.34, cgroups v1"* ]]
	has "mount --bind $TMPDIR/kube-node.XXXXXX/root/var/lib/rancher /var/lib/rancher"
	has "fuse_cgroup_run --v1 --"
	has "$K3S server --data-dir $TMPDIR/kube-node.XXXXXX/k3s --snapshotter native"
	has "--kubelet-arg fail-cgroupv1=false"
	run -0 kubelet --dry-run --v2 "$TMPDIR" --v=4
	[[ ${lines[-1]} == "$KUBELET --config $TMPDIR/kube-node.XXXXXX/kubelet.yaml"*" --v=4 " ]]
	run -0 kubelet --dry-run --native
	has "scripts/run-over-native.sh"
	has_not "fuse_cgroup_run"
	[ -z "$(ls -A "$TMPDIR")" ]
}

@test "cgroup v2 is chosen for Kubernetes 1.35 and later" {
	of_version 1.35.0
	run -0 k3s --dry-run
	has "fuse_cgroup_run --v2 --"
	has_not fail-cgroupv1
	run -0 kubelet --dry-run
	has "fuse_cgroup_run --v2 --"
}

@test "fail-cgroupv1 is for those that know it" {
	of_version 1.30.14
	run -0 k3s --dry-run --v1
	has_not fail-cgroupv1
}

@test "CGROUPS does as --v1 and --v2, which come before it" {
	CGROUPS=v2 run -0 k3s --dry-run
	has "fuse_cgroup_run --v2 --"
	CGROUPS=v2 run -0 k3s --dry-run --v1
	has "fuse_cgroup_run --v1 --"
}

@test "--offline and IMAGES pull nothing" {
	run -0 k3s --dry-run --offline
	has "--disable coredns --disable local-storage"
	has "--pause-image localhost/busybox:static --kubelet-arg image-gc-high-threshold=100"
	IMAGES=$K3S run -0 k3s --dry-run
	has "--pause-image localhost/busybox:static"
}

@test "--agent makes a node for a server" {
	K3S_TOKEN=x run -0 k3s --dry-run --agent https://server:6443
	has "$K3S agent --server https://server:6443 --data-dir"
	has_not --write-kubeconfig
	run -0 k3s --dry-run --agent=https://server:6443 --token-file=/x
	has "$K3S agent --server https://server:6443 --data-dir"
	has "--token-file=/x"
}

@test "words of the user's go as they are, after ours; those after -- all" {
	run -0 k3s --dry-run --node-name "a b" --snapshotter overlayfs -- --v1 "it's"
	[[ ${lines[-1]} == *" --node-name 'a b' --snapshotter overlayfs --v1 'it'\''s' " ]]
	has_not "fuse_cgroup_run --v1"
}

# --- what is refused, in one line ---

@test "programs and files that are missing" {
	K3S=/nowhere/k3s says "there is no /nowhere/k3s: put k3s into PATH or name it with K3S=/path/to/k3s\
 (https://k3s.io)" k3s
	KUBELET=/nowhere says "there is no kubelet: put one into PATH, name it with KUBELET=, or run\
 tests/node/build-kubelet.sh" without kubelet -- kubelet
	for script in k3s kubelet; do
		FUSE_CGROUP_RUN=/nowhere says "/nowhere is not there: run make first" "$script"
		FUSE_CGROUP_CNI=/nowhere says "/nowhere is not there: run make first" "$script"
		IMAGES="$K3S /nowhere.tar" says "IMAGES: there is no file /nowhere.tar" "$script"
		IMAGES=/etc says "IMAGES: there is no file /etc" "$script"
		missing=$TMPDIR/missing
		TMPDIR=$missing says "TMPDIR: there is no directory $missing" "$script"
	done
	says "there is no directory $K3S for pods: mkdir $K3S" kubelet "$K3S"
	says "there is no containerd: sudo apt-get install -y containerd" without containerd -- kubelet
	says "there is no ctr: sudo apt-get install -y containerd" without ctr -- kubelet
	says "there is no runc: sudo apt-get install -y runc" without runc -- kubelet
	says "there is no python3: sudo apt-get install -y python3" without python3 -- k3s --offline
	says "there is no /bin/busybox: sudo apt-get install -y busybox-static" \
		in_a_machine "mount --bind /dev/null /bin/busybox" k3s --offline
}

@test "options and settings that cannot be" {
	for words in --agent --agent= "--agent --v1" "--agent http://server:6443" "--agent=https://"; do
		says "--agent needs the server's URL: https://SERVER:6443" k3s $words
	done
	for words in "--agent https://server:6443" --agent=https://server:6443; do
		says "only k3s has agents" kubelet $words
	done
	says "options of the kubelet come after a directory for pods: PODS --v=4" kubelet --v=4
	for port in x 1 65536; do
		PORT=$port says "PORT cannot be $port: it is a number from 2 to 65535" kubelet
	done
	says "a node needs the server's token: set K3S_TOKEN, or give --token TOKEN" \
		k3s --agent https://server:6443
	for words in "--data-dir /x" --data-dir=/x "-d /x"; do
		says "--data-dir cannot be chosen: all of a node lies below one new directory, in TMPDIR" \
			k3s $words
	done
	for script in k3s kubelet; do
		CGROUPS=v3 says "CGROUPS cannot be v3: it is v1 or v2" "$script"
	done
	K3S=/bin/true says "/bin/true --version does not tell a version of Kubernetes" k3s
	KUBELET=/bin/true says "/bin/true --version does not tell a version of Kubernetes" kubelet
}

@test "what lies where the node has a directory of its own" {
	for script in k3s kubelet; do
		for what in TMPDIR=/opt/cni {FUSE_CGROUP_CNI,IMAGES,${script^^}}=/opt/cni/file; do
			says "${what#*=} cannot be in /opt/cni, as the node sees one of its own there" \
				in_a_machine "mount -t tmpfs tmpfs /opt; mkdir /opt/cni
				cp -L '$bin/$script' /opt/cni/file; export $what" "$script"
		done
	done
	ln -s /var/log "$bin/pods"
	says "$bin/pods cannot be in /var/log, as the node sees one of its own there" kubelet "$bin/pods"
}

@test "machines and users that cannot" {
	for script in k3s kubelet; do
		says "a node makes containers and mounts: run it as root" \
			setpriv --reuid 65534 --clear-groups \
			"$project/scripts/run-$script-with-fuse-cgroups.sh"
	done
	says "there is no /dev/fuse: modprobe fuse, or give it to the container" in_a_machine \
		"mount -t tmpfs tmpfs /dev; : >/dev/null; set -- setpriv --bounding-set -mknod \"\$@\"" k3s
	says "cannot make /opt/cni, where k3s and kubelets write" in_a_machine \
		"mount -t tmpfs -o ro tmpfs /opt" k3s --v1
	says "a node wants an address, and none can be added here without CAP_NET_ADMIN: give it a network" \
		in_a_machine "set -- unshare --net setpriv --bounding-set -net_admin \"\$@\"" k3s --v1
	says "a node is in this network namespace already: end it, or give this one a namespace of its own\
 (ip netns, unshare --net)" in_a_machine "exec 7</proc/self/ns/net; flock 7" k3s --v1
	says "name a command: prepare-node.sh COMMAND [ARGUMENT...]" "$project/scripts/prepare-node.sh"
	for command in nosuch /etc/passwd; do
		status=127 says "$command cannot be run: name a program that is in PATH, or the path of one" \
			"$project/scripts/prepare-node.sh" "$command"
	done
	says "it mounts: run it as root" setpriv --reuid 65534 --clear-groups \
		"$project/scripts/prepare-node.sh" true
	says "name a command: run-over-native.sh COMMAND [ARGUMENT...]" "$project/scripts/run-over-native.sh"
	says "this is not gVisor: use fuse_cgroup_run, or fuse_cgroupfs -o native=DIR" \
		"$project/scripts/run-over-native.sh" true
	says "--native is of cgroup v1: leave out --v2" kubelet --native --v2
}

@test "k3s that ends: its reason, what that means, and where the log is" {
	export K3S_LOG='level=fatal msg="listen tcp :6443: bind: address already in use"'
	run -1 k3s --v1 --offline
	has "$K3S_LOG"
	has "run-k3s-with-fuse-cgroups.sh: another k3s or kubelet runs here, or another program has its port"
	[ "${lines[-2]}" = "run-k3s-with-fuse-cgroups.sh: k3s ended with status 3" ]
	[[ ${lines[-1]} == *": the logs are kept in $TMPDIR/kube-node."*/log ]]
	echo "${lines[-2]}" >>"$said"
	grep -qF "$K3S_LOG" "$TMPDIR"/kube-node.*/log/k3s
}

@test "an image that cannot be imported" {
	echo 'case " $* " in *" import "*) exit 1 ;; esac' >"$bin/failing"
	rm "$bin/ctr"
	install -m 755 "$bin/failing" "$bin/ctr"
	sed -i '1i #!/bin/sh' "$bin/ctr"
	printf '#!/bin/sh\nexec sleep 1000\n' >"$bin/sleeps"
	rm "$bin/containerd"
	install -m 755 "$bin/sleeps" "$bin/containerd"
	run -1 kubelet --v1
	[[ ${lines[-2]} == *": IMAGES: $TMPDIR/kube-node."*"/busybox.tar cannot be imported" ]]
	echo "${lines[-2]}" >>"$said"
}

@test "every message that ends a script is said here" {
	[ "$BATS_TEST_NUMBER" = "$(sed '/every message/q' "$BATS_TEST_FILENAME" | grep -c ^@test)" ] ||
		skip "not all tests are run"
	# Of a containerd that does not answer, a minute later.
	excused="does not answer"
	sed -e ':a' -e '/\\$/{N;s/\\\n[[:space:]]*//;ba' -e '}' "$project"/scripts/*node*.sh \
		"$project"/scripts/run-*-with-fuse-cgroups.sh "$project"/scripts/lib/*.sh |
		grep -oE '\bfail ("[^"]*"( |$))+' | grep -v "$excused" |
		sed -E 's/^fail "//; s/" "/ /g; s/" ?$//
			s/[].[()+?*^|]/\\&/g; s/\$[A-Za-z0-9_]+/.*/g' >"$TMPDIR/all"
	[ "$(wc -l <"$TMPDIR/all")" -ge 15 ]
	while read -r pattern; do
		grep -qE "\.sh: $pattern\$" "$said" || { echo "nobody has said: $pattern" && false; }
	done <"$TMPDIR/all"
}

# --- what lines of logs mean ---

@test "what k3s and kubelets write is explained, and nothing else is" {
	name=x
	. "$project/scripts/lib/tell.sh"
	[ "$(interpret 'level=fatal msg="flag provided: unknown flag: --fail-cgroupv1"')" = \
		"x: this version of Kubernetes does not have that option" ]
	count=0
	while IFS='|' read -r line meaning; do
		[[ $(interpret "$line") == "x: $meaning"* ]] || { echo "$line" && false; }
		count=$((count + 1))
	done <<-'END'
		configured to not run on a host using cgroup v1. cgroup v1 support is unsupported|this
		level=fatal msg="Error: flag provided but not defined: -x"|this version of Kubernetes
		Error: no default routes found in "/proc/net/route"|there is no default route
		Error: cgroups: cgroup mountpoint does not exist|cgroups are not seen
		listen tcp :6443: bind: address already in use|another k3s or kubelet runs here
		failed to pull image "rancher/mirrored-pause:3.10.2"|an image cannot be pulled
		failed to update /proc/self/oom_score_adj: Permission denied|containers may have no oom scores
		systemd not running on this host, cannot use systemd cgroups manager|systemd's cgroup driver
		level=error msg="Node password rejected, duplicate hostname|the server has such a node
		container runtime network not ready: cni plugin not initialized|the pods' network
		failed to validate token: token is not valid|the server does not take this token
		error: inotify_init: too many open files|fs.inotify.max_user_instances
		write /var/lib/x: no space left on device|the disk is full
		dial tcp 10.99.0.1:6443: connect: connection refused|nobody answers
	END
	[ "$count" = "$(meanings | wc -l)" ]
	[ -z "$(interpret 'level=info msg="Running kube-apiserver"')" ]
}

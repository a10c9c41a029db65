# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Containers as a node without cgroups wants them: containerd's settings, a network, an image, and
# the end of all pods. Part of node.sh.

# The image that we make ourselves, for pods' sandboxes and for whoever wants it.
busybox=localhost/busybox:static

check_busybox() {
	need python3 python3 >/dev/null
	[ -x /bin/busybox ] || fail "there is no /bin/busybox: sudo apt-get install -y busybox-static"
}

# Of --check.
tell_busybox() {
	whether "python3" "apt-get install python3" command -v python3
	whether "/bin/busybox" "apt-get install busybox-static" test -x /bin/busybox
}

# write_busybox FILE
write_busybox() {
	python3 "$project/scripts/busybox_image.py" "$1" "$busybox"
}

# may_set_oom_scores: whether a process may be made less likely to be killed than we are (CAP_SYS_RESOURCE).
may_set_oom_scores() {
	effective=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
	[ $((0x$effective >> 24 & 1)) = 1 ]
}

# Where no sysctl can let pods listen on low ports and ping, as in gVisor, containerd is not to try.
leave_ports() {
	(: >>/proc/sys/net/ipv4/ip_unprivileged_port_start) 2>/dev/null ||
		printf 'enable_unprivileged_%s = false\n' ports icmp
}

# The names of these settings since containerd 2, as one file beside another.
cri_settings_v3() {
	echo 'version = 3'
	echo "[plugins.'io.containerd.cri.v1.runtime']"
	may_set_oom_scores || echo 'restrict_oom_score_adj = true'
	leave_ports
	echo 'disable_apparmor = true'
}

# containerd_config ROOT STATE: a whole one, with names that containerd 1.6 and all later ones read.
containerd_config() {
	restrict=false
	may_set_oom_scores || restrict=true
	cat <<-END
		version = 2
		root = "$1"
		state = "$2"
		disabled_plugins = ["io.containerd.snapshotter.v1.btrfs",
		    "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
		    "io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.opt"]
		[grpc]
		address = "$2/containerd.sock"
		[ttrpc]
		address = "$2/containerd.sock.ttrpc"
		[plugins."io.containerd.grpc.v1.cri"]
		sandbox_image = "${offline:+$busybox}"
		restrict_oom_score_adj = $restrict
		$(leave_ports)
		disable_apparmor = true
		disable_tcp_service = true
		netns_mounts_under_state_dir = true
		[plugins."io.containerd.grpc.v1.cri".containerd]
		snapshotter = "native"
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
		runtime_type = "io.containerd.runc.v2"
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
		SystemdCgroup = false
	END
}

# The network of our own, where containerd looks by itself.
write_plugin() {
	mkdir -p /etc/cni/net.d /opt/cni/bin
	cp "$plugin" /opt/cni/bin/fuse_cgroup_cni
	ln -s fuse_cgroup_cni /opt/cni/bin/loopback # which containerd before 2 runs for each pod
}

# write_network SUBNET: of the node's pods. Without a network no node is Ready.
write_network() {
	network=/etc/cni/net.d/10-fuse-cgroups.conflist
	[ ! -e "$network" ] || return 0
	cat >"$network" <<-END # containerd looks when it is written, not when it is renamed
		{"cniVersion": "1.0.0", "name": "pods", "plugins": [{
			"type": "fuse_cgroup_cni", "capabilities": {"ips": true},
			"ipam": {"type": "host-local", "dataDir": "/var/lib/cni/networks",
				"ranges": [[{"subnet": "$1"}]], "routes": [{"dst": "0.0.0.0/0"}]}
		}]}
	END
}

# read_status FILE: a process's condition (a letter) and parent. Its stat would be one line; but who reads
# that waits for a process that hangs in an exec.
read_status() {
	while read -r key value _; do
		case $key in
		State:) condition=$value ;;
		PPid:)
			parent=$value
			return 0
			;;
		esac
	done <"$1"
	return 1
}

# pids_of_pods NAMESPACE: the processes of containerd and its shims in this mount namespace, which is the
# node's alone; what these have started; and, if it is ours too, whoever is in a cgroup of pods. None that has
# only to be waited for.
pids_of_pods() {
	shims= members=
	for process in /proc/[0-9]*; do
		read -r comm <"$process/comm" || continue
		case $comm in
		containerd*)
			[ "$(readlink "$process/ns/mnt")" != "$1" ] || shims="$shims ${process#/proc/}"
			;;
		esac
	done 2>/dev/null
	[ "$(readlink /proc/self/ns/mnt)" != "$1" ] ||
		members=$(find /sys/fs/cgroup -path '*/kubepods*' -name cgroup.procs -exec cat {} + \
			2>/dev/null | sort -u)
	for process in /proc/[0-9]*; do
		read_status "$process/status" || continue
		pid=${process#/proc/}
		case " $(echo $shims $members) " in
		*" $pid "*) ;;
		*)
			case " $shims " in
			*" $parent "*) ;;
			*) continue ;;
			esac
			;;
		esac
		[ "$condition" = Z ] || echo "$pid"
	done 2>/dev/null
}

# end_pods NAMESPACE: ends whatever there is of pods, when nobody is left who would make them anew.
end_pods() {
	tries=0
	while pods=$(pids_of_pods "$1") && [ -n "$pods" ]; do
		tries=$((tries + 1))
		if [ "$tries" -gt 100 ]; then
			echo "$name: these processes of pods cannot be ended:" $pods >&2
			return
		fi
		# shellcheck disable=SC2086 # a list
		kill -KILL $pods 2>/dev/null || true
		sleep 0.1
	done
}

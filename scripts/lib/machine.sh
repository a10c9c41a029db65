# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# The machine as a node finds it: whatever k3s, kubelets and containerd write, wherever they do
# it, lies in $state, by mounts that nobody else sees. Part of node.sh.

# k3s sets these for the network namespace, where pods' packets want them; they are put back.
network_sysctls="net/ipv4/conf/all/forwarding net/ipv4/conf/default/forwarding net/ipv6/conf/all/forwarding
	net/ipv6/conf/default/forwarding net/core/devconf_inherit_init_net net/bridge/bridge-nf-call-iptables
	net/bridge/bridge-nf-call-ip6tables net/netfilter/nf_conntrack_max
	net/netfilter/nf_conntrack_tcp_timeout_established net/netfilter/nf_conntrack_tcp_timeout_close_wait"
# Where they write whatever they are told.
places="/etc/cni /etc/rancher /opt/cni /run/containerd /run/k3s /run/netns /run/nri /var/lib/cni
	/var/lib/kubelet /var/lib/rancher /var/log"
# What a node without any network takes.
new_address=10.99.0.1

has_default_route() {
	awk '$2 == "00000000" && $8 == "00000000" { found = 1 } END { exit !found }' \
		/proc/net/route 2>/dev/null ||
		awk '$1 ~ /^0+$/ && $2 == "00" && $10 != "lo" { found = 1 } END { exit !found }' \
			/proc/net/ipv6_route 2>/dev/null
}

# An address that the machine has beside loopback's, or nothing.
own_address() {
	ip -o -4 address show 2>/dev/null | sed -n 's/.* inet \([0-9.]*\).*/\1/p' |
		grep -v '^127\.' | head -n 1
}

# Mount points that are missing are made, sticky as a sign, by the first node of several and taken
# away by the last one: all hold a shared lock on the root directory, as one who removes another's mount
# point ends that one's mount.
make_mount_points() {
	exec 9</
	flock -s 9
	for place in /opt $places; do
		[ -d "$place" ] || mkdir -m 1755 "$place" 2>/dev/null || [ -d "$place" ] ||
			fail "cannot make $place, where k3s and kubelets write"
	done
}

remove_mount_points() {
	flock -n -x 9 || return 0
	for place in $places /opt; do
		[ ! -k "$place" ] || rmdir "$place" 2>/dev/null || true
	done
}

# One node has a network namespace for itself: a second one would give its pods the addresses that the first
# has given, and the first to end would put settings back under the other. Held until the script ends.
take_network() {
	exec 8</proc/self/ns/net
	flock -n -x 8 || fail "a node is in this network namespace already: end it, or give this one a" \
		"namespace of its own (ip netns, unshare --net)"
}

# each_network_sysctl COMMAND: with the file, and where its value is kept.
each_network_sysctl() {
	for sysctl in $network_sysctls; do
		[ ! -f "/proc/sys/$sysctl" ] || "$1" "/proc/sys/$sysctl" "$state/sysctl/$sysctl"
	done
}

save() {
	mkdir -p "${2%/*}"
	cat "$1" >"$2"
}

put_back() {
	[ ! -e "$2" ] || [ "$(cat "$1")" = "$(cat "$2")" ] || cat "$2" >"$1"
}

# Outside, before the launcher: what cannot be done in a mount namespace.
enter_machine() {
	make_mount_points
	take_network
	each_network_sysctl save
	kmsg=
	if [ ! -e /dev/kmsg ]; then # prepare-node.sh leaves what it makes there
		kmsg=/dev/kmsg
		: >"$kmsg"
	fi
	added=
	if [ "$address" = "$new_address" ] && [ -z "$(own_address)" ]; then
		need ip iproute2 >/dev/null
		ip address add "$address/32" dev lo 2>/dev/null ||
			fail "a node wants an address, and none can be added here without CAP_NET_ADMIN:" \
				"give it a network"
		added=1
	fi
}

leave_machine() {
	[ -z "${added:-}" ] || ip address delete "$address/32" dev lo
	[ -z "${kmsg:-}" ] || rm -f "$kmsg"
	each_network_sysctl put_back
	remove_mount_points
}

# Inside, below prepare-node.sh, in a mount namespace of this node's alone.
prepare_machine() {
	mkdir -p "$state/log" "$state/root/etc/rancher" "$state/root/var"
	ln -s ../../log "$state/root/var/log"
	cp -a /etc/rancher/. "$state/root/etc/rancher/" # a user's configuration
	for place in $places; do
		mkdir -p "$state/root$place"
		mount --bind "$state/root$place" "$place"
	done
	write_plugin
}

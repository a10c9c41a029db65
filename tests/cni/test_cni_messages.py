# SPDX-License-Identifier: MIT
"""Each message of the network plugin, a row each: what it is asked, and the error that it answers."""

import json
import os
import re
import subprocess
import sys

import pytest

from node import PLUGIN, ROOT, SECONDS, can_run

sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "mount")]

import messages  # noqa: E402
import mounting  # noqa: E402

SUBNET = {"subnet": "10.0.0.0/24"}
NO_NET_ADMIN = ["setpriv", "--bounding-set=-net_admin"]
READ_ONLY = ["unshare", "-m", "--propagation", "private", "sh", "-ec",
             'mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys; exec "$@"', "sh"]
# A sandbox whose root has no right over its node's network, but over the container's.
OWN_CONTAINER = ["unshare", "-Ur", "sh", "-c",
                 'unshare -n sleep 1000 & while [ /proc/$!/ns/net -ef /proc/self/ns/net ]; do sleep 0.01; '
                 'done; CNI_NETNS=/proc/$!/ns/net "$@"; status=$?; kill $!; exit $status', "sh"]


def folder(network):
    path = network.directory / "pods"
    path.mkdir(exist_ok=True)
    return path


def odd_address(network, pod):
    """What is no file, under an address' name."""
    (folder(network) / "10.88.0.9").mkdir()


def no_last_address(network, pod):
    (folder(network) / "last_reserved_ip.0").mkdir()


def added(network, pod):
    network.add("one", pod)


def added_without_link(network, pod):
    network.add("one", pod)
    pod.output("ip", "link", "del", "eth0")


def taken(network, pod):
    folder(network)
    (network.directory / "pods" / "10.88.0.7").write_text("other\r\neth0")


def all_taken(network, pod):
    network.config["ipam"]["ranges"] = [[{"subnet": "10.88.0.0/30"}]]
    folder(network)
    (network.directory / "pods" / "10.88.0.2").write_text("other\r\neth0")


def on_lo(network, pod):
    pod.output("ip", "addr", "add", "10.88.0.2/32", "dev", "lo")


def checked(*spoil):
    """An attachment as CHECK is asked about it, after a command in its namespace."""
    def before(network, pod):
        network.config["prevResult"] = network.add("one", pod)
        if spoil:
            pod.output(*spoil)
    return before


def checked_without_address(network, pod):
    checked()(network, pod)
    os.unlink(network.directory / "pods" / "10.88.0.2")


def checked_with_odd_address(network, pod):
    checked()(network, pod)
    odd_address(network, pod)


def unnamed(network, pod):
    network.config["prevResult"] = {**network.add("one", pod), "interfaces": []}


def of_file(network, pod):
    (network.directory / "file").touch()
    network.config["ipam"]["dataDir"] = str(network.directory / "file")


# A name, the command, what is otherwise than in a life that goes well, the error's code, and its message
# with its details, as a regular expression.
LINES = [
    ("version", "ADD", {"cniVersion": "0.2.0"}, 1,
     'incompatible CNI version "0.2.0": this plugin speaks 0.3.1, 0.4.0, 1.0.0 and 1.1.0'),
    ("first_version", "CHECK", {"cniVersion": "0.3.1"}, 1,
     "CNI 0.3.1 has no CHECK: it is there from 0.4.0 on"),
    ("no_json", "ADD", {"text": "{"}, 6, "the network configuration is no JSON: .*"),
    ("no_object", "ADD", {"text": "[]"}, 6, "the network configuration is no JSON object"),
    ("too_long", "ADD", {"text": " " * ((4 << 20) + 1)}, 5, "the network configuration is too long"),
    ("no_input", "ADD", {"stdin": "/"}, 5, "cannot read the network configuration: Is a directory"),
    ("no_name", "ADD", {"name": "a/b"}, 7, "the network has no name, or one that is not allowed"),
    ("odd_number", "ADD", {"mtu": -1}, 7, "mtu is no number from 0 to 2147483647"),
    # the environment
    ("no_command", "", {}, 4, "CNI_COMMAND is missing"),
    ("odd_command", "NEVER", {}, 4, "CNI_COMMAND is unknown: NEVER"),
    ("no_container", "ADD", {"environment": {"CNI_CONTAINERID": ""}}, 4, "CNI_CONTAINERID is missing"),
    ("no_interface", "ADD", {"environment": {"CNI_IFNAME": ""}}, 4, "CNI_IFNAME is missing"),
    ("no_namespace", "ADD", {"environment": {"CNI_NETNS": ""}}, 4, "CNI_NETNS is missing"),
    ("odd_container", "ADD", {"environment": {"CNI_CONTAINERID": "../one"}}, 4,
     "CNI_CONTAINERID has characters that it may not have"),
    ("odd_interface", "ADD", {"environment": {"CNI_IFNAME": "eth/0"}}, 4,
     "CNI_IFNAME cannot be the name of an interface"),
    ("long_interface", "ADD", {"environment": {"CNI_IFNAME": "a-name-that-is-too-long"}}, 4,
     "CNI_IFNAME cannot be the name of an interface"),
    ("odd_ip", "ADD", {"environment": {"CNI_ARGS": "IP=x"}}, 4, "CNI_ARGS has an IP that is no address: x"),
    ("odd_argument", "ADD", {"environment": {"CNI_ARGS": "IP"}}, 4,
     "CNI_ARGS has an argument that is not KEY=VALUE"),
    ("own_namespace", "ADD", {"environment": {"CNI_NETNS": "/proc/self/ns/net"}}, 4,
     "CNI_NETNS is the network namespace that the plugin itself is in"),
    ("gone_namespace", "ADD", {"environment": {"CNI_NETNS": "/nowhere"}}, 3,
     "cannot open the network namespace /nowhere: No such file or directory"),
    ("no_netns", "ADD", {"environment": {"CNI_NETNS": "/dev/null"}}, 3,
     "cannot enter the network namespace /dev/null: Invalid argument"),
    # what needs more than we have
    ("ipMasq", "ADD", {"ipMasq": True}, 2, "unsupported field ipMasq: true"),
    ("mode", "ADD", {"mode": "bridge"}, 2, 'unsupported field mode: "bridge"'),
    ("type", "ADD", {"ipam": {"type": "dhcp", **SUBNET}}, 2, 'unsupported field type: "dhcp"'),
    ("resolvConf", "ADD", {"ipam": {"resolvConf": "/etc/resolv.conf", **SUBNET}}, 2,
     'unsupported field resolvConf: "/etc/resolv.conf"'),
    ("portMappings", "ADD", {"runtimeConfig": {"portMappings": [{"hostPort": 80, "containerPort": 80}]}}, 2,
     "unsupported field portMappings: .*80.*"),
    ("table", "ADD", {"ipam": {"routes": [{"dst": "0.0.0.0/0", "table": 7}], **SUBNET}}, 2,
     "unsupported field table: 7"),
    # addresses
    ("no_ipam", "ADD", {"ipam": None}, 7, "ipam is missing: it says which addresses there are"),
    ("no_range", "ADD", {"ipam": {}}, 7, "ipam has neither a subnet nor ranges"),
    ("no_array", "ADD", {"ipam": {"ranges": {}}}, 7, "ranges are no array of arrays"),
    ("no_set", "ADD", {"ipam": {"ranges": [SUBNET]}}, 7, "a set must be an array of 1 to 16 ranges"),
    ("no_subnet", "ADD", {"ipam": {"ranges": [[{"rangeStart": "10.0.0.2"}]]}}, 7,
     "a range has no subnet such as 10.88.0.0/16"),
    ("address_for_subnet", "ADD", {"ipam": {"subnet": "10.0.0.0"}}, 7,
     "a range has no subnet such as 10.88.0.0/16"),
    ("long_prefix", "ADD", {"ipam": {"subnet": "10.0.0.0/33"}}, 7,
     "a range has no subnet such as 10.88.0.0/16"),
    ("host_bits", "ADD", {"ipam": {"subnet": "10.0.0.1/24"}}, 7, "network 10.0.0.1/24 has host bits set"),
    ("small", "ADD", {"ipam": {"subnet": "10.0.0.0/31"}}, 7,
     "network 10.0.0.0/31 is too small to allocate from"),
    ("start_outside", "ADD", {"ipam": {"rangeStart": "10.0.1.1", **SUBNET}}, 7,
     "rangeStart and rangeEnd must be in 10.0.0.0/24, in this order"),
    ("backwards", "ADD", {"ipam": {"rangeStart": "10.0.0.9", "rangeEnd": "10.0.0.8", **SUBNET}}, 7,
     "rangeStart and rangeEnd must be in 10.0.0.0/24, in this order"),
    ("family", "ADD", {"ipam": {"rangeStart": "fd00::1", **SUBNET}}, 7,
     "rangeStart is no address of the subnet's family"),
    ("gateway", "ADD", {"ipam": {"gateway": "here", **SUBNET}}, 7,
     "gateway is no address of the subnet's family"),
    ("families", "ADD", {"ipam": {"ranges": [[SUBNET, {"subnet": "fd00::/64"}]]}}, 7,
     "the ranges of a set must be of one family"),
    ("overlap", "ADD", {"ipam": {"ranges": [[SUBNET, {"subnet": "10.0.0.0/25"}]]}}, 7,
     "ranges of a set overlap"),
    ("overlap_of_sets", "ADD", {"ipam": {"ranges": [[SUBNET], [{"subnet": "10.0.0.128/25"}]]}}, 7,
     "sets of ranges overlap"),
    ("sets", "ADD", {"ipam": {"ranges": [[{"subnet": f"10.0.{i}.0/24"}] for i in range(9)]}}, 7,
     "more than 8 sets of ranges"),
    ("odd_route", "ADD", {"ipam": {"routes": [{}], **SUBNET}}, 7, "a route has no dst such as 0.0.0.0/0"),
    ("odd_gateway", "ADD", {"ipam": {"routes": [{"dst": "0.0.0.0/0", "gw": "fd00::1"}], **SUBNET}}, 7,
     "a route's gw is no address of its family"),
    ("routes", "ADD", {"ipam": {"routes": [{"dst": f"10.1.{i}.0/24"} for i in range(33)], **SUBNET}}, 7,
     "more than 32 routes"),
    ("odd_ips", "ADD", {"runtimeConfig": {"ips": ["here"]}}, 7, "ips has something that is no address: here"),
    ("ips", "ADD", {"runtimeConfig": {"ips": [f"10.88.0.{i}" for i in range(2, 19)]}}, 7,
     "more than 16 ips are asked for"),
    # where they are kept
    ("relative", "ADD", {"ipam": {"dataDir": "here", **SUBNET}}, 7, "dataDir is no absolute path"),
    ("no_place_is_named", "ADD", {"ipam": {"dataDir": ""}}, 7, "ipam has neither a subnet nor ranges"),
    ("long_path", "ADD", {"ipam": {"dataDir": "/x" * 2100, **SUBNET}}, 7, "dataDir is too long"),
    ("no_directory", "ADD", {"before": of_file}, 5,
     "cannot keep addresses below .*/file/pods: Not a directory"),
    ("not_kept", "ADD", {"before": no_last_address}, 5, "cannot keep the address 10.88.0.2: Is a directory"),
    ("not_read", "ADD", {"before": odd_address}, 5,
     "cannot read which addresses are taken: Is a directory"),
    ("not_given_back", "DEL", {"before": odd_address}, 5, "cannot give an address back: Is a directory"),
    ("no_range_has_it", "ADD", {"runtimeConfig": {"ips": ["10.77.0.9"]}}, 100,
     "the address 10.77.0.9 is asked for, but no range has it"),
    ("not_free", "ADD", {"before": taken, "runtimeConfig": {"ips": ["10.88.0.7"]}}, 100,
     "the address 10.88.0.7 is not free"),
    ("none_is_free", "ADD", {"before": all_taken}, 100, "no address is free in set 0 of the ranges"),
    ("status", "STATUS", {"before": all_taken}, 50, "no address is free"),
    ("again", "ADD", {"before": added}, 101, "the container has an interface eth0 already"),
    ("again_without_link", "ADD", {"before": added_without_link}, 100,
     "this attachment has an address already: DEL must come first"),
    # what the kernel does not do
    ("no_socket", "ADD", {"wrapper": ["prlimit", "--nofile=4"]}, 101,
     "cannot open the node's network namespace: Too many open files"),
    ("no_right", "ADD", {"wrapper": NO_NET_ADMIN}, 101, "lo cannot be set up: Operation not permitted"),
    ("no_way_to_the_gateway", "ADD",
     {"ipam": {"routes": [{"dst": "0.0.0.0/0", "gw": "192.0.2.1"}], **SUBNET}}, 101,
     "the veth of the container cannot be set up: Network is unreachable"),
    ("address_is_there", "ADD", {"before": on_lo, "mode": "lo"}, 101,
     "lo cannot be given the address: File exists"),
    ("stays_up", "DEL", {"wrapper": NO_NET_ADMIN, "type": "loopback"}, 101,
     "lo cannot be set down: Operation not permitted"),
    ("link_stays", "DEL", {"before": added, "wrapper": NO_NET_ADMIN}, 101,
     "cannot remove an interface: Operation not permitted"),
    # CHECK and GC
    ("no_result", "CHECK", {}, 7, "prevResult is missing"),
    ("result_without_link", "CHECK", {"before": unnamed}, 102,
     "prevResult has no interface of the container: eth0"),
    ("address", "CHECK", {"before": checked("ip", "addr", "flush", "dev", "eth0")}, 102,
     "the address is not there as ADD has made it: 10.88.0.2"),
    ("route", "CHECK", {"before": checked("ip", "route", "del", "default")}, 102,
     "the route is not there: 0.0.0.0/0"),
    ("down", "CHECK", {"before": checked("ip", "link", "set", "eth0", "down")}, 102,
     "the interface is down: .*"),
    ("mac", "CHECK", {"before": checked("ip", "link", "set", "eth0", "address", "02:00:00:00:00:09")}, 102,
     "the interface has another MAC address: eth0"),
    ("link", "CHECK", {"before": checked("ip", "link", "del", "eth0")}, 102,
     r"the interface is not there: fcg\w+: No such device"),
    ("kept", "CHECK", {"before": checked_without_address}, 102,
     "no address is reserved for the container: one"),
    ("checked_not_read", "CHECK", {"before": checked_with_odd_address}, 102,
     "cannot read which addresses are taken: pods: Is a directory"),
    ("gc", "GC", {"cni.dev/valid-attachments": {"containerID": "one"}}, 7,
     "cni.dev/valid-attachments is no array"),
]

# A name, what is otherwise when a container is added, and the line on standard error of what goes well.
NOTES = [
    ("read_only_sysctls", {"wrapper": READ_ONLY},
     "the node cannot forward IPv4: over it containers reach only the node"),
    ("no_veth", {"wrapper": OWN_CONTAINER},
     r"no veth here \(Operation not permitted\): the address is on lo, where only its container reaches it"),
]

# No messages, by how they begin; and what is said below.
KNOWN = {
    "Usage": "--help", "fuse_cgroup_cni %s": "--version",
    "cannot write the answer": "test_answer_that_nobody_reads",
    "there is no option %s": "test_option",
}


def ask(network, pod, command, before=None, wrapper=(), environment=(), text=None, stdin=None, stdout=None,
        **config):
    """The plugin's process, ended."""
    if before:
        before(network, pod)
    if "ipam" in config and config["ipam"] is not None:
        config["ipam"] = {"dataDir": str(network.directory), **config["ipam"]}
    text = json.dumps({**network.config, **config}) if text is None else text
    whole = {**os.environ, "CNI_COMMAND": command, "CNI_CONTAINERID": "one", "CNI_IFNAME": "eth0",
             "CNI_NETNS": pod.path, **dict(environment)}
    how = {"stdin": os.open(stdin, os.O_RDONLY)} if stdin else {"input": text}
    try:
        return subprocess.run(network.node.enter(*wrapper, PLUGIN), text=True, check=False, timeout=SECONDS,
                              stdout=stdout or subprocess.PIPE, stderr=subprocess.PIPE, env=whole, **how)
    finally:
        if stdin:
            os.close(how["stdin"])


def lines():
    """Those that can be had: a sanitizer opens files of its own, for which there must be room."""
    sanitized = mounting.is_sanitized(PLUGIN)
    return [row for row in LINES if not (sanitized and "prlimit" in row[2].get("wrapper", ()))]


@pytest.mark.parametrize("command, changes, code, expected",
                         [pytest.param(*row[1:], id=row[0]) for row in lines()])
def test_error(network, pod, command, changes, code, expected):
    result = ask(network, pod, command, **changes)
    answer = json.loads(result.stdout)
    said = answer["msg"] + (f": {answer['details']}" if "details" in answer else "")
    assert (result.returncode, answer["code"]) == (1, code), said
    assert re.fullmatch(expected, said), said


@pytest.mark.parametrize("changes, expected", [pytest.param(*row[1:], id=row[0]) for row in NOTES])
def test_note(network, pod, changes, expected):
    wrapper = changes["wrapper"]
    if not can_run(*wrapper[:wrapper.index("sh")]):
        pytest.skip("no namespace of its own is to be had: / is no mount point (a plain chroot)")
    result = ask(network, pod, "ADD", **changes)
    assert (result.returncode, "code" in json.loads(result.stdout)) == (0, False)
    assert re.fullmatch(f"fuse_cgroup_cni: {expected}\n", result.stderr)


def test_answer_that_nobody_reads(network, pod):
    """The address is not lost, DEL takes it back, and the error goes where it still can."""
    with open("/dev/full", "w", encoding="ascii") as full:
        result = ask(network, pod, "ADD", stdout=full)
    assert (result.returncode, result.stderr) == (1, "fuse_cgroup_cni: cannot write the answer\n")
    network.delete("one", pod)
    assert list(pod.links()) == ["lo"] and network.kept() == {}


def test_option():
    result = subprocess.run([PLUGIN, "--wrong"], text=True, capture_output=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "fuse_cgroup_cni: there is no option --wrong; --help shows the options\n"


def test_every_message_has_a_row():
    rows = [row[-1] for row in LINES] + [f"fuse_cgroup_cni: {row[-1]}" for row in NOTES]
    assert messages.not_said(["src/cni"], rows, KNOWN) == []

# SPDX-License-Identifier: MIT
"""The network plugin below libcni (cnitool), and beside containernetworking's own ptp, host-local and
loopback."""

import json
import pathlib
import subprocess
import sys

import pytest

import trees

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cni"))
import node as nodes  # pylint: disable=wrong-import-position

THEIRS = trees.ROOT / "build/clients/cni"
IPAM = {"type": "host-local", "ranges": [[{"subnet": "10.88.0.0/24"}], [{"subnet": "fd00:88::/64"}]],
        "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}


class Cnitool:
    """A node whose network is configured for libcni, with one plugin."""

    def __init__(self, node, directory, plugin, version):
        self.node, self.directory = node, directory
        for name in ("net.d", "var"):
            (directory / name).mkdir(parents=True)
        config = {"type": plugin, "capabilities": {"ips": True},
                  "ipam": IPAM | {"dataDir": str(directory / "networks")}}
        (directory / "net.d" / "10-pods.conflist").write_text(json.dumps(
            {"cniVersion": version, "name": "pods", "plugins": [config]}))

    def run(self, command, namespace, **environment):
        """libcni keeps results in /var/lib/cni, which is ours for it."""
        script = (f"mount -t tmpfs none /var/lib; mkdir /var/lib/cni; mount --bind {self.directory}/var "
                  "/var/lib/cni;"
                  'exec "$@"')
        result = subprocess.run(
            self.node.enter("unshare", "-m", "sh", "-ec", script, "sh",
                            THEIRS / "cnitool", command, "pods", namespace.path),
            text=True, capture_output=True, check=False, timeout=nodes.SECONDS,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "NETCONFPATH": str(self.directory / "net.d"),
                 "CNI_PATH": f"{nodes.PLUGIN.parent}:{THEIRS}", **environment})
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout) if command == "add" else result.stdout

    def kept(self):
        return {path.name for path in (self.directory / "networks" / "pods").iterdir() if path.name != "lock"
                and not path.name.startswith("last_")}


@pytest.fixture
def spaces():
    """Two nodes with a container each."""
    with nodes.namespaces(4) as made:
        yield made


@pytest.mark.parametrize("version", nodes.VERSIONS)
def test_libcni(spaces, tmp_path, version):
    node, pod = spaces[:2]
    tool = Cnitool(node, tmp_path, "fuse_cgroup_cni", version)
    capabilities = json.dumps({"ips": ["10.88.0.9"]})
    result = tool.run("add", pod, CAP_ARGS=capabilities)
    assert nodes.addresses(result) == ["10.88.0.9/24", "fd00:88::2/64"]
    assert pod.links()["eth0"] == ["10.88.0.9/24", "fd00:88::2/64"]
    if version > "0.4":
        tool.run("check", pod, CAP_ARGS=capabilities)
    if version >= "1.1":
        tool.run("status", pod)
        tool.run("gc", pod)
    tool.run("del", pod, CAP_ARGS=capabilities)
    tool.run("del", pod, CAP_ARGS=capabilities)
    assert list(pod.links()) == list(node.links()) == ["lo"] and tool.kept() == set()


def without_names(result):
    """What of a result is the same on each machine: for each link whether it is the container's."""
    places = {"interfaces": [bool(link.get("sandbox")) for link in result["interfaces"]]}
    return {key: value for key, value in (result | places).items() if value}


@pytest.mark.parametrize("version", nodes.VERSIONS)
def test_as_containernetworkings_ptp(spaces, tmp_path, version):
    seen = []
    for plugin, node, pod in (("ptp", *spaces[:2]), ("fuse_cgroup_cni", *spaces[2:])):
        tool = Cnitool(node, tmp_path / plugin, plugin, version)
        result = without_names(tool.run("add", pod))
        host = next(name for name in node.links() if name != "lo")
        seen.append((result, pod.links()["eth0"], pod.routes(), node.links()[host], node.routes(),
                     tool.kept()))
    assert seen[0] == seen[1]


def host_local(node, config, command, container, namespace):
    result = subprocess.run(node.enter(THEIRS / "host-local"), text=True, capture_output=True, check=True,
                            input=json.dumps(config), timeout=nodes.SECONDS,
                            env={"CNI_COMMAND": command, "CNI_CONTAINERID": container, "CNI_IFNAME": "eth0",
                                 "CNI_NETNS": namespace.path, "CNI_PATH": str(THEIRS)})
    return nodes.addresses(json.loads(result.stdout)) if result.stdout else None


def test_host_local_on_the_same_directory(spaces, tmp_path):
    """Each goes on where the other was, and takes back what the other gave."""
    node, pod, other = spaces[:3]
    network = nodes.Network(node, tmp_path)
    assert nodes.addresses(network.add("one", pod)) == ["10.88.0.2/24"]
    assert host_local(node, network.config, "ADD", "two", other) == ["10.88.0.3/24"]
    assert nodes.addresses(network.add("three", other)) == ["10.88.0.4/24"]
    host_local(node, network.config, "CHECK", "one", pod)
    network.delete("two", other)
    assert set(network.kept()) == {"10.88.0.2", "10.88.0.4"}
    host_local(node, network.config, "DEL", "one", pod)
    assert set(network.kept()) == {"10.88.0.4"}


@pytest.mark.parametrize("version", nodes.VERSIONS)
def test_as_containernetworkings_loopback(spaces, version):
    """But for the version of an address, which the specification wants before 1.0.0 and theirs does not
    tell."""
    node, pod = spaces[:2]
    config = json.dumps({"cniVersion": version, "name": "cni-loopback", "type": "loopback"})
    answers = []
    for plugin in (THEIRS / "loopback", nodes.PLUGIN):
        result = subprocess.run(node.enter(plugin), text=True, capture_output=True, check=True, input=config,
                                env={"CNI_COMMAND": "ADD", "CNI_CONTAINERID": "one", "CNI_IFNAME": "lo",
                                     "CNI_NETNS": pod.path, "CNI_PATH": "/"})
        answers.append(json.loads(result.stdout))
        for address in answers[-1]["ips"]:
            address.pop("version", None)
    assert answers[0] == answers[1]

# SPDX-License-Identifier: MIT
"""What a container and its node have after ADD, as the kernel shows it, and that DEL and GC leave nothing of
it."""

import os
import pathlib
import subprocess

import pytest

from node import VERSIONS, Failure, Network, addresses, can_run

IP6 = {"ranges": [[{"subnet": "10.88.0.0/24"}], [{"subnet": "fd00:88::/64"}]],
       "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}

needs_ipv6 = pytest.mark.skipif(not pathlib.Path("/proc/net/if_inet6").exists(), reason="no IPv6 here")


def host_names(node):
    return [name for name in node.links() if name.startswith("fcg")]


def test_ptp(network, node, pod):
    result = network.add("one", pod)
    host, inside = result["interfaces"]
    assert addresses(result) == ["10.88.0.2/24"] and result["ips"][0]["interface"] == 1
    assert inside["name"] == "eth0" and inside["sandbox"] == pod.path and "sandbox" not in host
    assert pod.links() == {"lo": ["127.0.0.1/8"], "eth0": ["10.88.0.2/24"]}
    assert node.links()[host["name"]] == ["10.88.0.1/32"]
    assert pod.routes() == {"default": "10.88.0.1", "10.88.0.0/24": "10.88.0.1", "10.88.0.1": None}
    assert node.routes() == {"10.88.0.2": None}
    assert pod.is_up("eth0") and pod.is_up("lo") and node.is_up(host["name"])


def test_containers_reach_each_other(network, node, pod, other):
    network.add("one", pod)
    network.add("two", other)
    assert pod.answers("10.88.0.2", node) == "10.88.0.1"
    assert pod.answers("10.88.0.2", other) == "10.88.0.3"
    assert node.answers("10.88.0.1", pod) == "10.88.0.2"


@needs_ipv6
def test_ipv6(node, pod, other, tmp_path):
    network = Network(node, tmp_path, ipam=IP6)
    assert addresses(network.add("one", pod)) == ["10.88.0.2/24", "fd00:88::2/64"]
    network.add("two", other)
    assert pod.routes()["default6"] == "fd00:88::1"
    assert pod.answers("fd00:88::2", node) == "fd00:88::1"
    assert set(network.kept()) == {"10.88.0.2", "10.88.0.3", "fd00:88::2", "fd00:88::3"}


@needs_ipv6
def test_containers_reach_each_other_by_ipv6(node, pod, other, tmp_path):
    network = Network(node, tmp_path, ipam=IP6)
    network.add("one", pod)
    network.add("two", other)
    assert pod.answers("fd00:88::2", other) == "fd00:88::3"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_life(node, pod, tmp_path, version):
    """In each version what a runtime does from the first to the last."""
    network = Network(node, tmp_path, version, dns={"nameservers": ["10.0.0.10"]})
    result = network.add("one", pod)
    assert result["cniVersion"] == version and result["dns"] == {"nameservers": ["10.0.0.10"]}
    assert result["routes"] == [{"dst": "0.0.0.0/0"}]
    assert [ip.get("version") for ip in result["ips"]] == ["4" if version < "1" else None]
    if version > "0.4":
        assert network.run("CHECK", "one", pod.path, prevResult=result) is None
    assert network.delete("one", pod, prevResult=result) is None
    assert list(pod.links()) == ["lo"] and list(node.links()) == ["lo"] and network.kept() == {}


def test_lo(node, pod, tmp_path):
    network = Network(node, tmp_path, mode="lo")
    result = network.add("one", pod)
    assert addresses(result) == ["10.88.0.2/32"] and "interface" not in result["ips"][0]
    assert [link["name"] for link in result["interfaces"]] == ["lo"] and "routes" not in result
    assert pod.links() == {"lo": ["127.0.0.1/8", "10.88.0.2/32"]}
    assert pod.answers("10.88.0.2", pod) == "10.88.0.2"
    network.run("CHECK", "one", pod.path, prevResult=result)
    network.delete("one", pod, prevResult=result)
    assert pod.links() == {"lo": ["127.0.0.1/8"]} and network.kept() == {}


@pytest.mark.parametrize("mode, ends", [("auto", ["lo"]), ("ptp", None)])
def test_no_veth(node, tmp_path, mode, ends):
    """Whose node's network is another's, as in a container without rights, can make no veth: auto does
    without."""
    if not can_run("unshare", "--user"):
        pytest.skip("no user namespace is to be had: / is no mount point (a plain chroot)")
    holder = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", "echo; exec cat"]
    with subprocess.Popen(node.enter(*holder), text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as user:
        user.stdout.readline()
        network = Network(node, tmp_path, mode=mode)
        enter = ["nsenter", f"--net={node.path}", f"--user=/proc/{user.pid}/ns/user"]
        network.node = type("User", (), {"enter": lambda self, *command: [*enter, *map(str, command)]})()
        tmp_path.chmod(0o755)
        path = f"/proc/{user.pid}/ns/net"
        if ends is None:
            with pytest.raises(Failure) as failure:
                network.run("ADD", "one", path)
            assert failure.value.args[0]["code"] == 101 and network.kept() == {}
        else:
            result = network.run("ADD", "one", path)
            assert [link["name"] for link in result["interfaces"]] == ends
            network.run("DEL", "one", path)
        user.stdin.close()


def test_loopback(node, pod, tmp_path):
    """A node that has no other plugin of this name gives ours that name."""
    loopback = Network(node, tmp_path, type="loopback")
    del loopback.config["ipam"]
    result = loopback.run("ADD", "one", pod.path, ifname="lo")
    assert addresses(result)[0] == "127.0.0.1/8" and pod.is_up("lo")
    loopback.run("CHECK", "one", pod.path, ifname="lo", prevResult=result)
    loopback.run("DEL", "one", pod.path, ifname="lo")
    assert not pod.is_up("lo")
    with pytest.raises(Failure):
        loopback.run("CHECK", "one", pod.path, ifname="lo", prevResult=result)


def test_result_before_ours_is_kept(network, pod):
    before = {"cniVersion": "1.1.0", "interfaces": [{"name": "dummy0", "sandbox": pod.path}],
              "ips": [{"address": "192.0.2.1/24", "interface": 0}], "routes": [{"dst": "192.0.2.0/24"}],
              "dns": {"domain": "example.test"}}
    result = network.add("one", pod, prevResult=before)
    assert [link["name"] for link in result["interfaces"]][::2] == ["dummy0", "eth0"]
    assert result["ips"][0] == before["ips"][0] and result["ips"][1]["interface"] == 2
    assert result["routes"] == [{"dst": "192.0.2.0/24"}, {"dst": "0.0.0.0/0"}]
    assert result["dns"] == before["dns"]


def test_two_interfaces_of_one_container(network, pod):
    first = network.add("one", pod)
    network.config["ipam"] |= {"ranges": [[{"subnet": "10.99.0.0/24"}]], "routes": []}
    second = network.add("one", pod, ifname="net1")
    assert addresses(first) == ["10.88.0.2/24"] and addresses(second) == ["10.99.0.2/24"]
    network.delete("one", pod)
    assert "eth0" not in pod.links() and "net1" in pod.links() and set(network.kept()) == {"10.99.0.2"}


def test_add_again(network, pod):
    network.add("one", pod)
    before = pod.links(), network.kept()
    with pytest.raises(Failure) as failure:
        network.add("one", pod)
    assert "eth0" in failure.value.args[0]["msg"] and (pod.links(), network.kept()) == before


def test_failed_add_leaves_nothing(network, node, pod):
    """The gateway of a route that no route leads to is found last, when all else is made."""
    with pytest.raises(Failure) as failure:
        network.add("one", pod,
                    ipam=network.config["ipam"] | {"routes": [{"dst": "0.0.0.0/0", "gw": "192.0.2.1"}]})
    assert failure.value.args[0]["code"] == 101
    assert list(pod.links()) == ["lo"] and list(node.links()) == ["lo"] and network.kept() == {}


def test_del_again(network, node, pod):
    network.delete("never", pod)
    network.add("one", pod)
    for _ in range(2):
        network.delete("one", pod)
    assert list(node.links()) == ["lo"] and network.kept() == {}


@pytest.mark.parametrize("gone", ["no path", "no file", "no namespace"])
def test_del_without_the_namespace(network, node, pod, tmp_path, gone):
    network.add("one", pod)
    plain = tmp_path / "was-a-namespace"
    plain.touch()
    network.run("DEL", "one", {"no path": None, "no file": tmp_path / "none", "no namespace": plain}[gone])
    assert network.kept() == {} and host_names(node) == [] and list(pod.links()) == ["lo"]


def test_gc(network, node, pod, other):
    network.add("one", pod)
    network.add("two", other)
    (network.directory / "pods" / "10.88.0.77").touch()  # it was made, and never written
    network.run("GC", **{"cni.dev/valid-attachments": [{"containerID": "two", "ifname": "eth0"}]})
    assert network.kept() == {"10.88.0.3": b"two\r\neth0"}
    assert list(pod.links()) == ["lo"] and "eth0" in other.links() and len(host_names(node)) == 1


def test_gc_of_all(network, node, pod):
    network.add("one", pod)
    with pytest.raises(Failure) as failure:
        network.run("GC", **{"cni.dev/valid-attachments": {"containerID": "one"}})
    assert failure.value.args[0]["code"] == 7 and network.kept()
    network.run("GC", **{"cni.dev/valid-attachments": []})
    assert network.kept() == {} and host_names(node) == []


SPOILERS = {
    "address": ["ip", "addr", "flush", "dev", "eth0"],
    "route": ["ip", "route", "del", "default"],
    "down": ["ip", "link", "set", "eth0", "down"],
    "mac": ["ip", "link", "set", "eth0", "address", "02:00:00:00:00:09"],
    "link": ["ip", "link", "del", "eth0"],
}


@pytest.mark.parametrize("what", [*SPOILERS, "kept"])
def test_check_sees_what_is_wrong(network, pod, what):
    result = network.add("one", pod)
    network.run("CHECK", "one", pod.path, prevResult=result)
    if what == "kept":
        os.unlink(network.directory / "pods" / "10.88.0.2")
    else:
        pod.output(*SPOILERS[what])
    with pytest.raises(Failure) as failure:
        network.run("CHECK", "one", pod.path, prevResult=result)
    assert failure.value.args[0]["code"] == 102
